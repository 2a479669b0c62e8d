//! Which message a crash is blamed on.

use jiff::Timestamp;

use super::StoreError;
use super::transaction::Transaction;
use crate::notification::holding::Happened;
use crate::notification::{AttemptId, MessageId};

impl Transaction<'_> {
    /// Suspects the messages that were being told when a crash broke these calls off, and sets aside the one that was alone
    /// at two such crashes.
    ///
    /// A call that nobody has picked up tells nothing, and of several messages none is known to be at fault: a power cut or
    /// a kill blames nobody.
    pub(super) fn suspect(&mut self, lost: &[AttemptId], now: Timestamp) -> Result<(), StoreError> {
        for attempt in lost {
            match self.being_told(*attempt)?[..] {
                [message] if lost.len() == 1 => self.blame(message, now)?,
                ref together => {
                    for message in together {
                        self.raise_suspicion(*message, SUSPECTED)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The call came to an orderly end, so what it told did no harm.
    pub(super) fn clear_of_suspicion(&self, attempt: AttemptId) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET crash_suspect = 0 WHERE crash_suspect > 0 AND id IN (
                       SELECT message FROM attempt_messages JOIN attempts ON attempts.id = attempt
                       WHERE attempt = ? AND answered IS NOT NULL)";
        self.conn.prepare_cached(sql)?.execute([attempt.0])?;
        Ok(())
    }

    fn blame(&mut self, message: MessageId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT crash_suspect FROM messages WHERE id = ?";
        let before: i64 = self.conn.query_row(sql, [message.0], |row| row.get(0))?;
        let suspicion = before.max(SUSPECTED) + 1;
        self.raise_suspicion(message, suspicion)?;
        if suspicion < SUSPECTED + CRASHES_MAX {
            return Ok(());
        }
        self.note(message, now, "set aside: two calls about it alone ended in a crash")?;
        self.happen(message, Happened::SetAside, now)
    }

    fn raise_suspicion(&self, message: MessageId, to: i64) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET crash_suspect = max(crash_suspect, ?) WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute([to, message.0])?;
        Ok(())
    }

    /// What is left to tell in a call that was picked up.
    fn being_told(&self, attempt: AttemptId) -> Result<Vec<MessageId>, StoreError> {
        self.ids(
            "SELECT message FROM attempt_messages JOIN attempts ON attempts.id = attempt
                 JOIN messages ON messages.id = message
             WHERE attempt = ? AND attempts.answered IS NOT NULL AND spoken IS NULL AND messages.ended IS NULL
             ORDER BY message",
            [attempt.0],
        )
    }
}

/// The message is told alone from now on; each crash that it was alone at raises it by one.
const SUSPECTED: i64 = 1;
/// At so many crashes with nothing else on the line a message is set aside.
const CRASHES_MAX: i64 = 2;
