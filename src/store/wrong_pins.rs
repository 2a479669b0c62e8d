//! Wrong PINs: how many there were in a day, over all ways, and when one more may be tried.

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::alerts::{DAY, HOUR};
use super::audit::{AuditAction, Audited};
use super::transaction::Transaction;
use crate::notification::alert::Alert;
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
        let (wrong, elsewhere) = self.wrong_today(&person.jid, now)?;
        Ok(wrong >= WRONG_PINS_MAX || (way == PinWay::Elsewhere && elsewhere >= ELSEWHERE_MAX))
    }

    /// How many wrong ones came in a day, and how many of them from other phones.
    fn wrong_today(&self, jid: &BareJid, now: Timestamp) -> Result<(u32, u32), StoreError> {
        let sql =
            "SELECT count(*), coalesce(sum(elsewhere), 0) FROM wrong_pins WHERE jid = ? AND at > ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let values = params![jid.as_str(), self.ahead.counted(a_day_before(now))];
        Ok(find.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Notes that digits came that are not the person's PIN. They are told of it, and operators of too many.
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
        let (wrong, elsewhere) = self.wrong_today(who, now)?;
        if wrong < WRONG_PINS_MAX && elsewhere < ELSEWHERE_MAX {
            self.alert_person(who, &Alert::WrongPin, HOUR, now)?;
        } else if self.alert_person(who, &Alert::YourPinLocked, DAY, now)? {
            self.alert(&Alert::PinLocked(who.clone()), DAY, now)?;
            let audited =
                Audited { what: "PIN locked", about: Some(who), ..Audited::of(AuditAction::Limit) };
            self.audit(&audited, now)?;
        }
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
