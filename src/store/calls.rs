//! Calls: followed, settled, and found again after a crash.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

use super::StoreError;
use super::claims::to_read;
use super::ledger::{LEASE, Ledger};
use super::words::{Columns, Word, ms, span_ms};
use crate::media::answering_machine::PickedUp;
use crate::notification::holding::Happened;
use crate::notification::lifecycle::{Closing, Event, Notification, Pending, State};
use crate::notification::{
    Attempt, AttemptId, Message, MessageId, NotificationId, Outcome, Progress, Reply,
};
use crate::subscriber::WhenOffline;

impl Ledger<'_> {
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
            Ok((NotificationId(row.get(0)?), row.time("lease_until")?))
        });
        let (of, lease) = found.optional()?.ok_or(StoreError::NotInCall)?;
        drop(update);
        if now.checked_add(LEASE_RENEWED).is_ok_and(|soon| lease < soon) {
            self.touch(attempt, now)?;
        }
        let mut notification = self.notification(of)?;
        let read = self.read_in(attempt)?;
        self.prove(attempt, &read)?;
        let mut waiting = vec![];
        for Read { pending, waits } in read {
            self.note(pending.id, now, what)?;
            waiting.extend(waits.then_some(pending));
        }
        if self.is_its_call(&notification, attempt) {
            self.change_among(&mut notification, Event::Progressed(progress), &waiting, now)?;
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
        let messages = self.all_of(&to_read(&waiting))?;
        for message in &messages {
            self.add_to_call(attempt, message.id, now)?;
            self.note(message.id, now, "joined the call")?;
            self.change(&mut notification, Event::Joined(message.id), now)?;
        }
        Ok(messages)
    }

    pub(super) fn settle(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = self.read_in(id)?;
        self.prove(id, &read)?;
        // Without a Call-ID no INVITE was made, and a call that was never made fills no throttle.
        let invited = attempt.outcome.counts() || !attempt.sip_call_id.is_empty();
        self.end_call(id, attempt, &read, invited, now)
    }

    /// Ends a call of which nobody knows how it went: its INVITE may have left, so it counts as a call.
    pub(super) fn interrupt(&mut self, id: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let attempt = Attempt {
            outcome: Outcome::Interrupted,
            status: None,
            cause: None,
            rang: Duration::ZERO,
            talked: Duration::ZERO,
            sip_call_id: String::new(),
            trunk: String::new(),
            stop_calls: false,
            retry_after: None,
            picked_up: None,
            line: None,
        };
        let read = self.read_in(id)?;
        self.end_call(id, &attempt, &read, true, now)
    }

    fn end_call(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        read: &[Read],
        invited: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut end = self.conn.prepare_cached(
            "UPDATE attempts SET ended = ?, outcome = ?, status = ?, rang_ms = ?, talked_ms = ?,
                 sip_call_id = ?, trunk = ?, stop_calls = ?, line = ?, picked_up = ?, cause = ?
             WHERE id = ? AND ended IS NULL RETURNING notification, incoming",
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
            attempt.line.map(|line| line.to_string()),
            attempt.picked_up.map(PickedUp::word),
            attempt.cause,
            id.0,
        ];
        let ended = end.query_row(values, |row| Ok((NotificationId(row.get(0)?), row.get(1)?)));
        let ended: Option<(NotificationId, bool)> = ended.optional()?;
        let mut notification = match ended {
            Some((of, _)) => self.notification(of)?,
            None => self.notification_of(id)?,
        };
        if let Some((_, incoming)) = ended {
            self.wake_due = true;
            // Three indexes hang on this column, so it is left alone where it is right.
            if !invited {
                let sql = "UPDATE attempts SET invited = 0 WHERE id = ?";
                self.conn.prepare_cached(sql)?.execute([id.0])?;
            }
            let ended = format!("call ended: {}", attempt.outcome.word());
            for Read { pending, .. } in read {
                self.note(pending.id, now, &ended)?;
            }
            if self.is_its_call(&notification, id) {
                self.change(&mut notification, Event::Ended(attempt), now)?;
            }
            if notification.state == State::Closed(Closing::Declined) {
                self.decline(&notification, now)?;
            }
            // Who has called in need not be phoned about what he has heard.
            if let Some(Read { pending, .. }) = read.last().filter(|_| incoming) {
                self.close_if_empty(pending.id, now)?;
            }
        }
        // Asked for on the phone, so it holds even when the call had been given up for lost.
        if attempt.stop_calls { self.stop_calls(id, now) } else { Ok(()) }
    }

    pub(super) fn stop_calls(&mut self, id: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let recipient = self.notification_of(id)?.recipient;
        if self.switch(&recipient, WhenOffline::Store, now)?
            && let Some(message) = self.messages_of(id)?.last()
        {
            self.owe(*message, &Reply::CallsSwitchedOff, now)?;
        }
        Ok(())
    }

    /// Finds what a crash left behind, and plans anew what waits, as the rules or the clock may have changed.
    pub(super) fn recover(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        self.policy.suspended = self.is_suspended()?;
        self.identify_all(now)?;
        // Before the calls are found broken off: whoever has answered is not called again.
        self.recover_voices(now)?;
        let lost = self.live_until(Timestamp::MAX)?;
        for attempt in &lost {
            let sql = "SELECT id FROM messages JOIN attempt_messages ON message = id
                       WHERE attempt = ? AND unproven >= ? AND ended IS NULL";
            for message in self.ids(sql, params![attempt.0, CRASHES_MAX])? {
                self.happen(message, Happened::BroughtDown, now)?;
            }
            self.interrupt(*attempt, now)?;
        }
        self.replan(now)?;
        Ok(lost.len())
    }

    /// Asks the rules again for every planned call.
    pub(super) fn replan(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT id FROM notifications WHERE state = 'waiting' ORDER BY due, id";
        for id in self.numbers(sql, [])? {
            let mut notification = self.notification(NotificationId(id))?;
            self.change(&mut notification, Event::Planned, now)?;
        }
        Ok(())
    }

    pub(super) fn forget_calls(&self, before: i64, limit: i64) -> Result<(), StoreError> {
        self.conn.execute(
            "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE ended <= ? LIMIT ?)",
            [before, limit],
        )?;
        self.conn.execute(
            "DELETE FROM notifications WHERE id IN (
                 SELECT id FROM notifications WHERE state = 'closed' AND closed <= ? AND NOT EXISTS (
                     SELECT 1 FROM attempts WHERE notification = notifications.id) LIMIT ?)",
            [before, limit],
        )?;
        Ok(())
    }

    /// A sign of life: the call keeps its lease.
    pub(super) fn touch(&self, attempt: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let lease = ms(now.checked_add(LEASE).unwrap_or(now));
        let sql = "UPDATE attempts SET lease_until = ? WHERE id = ? AND ended IS NULL";
        self.conn.prepare_cached(sql)?.execute([lease, attempt.0])?;
        Ok(())
    }

    /// The messages of the call have been handled without harm.
    fn prove(&self, attempt: AttemptId, read: &[Read]) -> Result<(), StoreError> {
        if !read.iter().any(|it| it.pending.unproven) {
            return Ok(());
        }
        let sql = "UPDATE messages SET unproven = 0 WHERE unproven > 0
                   AND id IN (SELECT message FROM attempt_messages WHERE attempt = ?)";
        self.conn.prepare_cached(sql)?.execute([attempt.0])?;
        Ok(())
    }

    fn is_its_call(&self, notification: &Notification, attempt: AttemptId) -> bool {
        matches!(notification.state, State::Calling { attempt: its, .. } if its == attempt)
    }

    fn is_incoming(&self, attempt: AttemptId) -> Result<bool, StoreError> {
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
            "SELECT id, unproven > 0, ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND parked = 0
             FROM attempt_messages JOIN messages ON id = message WHERE attempt = ? ORDER BY message",
        )?;
        let found = find.query_map([attempt.0], |row| {
            let id = MessageId(row.get(0)?);
            let pending = Pending { id, in_call: true, unproven: row.get(1)? };
            Ok(Read { pending, waits: row.get(2)? })
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
        Ok(self.numbers(sql, [ms(until)])?.into_iter().map(AttemptId).collect())
    }
}

/// A message in a call.
struct Read {
    pending: Pending,
    /// It is still to be heard by phone.
    waits: bool,
}

/// A lease that has at least so long to run is not renewed: what renews it comes again and again.
const LEASE_RENEWED: Duration = Duration::from_secs(540);
/// After so many crashes a message is set aside.
const CRASHES_MAX: i64 = 2;
