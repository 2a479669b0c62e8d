//! Hours of the day in which nobody is phoned.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A daily span of local time, which may go over midnight.
///
/// Shape:    `HH:MM-HH:MM`, the first minute belongs to it, the last does not.
/// Contract: local time is read in the person's zone at that instant, so a change to daylight saving moves the span along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    until: Time,
}

impl QuietHours {
    /// The end of the quiet span that `at` lies in; `None` when `at` is not quiet.
    pub fn end_after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = at.to_zoned(zone.clone());
        let time = local.time();
        let spans_midnight = self.until < self.from;
        let quiet = if spans_midnight {
            time >= self.from || time < self.until
        } else {
            time >= self.from && time < self.until
        };
        if !quiet {
            return None;
        }
        let ends_tomorrow = spans_midnight && time >= self.from;
        let day =
            if ends_tomorrow { local.date().checked_add(1.day()).ok()? } else { local.date() };
        let end = day.to_datetime(self.until).to_zoned(zone.clone()).ok()?.timestamp();
        // An hour that the clock repeats may put the end before now; a minute on, the caller asks again.
        if end > at { Some(end) } else { at.checked_add(1.minute()).ok() }
    }
}

impl FromStr for QuietHours {
    type Err = NotQuietHours;

    fn from_str(written: &str) -> Result<Self, NotQuietHours> {
        let (from, until) = written.split_once('-').ok_or(NotQuietHours)?;
        let (from, until) = (clock_time(from)?, clock_time(until)?);
        if from == until { Err(NotQuietHours) } else { Ok(Self { from, until }) }
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        let ((h, m), (i, n)) = ((from.hour(), from.minute()), (until.hour(), until.minute()));
        write!(f, "{h:02}:{m:02}-{i:02}:{n:02}")
    }
}

/// The text is not a span of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quiet hours are written 21:00-08:00, two different times of day")]
pub struct NotQuietHours;

fn clock_time(written: &str) -> Result<Time, NotQuietHours> {
    let (hour, minute) = written.trim().split_once(':').ok_or(NotQuietHours)?;
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return Err(NotQuietHours);
    }
    let (hour, minute) =
        (hour.parse().or(Err(NotQuietHours))?, minute.parse().or(Err(NotQuietHours))?);
    Time::new(hour, minute, 0, 0).or(Err(NotQuietHours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phone_is_quiet_until_the_end_of_the_span() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // March 29, 2026: 02:00 becomes 03:00. October 25, 2026: 03:00 becomes 02:00.
        let cases = [
            ("21:00-08:00", "2026-11-23T20:59:59+01", None),
            ("21:00-08:00", "2026-11-23T21:00:00+01", Some("2026-11-24T08:00:00+01")),
            ("21:00-08:00", "2026-11-24T07:59:00+01", Some("2026-11-24T08:00:00+01")),
            ("21:00-08:00", "2026-11-24T08:00:00+01", None),
            ("12:00-13:30", "2026-11-24T13:00:00+01", Some("2026-11-24T13:30:00+01")),
            ("21:00-08:00", "2026-03-28T22:00:00+01", Some("2026-03-29T08:00:00+02")),
            ("21:00-02:30", "2026-03-28T22:00:00+01", Some("2026-03-29T03:30:00+02")),
            ("21:00-08:00", "2026-10-24T22:00:00+02", Some("2026-10-25T08:00:00+01")),
        ];
        for (span, at, expected) in cases {
            let hours: QuietHours = span.parse().unwrap();
            let end = hours.end_after(at.parse().unwrap(), &zone);
            assert_eq!(end, expected.map(|e| e.parse().unwrap()), "{span} at {at}");
        }
    }

    #[test]
    fn a_span_is_shown_as_it_is_written() {
        for span in ["21:00-08:00", "00:00-23:59"] {
            assert_eq!(span.parse::<QuietHours>().unwrap().to_string(), span);
        }
        for wrong in
            ["", "21-08", "21:00", "25:00-08:00", "21:60-08:00", "08:00-08:00", "+1:00-08:00"]
        {
            assert_eq!(wrong.parse::<QuietHours>(), Err(NotQuietHours), "{wrong}");
        }
    }
}
