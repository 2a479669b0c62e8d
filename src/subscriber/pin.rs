//! The PIN that a subscriber enters on the phone.

use std::fmt;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::seed::Seed;

/// A PIN, of which only a hash is kept.
///
/// Source: RFC 9106 (Argon2id). A thief of the file soon finds four digits by trying; the hash only keeps them out of
///         accidental sight.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin {
    hash: String,
    digits: usize,
}

impl Pin {
    /// Takes 4 to 8 digits.
    pub fn new(digits: &str, seed: &mut Seed) -> Result<Self, NotAPin> {
        let well_formed =
            (4..=8).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
        if !well_formed {
            return Err(NotAPin);
        }
        let salt = SaltString::encode_b64(seed.token().as_bytes()).map_err(|_| NotAPin)?;
        let hash = argon2().hash_password(digits.as_bytes(), &salt).map_err(|_| NotAPin)?;
        Ok(Self { hash: hash.to_string(), digits: digits.len() })
    }

    /// Whether these digits are among the first that somebody tries: a row, a year, a repetition, a column of the keys, or the
    /// end of one of the person's numbers.
    ///
    /// Source: GSMA SG.20 (no obvious patterns).
    pub fn is_trivial<'n>(digits: &str, mut numbers: impl Iterator<Item = &'n str>) -> bool {
        let steps = |step: i32| {
            let pairs = digits.as_bytes().windows(2);
            pairs.into_iter().all(|two| (i32::from(two[1]) - i32::from(two[0]) - step) % 10 == 0)
        };
        let repeats = |length: usize| {
            digits.len() >= 2 * length
                && digits.as_bytes().chunks(length).all(|part| digits.as_bytes().starts_with(part))
        };
        let year = digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"));
        if digits.len() < 4 {
            // None at all, or none that can be set.
            return false;
        }
        [-1, 0, 1].into_iter().any(steps)
            || (2..=4).any(repeats)
            || year
            || ["2580", "0852", "1379", "7139"].contains(&digits)
            || numbers.any(|number| number.ends_with(digits))
    }

    /// Whether these are its digits. Takes some milliseconds.
    pub fn is(&self, digits: &str) -> bool {
        let hash = PasswordHash::new(&self.hash);
        hash.is_ok_and(|hash| argon2().verify_password(digits.as_bytes(), &hash).is_ok())
    }

    /// How many digits it has.
    pub fn digits(&self) -> usize {
        self.digits
    }

    /// As it is stored.
    pub fn stored(&self) -> String {
        format!("{} {}", self.digits, self.hash)
    }

    /// Reads the form of [`Pin::stored`].
    pub fn from_stored(stored: &str) -> Option<Self> {
        let (digits, hash) = stored.split_once(' ')?;
        Some(Self { hash: hash.to_owned(), digits: digits.parse().ok()? })
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// The text is no PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN has 4 to 8 digits")]
pub struct NotAPin;

/// Cheap enough for a call on a busy machine.
fn argon2() -> Argon2<'static> {
    let params = Params::new(8 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_no_pin() {
        let number = "+81378901597";
        for trivial in [
            "0000", "1111", "88888888", "1234", "4321", "0123", "9876", "7890", "12345678", "1950",
            "2026", "1212", "121212", "123123", "48214821", "2580", "1597", "78901597",
        ] {
            assert!(Pin::is_trivial(trivial, [number].into_iter()), "{trivial}");
        }
        for fine in ["4821", "1124", "90210", "195007", "1221", "3141592", "", "1", "off"] {
            assert!(!Pin::is_trivial(fine, [number].into_iter()), "{fine}");
        }
    }

    #[test]
    fn only_its_digits_match_also_after_a_round_trip_through_the_store() {
        let mut seed = Seed::fixed(1);
        let pin = Pin::new("4821", &mut seed).unwrap();
        let stored = Pin::from_stored(&pin.stored()).unwrap();
        assert!(stored.is("4821") && stored.digits() == 4);
        for wrong in ["", "4822", "48210", "４８２１"] {
            assert!(!stored.is(wrong), "{wrong}");
        }
        for invalid in ["", "123", "123456789", "12a4", "１２３４"] {
            assert_eq!(Pin::new(invalid, &mut seed).err(), Some(NotAPin), "{invalid}");
        }
        assert!(!format!("{pin:?} {}", pin.stored()).contains("4821"));
    }
}
