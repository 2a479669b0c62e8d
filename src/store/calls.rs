//! Calls: followed, settled, and found again after a crash.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::audit::{AuditAction, Audited};
use super::claims::to_read;
use super::columns::{ColumnValue, Columns, ms, span_ms};
use super::rings::RingOf;
use super::transaction::{LEASE, Transaction};
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::media::answering_machine::PickedUp;
use crate::notification::holding::Happened;
use crate::notification::lifecycle::{Closing, LifecycleEvent, Notification, Pending, State};
use crate::notification::{
    Attempt, AttemptId, Message, MessageId, NotificationId, Outcome, Progress, Reply,
};
use crate::subscriber::WhenOffline;

impl Store {
    /// The call has come further.
    pub async fn progress(
        &self,
        attempt: AttemptId,
        progress: Progress,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.progress(attempt, progress, now)).await
    }

    /// The messages that arrived during the call; they are part of it from now on.
    pub async fn joined(
        &self,
        attempt: AttemptId,
        now: impl Into<Moment>,
    ) -> Result<Vec<Message>, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.joined(attempt, now)).await
    }

    /// The call is over. Settling twice is harmless.
    pub async fn settle(
        &self,
        id: AttemptId,
        attempt: Attempt,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.settle(id, &attempt, false, now)).await
    }

    /// The callee wants no more calls (9, then 9). It is their own setting from now on, and both sides are told. After `Ok` the callee may be told so.
    pub async fn stop_calls(
        &self,
        attempt: AttemptId,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.stop_calls(attempt, now)).await
    }

    /// Finds the calls that a crash broke off and plans the next ones. A message that was alone on the line when the
    /// program crashed, twice, is not phoned about any more. Tells how many calls there were.
    ///
    /// Contract: its cost grows with what was under way, not with what is held. [`Store::replan`] follows at leisure, as the
    ///           rules or the clock may have changed.
    pub async fn recover(&self, now: impl Into<Moment>) -> Result<usize, StoreError> {
        let now = now.into();
        self.ask(move |transaction| {
            let now = transaction.resume_time(now)?;
            transaction.recover(now)
        })
        .await
    }
}

impl Transaction<'_> {
    pub(super) fn progress(
        &mut self,
        attempt: AttemptId,
        progress: Progress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (sql, what) = match progress {
            Progress::Ringing => (
                "UPDATE attempts SET rung = coalesce(rung, ?) WHERE id = ? RETURNING notification, lease_until",
                "ringing",
            ),
            Progress::Answered => (
                "UPDATE attempts SET answered = coalesce(answered, ?) WHERE id = ? RETURNING notification, lease_until",
                "answered",
            ),
        };
        let mut update = self.conn.prepare_cached(sql)?;
        let found = update.query_row(params![ms(now), attempt.0], |row| {
            Ok((NotificationId(row.get(0)?), self.ahead.wall(row.time("lease_until")?)))
        });
        let (of, lease) = found.optional()?.ok_or(StoreError::NotInCall)?;
        drop(update);
        if now.checked_add(LEASE_RENEWED).is_ok_and(|soon| lease < soon) {
            self.touch(attempt, now)?;
        }
        let mut notification = self.notification(of)?;
        let read = self.read_in(attempt)?;
        let mut waiting = vec![];
        for Read { pending, waits, .. } in read {
            self.note(pending.id, now, what)?;
            waiting.extend(waits.then_some(pending));
        }
        if self.is_its_call(&notification, attempt) {
            self.change_among(
                &mut notification,
                LifecycleEvent::Progressed(progress),
                &waiting,
                now,
            )?;
        }
        Ok(())
    }

    pub(super) fn joined(
        &mut self,
        attempt: AttemptId,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        self.touch(attempt, now)?;
        let mut notification = self.notification_of(attempt)?;
        if !self.is_its_call(&notification, attempt) && !self.is_incoming(attempt)? {
            return Ok(vec![]);
        }
        let waiting = self.waiting(&notification.recipient, Some(attempt))?;
        let messages = self.readable(&to_read(&waiting), now)?;
        for message in &messages {
            self.add_to_call(attempt, message.id, now)?;
            self.write_asker(RingOf::Attempt(attempt), &message.draft.sender.to_bare())?;
            self.note(message.id, now, "joined the call")?;
            self.change(&mut notification, LifecycleEvent::Joined(message.id), now)?;
        }
        Ok(messages)
    }

    pub(super) fn settle(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        withdrawn: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = self.read_in(id)?;
        if read.iter().any(|it| it.pending.crash_suspect) {
            self.clear_of_suspicion(id)?;
        }
        // Without a Call-ID no INVITE was made, and a call that was never made fills no throttle.
        let invited = attempt.outcome.counts() || !attempt.sip_call_id.is_empty();
        let event =
            if withdrawn { LifecycleEvent::Withdrawn } else { LifecycleEvent::Ended(attempt) };
        self.end_call(id, attempt, event, &read, invited, now)?;
        self.forget_dialog(RingOf::Attempt(id))
    }

    /// Ends a call whose course is unknown: its INVITE may have left, so it counts as a call.
    pub(super) fn interrupt(&mut self, id: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let attempt = Attempt::without_invite(Outcome::Interrupted);
        let read = self.read_in(id)?;
        self.end_call(id, &attempt, LifecycleEvent::Ended(&attempt), &read, true, now)
    }

    // Long: what is stored of one end of a call, in the order in which it must be.
    fn end_call(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        event: LifecycleEvent<'_>,
        read: &[Read],
        invited: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut end = self.conn.prepare_cached(
            "UPDATE attempts SET ended = ?, outcome = ?, status = ?, rang_ms = ?, talked_ms = ?,
                 sip_call_id = ?, trunk = ?, stop_calls = ?, quality = ?, picked_up = ?, cause = ?, ladder = ?
             WHERE id = ? AND ended IS NULL RETURNING notification, incoming, answered IS NOT NULL",
        )?;
        let values = params![
            ms(now),
            attempt.outcome.word(),
            attempt.status,
            span_ms(attempt.rang),
            span_ms(attempt.talked),
            attempt.sip_call_id,
            attempt.trunk,
            attempt.stop_calls,
            attempt.quality.map(|quality| quality.to_string()),
            attempt.picked_up.map(PickedUp::word),
            attempt.cause,
            Some(&attempt.ladder).filter(|ladder| !ladder.is_empty()),
            id.0,
        ];
        let ended = end.query_row(values, |row| {
            let (of, incoming, answered) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(EndedCall { of: NotificationId(of), incoming, answered })
        });
        let ended = ended.optional()?;
        let mut notification = match &ended {
            Some(call) => self.notification(call.of)?,
            None => self.notification_of(id)?,
        };
        if let Some(EndedCall { incoming, answered, .. }) = ended {
            self.wake_due = true;
            // Three indexes hang on this column, so it is left alone where it is right.
            if !invited {
                let sql = "UPDATE attempts SET invited = 0 WHERE id = ?";
                self.conn.prepare_cached(sql)?.execute([id.0])?;
            }
            self.end_ring(RingOf::Attempt(id), attempt, invited, now)?;
            let ended = format!("call ended: {}", attempt.outcome.word());
            for Read { pending, is_retracted, .. } in read {
                self.note(pending.id, now, &ended)?;
                if *is_retracted {
                    self.happen(pending.id, Happened::CallOver { answered }, now)?;
                }
            }
            if self.is_its_call(&notification, id) {
                self.change(&mut notification, event, now)?;
            }
            if notification.state == State::Closed(Closing::Declined) {
                self.decline(&notification, now)?;
            }
            // A caller need not be phoned about what they have heard.
            if let Some(Read { pending, .. }) = read.last().filter(|_| incoming) {
                self.close_if_empty(pending.id, now)?;
            }
        }
        // Asked for on the phone, so it holds even when the call had been given up for lost.
        if attempt.stop_calls { self.stop_calls(id, now) } else { Ok(()) }
    }

    pub(super) fn stop_calls(&mut self, id: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let recipient = self.notification_of(id)?.recipient;
        let is_switched = self.switch(&recipient, WhenOffline::Store, now)?;
        if is_switched {
            let audited = Audited {
                what: "calls, on the phone",
                who: Some(&recipient),
                before: Some(WhenOffline::Phone.word()),
                after: Some(WhenOffline::Store.word()),
                ..Audited::of(AuditAction::Setting)
            };
            self.audit(&audited, now)?;
        }
        if is_switched && let Some(message) = self.messages_of(id)?.last() {
            self.owe(*message, &Reply::CallsSwitchedOff, now)?;
        }
        Ok(())
    }

    /// Finds what a crash left behind.
    pub(super) fn recover(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        self.policy.suspended = self.is_suspended()?;
        self.hash_copied_rings()?;
        self.end_lost_rings(now)?;
        self.identify_all(now)?;
        // Before the calls are found broken off: a callee who has answered is not called again.
        self.recover_voices(now)?;
        let lost = self.live_until(Timestamp::MAX)?;
        self.suspect(&lost, now)?;
        for attempt in &lost {
            self.interrupt(*attempt, now)?;
        }
        self.owe_all_unsettled(now)?;
        Ok(lost.len())
    }

    /// Erases up to `limit` old calls, and as many closed notifications without any. Tells how many rows.
    pub(super) fn forget_calls(&self, before: i64, limit: i64) -> Result<usize, StoreError> {
        let calls = self.conn.execute(
            "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE ended IS NOT NULL AND counted <= ? AND NOT EXISTS (
                 SELECT 1 FROM notifications WHERE id = attempts.notification AND state <> 'closed') LIMIT ?)",
            [before, limit],
        )?;
        let closed = self.conn.execute(
            "DELETE FROM notifications WHERE id IN (
                 SELECT id FROM notifications WHERE state = 'closed' AND closed <= ? AND NOT EXISTS (
                     SELECT 1 FROM attempts WHERE notification = notifications.id) LIMIT ?)",
            [before, limit],
        )?;
        Ok(calls + closed)
    }

    /// A sign of life: the call keeps its lease.
    pub(super) fn touch(&self, attempt: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let lease = self.ahead.counted(now.checked_add(LEASE).unwrap_or(now));
        let sql = "UPDATE attempts SET lease_until = ? WHERE id = ? AND ended IS NULL";
        self.conn.prepare_cached(sql)?.execute([lease, attempt.0])?;
        Ok(())
    }

    fn is_its_call(&self, notification: &Notification, attempt: AttemptId) -> bool {
        matches!(notification.state, State::Calling { attempt: its, .. } if its == attempt)
    }

    pub(super) fn is_incoming(&self, attempt: AttemptId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts WHERE id = ? AND incoming = 1";
        Ok(self.conn.prepare_cached(sql)?.exists([attempt.0])?)
    }

    fn messages_of(&self, attempt: AttemptId) -> Result<Vec<MessageId>, StoreError> {
        let sql = "SELECT message FROM attempt_messages WHERE attempt = ? ORDER BY message";
        self.ids(sql, [attempt.0])
    }

    /// What a call reads.
    fn read_in(&self, attempt: AttemptId) -> Result<Vec<Read>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT id, crash_suspect > 0, EXISTS (SELECT 1 FROM waiting_messages WHERE id = message),
                 withdrawn IS 'retracted'
             FROM attempt_messages JOIN messages ON id = message WHERE attempt = ? ORDER BY message",
        )?;
        let found = find.query_map([attempt.0], |row| {
            let id = MessageId(row.get(0)?);
            let pending = Pending { id, in_call: true, crash_suspect: row.get(1)? };
            Ok(Read { pending, waits: row.get(2)?, is_retracted: row.get(3)? })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn notification_of(&self, attempt: AttemptId) -> Result<Notification, StoreError> {
        let sql = "SELECT notification FROM attempts WHERE id = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let id = find.query_row([attempt.0], |row| row.get(0).map(NotificationId)).optional()?;
        self.notification(id.ok_or(StoreError::NotInCall)?)
    }

    /// Calls on the line whose lease runs no longer than this.
    pub(super) fn live_until(&self, until: Timestamp) -> Result<Vec<AttemptId>, StoreError> {
        let sql = "SELECT id FROM attempts WHERE ended IS NULL AND lease_until <= ?
                   ORDER BY lease_until, id";
        Ok(self.numbers(sql, [self.ahead.counted(until)])?.into_iter().map(AttemptId).collect())
    }
}

/// A message in a call.
struct Read {
    pending: Pending,
    /// It is still to be heard by phone.
    waits: bool,
    /// Its sender has taken it back.
    is_retracted: bool,
}

/// A call that has just ended.
struct EndedCall {
    of: NotificationId,
    incoming: bool,
    answered: bool,
}

/// A lease that has at least so long to run is not renewed: what renews it comes again and again.
const LEASE_RENEWED: Duration = Duration::from_secs(540);
