//! How much of the limits of a day is used up, told to the operators as it grows.

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::alerts::{DAY, HOUR};
use super::audit::{AuditAction, Audited};
use super::rings::area;
use super::transaction::Transaction;
use crate::notification::alert::{Alert, DayLimit, SHARES};
use crate::phone_number::PhoneNumber;

impl Transaction<'_> {
    /// A phone rings whose number begins with these digits: how many calls of the day that makes.
    pub(super) fn note_calls(&self, digits: &str, now: Timestamp) -> Result<(), StoreError> {
        let max = self.policy.calls_per_day_max;
        if self.rings_ever()? >= u64::from(max) / 2 {
            let used = self.calls_of_day("", now)?;
            self.note_share(DayLimit::Calls(String::new()), used, max, now)?;
        }
        for (prefix, max) in self.limited_at(digits, |it| it.calls_per_day_max) {
            let used = self.calls_of_day(prefix.trim_start_matches('+'), now)?;
            self.note_share(DayLimit::Calls(prefix), used, max, now)?;
        }
        Ok(())
    }

    /// A call has ended at such a number: how much of the minutes of the day that makes.
    pub(super) fn note_minutes(&self, digits: &str, now: Timestamp) -> Result<(), StoreError> {
        let max = self.policy.minutes_per_day_max;
        let longest = self.policy.call_max.as_secs().max(1);
        if self.rings_ever()? * longest >= u64::from(max) * 30 {
            self.note_talked(DayLimit::Minutes(String::new()), "", max, now)?;
        }
        for (prefix, max) in self.limited_at(digits, |it| it.minutes_per_day_max) {
            let digits = prefix.trim_start_matches('+').to_owned();
            self.note_talked(DayLimit::Minutes(prefix), &digits, max, now)?;
        }
        Ok(())
    }

    /// As long as no further call fits, all of it counts as used up.
    fn note_talked(
        &self,
        limit: DayLimit,
        digits: &str,
        max: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let talked: u64 = self.spent(digits, now)?.iter().map(|it| it.talked.as_secs()).sum();
        let most = u64::from(max) * 60;
        let is_full = talked + self.policy.call_max.as_secs() > most;
        let used = if is_full { max } else { (talked / 60) as u32 };
        self.note_share(limit, used, max, now)
    }

    fn note_share(
        &self,
        limit: DayLimit,
        used: u32,
        max: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reached = |percent: &u32| {
            max > 0 && u64::from(used) * 100 >= u64::from(max) * u64::from(*percent)
        };
        let Some(percent) = SHARES.into_iter().find(reached) else { return Ok(()) };
        let what = match &limit {
            DayLimit::Calls(prefix) => format!("calls {prefix} {percent} %"),
            DayLimit::Minutes(prefix) => format!("minutes {prefix} {percent} %"),
        };
        if self.alert(&Alert::Limit { limit, percent, max }, DAY, now)? {
            let what = what.replace("  ", " ");
            self.audit(&Audited { what: &what, ..Audited::of(AuditAction::Limit) }, now)?;
        }
        Ok(())
    }

    /// The limits of `[[dial.country]]` that hold for a number with these first digits.
    fn limited_at(
        &self,
        digits: &str,
        max: fn(&crate::notification::budget::Country) -> Option<u32>,
    ) -> Vec<(String, u32)> {
        let holds = |prefix: &str| digits.starts_with(prefix.trim_start_matches('+'));
        let countries = self.policy.countries.iter().filter(|it| holds(&it.prefix));
        countries.filter_map(|it| Some((it.prefix.clone(), max(it)?))).collect()
    }

    fn calls_of_day(&self, digits: &str, now: Timestamp) -> Result<u32, StoreError> {
        let since = self.ahead.counted(now.checked_sub(DAY).unwrap_or(Timestamp::MIN));
        let sql = "SELECT count(*) FROM rings
                   WHERE counted > ?1 AND invited = 1 AND substr(area, 1, length(?2)) = ?2";
        let mut find = self.conn.prepare_cached(sql)?;
        Ok(find.query_row(params![since, digits], |row| row.get(0))?)
    }

    /// Where there have never been so many calls, those of the day need no count.
    fn rings_ever(&self) -> Result<u64, StoreError> {
        let sql =
            "SELECT coalesce((SELECT max(id) FROM rings) - (SELECT min(id) FROM rings) + 1, 0)";
        Ok(self.conn.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// A code is spoken at this number: whether somebody tries out numbers, or several want the same one.
    pub(super) fn note_codes(
        &self,
        number: &PhoneNumber,
        jid: &BareJid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let since = |span| self.ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let sql = "SELECT count(*) FROM rings WHERE kind = 'code' AND entered = 0 AND counted > ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let codes: u32 = find.query_row([since(HOUR)], |row| row.get(0))?;
        if codes > CODES_NOT_ENTERED_MAX {
            self.alert(&Alert::CodesNotEntered(codes), HOUR, now)?;
        }
        let tag = self.ring_tag(number.as_str())?;
        let sql = "SELECT count(DISTINCT asker) FROM rings JOIN ring_askers ON ring = rings.id
                   WHERE kind = 'code' AND number = ? AND rings.counted > ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let accounts: u32 = find.query_row(params![tag, since(DAY * 7)], |row| row.get(0))?;
        if accounts > ACCOUNTS_OF_A_NUMBER_MAX {
            let alert = Alert::NumberAskedFor { area: area(number).to_owned(), accounts };
            if self.alert_once(None, &alert, &tag, DAY, now)? {
                let what = format!("number asked for by {accounts} accounts");
                let audited =
                    Audited { who: Some(jid), what: &what, ..Audited::of(AuditAction::Limit) };
                self.audit(&audited, now)?;
            }
        }
        Ok(())
    }
}

/// Codes of an hour that nobody sent back.
const CODES_NOT_ENTERED_MAX: u32 = 5;
/// Two may share a phone.
const ACCOUNTS_OF_A_NUMBER_MAX: u32 = 2;
