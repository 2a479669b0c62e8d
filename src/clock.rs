//! The only place that reads a clock. Everything else is told what time it is.

#![allow(clippy::disallowed_methods)]

use std::time::Instant;

pub use jiff::Timestamp;

/// Tells the monotonic time, for deadlines within a run.
pub fn now() -> Instant {
    Instant::now()
}

/// Tells the wall time, for what lives for days.
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}
