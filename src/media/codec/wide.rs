//! G.722 and Opus: encoded once for all, decoded only for recordings, tones and machine detection.

use std::sync::LazyLock;

use audio_codec::Encoder as _;
use audio_codec::g722::{Bitrate, G722Decoder, G722Encoder};
use opus::{Application, Bitrate as OpusBitrate, Channels};

use super::FRAME_MS;
use crate::media::resample::{TELEPHONE_HZ, WIDE_HZ};

/// Encodes whole frames of 16,000 samples a second: 8 octets a millisecond.
pub(super) fn g722(pcm: &[i16]) -> Vec<u8> {
    let mut encoder = G722Encoder::new();
    let mut octets = vec![0; encoder.max_encode_bytes(pcm.len())];
    let written = encoder.encode_into(pcm, &mut octets).unwrap_or_default();
    octets.truncate(written);
    octets
}

/// Encodes whole frames of 16,000 samples a second. Gives them one after the other, and where each ends.
pub(super) fn opus(pcm: &[i16]) -> (Vec<u8>, Vec<u32>) {
    let (mut octets, mut ends) = (vec![], vec![]);
    let Ok(mut encoder) = opus::Encoder::new(WIDE_HZ as u32, Channels::Mono, Application::Voip)
    else {
        unreachable!("16,000 Hz mono is among what Opus knows")
    };
    let set = encoder.set_bitrate(OpusBitrate::Bits(OPUS_BITS_PER_S));
    let set = set.and_then(|()| encoder.set_complexity(OPUS_COMPLEXITY));
    debug_assert!(set.is_ok(), "both are within bounds");
    let mut packet = [0; OPUS_PACKET_MAX];
    for frame in pcm.chunks_exact(WIDE_HZ / 1000 * FRAME_MS) {
        let written = encoder.encode(frame, &mut packet).unwrap_or_default();
        octets.extend_from_slice(&packet[..written]);
        ends.push(octets.len() as u32);
    }
    (octets, ends)
}

/// Makes µ-law of what one source sends.
///
/// The upper half of the band is left out: keys and greetings do not need it, and recordings have the telephone's.
pub(in crate::media) enum Decoder {
    G722(Box<G722Decoder>),
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// For a codec that needs one.
    pub(in crate::media) fn of(codec: super::Codec) -> Option<Self> {
        match codec {
            super::Codec::Pcmu | super::Codec::Pcma => None,
            super::Codec::G722 => {
                let decoder = G722Decoder::with_options(Bitrate::Mode1_64000, false, true);
                Some(Self::G722(Box::new(decoder)))
            }
            super::Codec::Opus => {
                let decoder = opus::Decoder::new(TELEPHONE_HZ as u32, Channels::Mono);
                decoder.ok().map(|decoder| Self::Opus(Box::new(decoder)))
            }
        }
    }

    /// Takes the payload of one packet and tells how many octets of it were written. What cannot be read is nothing.
    pub(in crate::media) fn decode(
        &mut self,
        payload: &[u8],
        octets: &mut [u8; HEARD_MAX],
    ) -> usize {
        let mut samples = [0; HEARD_MAX];
        let heard = match self {
            Self::G722(decoder) => {
                let payload = &payload[..payload.len().min(HEARD_MAX)];
                decoder.decode_frame_into(payload, &mut samples).unwrap_or_default()
            }
            // An empty payload would mean a lost packet.
            Self::Opus(_) if payload.is_empty() => 0,
            Self::Opus(decoder) => decoder.decode(payload, &mut samples, false).unwrap_or_default(),
        };
        for (octet, sample) in octets.iter_mut().zip(&samples[..heard]) {
            *octet = audio_codec_algorithms::encode_ulaw(*sample);
        }
        heard
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::G722(_) => "G722",
            Self::Opus(_) => "Opus",
        })
    }
}

/// One frame of silence in Opus.
pub(super) static OPUS_QUIET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (mut octets, ends) = opus(&[0; WIDE_HZ]);
    octets.split_off(ends.iter().rev().nth(1).copied().unwrap_or_default() as usize)
});

/// The longest packet of Opus, 120 ms at 8,000 samples a second.
pub(in crate::media) const HEARD_MAX: usize = 960;
const OPUS_BITS_PER_S: i32 = 24_000;
const OPUS_COMPLEXITY: i32 = 5;
/// Larger than any frame at this rate.
const OPUS_PACKET_MAX: usize = 400;
