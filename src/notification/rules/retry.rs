//! The pause after a call: its settings and its rule.

use std::time::Duration;

use jiff::Timestamp;

use crate::notification::Outcome;

/// From one call about the same messages to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPauses {
    /// After a busy line (`busy_retry_s`).
    pub busy: Duration,
    /// After the first, second, … unanswered call; the last one repeats (`no_answer_retry_s`).
    pub no_answer: Vec<Duration>,
}

impl Default for RetryPauses {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(180),
            no_answer: vec![Duration::from_secs(600), Duration::from_secs(1800)],
        }
    }
}

impl RetryPauses {
    /// The pause after the last call.
    pub(super) fn after(&self, past: &Past, last: &LastCall) -> Duration {
        let pause = match last.outcome {
            Outcome::Busy => self.busy,
            Outcome::TrunkFailed | Outcome::Interrupted | Outcome::Cancelled => {
                SETBACK_PAUSE_MAX.min(SETBACK_PAUSE * (1 << past.setbacks.clamp(1, 6).abs_diff(1)))
            }
            Outcome::Answered
            | Outcome::Machine
            | Outcome::NoAnswer
            | Outcome::Declined
            | Outcome::WrongNumber
            | Outcome::NotEncrypted
            | Outcome::NoSound => {
                let nth = (past.attempts.max(1) - 1) as usize;
                let pauses = &self.no_answer;
                pauses.get(nth).or(pauses.last()).copied().unwrap_or(SETBACK_PAUSE)
            }
        };
        pause.max(last.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }
}

/// The calls of one notification so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Calls that count against the recipient.
    pub attempts: u32,
    /// Calls since then, one after the other, that do not.
    pub setbacks: u32,
    /// The last call.
    pub last: Option<LastCall>,
}

/// How the last call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCall {
    /// What became of it.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Timestamp,
    /// What the far end asked for.
    pub retry_after: Option<Duration>,
}

/// After a call that our side spoiled: a minute, twice that after the next, and so on.
const SETBACK_PAUSE: Duration = Duration::from_secs(60);
const SETBACK_PAUSE_MAX: Duration = Duration::from_secs(30 * 60);
/// No far end silences us for longer than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
