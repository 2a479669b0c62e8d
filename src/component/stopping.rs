//! The way from SIGTERM to the end of the stream.

use std::time::{Duration, Instant};

use super::events::{Now, Timer};

/// The phases of a stop, each with its share of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopping {
    /// The calls end and are settled. Messages that come meanwhile are still held.
    Calls { until: Instant },
    /// Nothing more is read; what was read becomes durable, and what is owed goes out.
    Flush { until: Instant },
    /// Everything is done, or its time is over.
    Done,
}

impl Stopping {
    pub(super) fn begin(now: Now) -> Self {
        Self::Calls { until: now.mono + CALLS_END_WITHIN }
    }

    /// The next phase, if this one has reached its aim or has no time left.
    pub(super) fn next(self, reached: bool, now: Now) -> Option<Self> {
        match self {
            Self::Calls { until } if reached || until <= now.mono => {
                Some(Self::Flush { until: now.mono + FLUSHED_WITHIN })
            }
            Self::Flush { until } if reached || until <= now.mono => Some(Self::Done),
            Self::Calls { .. } | Self::Flush { .. } | Self::Done => None,
        }
    }

    pub(super) fn deadline(self) -> Option<(Instant, Timer)> {
        match self {
            Self::Calls { until } | Self::Flush { until } => Some((until, Timer::Stop)),
            Self::Done => None,
        }
    }
}

/// Time for a CANCEL or BYE and its answer.
const CALLS_END_WITHIN: Duration = Duration::from_secs(4);
const FLUSHED_WITHIN: Duration = Duration::from_secs(2);

/// The longest that a component takes from [`Input::Stop`](super::Input::Stop) to
/// [`Output::CloseStream`](super::Output::CloseStream).
pub const STOPS_WITHIN: Duration = CALLS_END_WITHIN.saturating_add(FLUSHED_WITHIN);
