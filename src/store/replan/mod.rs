//! Plans that are asked for anew, as rules, people, the clock or a trunk have changed: of whom it concerns, in slices.

use std::mem;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::NotificationId;
use crate::notification::lifecycle::LifecycleEvent;
use crate::notification::policy::Policy;
use crate::subscriber::Subscriber;

impl Store {
    /// Takes over new rules and the people whom the operator has configured, all or nothing. Gives everyone who can be phoned.
    ///
    /// Contract: what it changes for few is planned anew at once; else [`Store::replan_wanted`] fires.
    pub async fn adopt(
        &self,
        policy: Policy,
        subscribers: Vec<Subscriber>,
        now: impl Into<Moment>,
    ) -> Result<Vec<Subscriber>, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.adopt(policy, &subscribers, now)).await
    }

    /// Asks the rules again for all that waits, in slices between which other operations have their turn.
    pub async fn replan(&self, now: impl Into<Moment>) -> Result<(), StoreError> {
        let now = now.into();
        let mut after = String::new();
        while let Some(last) = self.ask_at(now, move |it, now| it.replan_slice(&after, now)).await?
        {
            after = last;
        }
        Ok(())
    }
}

impl Transaction<'_> {
    pub(super) fn adopt(
        &mut self,
        policy: Policy,
        subscribers: &[Subscriber],
        now: Timestamp,
    ) -> Result<Vec<Subscriber>, StoreError> {
        let suspended = self.policy.suspended;
        let before = mem::replace(self.policy, Policy { suspended, ..policy });
        let adopted =
            self.configure_subscribers(subscribers, now).and_then(|()| self.subscribers());
        if adopted.is_err() {
            *self.policy = before;
        } else {
            self.wake_replan |= *self.policy != before;
        }
        adopted
    }

    /// Asks the rules again for the calls to these people; for many of them it is done in slices.
    pub(super) fn replan_people(
        &mut self,
        people: &[BareJid],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if people.len() > REPLANNED_AT_ONCE_MAX {
            self.wake_replan = true;
            return Ok(());
        }
        for person in people {
            let sql = "SELECT id FROM notifications WHERE recipient = ? AND state <> 'closed' AND state = 'waiting'";
            for id in self.numbers(sql, [person.as_str()])? {
                self.replan_or_close(NotificationId(id), now)?;
            }
        }
        Ok(())
    }

    /// Asks the rules again for some of the calls that wait, of the recipients that come after `after` in the order of
    /// their addresses. Gives the last recipient it has asked for, or `None` when there is none behind them.
    ///
    /// What changes is told behind all else.
    pub(super) fn replan_slice(
        &mut self,
        after: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let mut find = self.conn.prepare_cached(NEXT_TO_REPLAN)?;
        let found = find.query_map(params![after, REPLANNED_AT_ONCE_MAX as i64], |row| {
            Ok((NotificationId(row.get(0)?), row.get(1)?))
        })?;
        let slice: Vec<(_, String)> = found.collect::<Result<_, _>>()?;
        drop(find);
        let is_full = slice.len() == REPLANNED_AT_ONCE_MAX;
        self.in_bulk(|it| slice.iter().try_for_each(|(id, _)| it.replan_or_close(*id, now)))?;
        Ok(slice.into_iter().next_back().map(|(_, recipient)| recipient).filter(|_| is_full))
    }

    /// A trunk works again: calls that failed at trunks are due as if those had not been made, up to `limit` of them.
    /// Tells how many there were.
    pub(super) fn trunk_works(
        &mut self,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let limit = limit.min(REPLANNED_AT_ONCE_MAX);
        let waiting = self.numbers(FAILED_AT_TRUNKS, [limit as i64])?;
        for id in waiting.iter().copied().map(NotificationId) {
            // The phone did not ring, so no limit of calls to it counts them.
            let sql = "UPDATE attempts SET invited = 0
                       WHERE notification = ? AND outcome = 'trunk_failed' AND rung IS NULL AND invited = 1";
            self.conn.prepare_cached(sql)?.execute([id.0])?;
            let sql = "UPDATE rings SET invited = 0 WHERE invited = 1 AND attempt IN (
                           SELECT id FROM attempts WHERE notification = ? AND invited = 0)";
            self.conn.prepare_cached(sql)?.execute([id.0])?;
            let forgotten = self.within(|it| {
                let mut notification = it.notification(id)?;
                it.change(&mut notification, LifecycleEvent::TrunkWorks, now).map(drop)
            });
            match forgotten {
                Err(error) if error.is_unreadable_row() => self.plan_no_call(id, &error, now)?,
                forgotten => forgotten?,
            }
            self.in_bulk(|it| it.replan_or_close(id, now))?;
        }
        Ok(waiting.len())
    }

    fn replan_or_close(&mut self, id: NotificationId, now: Timestamp) -> Result<(), StoreError> {
        match self.replan_one(id, now) {
            Err(error) if error.is_unreadable_row() => self.plan_no_call(id, &error, now),
            planned => planned,
        }
    }

    fn replan_one(&mut self, id: NotificationId, now: Timestamp) -> Result<(), StoreError> {
        let mut notification = self.notification(id)?;
        let decision = self.decide(&notification, now)?;
        self.change(&mut notification, LifecycleEvent::Planned(decision), now).map(drop)
    }
}

/// The index of open notifications is one over recipients.
const NEXT_TO_REPLAN: &str = "SELECT id, recipient FROM notifications
    WHERE state <> 'closed' AND state = 'waiting' AND recipient > ? ORDER BY recipient LIMIT ?";
const FAILED_AT_TRUNKS: &str = "SELECT id FROM notifications
    WHERE state = 'waiting' AND last_outcome = 'trunk_failed' ORDER BY due, id LIMIT ?";
/// Bounds how long one slice keeps other operations waiting: each call asks for its history.
const REPLANNED_AT_ONCE_MAX: usize = 50;

#[cfg(test)]
mod tests;
