//! `[dial]`: whom we may phone, and when.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::phone::prefix;
use super::section::Section;
use crate::notification::Throttle;
use crate::notification::budget::Country;
use crate::notification::policy::Policy;
use crate::notification::rules::RetryPauses;
use crate::phone_number::{NumberType, PhoneNumber};
use crate::subscriber::{Quiet, QuietHours, Senders};

// Long: [dial] has more than twenty keys, and each is read by one statement.
/// Reads the policy, and the longest a call may take. `own` are the trunks' caller IDs.
pub(super) fn read(mut section: Section<'_>, own: Vec<PhoneNumber>) -> Option<(Policy, Duration)> {
    let allow = section.list("allow", &[], |text| prefix(text, false)).and_then(|allow| {
        if allow.is_empty() {
            section.mistake(
                "allow",
                "allow is missing in [dial]: list the prefixes that may be dialled, such as [\"+81\"]",
            );
            return None;
        }
        Some(allow)
    });
    let types = section.list("types", &[], str::parse::<NumberType>);
    let deny = section.list("deny", &[], |text| prefix(text, false));
    let wait = section.seconds("wait_s", 0..=3600, 60);
    let ring = section.seconds("ring_s", 5..=180, 30);
    let attempts = section.number("attempts", 1..=20, 3, "calls");
    let busy_retry = section.seconds("busy_retry_s", 1..=86_400, 180);
    let no_answer_retry = section.seconds_list("no_answer_retry_s", 1..=86_400, &[600, 1800]);
    let call_max = section.seconds("call_s_max", 30..=540, 300);
    let keep = section
        .number("keep_h", 1..=8760, 72, "hours")
        .map(|hours: u64| Duration::from_secs(hours * 3600));
    let quiet = match section.text("quiet") {
        Some(Some(none)) if none.is_empty() => Some(Quiet::Never),
        Some(_) => section.parsed_if_written::<QuietHours>("quiet").map(|hours| match hours {
            Some(hours) => Quiet::Daily(hours),
            None => DEFAULT_QUIET.parse().map_or(Quiet::Never, Quiet::Daily),
        }),
        None => None,
    };
    let time_zone = time_zone(&mut section).map(|zone| zone.unwrap_or_else(TimeZone::system));
    let throttle = |text: &str| text.parse::<Throttle>().map_err(|error| error.to_string());
    let throttles = section.list("throttle", &["1/1m", "3/15m", "7/1h", "15/3h"], throttle);
    let sender_throttle = section.list("sender_throttle", &["3/15m"], throttle);
    let sender_calls = section.list("sender_calls", &["10/1h", "20/1d"], throttle);
    let senders = section.choice("senders", &SENDERS, Senders::Domain);
    let calls_per_day_max = section.number("calls_per_day_max", 1..=1_000_000, 200, "calls");
    let minutes_per_day_max =
        section.number("minutes_per_day_max", 1..=1_000_000, 600, "minutes").and_then(|most| {
            fits(&section, most, call_max?)?;
            Some(most)
        });
    let countries: Vec<Option<Country>> = section
        .subsections("country", "dial.country")
        .into_iter()
        .map(|it| country(it, call_max))
        .collect();
    section.refuse_unknown_keys();
    let policy = Policy {
        wait: wait?,
        ring: ring?,
        attempts: attempts?,
        retry: RetryPauses { busy: busy_retry?, no_answer: no_answer_retry? },
        keep: keep?,
        quiet: quiet?,
        zone: time_zone?,
        throttle: throttles?,
        sender_throttle: sender_throttle?,
        sender_calls: sender_calls?,
        calls_per_day_max: calls_per_day_max?,
        minutes_per_day_max: minutes_per_day_max?,
        call_max: call_max?,
        countries: countries.into_iter().collect::<Option<_>>()?,
        allow: allow?,
        deny: deny?,
        types: types?,
        own,
        senders: senders?,
        ..Policy::default()
    };
    Some((policy, call_max?))
}

fn country(mut section: Section<'_>, call_max: Option<Duration>) -> Option<Country> {
    let written = section.required_text("prefix");
    let prefix = written.and_then(|written| match prefix(&written, false) {
        Ok(prefix) if prefix.len() <= 1 + AREA_DIGITS => Some(prefix),
        Ok(_) => {
            section.mistake("prefix", "a limit is for at most the first six digits of a number");
            None
        }
        Err(says) => {
            section.mistake("prefix", &says);
            None
        }
    });
    let mut most = |key, unit| match section.is_written(key) {
        true => section.number(key, 1..=1_000_000, 1, unit).map(Some),
        false => {
            section.knows(key);
            Some(None)
        }
    };
    let calls = most("calls_per_day_max", "calls");
    let minutes = most("minutes_per_day_max", "minutes");
    if let (Some(Some(minutes)), Some(call_max)) = (minutes, call_max) {
        fits(&section, minutes, call_max)?;
    }
    section.refuse_unknown_keys();
    Some(Country { prefix: prefix?, calls_per_day_max: calls?, minutes_per_day_max: minutes? })
}

/// A limit in which no call fits would be a way to write that there are none.
fn fits(section: &Section<'_>, minutes: u32, call_max: Duration) -> Option<()> {
    if u64::from(minutes) * 60 >= call_max.as_secs() {
        return Some(());
    }
    section.mistake(
        "minutes_per_day_max",
        "no call fits into these minutes, as one may take dial.call_s_max; make that shorter, or this longer",
    );
    None
}

/// The zone that `time_zone` names, if it is written.
pub(super) fn time_zone(section: &mut Section<'_>) -> Option<Option<TimeZone>> {
    let Some(name) = section.text("time_zone")? else { return Some(None) };
    match TimeZone::get(&name) {
        Ok(zone) => Some(Some(zone)),
        Err(_) => {
            section
                .mistake("time_zone", "time_zone is a name of the tz database, such as Asia/Tokyo");
            None
        }
    }
}

const SENDERS: [(&str, Senders); 3] =
    [("domain", Senders::Domain), ("contacts", Senders::Contacts), ("everyone", Senders::Everyone)];
/// A ring is stored with so many of its number's digits.
const AREA_DIGITS: usize = 6;
const DEFAULT_QUIET: &str = "21:00-08:00";
