//! Codes that are spoken on the phone and sent back in the chat, and the limits of both.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::Ledger;
use super::words::{Word, ms};
use crate::notification::verification::{
    CALLS_MAX, CALLS_TO_NUMBER_MAX, CODE_VALID, Code, DAY, PAUSE, Place, REQUESTS_MAX, Refusal,
    Told, Verdict, VerificationId, WRONG_MAX,
};
use crate::phone_number::PhoneNumber;

impl Word for Place {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::First, "first"), (Self::Second, "second")];
}

impl Ledger<'_> {
    /// Makes a code for a number, if one more call to it may be made.
    pub(super) fn ask_code(
        &mut self,
        jid: &BareJid,
        number: &PhoneNumber,
        place: Place,
        now: Timestamp,
    ) -> Result<Result<Code, Refusal>, StoreError> {
        if !self.policy.may_dial(number) {
            return Ok(Err(Refusal::NotAllowed));
        }
        if self.policy.suspended {
            return Ok(Err(Refusal::Suspended));
        }
        let since = |span: Duration| ms(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<i64, StoreError> {
            Ok(self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
        };
        let (day, who, called) = (since(DAY), jid.as_str(), number.as_str());
        let of_person = "SELECT count(*) FROM verifications WHERE jid = ? AND asked > ?";
        if count(of_person, &[&who, &since(PAUSE)])? > 0 {
            return Ok(Err(Refusal::TooSoon));
        }
        let of_number = "SELECT count(*) FROM verifications WHERE number = ? AND asked > ?";
        let of_all = "SELECT count(*) FROM verifications WHERE asked > ?";
        if count(of_person, &[&who, &day])? >= REQUESTS_MAX
            || count(of_number, &[&called, &day])? >= CALLS_TO_NUMBER_MAX
            || count(of_all, &[&day])? >= CALLS_MAX
        {
            return Ok(Err(Refusal::TooMany));
        }
        // One code at a time: the newer makes the older worthless.
        self.conn.execute("UPDATE verifications SET code = NULL WHERE jid = ?", [who])?;
        let digits = format!("{:06}", self.seed.below(1_000_000));
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO verifications (jid, number, place, code, asked) VALUES (?, ?, ?, ?, ?)",
        )?;
        let id = insert.insert(params![who, called, place.word(), digits, ms(now)])?;
        Ok(Ok(Code { id: VerificationId(id), number: number.clone(), digits }))
    }

    /// Somebody has asked to hear the code; from now on it opens something.
    pub(super) fn code_spoken(&self, id: VerificationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE verifications SET spoken = ? WHERE id = ? AND code IS NOT NULL";
        self.conn.prepare_cached(sql)?.execute(params![ms(now), id.0])?;
        Ok(())
    }

    pub(super) fn code_was_spoken(&self, id: VerificationId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM verifications WHERE id = ? AND spoken IS NOT NULL";
        Ok(self.conn.prepare_cached(sql)?.exists([id.0])?)
    }

    /// Takes what a person sends as his code.
    pub(super) fn try_code(
        &mut self,
        jid: &BareJid,
        digits: &str,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        let oldest = ms(now.checked_sub(CODE_VALID).unwrap_or(Timestamp::MIN));
        let mut find = self.conn.prepare_cached(
            "SELECT id, number, place, code, wrong FROM verifications
             WHERE jid = ? AND code IS NOT NULL AND spoken > ? ORDER BY id DESC LIMIT 1",
        )?;
        let found = find.query_row(params![jid.as_str(), oldest], |row| {
            use super::words::Columns;
            Ok((
                row.get::<_, i64>("id")?,
                row.parsed::<PhoneNumber>("number")?,
                row.word::<Place>("place")?,
                row.get::<_, String>("code")?,
                row.get::<_, i64>("wrong")?,
            ))
        });
        let Some((id, number, place, code, wrong)) = found.optional()? else {
            return Ok(Verdict::NoCode);
        };
        if code != digits {
            let left = WRONG_MAX - wrong - 1;
            let code = (left > 0).then_some(code);
            let sql = "UPDATE verifications SET wrong = wrong + 1, code = ? WHERE id = ?";
            self.conn.prepare_cached(sql)?.execute(params![code, id])?;
            return Ok(Verdict::Wrong { left: left.max(0).unsigned_abs() });
        }
        self.conn.execute("UPDATE verifications SET code = NULL WHERE id = ?", [id])?;
        let told = self.take_number(jid, &number, place, now)?;
        Ok(Verdict::Right(Box::new(told)))
    }

    /// A number has a new owner.
    fn take_number(
        &mut self,
        jid: &BareJid,
        number: &PhoneNumber,
        place: Place,
        now: Timestamp,
    ) -> Result<Told, StoreError> {
        let before = self.subscriber(jid)?;
        let had_other = before.as_ref().is_some_and(|person| match place {
            Place::First => person.number.as_ref().is_some_and(|old| old != number),
            Place::Second => person.second.as_ref().is_some_and(|old| old != number),
        });
        let mut find = self.conn.prepare_cached(
            "SELECT jid FROM subscribers WHERE (own_number = ?1 OR own_second = ?1) AND jid <> ?2",
        )?;
        let others = find.query_map([number.as_str(), jid.as_str()], |row| {
            use super::words::Columns;
            row.parsed::<BareJid>("jid")
        })?;
        let others: Vec<BareJid> = others.collect::<Result<_, _>>()?;
        for other in &others {
            self.write_people(
                "UPDATE subscribers SET own_number = nullif(own_number, ?1), own_second = nullif(own_second, ?1)
                 WHERE jid = ?2",
                [number.as_str(), other.as_str()],
            )?;
        }
        // Whoever gives a number wants to be phoned; a person known before keeps what he has switched.
        let name = jid.node().map_or_else(|| jid.to_string(), |node| node.to_string());
        self.write_people(
            "INSERT INTO subscribers (jid, name, offline, known, registered) VALUES (?, ?, 'phone', 0, 1)
             ON CONFLICT (jid) DO UPDATE SET registered = 1",
            [jid.as_str(), &name],
        )?;
        let column = if place == Place::First { "own_number" } else { "own_second" };
        let sql = format!("UPDATE subscribers SET {column} = ? WHERE jid = ?");
        self.write_people(&sql, [number.as_str(), jid.as_str()])?;
        self.replan(now)?;
        let Some(person) = self.subscriber(jid)? else { return Err(StoreError::Conflict) };
        Ok(Told { person, place, is_new: before.is_none(), had_other, others })
    }

    /// Erases codes and requests that no limit counts any more.
    pub(super) fn forget_codes(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = |span: Duration| ms(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        self.conn.execute(
            "UPDATE verifications SET code = NULL WHERE code IS NOT NULL AND asked <= ?",
            [before(CODE_VALID * 2)],
        )?;
        self.conn.execute("DELETE FROM verifications WHERE asked <= ?", [before(DAY)])?;
        Ok(())
    }
}
