//! When it is known who is offline.

use std::time::{Duration, Instant};

/// The wait after the probes: first for the server to have read them, then for its answers.
///
/// Contract: ejabberd answers no probe of a person who is offline, so that silence must be given time to speak.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fence {
    /// The link is down.
    Down,
    /// The probes are on their way; the ping with this id went after them.
    Probing { ping: String, until: Instant },
    /// The server has read the probes; answers come until then.
    Waiting { until: Instant },
    /// Who has not been seen by now is offline.
    Settled,
}

impl Fence {
    pub(super) fn probing(ping: String, now: Instant) -> Self {
        Self::Probing { ping, until: now + PONG_MAX }
    }

    /// Takes the answer to a ping; `false` if it answers another.
    pub(super) fn pong(&mut self, id: &str, now: Instant) -> bool {
        let is_it = matches!(self, Self::Probing { ping, .. } if ping == id);
        if is_it {
            *self = Self::Waiting { until: now + ANSWERS_WITHIN };
        }
        is_it
    }

    /// Whether the link is up.
    pub(super) fn is_up(&self) -> bool {
        *self != Self::Down
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Probing { until, .. } | Self::Waiting { until } => Some(*until),
            Self::Down | Self::Settled => None,
        }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|until| until <= now)
    }
}

const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A server that takes longer has most likely lost the ping, not the probes.
const PONG_MAX: Duration = Duration::from_secs(60);
