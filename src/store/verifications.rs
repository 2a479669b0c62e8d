//! Codes that are spoken on the phone and sent back in the chat, and the limits of both.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::audit::{AuditAction, Audited};
use super::columns::ColumnValue;
use super::rings::{RingOf, area};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::policy::Forbidden;
use crate::notification::rules::{Decision, History, Past, Rule};
use crate::notification::verification::{
    CALLS_MAX, CALLS_TO_AREA_MAX, CALLS_TO_NUMBER_MAX, CODE_VALID, Code, CodeCheck, DAY,
    NumberSlot, PAUSE, REQUESTS_MAX, Refusal, VerificationId, VerificationNotice, WRONG_MAX,
};
use crate::notification::{Attempt, RingKind};
use crate::phone_number::{NumberType, PhoneNumber};

impl ColumnValue for NumberSlot {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::First, "first"), (Self::Second, "second")];
}

impl Store {
    /// Makes a code for a number, if one more call to it may be made.
    pub async fn ask_code(
        &self,
        jid: &BareJid,
        number: PhoneNumber,
        place: NumberSlot,
        now: impl Into<Moment>,
    ) -> Result<Result<Code, Refusal>, StoreError> {
        let jid = jid.clone();
        self.ask_at(now, move |transaction, now| transaction.ask_code(&jid, &number, place, now))
            .await
    }

    /// Somebody has asked to hear the code; from now on it opens something.
    pub async fn code_spoken(
        &self,
        id: VerificationId,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.code_spoken(id, now)).await
    }

    /// Whether somebody has asked to hear this code.
    pub async fn code_was_spoken(&self, id: VerificationId) -> Result<bool, StoreError> {
        self.ask(move |transaction| transaction.code_was_spoken(id)).await
    }

    /// Whether the phone may still ring for a code now that a channel is free. If so, no other call to it is claimed until
    /// [`Store::code_call_ended`].
    pub async fn code_may_ring(
        &self,
        code: &Code,
        now: impl Into<Moment>,
    ) -> Result<bool, StoreError> {
        let (id, number) = (code.id, code.number.clone());
        self.ask_at(now, move |transaction, now| transaction.code_may_ring(id, &number, now)).await
    }

    /// The callee wants this number to be called for no code again; it outlives every erasure. After `Ok` they may be told so.
    pub async fn refuse_codes(
        &self,
        id: VerificationId,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, _| transaction.refuse_codes(id)).await
    }

    /// The call with a code is over.
    pub async fn code_call_ended(
        &self,
        id: VerificationId,
        attempt: Attempt,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.code_call_ended(id, &attempt, now))
            .await
    }

    /// Takes what a person sends as their code.
    pub async fn try_code(
        &self,
        jid: &BareJid,
        digits: String,
        now: impl Into<Moment>,
    ) -> Result<CodeCheck, StoreError> {
        let jid = jid.clone();
        self.ask_at(now, move |transaction, now| transaction.try_code(&jid, &digits, now)).await
    }
}

impl Transaction<'_> {
    /// Makes a code for a number, if one more call to it may be made.
    pub(super) fn ask_code(
        &mut self,
        jid: &BareJid,
        number: &PhoneNumber,
        place: NumberSlot,
        now: Timestamp,
    ) -> Result<Result<Code, Refusal>, StoreError> {
        match self.policy.forbids(number) {
            Some(Forbidden::Prefix) => return Ok(Err(Refusal::NotAllowed)),
            Some(Forbidden::Unknown) => return Ok(Err(Refusal::NumberType(NumberType::Unknown))),
            Some(Forbidden::Type(of)) => return Ok(Err(Refusal::NumberType(of))),
            None => {}
        }
        let tag = self.ring_tag(number.as_str())?;
        let refused = "SELECT 1 FROM code_refusals WHERE number = ?";
        if self.conn.prepare_cached(refused)?.exists([tag])? {
            return Ok(Err(Refusal::NotAllowed));
        }
        if self.policy.suspended {
            return Ok(Err(Refusal::Suspended));
        }
        if let Some(refusal) = self.codes_refused(jid, number, now)? {
            return Ok(Err(refusal));
        }
        if let Some(refusal) = self.call_refused(jid, number, now)? {
            return Ok(Err(refusal));
        }
        // One code at a time: the newer makes the older worthless.
        self.conn.execute("UPDATE verifications SET code = NULL WHERE jid = ?", [jid.as_str()])?;
        let (who, called) = (jid.as_str(), number.as_str());
        let digits = format!("{:06}", self.seed.below(1_000_000));
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO verifications (jid, number, place, code, asked) VALUES (?, ?, ?, ?, ?)",
        )?;
        let id =
            insert.insert(params![who, called, place.word(), digits, self.ahead.counted(now)])?;
        let id = VerificationId(id);
        self.write_ring(RingKind::Code, RingOf::Verification(id), number, None, now)?;
        self.write_asker(RingOf::Verification(id), jid)?;
        self.note_codes(number, jid, now)?;
        Ok(Ok(Code { id, number: number.clone(), digits }))
    }

    /// What the limits of codes alone say.
    fn codes_refused(
        &self,
        jid: &BareJid,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Option<Refusal>, StoreError> {
        let ahead = self.ahead;
        let since = |span: Duration| ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let count = |of: &str, which: &str, span| -> Result<i64, StoreError> {
            let sql = format!("SELECT count(*) FROM rings {of} AND kind = 'code'");
            let mut find = self.conn.prepare_cached(&sql)?;
            Ok(find.query_row(params![which, since(span)], |row| row.get(0))?)
        };
        let (who, called) = (self.ring_tag(jid.as_str())?, self.ring_tag(number.as_str())?);
        let of_person =
            "JOIN ring_askers ON ring = rings.id WHERE asker = ?1 AND ring_askers.counted > ?2";
        if count(of_person, &who, PAUSE)? > 0 {
            return Ok(Some(Refusal::TooSoon));
        }
        let of_number = "WHERE number = ?1 AND counted > ?2";
        let of_area = "WHERE area = ?1 AND counted > ?2 AND entered = 0";
        let of_all = "WHERE ?1 = '' AND counted > ?2";
        let too_many = count(of_person, &who, DAY)? >= REQUESTS_MAX
            || count(of_number, &called, DAY)? >= CALLS_TO_NUMBER_MAX
            || count(of_area, area(number), DAY)? >= CALLS_TO_AREA_MAX
            || count(of_all, "", DAY)? >= CALLS_MAX;
        Ok(too_many.then_some(Refusal::TooMany))
    }

    /// What the rules for any call say.
    fn call_refused(
        &self,
        jid: &BareJid,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Option<Refusal>, StoreError> {
        let History { gathering_since, quiet, zone, .. } = self.hours_at(number, now)?;
        let senders = vec![self.caused_by(jid.as_str(), None, now)?];
        let history =
            History { gathering_since, quiet, zone, senders, ..self.calls_to(number, now)? };
        Ok(match self.policy.next_call(&Past::default(), &history, now) {
            Decision::Never(_) => Some(Refusal::NotAllowed),
            Decision::Call { at, .. } if at <= now => None,
            Decision::Call { by: Rule::Quiet, .. } => Some(Refusal::Quiet),
            Decision::Call { .. } => Some(Refusal::Throttled),
        })
    }

    /// The quiet hours of whose number it is, so far as that is known; else those of the component. What the asker has set for
    /// themselves says nothing about the phone of somebody else.
    fn hours_at(&self, number: &PhoneNumber, now: Timestamp) -> Result<History, StoreError> {
        let owner = self.people_at(number)?.into_iter().next();
        let (quiet, zone) = owner.map_or((None, None), |it| (it.quiet, it.time_zone));
        let gathering_since = now.checked_sub(self.policy.wait).unwrap_or(now);
        let number = Some(number.clone());
        Ok(History { number, gathering_since, quiet, zone, ..History::default() })
    }

    /// Whether the phone may still ring for a code that has waited for a channel.
    pub(super) fn code_may_ring(
        &self,
        id: VerificationId,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM verifications WHERE id = ? AND code IS NOT NULL";
        if self.policy.suspended || !self.conn.prepare_cached(sql)?.exists([id.0])? {
            return Ok(false);
        }
        let hours = self.hours_at(number, now)?;
        let decision = self.policy.next_call(&Past::default(), &hours, now);
        if !matches!(decision, Decision::Call { at, .. } if at <= now) {
            return Ok(false);
        }
        self.take_line(id, number, now)
    }

    /// The callee wants to be called for no code again. The code that they did not hear opens nothing.
    fn refuse_codes(&self, id: VerificationId) -> Result<(), StoreError> {
        let sql =
            "INSERT OR IGNORE INTO code_refusals SELECT number FROM rings WHERE verification = ?";
        self.conn.execute(sql, [id.0])?;
        self.conn.execute("UPDATE verifications SET code = NULL WHERE id = ?", [id.0])?;
        Ok(())
    }

    fn code_call_ended(
        &mut self,
        id: VerificationId,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let invited = attempt.outcome.counts() || !attempt.sip_call_id.is_empty();
        self.end_ring(RingOf::Verification(id), attempt, invited, now)?;
        // What has waited for this phone is due.
        self.wake_due = true;
        self.name_code_call(id, &attempt.sip_call_id)?;
        self.forget_dialog(RingOf::Verification(id))
    }

    /// Somebody has asked to hear the code; from now on it opens something.
    pub(super) fn code_spoken(&self, id: VerificationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE verifications SET spoken = ? WHERE id = ? AND code IS NOT NULL";
        self.conn.prepare_cached(sql)?.execute(params![self.ahead.counted(now), id.0])?;
        Ok(())
    }

    pub(super) fn code_was_spoken(&self, id: VerificationId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM verifications WHERE id = ? AND spoken IS NOT NULL";
        Ok(self.conn.prepare_cached(sql)?.exists([id.0])?)
    }

    /// Takes what a person sends as their code.
    pub(super) fn try_code(
        &mut self,
        jid: &BareJid,
        digits: &str,
        now: Timestamp,
    ) -> Result<CodeCheck, StoreError> {
        let oldest = self.ahead.counted(now.checked_sub(CODE_VALID).unwrap_or(Timestamp::MIN));
        let mut find = self.conn.prepare_cached(
            "SELECT id, number, place, code, wrong FROM verifications
             WHERE jid = ? AND code IS NOT NULL AND spoken > ? ORDER BY id DESC LIMIT 1",
        )?;
        let found = find.query_row(params![jid.as_str(), oldest], |row| {
            use super::columns::Columns;
            Ok((
                row.get::<_, i64>("id")?,
                row.parsed::<PhoneNumber>("number")?,
                row.word::<NumberSlot>("place")?,
                row.get::<_, String>("code")?,
                row.get::<_, i64>("wrong")?,
            ))
        });
        let Some((id, number, place, code, wrong)) = found.optional()? else {
            return Ok(CodeCheck::NoCode);
        };
        if code != digits {
            let left = WRONG_MAX - wrong - 1;
            let code = (left > 0).then_some(code);
            let sql = "UPDATE verifications SET wrong = wrong + 1, code = ? WHERE id = ?";
            self.conn.prepare_cached(sql)?.execute(params![code, id])?;
            return Ok(CodeCheck::Wrong { left: left.max(0).unsigned_abs() });
        }
        self.conn.execute("UPDATE verifications SET code = NULL WHERE id = ?", [id])?;
        self.conn.execute("UPDATE rings SET entered = 1 WHERE verification = ?", [id])?;
        self.consent(VerificationId(id), jid, &number, now)?;
        let told = self.take_number(jid, &number, place, now)?;
        Ok(CodeCheck::Right(Box::new(told)))
    }

    /// A number has a new owner.
    fn take_number(
        &mut self,
        jid: &BareJid,
        number: &PhoneNumber,
        place: NumberSlot,
        now: Timestamp,
    ) -> Result<VerificationNotice, StoreError> {
        let before = self.subscriber(jid)?;
        let had_other = before.as_ref().is_some_and(|person| match place {
            NumberSlot::First => person.number.as_ref().is_some_and(|old| old != number),
            NumberSlot::Second => person.second.as_ref().is_some_and(|old| old != number),
        });
        let mut find = self.conn.prepare_cached(
            "SELECT jid FROM subscribers WHERE (own_number = ?1 OR own_second = ?1) AND jid <> ?2",
        )?;
        let others = find.query_map([number.as_str(), jid.as_str()], |row| {
            use super::columns::Columns;
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
        // A person who gives a number wants to be phoned; one who was known before keeps what they have switched.
        let name = jid.node().map_or_else(|| jid.to_string(), |node| node.to_string());
        self.write_people(
            "INSERT INTO subscribers (jid, name, offline, known, registered) VALUES (?, ?, 'phone', 0, 1)
             ON CONFLICT (jid) DO UPDATE SET registered = 1",
            [jid.as_str(), &name],
        )?;
        let column = if place == NumberSlot::First { "own_number" } else { "own_second" };
        let sql = format!("UPDATE subscribers SET {column} = ? WHERE jid = ?");
        self.write_people(&sql, [number.as_str(), jid.as_str()])?;
        let concerned: Vec<_> = others.iter().chain([jid]).cloned().collect();
        self.replan_people(&concerned, now)?;
        let Some(person) = self.subscriber(jid)? else { return Err(StoreError::Conflict) };
        let (first, second) = ("number", "second number");
        let audited = |who| Audited { who: Some(who), ..Audited::of(AuditAction::Number) };
        let what = if place == NumberSlot::First { first } else { second };
        let old = before.as_ref().and_then(|it| match place {
            NumberSlot::First => it.number.as_ref(),
            NumberSlot::Second => it.second.as_ref(),
        });
        let before_it = old.map(PhoneNumber::as_str);
        let after = Some(number.as_str());
        self.audit(&Audited { what, before: before_it, after, ..audited(jid) }, now)?;
        for loser in &others {
            let lost = Audited { what: "number lost", about: Some(jid), ..audited(loser) };
            self.audit(&Audited { before: after, ..lost }, now)?;
        }
        Ok(VerificationNotice { person, place, is_new: before.is_none(), had_other, others })
    }

    /// Erases codes and requests that no limit counts any more.
    pub(super) fn forget_codes(&self, now: Timestamp) -> Result<(), StoreError> {
        let before =
            |span: Duration| self.ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        self.conn.execute(
            "UPDATE verifications SET code = NULL WHERE code IS NOT NULL AND asked <= ?",
            [before(CODE_VALID * 2)],
        )?;
        self.conn.execute("DELETE FROM verifications WHERE asked <= ?", [before(DAY)])?;
        Ok(())
    }
}
