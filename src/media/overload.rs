//! Whether one more call would harm those that run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Knows from late turns that the machine does not keep up.
///
/// A single late turn is an accident; several within a second are a machine that has more to do than it can. Then no
/// call begins until a second has gone well. What harms calls is measured, not guessed from their number: another
/// program may be the cause.
#[derive(Debug, Default)]
pub(super) struct Overload {
    late: VecDeque<Instant>,
}

impl Overload {
    /// A turn has begun late. Tells until when no call should begin, if it comes to that.
    pub(super) fn late(&mut self, now: Instant) -> Option<Instant> {
        while self.late.front().is_some_and(|at| now.duration_since(*at) >= SPAN) {
            self.late.pop_front();
        }
        if self.late.len() < LATE_MAX {
            self.late.push_back(now);
        }
        (self.late.len() == LATE_MAX).then_some(now + SPAN)
    }
}

const SPAN: Duration = Duration::from_secs(1);
const LATE_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_few_late_turns_are_an_accident_and_many_are_strain() {
        let (mut overload, start) = (Overload::default(), clock::now());
        let at = |ms| start + Duration::from_millis(ms);
        for ms in [0, 300, 600, 900] {
            assert_eq!(overload.late(at(ms)), None, "at {ms}");
        }
        assert_eq!(overload.late(at(950)), Some(at(1950)), "the fifth in a second");
        assert_eq!(overload.late(at(960)), Some(at(1960)), "and each one after it");
        for ms in [3000, 3300, 3600, 3900, 4200, 4500] {
            assert_eq!(overload.late(at(ms)), None, "one now and then, at {ms}");
        }
    }
}
