//! Whether people are named on a page.

use std::hash::Hash;

use crate::phone_number::PhoneNumber;
use crate::redaction::Pii;

/// Whether a page names people and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// A tag stands in the place of each name, the same as in the log of this run.
    Hidden,
    /// They are shown.
    Shown,
}

impl Names {
    /// A JID, a person's name, or the id of a sender's stanza.
    pub(super) fn of<T: AsRef<str> + Hash + ?Sized>(self, name: &T) -> String {
        match self {
            Self::Hidden => Pii(name.as_ref()).to_string(),
            Self::Shown => name.as_ref().to_owned(),
        }
    }

    /// A number, or the country that it is of.
    pub(super) fn number(self, number: &PhoneNumber) -> String {
        match self {
            Self::Hidden => format!("{}…", number.as_str().get(..COUNTRY_CHARS).unwrap_or("+")),
            Self::Shown => number.as_str().to_owned(),
        }
    }

    /// The first digits of a number, without `+`.
    pub(super) fn area(self, area: &str) -> String {
        let shown = match self {
            Self::Hidden => area.get(..COUNTRY_CHARS - 1).unwrap_or(area),
            Self::Shown => area,
        };
        format!("+{shown}…")
    }

    /// A key that was pressed.
    pub(super) fn key(self, key: &str) -> &str {
        match self {
            Self::Hidden => "pressed",
            Self::Shown => key,
        }
    }
}

/// The plus and two digits.
const COUNTRY_CHARS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_unless_they_are_to_be() {
        let number: PhoneNumber = "+81378901111".parse().unwrap();
        let shown = (Names::Shown.of("bob@example.org"), Names::Shown.number(&number));
        assert_eq!(shown, ("bob@example.org".to_owned(), "+81378901111".to_owned()));
        assert_eq!(Names::Hidden.of("bob@example.org"), Names::Hidden.of("bob@example.org"));
        assert!(!Names::Hidden.of("bob@example.org").contains("bob"));
        assert_eq!(Names::Hidden.number(&number), "+81…");
        assert_eq!(
            (Names::Hidden.area("813789"), Names::Hidden.area("8")),
            ("+81…".into(), "+8…".into())
        );
        assert_eq!((Names::Hidden.key("1"), Names::Shown.key("1")), ("pressed", "1"));
    }
}
