//! Fractions, and what is written like one: "15.2/16 GB" is a part of a whole, "24/7" is neither.

use super::language::Language;
use super::numbers::Numeral;
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    let signs: String = SIGNS.iter().map(|(sign, ..)| *sign).collect();
    let sign = format!(r"(?:\b(\d+)\s?)?([{signs}])(?:\s?([A-Za-z²]{{1,3}})\b)?");
    let mut all = table([(&sign, of_one_sign)]);
    all.extend(table([
        (
            r"(\d+(?:[.,]\d+)?)\s?([A-Za-z]{1,3})\s?/\s?(\d+(?:[.,]\d+)?)\s?([A-Za-z]{1,3})\b",
            |found, language| {
                let known = language.units.iter().any(|it| it.written == found.get(2));
                let above = Numeral::read(found.get(1), language)?.said(language);
                (known && found.get(2) == found.get(4)).then(|| {
                    format!("{above} {} {}{}", language.signs.of, found.get(3), found.get(4))
                })
            },
        ),
        (r"\b24/7\b", |_, language| {
            Some(format!("{} {}", (language.cardinal)(24), (language.cardinal)(7)))
        }),
        (r"\b(\d+) (\d)/(\d{1,2})\b", |found, language| {
            let (above, below) = (found.number(2)?, found.number(3)?);
            let proper = above > 0 && above < below && found.first_after() != Some('/');
            if proper { (language.mixed)(found.number(1)?, above, below) } else { None }
        }),
        (r"(\d+(?:[.,]\d+)?)((?:\s?/\s?\d+(?:[.,]\d+)?)+)", with_slashes),
    ]));
    all
}

/// A unit after it has its own words; any other word stays.
fn of_one_sign(found: &Found<'_>, language: &Language) -> Option<String> {
    let said = sign_alone(found, language)?;
    let unit = found.get(3);
    let units = language.durations.iter().chain(language.units);
    let known = units.into_iter().find(|it| it.written == unit);
    let name = match known {
        Some(unit) if said.starts_with("half") || said.starts_with("ein ") => unit.one,
        Some(unit) => unit.many,
        None => unit,
    };
    Some(if name.is_empty() { said } else { format!("{said} {name}") })
}

fn sign_alone(found: &Found<'_>, language: &Language) -> Option<String> {
    let (_, above, below) = *SIGNS.iter().find(|(sign, ..)| found.get(2).starts_with(*sign))?;
    match found.number(1) {
        Some(0) | None if (above, below) == (1, 2) => {
            // "half an hour", but "one half" where nothing follows that is halved.
            let next = found.words_after().next().is_some_and(|it| !it.is_empty());
            let halves = language.tag == "en" && (next || !found.get(3).is_empty());
            Some(if halves { "half a".into() } else { (language.fraction)(above, below)? })
        }
        Some(0) | None => (language.fraction)(above, below),
        Some(whole) => (language.mixed)(whole, above, below),
    }
}

fn with_slashes(found: &Found<'_>, language: &Language) -> Option<String> {
    let all = format!("{}{}", found.get(1), found.get(2));
    let parts: Vec<&str> = all.split('/').map(str::trim).collect();
    if found.last_before().is_some_and(|c| c.is_alphanumeric() || "/.,:-".contains(c))
        || found.first_after().is_some_and(|c| c == '/')
    {
        return None;
    }
    let said = |part: &str| Numeral::read(part, language).map(|it| it.said(language));
    let &[above, below] = parts.as_slice() else {
        // Several values in a row, as of the load.
        let parts: Option<Vec<String>> = parts.iter().map(|part| said(part)).collect();
        return parts.map(|parts| parts.join(", "));
    };
    let before = found.words_before().next().unwrap_or_default();
    let after = found.words_after().next().unwrap_or_default();
    let next = found.first_after();
    if DATED.contains(&before.as_str()) {
        return Some(format!("{} {} {}", said(above)?, language.signs.slash, said(below)?));
    }
    let measured = HALVED.contains(&after.as_str());
    let counted = !measured
        && (next == Some('%')
            || (next == Some(' ')
                && after.len() > 3
                && (after.ends_with('s') || language.tag == "de")));
    let small = |text: &str| text.parse().ok().filter(|it| (1..=10).contains(it));
    if let (Some(above), Some(below), false) = (small(above), small(below), counted)
        && above < below
        && (matches!(below, 2..=4) || (below == 8 && measured))
    {
        return (language.fraction)(above, below);
    }
    // The number before the unit stays a number, for the unit's own rule.
    Some(format!("{} {} {below}", said(above)?, language.signs.of))
}

const SIGNS: [(&str, u64, u64); 15] = [
    ("½", 1, 2),
    ("¼", 1, 4),
    ("¾", 3, 4),
    ("⅓", 1, 3),
    ("⅔", 2, 3),
    ("⅕", 1, 5),
    ("⅖", 2, 5),
    ("⅗", 3, 5),
    ("⅘", 4, 5),
    ("⅙", 1, 6),
    ("⅚", 5, 6),
    ("⅛", 1, 8),
    ("⅜", 3, 8),
    ("⅝", 5, 8),
    ("⅞", 7, 8),
];
/// Words before a day and a month, of which nobody can tell which is which.
const DATED: [&str; 10] = ["on", "by", "until", "due", "since", "from", "am", "bis", "vom", "seit"];
/// Words after a fraction of one thing.
const HALVED: [&str; 22] = [
    "inch",
    "inches",
    "cup",
    "cups",
    "mile",
    "miles",
    "hour",
    "hours",
    "pound",
    "pounds",
    "teaspoon",
    "teaspoons",
    "tablespoon",
    "tablespoons",
    "liter",
    "liters",
    "stunde",
    "stunden",
    "liter",
    "tasse",
    "zoll",
    "of",
];
