//! Durations and what is measured in units.

use super::german;
use super::language::{Language, Unit};
use super::numbers::{NUMERAL, Numeral};
use super::rule::{Found, Rule, any_of};

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let short = any_of(language.durations.iter().map(|it| it.written).filter(|it| it.len() <= 3));
    let several = format!(r"\b(?:\d{{1,6}} ?(?:{short}) ?){{1,5}}\d{{1,6}} ?(?:{short}|\b)");
    let durations = any_of(language.durations.iter().map(|it| it.written));
    let single = format!(r"(-?)({NUMERAL})( ?)({durations})");
    let units = any_of(language.units.iter().map(|it| it.written));
    let measured = format!(r"(-?)({NUMERAL})(\s?)({units})");
    let halves = format!(r"half a ({durations}|{units})");
    let percent = format!(r"(-?)({NUMERAL})\s?%");
    let thousands = r"\b([1-9]\d{0,2})((?:['’]\d{3})+)\b";
    [
        Rule::new(thousands, |found, language| {
            let digits = format!("{}{}", found.get(1), found.get(2).replace(['\'', '’'], ""));
            Some((language.cardinal)(digits.parse().ok()?))
        }),
        Rule::new(&several, parts),
        Rule::new(&single, |found, language| measure(found, language.durations, language)),
        Rule::new(&measured, |found, language| measure(found, language.units, language)),
        Rule::new(&halves, |found, language| {
            let all = language.durations.iter().chain(language.units);
            let unit = all.into_iter().find(|it| it.written == found.get(1))?;
            let ends = !found.first_after().is_some_and(char::is_alphanumeric);
            let article = if unit.one == "hour" { "half an" } else { "half a" };
            ends.then(|| format!("{article} {}", unit.one))
        }),
        Rule::new(&percent, |found, language| {
            let number = Numeral::read(found.get(2), language)?;
            let percent = language.signs.percent;
            Some(format!("{}{} {percent}", signed(found, language)?, number.counting(language, false)))
        }),
        Rule::new(r"/(s|sec|h|hr|min|d|day|week|month|year|Tag|Monat|Jahr|Woche|Stunde|Person|kWh|Nacht)\b", |found, language| {
            let all = language.durations.iter().chain(language.units);
            let unit = all.into_iter().find(|it| it.written == found.get(1)).map_or(found.get(1), |it| it.one);
            let after_word = found.last_before().is_some_and(char::is_alphanumeric);
            after_word.then(|| format!(" {} {unit}", language.signs.per))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// "1h 32m 5s": each part by its unit; the last may lack it, as in "1h30".
fn parts(found: &Found<'_>, language: &Language) -> Option<String> {
    let ends = found.get(0).ends_with(' ');
    let alone = (ends
        || !found
            .first_after()
            .is_some_and(|c| c.is_alphanumeric() || "/:.".contains(c) && found.after.len() > 1))
        && !found.last_before().is_some_and(|c| c.is_alphanumeric() || ":.,-".contains(c));
    let mut said: Vec<String> = Vec::new();
    let mut rest = found.get(0).trim();
    let mut last = "";
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let after = rest[digits..].trim_start();
        let end = after.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(after.len());
        let written = match (&after[..end], last) {
            ("", "h") => "m",
            (written, _) => written,
        };
        let number = Numeral::read(&rest[..digits], language)?;
        said.push(counted(
            &number,
            language.durations.iter().find(|it| it.written == written)?,
            language,
        ));
        last = written;
        rest = after[end..].trim_start();
    }
    (alone && said.len() > 1).then(|| said.join(" ") + if ends { " " } else { "" })
}

fn measure(found: &Found<'_>, units: &[Unit], language: &Language) -> Option<String> {
    let (number, space, written) = (found.get(2), found.get(3), found.get(4));
    let goes_on = |c: char| {
        c.is_alphanumeric() || "²³".contains(c) || (c == '/' && !found.after.starts_with("/ "))
    };
    let per = found.after.starts_with("/s")
        || found.after.starts_with("/h")
        || found.after.starts_with("/min")
        || found.after.starts_with("/d")
        || found.after.starts_with("/Monat")
        || found.after.starts_with("/month")
        || found.after.starts_with("/Jahr")
        || found.after.starts_with("/Tag");
    if found.first_after().is_some_and(goes_on) && !per {
        return None;
    }
    // "5 d" is seldom written, "5 A" may be an article.
    if !space.is_empty() && ["d", "w", "y", "t"].contains(&written) && language.tag == "en" {
        return None;
    }
    let word_follows = found.after.starts_with(' ')
        && found.words_after().next().is_some_and(|it| it != "und" && it != "and");
    if written == "A" && word_follows {
        return None;
    }
    if written == "m" && !std::ptr::eq(units, language.units) && !is_minutes(found, space, language)
    {
        return None;
    }
    // "the 90s" are years.
    if written == "s"
        && space.is_empty()
        && number.len() == 2
        && number.ends_with('0')
        && found.words_before().next().is_some_and(|it| it == "the")
    {
        return None;
    }
    let unit = units.iter().find(|it| it.written == written)?;
    let number = Numeral::read(number, language)?;
    let counted = counted(&number, unit, language);
    let before = found.words_before().next().unwrap_or_default();
    let counted =
        if language.tag == "de" { german::after_preposition(&counted, &before) } else { counted };
    Some(format!("{}{counted}", signed(found, language)?))
}

/// "15m" is a time after such words as "for", and where nothing says that it is long or high.
fn is_minutes(found: &Found<'_>, space: &str, language: &Language) -> bool {
    let before = found.words_before().next().unwrap_or_default();
    let before = before.trim_start_matches(['>', '<', '~', '=']);
    let after = found.words_after().next().unwrap_or_default();
    if LENGTHS.contains(&after.as_str()) {
        return false;
    }
    language.minutes_after.contains(&before) && (space.is_empty() || language.tag == "en")
        || (space.is_empty() && AGO.contains(&after.as_str()))
}

fn counted(number: &Numeral, unit: &Unit, language: &Language) -> String {
    let name = if number.is_one() { unit.one } else { unit.many };
    format!("{} {name}", number.counting(language, unit.feminine))
}

/// The minus of a number, if it is one; `None` where the number is the end of something else.
fn signed(found: &Found<'_>, language: &Language) -> Option<String> {
    let before = found.last_before();
    if before.is_some_and(|c| c.is_alphanumeric() || ".:#_".contains(c)) {
        return if found.get(1).is_empty() { None } else { Some(" ".into()) };
    }
    Some(if found.get(1).is_empty() { String::new() } else { format!("{} ", language.signs.minus) })
}

const LENGTHS: [&str; 16] = [
    "long", "high", "wide", "deep", "tall", "away", "of", "from", "below", "above", "lang", "hoch",
    "breit", "tief", "weit", "entfernt",
];
const AGO: [&str; 5] = ["ago", "left", "late", "remaining", "zurück"];
