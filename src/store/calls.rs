//! Calls: claimed with their intent on disk, followed, settled, and found again after a crash.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

use super::StoreError;
use super::ledger::{LEASE, Ledger};
use super::words::{Word, ms, span_ms};
use crate::media::answering_machine::PickedUp;
use crate::notification::holding::Happened;
use crate::notification::lifecycle::{Closing, Event, Notification, State};
use crate::notification::{
    Attempt, AttemptId, Claim, Message, MessageId, NotificationId, Outcome, Progress, Reply,
};
use crate::subscriber::{Subscriber, WhenOffline};

impl Ledger<'_> {
    pub(super) fn claim_due(
        &mut self,
        now: Timestamp,
        room: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        for attempt in self.live_until(now)? {
            self.interrupt(attempt, now)?;
        }
        let mut claims = vec![];
        if self.policy.suspended {
            return Ok(claims);
        }
        // Each look either claims a call, plans it later or closes it, so the same row does not come again.
        for _ in 0..LOOKS_MAX {
            if claims.len() >= room {
                break;
            }
            let mut find = self.conn.prepare_cached(
                "SELECT id FROM notifications WHERE state = 'waiting' AND due <= ? AND NOT EXISTS (
                     SELECT 1 FROM attempts WHERE attempts.ended IS NULL
                         AND (attempts.number = notifications.number OR attempts.recipient = notifications.recipient))
                 ORDER BY due, id LIMIT 1",
            )?;
            let id = find.query_row([ms(now)], |row| row.get(0).map(NotificationId)).optional()?;
            let Some(id) = id else { break };
            let mut notification = self.notification(id)?;
            claims.extend(self.claim(&mut notification, now)?);
        }
        Ok(claims)
    }

    pub(super) fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.policy.suspended {
            return Ok(None);
        }
        let mut find = self.conn.prepare_cached(
            "SELECT min(at) FROM (
                 SELECT min(due) AS at FROM notifications WHERE state = 'waiting' AND NOT EXISTS (
                     SELECT 1 FROM attempts WHERE attempts.ended IS NULL
                         AND (attempts.number = notifications.number OR attempts.recipient = notifications.recipient))
                 UNION ALL SELECT min(lease_until) FROM attempts WHERE ended IS NULL)",
        )?;
        let at: Option<i64> = find.query_row([], |row| row.get(0))?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    /// Claims a call if it may start at this instant; else plans it for when it may.
    pub(super) fn claim(
        &mut self,
        notification: &mut Notification,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now || self.policy.suspended || self.rings(notification)? {
            return Ok(None);
        }
        let callee = self.subscriber(&notification.recipient)?;
        let number = callee.as_ref().and_then(|callee| {
            let second = callee.second.clone().filter(|_| notification.second);
            second.or_else(|| callee.number.clone())
        });
        let (Some(callee), Some(number)) = (callee, number) else {
            self.change(notification, Event::Unreachable, now)?;
            return Ok(None);
        };
        if callee.offline == WhenOffline::Store {
            self.change(notification, Event::SwitchedOff, now)?;
            return Ok(None);
        }
        if notification.number != number {
            notification.number = number;
            self.save(notification, now)?;
        }
        self.change(notification, Event::Planned, now)?;
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now || self.rings(notification)? {
            return Ok(None);
        }
        let messages = self.to_read(notification, None)?;
        if messages.is_empty() {
            self.change(notification, Event::Emptied, now)?;
            return Ok(None);
        }
        self.start(notification, callee, messages, now).map(Some)
    }

    fn start(
        &mut self,
        notification: &mut Notification,
        callee: Subscriber,
        messages: Vec<Message>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let lease_until = now.checked_add(LEASE).unwrap_or(now);
        let continuing = notification.past.last.is_some() && self.was_partly_heard(notification)?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO attempts (notification, recipient, number, started, lease_until)
             VALUES (?, ?, ?, ?, ?)",
        )?;
        let attempt = AttemptId(insert.insert(params![
            notification.id.0,
            notification.recipient.as_str(),
            notification.number.as_str(),
            ms(now),
            ms(lease_until),
        ])?);
        for message in &messages {
            self.add_to_call(attempt, message.id, now)?;
            self.note(message.id, now, "call claimed")?;
        }
        self.change(notification, Event::Claimed { attempt, lease_until }, now)?;
        Ok(Claim {
            notification: notification.id,
            attempt,
            number: notification.number.clone(),
            callee,
            messages,
            continuing,
            lease_until,
        })
    }

    /// Whether a call to this number or person is still on the line; it may belong to a closed notification.
    fn rings(&self, notification: &Notification) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts WHERE ended IS NULL AND (number = ? OR recipient = ?)";
        let Notification { number, recipient, .. } = notification;
        Ok(self.conn.prepare_cached(sql)?.exists([number.as_str(), recipient.as_str()])?)
    }

    fn was_partly_heard(&self, notification: &Notification) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts JOIN attempt_messages ON attempt = attempts.id
                   WHERE notification = ? AND spoken IS NOT NULL";
        Ok(self.conn.prepare_cached(sql)?.exists([notification.id.0])?)
    }

    /// What the call reads, or what it can read on top.
    ///
    /// A message whose handling broke off without proof that it is harmless is tried alone, so that
    /// the one at fault is set aside and not those beside it.
    fn to_read(
        &self,
        notification: &Notification,
        running: Option<AttemptId>,
    ) -> Result<Vec<Message>, StoreError> {
        let sql = |unproven: &str| {
            format!(
                "SELECT id FROM messages WHERE recipient = ?1
                     AND ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND parked = 0
                     AND unproven {unproven}
                     AND id NOT IN (SELECT message FROM attempt_messages WHERE attempt = ?2)
                 ORDER BY id LIMIT ?3"
            )
        };
        let attempt = running.map_or(0, |attempt| attempt.0);
        let find = |unproven, limit: i64| {
            self.ids(&sql(unproven), params![notification.recipient.as_str(), attempt, limit])
        };
        let mut ids = find("= 0", MESSAGES_PER_CALL_MAX)?;
        if ids.is_empty() {
            ids = find("> 0", 1)?;
        }
        ids.into_iter().map(|id| self.message(id)).collect()
    }

    fn add_to_call(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO attempt_messages (attempt, message, joined) VALUES (?, ?, ?)";
        self.conn.prepare_cached(sql)?.execute(params![attempt.0, message.0, ms(now)])?;
        let sql = "UPDATE messages SET unproven = unproven + 1 WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute([message.0])?;
        Ok(())
    }

    pub(super) fn progress(
        &mut self,
        attempt: AttemptId,
        progress: Progress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        let (sql, what) = match progress {
            Progress::Ringing => {
                ("UPDATE attempts SET rung = coalesce(rung, ?) WHERE id = ?", "ringing")
            }
            Progress::Answered => {
                ("UPDATE attempts SET answered = coalesce(answered, ?) WHERE id = ?", "answered")
            }
        };
        self.conn.prepare_cached(sql)?.execute(params![ms(now), attempt.0])?;
        self.prove(attempt)?;
        for message in self.messages_of(attempt)? {
            self.note(message, now, what)?;
        }
        let mut notification = self.notification_of(attempt)?;
        if self.is_its_call(&notification, attempt) {
            self.change(&mut notification, Event::Progressed(progress), now)?;
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
        if !self.is_its_call(&notification, attempt) {
            return Ok(vec![]);
        }
        let messages = self.to_read(&notification, Some(attempt))?;
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
        self.prove(id)?;
        // Without a Call-ID no INVITE was made, and a call that was never made fills no throttle.
        let invited = attempt.outcome.counts() || !attempt.sip_call_id.is_empty();
        self.end_call(id, attempt, invited, now)
    }

    /// Ends a call of which nobody knows how it went: its INVITE may have left, so it counts as a call.
    fn interrupt(&mut self, id: AttemptId, now: Timestamp) -> Result<(), StoreError> {
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
        self.end_call(id, &attempt, true, now)
    }

    fn end_call(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        invited: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut end = self.conn.prepare_cached(
            "UPDATE attempts SET ended = ?, outcome = ?, status = ?, rang_ms = ?, talked_ms = ?,
                 sip_call_id = ?, trunk = ?, stop_calls = ?, invited = ?, line = ?, picked_up = ?, cause = ?
             WHERE id = ? AND ended IS NULL",
        )?;
        let ended = end.execute(params![
            ms(now),
            attempt.outcome.word(),
            attempt.status,
            span_ms(attempt.rang),
            span_ms(attempt.talked),
            attempt.sip_call_id,
            attempt.trunk,
            attempt.stop_calls,
            invited,
            attempt.line.map(|line| line.to_string()),
            attempt.picked_up.map(PickedUp::word),
            attempt.cause,
            id.0,
        ])?;
        let mut notification = self.notification_of(id)?;
        if ended == 1 {
            self.wake_due = true;
            for message in self.messages_of(id)? {
                self.note(message, now, &format!("call ended: {}", attempt.outcome.word()))?;
            }
            if self.is_its_call(&notification, id) {
                self.change(&mut notification, Event::Ended(attempt), now)?;
            }
            if notification.state == State::Closed(Closing::Declined) {
                self.decline(&notification, now)?;
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
    fn prove(&self, attempt: AttemptId) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET unproven = 0 WHERE unproven > 0
                   AND id IN (SELECT message FROM attempt_messages WHERE attempt = ?)";
        self.conn.prepare_cached(sql)?.execute([attempt.0])?;
        Ok(())
    }

    fn is_its_call(&self, notification: &Notification, attempt: AttemptId) -> bool {
        matches!(notification.state, State::Calling { attempt: its, .. } if its == attempt)
    }

    fn messages_of(&self, attempt: AttemptId) -> Result<Vec<MessageId>, StoreError> {
        let sql = "SELECT message FROM attempt_messages WHERE attempt = ? ORDER BY message";
        self.ids(sql, [attempt.0])
    }

    fn notification_of(&self, attempt: AttemptId) -> Result<Notification, StoreError> {
        let sql = "SELECT notification FROM attempts WHERE id = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let id = find.query_row([attempt.0], |row| row.get(0).map(NotificationId)).optional()?;
        self.notification(id.ok_or(StoreError::NotInCall)?)
    }

    /// Calls on the line whose lease runs no longer than this.
    fn live_until(&self, until: Timestamp) -> Result<Vec<AttemptId>, StoreError> {
        let sql = "SELECT id FROM attempts WHERE ended IS NULL AND lease_until <= ?
                   ORDER BY lease_until, id";
        Ok(self.numbers(sql, [ms(until)])?.into_iter().map(AttemptId).collect())
    }
}

const MESSAGES_PER_CALL_MAX: i64 = 50;
/// How many due rows one claim looks at, at most.
const LOOKS_MAX: usize = 1000;
/// After so many crashes a message is set aside.
const CRASHES_MAX: i64 = 2;
