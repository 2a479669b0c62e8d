//! A telephone number that is safe to dial: digits only, with its country code.

mod number_type;
mod written;

use std::fmt;
use std::str::FromStr;

pub use number_type::NumberType;

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

    /// The number as dialled, with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the number begins with `prefix`, itself written with `+`.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// The number as people write it, such as `+81 3-1234-5678`.
    pub fn spaced(&self) -> String {
        written::spaced(self)
    }

    /// The country code, and the number within it; `None` where no country or network has such a code.
    fn parts(&self) -> Option<(u16, &str)> {
        number_type::parts(&self.0[1..])
    }

    /// How many characters of [`PhoneNumber::as_str`] are `+` and country code; `+` alone where there is none.
    pub(crate) fn code_length(&self) -> usize {
        self.parts().map_or(1, |(_, national)| self.0.len() - national.len())
    }
}

impl FromStr for PhoneNumber {
    type Err = NotANumber;

    /// Takes what people write: separators and `tel:` are ignored, `00` is `+`, and the `0` of calls at home, written behind
    /// the country code, is left out where the country has one.
    fn from_str(written: &str) -> Result<Self, NotANumber> {
        written::digits(written).map(|digits| Self(format!("+{digits}"))).ok_or(NotANumber)
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

#[cfg(test)]
mod tests;
