//! Rows that cannot be read, as a disk or a stranger has changed them: set aside with a word to the operator, so that all
//! others go on.

use jiff::Timestamp;
use rusqlite::params;
use tracing::warn;

use super::StoreError;
use super::columns::ms;
use super::transaction::Transaction;
use crate::notification::{Message, MessageId, NotificationId, Reply, ReplyId, Status};

impl Transaction<'_> {
    /// Those of the messages that can be read. Nobody is phoned about the others from now on.
    pub(super) fn readable(
        &self,
        messages: &[MessageId],
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        let mut read = Vec::with_capacity(messages.len());
        for id in messages {
            match self.message(*id) {
                Err(error) if error.is_unreadable_row() => {
                    self.keep_from_calls(*id, &error, now)?;
                }
                message => read.push(message?),
            }
        }
        Ok(read)
    }

    /// Nobody is phoned about a message that cannot be read. It stays held, for the operator to look at.
    pub(super) fn keep_from_calls(
        &self,
        message: MessageId,
        error: &StoreError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET declined = coalesce(declined, ?), awaiting_sender_check = 0 WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![ms(now), message.0])?;
        self.note(message, now, "set aside: it cannot be read")?;
        warn!(message_id = message.0, %error, "message set aside: its row is damaged");
        Ok(())
    }

    /// Plans no call for a notification whose row, or whose person's, cannot be read. The messages stay held.
    pub(super) fn plan_no_call(
        &mut self,
        id: NotificationId,
        error: &StoreError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "SELECT id FROM waiting_messages
                   WHERE recipient = (SELECT recipient FROM notifications WHERE id = ?)";
        let waiting = self.ids(sql, [id.0])?;
        let sql = "UPDATE notifications SET state = 'closed', closing = 'unreachable', closed = ?,
                       version = version + 1 WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![self.ahead.counted(now), id.0])?;
        for message in waiting {
            self.owe(message, &Reply::Status(Status::Held), now)?;
        }
        warn!(notification_id = id.0, %error, "call set aside: a row of it or of its person is damaged");
        Ok(())
    }

    /// An owed stanza whose rows cannot be read is not offered again in this run, so that it holds up no other.
    pub(super) fn skip_reply(&self, reply: ReplyId, error: &StoreError) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO unreadable VALUES (?)";
        self.changed_temporary(self.conn.prepare_cached(sql)?.execute([reply.0])?);
        warn!(reply_id = reply.0, %error, "stanza set aside: its row or its message's is damaged");
        Ok(())
    }
}
