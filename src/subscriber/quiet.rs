//! Quiet hours: hours of the day without calls.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
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
    /// From one time of day to another.
    pub fn between(from: Time, until: Time) -> Result<Self, NotQuietHours> {
        if from == until { Err(NotQuietHours) } else { Ok(Self { from, until }) }
    }

    /// The first minute, as `22:00`.
    pub fn from_time(&self) -> String {
        self.from.strftime("%H:%M").to_string()
    }

    /// The minute after the last, as `07:30`.
    pub fn until_time(&self) -> String {
        self.until.strftime("%H:%M").to_string()
    }

    /// The end of the quiet hours around `at`; `None` when `at` is not quiet.
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
        let end = first_at(day.to_datetime(self.until), zone)?;
        // An hour that the clock repeats may put the end before now; then it is checked again a minute later.
        if end > at { Some(end) } else { at.checked_add(1.minute()).ok() }
    }
}

/// The first instant at which a clock in the zone shows this time or a later one.
fn first_at(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(local);
    match at.offset() {
        // Left out where the clock is set forward: it is later from that moment on.
        AmbiguousOffset::Gap { before, .. } => {
            let after = before.to_timestamp(local).ok()?.checked_add(1.nanosecond()).ok()?;
            zone.preceding(after).next().map(|transition| transition.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => at.compatible().ok(),
    }
}

impl FromStr for QuietHours {
    type Err = NotQuietHours;

    fn from_str(written: &str) -> Result<Self, NotQuietHours> {
        let (from, until) = written.split_once('-').ok_or(NotQuietHours)?;
        Self::between(clock_time(from)?, clock_time(until)?)
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from_time(), self.until_time())
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
        // Berlin on March 29, 2026: 02:00 becomes 03:00, and on October 25 03:00 becomes 02:00. New York on March 8 and on
        // November 1: 02:00 and 03:00, 02:00 and 01:00. Lord Howe on October 4 and on April 5: half an hour at 02:00. Beirut
        // on March 29: 00:00 becomes 01:00.
        let (berlin, new_york) = ("Europe/Berlin", "America/New_York");
        let (lord_howe, beirut) = ("Australia/Lord_Howe", "Asia/Beirut");
        let cases = [
            ("21:00-08:00", "2026-11-23T20:59:59+01", None),
            ("21:00-08:00", "2026-11-23T21:00:00+01", Some("2026-11-24T08:00:00+01")),
            ("21:00-08:00", "2026-11-24T07:59:00+01", Some("2026-11-24T08:00:00+01")),
            ("21:00-08:00", "2026-11-24T08:00:00+01", None),
            ("12:00-13:30", "2026-11-24T13:00:00+01", Some("2026-11-24T13:30:00+01")),
            ("21:00-08:00", "2026-03-28T22:00:00+01", Some("2026-03-29T08:00:00+02")),
            ("21:00-02:30", "2026-03-28T22:00:00+01", Some("2026-03-29T03:00:00+02")),
            ("21:00-08:00", "2026-10-24T22:00:00+02", Some("2026-10-25T08:00:00+01")),
        ];
        let nights = [
            // What ends in the hour that is left out ends with it.
            (new_york, "22:00-02:30", "2026-03-07T23:00:00-05", Some("2026-03-08T03:00:00-04")),
            (lord_howe, "21:00-02:15", "2026-10-03T22:00:00+10:30", Some("2026-10-04T02:30:00+11")),
            (beirut, "21:00-00:30", "2026-03-28T22:00:00+02", Some("2026-03-29T01:00:00+03")),
            // What lies within it does not come.
            (new_york, "02:15-02:45", "2026-03-08T01:59:00-05", None),
            (new_york, "02:15-02:45", "2026-03-08T03:00:00-04", None),
            // What begins in it begins after it.
            (beirut, "00:00-06:00", "2026-03-28T23:59:59+02", None),
            (beirut, "00:00-06:00", "2026-03-29T01:00:00+03", Some("2026-03-29T06:00:00+03")),
            // What lies in the hour that comes twice comes twice, and is asked for minute by minute the second time.
            (new_york, "01:15-01:45", "2026-11-01T01:30:00-04", Some("2026-11-01T01:45:00-04")),
            (new_york, "01:15-01:45", "2026-11-01T01:45:00-04", None),
            (new_york, "01:15-01:45", "2026-11-01T01:30:00-05", Some("2026-11-01T01:31:00-05")),
            (new_york, "01:15-01:45", "2026-11-01T01:45:00-05", None),
            (lord_howe, "21:00-01:45", "2026-04-04T22:00:00+11", Some("2026-04-05T01:45:00+11")),
            (
                lord_howe,
                "21:00-01:45",
                "2026-04-05T01:35:00+10:30",
                Some("2026-04-05T01:36:00+10:30"),
            ),
            // The whole night is an hour longer or shorter.
            (new_york, "22:00-07:00", "2026-10-31T22:00:00-04", Some("2026-11-01T07:00:00-05")),
            (new_york, "22:00-07:00", "2026-03-07T22:00:00-05", Some("2026-03-08T07:00:00-04")),
        ];
        let cases = cases.map(|(span, at, expected)| (berlin, span, at, expected));
        for (zone, span, at, expected) in cases.into_iter().chain(nights) {
            let zone = TimeZone::get(zone).unwrap();
            let hours: QuietHours = span.parse().unwrap();
            let end = hours.end_after(at.parse().unwrap(), &zone);
            assert_eq!(end, expected.map(|e| e.parse().unwrap()), "{span} at {at}, {zone:?}");
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
