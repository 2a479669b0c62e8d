//! Dates, and the short names of days and months.

use super::clocks;
use super::language::{Date, Language};
use super::rule::{Found, Rule, any_of, rules as table};

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let months = any_of(language.month_forms.iter().map(|(written, _)| *written));
    let days = any_of(language.weekdays.iter().map(|(written, _)| *written));
    let mut all = table([
        (ISO_TIME, iso_time),
        (r"\b(\d{4})([-./])(\d{1,2})[-./](\d{1,2})\b", |found, language| {
            dated(found, found.number(4)?, found.number(3)?, Some(found.number(1)?), language)
        }),
        (r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b", day_first),
    ]);
    let weekday = format!(r"\b({days})\b(\.?)");
    let weekdays = format!(r"\b({days})\.?\s?[-–]\s?({days})\b\.?");
    all.extend(table([(weekdays.as_str(), |found, language| {
        let day = |written| language.weekdays.iter().find(|(it, _)| *it == written);
        let (from, to) = (day(found.get(1))?.1, day(found.get(2))?.1);
        Some(format!("{from} {} {to}", language.signs.to))
    })]));
    all.extend(table([(weekday.as_str(), weekday_name)]));
    if language.tag == "de" {
        let named = format!(r"\b(\d{{1,2}})\.\s?({months})(?:\s(\d{{4}}))?");
        all.extend(table([
            (r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{2})\b", day_first),
            (r"\b(\d{1,2})\.(\d{1,2})\.", day_first),
            (named.as_str(), |found, language| {
                let month = month(found.get(2), language)?;
                dated(found, found.number(1)?, month, found.number(3), language)
            }),
        ]));
    } else {
        let first = format!(
            r"\b({months})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(\d{{1,2}})(?:st|nd|rd|th)?)?(?:,? (\d{{4}}))?\b"
        );
        let second = format!(
            r"\b(?:the |The )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({months})\.?(?:,? (\d{{4}}))?\b"
        );
        all.extend(table([
            (first.as_str(), month_first),
            (second.as_str(), |found, language| {
                let month = month(found.get(2), language)?;
                dated(found, found.number(1)?, month, found.number(3), language)
            }),
            (r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", with_slashes),
        ]));
    }
    all
}

/// The month of a short form.
fn month(written: &str, language: &Language) -> Option<u64> {
    let found = language.month_forms.iter().find(|(form, _)| *form == written)?;
    u64::try_from(found.1).ok()
}

fn dated(
    found: &Found<'_>,
    day: u64,
    month: u64,
    year: Option<u64>,
    language: &Language,
) -> Option<String> {
    if !(1..=31).contains(&day) || !(1..=12).contains(&month) {
        return None;
    }
    let weekdays = language.weekdays;
    let is_day = |word: &String| weekdays.iter().any(|(_, day)| day.eq_ignore_ascii_case(word));
    // "am Mittwoch, 3.12." has the ending that "am" asks for.
    let after = found.words_before().find(|word| !is_day(word)).unwrap_or_default();
    let month = usize::try_from(month).ok()?;
    Some((language.date)(&Date { day, month, year, after: &after }))
}

fn day_first(found: &Found<'_>, language: &Language) -> Option<String> {
    // A further number makes it a version.
    if found.first_after().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let year = found.number(3).map(|year| if found.get(3).len() == 2 { 2000 + year } else { year });
    dated(found, found.number(1)?, found.number(2)?, year, language)
}

fn month_first(found: &Found<'_>, language: &Language) -> Option<String> {
    let month = month(found.get(1), language)?;
    let day = dated(found, found.number(2)?, month, None, language)?;
    let until = match found.number(3) {
        Some(until) => format!(" {} {}", language.signs.to, (language.ordinal)(until)),
        None => String::new(),
    };
    let year = found.number(4).map(|year| format!(", {}", (language.year)(year)));
    Some(format!("{day}{until}{}", year.unwrap_or_default()))
}

/// Of two numbers up to twelve nobody can tell the day; they are read as they stand.
fn with_slashes(found: &Found<'_>, language: &Language) -> Option<String> {
    let (one, two, year) = (found.number(1)?, found.number(2)?, found.number(3)?);
    match (one, two) {
        (13..=31, 1..=12) => dated(found, one, two, Some(year), language),
        (1..=12, 13..=31) => dated(found, two, one, Some(year), language),
        _ => {
            let (cardinal, slash) = (language.cardinal, language.signs.slash);
            Some(format!(
                "{} {slash} {} {slash} {}",
                cardinal(one),
                cardinal(two),
                (language.year)(year)
            ))
        }
    }
}

fn iso_time(found: &Found<'_>, language: &Language) -> Option<String> {
    let date = dated(found, found.number(3)?, found.number(2)?, Some(found.number(1)?), language)?;
    let time = clocks::said(found.get(4), found.get(5), found.get(6), language)?;
    let zone = match found.get(7) {
        "" => String::new(),
        "Z" => " UTC".into(),
        offset => {
            let (sign, hours) = offset.split_at(1);
            let hours = (language.cardinal)(hours.get(..2)?.parse().ok()?);
            let sign = if sign == "-" { language.signs.minus } else { language.signs.plus };
            format!(" UTC {sign} {hours}")
        }
    };
    Some(format!("{date}, {time}{zone}"))
}

/// "Sat" and "So" are words too: they are days where a date or a time follows, or a word before says so.
fn weekday_name(found: &Found<'_>, language: &Language) -> Option<String> {
    let (_, day) = language.weekdays.iter().find(|(written, _)| *written == found.get(1))?;
    let next = found.after.trim_start_matches([',', ' ', '.']).chars().next();
    let before = found.words_before().next().unwrap_or_default();
    let after = found.words_after().next().unwrap_or_default();
    let is_day = next.is_some_and(|c| c.is_ascii_digit())
        || BEFORE_A_DAY.contains(&before.as_str())
        || (found.get(1) != "So" && AFTER_A_DAY.contains(&after.as_str()))
        || ["Tue", "Tues", "Thu", "Thur", "Thurs", "Wed", "Fri"].contains(&found.get(1))
        || language.month_forms.iter().any(|(form, _)| after == form.to_lowercase());
    if !is_day
        || (found.get(1) == "So" && BEFORE_A_DAY.contains(&before.as_str()) && before != "am")
    {
        return None;
    }
    let ends = found.get(2) == "." && found.after.trim().is_empty();
    Some(format!("{day}{}", if ends { "." } else { "" }))
}

const BEFORE_A_DAY: [&str; 16] = [
    "on",
    "by",
    "until",
    "next",
    "this",
    "every",
    "last",
    "am",
    "bis",
    "ab",
    "jeden",
    "nächsten",
    "kommenden",
    "diesen",
    "seit",
    "to",
];
const AFTER_A_DAY: [&str; 11] = [
    "um",
    "ab",
    "bis",
    "früh",
    "abend",
    "vormittag",
    "nachmittag",
    "mittag",
    "at",
    "morning",
    "evening",
];
const ISO_TIME: &str = r"\b(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?";
