//! Numbers: as they are read, and those that nothing else has claimed.

use super::german;
use super::language::Language;
use super::rule::{Found, Rule, rules as table};

/// A number as it was written.
pub(super) struct Numeral {
    pub(super) whole: u64,
    pub(super) decimals: String,
}

impl Numeral {
    /// Reads digits with full stops and commas, by the habits of the language. `None` if it is no number but a version,
    /// an address or too long.
    pub(super) fn read(text: &str, language: &Language) -> Option<Self> {
        let decimal = language.decimal_mark;
        let parts: Vec<&str> = text.split(['.', ',']).collect();
        let marks: Vec<char> = text.chars().filter(|c| matches!(c, '.' | ',')).collect();
        let first = *parts.first()?;
        let grouped = |parts: &[&str]| {
            parts.iter().skip(1).all(|part| part.len() == 3)
                && (1..=3).contains(&parts[0].len())
                && !parts[0].starts_with('0')
        };
        let (whole, decimals) = match marks[..] {
            [] => (first.to_owned(), String::new()),
            [mark] if mark != decimal && grouped(&parts) => (parts.concat(), String::new()),
            [_] => (first.to_owned(), parts[1].to_owned()),
            [mark, ref rest @ ..] if rest.iter().all(|next| *next == mark) => {
                if !grouped(&parts) {
                    return None;
                }
                (parts.concat(), String::new())
            }
            [.., last] => {
                let (front, decimals) = (&parts[..parts.len() - 1], parts[parts.len() - 1]);
                let only_last = marks.iter().filter(|mark| **mark == last).count() == 1;
                if !only_last || !grouped(front) {
                    return None;
                }
                (front.concat(), decimals.to_owned())
            }
        };
        if whole.len() > WHOLE_DIGITS_MAX {
            return None;
        }
        Some(Self { whole: whole.parse().ok()?, decimals })
    }

    pub(super) fn is_one(&self) -> bool {
        self.whole == 1 && self.decimals.is_empty()
    }

    pub(super) fn said(&self, language: &Language) -> String {
        let whole = (language.cardinal)(self.whole);
        if self.decimals.is_empty() {
            return whole;
        }
        format!("{whole} {} {}", language.signs.point, language.spelled(&self.decimals))
    }

    /// Before what is counted: "eine" Minute.
    pub(super) fn counting(&self, language: &Language, feminine: bool) -> String {
        if self.is_one() { (language.one)(feminine).into() } else { self.said(language) }
    }
}

/// Digits with marks between them.
pub(super) const NUMERAL: &str = r"\d+(?:[.,]\d+)*";

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let ordinals: &[(&str, super::rule::Say)] = match language.tag {
        "en" => &[
            (r"\b(\d{1,6})(?:st|nd|rd|th)\b", |found, language| {
                Some((language.ordinal)(found.number(1)?))
            }),
            (r"\b([2-9]0)s\b", |found, language| {
                let decade = (language.cardinal)(found.number(1)?);
                Some(format!("{}ies", decade.trim_end_matches('y')))
            }),
        ],
        "de" => &[(r"\b(\d{1,3})\.(?: |$)", german_ordinal)],
        _ => &[],
    };
    let mut all: Vec<Rule> =
        ordinals.iter().filter_map(|(pattern, say)| Rule::new(pattern, *say)).collect();
    all.extend(table([(r"(-?)(\d+(?:[.,]\d+)*)", number)]));
    all
}

/// "3. Stock" is the third; "um 3." ends a sentence.
fn german_ordinal(found: &Found<'_>, language: &Language) -> Option<String> {
    let next = found.first_after()?;
    let noun: String = found.words_after().next()?;
    let counts = next.is_uppercase() || ["und", "oder", "bis"].contains(&noun.as_str());
    let before = found.words_before().next().unwrap_or_default();
    // "drücken Sie die 1. Um …" ends a sentence.
    let article = ["am", "dem", "im", "zum", "beim", "vom"];
    let after_article = article.contains(&before.as_str());
    let known = GERMAN_ORDERED.contains(&noun.as_str());
    // "am 7. da": a day of the month.
    let is_day = before == "am" && !noun.is_empty() && next.is_lowercase();
    if !(is_day || counts && (after_article || known)) {
        return None;
    }
    let ending = match noun.as_str() {
        "obergeschoss" | "og" | "untergeschoss" | "ug" | "mal"
            if german::ending(&before) == "r" =>
        {
            "s"
        }
        _ if german::ending(&before) == "r" && GERMAN_FEMININE.contains(&noun.as_str()) => "",
        _ => german::ending(&before),
    };
    Some(format!("{}{ending} ", (language.ordinal)(found.number(1)?)))
}

/// A number that no other rule knew: signed, a year, digit by digit where it is a name, else its value.
fn number(found: &Found<'_>, language: &Language) -> Option<String> {
    let (sign, digits) = (found.get(1), found.get(2));
    let minus = match (sign, found.last_before()) {
        ("", _) => String::new(),
        (_, Some(c)) if c.is_alphanumeric() => " ".into(),
        _ => format!("{} ", language.signs.minus),
    };
    let after_version =
        found.words_before().next().is_some_and(|word| VERSIONED.contains(&word.as_str()));
    let dotted = || {
        let dot = format!(" {} ", language.signs.dot);
        let part = |part: &str| {
            if part.starts_with('0') && part.len() > 1 {
                language.spelled(part)
            } else {
                part.parse().map_or_else(|_| language.spelled(part), language.cardinal)
            }
        };
        digits.split(['.', ',']).map(part).collect::<Vec<_>>().join(&dot)
    };
    if after_version && digits.contains('.') {
        return Some(format!("{minus}{}", dotted()));
    }
    let Some(numeral) = Numeral::read(digits, language) else {
        return Some(format!(
            "{minus}{}",
            if digits.contains(['.', ',']) { dotted() } else { language.spelled(digits) }
        ));
    };
    let plain = numeral.decimals.is_empty() && !digits.contains(['.', ',']);
    let says_year = plain
        && digits.len() == 4
        && matches!(numeral.whole, 1100..=2099)
        && found
            .words_before()
            .next()
            .is_some_and(|word| language.year_after.contains(&word.as_str()));
    let said = if says_year {
        (language.year)(numeral.whole)
    } else if plain && is_name(digits, found, language) {
        language.spelled(digits)
    } else if numeral.is_one() && language.tag == "de" && counts_a_noun(found) {
        let noun = found.words_after().next().unwrap_or_default();
        (language.one)(german::is_feminine(&noun)).to_owned()
    } else {
        numeral.said(language)
    };
    Some(format!("{minus}{said}"))
}

/// "1 Warnung" is one of them, "Gleis 1 Richtung Süden" is not.
fn counts_a_noun(found: &Found<'_>) -> bool {
    let before = found.before.split_whitespace().next_back().unwrap_or_default();
    let after = found.after.strip_prefix(' ').and_then(|rest| rest.chars().next());
    let names = GERMAN_NUMBERED.contains(&before.trim_end_matches(':'));
    after.is_some_and(char::is_uppercase) && !names
}

/// Numbers that name something are said digit by digit: those that begin with zero, long ones that are not round, and
/// those after such words as "ticket".
fn is_name(digits: &str, found: &Found<'_>, language: &Language) -> bool {
    let round = digits.trim_end_matches('0').len() <= 3;
    let order_of_many = digits.ends_with("00") && round && found.first_after() == Some(' ');
    let named = found.is_named(language) && !order_of_many;
    (digits.len() > 1 && digits.starts_with('0'))
        || (digits.len() >= LONG_DIGITS && !round)
        || (named && digits.len() >= NAMED_DIGITS)
}

/// In German these come in an order: "3. Stock".
const GERMAN_ORDERED: [&str; 19] = [
    "stock",
    "etage",
    "og",
    "obergeschoss",
    "ug",
    "untergeschoss",
    "mal",
    "tag",
    "woche",
    "monat",
    "quartal",
    "platz",
    "versuch",
    "mahnung",
    "stunde",
    "advent",
    "klasse",
    "runde",
    "spieltag",
];
/// What has a number of its own: "Gleis 1 Richtung Süden".
const GERMAN_NUMBERED: [&str; 22] = [
    "Gleis", "Zimmer", "Haus", "Stufe", "Linie", "Gate", "Tor", "Raum", "Port", "Kanal", "Nummer",
    "Teil", "Level", "Platz", "Halle", "Kapitel", "Seite", "Klasse", "Gruppe", "Version", "Phase",
    "Werk",
];
const GERMAN_FEMININE: [&str; 6] = ["etage", "woche", "mahnung", "stunde", "klasse", "runde"];
/// Words before a version: "Python 3.11".
const VERSIONED: [&str; 14] = [
    "version", "v", "python", "debian", "ubuntu", "release", "ios", "android", "macos", "php",
    "java", "kernel", "linux", "openssl",
];
const LONG_DIGITS: usize = 7;
const NAMED_DIGITS: usize = 3;
const WHOLE_DIGITS_MAX: usize = 15;
