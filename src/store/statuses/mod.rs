//! The one status message about a message, or about several lines of one sender: what is said of them, when, and in which
//! stanza.

use std::time::Duration;

use jiff::Timestamp;
use minidom::Element;
use rusqlite::{OptionalExtension, params};

use super::StoreError;
use super::columns::ms;
use super::replies::StatusPlace;
use super::reply_columns::ReplyColumns;
use super::transaction::Transaction;
use crate::notification::{Draft, Lines, MessageId, Reply, Status, StatusKind};
use crate::xmpp::intake;

impl Transaction<'_> {
    /// Joins a new message to the lines that its sender wrote within the last seconds and that still wait. After bad news of
    /// those, a new status message begins: what follows must not correct the news away.
    pub(super) fn join_lines(
        &self,
        message: MessageId,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let since = now.checked_sub(LINES_WITHIN).unwrap_or(now);
        let sql = "SELECT coalesce(first_line, id) FROM (
                       SELECT * FROM messages WHERE recipient = ?2 AND ended IS NULL AND id < ?1 ORDER BY id DESC LIMIT 20)
                   WHERE sender_bare = ?3 AND counted >= ?4 AND silent = 0 AND heard IS NULL AND answered IS NULL
                       AND declined IS NULL AND delivering IS NULL
                   LIMIT 1";
        let sender = draft.sender.to_bare();
        let since = self.ahead.counted(since);
        let values = params![message.0, draft.recipient.as_str(), sender.as_str(), since];
        let mut find = self.conn.prepare_cached(sql)?;
        let first = find.query_row(values, |row| row.get(0).map(MessageId)).optional()?;
        if let Some(first) = first
            && !self.has_bad_news(first)?
        {
            let sql = "UPDATE messages SET first_line = ?2 WHERE id = ?1";
            self.conn.prepare_cached(sql)?.execute([message.0, first.0])?;
        }
        Ok(())
    }

    /// Whether the last status of these lines was bad news, told or not.
    fn has_bad_news(&self, first: MessageId) -> Result<bool, StoreError> {
        let sql = of_lines(
            "SELECT NOT status IN (STEPS) AND NOT status IN (OUTCOMES) FROM replies
             WHERE message IN (LINES) AND content = 'status' ORDER BY id DESC LIMIT 1",
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        Ok(find.query_row([first.0], |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// The message whose status is that of this one.
    pub(super) fn first_line(&self, message: MessageId) -> Result<MessageId, StoreError> {
        let sql =
            "SELECT first.id FROM messages JOIN messages AS first ON first.id = messages.first_line
                   WHERE messages.id = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let first = find.query_row([message.0], |row| row.get(0).map(MessageId));
        Ok(first.optional()?.unwrap_or(message))
    }

    /// How many lines the status of this message is about, and how many of them that status holds for.
    pub(super) fn lines(&self, first: MessageId, status: Status) -> Result<Lines, StoreError> {
        let sql =
            "SELECT count(*), count(heard), count(nullif(ending IS 'delivered', 0)) FROM messages
                   WHERE id = ?1 OR first_line = ?1";
        let mut find = self.conn.prepare_cached(sql)?;
        let place = match status {
            Status::Heard => 1,
            Status::Delivered => 2,
            _ => 0,
        };
        let lines = find.query_row([first.0], |row| {
            let count = |place| row.get::<_, i64>(place).map(i64::unsigned_abs);
            Ok(Lines { all: count(0)?, told: count(place)? })
        });
        Ok(lines?)
    }

    /// Where a status goes; `None` if it says nothing that its reader must know, or was said already.
    pub(super) fn place_status(
        &mut self,
        message: MessageId,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<StatusPlace>, StoreError> {
        let first = self.first_line(message)?;
        let reply = Reply::Status(status);
        let columns = ReplyColumns::from(&reply);
        match status.kind() {
            StatusKind::Step if self.is_said(first, &columns)? => return Ok(None),
            // That the phone rings says it, or will.
            StatusKind::Step if status == Status::Calling && self.is_told(first)? => {
                return Ok(None);
            }
            StatusKind::Step if status == Status::Answered && self.has_read_ringing(first)? => {
                return Ok(None);
            }
            StatusKind::News => return self.place_news(message, first, &columns, now),
            StatusKind::Step | StatusKind::Outcome => {}
        }
        let due = match status.kind() {
            StatusKind::Step => Some(STEP),
            _ if self.waits_for_others(first, status)? => Some(GATHERED_WITHIN),
            _ => None,
        };
        let due = due.map(|pause| self.ahead.counted(now.checked_add(pause).unwrap_or(now)));
        if self.reword(first, &columns, due, now)? {
            self.wake_outbox = true;
            self.note(message, now, &columns.told())?;
            return Ok(None);
        }
        self.supersede(first, status.kind())?;
        let stanza_id = self.status_stanza_id(first)?;
        let sql = "SELECT status_stanza_id FROM messages WHERE id = ?";
        let known: String =
            self.conn.prepare_cached(sql)?.query_row([first.0], |row| row.get(0))?;
        let replaces = (known != stanza_id).then_some(known);
        Ok(Some(StatusPlace { message: first, stanza_id, replaces, due }))
    }

    /// Takes back what was never sent and is overtaken: a step leaves bad news alone. The first status must have reached
    /// the sender before another can refer to it (XEP-0308 §3), so one that has been handed out stays.
    fn supersede(&self, first: MessageId, by: StatusKind) -> Result<(), StoreError> {
        let overtaken = match by {
            StatusKind::Step => "(status IN (STEPS) OR status IN (OUTCOMES))",
            StatusKind::Outcome | StatusKind::News => "TRUE",
        };
        let sql = of_lines(&format!(
            "DELETE FROM replies WHERE message = ?1 AND content = 'status' AND sent IS NULL AND {overtaken} AND NOT (
                 id IN (SELECT reply FROM handed)
                 AND stanza_id = (SELECT status_stanza_id FROM messages WHERE id = ?1))"
        ));
        self.conn.prepare_cached(&sql)?.execute([first.0])?;
        Ok(())
    }

    /// What its sender must not overlook is a message of its own; later steps correct that one.
    fn place_news(
        &mut self,
        message: MessageId,
        first: MessageId,
        columns: &ReplyColumns<'_>,
        now: Timestamp,
    ) -> Result<Option<StatusPlace>, StoreError> {
        let ReplyColumns { status, call_at, why, outcome, .. } = columns;
        let sql = of_lines(
            "SELECT 1 FROM replies WHERE message IN (LINES)
                 AND status = ?2 AND call_at IS ?3 AND why IS ?4 AND outcome IS ?5 AND owed = ?6",
        );
        let values = params![first.0, status, call_at, why, outcome, ms(now)];
        if self.conn.prepare_cached(&sql)?.exists(values)? {
            return Ok(None);
        }
        self.tell_gathered(first)?;
        let overtaken = of_lines(
            "DELETE FROM replies WHERE message IN (?1, ?2) AND content = 'status' AND sent IS NULL
                 AND id NOT IN (SELECT reply FROM handed)
                 AND (status IN (STEPS) OR message = ?2 AND NOT status IN (OUTCOMES))",
        );
        self.conn.prepare_cached(&overtaken)?.execute([first.0, message.0])?;
        let stanza_id = self.seed.token();
        let sql = "UPDATE messages SET status_stanza_id = ? WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![stanza_id, first.0])?;
        Ok(Some(StatusPlace { message, stanza_id, replaces: None, due: None }))
    }

    /// Lets a step that has not been handed out say what is true now, if nothing has become owed about the message since.
    /// Tells whether there was one.
    fn reword(
        &self,
        first: MessageId,
        columns: &ReplyColumns<'_>,
        due: Option<i64>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = of_lines(
            "UPDATE replies SET status = ?2, call_at = ?3, why = ?4, outcome = ?5, owed = ?6, due = ?7
             WHERE message = ?1 AND content = 'status' AND sent IS NULL AND id NOT IN (SELECT reply FROM handed)
                 AND status IN (STEPS)
                 AND NOT EXISTS (SELECT 1 FROM replies AS later WHERE later.message IN (LINES) AND later.id > replies.id)",
        );
        let mut update = self.conn.prepare_cached(&sql)?;
        let ReplyColumns { status, call_at, why, outcome, .. } = columns;
        let values = params![first.0, status, call_at, why, outcome, ms(now), due];
        Ok(update.execute(values)? > 0)
    }

    /// What was put off until all lines have ended goes now.
    pub(super) fn tell_gathered(&mut self, message: MessageId) -> Result<(), StoreError> {
        let first = self.first_line(message)?;
        let sql = "UPDATE replies SET due = NULL WHERE message = ? AND sent IS NULL AND returns = 0
                       AND due IS NOT NULL AND status IN ('heard', 'delivered')";
        self.wake_outbox |= self.conn.prepare_cached(sql)?.execute([first.0])? > 0;
        Ok(())
    }

    /// Whether a status may have been read.
    fn is_told(&self, first: MessageId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM replies WHERE message = ? AND content = 'status'
                       AND (sent IS NOT NULL OR id IN (SELECT reply FROM handed))";
        Ok(self.conn.prepare_cached(sql)?.exists([first.0])?)
    }

    /// Whether the sender has read that the phone rings, and nothing since.
    fn has_read_ringing(&self, first: MessageId) -> Result<bool, StoreError> {
        let sql = of_lines(
            "SELECT status = 'ringing' FROM replies
             WHERE message IN (LINES) AND content = 'status' AND sent IS NOT NULL ORDER BY id DESC LIMIT 1",
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        Ok(find.query_row([first.0], |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Whether the last status, told or not, says the same.
    fn is_said(&self, first: MessageId, columns: &ReplyColumns<'_>) -> Result<bool, StoreError> {
        let sql = of_lines(
            "SELECT status IS ?2 AND call_at IS ?3 AND why IS ?4 AND outcome IS ?5 FROM replies
             WHERE message IN (LINES) AND content = 'status' ORDER BY id DESC LIMIT 1",
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        let ReplyColumns { status, call_at, why, outcome, .. } = columns;
        let values = params![first.0, status, call_at, why, outcome];
        Ok(find.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Whether the same will soon be true of other lines, too.
    fn waits_for_others(&self, first: MessageId, status: Status) -> Result<bool, StoreError> {
        let open = match status {
            Status::Heard => "heard IS NULL AND ended IS NULL AND declined IS NULL",
            Status::Delivered => "delivering = 'online' AND ended IS NULL",
            _ => return Ok(false),
        };
        let sql = format!("SELECT 1 FROM messages WHERE (id = ?1 OR first_line = ?1) AND {open}");
        Ok(self.conn.prepare_cached(&sql)?.exists([first.0])?)
    }

    /// Of an encrypted message nothing was read aloud.
    pub(super) fn as_told(&self, message: MessageId, status: Status) -> Result<Status, StoreError> {
        if status != Status::Heard {
            return Ok(status);
        }
        let sql = "SELECT stanza FROM messages WHERE id = ?";
        let stanza: String =
            self.conn.prepare_cached(sql)?.query_row([message.0], |row| row.get(0))?;
        let is_encrypted = stanza.parse::<Element>().is_ok_and(|it| intake::is_encrypted(&it));
        Ok(if is_encrypted { Status::NotReadAloud } else { status })
    }
}

/// SQL about the lines of which `?1` is the first, with the names of the statuses of each kind.
fn of_lines(sql: &str) -> String {
    sql.replace("LINES", "SELECT id FROM messages WHERE id = ?1 OR first_line = ?1")
        .replace("STEPS", STEPS)
        .replace("OUTCOMES", OUTCOMES)
}

/// The words of the statuses that are [`StatusKind::Step`].
const STEPS: &str = "'held', 'waiting', 'calling', 'ringing', 'answered'";
/// The words of the statuses that are [`StatusKind::Outcome`].
const OUTCOMES: &str = "'heard', 'delivered', 'taken_back', 'taken_back_unheard', 'heard_before_correction', \
                        'heard_before_retraction'";
/// A step that is overtaken within so long is not told.
const STEP: Duration = Duration::from_secs(2);
/// What is true of one line is told when it is true of all, or after so long.
const GATHERED_WITHIN: Duration = Duration::from_secs(600);
/// Between two lines that belong together.
const LINES_WITHIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
