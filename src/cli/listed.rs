//! What `held`, `calls` and `trace` list: whose, since when, and how many.

use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};

use crate::clock;
use crate::store::Listing;

/// Which records are listed.
#[derive(Clone, Debug, Args)]
pub(super) struct Listed {
    /// Only what this person wrote or caused: alice, or alice@example.org.
    #[arg(long, value_name = "WHO", value_parser = who)]
    pub(super) from: Option<String>,
    /// Only what is for this person: bob, or bob@example.org.
    #[arg(long = "for", value_name = "WHO", value_parser = who)]
    pub(super) to: Option<String>,
    /// Only what is not older: 2h, 3d, 2026-11-30, or "2026-11-30 17:40".
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(super) since: Option<Timestamp>,
}

impl Listed {
    /// The newest `limit` of them.
    pub(super) fn newest(&self, limit: usize) -> Listing {
        let Self { from, to, since } = self.clone();
        Listing { from, to, since, before: None, limit }
    }

    /// Whether everything is meant.
    pub(super) fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.since.is_none()
    }
}

/// A person as one writes them: a resource is left out.
fn who(written: &str) -> Result<String, &'static str> {
    let name = written.split('/').next().unwrap_or_default().trim();
    if name.is_empty() { Err("is empty") } else { Ok(name.to_owned()) }
}

fn since(written: &str) -> Result<Timestamp, &'static str> {
    moment(written.trim(), &clock::timestamp().to_zoned(TimeZone::system()))
        .ok_or("is no time such as 2h, 3d, 2026-11-30, or \"2026-11-30 17:40\"")
}

fn moment(written: &str, now: &Zoned) -> Option<Timestamp> {
    let zone = now.time_zone();
    let local = |time: DateTime| Some(time.to_zoned(zone.clone()).ok()?.timestamp());
    // A date and a time read as a date, too.
    if let Ok(at) = written.parse() {
        return Some(at);
    }
    if written.contains(':')
        && let Ok(time) = written.parse::<DateTime>()
    {
        return local(time);
    }
    if let Ok(date) = written.parse::<Date>() {
        return local(date.at(0, 0, 0, 0));
    }
    let ago: Span = written.parse().ok()?;
    let is_ahead = ago.is_negative();
    let past = now.checked_sub(ago).ok()?.timestamp();
    (!is_ahead && past > now.timestamp().checked_sub(LONGEST_AGO.hours()).ok()?).then_some(past)
}

/// A hundred years.
const LONGEST_AGO: i64 = 876_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let now: Zoned = "2026-11-30T18:00:00+01:00[Europe/Berlin]".parse().unwrap();
        let cases = [
            ("2h", Some("2026-11-30T15:00:00Z")),
            ("90m", Some("2026-11-30T15:30:00Z")),
            ("3d", Some("2026-11-27T17:00:00Z")),
            ("2w", Some("2026-11-16T17:00:00Z")),
            ("1d 2h", Some("2026-11-29T15:00:00Z")),
            ("2026-11-29", Some("2026-11-28T23:00:00Z")),
            ("2026-11-30 17:40", Some("2026-11-30T16:40:00Z")),
            ("2026-11-30T17:40:09", Some("2026-11-30T16:40:09Z")),
            ("2026-11-30T17:40:09Z", Some("2026-11-30T17:40:09Z")),
            ("yesterday", None),
            ("-2h", None),
            ("999y", None),
            ("5", None),
            ("", None),
        ];
        for (written, expected) in cases {
            let found = moment(written, &now);
            assert_eq!(found, expected.map(|at| at.parse().unwrap()), "{written}");
        }
    }

    #[test]
    fn a_person_is_named_without_their_resource() {
        assert_eq!(who("alice@example.org/desk").unwrap(), "alice@example.org");
        assert_eq!(who(" alice ").unwrap(), "alice");
        assert!(who("/desk").is_err());
    }
}
