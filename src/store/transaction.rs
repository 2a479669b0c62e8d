//! The tables within one transaction, and how a notification is changed in them.

use std::cell::Cell;
use std::mem;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::columns::{ColumnValue, Columns, misfit, ms, span_ms};
use super::counted_time::{Ahead, CountedTime};
use super::subscriber_cache::SubscriberCache;
use crate::notification::lifecycle::{
    Closing, LifecycleEvent, Notification, Pending, Situation, State,
};
use crate::notification::policy::Policy;
use crate::notification::rules::{History, LastCall, Past};
use crate::notification::{AttemptId, MessageId, NotificationId};
use crate::seed::Seed;

/// The tables, lent to one operation after the other within a group.
pub(super) struct Transaction<'w> {
    pub(super) conn: &'w Connection,
    pub(super) policy: &'w mut Policy,
    pub(super) seed: &'w mut Seed,
    pub(super) subscriber_cache: &'w SubscriberCache,
    pub(super) time: &'w mut CountedTime,
    /// How far the wall clock is ahead of counted time, in this operation.
    pub(super) ahead: Ahead,
    /// Set when a plan changed or a call ended, so that the dialer looks again.
    pub(super) wake_due: bool,
    /// Set when a stanza became owed.
    pub(super) wake_outbox: bool,
    /// Set when something was recorded.
    pub(super) wake_voice: bool,
    /// Set when all that waits is to be planned anew.
    pub(super) wake_replan: bool,
    /// What becomes owed now is owed to many at once, and goes behind what somebody waits for.
    pub(super) in_bulk: bool,
    /// Set when something is to be gone from the file, too.
    pub(super) wipes: bool,
    /// How many rows were changed that live as long as the connection and are not in the file.
    pub(super) temporary: Cell<u64>,
    /// What made SQLite give up the whole transaction.
    pub(super) broken_by: Option<StoreError>,
}

impl<'w> Transaction<'w> {
    pub(super) fn new(
        conn: &'w Connection,
        policy: &'w mut Policy,
        seed: &'w mut Seed,
        subscriber_cache: &'w SubscriberCache,
        time: &'w mut CountedTime,
    ) -> Self {
        Self {
            conn,
            policy,
            seed,
            subscriber_cache,
            time,
            ahead: Ahead::default(),
            wake_due: false,
            wake_outbox: false,
            wake_voice: false,
            wake_replan: false,
            in_bulk: false,
            wipes: false,
            temporary: Cell::new(0),
            broken_by: None,
        }
    }

    /// Runs one operation so that its failure leaves no trace and harms no other of its group.
    pub(super) fn within<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let wakes = (self.wake_due, self.wake_outbox, self.wake_voice, self.wake_replan);
        let time = *self.time;
        self.conn.prepare_cached("SAVEPOINT operation")?.execute([])?;
        let result = work(self).and_then(|value| {
            self.conn.prepare_cached("RELEASE operation")?.execute([])?;
            Ok(value)
        });
        if let Err(error) = &result {
            (self.wake_due, self.wake_outbox, self.wake_voice, self.wake_replan) = wakes;
            *self.time = time;
            self.subscriber_cache.forget();
            if self.conn.is_autocommit() {
                self.broken_by = Some(error.clone());
            } else {
                self.conn.execute_batch("ROLLBACK TO operation; RELEASE operation")?;
            }
        }
        result
    }

    /// Does `work`, by which much becomes owed to many: it goes behind what somebody waits for.
    pub(super) fn in_bulk<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let before = mem::replace(&mut self.in_bulk, true);
        let result = work(self);
        self.in_bulk = before;
        result
    }

    /// Counts rows that were changed in a temporary table.
    pub(super) fn changed_temporary(&self, rows: usize) {
        self.temporary.set(self.temporary.get() + rows as u64);
    }

    /// The open notification of a person.
    pub(super) fn open_notification(
        &self,
        recipient: &BareJid,
    ) -> Result<Option<Notification>, StoreError> {
        let sql = "SELECT * FROM notifications WHERE recipient = ? AND state <> 'closed'";
        let mut find = self.conn.prepare_cached(sql)?;
        Ok(find.query_row([recipient.as_str()], |row| notification(row, self.ahead)).optional()?)
    }

    /// The notification of that name.
    pub(super) fn notification(&self, id: NotificationId) -> Result<Notification, StoreError> {
        let mut find = self.conn.prepare_cached("SELECT * FROM notifications WHERE id = ?")?;
        Ok(find.query_row([id.0], |row| notification(row, self.ahead))?)
    }

    /// Hands an event to a notification, saves it under its version, and writes down what is owed.
    /// Tells whether anything is.
    pub(super) fn change(
        &mut self,
        notification: &mut Notification,
        event: LifecycleEvent<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let waiting = match event {
            LifecycleEvent::Held(_)
            | LifecycleEvent::Joined(_)
            | LifecycleEvent::TrunkWorks
            | LifecycleEvent::CameOnline
            | LifecycleEvent::Emptied => vec![],
            LifecycleEvent::Claimed { .. }
            | LifecycleEvent::Planned(_)
            | LifecycleEvent::Progressed(_)
            | LifecycleEvent::Ended(_)
            | LifecycleEvent::Withdrawn
            | LifecycleEvent::SwitchedOff
            | LifecycleEvent::Unreachable => {
                let attempt = match notification.state {
                    State::Calling { attempt, .. } => Some(attempt),
                    State::Waiting { .. } | State::Closed(_) => None,
                };
                self.waiting(&notification.recipient, attempt)?
            }
        };
        self.change_among(notification, event, &waiting, now)
    }

    /// As [`Transaction::change`], where it is known already what waits.
    pub(super) fn change_among(
        &mut self,
        notification: &mut Notification,
        event: LifecycleEvent<'_>,
        waiting: &[Pending],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A call after which no message waits is not followed by another.
        let ended = matches!(event, LifecycleEvent::Ended(_) | LifecycleEvent::Withdrawn)
            && !waiting.is_empty();
        let (mut history, mut second) = (History::default(), None);
        if ended {
            let callee = self.subscriber(&notification.recipient)?;
            history = self.history_of(notification, callee.as_ref(), now)?;
            second = callee.and_then(|it| it.second).filter(|number| self.policy.may_dial(number));
        }
        let before = notification.clone();
        let situation =
            Situation { waiting, second: second.as_ref(), history: &history, policy: self.policy };
        let owed = notification.apply(event, &situation, now);
        if *notification != before {
            self.save(notification, now)?;
            self.wake_due = true;
        }
        for (message, reply) in &owed {
            self.owe(*message, reply, now)?;
        }
        Ok(!owed.is_empty())
    }

    /// Writes a new notification, without a plan yet.
    pub(super) fn insert_notification(
        &mut self,
        callee: &crate::subscriber::Subscriber,
        number: &crate::phone_number::PhoneNumber,
        now: Timestamp,
    ) -> Result<Notification, StoreError> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO notifications (recipient, number, state, due, why, opened)
             VALUES (?1, ?2, 'waiting', ?3, 'gathering', ?3)",
        )?;
        let id = insert.insert(params![
            callee.jid.as_str(),
            number.as_str(),
            self.ahead.counted(now)
        ])?;
        self.wake_due = true;
        Ok(Notification::open(NotificationId(id), callee.jid.clone(), number.clone(), now))
    }

    pub(super) fn save(
        &self,
        notification: &mut Notification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Notification { id, number, second, state, past, version, .. } = &*notification;
        let (mut due, mut why, mut attempt, mut lease, mut closing) =
            (None, None, None, None, None);
        let word = match state {
            State::Waiting { due: at, why: because } => {
                (due, why) = (Some(self.ahead.counted(*at)), Some(because.word()));
                "waiting"
            }
            State::Calling { attempt: call, lease_until } => {
                (attempt, lease) = (Some(call.0), Some(self.ahead.counted(*lease_until)));
                "calling"
            }
            State::Closed(because) => {
                closing = Some(because.word());
                "closed"
            }
        };
        let mut update = self.conn.prepare_cached(
            "UPDATE notifications SET number = :number, second = :second, state = :state, due = :due, why = :why,
                 attempt = :attempt, lease_until = :lease, closing = :closing,
                 closed = iif(:state = 'closed', coalesce(closed, :now), NULL),
                 attempts = :attempts, setbacks = :setbacks, last_outcome = :last_outcome,
                 last_ended = :last_ended, last_retry_after = :last_retry_after, version = version + 1
             WHERE id = :id AND version = :version",
        )?;
        let changed = update.execute(named_params! {
            ":number": number.as_str(),
            ":second": second,
            ":state": word,
            ":due": due,
            ":why": why,
            ":attempt": attempt,
            ":lease": lease,
            ":closing": closing,
            ":now": self.ahead.counted(now),
            ":attempts": past.attempts,
            ":setbacks": past.setbacks,
            ":last_outcome": past.last.map(|last| last.outcome.word()),
            ":last_ended": past.last.map(|last| self.ahead.counted(last.ended)),
            ":last_retry_after": past.last.and_then(|last| last.retry_after).map(span_ms),
            ":id": id.0,
            ":version": *version as i64,
        })?;
        if changed != 1 {
            return Err(StoreError::Conflict);
        }
        notification.version += 1;
        Ok(())
    }

    /// The messages a person is still to be phoned about, oldest first.
    pub(super) fn waiting(
        &self,
        recipient: &BareJid,
        attempt: Option<AttemptId>,
    ) -> Result<Vec<Pending>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT id, EXISTS (SELECT 1 FROM attempt_messages WHERE attempt = ?2 AND message = waiting_messages.id), crash_suspect > 0
             FROM waiting_messages WHERE recipient = ?1 ORDER BY id",
        )?;
        let found = find.query_map(params![recipient.as_str(), attempt.map(|a| a.0)], |row| {
            let id = MessageId(row.get(0)?);
            Ok(Pending { id, in_call: row.get(1)?, crash_suspect: row.get(2)? })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Writes down a step for `offhook trace`.
    pub(super) fn note(
        &self,
        message: MessageId,
        now: Timestamp,
        what: &str,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO events (message, at, what) VALUES (?, ?, ?)";
        self.conn.prepare_cached(sql)?.execute(params![message.0, ms(now), what])?;
        Ok(())
    }
}

pub(super) fn notification(row: &Row<'_>, ahead: Ahead) -> rusqlite::Result<Notification> {
    let state: String = row.get("state")?;
    let state = match state.as_str() {
        "waiting" => State::Waiting { due: ahead.wall(row.time("due")?), why: row.word("why")? },
        "calling" => State::Calling {
            attempt: AttemptId(row.get("attempt")?),
            lease_until: ahead.wall(row.time("lease_until")?),
        },
        "closed" => State::Closed(row.word::<Closing>("closing")?),
        _ => return Err(misfit("state")),
    };
    let last = match row.maybe_word("last_outcome")? {
        Some(outcome) => Some(LastCall {
            outcome,
            ended: ahead.wall(row.time("last_ended")?),
            retry_after: row.maybe_span("last_retry_after")?,
        }),
        None => None,
    };
    Ok(Notification {
        id: NotificationId(row.get("id")?),
        recipient: row.parsed("recipient")?,
        number: row.parsed("number")?,
        second: row.get("second")?,
        state,
        past: Past { attempts: row.get("attempts")?, setbacks: row.get("setbacks")?, last },
        version: row.get::<_, i64>("version")?.unsigned_abs(),
    })
}

/// How long a call may go without a sign of life before it counts as lost.
pub(super) const LEASE: Duration = Duration::from_secs(600);
