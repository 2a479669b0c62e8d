//! The machine's clocks: what follows when the wall clock was set, or the machine was suspended.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tracing::info;

use super::events::{Now, Timer};
use super::jobs::Effects;
use crate::store::StoreJob;

/// Compares the clocks with each input, and at least every few seconds.
///
/// Contract: what counts time is right by itself (`store::counted_time`). Here is noticed when what was planned and told by
///           the wall clock is not true any more, and when timers have stood still.
#[derive(Debug)]
pub(super) struct Clocks {
    stepped: SignedDuration,
    suspended: Duration,
    look_at: Instant,
    /// When the wall clock has proved itself, if it is not set before.
    proved_at: Option<Instant>,
}

impl Clocks {
    pub(super) fn new(now: Now) -> Self {
        Self {
            stepped: now.at.stepped,
            suspended: now.at.suspended,
            look_at: now.mono + LOOKS_EVERY,
            proved_at: Some(now.mono + PROVED_AFTER),
        }
    }

    /// Looks at the clocks. Tells whether timers of all parts have stood still.
    pub(super) fn look(&mut self, now: Now, effects: &mut Effects) -> bool {
        self.look_at = now.mono + LOOKS_EVERY;
        let by = now.at.stepped - self.stepped;
        if !by.is_zero() {
            info!(by_s = by.as_secs(), "wall clock was set; calls are planned anew");
            self.stepped = now.at.stepped;
            self.proved_at = Some(now.mono + PROVED_AFTER);
            effects.store(StoreJob::ClockStepped, now);
        }
        if self.proved_at.is_some_and(|at| at <= now.mono) {
            self.proved_at = None;
            effects.store(StoreJob::ClockProved, now);
        }
        let slept = now.at.suspended.saturating_sub(self.suspended);
        self.suspended = now.at.suspended;
        if !slept.is_zero() {
            info!(for_s = slept.as_secs(), "machine was suspended");
        }
        !slept.is_zero()
    }

    pub(super) fn deadline(&self) -> (Instant, Timer) {
        (self.look_at, Timer::Clocks)
    }
}

/// So late a step is noticed at most.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// A clock that is wrong after the machine's start is usually set within a minute or two.
const PROVED_AFTER: Duration = Duration::from_secs(600);
