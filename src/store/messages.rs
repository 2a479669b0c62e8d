//! Held messages: taken in, heard, answered, delivered, expired, erased.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::Ledger;
use super::words::{Columns, Word, ms};
use crate::notification::holding::{Happened, Holding, Nature};
use crate::notification::lifecycle::{Event, Notification, State};
use crate::notification::policy::Sender;
use crate::notification::{
    Answer, AttemptId, Circumstances, Claim, Draft, Message, MessageId, Reply, Status, Unreachable,
    Wait,
};
use crate::subscriber::WhenOffline;

/// What became of a message that was to be held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its name in the store.
    pub message: MessageId,
    /// The store had it already; nothing was stored twice.
    pub duplicate: bool,
    /// The call to make now, where none had to be waited for and there was room.
    pub claim: Option<Claim>,
}

impl Ledger<'_> {
    pub(super) fn hold(
        &mut self,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> Result<Held, StoreError> {
        if let Some(message) = self.same(&draft, now)? {
            return Ok(Held { message, duplicate: true, claim: None });
        }
        self.refuse_beyond_quota(&draft)?;
        let (message, status_stanza_id) = self.insert_message(&draft, now)?;
        let why = draft.how.handed_over.map_or("held", |why| match why {
            Unreachable::Offline => "held: handed over by the server, no client takes messages",
            Unreachable::Hibernating => "held: handed over by the server, all clients are asleep",
            Unreachable::Unacked => "held: handed over by the server, the connection died",
            Unreachable::Unreceipted => "held: no receipt came in time",
        });
        self.note(message, now, why)?;
        if draft.how.sender_unknown {
            return Ok(Held { message, duplicate: false, claim: None });
        }
        let newest = Message { id: message, received: now, draft, status_stanza_id };
        let claim = self.plan_call(newest, false, now, room)?;
        Ok(Held { message, duplicate: false, claim })
    }

    /// It is known now whether a program has sent this message. Gives the call to make at once, if there is one.
    pub(super) fn identified(
        &mut self,
        message: MessageId,
        is_program: bool,
        now: Timestamp,
        room: usize,
    ) -> Result<Option<Claim>, StoreError> {
        let sql = "UPDATE messages SET parked = 0 WHERE id = ? AND parked = 1 AND ended IS NULL";
        if self.conn.prepare_cached(sql)?.execute([message.0])? == 0 {
            return Ok(None);
        }
        let message = self.message(message)?;
        self.plan_call(message, is_program, now, room)
    }

    /// Nobody will tell any more whether programs have sent these.
    pub(super) fn identify_all(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for message in self.ids("SELECT id FROM messages WHERE parked = 1 AND ended IS NULL", [])? {
            self.identified(message, false, now, 0)?;
        }
        Ok(())
    }

    /// Sees to it that the recipient is phoned about a message, if he may be, and tells the sender.
    fn plan_call(
        &mut self,
        newest: Message,
        is_program: bool,
        now: Timestamp,
        room: usize,
    ) -> Result<Option<Claim>, StoreError> {
        let Message { id: message, ref draft, .. } = newest;
        let callee = self.subscriber(&draft.recipient)?;
        let number = callee.as_ref().and_then(|callee| callee.number.clone());
        let sender = draft.sender.to_bare();
        let who = Sender {
            jid: &sender,
            is_contact: draft.how.from_contact,
            is_program,
            rule: self.rule_for(&draft.recipient, &sender)?,
            wanted: callee.as_ref().and_then(|callee| callee.senders),
        };
        // Whoever writes to himself has asked for it.
        let may_ring = sender == draft.recipient || self.policy.may_ring(&who, &draft.recipient);
        if !may_ring {
            self.happen(message, Happened::Declined, now)?;
        }
        let reachable = callee
            .filter(|_| may_ring)
            .filter(|callee| callee.offline == WhenOffline::Phone)
            .zip(number.filter(|number| self.policy.may_dial(number)));
        let Some((callee, number)) = reachable else {
            self.owe(message, &Reply::Status(Status::Held), now)?;
            return Ok(None);
        };
        let (mut notification, replan) = match self.open_notification(&draft.recipient)? {
            // What one sender may no longer cause, another one may.
            Some(open) => {
                let throttled = matches!(open.state, State::Waiting { why: Wait::Throttled, .. });
                let replan = throttled && self.is_first_of_sender(message, draft)?;
                (open, replan)
            }
            None => {
                let mut new = self.insert_notification(&callee, &number, now)?;
                let waiting = self.waiting(&new.recipient, None)?;
                let told = self.change_among(&mut new, Event::Planned, &waiting, now)?;
                let claim = if room > 0 {
                    self.claim_new(&mut new, callee, &waiting, newest, now)?
                } else {
                    None
                };
                if claim.is_none() && !told {
                    self.change(&mut new, Event::Held(message), now)?;
                }
                return Ok(claim);
            }
        };
        let told = replan && self.change(&mut notification, Event::Planned, now)?;
        let claim = if room > 0 { self.claim(&mut notification, now)? } else { None };
        if claim.is_none() && !told {
            self.change(&mut notification, Event::Held(message), now)?;
        }
        Ok(claim)
    }

    /// The message that this one repeats: servers and clients send again what they hold unacknowledged.
    ///
    /// The text must be the same too, as some clients count their ids from 1 with each start.
    fn same(&self, draft: &Draft, now: Timestamp) -> Result<Option<MessageId>, StoreError> {
        let Some(stanza_id) = &draft.stanza_id else { return Ok(None) };
        let oldest = now.checked_sub(self.policy.keep).unwrap_or(Timestamp::MIN);
        let mut find = self.conn.prepare_cached(
            "SELECT id FROM messages WHERE recipient = ? AND sender_bare = ? AND stanza_id = ?
                 AND received > ? AND (body = ? OR wiped = 1)",
        )?;
        let sender = draft.sender.to_bare();
        let found = find.query_row(
            params![draft.recipient.as_str(), sender.as_str(), stanza_id, ms(oldest), draft.body],
            |row| row.get(0).map(MessageId),
        );
        Ok(found.optional()?)
    }

    /// Tells whether no earlier message of this sender waits for the recipient.
    fn is_first_of_sender(&self, id: MessageId, draft: &Draft) -> Result<bool, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT 1 FROM messages WHERE recipient = ? AND sender_bare = ? AND id <> ?
                 AND ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND parked = 0",
        )?;
        let sender = draft.sender.to_bare();
        Ok(!find.exists(params![draft.recipient.as_str(), sender.as_str(), id.0])?)
    }

    fn insert_message(
        &mut self,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(MessageId, String), StoreError> {
        let status_stanza_id = self.seed.token();
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO messages (recipient, sender, sender_bare, stanza_id, body, language,
                 wants_receipt, stanza, status_stanza_id, received, handed_over, parked, from_contact)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let id = insert.insert(params![
            draft.recipient.as_str(),
            draft.sender.as_str(),
            draft.sender.to_bare().as_str(),
            draft.stanza_id,
            draft.body,
            draft.language,
            draft.wants_receipt,
            draft.stanza,
            status_stanza_id,
            ms(now),
            draft.how.handed_over.map(Word::word),
            draft.how.sender_unknown,
            draft.how.from_contact,
        ])?;
        Ok((MessageId(id), status_stanza_id))
    }

    pub(super) fn message(&self, id: MessageId) -> Result<Message, StoreError> {
        let mut find = self.conn.prepare_cached("SELECT * FROM messages WHERE id = ?")?;
        Ok(find.query_row([id.0], message)?)
    }

    /// Hands an event to a message, saves what has become of it, and writes down what is owed.
    pub(super) fn happen(
        &mut self,
        id: MessageId,
        happened: Happened,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT heard, answered, declined, ending, wants_receipt, handed_over FROM messages WHERE id = ?",
        )?;
        let (before, nature) = find.query_row([id.0], |row| {
            let holding = Holding {
                heard: row.get::<_, Option<i64>>("heard")?.is_some(),
                answered: row.get::<_, Option<i64>>("answered")?.is_some(),
                declined: row.get::<_, Option<i64>>("declined")?.is_some(),
                ending: row.maybe_word("ending")?,
            };
            let handed_over: Option<String> = row.get("handed_over")?;
            let nature = Nature {
                wants_receipt: row.get("wants_receipt")?,
                handed_over: handed_over.is_some(),
            };
            Ok((holding, nature))
        })?;
        let mut holding = before;
        let owed = holding.apply(happened, nature);
        let mut update = self.conn.prepare_cached(
            "UPDATE messages SET heard = iif(?2, coalesce(heard, ?6), NULL),
                 answered = iif(?3, coalesce(answered, ?6), NULL),
                 declined = iif(?4, coalesce(declined, ?6), NULL),
                 ending = ?5, ended = iif(?5 IS NULL, NULL, coalesce(ended, ?6))
             WHERE id = ?1",
        )?;
        if holding != before {
            let Holding { heard, answered, declined, ending } = holding;
            let ending = ending.map(Word::word);
            update.execute(params![id.0, heard, answered, declined, ending, ms(now)])?;
        }
        if let (None, Some(ending)) = (before.ending, holding.ending) {
            self.note(id, now, ending.word())?;
        }
        owed.iter().try_for_each(|reply| self.owe(id, reply, now))
    }

    pub(super) fn spoken(
        &mut self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        let mut mark = self.conn.prepare_cached(
            "UPDATE attempt_messages SET spoken = coalesce(spoken, ?) WHERE attempt = ? AND message = ?",
        )?;
        if mark.execute(params![ms(now), attempt.0, message.0])? == 0 {
            return Err(StoreError::NotInCall);
        }
        let mut prove =
            self.conn.prepare_cached("UPDATE messages SET unproven = 0 WHERE id = ?")?;
        prove.execute([message.0])?;
        self.note(message, now, "spoken")?;
        self.happen(message, Happened::Spoken, now)
    }

    pub(super) fn commit_answer(
        &mut self,
        attempt: AttemptId,
        answer: Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        self.must_be_in_call(attempt, answer.message)?;
        self.note(answer.message, now, "answered by key")?;
        self.happen(answer.message, Happened::Answered(answer), now)
    }

    pub(super) fn must_be_in_call(
        &self,
        attempt: AttemptId,
        message: MessageId,
    ) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM attempt_messages WHERE attempt = ? AND message = ?";
        if self.conn.prepare_cached(sql)?.exists([attempt.0, message.0])? {
            Ok(())
        } else {
            Err(StoreError::NotInCall)
        }
    }

    /// Everything held for a person becomes owed to him, in order of arrival.
    pub(super) fn came_online(
        &mut self,
        recipient: &BareJid,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let held = self.ids(
            "SELECT id FROM messages WHERE recipient = ? AND ended IS NULL ORDER BY id",
            params![recipient.as_str()],
        )?;
        for message in &held {
            self.happen(*message, Happened::CameOnline, now)?;
        }
        if let Some(mut notification) = self.open_notification(recipient)? {
            self.change(&mut notification, Event::CameOnline, now)?;
        }
        Ok(held.len())
    }

    /// Ends what has been held for `dial.keep_h`, erases what has served, and tells how much it found.
    pub(super) fn expire(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let before = |span: Duration| ms(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let keep = before(self.policy.keep);
        let timed_out = self.ids(
            "SELECT id FROM messages WHERE ended IS NULL AND received <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                 WHERE message = messages.id AND attempts.ended IS NULL)
             ORDER BY received LIMIT ?2",
            params![keep, EXPIRED_AT_ONCE_MAX],
        )?;
        for message in &timed_out {
            self.happen(*message, Happened::TimeUp, now)?;
            self.close_if_empty(*message, now)?;
        }
        let unused =
            "NOT EXISTS (SELECT 1 FROM replies WHERE message = messages.id AND sent IS NULL)
             AND NOT EXISTS (SELECT 1 FROM recordings WHERE message = messages.id AND state = 'waiting')
             AND NOT EXISTS (SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                             WHERE message = messages.id AND attempts.ended IS NULL)";
        let wiped = self.conn.execute(
            &format!(
                "UPDATE messages SET body = '', stanza = '', wiped = 1 WHERE id IN (
                     SELECT id FROM messages WHERE ended IS NOT NULL AND wiped = 0
                         AND ending <> 'set_aside' AND {unused} LIMIT ?1)"
            ),
            [EXPIRED_AT_ONCE_MAX],
        )?;
        let erased = self.conn.execute(
            &format!(
                "DELETE FROM messages WHERE id IN (
                     SELECT id FROM messages WHERE ended <= ?1 AND {unused} LIMIT ?2)"
            ),
            params![keep, EXPIRED_AT_ONCE_MAX],
        )?;
        self.forget_calls(before(CALLS_KEPT), EXPIRED_AT_ONCE_MAX)?;
        self.forget_codes(now)?;
        let silenced = self.forget_recordings(before(self.policy.keep_voice))?;
        Ok(timed_out.len() + wiped + erased + silenced)
    }

    /// Closes the notification of a message's recipient when that was the last one that waited.
    pub(super) fn close_if_empty(
        &mut self,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let recipient = self.message(message)?.draft.recipient;
        let Some(mut notification) = self.open_notification(&recipient)? else { return Ok(()) };
        let waits = matches!(notification.state, State::Waiting { .. });
        if waits && self.waiting(&recipient, None)?.is_empty() {
            self.change(&mut notification, Event::Emptied, now)?;
        }
        Ok(())
    }

    /// The messages that a closed call's decline speaks about.
    pub(super) fn decline(
        &mut self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for pending in self.waiting(&notification.recipient, None)? {
            self.happen(pending.id, Happened::Declined, now)?;
        }
        Ok(())
    }

    pub(super) fn ids(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<MessageId>, StoreError> {
        Ok(self.numbers(sql, values)?.into_iter().map(MessageId).collect())
    }

    pub(super) fn numbers(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<i64>, StoreError> {
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(values, |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Reads a message from a row that has all columns of `messages`.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: MessageId(row.get("id")?),
        received: row.time("received")?,
        draft: Draft {
            stanza_id: row.get("stanza_id")?,
            sender: row.parsed("sender")?,
            recipient: row.parsed("recipient")?,
            body: row.get("body")?,
            language: row.get("language")?,
            wants_receipt: row.get("wants_receipt")?,
            stanza: row.get("stanza")?,
            how: Circumstances {
                handed_over: row.maybe_word("handed_over")?,
                from_contact: row.get("from_contact")?,
                sender_unknown: row.get("parked")?,
            },
        },
        status_stanza_id: row.get("status_stanza_id")?,
    })
}

/// Bounds how long one turn of expiry keeps other operations waiting.
const EXPIRED_AT_ONCE_MAX: i64 = 500;
/// Call records, which name no text, stay for thirty days.
const CALLS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
