//! What is done from time to time, or in slices behind all else: old messages removed, people erased as asked from outside,
//! calls planned anew, many messages delivered.

use std::mem;
use std::time::{Duration, Instant};

use tracing::info;

use super::events::{Now, Timer};
use super::jobs::Effects;
use crate::store::erasure::LOOKS_EVERY;
use crate::store::{Expired, ExpiryStep, JobDone, StoreJob};
use crate::trunks::TrunkNews;

/// Each is one job at a time. A large one comes in slices, and everything else goes on between them.
#[derive(Debug)]
pub(super) struct Housekeeping {
    expiry: Chore,
    expiry_step: ExpiryStep,
    /// What this pass of the expiry has found so far.
    found: usize,
    erasure: Chore,
    alerts: Chore,
    /// Alerts are told over the stream, so they wait for it.
    has_link: bool,
    replan: Chore,
    /// The last recipient whose call was planned anew in this pass.
    replanned: String,
    delivery: Chore,
    trunk: Chore,
    /// How many calls that failed at trunks are to be brought forward.
    brings_forward: usize,
    stopping: bool,
}

#[derive(Debug)]
struct Chore {
    runs: bool,
    /// It was asked for again while it ran.
    again: bool,
    /// When the next slice is due.
    at: Option<Instant>,
}

impl Housekeeping {
    /// What an earlier run has left undone is begun, too.
    pub(super) fn new(now: Now) -> Self {
        let at = |at| Chore { runs: false, again: false, at };
        let begins = || at(Some(now.mono));
        Self {
            expiry: begins(),
            expiry_step: ExpiryStep::default(),
            found: 0,
            erasure: begins(),
            alerts: begins(),
            has_link: false,
            replan: begins(),
            replanned: String::new(),
            delivery: begins(),
            trunk: at(None),
            brings_forward: 0,
            stopping: false,
        }
    }

    pub(super) fn step(&mut self, now: Now, effects: &mut Effects) {
        if self.stopping {
            return;
        }
        if self.delivery.begins(now) {
            effects.store(StoreJob::DeliverMore, now);
        }
        if self.trunk.begins(now) {
            effects.store(StoreJob::TrunkWorks { limit: self.brings_forward }, now);
        }
        if self.replan.begins(now) {
            effects.store(StoreJob::Replan { after: self.replanned.clone() }, now);
        }
        if self.expiry.begins(now) {
            effects.store(StoreJob::Expire(self.expiry_step), now);
        }
        if self.erasure.begins(now) {
            effects.store(StoreJob::EraseAsAsked, now);
        }
        if self.has_link && self.alerts.begins(now) {
            effects.store(StoreJob::TakeAlerts, now);
        }
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let chores = [
            (&self.delivery, Timer::Slice),
            (&self.trunk, Timer::Slice),
            (&self.replan, Timer::Slice),
            (&self.expiry, Timer::Expiry),
            (&self.erasure, Timer::Erasure),
        ];
        let alerts = self.has_link.then_some((&self.alerts, Timer::Alerts));
        let waiting = chores.into_iter().chain(alerts);
        let waiting = waiting.filter(|(chore, _)| !chore.runs && !self.stopping);
        waiting.filter_map(|(chore, timer)| Some((chore.at?, timer))).min_by_key(|(at, _)| *at)
    }

    /// A slice is done: `None` if the store failed.
    pub(super) fn done(&mut self, job: &StoreJob, done: Option<JobDone>, now: Now) {
        match (job, done) {
            (StoreJob::Expire(_), Some(JobDone::Expired(slice))) => self.expired(slice, now),
            (StoreJob::Expire(_), _) => self.expiry.ended(Some(now.mono + EXPIRY)),
            (StoreJob::TakeAlerts, _) => self.alerts.ended(Some(now.mono + LOOKS_EVERY)),
            (StoreJob::EraseAsAsked, _) => self.erasure.ended(Some(now.mono + LOOKS_EVERY)),
            (StoreJob::Replan { .. }, Some(JobDone::Replanned(last))) => self.replanned(last, now),
            (StoreJob::Replan { .. }, _) => self.replan.ended(Some(now.mono + RETRY)),
            (StoreJob::DeliverMore, Some(JobDone::DeliveredMore(more))) => {
                self.delivery.ended(more.then_some(now.mono));
            }
            (StoreJob::DeliverMore, _) => self.delivery.ended(Some(now.mono + RETRY)),
            (StoreJob::TrunkWorks { limit }, Some(JobDone::BroughtForward(calls))) => {
                self.brought_forward(*limit, calls, now);
            }
            (StoreJob::TrunkWorks { .. }, _) => self.trunk.ended(Some(now.mono + RETRY)),
            (_, _) => {}
        }
    }

    fn expired(&mut self, Expired { found, next }: Expired, now: Now) {
        self.found += found;
        self.expiry_step = next.unwrap_or_default();
        if next.is_some() {
            return self.expiry.ended(Some(now.mono));
        }
        let found = mem::take(&mut self.found);
        if found > 0 {
            info!(found, "expired messages and old records removed");
        }
        self.expiry.ended(Some(now.mono + EXPIRY));
    }

    /// All that waits is to be planned anew, from the beginning.
    pub(super) fn replan(&mut self, now: Now) {
        self.replanned.clear();
        self.replan.asked(now);
    }

    /// A slice is done, up to the `last` recipient if there may be others behind.
    fn replanned(&mut self, last: Option<String>, now: Now) {
        let goes_on = last.is_some();
        if !self.replan.again {
            self.replanned = last.unwrap_or_default();
        }
        self.replan.ended(goes_on.then_some(now.mono));
    }

    /// Messages are left for somebody who has come online.
    pub(super) fn deliver_more(&mut self, now: Now) {
        self.delivery.asked(now);
    }

    /// The stream is up, or lost.
    pub(super) fn link(&mut self, is_up: bool) {
        self.has_link = is_up;
    }

    /// A trunk that had failed does not any more.
    pub(super) fn trunk(&mut self, news: TrunkNews, now: Now) {
        self.brings_forward = match news {
            TrunkNews::Answers => self.brings_forward.max(1),
            TrunkNews::Works => usize::MAX,
        };
        self.trunk.asked(now);
    }

    /// A slice of up to `limit` calls is done.
    fn brought_forward(&mut self, limit: usize, calls: usize, now: Now) {
        let over = calls == 0 || limit == 1;
        if over && !self.trunk.again {
            self.brings_forward = 0;
        }
        self.trunk.ended((!over).then_some(now.mono));
    }

    /// More time has passed than the timers know of.
    pub(super) fn wake(&mut self, now: Now) {
        for chore in [&mut self.expiry, &mut self.erasure] {
            chore.at = chore.at.map(|at| at.min(now.mono));
        }
    }

    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }
}

impl Chore {
    fn begins(&mut self, now: Now) -> bool {
        let begins = !self.runs && self.at.is_some_and(|at| at <= now.mono);
        if begins {
            (self.runs, self.again) = (true, false);
        }
        begins
    }

    /// It is to be done now, or once more if it runs.
    fn asked(&mut self, now: Now) {
        (self.again, self.at) = (self.runs, Some(now.mono));
    }

    /// It no longer runs; what was asked for meanwhile is not put off.
    fn ended(&mut self, next: Option<Instant>) {
        self.runs = false;
        if !mem::take(&mut self.again) {
            self.at = next;
        }
    }
}

const EXPIRY: Duration = Duration::from_secs(60);
/// Until what the store could not do is tried again.
const RETRY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
