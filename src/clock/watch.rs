//! Notices that the wall clock was set, or that the machine was suspended, by comparing three clocks.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What three clocks of the machine show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since the machine started, without the time it was suspended (`CLOCK_MONOTONIC`).
    pub awake: Duration,
    /// Since the machine started (`CLOCK_BOOTTIME`).
    pub up: Duration,
    /// The wall clock.
    pub wall: Timestamp,
}

/// Compares readings with the first one.
///
/// Contract: what it tells is the same from one step to the next, so that times which are converted with it and back
///           are what they were. Readings may come from any thread, in the order in which they were made.
#[derive(Clone, Copy, Debug)]
pub struct ClockWatch {
    begun: Reading,
    parted: Parted,
}

/// By how much the clocks have parted since the first reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// How far the wall clock was set forward; back is negative.
    pub stepped: SignedDuration,
    /// How long the machine was suspended.
    pub suspended: Duration,
}

impl ClockWatch {
    /// Begins with this reading.
    pub fn begin(begun: Reading) -> Self {
        Self { begun, parted: Parted::default() }
    }

    /// Takes a reading. Gives how far the clocks have parted, where that is news.
    pub fn look(&mut self, reading: Reading) -> Option<Parted> {
        let before = self.parted;
        let up = signed(reading.up) - signed(self.begun.up);
        let stepped = reading.wall.duration_since(self.begun.wall) - up;
        if (stepped - self.parted.stepped).abs() >= STEP_MIN {
            self.parted.stepped = SignedDuration::from_millis(millis(stepped));
        }
        let slept = |it: Reading| it.up.saturating_sub(it.awake);
        let suspended = slept(reading).saturating_sub(slept(self.begun));
        if suspended >= self.parted.suspended + SUSPENSION_MIN {
            self.parted.suspended = suspended;
        }
        (self.parted != before).then_some(self.parted)
    }

    /// How far the clocks had parted at the last reading.
    pub fn parted(&self) -> Parted {
        self.parted
    }
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

fn millis(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// What is less moves no call that a person would notice, and two clocks cannot be read at once.
const STEP_MIN: SignedDuration = SignedDuration::from_secs(1);
const SUSPENSION_MIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(awake_ms: u64, up_ms: u64, wall_ms: i64) -> Reading {
        let wall = Timestamp::from_millisecond(1_780_000_000_000 + wall_ms).unwrap();
        Reading { awake: Duration::from_millis(awake_ms), up: Duration::from_millis(up_ms), wall }
    }

    #[test]
    fn a_step_and_a_suspension_are_told_once_and_apart() {
        const DAY: i64 = 86_400_000;
        /// What happens, the readings, and what is told of them.
        type Case = (&'static str, &'static [(u64, u64, i64)], &'static [(i64, u64)]);
        let cases: [Case; 7] = [
            ("all go on", &[(10, 10, 10), (9_999_999, 9_999_999, 9_999_999)], &[]),
            ("the wall clock is slewed by less than it takes", &[(5, 5, 904), (9, 9, -900)], &[]),
            ("forward", &[(1000, 1000, 601_000), (2000, 2000, 602_000)], &[(600_000, 0)]),
            ("back", &[(1000, 1000, 1000 - DAY)], &[(-DAY, 0)]),
            (
                "there and back",
                &[(1000, 1000, 4 * DAY + 1000), (71_000, 71_000, 71_000)],
                &[(4 * DAY, 0), (0, 0)],
            ),
            ("suspended", &[(1000, 601_000, 601_000), (2000, 602_000, 602_000)], &[(0, 600_000)]),
            ("suspended, and set while it was", &[(1, 5001, 65_001)], &[(60_000, 5000)]),
        ];
        for (what, readings, told) in cases {
            let mut watch = ClockWatch::begin(reading(0, 0, 0));
            let found: Vec<_> = readings
                .iter()
                .filter_map(|(awake, up, wall)| watch.look(reading(*awake, *up, *wall)))
                .map(|it| (millis(it.stepped), it.suspended.as_millis() as u64))
                .collect();
            assert_eq!(found, told, "{what}");
        }
    }

    #[test]
    fn what_is_told_stays_the_same_while_the_clocks_are_read_a_little_apart() {
        let mut watch = ClockWatch::begin(reading(0, 0, 0));
        watch.look(reading(10, 10, 600_010)).unwrap();
        for apart in -900..900 {
            assert_eq!(watch.look(reading(20, 20, 600_020 + apart)), None);
            assert_eq!(millis(watch.parted().stepped), 600_000);
        }
    }
}
