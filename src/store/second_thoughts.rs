//! Senders change their minds: a held message is worded anew or taken back.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::Ledger;
use super::words::ms;
use crate::notification::lifecycle::{Event, State};
use crate::notification::{Draft, MessageId};

/// What became of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrected {
    /// What will be spoken and delivered is the new wording.
    Done {
        /// A phone rings for the old one.
        rings: bool,
    },
    /// The message was spoken already, or has ended.
    TooLate,
    /// There is no such message.
    NotHeld,
}

impl Ledger<'_> {
    pub(super) fn correct(
        &self,
        id: &str,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Corrected, StoreError> {
        let sender = draft.sender.to_bare();
        let Some(Sent { message, is_open, rings }) = self.sent_as(id, &sender, &draft.recipient)?
        else {
            return Ok(Corrected::NotHeld);
        };
        if !is_open {
            return Ok(Corrected::TooLate);
        }
        // The tallies count what a message holds now.
        self.conn.execute(
            "UPDATE tallies SET bytes = bytes + ?1 - (SELECT octet_length(body) + octet_length(stanza)
                 FROM messages WHERE id = ?2)
             WHERE (kind = 'all' AND jid = '') OR (kind = 'recipient' AND jid = ?3) OR (kind = 'sender' AND jid = ?4)",
            params![
                (draft.body.len() + draft.stanza.len()) as i64,
                message.0,
                draft.recipient.as_str(),
                sender.as_str()
            ],
        )?;
        let mut update = self.conn.prepare_cached(
            "UPDATE messages SET body = ?, stanza = ?, language = ? WHERE id = ?",
        )?;
        update.execute(params![draft.body, draft.stanza, draft.language, message.0])?;
        self.note(message, now, "corrected by the sender")?;
        Ok(Corrected::Done { rings })
    }

    pub(super) fn retract(
        &mut self,
        sender: &BareJid,
        recipient: &BareJid,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(Sent { message, is_open: true, rings }) = self.sent_as(id, sender, recipient)?
        else {
            return Ok(false);
        };
        // Ended first, so that the tallies of what is held stay right.
        self.conn.execute(
            "UPDATE messages SET ended = ?, ending = 'expired' WHERE id = ?",
            params![ms(now), message.0],
        )?;
        self.conn.execute("DELETE FROM messages WHERE id = ?", [message.0])?;
        let Some(mut notification) = self.open_notification(recipient)? else { return Ok(rings) };
        let waits = matches!(notification.state, State::Waiting { .. });
        if waits && self.waiting(recipient, None)?.is_empty() {
            self.change(&mut notification, Event::Emptied, now)?;
        }
        Ok(rings)
    }

    /// The message of that `id`, and whether nobody has heard it yet. One that a call is reading counts as heard.
    fn sent_as(
        &self,
        id: &str,
        sender: &BareJid,
        recipient: &BareJid,
    ) -> Result<Option<Sent>, StoreError> {
        let live = "EXISTS (SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                    WHERE message = messages.id AND attempts.ended IS NULL";
        let mut find = self.conn.prepare_cached(&format!(
            "SELECT id, ended IS NULL AND heard IS NULL AND answered IS NULL
                 AND NOT {live} AND attempts.answered IS NOT NULL), {live})
             FROM messages WHERE recipient = ? AND sender_bare = ? AND stanza_id = ? ORDER BY id DESC LIMIT 1"
        ))?;
        let values = [recipient.as_str(), sender.as_str(), id];
        let sent = |row: &rusqlite::Row<'_>| {
            let message = MessageId(row.get(0)?);
            Ok(Sent { message, is_open: row.get(1)?, rings: row.get(2)? })
        };
        Ok(find.query_row(values, sent).optional()?)
    }
}

/// A message that its sender thinks of again.
struct Sent {
    message: MessageId,
    /// Nobody has heard it yet.
    is_open: bool,
    /// A call about it is on the line.
    rings: bool,
}
