//! Names that programs give: versions, hosts, words joined by underscores or capitals.

use super::language::Language;
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    table([
        (r"\b[vV](\d{1,6}(?:\.\d{1,6}){0,4})\b", |found, language| {
            Some(format!("{} {}", language.signs.version, dotted(found.get(1), language)))
        }),
        (r"\b(\d{1,6}(?:\.\d{1,6}){2,4})\b", |found, language| {
            // "1.250.000" is a sum in German.
            let groups: Vec<&str> = found.get(1).split('.').collect();
            let sum = language.decimal_mark == ',' && groups.iter().skip(1).all(|it| it.len() == 3);
            (!sum).then(|| dotted(found.get(1), language))
        }),
        (r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*", mixed),
        (r"\w+(?:_+\w+)+", |found, _| Some(found.get(0).replace('_', " "))),
        (r"\b[A-Za-z]*[a-z][A-Z][A-Za-z]*\b|\b[A-Z]{2,}[a-z]{3,}\b", humps),
    ])
}

fn dotted(version: &str, language: &Language) -> String {
    let part = |part: &str| run_of_digits(part, language);
    version.split('.').map(part).collect::<Vec<_>>().join(&format!(" {} ", language.signs.dot))
}

/// Short runs as numbers, long ones and those with a leading zero digit by digit.
fn run_of_digits(digits: &str, language: &Language) -> String {
    match digits.parse() {
        Ok(value) if digits.len() < 3 && (digits == "0" || !digits.starts_with('0')) => {
            (language.cardinal)(value)
        }
        _ => language.spelled(digits),
    }
}

/// Letters and digits in one: "INC-20417", "web03", "A4".
fn mixed(found: &Found<'_>, language: &Language) -> Option<String> {
    let word = found.get(0);
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    let known = SPOKEN_AS_WORDS.contains(&word);
    if !has(char::is_ascii_digit) || !has(char::is_ascii_alphabetic) || known {
        return None;
    }
    // Ordinals have a rule of their own.
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let tail = &word[digits.len()..];
    if digits.chars().all(|c| c.is_ascii_digit()) && ["st", "nd", "rd", "th", "s"].contains(&tail) {
        return None;
    }
    let chars: Vec<char> = word.chars().collect();
    let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_alphabetic());
    let runs = chars.chunk_by(|a, b| kind(*a) == kind(*b));
    let hexadecimal =
        chars.len() >= HEXADECIMAL_MIN && runs.clone().count() > 3 && !word.contains(['-', '_']);
    let said: Vec<String> = runs
        .map(|run| {
            let text: String = run.iter().collect();
            match run[0] {
                c if c.is_ascii_digit() => run_of_digits(&text, language),
                '_' if word.contains('.') => language.signs.underscore.into(),
                '_' | '-' => String::new(),
                _ if hexadecimal => {
                    text.to_uppercase().chars().map(String::from).collect::<Vec<_>>().join(" ")
                }
                _ => text,
            }
        })
        .filter(|part| !part.is_empty())
        .collect();
    Some(said.join(" "))
}

/// "HighMemoryUsage" is three words.
fn humps(found: &Found<'_>, _: &Language) -> Option<String> {
    let word = found.get(0);
    let chars: Vec<char> = word.chars().collect();
    if chars.len() < 4 || KEPT_WHOLE.contains(&word) {
        return None;
    }
    let mut said = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let lower = |at: usize| chars.get(at).is_some_and(|c| c.is_lowercase());
        let after_lower = at > 0 && lower(at - 1);
        let before_word = at > 0 && lower(at + 1) && lower(at + 2) && chars[at - 1].is_uppercase();
        if c.is_uppercase() && (after_lower || before_word) {
            said.push(' ');
        }
        said.push(c);
    }
    Some(said)
}

const HEXADECIMAL_MIN: usize = 7;
const SPOKEN_AS_WORDS: [&str; 2] = ["b4", "gr8"];
const KEPT_WHOLE: [&str; 6] = ["GmbH", "McDonald", "iPhone", "iPad", "eMail", "PayPal"];
