//! German as it is spoken.

use super::german_words::{
    ABBREVIATIONS, CURRENCIES, DURATIONS, MONTH_FORMS, REFERENCES, RESPELLED, UNITS, WEEKDAYS,
};
use super::language::{Clock, Date, Language, Signs};

pub(super) static GERMAN: Language = Language {
    tag: "de",
    cardinal,
    ordinal,
    year,
    digits: DIGITS,
    decimal_mark: ',',
    signs: SIGNS,
    month_forms: MONTH_FORMS,
    weekdays: WEEKDAYS,
    units: UNITS,
    durations: DURATIONS,
    currencies: CURRENCIES,
    scales: &[
        ("k", "tausend", "tausend"),
        ("Tsd.", "tausend", "tausend"),
        ("Mio.", "Million", "Millionen"),
        ("Mio", "Million", "Millionen"),
        ("M", "Million", "Millionen"),
        ("Mrd.", "Milliarde", "Milliarden"),
        ("Mrd", "Milliarde", "Milliarden"),
    ],
    abbreviations: ABBREVIATIONS,
    references: REFERENCES,
    minutes_after: &[
        "seit",
        "für",
        "in",
        "nach",
        "vor",
        "über",
        "letzten",
        "alle",
        "dauer",
        "uptime",
        "noch",
        "ca.",
        "ca",
        "etwa",
        "binnen",
        "innerhalb",
        "unter",
        "mindestens",
        "höchstens",
        "circa",
        "for",
        "last",
        "avg",
    ],
    year_after: &[
        "jahr", "jahre", "seit", "bis", "von", "ab", "vor", "nach", "anfang", "ende", "mitte",
        "sommer", "herbst",
    ],
    clock,
    date,
    fraction,
    mixed,
    one: |feminine| if feminine { "eine" } else { "ein" },
    respelled: RESPELLED,
};

const DIGITS: [&str; 10] =
    ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];
const TEENS: [&str; 10] = [
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
];
const TENS: [&str; 10] = [
    "", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig",
];
const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const SCALES: [(u64, &str, &str); 4] = [
    (1_000_000_000_000_000, "Billiarde", "Billiarden"),
    (1_000_000_000_000, "Billion", "Billionen"),
    (1_000_000_000, "Milliarde", "Milliarden"),
    (1_000_000, "Million", "Millionen"),
];

const SIGNS: Signs = Signs {
    point: "Komma",
    dot: "Punkt",
    slash: "Schrägstrich",
    underscore: "Unterstrich",
    dash: "Bindestrich",
    colon: "Doppelpunkt",
    at: "ät",
    star: "Stern",
    plus: "plus",
    minus: "minus",
    plus_minus: "plus minus",
    percent: "Prozent",
    above: "über",
    below: "unter",
    at_least: "mindestens",
    at_most: "höchstens",
    about: "etwa",
    equals: "gleich",
    differs: "ungleich",
    becomes: "nach",
    to: "bis",
    times: "mal",
    times_as: "mal",
    by: "mal",
    of: "von",
    or: "oder",
    and: "und",
    per: "pro",
    port: "Port",
    number: "Nummer",
    version: "Version",
    extension: "Durchwahl",
    identifier: "eine lange Kennung",
    alert: "Alarm",
    alerts: "Alarme",
    heart: "Herz",
};

/// Thousands stand apart: a word that is too long would be cut anywhere.
fn cardinal(number: u64) -> String {
    let below_thousand = |number: u64, alone: &str| -> String {
        let (hundreds, rest) = (number / 100, number % 100);
        let hundreds = match hundreds {
            0 => String::new(),
            1 => "einhundert".into(),
            many => format!("{}hundert", DIGITS[many as usize]),
        };
        match rest {
            0 => hundreds,
            1 => hundreds + alone,
            rest => hundreds + &below_hundred(rest),
        }
    };
    let mut said = Vec::new();
    let mut rest = number;
    for (value, one, many) in SCALES {
        match rest / value {
            0 => {}
            1 => said.push(format!("eine {one}")),
            count => said.push(format!("{} {many}", below_thousand(count % 1000, "eine"))),
        }
        rest %= value;
    }
    if rest >= 1000 {
        said.push(below_thousand(rest / 1000, "ein") + "tausend");
        rest %= 1000;
    }
    if rest > 0 || said.is_empty() {
        said.push(if rest == 0 { DIGITS[0].into() } else { below_thousand(rest, "eins") });
    }
    said.join(" ")
}

fn below_hundred(number: u64) -> String {
    let (tens, ones) = ((number / 10) as usize, (number % 10) as usize);
    match (tens, ones) {
        (0, _) => DIGITS[ones].into(),
        (1, _) => TEENS[ones].into(),
        (_, 0) => TENS[tens].into(),
        (_, 1) => format!("einund{}", TENS[tens]),
        _ => format!("{}und{}", DIGITS[ones], TENS[tens]),
    }
}

/// "dritte"; endings that a sentence asks for come after it.
fn ordinal(number: u64) -> String {
    match number {
        1 => "erste".into(),
        3 => "dritte".into(),
        7 => "siebte".into(),
        8 => "achte".into(),
        _ if number % 100 == 1 => format!("{}erste", cardinal(number - 1)),
        _ if number % 100 >= 20 || number.is_multiple_of(100) => format!("{}ste", cardinal(number)),
        _ => format!("{}te", cardinal(number)),
    }
}

fn year(number: u64) -> String {
    match (number / 100, number % 100) {
        (11..=19, 0) => format!("{}hundert", below_hundred(number / 100)),
        (11..=19, 1) => format!("{}hunderteins", below_hundred(number / 100)),
        (11..=19, rest) => {
            format!("{}hundert{}", below_hundred(number / 100), below_hundred(rest))
        }
        _ => cardinal(number),
    }
}

fn clock(clock: &Clock) -> String {
    let hour = if clock.hour == 1 { "ein".into() } else { below_hundred(clock.hour) };
    let mut said = format!("{hour} Uhr");
    if clock.minute > 0 {
        said = format!("{said} {}", below_hundred(clock.minute));
    }
    match clock.second {
        None | Some(0) => said,
        Some(1) => said + " und eine Sekunde",
        Some(second) => format!("{said} und {} Sekunden", below_hundred(second)),
    }
}

fn date(date: &Date<'_>) -> String {
    let month = MONTHS.get(date.month.wrapping_sub(1)).copied().unwrap_or_default();
    let mut said = format!("{}{} {month}", ordinal(date.day), ending(date.after));
    if let Some(number) = date.year {
        said = format!("{said} {}", year(number));
    }
    said
}

/// What an ordinal ends with after this word.
pub(super) fn ending(after: &str) -> &'static str {
    match after {
        "am" | "vom" | "zum" | "beim" | "dem" | "den" | "bis" | "ab" | "seit" | "im" | "und" => "n",
        "der" | "die" | "das" => "",
        _ => "r",
    }
}

/// What is counted, as it stands after "in" or "seit": "einer Minute", "zwei Tagen".
pub(super) fn after_preposition(counted: &str, before: &str) -> String {
    if !["in", "seit", "nach", "vor", "mit", "bei", "von", "binnen"].contains(&before) {
        return counted.to_owned();
    }
    match counted.split_once(' ') {
        Some(("eine", rest)) => format!("einer {rest}"),
        Some(("ein", "Tag")) => "einem Tag".into(),
        Some(_) if counted.ends_with(" Tage") => format!("{counted}n"),
        _ => counted.to_owned(),
    }
}

/// "ein" or "eine" before a noun, by its ending.
pub(super) fn is_feminine(noun: &str) -> bool {
    ["ung", "e", "heit", "keit", "ion", "tät", "schaft", "nacht", "person", "mail"]
        .iter()
        .any(|end| noun.ends_with(end))
}

fn fraction(above: u64, below: u64) -> Option<String> {
    let name = match below {
        2 => {
            return Some(if above == 1 {
                "einhalb".into()
            } else {
                format!("{} halbe", cardinal(above))
            });
        }
        3 => "Drittel".to_owned(),
        4 => "Viertel".to_owned(),
        5 => "Fünftel".to_owned(),
        6 => "Sechstel".to_owned(),
        8 => "Achtel".to_owned(),
        10 => "Zehntel".to_owned(),
        _ => return None,
    };
    Some(if above == 1 { format!("ein {name}") } else { format!("{} {name}", cardinal(above)) })
}

fn mixed(whole: u64, above: u64, below: u64) -> Option<String> {
    if (above, below) == (1, 2) {
        let whole = if whole == 1 { "ein".into() } else { cardinal(whole) };
        return Some(format!("{whole}einhalb"));
    }
    Some(format!("{} {}", cardinal(whole), fraction(above, below)?))
}
