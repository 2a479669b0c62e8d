//! So many calls in such a time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

/// At most `calls` calls within any `span`.
///
/// Shape: `3/15m`: a count, a slash, a number of seconds, minutes, hours or days (`s m h d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// How many calls, at least 1.
    pub calls: u32,
    /// In which time.
    pub span: Duration,
}

impl Throttle {
    /// When the next call fits, given when earlier ones started, oldest first; `None`: it fits now.
    ///
    /// A call dated after `now` counts as one made now: the clock was set back. One dated further ahead
    /// than the span cannot be told apart from nonsense and does not count, lest it silence a phone for years.
    pub fn free_at(&self, calls: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        let horizon = later(now, self.span);
        let mut known = calls.iter().rev().filter(|at| **at <= horizon);
        self.free_after(*known.nth(self.calls.max(1) as usize - 1)?, now)
    }

    /// The same, given only the call that is the last but `calls - 1` of those that count.
    pub fn free_after(&self, filled_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        Some(later(filled_at.min(now), self.span)).filter(|free| *free > now)
    }
}

impl From<(u32, u64)> for Throttle {
    /// Calls, and the span in seconds.
    fn from((calls, span_s): (u32, u64)) -> Self {
        Self { calls, span: Duration::from_secs(span_s) }
    }
}

impl FromStr for Throttle {
    type Err = NotAThrottle;

    fn from_str(written: &str) -> Result<Self, NotAThrottle> {
        let (calls, span) = written.split_once('/').ok_or(NotAThrottle)?;
        let unit = span.chars().last().and_then(unit_s).ok_or(NotAThrottle)?;
        let (calls, count) = (number(calls)?, number(&span[..span.len() - 1])?);
        let span = Duration::from_secs(u64::from(count) * unit);
        if span > SPAN_MAX { Err(NotAThrottle) } else { Ok(Self { calls, span }) }
    }
}

impl fmt::Display for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span_s = self.span.as_secs();
        let (unit_s, unit) = [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
            .into_iter()
            .find(|(unit_s, _)| span_s.is_multiple_of(*unit_s))
            .unwrap_or((1, 's'));
        write!(f, "{}/{}{unit}", self.calls, span_s / unit_s)
    }
}

/// The text is not a throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a throttle is written 3/15m: calls, slash, a time in s, m, h or d up to 7d")]
pub struct NotAThrottle;

fn number(written: &str) -> Result<u32, NotAThrottle> {
    let digits = !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit());
    match written.parse() {
        Ok(number @ 1..=1_000_000) if digits => Ok(number),
        Ok(_) | Err(_) => Err(NotAThrottle),
    }
}

fn unit_s(letter: char) -> Option<u64> {
    match letter {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    }
}

const SPAN_MAX: Duration = Duration::from_secs(7 * 86_400);

/// A time as long after another as wanted, or the last there is.
pub(super) fn later(at: Timestamp, pause: Duration) -> Timestamp {
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_is_read_and_shown_as_it_is_written() {
        for written in ["3/15m", "7/1h", "1/1m", "15/3h", "2/45s", "200/1d"] {
            assert_eq!(written.parse::<Throttle>().unwrap().to_string(), written);
        }
        for wrong in
            ["", "3", "3/", "/15m", "0/15m", "3/0m", "3/15", "3/15w", "+3/15m", "3/8d", "3/1é"]
        {
            assert_eq!(wrong.parse::<Throttle>(), Err(NotAThrottle), "{wrong}");
        }
    }

    #[test]
    fn the_next_call_fits_when_the_oldest_that_counts_has_left_the_span() {
        let minute = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        let three: Throttle = "3/15m".parse().unwrap();
        let cases = [
            ("no call yet", vec![], 100, None),
            ("two calls", vec![98, 99], 100, None),
            ("three calls, the oldest ten minutes ago", vec![90, 98, 99], 100, Some(105)),
            ("four calls", vec![88, 91, 98, 99], 100, Some(106)),
            ("three calls, the oldest just out", vec![85, 98, 99], 100, None),
            ("the clock was set back by five minutes", vec![90, 104, 105], 100, Some(105)),
            ("the clock was a year ahead once", vec![525_600, 525_601, 525_602], 100, None),
        ];
        for (situation, calls, now, expected) in cases {
            let calls: Vec<_> = calls.into_iter().map(minute).collect();
            assert_eq!(three.free_at(&calls, minute(now)), expected.map(minute), "{situation}");
        }
    }
}
