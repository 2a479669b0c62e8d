//! Why the stream was lost, and how long to wait before the next attempt.

use std::fmt;
use std::time::Duration;

use tracing::warn;

use super::{LinkError, LinkTimeouts};
use crate::backoff::Backoff;
use crate::seed::Seed;

/// Why the stream is gone, or did not come.
pub(super) enum Lost {
    Closed,
    Broken(String),
    StreamError(String),
    Refused(LinkError),
}

impl Lost {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(LinkError::Conflict { .. }))
            || matches!(self, Self::StreamError(condition) if condition == "conflict")
    }

    fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_for_the_operator())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the stream"),
            Self::Broken(says) => f.write_str(says),
            Self::StreamError(condition) => write!(f, "the server ended the stream: {condition}"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// The pauses between attempts to connect.
pub(super) struct Reconnect {
    timeouts: LinkTimeouts,
    seed: Seed,
    failures: u32,
}

impl Reconnect {
    pub(super) fn new(timeouts: LinkTimeouts, seed: Seed) -> Self {
        Self { timeouts, seed, failures: 0 }
    }

    /// Logs why the link is down, and gives the pause before the next attempt.
    pub(super) fn after(&mut self, lost: &Lost) -> Duration {
        let LinkTimeouts { backoff_max, conflict, .. } = self.timeouts;
        let pause = if lost.is_conflict() {
            conflict + Duration::from_millis(self.seed.below(conflict.as_millis() as u64))
        } else if lost.is_for_the_operator() {
            backoff_max
        } else {
            Backoff::new(FIRST_PAUSE, backoff_max).jittered(self.failures, &mut self.seed)
        };
        self.failures = self.failures.saturating_add(1);
        warn!(because = %lost, next_try_ms = pause.as_millis() as u64, "link down");
        pause
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_a_conflict_waits() {
        let mut reconnect = Reconnect::new(LinkTimeouts::default(), Seed::fixed(1));
        let mut pause = |lost: &Lost| reconnect.after(lost).as_secs_f32();
        let first = pause(&Lost::Closed);
        assert!((0.2..=0.5).contains(&first), "{first}");
        let later: Vec<_> = (0..20).map(|_| pause(&Lost::Closed)).collect();
        assert!(later.iter().all(|it| (0.5..=60.0).contains(it)), "{later:?}");
        assert!(later[12..].iter().all(|it| (30.0..=60.0).contains(it)), "{later:?}");
        for conflict in ["conflict", "conflict"] {
            let waits = pause(&Lost::StreamError(conflict.into()));
            assert!((30.0..=60.0).contains(&waits), "{waits}");
        }
        let (server, jid) = (String::new(), String::new());
        let refused = pause(&Lost::Refused(LinkError::WrongSecret { server, jid }));
        assert!(refused >= 60.0, "{refused}");
    }
}
