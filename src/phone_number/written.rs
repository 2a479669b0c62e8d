//! Numbers as people write them and read them.

use phonenumber::Mode;

use super::PhoneNumber;
use super::number_type::{NumberType, parts};

/// The digits of an international number that a person has written.
///
/// Source: ITU-T E.123 §2 (separators, a national `0` in brackets), RFC 3966 §3 (`tel:`, without its parameters).
pub(super) fn digits(written: &str) -> Option<String> {
    let plain: String = written.trim().chars().filter_map(plain).collect();
    let number = match plain.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &plain[4..],
        _ => &plain,
    };
    let digits = number.strip_prefix('+').or_else(|| number.strip_prefix("00"))?;
    let mut halves = digits.splitn(2, "(0)");
    let (code, rest) = (bare(halves.next()?), halves.next().map(bare));
    let Some(rest) = rest else { return plausible(&without_zero(code)) };
    // Where the zero belongs to the number, as in Italy, the number is none without it.
    let (with, without) = (format!("{code}0{rest}"), format!("{code}{rest}"));
    plausible(if is_known(&with) && !is_known(&without) { &with } else { &without })
}

/// The number in the groups of its country, or as dialled where they are not known.
pub(super) fn spaced(number: &PhoneNumber) -> String {
    let plain = number.as_str();
    let known = number.parts().is_some_and(|(_, national)| national.len() >= NATIONAL_MIN);
    let parsed = known.then(|| phonenumber::parse(None, plain).ok()).flatten();
    let spaced = parsed.map(|it| it.format().mode(Mode::International).to_string());
    let same = |it: &String| bare(it.trim_start_matches('+')) == plain[1..];
    spaced.filter(same).unwrap_or_else(|| plain.to_owned())
}

/// What a character stands for; `None` for those that are not seen.
fn plain(c: char) -> Option<char> {
    match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        '＋' => Some('+'),
        '（' => Some('('),
        '）' => Some(')'),
        '－' | '‐' | '‑' | '–' | '−' => Some('-'),
        '．' => Some('.'),
        '／' => Some('/'),
        '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{3000}' => Some(' '),
        // Address books put marks of the direction of writing around a number.
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => None,
        other => Some(other),
    }
}

fn bare(written: &str) -> String {
    written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')')).collect()
}

/// Leaves out a national `0` behind the country code where there is a number without it, and none with it.
fn without_zero(digits: String) -> String {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits;
    }
    let Some((_, national)) = parts(&digits) else { return digits };
    let Some(rest) = national.strip_prefix('0') else { return digits };
    let shorter = format!("{}{rest}", &digits[..digits.len() - national.len()]);
    if is_known(&shorter) && !is_known(&digits) { shorter } else { digits }
}

fn is_known(digits: &str) -> bool {
    let plan = |it: String| NumberType::of(&PhoneNumber(format!("+{it}")));
    let unknown = [NumberType::Unknown, NumberType::ShortCode, NumberType::Emergency];
    plausible(digits).is_some_and(|digits| !unknown.contains(&plan(digits)))
}

fn plausible(digits: &str) -> Option<String> {
    let plausible = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    plausible.then(|| digits.to_owned())
}

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;
/// Shorter ones are none that a plan could group.
const NATIONAL_MIN: usize = 4;
