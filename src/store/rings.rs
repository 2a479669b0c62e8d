//! Everything that rings: written down before the INVITE, ended once, and kept whatever is erased, since all limits count here.

use std::path::Path;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha1::Sha1;
use xmpp_parsers::jid::BareJid;

use super::columns::{ColumnValue, ms, span_ms};
use super::transaction::{LEASE, Transaction};
use super::{StoreError, sqlite};
use crate::notification::verification::VerificationId;
use crate::notification::{Attempt, AttemptId, Outcome, RingKind};
use crate::phone_number::PhoneNumber;

impl ColumnValue for RingKind {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Message, "message"), (Self::Code, "code"), (Self::Test, "test"), (Self::In, "in")];
}

/// What a row of a ring belongs to.
#[derive(Clone, Copy)]
pub(super) enum RingOf {
    Attempt(AttemptId),
    Verification(VerificationId),
}

impl Transaction<'_> {
    /// Writes a ring down. What is committed with it is that a phone may ring.
    pub(super) fn write_ring(
        &self,
        kind: RingKind,
        of: RingOf,
        number: &PhoneNumber,
        callee: Option<&BareJid>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (attempt, verification) = match of {
            RingOf::Attempt(id) => (Some(id.0), None),
            RingOf::Verification(id) => (None, Some(id.0)),
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO rings (kind, attempt, verification, number, area, callee, callee_jid, started, counted, invited, on_the_line)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            kind.word(),
            attempt,
            verification,
            self.ring_tag(number.as_str())?,
            area(number),
            callee.map(|jid| self.ring_tag(jid.as_str())).transpose()?,
            callee.map(|jid| jid.as_str()),
            ms(now),
            self.ahead.counted(now),
            kind != RingKind::In,
            // A code waits for a channel first.
            (kind != RingKind::Code).then_some(number.as_str()),
        ])?;
        if kind != RingKind::In {
            self.note_calls(area(number), now)?;
        }
        Ok(())
    }

    /// Writes down who has caused a ring.
    pub(super) fn write_asker(&self, of: RingOf, asker: &BareJid) -> Result<(), StoreError> {
        let (column, id) = of.column();
        let sql = format!(
            "INSERT OR IGNORE INTO ring_askers SELECT id, ?, ?, counted FROM rings WHERE {column} = ?"
        );
        let values = params![self.ring_tag(asker.as_str())?, asker.as_str(), id];
        self.conn.prepare_cached(&sql)?.execute(values)?;
        Ok(())
    }

    /// Writes down how a ring ended; a second end changes nothing.
    pub(super) fn end_ring(
        &self,
        of: RingOf,
        attempt: &Attempt,
        invited: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (column, id) = of.column();
        let sql = format!(
            "UPDATE rings SET ended = ?, outcome = ?, trunk = nullif(?, ''), talked_ms = ?, invited = invited AND ?,
                 on_the_line = NULL, line_until = NULL
             WHERE {column} = ? AND ended IS NULL RETURNING area"
        );
        let (outcome, talked) = (attempt.outcome.word(), span_ms(attempt.talked));
        let values = params![ms(now), outcome, attempt.trunk, talked, invited, id];
        let mut end = self.conn.prepare_cached(&sql)?;
        let area: Option<String> = end.query_row(values, |row| row.get(0)).optional()?;
        area.map_or(Ok(()), |area| self.note_minutes(&area, now))
    }

    /// Takes the line for a call with a code, unless another call of any kind has this number.
    pub(super) fn take_line(
        &self,
        id: VerificationId,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let engaged = "SELECT 1 FROM rings WHERE on_the_line = ? AND verification IS NOT ?";
        if self.conn.prepare_cached(engaged)?.exists(params![number.as_str(), id.0])? {
            return Ok(false);
        }
        let until = self.ahead.counted(now.checked_add(LEASE).unwrap_or(now));
        let sql = "UPDATE rings SET on_the_line = ?, line_until = ? WHERE verification = ? AND ended IS NULL";
        let taken =
            self.conn.prepare_cached(sql)?.execute(params![number.as_str(), until, id.0])?;
        Ok(taken == 1)
    }

    /// Gives back the lines of calls with codes whose ends are lost.
    pub(super) fn give_back_lines(&self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE rings SET on_the_line = NULL, line_until = NULL
                   WHERE on_the_line IS NOT NULL AND line_until <= ?";
        self.conn.prepare_cached(sql)?.execute([self.ahead.counted(now)])?;
        Ok(())
    }

    /// Ends what a crash broke off and nothing else finds: calls with codes, and test calls.
    pub(super) fn end_lost_rings(&self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE rings SET ended = ?, outcome = ?, on_the_line = NULL, line_until = NULL
                   WHERE ended IS NULL AND attempt IS NULL";
        self.conn.execute(sql, params![ms(now), Outcome::Interrupted.word()])?;
        Ok(())
    }

    /// Hashes what the schema's update has copied as it stood.
    pub(super) fn hash_copied_rings(&self) -> Result<(), StoreError> {
        let sql = "SELECT id, number, callee FROM rings WHERE number GLOB '+*'";
        let mut find = self.conn.prepare(sql)?;
        let plain = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let plain: Vec<(i64, String, Option<String>)> = plain.collect::<Result<_, _>>()?;
        if plain.is_empty() {
            // Nothing was copied, or it was hashed at an earlier start, askers and all.
            return Ok(());
        }
        for (id, number, callee) in plain {
            let callee = callee.map(|jid| self.ring_tag(&jid)).transpose()?;
            let sql = "UPDATE rings SET number = ?, callee = ? WHERE id = ?";
            self.conn.prepare_cached(sql)?.execute(params![self.ring_tag(&number)?, callee, id])?;
        }
        let sql = "SELECT ring, asker FROM ring_askers WHERE asker = asker_jid";
        let mut find = self.conn.prepare(sql)?;
        let plain = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let plain: Vec<(i64, String)> = plain.collect::<Result<_, _>>()?;
        for (ring, asker) in plain {
            let sql = "UPDATE ring_askers SET asker = ? WHERE ring = ? AND asker = ?";
            let values = params![self.ring_tag(&asker)?, ring, asker];
            self.conn.prepare_cached(sql)?.execute(values)?;
        }
        Ok(())
    }

    /// Takes the names from rings that limits still count.
    pub(super) fn forget_names_of_rings(&self, before: i64, limit: i64) -> Result<(), StoreError> {
        self.conn.execute(
            "UPDATE rings SET callee_jid = NULL WHERE id IN (
                 SELECT id FROM rings WHERE callee_jid IS NOT NULL AND ended IS NOT NULL AND counted <= ? LIMIT ?)",
            [before, limit],
        )?;
        self.conn.execute(
            "UPDATE ring_askers SET asker_jid = NULL WHERE (ring, asker) IN (
                 SELECT ring, asker FROM ring_askers WHERE asker_jid IS NOT NULL AND counted <= ? LIMIT ?)",
            [before, limit],
        )?;
        Ok(())
    }

    /// Erases rings that no limit counts any more.
    pub(super) fn forget_rings(&self, before: i64, limit: i64) -> Result<(), StoreError> {
        self.conn.execute(
            "DELETE FROM rings WHERE id IN (SELECT id FROM rings WHERE ended IS NOT NULL AND counted <= ? LIMIT ?)",
            [before, limit],
        )?;
        Ok(())
    }

    /// The name of a number or a JID among the rings.
    pub(super) fn ring_tag(&self, text: &str) -> Result<String, StoreError> {
        tag(self.conn, text)
    }
}

impl RingOf {
    fn column(self) -> (&'static str, i64) {
        match self {
            Self::Attempt(id) => ("attempt", id.0),
            Self::Verification(id) => ("verification", id.0),
        }
    }
}

/// Writes down a call of `offhook call`, beside the daemon if one runs; `None` where there is no store.
pub fn write_test(
    path: &Path,
    number: &PhoneNumber,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let conn = match sqlite::open_beside(path) {
        Err(StoreError::Missing(_)) => return Ok(None),
        opened => opened?,
    };
    conn.execute(
        "INSERT INTO rings (kind, number, area, started, counted)
         VALUES ('test', ?1, ?2, ?3, ?3 - (SELECT ahead FROM clocks))",
        params![tag(&conn, number.as_str())?, area(number), ms(now)],
    )?;
    Ok(Some(conn.last_insert_rowid()))
}

/// Writes down how the call of [`write_test`] ended.
pub fn end_test(path: &Path, ring: i64, ended: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    let invited = ended.outcome.counts() || !ended.sip_call_id.is_empty();
    sqlite::open_beside(path)?.execute(
        "UPDATE rings SET ended = ?, outcome = ?, trunk = nullif(?, ''), talked_ms = ?, invited = ? WHERE id = ?",
        params![ms(now), ended.outcome.word(), ended.trunk, span_ms(ended.talked), invited, ring],
    )?;
    Ok(())
}

fn tag(conn: &Connection, text: &str) -> Result<String, StoreError> {
    let mut find = conn.prepare_cached("SELECT key FROM ring_key")?;
    let key: Option<Vec<u8>> = find.query_row([], |row| row.get(0)).optional()?;
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&key.unwrap_or_default()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(text.as_bytes());
    let octets = mac.finalize().into_bytes();
    Ok(octets.iter().take(TAG_OCTETS).map(|octet| format!("{octet:02x}")).collect())
}

/// The digits that a number shares with its neighbours.
pub(super) fn area(number: &PhoneNumber) -> &str {
    let digits = &number.as_str()[1..];
    &digits[..AREA_DIGITS.min(digits.len().saturating_sub(4))]
}

const TAG_OCTETS: usize = 16;
const AREA_DIGITS: usize = 6;
/// Rings stay for thirty days, longer than the longest span that a throttle can have (seven).
pub(super) const RINGS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
