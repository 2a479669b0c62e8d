//! Messages that come: held, judged by the rules, and claimed for a call if it may be made at once.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use tracing::info;

use super::columns::{ColumnValue, ms};
use super::transaction::Transaction;
use super::{Store, StoreError, writer};
use crate::clock::Moment;
use crate::notification::holding::Happened;
use crate::notification::lifecycle::{LifecycleEvent, Notification, Pending};
use crate::notification::rules::{Call, Decision, Rule, Ruling, Sender};
use crate::notification::{
    Claim, CorrectionChain, Draft, Message, MessageId, Reply, Status, Unreachable,
};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// What became of a message that was to be held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its name in the store.
    pub message: MessageId,
    /// The store had it already; nothing was stored twice.
    pub duplicate: bool,
    /// The call to make now, where none had to be waited for and there was room.
    pub claim: Option<Claim>,
    /// The rule that keeps the phone from ringing for it now.
    pub kept_by: Option<Ruling>,
}

impl Store {
    /// Holds a message, with the notification it calls for and the status its sender is owed.
    /// It is asked for at once, so messages are held in the order of these calls, whichever future is polled first.
    ///
    /// A message that repeats one of the last minutes is told apart as `duplicate` and changes nothing. Where the call is due at once
    /// and there is `room` for one, it is claimed in the same transaction.
    ///
    /// Errors: [`StoreError::RecipientFull`], [`StoreError::SenderFull`] and [`StoreError::Full`]; the sender then hears of it at once.
    pub fn hold<M: Into<Moment>>(
        &self,
        draft: Draft,
        now: M,
        room: usize,
    ) -> impl Future<Output = Result<Held, StoreError>> + use<M> {
        let now = now.into();
        let (job, answer) = writer::job(move |transaction: &mut Transaction<'_>| {
            let now = transaction.at(now);
            transaction.hold(draft, now, room)
        });
        let asked = self.jobs.try_send(job.into());
        async move {
            asked.map_err(|_| StoreError::Full)?;
            let held = answer.await.unwrap_or(Err(StoreError::Closed))?;
            log_kept(held.message, held.kept_by);
            Ok(held)
        }
    }

    /// It is known now whether a program has sent this message. Gives the call to make at once, if there is one.
    pub async fn identified(
        &self,
        message: MessageId,
        is_program: bool,
        now: impl Into<Moment>,
        room: usize,
    ) -> Result<Option<Claim>, StoreError> {
        let (claim, kept_by) = self
            .ask_at(now, move |transaction, now| {
                transaction.identified(message, is_program, now, room)
            })
            .await?;
        log_kept(message, kept_by);
        Ok(claim)
    }
}

/// One line for each message whose phone does not ring at once, after the commit. It names no person.
pub(crate) fn log_kept(message: MessageId, kept_by: Option<Ruling>) {
    if let Some(rule) = kept_by {
        info!(message_id = message.0, %rule, "the phone does not ring now");
    }
}

impl Transaction<'_> {
    pub(super) fn hold(
        &mut self,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> Result<Held, StoreError> {
        self.hold_in_chain(draft, CorrectionChain::default(), now, room)
    }

    /// Holds a message that may be a correction of others.
    pub(super) fn hold_in_chain(
        &mut self,
        draft: Draft,
        chain: CorrectionChain,
        now: Timestamp,
        room: usize,
    ) -> Result<Held, StoreError> {
        let held = |message| Held { message, duplicate: false, claim: None, kept_by: None };
        if let Some(message) = self.same(&draft, now)? {
            return Ok(Held { duplicate: true, ..held(message) });
        }
        self.refuse_beyond_quota(&draft)?;
        let (message, status_stanza_id) = self.insert_message(&draft, &chain, now)?;
        let why = draft.how.handed_over.map_or("held", |why| match why {
            Unreachable::Offline => "held: handed over by the server, no client takes messages",
            Unreachable::Hibernating => "held: handed over by the server, all clients are asleep",
            Unreachable::Unacked => "held: handed over by the server, the connection died",
            Unreachable::Unreceipted => "held: no receipt came in time",
        });
        self.note(message, now, why)?;
        if draft.how.silent {
            self.note(message, now, "no call and no status: its sender does not wait for any")?;
            self.happen(message, Happened::Declined, now)?;
            return Ok(held(message));
        }
        if draft.how.refused {
            self.note(message, now, "no call: the recipient's server refuses this sender")?;
            self.happen(message, Happened::Declined, now)?;
            self.owe(message, &Reply::Status(Status::Held), now)?;
            return Ok(held(message));
        }
        if chain == CorrectionChain::default() {
            self.join_lines(message, &draft, now)?;
        }
        if draft.how.sender_unknown {
            return Ok(held(message));
        }
        let newest = Message { id: message, received: now, draft, status_stanza_id, chain };
        let (claim, kept_by) = self.plan_call(newest, false, now, room)?;
        Ok(Held { claim, kept_by, ..held(message) })
    }

    /// It is known now whether a program has sent this message.
    pub(super) fn identified(
        &mut self,
        message: MessageId,
        is_program: bool,
        now: Timestamp,
        room: usize,
    ) -> Result<(Option<Claim>, Option<Ruling>), StoreError> {
        let sql = "UPDATE messages SET awaiting_sender_check = 0, from_program = ?
                   WHERE id = ? AND awaiting_sender_check = 1 AND ended IS NULL
                   RETURNING delivering IS NULL";
        let mut update = self.conn.prepare_cached(sql)?;
        let waits =
            update.query_row(params![is_program, message.0], |row| row.get(0)).optional()?;
        drop(update);
        // One that is on its way to its recipient is planned when it comes back.
        if waits != Some(true) {
            return Ok((None, None));
        }
        let message = self.message(message)?;
        self.plan_call(message, is_program, now, room)
    }

    /// No sender will be asked any more whether it is a program; none of them counts as one.
    pub(super) fn identify_all(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT id FROM messages WHERE awaiting_sender_check = 1 AND ended IS NULL";
        for message in self.ids(sql, [])? {
            match self.within(|it| it.identified(message, false, now, 0)) {
                Err(error) if error.is_unreadable_row() => {
                    self.keep_from_calls(message, &error, now)?;
                }
                identified => drop(identified?),
            }
        }
        Ok(())
    }

    /// Asks the rules about a message, plans the call or makes it, and tells the sender.
    // Long: the steps of one decision, in the order in which they must be stored.
    pub(super) fn plan_call(
        &mut self,
        newest: Message,
        is_program: bool,
        now: Timestamp,
        room: usize,
    ) -> Result<(Option<Claim>, Option<Ruling>), StoreError> {
        let Message { id: message, ref draft, .. } = newest;
        let jid = draft.sender.to_bare();
        let sender = Sender {
            jid: &jid,
            recipient: &draft.recipient,
            is_contact: draft.how.from_contact,
            is_program: Some(is_program),
            rule: self.rule_for(&draft.recipient, &jid)?,
        };
        let callee = self.subscriber(&draft.recipient)?;
        let open = self.open_notification(&draft.recipient)?;
        let judged = self.judge_message(sender, Some(message), callee, open.as_ref(), now)?;
        let judgement = &judged.judgement;
        let kept_by = judgement.keeper(now);
        if let Some(ruling) = kept_by.filter(|it| it.rule != Rule::Gathering) {
            self.note(message, now, &format!("no call now: {ruling}"))?;
        }
        if judgement.refuses_sender() {
            self.happen(message, Happened::Declined, now)?;
        }
        let decision = match judgement.call {
            Call::Refused(_) => {
                self.owe(message, &Reply::Status(Status::Held), now)?;
                return Ok((None, kept_by));
            }
            Call::Joins | Call::At { by: Rule::Planned(_), .. } => None,
            Call::At { at, by } => Some(Decision::Call { at, by }),
        };
        let claim = match (open, judged.callee, judged.number) {
            (None, Some(callee), Some(number)) => {
                let room = if kept_by.is_none() { room } else { 0 };
                self.open_new(callee, &number, decision, newest, now, room)?
            }
            (Some(mut open), ..) => {
                let waiting = match decision {
                    Some(_) => self.waiting(&open.recipient, None)?,
                    None => vec![],
                };
                let told = self.plan(&mut open, decision, &waiting, now)?;
                let claim = if room > 0 { self.claim(&mut open, now)? } else { None };
                if claim.is_none() && !told {
                    self.change(&mut open, LifecycleEvent::Held(message), now)?;
                }
                claim
            }
            (None, ..) => unreachable!("without a person or a number the rules refuse the call"),
        };
        Ok((claim, kept_by))
    }

    /// Opens a notification for the first message that waits, and makes its call if there is room.
    fn open_new(
        &mut self,
        callee: Subscriber,
        number: &PhoneNumber,
        decision: Option<Decision>,
        newest: Message,
        now: Timestamp,
        room: usize,
    ) -> Result<Option<Claim>, StoreError> {
        let message = newest.id;
        let mut new = self.insert_notification(&callee, number, now)?;
        let waiting = self.waiting(&new.recipient, None)?;
        let told = self.plan(&mut new, decision, &waiting, now)?;
        if room > 0 {
            return self.start_new(&mut new, callee, &waiting, newest, now).map(Some);
        }
        if !told {
            self.change(&mut new, LifecycleEvent::Held(message), now)?;
        }
        Ok(None)
    }

    fn plan(
        &mut self,
        notification: &mut Notification,
        decision: Option<Decision>,
        waiting: &[Pending],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(decision) = decision else { return Ok(false) };
        self.change_among(notification, LifecycleEvent::Planned(decision), waiting, now)
    }

    /// The message that this one repeats: servers and clients send again what they hold unacknowledged, soon after and
    /// under the same id.
    ///
    /// Some clients count their ids from 1 with each start, and alarms repeat their text: what is written again later, or
    /// after the first was heard or delivered, is a new message.
    pub(super) fn same(
        &self,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Option<MessageId>, StoreError> {
        let Some(stanza_id) = &draft.stanza_id else { return Ok(None) };
        let oldest = now.checked_sub(REPEATED_WITHIN).unwrap_or(Timestamp::MIN);
        let mut find = self.conn.prepare_cached(
            "SELECT id FROM messages WHERE recipient = ? AND sender_bare = ? AND stanza_id = ?
                 AND counted > ? AND body = ? AND ended IS NULL AND heard IS NULL AND answered IS NULL
                 AND delivering IS NULL",
        )?;
        let sender = draft.sender.to_bare();
        let found = find.query_row(
            params![
                draft.recipient.as_str(),
                sender.as_str(),
                stanza_id,
                self.ahead.counted(oldest),
                draft.body
            ],
            |row| row.get(0).map(MessageId),
        );
        Ok(found.optional()?)
    }

    /// Writes a message that was received at that time.
    pub(super) fn insert_message(
        &mut self,
        draft: &Draft,
        chain: &CorrectionChain,
        received: Timestamp,
    ) -> Result<(MessageId, String), StoreError> {
        let status_stanza_id = self.seed.token();
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO messages (recipient, sender, sender_bare, stanza_id, body, language,
                 wants_receipt, stanza, status_stanza_id, received, counted, handed_over,
                 awaiting_sender_check, from_contact, silent, last_id, replaces)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ms(received),
            self.ahead.counted(received),
            draft.how.handed_over.map(ColumnValue::word),
            draft.how.sender_unknown,
            draft.how.from_contact,
            draft.how.silent,
            chain.last_id,
            chain.replaces,
        ])?;
        Ok((MessageId(id), status_stanza_id))
    }
}

/// After a lost connection a stanza is sent again within so long, or not at all.
const REPEATED_WITHIN: Duration = Duration::from_secs(300);
