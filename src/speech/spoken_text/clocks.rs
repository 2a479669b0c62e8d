//! Times of day.

use super::language::{Clock, Language};
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let mut all = match language.tag {
        "de" => table([
            (r"\b(\d{1,2})(?:[.:](\d{2}))?(?::(\d{2}))? ?(?:Uhr|uhr)\b(?: (\d{1,2})\b)?", with_uhr),
            (r"\bein Uhr (\d{1,2})\b", |found, language| {
                let clock =
                    Clock { hour: 1, minute: minute(found.number(1)?)?, ..Clock::default() };
                Some((language.clock)(&clock))
            }),
        ]),
        _ => table([
            (
                r"\b(\d{1,2})(?:[:.](\d{2}))?(?::(\d{2}))? ?(?:([aApP])[mM]\b|([aApP])\.[mM]\.)",
                with_half,
            ),
            (r"\b(\d{1,2}) o'clock\b", |found, language| {
                Some(format!("{} o'clock", (language.cardinal)(found.number(1)?)))
            }),
        ]),
    };
    all.extend(table([
        (r"\b(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,6})?)?\b", plain),
        // The score of a game, a ratio.
        (r"\b(\d{1,3}):(\d{1,3})\b", |found, language| {
            let to = if language.tag == "de" { "zu" } else { language.signs.to };
            Some(format!(
                "{} {to} {}",
                (language.cardinal)(found.number(1)?),
                (language.cardinal)(found.number(2)?)
            ))
        }),
    ]));
    all
}

/// What a time of day in digits is said as; `None` if there is no such time.
pub(super) fn said(
    hour: &str,
    minute_of: &str,
    second: &str,
    language: &Language,
) -> Option<String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let clock = Clock {
        hour: number(hour).filter(|hour| *hour <= 24)?,
        minute: minute(number(minute_of)?)?,
        second: if second.is_empty() { None } else { Some(minute(number(second)?)?) },
        half: None,
        leading_zero: hour.starts_with('0'),
    };
    Some((language.clock)(&clock))
}

fn plain(found: &Found<'_>, language: &Language) -> Option<String> {
    if found.last_before().is_some_and(|c| c == ':' || c == '.' || c == '#')
        || found.first_after().is_some_and(|c| c == ':')
    {
        return None;
    }
    said(found.get(1), found.get(2), found.get(3), language)
}

fn with_half(found: &Found<'_>, language: &Language) -> Option<String> {
    let letter = format!("{}{}", found.get(4), found.get(5));
    let half = if letter.eq_ignore_ascii_case("a") { "AM" } else { "PM" };
    let clock = Clock {
        hour: found.number(1).filter(|hour| (1..=12).contains(hour))?,
        minute: if found.get(2).is_empty() { 0 } else { minute(found.number(2)?)? },
        second: found.number(3),
        half: Some(half),
        leading_zero: false,
    };
    Some((language.clock)(&clock))
}

fn with_uhr(found: &Found<'_>, language: &Language) -> Option<String> {
    let written = if found.get(2).is_empty() { found.number(4) } else { found.number(2) };
    let clock = Clock {
        hour: found.number(1).filter(|hour| *hour <= 24)?,
        minute: minute(written.unwrap_or(0))?,
        second: found.number(3),
        ..Clock::default()
    };
    let said = (language.clock)(&clock);
    // Two numbers after "Uhr" and before it: the second belongs to something else.
    let rest = if found.get(2).is_empty() { String::new() } else { found.get(4).to_owned() };
    Some(if rest.is_empty() { said } else { format!("{said} {rest}") })
}

fn minute(number: u64) -> Option<u64> {
    (number < 60).then_some(number)
}
