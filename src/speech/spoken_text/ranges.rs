//! From one to another: "14-16". What stands at the ends is worded by later rules.

use super::language::Language;
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    // Of a chain such as 1-2-3 one pass sees each second gap.
    table([
        (r"(\d|[ap]m|[AP]M|Uhr|%|°C|h|\d\.)(\s?)[-–—](\s?)(\d)", between),
        (r"(\d)(\s?)[-–—](\s?)(\d)", between),
    ])
}

fn between(found: &Found<'_>, language: &Language) -> Option<String> {
    // "5 -3" has a sign, "5 - 3" and "5-3" have none.
    let from = found.get(1);
    let word_goes_on = from == "h" && !found.last_before().is_some_and(|c| c.is_ascii_digit());
    if found.get(2) != found.get(3) || word_goes_on {
        return None;
    }
    // Between what begins with a letter it is a hyphen: "web-01-02".
    let run = found.before.rsplit(char::is_whitespace).next().unwrap_or_default();
    if run.starts_with(char::is_alphabetic) && found.get(2).is_empty() && !run.contains(':') {
        return None;
    }
    Some(format!("{from} {} {}", language.signs.to, found.get(4)))
}
