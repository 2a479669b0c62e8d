//! Calls that are due: claimed with their intent on disk before the first packet.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::columns::ms;
use super::rings::RingOf;
use super::transaction::{LEASE, Transaction};
use super::wrong_pins::PinWay;
use super::{LiveCalls, Store, StoreError};
use crate::clock::Moment;
use crate::notification::lifecycle::{LifecycleEvent, Notification, Pending, State};
use crate::notification::rules::{Call, Decision, Rule};
use crate::notification::{AttemptId, Claim, Message, MessageId, NotificationId, RingKind};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

impl Store {
    /// Claims up to `room` calls that are due and allowed at this very moment, their intent durable before the first packet.
    ///
    /// What is due but not allowed now is planned for later, and the senders are owed the new time. Calls whose lease ran out end as interrupted.
    pub async fn claim_due(
        &self,
        now: impl Into<Moment>,
        room: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let none = LiveCalls::default();
        self.ask_at(now, move |transaction, now| transaction.claim_due(now, room, &none)).await
    }

    /// When [`Store::claim_due`] has something to do next.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|transaction| transaction.next_due()).await
    }
}

impl Transaction<'_> {
    pub(super) fn claim_due(
        &mut self,
        now: Timestamp,
        room: usize,
        live: &LiveCalls,
    ) -> Result<Vec<Claim>, StoreError> {
        for attempt in self.live_until(now)? {
            let incoming = live.incoming && self.is_incoming(attempt)?;
            if incoming || live.placed.contains(&attempt) {
                // A machine that was suspended in mid-call may still have the far end.
                self.touch(attempt, now)?;
            } else {
                self.interrupt(attempt, now)?;
            }
        }
        self.give_back_lines(now)?;
        let mut claims = vec![];
        if self.policy.suspended {
            return Ok(claims);
        }
        // Each look either claims a call, plans it later or closes it, so the same row does not come again.
        for _ in 0..LOOKS_MAX {
            if claims.len() >= room {
                break;
            }
            let sql = format!("SELECT id FROM {CLAIMABLE} AND due <= ? ORDER BY due, id LIMIT 1");
            let mut find = self.conn.prepare_cached(&sql)?;
            let id = find
                .query_row([self.ahead.counted(now)], |row| row.get(0).map(NotificationId))
                .optional()?;
            let Some(id) = id else { break };
            let claimed = self.within(|it| {
                let mut notification = it.notification(id)?;
                it.claim(&mut notification, now)
            });
            match claimed {
                Ok(claim) => claims.extend(claim),
                Err(error) if error.is_unreadable_row() => self.plan_no_call(id, &error, now)?,
                Err(error) => return Err(error),
            }
        }
        Ok(claims)
    }

    pub(super) fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.policy.suspended {
            return Ok(None);
        }
        let sql = format!(
            "SELECT min(at) FROM (SELECT min(due) AS at FROM {CLAIMABLE}
                 UNION ALL SELECT min(lease_until) FROM attempts WHERE ended IS NULL)"
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        let at: Option<i64> = find.query_row([], |row| row.get(0))?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()).map(|at| self.ahead.wall(at)))
    }

    /// Claims a call if it may start at this instant; else plans it for when it may.
    pub(super) fn claim(
        &mut self,
        notification: &mut Notification,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now {
            return Ok(None);
        }
        let judged = self.judge_call(notification, now)?;
        if let Some(number) = judged.number.as_ref().filter(|it| **it != notification.number) {
            notification.number.clone_from(number);
            self.save(notification, now)?;
        }
        if judged.judgement.is_stopped() {
            return Ok(None);
        }
        let decision = match judged.judgement.call {
            Call::At { at, by } => Decision::Call { at, by },
            Call::Refused(Rule::Never(never)) => Decision::Never(never),
            Call::Refused(Rule::Offline(_)) => {
                self.change(notification, LifecycleEvent::SwitchedOff, now)?;
                return Ok(None);
            }
            Call::Refused(_) | Call::Joins => {
                self.change(notification, LifecycleEvent::Unreachable, now)?;
                return Ok(None);
            }
        };
        let Some(callee) = judged.callee else { return Ok(None) };
        let waiting = self.waiting(&notification.recipient, None)?;
        self.change_among(notification, LifecycleEvent::Planned(decision), &waiting, now)?;
        let State::Waiting { due, .. } = notification.state else { return Ok(None) };
        if due > now {
            return Ok(None);
        }
        let messages = self.readable(&to_read(&waiting), now)?;
        if messages.is_empty() {
            self.change(notification, LifecycleEvent::Emptied, now)?;
            return Ok(None);
        }
        self.start(notification, callee, messages, now).map(Some)
    }

    /// Claims the call about a message that has just been held, where the rules let it ring at this instant.
    pub(super) fn start_new(
        &mut self,
        notification: &mut Notification,
        callee: Subscriber,
        waiting: &[Pending],
        newest: Message,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let messages = match to_read(waiting)[..] {
            [only] if only == newest.id => vec![newest],
            ref more => self.readable(more, now)?,
        };
        self.start(notification, callee, messages, now)
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
            "INSERT INTO attempts (notification, recipient, number, started, counted, lease_until)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let attempt = AttemptId(insert.insert(params![
            notification.id.0,
            notification.recipient.as_str(),
            notification.number.as_str(),
            ms(now),
            self.ahead.counted(now),
            self.ahead.counted(lease_until),
        ])?);
        let of = RingOf::Attempt(attempt);
        let Notification { number, recipient, .. } = &*notification;
        self.write_ring(RingKind::Message, of, number, Some(recipient), now)?;
        for message in &messages {
            self.add_to_call(attempt, message.id, now)?;
            self.write_asker(of, &message.draft.sender.to_bare())?;
            self.note(message.id, now, "call claimed")?;
        }
        let in_call: Vec<Pending> =
            messages.iter().map(|it| Pending { in_call: true, ..Pending::of(it.id) }).collect();
        let claimed = LifecycleEvent::Claimed { attempt, lease_until };
        self.change_among(notification, claimed, &in_call, now)?;
        let pin_locked = self.is_locked(&callee, PinWay::OwnPhone, now)?;
        Ok(Claim {
            notification: notification.id,
            attempt,
            number: notification.number.clone(),
            callee,
            messages,
            continuing,
            pin_locked,
            lease_until,
        })
    }

    /// Tells whether a call of either direction with this number or person is on the line.
    pub(super) fn is_on_the_line(
        &self,
        number: &PhoneNumber,
        person: &BareJid,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM rings WHERE on_the_line = ?
                   UNION ALL SELECT 1 FROM attempts WHERE ended IS NULL AND recipient = ?";
        Ok(self.conn.prepare_cached(sql)?.exists([number.as_str(), person.as_str()])?)
    }

    fn was_partly_heard(&self, notification: &Notification) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts JOIN attempt_messages ON attempt = attempts.id
                   WHERE notification = ? AND spoken IS NOT NULL";
        Ok(self.conn.prepare_cached(sql)?.exists([notification.id.0])?)
    }

    pub(super) fn add_to_call(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO attempt_messages (attempt, message, joined) VALUES (?, ?, ?)";
        self.conn.prepare_cached(sql)?.execute(params![attempt.0, message.0, ms(now)])?;
        Ok(())
    }
}

/// What a call reads, or what it can read on top, of what waits.
///
/// A message that a call was telling when a crash ended it is told alone, so that the one at fault is found and not those
/// beside it.
pub(super) fn to_read(waiting: &[Pending]) -> Vec<MessageId> {
    if waiting.iter().any(|it| it.in_call && it.crash_suspect) {
        return vec![];
    }
    let new = waiting.iter().filter(|it| !it.in_call);
    let harmless = new.clone().filter(|it| !it.crash_suspect).take(MESSAGES_PER_CALL_MAX);
    let ids: Vec<MessageId> = harmless.map(|it| it.id).collect();
    if ids.is_empty() { new.take(1).map(|it| it.id).collect() } else { ids }
}

/// Notifications whose call waits, and whose number and recipient are on no line.
const CLAIMABLE: &str = "notifications WHERE state = 'waiting'
    AND NOT EXISTS (SELECT 1 FROM rings WHERE on_the_line = notifications.number)
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE ended IS NULL AND attempts.recipient = notifications.recipient)";
const MESSAGES_PER_CALL_MAX: usize = 50;
/// How many due rows one claim looks at, at most.
const LOOKS_MAX: usize = 1000;
