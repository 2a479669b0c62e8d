//! Corrections (XEP-0308) and retractions (XEP-0424): of what is held, and of what its recipient has already.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use tracing::debug;
use xmpp_parsers::jid::BareJid;

use super::columns::Columns;
use super::messages::holding;
use super::transaction::Transaction;
use super::{Held, Store, StoreError};
use crate::clock::Moment;
use crate::notification::holding::{Announced, Happened, Holding, HoldingEnd, Rewording};
use crate::notification::lifecycle::{LifecycleEvent, State};
use crate::notification::{AttemptId, CorrectionChain, Draft, Message, MessageId, Unreachable};

/// What became of a correction.
#[derive(Clone, PartialEq)]
pub enum Corrected {
    /// What will be spoken and delivered is the new wording of this message.
    InPlace(MessageId),
    /// Calls are on the line in which the new wording takes the place of the old one, as a message of its own.
    InCalls {
        /// The old wording.
        old: MessageId,
        /// The new one.
        new: Box<Message>,
        /// The calls.
        calls: Vec<AttemptId>,
    },
    /// The old wording was heard or delivered, or is unknown: the new one is held as any message is.
    Held(Box<Held>),
}

impl fmt::Debug for Corrected {
    /// Without what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InPlace(message) => write!(f, "InPlace({message:?})"),
            Self::InCalls { old, new, calls } => {
                write!(f, "InCalls({old:?}, {:?}, {calls:?})", new.id)
            }
            Self::Held(held) => write!(f, "Held({:?})", held.message),
        }
    }
}

/// What became of a retraction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retracted {
    /// The held message that was taken back, if it was held.
    pub message: Option<MessageId>,
    /// The calls on the line that read it, or will.
    pub calls: Vec<AttemptId>,
}

impl Store {
    /// Takes in a correction: the draft words the message anew that has this `id`, or whose correction has, from the
    /// draft's sender to its recipient.
    ///
    /// Errors: [`StoreError::RecipientFull`], [`StoreError::SenderFull`] and [`StoreError::Full`] where the new wording is
    ///         too large; the old one stays.
    pub async fn correct(
        &self,
        id: String,
        draft: Draft,
        now: impl Into<Moment>,
    ) -> Result<Corrected, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.correct(&id, draft, now, 0)).await
    }

    /// Takes a message back. If it was not delivered, it never will be, and no call is made for it alone. If its recipient
    /// has it, the retraction, which is the draft, is held for them, without a call.
    pub async fn retract(
        &self,
        id: String,
        draft: Draft,
        now: impl Into<Moment>,
    ) -> Result<Retracted, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.retract(&id, draft, now)).await
    }
}

impl Transaction<'_> {
    pub(super) fn correct(
        &mut self,
        id: &str,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> Result<Corrected, StoreError> {
        let Some(sent) = self.sent_as(id, &draft)? else {
            // It was passed on, or never came this way; a client that does not know it shows a new message.
            let chain = CorrectionChain { last_id: None, replaces: Some(id.to_owned()) };
            let held = self.hold_in_chain(draft, chain, now, room)?;
            self.add_id(held.message, id)?;
            return Ok(Corrected::Held(Box::new(held)));
        };
        match sent.holding.reworded(!sent.calls.is_empty()) {
            Rewording::InPlace if !sent.is_held_elsewhere(&draft) => {
                self.correct_in_place(&sent, &draft, now)
            }
            _ if sent.repeats(&draft) => Ok(Corrected::InPlace(sent.message)),
            Rewording::InCalls => self.correct_in_calls(sent, draft, now),
            Rewording::InPlace | Rewording::Anew => self.correct_anew(&sent, draft, now, room),
        }
    }

    fn correct_in_place(
        &self,
        sent: &Sent,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Corrected, StoreError> {
        self.refuse_larger(draft, sent.bytes)?;
        let mut update = self.conn.prepare_cached(
            "UPDATE messages SET body = ?, stanza = ?, language = ?, wants_receipt = ?, crash_suspect = 0,
                 last_id = coalesce(?, last_id) WHERE id = ?",
        )?;
        update.execute(params![
            draft.body,
            draft.stanza,
            draft.language,
            draft.wants_receipt,
            draft.stanza_id,
            sent.message.0,
        ])?;
        if let Some(new) = &draft.stanza_id {
            self.add_id(sent.message, new)?;
        }
        self.note(sent.message, now, "corrected by the sender")?;
        Ok(Corrected::InPlace(sent.message))
    }

    /// The new wording goes on with the status message of the old one, and in its calls.
    fn correct_in_calls(
        &mut self,
        sent: Sent,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Corrected, StoreError> {
        let (old, correction) = (sent.message, draft.stanza_id.clone());
        self.happen(old, Happened::Corrected, now)?;
        let (mut draft, chain) = sent.follow(draft);
        // It rings already, whoever has sent it.
        draft.how.sender_unknown = false;
        draft.how.from_contact = sent.from_contact;
        self.refuse_beyond_quota(&draft)?;
        let (new, _) = self.insert_message(&draft, &chain, sent.received)?;
        // It is as old as what it corrects, whatever the wall clock has been set to since.
        let sql = "UPDATE messages SET counted = (SELECT counted FROM messages WHERE id = ?1) WHERE id = ?2";
        self.conn.prepare_cached(sql)?.execute([old.0, new.0])?;
        self.add_chain(&sent, new, correction.as_deref())?;
        self.move_status(old, new)?;
        for call in &sent.calls {
            self.add_to_call(*call, new, now)?;
        }
        self.note(old, now, &format!("corrected by the sender: message {}", new.0))?;
        self.note(new, now, &format!("corrects message {}, joined its call", old.0))?;
        let new = Box::new(self.message(new)?);
        Ok(Corrected::InCalls { old, new, calls: sent.calls })
    }

    fn correct_anew(
        &mut self,
        sent: &Sent,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> Result<Corrected, StoreError> {
        // One that is on its way goes on; the correction follows it.
        if sent.holding.ending.is_none() && sent.holding.delivering.is_none() {
            self.happen(sent.message, Happened::Corrected, now)?;
        }
        let correction = draft.stanza_id.clone();
        let (draft, chain) = sent.follow(draft);
        let held = self.hold_in_chain(draft, chain, now, room)?;
        if !held.duplicate {
            self.add_chain(sent, held.message, correction.as_deref())?;
            self.note(held.message, now, &format!("corrects message {}", sent.message.0))?;
        }
        Ok(Corrected::Held(Box::new(held)))
    }

    pub(super) fn retract(
        &mut self,
        id: &str,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Retracted, StoreError> {
        let Some(sent) = self.sent_as(id, &draft)? else {
            self.hold_retraction(Some(id), draft, now)?;
            return Ok(Retracted::default());
        };
        let of_recipient = sent.recipient_has(&draft);
        match sent.holding.ending {
            Some(HoldingEnd::Retracted) => Ok(Retracted::default()),
            None if sent.holding.delivering.is_some() => {
                // It cannot be called back; if it comes back, nobody is phoned about it.
                self.happen(sent.message, Happened::Declined, now)?;
                self.hold_retraction(of_recipient, draft, now)?;
                Ok(Retracted::default())
            }
            Some(_) => {
                self.hold_retraction(of_recipient, draft, now)?;
                Ok(Retracted::default())
            }
            _ => {
                self.note(sent.message, now, "taken back by the sender")?;
                let announced = match (sent.calls.is_empty(), sent.was_in_answered_call) {
                    (false, _) => Announced::InCall,
                    (true, true) => Announced::Before,
                    (true, false) => Announced::Never,
                };
                self.happen(sent.message, Happened::Retracted(announced), now)?;
                self.hold_retraction(of_recipient, draft.clone(), now)?;
                self.close_if_nothing_waits(&draft.recipient, now)?;
                Ok(Retracted { message: Some(sent.message), calls: sent.calls })
            }
        }
    }

    /// Holds a retraction for a recipient who has the message under this `id`.
    fn hold_retraction(
        &mut self,
        of_recipient: Option<&str>,
        mut draft: Draft,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(id) = of_recipient.filter(|_| draft.how.handed_over.is_none()) else {
            return Ok(());
        };
        let chain = CorrectionChain { last_id: None, replaces: Some(id.to_owned()) };
        draft.how.silent = true;
        match self.hold_in_chain(draft, chain, now, 0) {
            Ok(_) => Ok(()),
            Err(
                error @ (StoreError::RecipientFull | StoreError::SenderFull | StoreError::Full),
            ) => {
                debug!(%error, "retraction not held");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn close_if_nothing_waits(
        &mut self,
        recipient: &BareJid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(mut notification) = self.open_notification(recipient)? else { return Ok(()) };
        let waits = matches!(notification.state, State::Waiting { .. });
        if waits && self.waiting(recipient, None)?.is_empty() {
            self.change(&mut notification, LifecycleEvent::Emptied, now)?;
        }
        Ok(())
    }

    /// The newest message that this `id`, or one of its corrections, names.
    fn sent_as(&self, id: &str, draft: &Draft) -> Result<Option<Sent>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT id, stanza_id, last_id, replaces, body, received, heard, answered, declined, handed_over,
                 from_contact, coalesce(withdrawn, ending) AS ending,
                 -- What was tried again may be with its recipient, though it counts as held.
                 coalesce(delivering, (SELECT 'online' FROM replies
                     WHERE message = messages.id AND content = 'delivery' AND settled IS NULL
                         AND (sent IS NOT NULL OR id IN (SELECT reply FROM handed)))) AS delivering,
                 length(CAST(body AS BLOB)) + length(CAST(stanza AS BLOB)) AS bytes,
                 EXISTS (SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                     WHERE message = messages.id AND attempts.answered IS NOT NULL) AS was_in_answered_call
             FROM messages WHERE id = (SELECT max(id) FROM (
                 SELECT id FROM messages WHERE recipient = ?1 AND sender_bare = ?2 AND stanza_id = ?3
                 UNION ALL SELECT messages.id FROM message_ids JOIN messages ON messages.id = message
                     WHERE message_ids.stanza_id = ?3 AND recipient = ?1 AND sender_bare = ?2))",
        )?;
        let sender = draft.sender.to_bare();
        let found = find.query_row([draft.recipient.as_str(), sender.as_str(), id], |row| {
            Ok(Sent {
                message: MessageId(row.get("id")?),
                stanza_id: row.get("stanza_id")?,
                last_id: row.get("last_id")?,
                replaces: row.get("replaces")?,
                body: row.get("body")?,
                received: row.time("received")?,
                holding: holding(row)?,
                handed_over: row.maybe_word("handed_over")?,
                from_contact: row.get("from_contact")?,
                was_in_answered_call: row.get("was_in_answered_call")?,
                bytes: row.get("bytes")?,
                calls: vec![],
            })
        });
        let Some(mut sent) = found.optional()? else { return Ok(None) };
        let sql = "SELECT attempt FROM attempt_messages JOIN attempts ON attempts.id = attempt
                   WHERE message = ? AND attempts.ended IS NULL ORDER BY attempt";
        sent.calls = self.numbers(sql, [sent.message.0])?.into_iter().map(AttemptId).collect();
        Ok(Some(sent))
    }

    /// The message is meant by this `id`, too.
    fn add_id(&self, message: MessageId, stanza_id: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO message_ids (message, stanza_id) VALUES (?, ?)";
        self.conn.prepare_cached(sql)?.execute(params![message.0, stanza_id])?;
        let sql = "DELETE FROM message_ids WHERE message = ?1 AND id NOT IN (
                       SELECT id FROM message_ids WHERE message = ?1 ORDER BY id DESC LIMIT ?2)";
        self.conn.prepare_cached(sql)?.execute([message.0, IDS_MAX])?;
        Ok(())
    }

    /// All `id`s of the old message mean the new one.
    fn add_chain(
        &self,
        old: &Sent,
        new: MessageId,
        correction: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO message_ids (message, stanza_id)
                   SELECT ?, stanza_id FROM message_ids WHERE message = ? ORDER BY id";
        self.conn.prepare_cached(sql)?.execute([new.0, old.message.0])?;
        let ids = [old.stanza_id.as_deref(), old.last_id.as_deref(), correction];
        ids.into_iter().flatten().try_for_each(|id| self.add_id(new, id))
    }

    /// The status message of the old wording, as far as it was sent, is that of the new one.
    fn move_status(&mut self, old: MessageId, new: MessageId) -> Result<(), StoreError> {
        let token = self.seed.token();
        let sql = "SELECT status_stanza_id FROM messages WHERE id = ?";
        let before: String = self.conn.prepare_cached(sql)?.query_row([old.0], |row| row.get(0))?;
        let give = "UPDATE messages SET status_stanza_id = ? WHERE id = ?";
        self.conn.prepare_cached(give)?.execute(params![token, old.0])?;
        self.conn.prepare_cached(give)?.execute(params![before, new.0])?;
        let sql = "UPDATE replies SET message = ? WHERE message = ? AND content = 'status'";
        self.conn.prepare_cached(sql)?.execute([new.0, old.0])?;
        let sql = "UPDATE messages SET first_line = ?2 WHERE first_line = ?1";
        self.conn.prepare_cached(sql)?.execute([old.0, new.0])?;
        let sql = "UPDATE messages SET first_line = (SELECT first_line FROM messages WHERE id = ?1) WHERE id = ?2";
        self.conn.prepare_cached(sql)?.execute([old.0, new.0])?;
        let sql = "UPDATE messages SET first_line = NULL WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute([old.0])?;
        let sql = "UPDATE messages SET from_program = (SELECT from_program FROM messages WHERE id = ?1) WHERE id = ?2";
        self.conn.prepare_cached(sql)?.execute([old.0, new.0])?;
        Ok(())
    }
}

/// A message that its sender corrects or retracts.
struct Sent {
    message: MessageId,
    stanza_id: Option<String>,
    last_id: Option<String>,
    replaces: Option<String>,
    body: String,
    received: Timestamp,
    holding: Holding,
    handed_over: Option<Unreachable>,
    from_contact: bool,
    was_in_answered_call: bool,
    /// How much of the quotas it takes.
    bytes: i64,
    /// The calls on the line that read it.
    calls: Vec<AttemptId>,
}

impl Sent {
    /// Whether this correction has been taken in already: clients send again what they hold unacknowledged.
    fn repeats(&self, draft: &Draft) -> bool {
        let last = self.last_id.as_ref().or(self.stanza_id.as_ref());
        let is_last = draft.stanza_id.is_some() && draft.stanza_id.as_ref() == last;
        is_last && (self.holding.ending.is_some() || self.body == draft.body)
    }

    /// Whether the recipient's server keeps the old wording, but not the new one.
    fn is_held_elsewhere(&self, draft: &Draft) -> bool {
        self.handed_over.is_some() && draft.how.handed_over.is_none()
    }

    /// The `id` under which the recipient has, or will have, an earlier wording.
    fn recipient_has(&self, draft: &Draft) -> Option<&str> {
        let is_delivered =
            self.holding.ending == Some(HoldingEnd::Delivered) || self.holding.delivering.is_some();
        let own =
            self.stanza_id.as_deref().filter(|_| is_delivered || self.is_held_elsewhere(draft));
        self.replaces.as_deref().or(own)
    }

    /// The new wording as a message after this one. A wording that the recipient never had leaves it its `id`, which is
    /// what their client and later corrections name.
    fn follow(&self, draft: Draft) -> (Draft, CorrectionChain) {
        match self.recipient_has(&draft) {
            Some(id) => {
                let replaces = Some(id.to_owned());
                (draft, CorrectionChain { last_id: None, replaces })
            }
            None => {
                let last_id = draft.stanza_id.clone().or_else(|| self.last_id.clone());
                let draft = Draft { stanza_id: self.stanza_id.clone(), ..draft };
                (draft, CorrectionChain { last_id, replaces: None })
            }
        }
    }
}

/// How many `id`s of corrections one message has.
const IDS_MAX: i64 = 20;
