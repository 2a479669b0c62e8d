//! Signs between and before words: comparisons, arrows, slashes, faces.

use super::language::Language;
use super::rule::{Found, Rule, rules as table};

/// Faces made of signs are seen, not read.
pub(super) fn faces(_: &Language) -> Vec<Rule> {
    table([(
        r"(^|\s)(?:[:;=8][-o']?[)(DPp|/*\]\[3]+|<3+|\^\^|\^_\^|xD|XD|:'\(|\\o/|-_-)($|[\s.,!?])",
        |found, language| {
            let end = found.get(2).trim();
            let face = found.get(0).trim().trim_end_matches(['.', ',', '!', '?']);
            if face.starts_with("<3") {
                let before = found.words_before().next().unwrap_or_default();
                let ends = found.after.trim().is_empty() || !end.is_empty();
                let loves = before.is_empty() || FOND.contains(&before.as_str());
                return (ends && loves).then(|| format!(" {}{end} ", language.signs.heart));
            }
            // "8)" ends a list in brackets.
            (!face.starts_with('8')).then(|| format!("{end} "))
        },
    )])
}

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    table([
        (
            r"\s?(<=|>=|≤|≥|!=|≠|==|->|=>|→|←|⇒|»|«|±|\+/-|≈)\s?",
            |found, language| {
                let signs = &language.signs;
                let said = match found.get(1) {
                    "<=" | "≤" => signs.at_most,
                    ">=" | "≥" => signs.at_least,
                    "!=" | "≠" => signs.differs,
                    "==" => signs.equals,
                    "->" | "=>" | "→" | "⇒" => signs.becomes,
                    "±" | "+/-" => signs.plus_minus,
                    "≈" => signs.about,
                    _ => "",
                };
                Some(format!(" {said} "))
            },
        ),
        (r"(\s?)([<>=~×÷])(\s?)", comparison),
        (r"(\d)\s?([x*+])\s?(\d)", |found, language| {
            let signs = &language.signs;
            let said = match found.get(2) {
                "x" => signs.by,
                "*" => signs.times,
                _ => signs.plus,
            };
            Some(format!("{} {said} {}", found.get(1), found.get(3)))
        }),
        (r"\b(\d+) ?x\b", |found, language| {
            let times = found.number(1)?;
            let count =
                if times == 1 { (language.one)(false).into() } else { (language.cardinal)(times) };
            Some(format!("{count} {}", language.signs.times_as))
        }),
        (r"(^|[\s(])\+(\d)", |found, language| {
            Some(format!("{}{} {}", found.get(1), language.signs.plus, found.get(2)))
        }),
        (r"\s?&\s?", |_, language| Some(format!(" {} ", language.signs.and))),
        (r"(^|\s)@\s?(\w)", |found, language| {
            Some(format!("{}{} {}", found.get(1), language.signs.at, found.get(2)))
        }),
        (r"\b([A-Za-z]+)/([A-Za-z]+)\b", slash),
        (r"(\w)\s?/\s?(\w)", |found, language| {
            Some(format!("{} {} {}", found.get(1), language.signs.slash, found.get(2)))
        }),
        (r"\s?[|•·]\s?", |_, _| Some(", ".into())),
        (r"(\w)\s?\(([^()\n]{1,80})\)", |found, _| {
            Some(format!("{}, {},", found.get(1), found.get(2)))
        }),
        (r#"["„“”«»\[\]{}]"#, |_, _| Some(String::new())),
        (r",(\s*)([.,!?:;])", |found, _| Some(found.get(2).to_owned())),
        (r"(\w)\s+[-–—]+\s+(\w)", |found, _| {
            Some(format!("{}, {}", found.get(1), found.get(2)))
        }),
    ])
}

fn comparison(found: &Found<'_>, language: &Language) -> Option<String> {
    let signs = &language.signs;
    let next_is_number =
        found.first_after().is_some_and(|c| c.is_ascii_digit() || c == '-' || c == '.');
    let follows_word =
        found.last_before().is_some_and(|c| c.is_alphanumeric() || ")%\"".contains(c));
    let said = match found.get(2) {
        "~" if next_is_number => signs.about,
        ">" if next_is_number || follows_word => signs.above,
        "<" if next_is_number || follows_word => signs.below,
        "=" if next_is_number || follows_word => signs.equals,
        "×" => signs.times,
        "÷" => signs.slash,
        _ => return None,
    };
    Some(format!(" {said} "))
}

/// Two words for a choice, or two names beside each other.
fn slash(found: &Found<'_>, language: &Language) -> Option<String> {
    let (one, two) = (found.get(1), found.get(2));
    if found.last_before() == Some('/') || found.first_after() == Some('/') {
        return Some(format!("{one} {two}"));
    }
    let is_name = |word: &str| word.len() <= 4 && word.chars().all(char::is_uppercase);
    let pair = format!("{one}/{two}").to_lowercase();
    if (is_name(one) && is_name(two)) || TOGETHER.contains(&pair.as_str()) {
        return Some(format!("{one} {two}"));
    }
    let goes_on =
        |c: char| c == '-' || c == '_' || c == '.' && found.after.len() > 1 || c.is_ascii_digit();
    let between = if found.first_after().is_some_and(goes_on) {
        language.signs.slash
    } else {
        language.signs.or
    };
    Some(format!("{one} {between} {two}"))
}

const FOND: [&str; 12] =
    ["you", "u", "it", "love", "this", "mom", "dich", "mama", "papa", "danke", "thanks", "day"];
const TOGETHER: [&str; 6] =
    ["input/output", "read/write", "client/server", "on/off", "ein/aus", "start/stop"];
