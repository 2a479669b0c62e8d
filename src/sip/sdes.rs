//! Keys for SRTP in a session description: `a=crypto` lines.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sdp_types::Media;
use zeroize::Zeroizing;

use crate::media::srtp::{KeyIndex, MasterKey, Suite};
use crate::seed::Seed;

/// One `a=crypto` line: the key with which its writer encrypts.
///
/// Source: RFC 4568 §4, §6.1, §9.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crypto {
    pub(super) tag: u32,
    pub(super) key: MasterKey,
}

impl Crypto {
    /// A line for each suite, each with a key of its own.
    pub(super) fn fresh(seed: &mut Seed) -> impl Iterator<Item = Self> {
        Suite::ALL.into_iter().zip(1..).filter_map(|(suite, tag)| {
            let secret = Zeroizing::new(seed.secret::<30>());
            let key = MasterKey::new(suite, secret.get(..suite.secret_octets())?)?;
            Some(Self { tag, key })
        })
    }

    /// The lines of a stream that we can do as they stand; another is passed over.
    pub(super) fn all(media: &Media) -> Vec<Self> {
        let lines = media.attributes.iter().filter(|line| line.attribute == "crypto");
        lines.filter_map(|line| Self::read(line.value.as_deref()?)).collect()
    }

    /// `None` for another suite, several keys, a key that is too short-lived for a call, and a
    /// parameter that we do not take part in. One with a dash may be passed over; a window size is a hint.
    ///
    /// Source: RFC 4568 §6.1 (inline), §6.3 (session parameters).
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.bytes().all(|b| b.is_ascii_digit()))?;
        let name = words.next()?;
        let suite = Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))?;
        let (method, info) = words.next()?.split_once(':')?;
        let mut info = info.split('|');
        let secret = info.next()?;
        let plain = words.all(|word| word.starts_with('-') || word.starts_with("WSH="));
        let (life, index) = match (info.next(), info.next(), info.next()) {
            (Some(life), Some(index), None) => (Some(life), Some(index)),
            (Some(index), None, None) if index.contains(':') => (None, Some(index)),
            (life, None, None) => (life, None),
            _ => return None,
        };
        let is_long = life.is_none_or(is_long_life);
        if !method.eq_ignore_ascii_case("inline") || !plain || !is_long {
            return None;
        }
        let index = match index {
            Some(text) => Some(key_index(text)?),
            None => None,
        };
        let mut octets = Zeroizing::new([0; 40]);
        let length = BASE64.decode_slice(secret, &mut *octets).ok()?;
        let key = MasterKey::new(suite, octets.get(..length)?)?.counted(index);
        Some(Self { tag: tag.parse().ok()?, key })
    }

    /// The line's value.
    pub(super) fn write(&self) -> String {
        let secret = Zeroizing::new(BASE64.encode(self.key.octets()));
        format!("{} {} inline:{}", self.tag, self.key.suite().name(), *secret)
    }
}

/// The index that a far end writes into its packets: a number and in how many octets.
///
/// Source: RFC 4568 §6.1.
fn key_index(text: &str) -> Option<KeyIndex> {
    let (number, length) = text.split_once(':')?;
    KeyIndex::new(number.parse().ok()?, length.parse().ok()?)
}

/// Whether a key may be used for as many packets as a call can have.
fn is_long_life(text: &str) -> bool {
    let packets = match text.strip_prefix("2^") {
        Some(power) => power.parse().ok().and_then(|power| 1_u64.checked_shl(power)),
        None => text.parse().ok(),
    };
    packets.is_some_and(|packets| (CALL_PACKETS_MAX..=1 << 48).contains(&packets))
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Nine minutes in packets of 10 ms, each way, and more.
const CALL_PACKETS_MAX: u64 = 1 << 17;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_if_we_can_do_all_that_it_says() {
        let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
        let short = "AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw==";
        let taken = [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("01 aes_cm_128_hmac_sha1_32 INLINE:{key}|2^31"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1048576 WSH=128 -FUTURE"),
            format!("1  AEAD_AES_128_GCM  inline:{short}|2^48"),
            format!("1 AEAD_AES_128_GCM inline:{}", short.trim_end_matches('=')),
        ];
        for line in &taken {
            let read = Crypto::read(line).unwrap();
            assert_eq!(read.tag, 1, "{line}");
            assert_eq!(Crypto::read(&read.write()), Some(read), "{line}");
        }
        for line in ["|2^31|1:1", "|7:4", "|1048576|255:8"] {
            let plain = Crypto::read(&taken[0]).unwrap();
            let counted = format!("{}{line}", taken[0]);
            let read = Crypto::read(&counted).unwrap();
            assert!(read != plain && read.key.octets() == plain.key.octets(), "{line}");
        }
        let refused = [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:0"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|256:1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:9"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:4|2^31"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:4|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^10"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^64"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31;inline:{key}|2^31"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} KDR=1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} UNAUTHENTICATED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key} FUTURE=1"),
            format!("1 AES_256_CM_HMAC_SHA1_80 inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{short}"),
            format!("1 AEAD_AES_128_GCM inline:{key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 uri:{key}"),
            format!("-1 AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            format!("99999999999 AES_CM_128_HMAC_SHA1_80 inline:{key}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:".to_owned() + &"A".repeat(4000),
            "1 AES_CM_128_HMAC_SHA1_80 inline:?".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            String::new(),
        ];
        for line in refused {
            assert_eq!(Crypto::read(&line), None, "{line}");
        }
    }

    #[test]
    fn no_two_keys_are_the_same() {
        let mut seed = Seed::fixed(1);
        let mut keys: Vec<_> = Crypto::fresh(&mut seed).collect();
        keys.extend(Crypto::fresh(&mut seed));
        let mut seed = Seed::fixed(1);
        assert_eq!(Crypto::fresh(&mut seed).collect::<Vec<_>>(), keys[..3]);
        for (at, one) in keys.iter().enumerate() {
            assert!(
                keys[..at].iter().all(|other| other.key.octets()[..28] != one.key.octets()[..28])
            );
        }
    }
}
