//! Which voice reply is delivered next, and when one that failed is tried again.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::events::{DeliveryEvent, Now, Output, Timer};
use super::jobs::Effects;
use crate::backoff::Backoff;
use crate::notification::{Recording, RecordingId};
use crate::store::{NotPassedOn, StoreJob};

/// One recording at a time: what is kept waiting is safe.
#[derive(Debug)]
pub(super) struct Deliveries {
    looking: bool,
    /// The one on its way, and how often it was tried before.
    current: Option<(RecordingId, u32)>,
    look_at: Instant,
    stopping: bool,
}

impl Deliveries {
    pub(super) fn new(now: Now) -> Self {
        Self { looking: false, current: None, look_at: now.mono, stopping: false }
    }

    /// Something was recorded, or the store knows when a recording is due again.
    pub(super) fn wake(&mut self, now: Now) {
        self.look_at = self.look_at.min(now.mono);
    }

    pub(super) fn step(&mut self, now: Now, effects: &mut Effects) {
        if self.may_look() && self.look_at <= now.mono {
            self.looking = true;
            // A wake-up from here on is for what this look may miss.
            self.look_at = now.mono + IDLE;
            effects.store(StoreJob::NextRecording, now);
        }
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        self.may_look().then_some((self.look_at, Timer::Delivery))
    }

    fn may_look(&self) -> bool {
        !self.stopping && !self.looking && self.current.is_none()
    }

    /// A look is over: `None` if the store failed.
    pub(super) fn looked(
        &mut self,
        found: Option<(Option<Recording>, Option<Duration>)>,
        now: Now,
        effects: &mut Effects,
    ) {
        self.looking = false;
        let pause = match found {
            None => RETRY_MIN,
            Some((Some(recording), _)) => {
                if !self.stopping {
                    self.current = Some((recording.id, recording.tries));
                    effects.push(Output::Deliver(Box::new(recording)));
                }
                return;
            }
            Some((None, Some(next))) => next.min(IDLE),
            Some((None, None)) => IDLE,
        };
        self.look_at = self.look_at.min(now.mono + pause);
    }

    /// A delivery is over.
    pub(super) fn ended(
        &mut self,
        recording: RecordingId,
        event: DeliveryEvent,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some((_, tries)) = self.current.take_if(|(id, _)| *id == recording) else { return };
        self.look_at = now.mono;
        let pause = match event {
            DeliveryEvent::Delivered => return info!("voice reply delivered"),
            DeliveryEvent::NoWay => RETRY_MAX,
            DeliveryEvent::Failed => BACKOFF.after(tries),
        };
        warn!(next_try_s = pause.as_secs(), "voice reply not delivered; it is kept");
        // Until the store knows the pause it would give the same one again.
        self.look_at = now.mono + RETRY_MIN;
        let no_way = event == DeliveryEvent::NoWay;
        let why = if no_way { NotPassedOn::NoWay } else { NotPassedOn::Failed };
        effects.store(StoreJob::RecordingFailed { recording, why, pause }, now);
    }

    pub(super) fn stop(&mut self, effects: &mut Effects) {
        self.stopping = true;
        if self.current.is_some() {
            effects.push(Output::StopDeliveries);
        }
    }
}

const BACKOFF: Backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(3600);
