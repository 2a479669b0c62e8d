//! Wrong PINs: how many there were in a day, over all ways, and when one more may be tried.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::transaction::Transaction;
use crate::subscriber::Subscriber;

/// On which phone a PIN is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinWay {
    /// On one that is reached by the subscriber's number, or calls from it.
    OwnPhone,
    /// On any other.
    Elsewhere,
}

impl Transaction<'_> {
    /// Whether the person's PIN may not be tried on such a phone today. Nobody without one is locked out.
    pub(super) fn is_locked(
        &self,
        person: &Subscriber,
        way: PinWay,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if person.pin.is_none() {
            return Ok(false);
        }
        let sql =
            "SELECT count(*), coalesce(sum(elsewhere), 0) FROM wrong_pins WHERE jid = ? AND at > ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let values = params![person.jid.as_str(), self.ahead.counted(a_day_before(now))];
        let (wrong, elsewhere): (u32, u32) =
            find.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(wrong >= WRONG_PINS_MAX || (way == PinWay::Elsewhere && elsewhere >= ELSEWHERE_MAX))
    }

    /// Notes that digits came that are not the person's PIN.
    pub(super) fn wrong_pin(
        &self,
        who: &BareJid,
        way: PinWay,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let forget = "DELETE FROM wrong_pins WHERE at <= ?";
        self.conn.prepare_cached(forget)?.execute([self.ahead.counted(a_day_before(now))])?;
        let note = "INSERT INTO wrong_pins (jid, at, elsewhere) VALUES (?, ?, ?)";
        let elsewhere = way == PinWay::Elsewhere;
        let values = params![who.as_str(), self.ahead.counted(now), elsewhere];
        self.conn.prepare_cached(note)?.execute(values)?;
        Ok(())
    }
}

fn a_day_before(now: Timestamp) -> Timestamp {
    now.checked_sub(DAY).unwrap_or(Timestamp::MIN)
}

/// Three calls with three tries each in a day: at four digits, somebody who goes on for a year finds one PIN in three.
const WRONG_PINS_MAX: u32 = 9;
/// So many of them from phones of strangers, who cannot use up what the owner has left.
const ELSEWHERE_MAX: u32 = 6;
const DAY: Duration = Duration::from_secs(24 * 3600);
