//! What names something: numbers of telephones, accounts and tickets, digit by digit.

use super::language::Language;
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    table([
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", |_, language| {
            Some(language.signs.identifier.into())
        }),
        (r"\b[0-9a-f]{16,}\b", |found, language| {
            let mixed = found.get(0).contains(|c: char| c.is_alphabetic());
            mixed.then(|| language.signs.identifier.into())
        }),
        (r"\b([A-Z]{2})(\d{2})((?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?)\b", account),
        (r"(\+|\b00)(\d{1,4}[\d\s().\-/]{5,24}\d)\b", |found, language| {
            let digits = found.get(2).chars().filter(char::is_ascii_digit).count();
            let plus = if found.get(1) == "+" {
                language.signs.plus.to_owned()
            } else {
                language.spelled("00")
            };
            (7..=15)
                .contains(&digits)
                .then(|| format!("{plus} {}", grouped(found.get(2), language)))
        }),
        (r"(\(0?\d{2,5}\)|\b0\d{1,5})[ /\-]{1,3}\d{1,8}(?:[ \-]\d{1,8}){0,6}\b", telephone),
        (r"\b\d{3}[-. ]\d{3}[-. ]\d{4}\b", |found, language| Some(grouped(found.get(0), language))),
        (r"\b\d{3}-\d{4}\b", |found, language| {
            // A full stop ends the sentence, unless digits follow it.
            let goes_on = found.after.starts_with('-')
                || found
                    .after
                    .strip_prefix('.')
                    .is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
            let alone = !found.before.ends_with(['-', '.']) && !goes_on;
            alone.then(|| grouped(found.get(0), language))
        }),
        (r"\b\d{2,6}(?:[ -]\d{2,6}){1,8}\b", after_its_name),
        (r"(?i)\b(?:ext\.?|x|dw) ?(\d{2,6})\b", |found, language| {
            let written = found.get(0);
            let alone = !written.starts_with(['x', 'X']) || found.last_before() == Some(' ');
            let extension = language.signs.extension;
            alone.then(|| format!("{extension} {}", language.spelled(found.get(1))))
        }),
        (r"#(\d{1,12})\b", |found, language| {
            let (digits, number) = (found.get(1), language.signs.number);
            let named = found.is_named(language);
            let said = match found.number(1) {
                Some(value) if digits.len() < 3 && !digits.starts_with('0') => {
                    (language.cardinal)(value)
                }
                _ => language.spelled(digits),
            };
            Some(if named { said } else { format!("{number} {said}") })
        }),
    ])
}

/// The groups that the writer made, each digit by digit.
fn grouped(written: &str, language: &Language) -> String {
    let groups = written.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    groups.map(|group| language.spelled(group)).collect::<Vec<_>>().join(", ")
}

/// A number with an area code. One in brackets that is not followed by enough digits is a remark.
fn telephone(found: &Found<'_>, language: &Language) -> Option<String> {
    let written = found.get(0);
    let digits = written.chars().filter(char::is_ascii_digit).count();
    let joined = |c: char| c.is_alphanumeric() || ".,:/-".contains(c);
    let is_one = (6..=15).contains(&digits)
        && !found.last_before().is_some_and(joined)
        && !found.first_after().is_some_and(|c| c == ':' || c == '/');
    is_one.then(|| grouped(written, language))
}

/// Groups of digits that no sum is written in: "ticket 4711 0815", "555 123 456".
fn after_its_name(found: &Found<'_>, language: &Language) -> Option<String> {
    let named = found.is_named(language);
    let digits = found.get(0).chars().filter(char::is_ascii_digit).count();
    let joined = |c: char| c.is_alphanumeric() || ".,:/-".contains(c);
    let apart = !found.last_before().is_some_and(joined)
        && !found.first_after().is_some_and(|c| c == ':' || c == '/' || c == '%' || c == '-');
    (named && apart && digits >= NAMED_DIGITS).then(|| grouped(found.get(0), language))
}

/// An account: letters by name, digits one by one.
fn account(found: &Found<'_>, language: &Language) -> Option<String> {
    let rest = found.get(3);
    if !rest.contains(|c: char| c.is_ascii_digit())
        || rest.matches(' ').count() == 0 && rest.len() < 11
    {
        return None;
    }
    let said = |text: &str| -> String {
        let mut parts = Vec::new();
        let chars: Vec<char> = text.chars().collect();
        for run in chars.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
            let run: String = run.iter().collect();
            if run.starts_with(|c: char| c.is_ascii_digit()) {
                parts.push(language.spelled(&run));
            } else {
                parts.extend(run.chars().map(String::from));
            }
        }
        parts.join(" ")
    };
    let groups = rest.split(' ').filter(|group| !group.is_empty()).map(said);
    let head = format!("{} {}", said(found.get(1)), language.spelled(found.get(2)));
    Some([head].into_iter().chain(groups).collect::<Vec<_>>().join(", "))
}

/// Fewer digits after a name are a count.
const NAMED_DIGITS: usize = 6;
