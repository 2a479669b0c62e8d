//! SRTP: the packets and reports of one call, encrypted, authenticated, and taken once.

mod cipher;
pub(super) mod context;
mod window;

use std::fmt;

use zeroize::Zeroize;

use self::cipher::{Cipher, KeyLabel};
use self::window::Window;

/// A cipher with its tag.
///
/// Source: RFC 4568 §6.2; RFC 7714 §14.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES in counter mode, 80 bits of HMAC-SHA1.
    AesCm80,
    /// The same with 32 bits for a packet; a report has 80.
    AesCm32,
    /// AES in Galois counter mode.
    AesGcm,
}

impl Suite {
    /// All that we know, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::AesCm80, Self::AesCm32, Self::AesGcm];

    /// Its name in a session description.
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCm80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesGcm => "AEAD_AES_128_GCM",
        }
    }

    /// How many octets key and salt have together.
    pub fn secret_octets(self) -> usize {
        match self {
            Self::AesCm80 | Self::AesCm32 => SECRET_OCTETS_MAX,
            Self::AesGcm => KEY_OCTETS + 12,
        }
    }
}

/// What one end encrypts with: a master key and its salt. Erased when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    /// What is behind the salt is zero, as the derivation wants it (RFC 7714 §11).
    secret: [u8; SECRET_OCTETS_MAX],
    index: Option<KeyIndex>,
}

/// What a far end that counts its keys (MKI) writes into each packet, in front of what authenticates it.
///
/// Source: RFC 3711 §3.1; RFC 7714 §9.4; RFC 4568 §6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIndex {
    octets: [u8; 8],
    length: usize,
}

impl KeyIndex {
    /// This number in so many octets; `None` for more than eight, or a number that needs more.
    pub fn new(number: u64, length: usize) -> Option<Self> {
        let unused = 8_usize.checked_sub(length).filter(|unused| *unused < 8)?;
        let octets = number.to_be_bytes();
        octets.iter().take(unused).all(|octet| *octet == 0).then_some(Self { octets, length })
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(8 - self.length..).unwrap_or_default()
    }
}

impl MasterKey {
    /// Key and salt behind each other; `None` if they have another length.
    pub fn new(suite: Suite, octets: &[u8]) -> Option<Self> {
        let mut secret = [0; SECRET_OCTETS_MAX];
        if octets.len() != suite.secret_octets() {
            return None;
        }
        secret.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Self { suite, secret, index: None })
    }

    /// The same, of an end that counts its keys.
    #[must_use]
    pub fn counted(mut self, index: Option<KeyIndex>) -> Self {
        self.index = index;
        self
    }

    /// For which suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key and salt behind each other.
    pub fn octets(&self) -> &[u8] {
        self.secret.get(..self.suite.secret_octets()).unwrap_or_default()
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.suite.name())
    }
}

/// What both ends encrypt with, of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// For what we send.
    pub ours: MasterKey,
    /// For what comes.
    pub theirs: MasterKey,
}

/// Encrypts what we send.
///
/// Contract: one of these for each key and SSRC, for as long as the key may be used; the indices never repeat.
#[derive(Debug)]
pub struct Outbound {
    key: MasterKey,
    packets: Cipher,
    reports: Cipher,
    /// The roll-overs of the stream before this key was used first, which do not count for it.
    rolled: u64,
    report: u32,
}

impl Outbound {
    /// With this key, from the packet with this index of the stream on.
    pub fn new(key: MasterKey, index: u64) -> Self {
        let packets = Cipher::derive(&key, KeyLabel::Packets);
        let reports = Cipher::derive(&key, KeyLabel::Reports);
        Self { key, packets, reports, rolled: index & !0xffff, report: 0 }
    }

    /// The key.
    pub fn key(&self) -> &MasterKey {
        &self.key
    }

    /// Encrypts the packet in the first `length` octets of the buffer, and tells how long it is now.
    ///
    /// `index` is its sequence number with the roll-overs of the stream above it. `None`: there is no room.
    pub fn packet(&self, buffer: &mut [u8], length: usize, index: u64) -> Option<usize> {
        let head = payload_at(buffer.get(..length)?)?;
        let ssrc = ssrc(buffer, 8)?;
        self.packets.seal(buffer, head, length, ssrc, index - self.rolled)
    }

    /// Encrypts the report in the first `length` octets of the buffer, and tells how long it is now.
    pub fn report(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let ssrc = ssrc(buffer, 4)?;
        let sealed = self.reports.seal(buffer, REPORT_HEAD, length, ssrc, self.report.into())?;
        self.report += 1;
        Some(sealed)
    }
}

/// Decrypts what comes, if the far end has sent it and it has not come before.
///
/// Contract: nothing is remembered of what is not authentic. A source is not forgotten, since who has heard it could
///           then send it again; more sources than one call can need are refused.
/// Source:   RFC 3711 §3.3, §3.3.1 and §3.4; RFC 7714.
#[derive(Debug)]
pub struct Inbound {
    key: MasterKey,
    packets: Cipher,
    reports: Cipher,
    sources: Vec<SsrcState>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SsrcState {
    ssrc: u32,
    packets: Window,
    reports: Window,
}

impl Inbound {
    /// With this key.
    pub fn new(key: MasterKey) -> Self {
        let packets = Cipher::derive(&key, KeyLabel::Packets);
        let reports = Cipher::derive(&key, KeyLabel::Reports);
        Self { key, packets, reports, sources: Vec::with_capacity(SOURCES_MAX) }
    }

    /// The key.
    pub fn key(&self) -> &MasterKey {
        &self.key
    }

    /// Decrypts a packet where it lies, and tells how long it is then. `None` if it is not to be taken.
    pub fn packet(&mut self, datagram: &mut [u8]) -> Option<usize> {
        let datagram = without_index(datagram, self.key.index, self.packets.behind_index())?;
        let head = payload_at(datagram)?;
        let sequence = u16::from_be_bytes([*datagram.get(2)?, *datagram.get(3)?]);
        let (at, mut source) = self.source(ssrc(datagram, 8)?)?;
        let index = source.packets.index(sequence).filter(|index| source.packets.is_new(*index))?;
        let length = self.packets.open(datagram, head, source.ssrc, index)?;
        source.packets.take(index);
        self.remember(at, source);
        Some(length)
    }

    /// Decrypts a report where it lies, and tells how long it is then. `None` if it is not to be taken.
    pub fn report(&mut self, datagram: &mut [u8]) -> Option<usize> {
        let datagram = without_index(datagram, self.key.index, self.reports.behind_index())?;
        let index = self.reports.report_index(datagram)?;
        let (at, mut source) = self.source(ssrc(datagram, 4)?)?;
        if !source.reports.is_new(index) {
            return None;
        }
        let length = self.reports.open(datagram, REPORT_HEAD, source.ssrc, index)?;
        source.reports.take(index);
        self.remember(at, source);
        Some(length)
    }

    /// The source and its place; a new one while there is room.
    fn source(&self, ssrc: u32) -> Option<(usize, SsrcState)> {
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        match known.and_then(|at| Some((at, *self.sources.get(at)?))) {
            Some(known) => Some(known),
            None if self.sources.len() == SOURCES_MAX => None,
            None => Some((self.sources.len(), SsrcState { ssrc, ..SsrcState::default() })),
        }
    }

    fn remember(&mut self, at: usize, source: SsrcState) {
        match self.sources.get_mut(at) {
            Some(known) => *known = source,
            None => self.sources.push(source),
        }
    }
}

/// What came without the index of its key, which stands in front of the last `behind` octets. `None` if it has another one.
fn without_index(datagram: &mut [u8], index: Option<KeyIndex>, behind: usize) -> Option<&mut [u8]> {
    let Some(index) = index else { return Some(datagram) };
    let rest = datagram.len().checked_sub(index.length)?;
    let at = rest.checked_sub(behind)?;
    if datagram.get(at..at + index.length)? != index.octets() {
        return None;
    }
    datagram.copy_within(at + index.length.., at);
    datagram.get_mut(..rest)
}

/// Where the payload of an RTP packet begins; `None` if it is none.
///
/// Source: RFC 3550 §5.1, §5.3.1.
fn payload_at(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let mut at = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = u16::from_be_bytes([*packet.get(at + 2)?, *packet.get(at + 3)?]);
        at += 4 + 4 * usize::from(words);
    }
    (first >> 6 == 2 && at <= packet.len()).then_some(at)
}

fn ssrc(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

const KEY_OCTETS: usize = 16;
const SECRET_OCTETS_MAX: usize = KEY_OCTETS + 14;
/// Room behind a packet or a report for what protects it.
pub const TRAILER_MAX: usize = 20;
/// What of a report stays readable.
const REPORT_HEAD: usize = 8;
const SOURCES_MAX: usize = 8;

#[cfg(test)]
mod tests;
