//! English as it is spoken.

use super::english_words::{
    ABBREVIATIONS, CURRENCIES, DURATIONS, MONTH_FORMS, REFERENCES, UNITS, WEEKDAYS,
};
use super::language::{Clock, Date, Language, Signs};

pub(super) static ENGLISH: Language = Language {
    tag: "en",
    cardinal,
    ordinal,
    year,
    digits: DIGITS,
    decimal_mark: '.',
    signs: SIGNS,
    month_forms: MONTH_FORMS,
    weekdays: WEEKDAYS,
    units: UNITS,
    durations: DURATIONS,
    currencies: CURRENCIES,
    scales: &[
        ("k", "thousand", "thousand"),
        ("K", "thousand", "thousand"),
        ("M", "million", "million"),
        ("bn", "billion", "billion"),
        ("B", "billion", "billion"),
    ],
    abbreviations: ABBREVIATIONS,
    references: REFERENCES,
    minutes_after: &[
        "for", "in", "over", "last", "past", "every", "after", "within", "since", "than", "uptime",
        "above", "below", "least", "most", "about", "another", "took", "takes", "eta", "next",
        "avg",
    ],
    year_after: &[
        "in", "since", "until", "year", "of", "from", "by", "before", "after", "early", "late",
        "mid",
    ],
    clock,
    date,
    fraction,
    mixed,
    one: |_| "one",
    respelled: &[],
};

pub(super) const DIGITS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SCALES: [(u64, &str); 5] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];

const SIGNS: Signs = Signs {
    point: "point",
    dot: "dot",
    slash: "slash",
    underscore: "underscore",
    dash: "dash",
    colon: "colon",
    at: "at",
    star: "star",
    plus: "plus",
    minus: "minus",
    plus_minus: "plus or minus",
    percent: "percent",
    above: "above",
    below: "below",
    at_least: "at least",
    at_most: "at most",
    about: "about",
    equals: "equals",
    differs: "is not",
    becomes: "to",
    to: "to",
    times: "times",
    times_as: "times",
    by: "by",
    of: "of",
    or: "or",
    and: "and",
    per: "per",
    port: "port",
    number: "number",
    version: "version",
    extension: "extension",
    identifier: "a long identifier",
    alert: "alert",
    alerts: "alerts",
    heart: "heart",
};

fn cardinal(number: u64) -> String {
    if number < 100 {
        return below_hundred(number);
    }
    if number < 1000 {
        let rest = match number % 100 {
            0 => String::new(),
            rest => format!(" {}", below_hundred(rest)),
        };
        return format!("{} hundred{rest}", DIGITS[(number / 100) as usize]);
    }
    let scale = SCALES.iter().find(|(value, _)| number >= *value);
    let (value, name) = scale.copied().unwrap_or((1_000, "thousand"));
    let rest = match number % value {
        0 => String::new(),
        rest => format!(" {}", cardinal(rest)),
    };
    format!("{} {name}{rest}", cardinal(number / value))
}

fn below_hundred(number: u64) -> String {
    let (tens, ones) = ((number / 10) as usize, (number % 10) as usize);
    match (tens, ones) {
        (0, _) => DIGITS[ones].into(),
        (1, _) => TEENS[ones].into(),
        (_, 0) => TENS[tens].into(),
        _ => format!("{} {}", TENS[tens], DIGITS[ones]),
    }
}

fn ordinal(number: u64) -> String {
    let said = cardinal(number);
    let (rest, last) =
        said.rsplit_once(' ').map_or(("", said.as_str()), |(rest, last)| (rest, last));
    let last = match last {
        "one" => "first".into(),
        "two" => "second".into(),
        "three" => "third".into(),
        "five" => "fifth".into(),
        "eight" => "eighth".into(),
        "nine" => "ninth".into(),
        "twelve" => "twelfth".into(),
        ty if ty.ends_with('y') => format!("{}ieth", &ty[..ty.len() - 1]),
        other => format!("{other}th"),
    };
    if rest.is_empty() { last } else { format!("{rest} {last}") }
}

fn year(number: u64) -> String {
    let (century, rest) = (number / 100, number % 100);
    match (century, rest) {
        (20, 0..=9) | (10, 0..=9) => cardinal(number),
        (11..=29, 0) => format!("{} hundred", below_hundred(century)),
        (11..=29, 1..=9) => format!("{} oh {}", below_hundred(century), below_hundred(rest)),
        (11..=29, _) => format!("{} {}", below_hundred(century), below_hundred(rest)),
        _ => cardinal(number),
    }
}

fn clock(clock: &Clock) -> String {
    let (hour, minute) = (clock.hour, clock.minute);
    let half = clock.half.or(match hour {
        13..=23 => Some("PM"),
        0 => Some("AM"),
        1..=11 if clock.leading_zero => Some("AM"),
        _ => None,
    });
    let twelve = below_hundred(match hour % 12 {
        0 => 12,
        hour => hour,
    });
    let seconds = match clock.second {
        None | Some(0) => String::new(),
        Some(1) => " and one second".into(),
        Some(second) => format!(" and {} seconds", below_hundred(second)),
    };
    let said = match (hour, minute, half) {
        (0 | 24, 0, _) if clock.half.is_none() => "midnight".into(),
        (12, 0, None) => "noon".into(),
        (_, 0, Some(half)) => format!("{twelve} {half}"),
        (_, 0, None) => format!("{twelve} o'clock"),
        (_, 1..=9, _) => format!("{twelve} oh {}", below_hundred(minute)),
        _ => format!("{twelve} {}", below_hundred(minute)),
    };
    match half {
        Some(half) if minute != 0 => format!("{said} {half}{seconds}"),
        _ => said + &seconds,
    }
}

fn date(date: &Date<'_>) -> String {
    let month = MONTHS.get(date.month.wrapping_sub(1)).copied().unwrap_or_default();
    let said = format!("{month} {}", ordinal(date.day));
    match date.year {
        Some(number) => format!("{said}, {}", year(number)),
        None => said,
    }
}

fn fraction(above: u64, below: u64) -> Option<String> {
    let name = match below {
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        3 | 5..=20 => ordinal(below),
        _ => return None,
    };
    match above {
        1 => Some(format!("one {name}")),
        _ => Some(format!("{} {name}s", cardinal(above))),
    }
}

fn mixed(whole: u64, above: u64, below: u64) -> Option<String> {
    let part = match (above, below) {
        (1, 2) => "a half".to_owned(),
        (1, 4) => "a quarter".to_owned(),
        _ => fraction(above, below)?,
    };
    Some(format!("{} and {part}", cardinal(whole)))
}
