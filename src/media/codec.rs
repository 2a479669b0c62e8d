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

impl Codec {
    /// The sample that an octet stands for.
    pub fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Pcmu => audio_codec_algorithms::decode_ulaw(octet),
            Self::Pcma => audio_codec_algorithms::decode_alaw(octet),
        }
    }

    /// The octet that is silence.
    pub fn silence(self) -> u8 {
        match self {
            Self::Pcmu => 0xff,
            Self::Pcma => 0xd5,
        }
    }
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
        let filler = pcm_8k.len().next_multiple_of(FRAME_BYTES) - pcm_8k.len();
        let samples = pcm_8k.iter().copied().chain(std::iter::repeat_n(0, filler));
        Self { codec, frames: samples.map(encode).collect() }
    }

    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// One frame as it goes into a packet; `None` behind the end.
    pub fn frame(&self, number: usize) -> Option<&[u8]> {
        self.frames.chunks_exact(FRAME_BYTES).nth(number)
    }

    /// At most so many octets as they go into a packet, from a place in the clip; none behind the end.
    pub fn octets(&self, from: usize, max: usize) -> &[u8] {
        let rest = self.frames.get(from..).unwrap_or_default();
        &rest[..max.min(rest.len())]
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        FRAME * u32::try_from(self.frames.len() / FRAME_BYTES).unwrap_or(u32::MAX)
    }
}

/// Length of a frame.
pub const FRAME: Duration = Duration::from_millis(20);
/// Octets of a G.711 frame, which are its samples and its ticks of the RTP clock too.
pub const FRAME_BYTES: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_becomes_whole_frames_and_the_rest_is_silence() {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let clip = Clip::encode(codec, &[12_000; 161]);
            assert_eq!(clip.duration(), FRAME * 2);
            let last = clip.frame(1).unwrap();
            assert_eq!(last[1..], [codec.silence(); FRAME_BYTES - 1]);
            assert_ne!(last[0], codec.silence());
            assert_eq!(clip.frame(2), None);
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_nearly_the_same() {
        for step in -32..32 {
            let sample = step * 1000;
            let mu = audio_codec_algorithms::decode_ulaw(
                Clip::encode(Codec::Pcmu, &[sample]).frame(0).unwrap()[0],
            );
            let a = audio_codec_algorithms::decode_alaw(
                Clip::encode(Codec::Pcma, &[sample]).frame(0).unwrap()[0],
            );
            let near = i32::from(sample.abs()) / 20 + 16;
            assert!((i32::from(mu) - i32::from(sample)).abs() <= near, "{sample} became {mu}");
            assert!((i32::from(a) - i32::from(sample)).abs() <= near, "{sample} became {a}");
        }
    }
}
