//! Sums of money.

use super::language::{Currency, Language};
use super::numbers::{NUMERAL, Numeral};
use super::rule::{Found, Rule, any_of};

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let signs = any_of(language.currencies.iter().map(|it| it.written));
    let names = any_of(language.currencies.iter().map(|it| it.many));
    let scales = any_of(language.scales.iter().map(|(written, ..)| *written));
    let sum = format!(r"([-+]?)({signs})\s?(-?)({NUMERAL})(?:\s?({scales}))?");
    let after = format!(r"([-+]?)({NUMERAL})(?:,-)?(?:\s?({scales}))?\s?({signs})");
    let spaced =
        format!(r"\b([1-9]\d{{0,2}})((?:[ '’]\d{{3}})+)(,\d{{1,2}})?(\s?(?:{signs}|{names}))");
    let scaled = format!(r"({NUMERAL})\s?({scales})");
    [
        Rule::new(&spaced, |found, language| {
            let joined = format!("{}{}", found.get(1), found.get(2).replace([' ', '\'', '’'], ""));
            (language.tag != "en" || found.get(2).contains(['\'', '’']))
                .then(|| format!("{joined}{}{}", found.get(3), found.get(4)))
        }),
        Rule::new(&sum, |found, language| {
            let minus = found.get(1).to_owned() + found.get(3);
            sum_said(found, [found.get(4), found.get(5), found.get(2)], &minus, language)
        }),
        Rule::new(&after, |found, language| {
            sum_said(found, [found.get(2), found.get(3), found.get(4)], found.get(1), language)
        }),
        Rule::new(&scaled, |found, language| {
            let ends = !found.first_after().is_some_and(|c| c.is_alphanumeric() || c == '/');
            let starts =
                !found.last_before().is_some_and(|c| c.is_alphanumeric() || "-.,".contains(c));
            // "4 B" is a flat, "4B" a billion; "5 Mio." is both ways.
            let spaced = found.get(0).contains(' ') && found.get(2).len() == 1;
            let number = Numeral::read(found.get(1), language)?;
            (ends && starts && !spaced && found.get(2) != "K")
                .then(|| scaled_number(&number, found.get(2), language))?
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// "five million".
fn scaled_number(number: &Numeral, scale: &str, language: &Language) -> Option<String> {
    let (_, one, many) = language.scales.iter().find(|(written, ..)| *written == scale)?;
    let scale = if number.is_one() { one } else { many };
    let feminine = one.starts_with(char::is_uppercase);
    let counted = if language.tag == "de" {
        number.counting(language, feminine)
    } else {
        number.said(language)
    };
    Some(format!("{counted} {scale}"))
}

fn sum_said(
    found: &Found<'_>,
    [number, scale, sign]: [&str; 3],
    minus: &str,
    language: &Language,
) -> Option<String> {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if joins(found.first_after()) || (joins(found.last_before()) && found.get(1).is_empty()) {
        return None;
    }
    let currency = language.currencies.iter().find(|it| it.written == sign)?;
    let numeral = Numeral::read(number, language)?;
    let minus = match minus {
        "" => String::new(),
        "+" => format!("{} ", language.signs.plus),
        _ => format!("{} ", language.signs.minus),
    };
    let said = if scale.is_empty() {
        amount(&numeral, currency, language)
    } else {
        format!("{} {}", scaled_number(&numeral, scale, language)?, currency.many)
    };
    Some(minus + &said)
}

fn amount(number: &Numeral, currency: &Currency, language: &Language) -> String {
    let has_hundredths = number.decimals.len() == 2 && !currency.hundredths.is_empty();
    let whole = Numeral { whole: number.whole, decimals: String::new() };
    let name = |number: &Numeral| if number.is_one() { currency.one } else { currency.many };
    if number.decimals.is_empty() || (has_hundredths && number.decimals == "00") {
        return format!("{} {}", whole.counting(language, false), name(&whole));
    }
    if !has_hundredths {
        return format!("{} {}", number.said(language), currency.many);
    }
    let hundredths =
        Numeral { whole: number.decimals.parse().unwrap_or_default(), decimals: String::new() };
    let unit = if hundredths.is_one() { currency.hundredth } else { currency.hundredths };
    let small = format!("{} {unit}", hundredths.counting(language, false));
    match (number.whole, language.tag) {
        (0, _) => small,
        // "vier Euro fünfzig".
        (_, "de") => format!(
            "{} {} {}",
            whole.counting(language, false),
            name(&whole),
            hundredths.said(language)
        ),
        _ => format!("{} {} {} {small}", whole.said(language), name(&whole), language.signs.and),
    }
}
