//! A telephone number that is safe to dial: digits only, with its country code.

use std::fmt;
use std::str::FromStr;

use crate::redaction::Pii;

/// A number in international form. What is not one cannot be made, so nothing a person typed
/// reaches a SIP URI except `+` and digits.
///
/// Shape:  `+` and 7 to 15 ASCII digits, the first not 0.
/// Source: ITU-T E.164 §6.1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// A number as it stands where no person has written it: with `+`, with `00` for it, or, where `country` (such as `+81`) is
    /// known, with its code alone, or without it and perhaps with a `0` for that.
    ///
    /// Source: ITU-T E.123 §3, E.164 Annex A (prefixes are no part of a number).
    pub fn as_dialled(digits: &str, country: Option<&str>) -> Option<Self> {
        let international = if digits.starts_with('+') {
            digits.to_owned()
        } else if let Some(rest) = digits.strip_prefix("00") {
            format!("+{rest}")
        } else {
            let country = country?;
            match digits.strip_prefix('0') {
                Some(national) => format!("{country}{national}"),
                // Trunks leave out the `+`; those that leave out a national `0` write numbers that begin otherwise.
                None if format!("+{digits}").starts_with(country) => format!("+{digits}"),
                None => format!("{country}{digits}"),
            }
        };
        international.parse().ok()
    }

    /// A number as people write it: as [`FromStr`] takes it, or with `00` for `+`, after `tel:`, or with the `(0)` that is
    /// left out abroad.
    ///
    /// Source: ITU-T E.123 §2.5 (brackets around digits that are not always dialled), RFC 3966 §3 (`tel:`).
    pub fn as_written(written: &str) -> Result<Self, NotANumber> {
        let written = written.trim();
        let is_uri = written.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        let number = if is_uri { &written[4..] } else { written };
        let number = number.replace("(0)", "");
        match number.trim_start_matches('(').strip_prefix("00") {
            Some(rest) => format!("+{rest}").parse(),
            None => number.parse(),
        }
    }

    /// The number as dialled, with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the number begins with `prefix`, itself written with `+`.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }
}

impl FromStr for PhoneNumber {
    type Err = NotANumber;

    /// Takes what people write: spaces, hyphens, dots, slashes and brackets between digits are ignored, `00` is not `+`.
    fn from_str(written: &str) -> Result<Self, NotANumber> {
        let number: String = written
            .trim()
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')'))
            .collect();
        let Some(digits) = number.strip_prefix('+') else { return Err(NotANumber) };
        let plausible = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if plausible { Ok(Self(number)) } else { Err(NotANumber) }
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Pii(&self.0).fmt(f)
    }
}

/// The text is not an international number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is written with + and the country code, such as +81312345678")]
pub struct NotANumber;

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_with_a_country_code_become_a_number() {
        let cases = [
            ("+81312345678", Some("+81312345678")),
            (" +81 (3) 1234-5678 ", Some("+81312345678")),
            ("0312345678", None),
            ("+0312345678", None),
            ("+81", None),
            ("+8131234567890123", None),
            ("+81312345678;ext=5", None),
            ("+81312345678@evil.example", None),
            ("+8131234567&SIP/9", None),
            ("+８１３１２３４５６７８", None),
            ("+81312345678\r\nX: y", None),
        ];
        for (written, expected) in cases {
            let number = written.parse::<PhoneNumber>().ok();
            assert_eq!(number.as_ref().map(PhoneNumber::as_str), expected, "written {written:?}");
        }
    }

    #[test]
    fn a_number_is_taken_as_people_write_it() {
        for (written, expected) in [
            ("+81 (0)3 7890 2222", Some("+81378902222")),
            ("0081 3 7890 2222", Some("+81378902222")),
            ("(0081) 3 7890 2222", Some("+81378902222")),
            ("tel:+81-3-7890-2222", Some("+81378902222")),
            ("TEL:0081378902222", Some("+81378902222")),
            ("0170 1234567", None),
            ("000", None),
            ("é", None),
        ] {
            let number = PhoneNumber::as_written(written).ok();
            assert_eq!(number.as_ref().map(PhoneNumber::as_str), expected, "{written}");
        }
    }

    #[test]
    fn a_number_in_a_debug_line_is_hidden() {
        let number: PhoneNumber = "+81312345678".parse().unwrap();
        assert!(!format!("{number:?}").contains("1234"));
    }
}
