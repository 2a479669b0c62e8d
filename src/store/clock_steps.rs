//! The time of each operation, and what follows when the wall clock was set.

use jiff::{SignedDuration, Timestamp};

use super::counted_time::{CountedTime, Remembered};
use super::transaction::Transaction;
use super::{StoreError, whole_ms};
use crate::clock::Moment;
use crate::notification::NotificationId;
use crate::notification::lifecycle::{LifecycleEvent, State};

impl Transaction<'_> {
    /// Takes the time of an operation. Gives its wall time, as coarse as the tables hold it.
    pub(super) fn at(&mut self, now: Moment) -> Timestamp {
        self.ahead = self.time.look(now);
        whole_ms(now.wall)
    }

    /// Goes on counting where an earlier run has stopped.
    pub(super) fn resume_time(&mut self, now: Moment) -> Result<Timestamp, StoreError> {
        *self.time = CountedTime::resume(Remembered::read(self.conn)?, now);
        let wall = self.at(now);
        self.remember_clocks(now)?;
        Ok(wall)
    }

    /// The wall clock was set: each call is planned anew, and its sender reads of it where the time that they were told is
    /// not true any more.
    pub(super) fn clock_stepped(&mut self, now: Moment) -> Result<(), StoreError> {
        let wall = self.at(now);
        let by = SignedDuration::from_millis(self.time.step(now));
        self.remember_clocks(now)?;
        if by.is_zero() {
            return Ok(());
        }
        for id in self.numbers(WAITING, [])?.into_iter().map(NotificationId) {
            match self.replan_after_step(id, by, wall) {
                Err(error) if error.is_unreadable_row() => self.plan_no_call(id, &error, wall)?,
                planned => planned?,
            }
        }
        self.wake_due = true;
        Ok(())
    }

    /// The wall clock has stood for long enough to be believed.
    pub(super) fn clock_proved(&mut self, now: Moment) -> Result<(), StoreError> {
        if !self.time.prove() {
            return Ok(());
        }
        self.at(now);
        self.remember_clocks(now)?;
        (self.wake_replan, self.wake_due) = (true, true);
        Ok(())
    }

    fn replan_after_step(
        &mut self,
        id: NotificationId,
        by: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut notification = self.notification(id)?;
        let decision = self.decide(&notification, now)?;
        // What its sender was told is the time on the clock as it stood then.
        if let State::Waiting { due, .. } = &mut notification.state {
            *due = due.checked_sub(by).unwrap_or(*due);
        }
        let version = notification.version;
        self.change(&mut notification, LifecycleEvent::Planned(decision), now)?;
        // The same time on another clock is another moment.
        if notification.version == version { self.save(&mut notification, now) } else { Ok(()) }
    }

    fn remember_clocks(&self, now: Moment) -> Result<(), StoreError> {
        self.time.to_remember(now).write(self.conn)
    }
}

const WAITING: &str = "SELECT id FROM notifications WHERE state = 'waiting' ORDER BY due, id";
