//! What has been held for long enough goes to its recipient's server; what has served is erased. In slices, and each row is looked at once in a pass.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use super::audit::AUDIT_KEPT;
use super::rings::RINGS_KEPT;
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::holding::Happened;

/// Where a pass of the expiry stands.
///
/// Contract: what cannot be erased yet, as a stanza about it is still owed, is passed over once in a pass, so that a pass
///           takes time in proportion to what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiryStep {
    /// What has been held for `dial.keep_h` goes to its recipient's server, which ends it.
    #[default]
    TimeUp,
    /// The texts of what has ended are erased, behind this row.
    Wipe(Ended),
    /// What ended long ago is erased, behind this row.
    Erase(Ended),
    /// Old calls, codes and recordings.
    Rest,
}

/// A place in the order in which messages have ended: when, and which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    at: i64,
    message: i64,
}

/// What one slice of the expiry has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Messages that were passed on or erased, and recordings.
    pub found: usize,
    /// Where the pass goes on; `None` when it is over.
    pub next: Option<ExpiryStep>,
}

impl Store {
    /// Passes what has been held for `dial.keep_h` to its recipient's server, which ends it, and erases what has served, all
    /// of it. Tells how much it found.
    pub async fn expire(&self, now: impl Into<Moment>) -> Result<usize, StoreError> {
        let (now, mut found, mut step) = (now.into(), 0, Some(ExpiryStep::default()));
        while let Some(begun) = step {
            let slice = self.ask_at(now, move |it, now| it.expire_slice(begun, now)).await?;
            (found, step) = (found + slice.found, slice.next);
        }
        Ok(found)
    }
}

impl Transaction<'_> {
    /// Looks at some rows only, so that other operations have their turn soon.
    pub(super) fn expire_slice(
        &mut self,
        mut step: ExpiryStep,
        now: Timestamp,
    ) -> Result<Expired, StoreError> {
        let ahead = self.ahead;
        let before =
            |span: Duration| ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let (mut found, mut left) = (0, ROWS_MAX);
        loop {
            let (looked_at, next) = match step {
                ExpiryStep::TimeUp => {
                    let ended = self.end_what_is_old(before(self.policy.keep), left, now)?;
                    found += ended;
                    (ended, ExpiryStep::Wipe(Ended::default()))
                }
                ExpiryStep::Wipe(after) => {
                    let rows = self.ended(TO_WIPE, after, i64::MAX, left)?;
                    found += self.wipe(&rows)?;
                    step = rows.last().map_or(step, |row| ExpiryStep::Wipe(row.place));
                    (rows.len(), ExpiryStep::Erase(Ended::default()))
                }
                ExpiryStep::Erase(after) => {
                    let rows = self.ended(TO_ERASE, after, before(self.policy.keep_trace), left)?;
                    found += self.erase_messages(&rows)?;
                    step = rows.last().map_or(step, |row| ExpiryStep::Erase(row.place));
                    (rows.len(), ExpiryStep::Rest)
                }
                ExpiryStep::Rest => {
                    let keep_calls = self.policy.keep_calls;
                    let calls = self.forget_calls(before(keep_calls), left as i64)?;
                    if keep_calls < RINGS_KEPT {
                        self.forget_names_of_rings(before(keep_calls), left as i64)?;
                    }
                    self.forget_rings(before(RINGS_KEPT.max(keep_calls)), left as i64)?;
                    self.forget_audit(before(AUDIT_KEPT), left as i64)?;
                    self.forget_alerts(before(RINGS_KEPT), left as i64)?;
                    self.forget_codes(now)?;
                    let silenced = self.forget_recordings(before(self.policy.keep_voice))?;
                    let next = (calls + silenced > 0).then_some(ExpiryStep::Rest);
                    return Ok(Expired { found: found + silenced, next });
                }
            };
            left -= looked_at.min(left);
            if left == 0 {
                return Ok(Expired { found, next: Some(step) });
            }
            step = next;
        }
    }

    fn end_what_is_old(
        &mut self,
        keep: i64,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let timed_out = self.ids(TIMED_OUT, params![keep, limit as i64])?;
        self.in_bulk(|it| {
            timed_out.iter().try_for_each(|message| {
                it.happen(*message, Happened::TimeUp, now)?;
                it.close_if_empty(*message, now)
            })
        })?;
        Ok(timed_out.len())
    }

    /// Messages that ended behind this place, not after `until`, in that order.
    fn ended(
        &self,
        sql: &str,
        after: Ended,
        until: i64,
        limit: usize,
    ) -> Result<Vec<EndedRow>, StoreError> {
        let mut find = self.conn.prepare_cached(sql)?;
        let found =
            find.query_map(params![after.at, after.message, until, limit as i64], |row| {
                let place = Ended { at: row.get(0)?, message: row.get(1)? };
                Ok(EndedRow { place, is_unused: row.get(2)? })
            })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn wipe(&self, rows: &[EndedRow]) -> Result<usize, StoreError> {
        let sql = "UPDATE messages SET body = '', stanza = '', wiped = 1 WHERE id = ?";
        self.each_unused(rows, sql)
    }

    fn erase_messages(&self, rows: &[EndedRow]) -> Result<usize, StoreError> {
        self.each_unused(rows, "DELETE FROM messages WHERE id = ?")
    }

    fn each_unused(&self, rows: &[EndedRow], sql: &str) -> Result<usize, StoreError> {
        let mut change = self.conn.prepare_cached(sql)?;
        let mut changed = 0;
        for row in rows.iter().filter(|row| row.is_unused) {
            changed += change.execute([row.place.message])?;
        }
        Ok(changed)
    }
}

/// A message that has ended.
struct EndedRow {
    place: Ended,
    /// No stanza about it is owed, and no recording or call needs it.
    is_unused: bool,
}

const TIMED_OUT: &str =
    "SELECT id FROM messages WHERE ended IS NULL AND delivering IS NULL AND counted <= ?1 AND NOT EXISTS (
        SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
        WHERE message = messages.id AND attempts.ended IS NULL)
    ORDER BY counted, id LIMIT ?2";

macro_rules! ended_rows {
    ($end:literal, $which:literal) => {
        concat!(
            "SELECT ",
            $end,
            ", id,
                 NOT EXISTS (SELECT 1 FROM replies WHERE message = messages.id AND settled IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM recordings WHERE message = messages.id AND state = 'waiting')
                 AND NOT EXISTS (SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                     WHERE message = messages.id AND attempts.ended IS NULL)
             FROM messages WHERE ended IS NOT NULL AND (",
            $end,
            ", id) > (?1, ?2) AND ",
            $end,
            " <= ?3",
            $which,
            " ORDER BY ",
            $end,
            ", id LIMIT ?4"
        )
    };
}
const TO_WIPE: &str = ended_rows!("ended", " AND wiped = 0");
const TO_ERASE: &str = ended_rows!("counted_end", "");
/// Bounds how long one slice keeps other operations waiting.
const ROWS_MAX: usize = 200;

#[cfg(test)]
mod tests;
