//! Calls that are due: claimed with their intent on disk before the first packet.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::{LEASE, Ledger};
use super::words::ms;
use crate::notification::lifecycle::{Event, Notification, Pending, State};
use crate::notification::{AttemptId, Claim, Message, MessageId, NotificationId};
use crate::phone_number::PhoneNumber;
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
                "SELECT id FROM notifications WHERE state = 'waiting' AND due <= ?
                     AND NOT EXISTS (SELECT 1 FROM attempts WHERE ended IS NULL AND attempts.number = notifications.number)
                     AND NOT EXISTS (SELECT 1 FROM attempts WHERE ended IS NULL AND attempts.recipient = notifications.recipient)
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
                 SELECT min(due) AS at FROM notifications WHERE state = 'waiting'
                     AND NOT EXISTS (SELECT 1 FROM attempts WHERE ended IS NULL AND attempts.number = notifications.number)
                     AND NOT EXISTS (SELECT 1 FROM attempts WHERE ended IS NULL AND attempts.recipient = notifications.recipient)
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
        let waiting = self.waiting(&notification.recipient, None)?;
        self.change_among(notification, Event::Planned, &waiting, now)?;
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now {
            return Ok(None);
        }
        let messages = self.all_of(&to_read(&waiting))?;
        if messages.is_empty() {
            self.change(notification, Event::Emptied, now)?;
            return Ok(None);
        }
        self.start(notification, callee, messages, now).map(Some)
    }

    /// Claims the call about a message that has just been held, planned in this moment.
    pub(super) fn claim_new(
        &mut self,
        notification: &mut Notification,
        callee: Subscriber,
        waiting: &[Pending],
        newest: Message,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now || self.policy.suspended || self.rings(notification)? {
            return Ok(None);
        }
        let messages = match to_read(waiting)[..] {
            [only] if only == newest.id => vec![newest],
            ref more => self.all_of(more)?,
        };
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
        let in_call: Vec<Pending> =
            messages.iter().map(|it| Pending { in_call: true, ..Pending::of(it.id) }).collect();
        let claimed = Event::Claimed { attempt, lease_until };
        self.change_among(notification, claimed, &in_call, now)?;
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
        self.is_on_the_line(&notification.number, &notification.recipient)
    }

    /// Whether a call of either direction with this number or person is still on the line.
    pub(super) fn is_on_the_line(
        &self,
        number: &PhoneNumber,
        person: &BareJid,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts WHERE ended IS NULL AND number = ?
                   UNION ALL SELECT 1 FROM attempts WHERE ended IS NULL AND recipient = ?";
        Ok(self.conn.prepare_cached(sql)?.exists([number.as_str(), person.as_str()])?)
    }

    fn was_partly_heard(&self, notification: &Notification) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts JOIN attempt_messages ON attempt = attempts.id
                   WHERE notification = ? AND spoken IS NOT NULL";
        Ok(self.conn.prepare_cached(sql)?.exists([notification.id.0])?)
    }

    pub(super) fn all_of(&self, messages: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        messages.iter().map(|id| self.message(*id)).collect()
    }

    pub(super) fn add_to_call(
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
}

/// What a call reads, or what it can read on top, of what waits.
///
/// A message whose handling broke off without proof that it is harmless is tried alone, so that
/// the one at fault is set aside and not those beside it.
pub(super) fn to_read(waiting: &[Pending]) -> Vec<MessageId> {
    let new = waiting.iter().filter(|it| !it.in_call);
    let proven = new.clone().filter(|it| !it.unproven).take(MESSAGES_PER_CALL_MAX);
    let ids: Vec<MessageId> = proven.map(|it| it.id).collect();
    if ids.is_empty() { new.take(1).map(|it| it.id).collect() } else { ids }
}

const MESSAGES_PER_CALL_MAX: usize = 50;
/// How many due rows one claim looks at, at most.
const LOOKS_MAX: usize = 1000;
