//! Recordings at rest: sealed with a key that is not in the store, or marked as plain.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};

/// The key that recordings are sealed with.
///
/// Contract: its octets are wiped from memory with the last clone and never shown.
#[derive(Clone, Debug)]
pub struct SealingKey(Arc<SecretBox<[u8; KEY_BYTES]>>);

impl SealingKey {
    /// Reads a key as it stands in its file; white space around it is ignored.
    ///
    /// Shape:  64 hex digits, 32 octets.
    /// Errors: [`NotAKey`] for anything else.
    pub fn from_hex(written: &str) -> Result<Self, NotAKey> {
        let digits = written.trim().as_bytes();
        if digits.len() != 2 * KEY_BYTES {
            return Err(NotAKey);
        }
        let mut key = SecretBox::<[u8; KEY_BYTES]>::default();
        for (octet, pair) in key.expose_secret_mut().iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let Some(value) = char::from(*digit).to_digit(16) else { return Err(NotAKey) };
                *octet = *octet << 4 | value as u8;
            }
        }
        Ok(Self(Arc::new(key)))
    }

    /// Seals a recording under its name.
    ///
    /// Shape:    1 octet form, 24 nonce, then as long as `plain`, 16 tag.
    /// Contract: a nonce is used once; a random one of this length never repeats. `name` is not kept and must
    ///           be given again to [`open`], so that two blobs cannot change places.
    /// Source:   XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2), built on RFC 8439 §2.8.
    pub fn seal(&self, plain: &[u8], name: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let Ok(sealed) =
            self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: name })
        else {
            unreachable!("encryption fails only at 256 GiB, and a recording is bounded");
        };
        [&[SEALED], &nonce[..], &sealed].concat()
    }

    /// Opens what [`SealingKey::seal`] made.
    ///
    /// Errors: [`OpenError::WrongKey`] also when the blob or its name was altered: these cannot be told apart.
    pub fn open(&self, sealed: &[u8], name: &[u8]) -> Result<Vec<u8>, OpenError> {
        let Some((&SEALED, rest)) = sealed.split_first() else {
            return Err(OpenError::UnknownForm);
        };
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE_BYTES>() else {
            return Err(OpenError::WrongKey);
        };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: name })
            .map_err(|_| OpenError::WrongKey)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(<&Key>::from(self.0.expose_secret()))
    }
}

/// Marks a recording as stored without a key.
fn plain(recording: &[u8]) -> Vec<u8> {
    [&[PLAIN], recording].concat()
}

/// The stored form of a recording: sealed if there is a key.
pub fn close(
    recording: &[u8],
    name: &[u8],
    key: Option<&SealingKey>,
    nonce: [u8; NONCE_BYTES],
) -> Vec<u8> {
    key.map_or_else(|| plain(recording), |key| key.seal(recording, name, nonce))
}

/// Opens a stored recording, sealed or plain: plain ones stay readable after a key was configured.
pub fn open(stored: &[u8], name: &[u8], key: Option<&SealingKey>) -> Result<Vec<u8>, OpenError> {
    match (stored.split_first(), key) {
        (Some((&PLAIN, recording)), _) => Ok(recording.to_vec()),
        (Some((&SEALED, _)), Some(key)) => key.open(stored, name),
        (Some((&SEALED, _)), None) => Err(OpenError::NoKey),
        (Some(_) | None, _) => Err(OpenError::UnknownForm),
    }
}

/// Why a stored recording cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is sealed and no key is configured.
    #[error(
        "the recording is sealed: set voice_reply.key_file to the file with the key it was sealed with"
    )]
    NoKey,
    /// It does not open.
    #[error(
        "the recording does not open: set voice_reply.key_file back to the key it was sealed with; \
         if that is the key, the stored recording was altered"
    )]
    WrongKey,
    /// Its form is unknown to this version.
    #[error(
        "the recording was stored by a newer version, or altered: use the version that stored it"
    )]
    UnknownForm,
}

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hex digits, as \"openssl rand -hex 32\" prints them")]
pub struct NotAKey;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first octet of a stored recording.
const PLAIN: u8 = 0;
const SEALED: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> SealingKey {
        SealingKey::from_hex(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn a_sealed_recording_opens_with_its_key_and_name_only() {
        let sealed = key("a").seal(b"RIFF my secret", b"rec-1", [7; 24]);
        assert_eq!(key("a").open(&sealed, b"rec-1").unwrap(), b"RIFF my secret");
        assert_eq!(key("b").open(&sealed, b"rec-1"), Err(OpenError::WrongKey));
        assert_eq!(
            key("a").open(&sealed, b"rec-2"),
            Err(OpenError::WrongKey),
            "blobs were swapped"
        );
        assert!(!sealed.windows(4).any(|octets| octets == b"RIFF"));
        let other_nonce = key("a").seal(b"RIFF my secret", b"rec-1", [8; 24]);
        assert_ne!(sealed[25..], other_nonce[25..]);
    }

    #[test]
    fn one_bit_changed_or_one_octet_missing_is_noticed() {
        let sealed = key("1").seal(b"hello", b"rec", [0; 24]);
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(key("1").open(&altered, b"rec").is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key("1").open(&sealed[..length], b"rec").is_err(), "{length} octets");
        }
    }

    #[test]
    fn the_error_names_what_is_wrong_with_the_key() {
        let (plain, sealed) = (plain(b"ID3"), key("1").seal(b"ID3", b"rec", [0; 24]));
        let (key, other) = (key("1"), key("2"));
        let cases = [
            ("plain, no key", &plain, None, Ok(())),
            ("plain, from before the key", &plain, Some(&key), Ok(())),
            ("sealed, the key", &sealed, Some(&key), Ok(())),
            ("sealed, another key", &sealed, Some(&other), Err(OpenError::WrongKey)),
            ("sealed, the key is gone", &sealed, None, Err(OpenError::NoKey)),
        ];
        for (stored, blob, key, expected) in cases {
            let opened = open(blob, b"rec", key);
            assert_eq!(opened, expected.map(|()| b"ID3".to_vec()), "{stored}");
        }
        assert_eq!(open(b"ID3\x04", b"rec", Some(&key)), Err(OpenError::UnknownForm));
        assert_eq!(open(b"", b"rec", None), Err(OpenError::UnknownForm));
        assert!(OpenError::NoKey.to_string().contains("voice_reply.key_file"));
    }

    #[test]
    fn a_key_is_64_hex_digits_and_is_not_shown() {
        assert!(SealingKey::from_hex(&format!("  {}\n", "aF".repeat(32))).is_ok());
        for written in
            ["", "abc", &"a".repeat(63), &"a".repeat(65), &"g".repeat(64), &"é".repeat(32)]
        {
            assert!(SealingKey::from_hex(written).is_err(), "{written}");
        }
        let shown = format!("{:?}", key("e"));
        assert!(!shown.contains("ee") && !shown.contains("238"), "{shown}");
    }

    #[test]
    fn sealing_is_what_the_standard_says() {
        // The example of draft-irtf-cfrg-xchacha-03 §A.3.1, with its own key, nonce, data and tag.
        let key = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
        let nonce = std::array::from_fn(|place| 0x40 + place as u8);
        let text =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                     the future, sunscreen would be it.";
        let name = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let sealed = SealingKey::from_hex(key).unwrap().seal(text, &name, nonce);
        let hex: String = sealed.iter().map(|octet| format!("{octet:02x}")).collect();
        assert!(hex[50..].starts_with("bd6d179d3e83d43b9576579493c0e939"), "{hex}");
        assert!(hex.ends_with("c0875924c1c7987947deafd8780acf49"), "{hex}");
    }
}
