//! The codecs, and speech made ready to send.

use std::time::Duration;

/// How samples travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

/// Speech as ready frames of one codec, 20 ms each, shared between calls.
#[derive(Debug, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    frames: Box<[u8]>,
}

impl Clip {
    /// Encodes mono speech of 8,000 samples a second; the last frame is filled up with silence.
    pub fn encode(codec: Codec, pcm_8k: &[i16]) -> Self {
        let encode = match codec {
            Codec::Pcmu => audio_codec_algorithms::encode_ulaw,
            Codec::Pcma => audio_codec_algorithms::encode_alaw,
        };
        let silence = pcm_8k.len().next_multiple_of(160) - pcm_8k.len();
        let samples = pcm_8k.iter().copied().chain(std::iter::repeat_n(0, silence));
        Self { codec, frames: samples.map(encode).collect() }
    }

    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_millis((self.frames.len() / 8) as u64)
    }
}
