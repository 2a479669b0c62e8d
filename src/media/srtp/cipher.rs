//! The keys of one direction at work.

use aes::Aes128;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, KeyInit as _};
use ctr::Ctr128BE;
use ctr::cipher::{InnerIvInit, StreamCipher, StreamCipherCoreWrapper};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{KEY_OCTETS, MasterKey, REPORT_HEAD, Suite};

/// What is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLabel {
    Packets,
    Reports,
}

/// The session keys of packets, or of reports, in one direction. The crates below erase them.
///
/// Source: RFC 3711 §4.1.1 and §4.2.1; RFC 7714 §8, §9.
pub(super) struct Cipher {
    kind: KeyLabel,
    mode: Mode,
}

enum Mode {
    Counter { aes: Aes128, salt: [u8; 14], mac: Hmac<Sha1>, tag: usize },
    Galois { aead: Aes128Gcm, salt: [u8; 12] },
}

impl Cipher {
    /// Source: RFC 3711 §4.3.1, §4.3.2 (labels), §4.3.3; without a key derivation rate.
    pub(super) fn derive(key: &MasterKey, kind: KeyLabel) -> Self {
        let label = if kind == KeyLabel::Packets { 0 } else { 3 };
        let secret = Zeroizing::new(derived::<KEY_OCTETS>(key, label));
        let mac_key = Zeroizing::new(derived::<20>(key, label + 1));
        let salt = derived::<14>(key, label + 2);
        let mode = match key.suite() {
            Suite::AesGcm => {
                let [salt @ .., _, _] = salt;
                Mode::Galois { aead: Aes128Gcm::new((&*secret).into()), salt }
            }
            suite => {
                let Ok(mac) = Hmac::new_from_slice(&*mac_key) else {
                    unreachable!("HMAC takes a key of any length")
                };
                let short = suite == Suite::AesCm32 && kind == KeyLabel::Packets;
                let tag = if short { 4 } else { 10 };
                Mode::Counter { aes: Aes128::new((&*secret).into()), salt, mac, tag }
            }
        };
        Self { kind, mode }
    }

    /// Encrypts what is behind `head` and adds what authenticates all of it.
    pub(super) fn seal(
        &self,
        buffer: &mut [u8],
        head: usize,
        length: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let word = self.word(index);
        let mut end = length;
        let mut add = |buffer: &mut [u8], octets: &[u8]| {
            buffer.get_mut(end..end + octets.len())?.copy_from_slice(octets);
            end += octets.len();
            Some(())
        };
        match &self.mode {
            Mode::Counter { aes, salt, mac, tag } => {
                keystream(aes, salt, ssrc, index).apply_keystream(buffer.get_mut(head..length)?);
                let mac = mac.clone().chain_update(buffer.get(..length)?).chain_update(word);
                if self.kind == KeyLabel::Reports {
                    add(buffer, &word)?;
                }
                add(buffer, mac.finalize().into_bytes().get(..*tag)?)?;
            }
            Mode::Galois { aead, salt } => {
                let (front, body) = buffer.get_mut(..length)?.split_at_mut_checked(head)?;
                let nonce = nonce(salt, ssrc, index);
                let (known, size) = self.associated(front, word)?;
                let known =
                    if self.kind == KeyLabel::Packets { front } else { known.get(..size)? };
                let tag = aead.encrypt_inout_detached(&nonce.into(), known, body.into()).ok()?;
                add(buffer, &tag)?;
                if self.kind == KeyLabel::Reports {
                    add(buffer, &word)?;
                }
            }
        }
        Some(end)
    }

    /// Decrypts what is behind `head`, if it is authentic, and tells how long the whole is without what was added.
    pub(super) fn open(
        &self,
        datagram: &mut [u8],
        head: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let word = self.word(index);
        let sent = if self.kind == KeyLabel::Reports { word.len() } else { 0 };
        let length = datagram.len().checked_sub(self.tag() + sent).filter(|end| *end >= head)?;
        match &self.mode {
            Mode::Counter { aes, salt, mac, tag } => {
                let (text, given) = datagram.split_at_mut_checked(length)?;
                let mac = mac.clone().chain_update(&*text).chain_update(word);
                mac.verify_truncated_left(given.get(sent..sent + tag)?).ok()?;
                keystream(aes, salt, ssrc, index).apply_keystream(text.get_mut(head..)?);
            }
            Mode::Galois { aead, salt } => {
                let (text, given) = datagram.split_at_mut_checked(length)?;
                let (front, body) = text.split_at_mut_checked(head)?;
                let nonce = nonce(salt, ssrc, index);
                let (known, size) = self.associated(front, word)?;
                let known =
                    if self.kind == KeyLabel::Packets { front } else { known.get(..size)? };
                let tag = given.first_chunk::<16>()?;
                aead.decrypt_inout_detached(&nonce.into(), known, body.into(), tag.into()).ok()?;
            }
        }
        Some(length)
    }

    /// The index that a report brings; `None` if it is not encrypted, which we have not agreed to.
    pub(super) fn report_index(&self, report: &[u8]) -> Option<u64> {
        let end = report.len().checked_sub(self.behind_index())?;
        let word = report.get(..end)?.last_chunk().copied().map(u32::from_be_bytes)?;
        (word & ENCRYPTED != 0).then_some((word & !ENCRYPTED).into())
    }

    /// How many octets stand behind the index of the key, where the far end writes one.
    pub(super) fn behind_index(&self) -> usize {
        match self.mode {
            Mode::Counter { tag, .. } => tag,
            Mode::Galois { .. } => 0,
        }
    }

    /// What is authenticated behind a packet, its roll-overs, or behind a report, its index.
    fn word(&self, index: u64) -> [u8; 4] {
        match self.kind {
            KeyLabel::Packets => ((index >> 16) as u32).to_be_bytes(),
            KeyLabel::Reports => (index as u32 | ENCRYPTED).to_be_bytes(),
        }
    }

    fn tag(&self) -> usize {
        match self.mode {
            Mode::Counter { tag, .. } => tag,
            Mode::Galois { .. } => 16,
        }
    }

    /// What GCM authenticates of a report beside its text.
    ///
    /// Source: RFC 7714 §9.2.
    fn associated(&self, front: &[u8], word: [u8; 4]) -> Option<([u8; REPORT_HEAD + 4], usize)> {
        let mut known = [0; REPORT_HEAD + 4];
        if self.kind == KeyLabel::Reports {
            known.get_mut(..front.len())?.copy_from_slice(front);
            known.get_mut(front.len()..)?.copy_from_slice(&word);
        }
        Some((known, front.len() + word.len()))
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cipher").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// One session key: AES in counter mode over zeros.
fn derived<const OCTETS: usize>(key: &MasterKey, label: u8) -> [u8; OCTETS] {
    let mut iv = [0; 16];
    let (secret, salt) = key.secret.split_at(KEY_OCTETS);
    iv.iter_mut().zip(salt).for_each(|(octet, salt)| *octet = *salt);
    iv[7] ^= label;
    let mut octets = [0; OCTETS];
    let Ok(aes) = Aes128::new_from_slice(secret) else { unreachable!("16 octets") };
    counter(&aes, &iv).apply_keystream(&mut octets);
    octets
}

/// Source: RFC 3711 §4.1.1.
fn keystream<'k>(aes: &'k Aes128, salt: &[u8; 14], ssrc: u32, index: u64) -> Ctr128BE<&'k Aes128> {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    counter(aes, &mixed(iv, 4, ssrc, index))
}

fn counter<'k>(aes: &'k Aes128, iv: &[u8; 16]) -> Ctr128BE<&'k Aes128> {
    StreamCipherCoreWrapper::from_core(ctr::CtrCore::inner_iv_init(aes, iv.into()))
}

/// Source: RFC 7714 §8.1, §9.1.
fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    mixed(*salt, 2, ssrc, index)
}

/// The salt with the SSRC, and 48 bits of the index behind that, mixed in.
fn mixed<const N: usize>(mut salt: [u8; N], at: usize, ssrc: u32, index: u64) -> [u8; N] {
    let [_, _, index @ ..] = index.to_be_bytes();
    let mix = ssrc.to_be_bytes().into_iter().chain(index);
    salt.iter_mut().skip(at).zip(mix).for_each(|(octet, mix)| *octet ^= mix);
    salt
}

/// The flag in a report's word.
const ENCRYPTED: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 3711 §B.3.
    #[test]
    fn session_keys_are_derived_as_in_the_standard() {
        let master = [
            0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde,
            0x41, 0x39, 0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a,
            0xab, 0xe6,
        ];
        let key = MasterKey::new(Suite::AesCm80, &master).unwrap();
        let hex = |octets: &[u8]| octets.iter().map(|it| format!("{it:02x}")).collect::<String>();
        assert_eq!(hex(&derived::<16>(&key, 0)), "c61e7a93744f39ee10734afe3ff7a087");
        assert_eq!(hex(&derived::<14>(&key, 2)), "30cbbc08863d8c85d49db34a9ae1");
        let authentication = "cebe321f6ff7716b6fd4ab49af256a156d38baa4";
        assert_eq!(hex(&derived::<20>(&key, 1)), authentication);
    }

    /// Source: RFC 3711 §B.2.
    #[test]
    fn the_keystream_is_that_of_the_standard() {
        let key = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
            0x4f, 0x3c,
        ];
        let salt =
            [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd];
        let mut stream = [0; 32];
        keystream(&Aes128::new(&key.into()), &salt, 0, 0).apply_keystream(&mut stream);
        let (first, second) =
            (0xe03e_ad09_35c9_5e80_e166_b16d_d92b_4eb4, 0xd235_1316_2b02_d0f7_2a43_a2fe_4a5f_97ab);
        let read = |part: &[u8]| u128::from_be_bytes(part.try_into().unwrap());
        assert_eq!((read(&stream[..16]), read(&stream[16..])), (first, second));
    }
}
