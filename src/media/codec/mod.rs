//! The codecs, and speech made ready to send.

mod wide;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::resample::{TELEPHONE_HZ, WIDE_HZ};
pub(super) use wide::{Decoder, HEARD_MAX};

/// How samples travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s: wide band, though its RTP clock says 8,000 (RFC 3551 §4.5.2).
    G722,
    /// Opus, in packets of 20 ms (RFC 7587).
    Opus,
}

/// What configuration, SDP and RTP know a codec by.
///
/// Source: RFC 3551 §6 (payload types below 96 are static), RFC 7587 §7 (Opus is always declared with two channels).
#[derive(Debug)]
pub struct CodecDescription {
    /// In `media.codecs`.
    pub name: &'static str,
    /// Encoding name, RTP clock in Hz and, if they are named, channels, as `a=rtpmap` has them.
    pub rtpmap: &'static str,
    /// The RTP clock in Hz.
    pub clock_hz: u32,
    /// The payload type with which it is offered; below 96 it is known without `a=rtpmap`.
    pub payload_type: u8,
    /// Its parameters in `a=fmtp`.
    pub fmtp: Option<&'static str>,
    /// Samples a second of the speech that is encoded.
    pub speech_hz: usize,
    /// It is G.711, which every phone knows.
    pub is_g711: bool,
    /// A frame is one packet of 20 ms that cannot be cut.
    pub has_whole_frames: bool,
}

const DESCRIPTION: CodecDescription = CodecDescription {
    name: "",
    rtpmap: "",
    clock_hz: 8_000,
    payload_type: 0,
    fmtp: None,
    speech_hz: TELEPHONE_HZ,
    is_g711: false,
    has_whole_frames: false,
};
static PCMU: CodecDescription =
    CodecDescription { name: "pcmu", rtpmap: "PCMU/8000", is_g711: true, ..DESCRIPTION };
static PCMA: CodecDescription = CodecDescription {
    name: "pcma",
    rtpmap: "PCMA/8000",
    payload_type: 8,
    is_g711: true,
    ..DESCRIPTION
};
static G722: CodecDescription = CodecDescription {
    name: "g722",
    rtpmap: "G722/8000",
    payload_type: 9,
    speech_hz: WIDE_HZ,
    ..DESCRIPTION
};
static OPUS: CodecDescription = CodecDescription {
    name: "opus",
    rtpmap: "opus/48000/2",
    clock_hz: 48_000,
    payload_type: 111,
    // Received audio is kept in the telephone band, so no more need be sent.
    fmtp: Some("useinbandfec=1;maxplaybackrate=16000;stereo=0"),
    speech_hz: WIDE_HZ,
    has_whole_frames: true,
    ..DESCRIPTION
};

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// What it is known by.
    pub fn description(self) -> &'static CodecDescription {
        match self {
            Self::Pcmu => &PCMU,
            Self::Pcma => &PCMA,
            Self::G722 => &G722,
            Self::Opus => &OPUS,
        }
    }

    /// Whether it carries more than the telephone band, at a hundred times the cost of G.711.
    pub fn is_wide(self) -> bool {
        self.speech_hz() > TELEPHONE_HZ
    }

    /// Samples a second of the speech that is encoded.
    pub fn speech_hz(self) -> usize {
        self.description().speech_hz
    }

    /// How far its RTP clock goes in a millisecond.
    pub fn ticks_per_ms(self) -> u32 {
        self.description().clock_hz / 1000
    }

    /// How received audio is looked at and recorded: as G.711, which it is or is decoded to.
    pub fn plain(self) -> Self {
        if self.description().is_g711 { self } else { Self::Pcmu }
    }

    /// A short tone that no keypad makes, encoded once for all calls.
    pub fn tone(self) -> Arc<Clip> {
        static TONES: Tones = [const { OnceLock::new() }; Codec::ALL.len()];
        self.sound_of(&TONES, &BEEP)
    }

    /// A shorter and softer one, which is no sign to speak.
    pub fn mark(self) -> Arc<Clip> {
        static TONES: Tones = [const { OnceLock::new() }; Codec::ALL.len()];
        self.sound_of(&TONES, &MARK)
    }

    fn sound_of(self, tones: &'static Tones, sound: &Tone) -> Arc<Clip> {
        let encode = || Arc::new(Clip::encode(self, &sound.samples(self.speech_hz() as u32)));
        tones[self as usize].get_or_init(encode).clone()
    }

    /// The sample that an octet of the plain codec stands for.
    pub fn decode(self, octet: u8) -> i16 {
        match self.plain() {
            Self::Pcma => audio_codec_algorithms::decode_alaw(octet),
            _ => audio_codec_algorithms::decode_ulaw(octet),
        }
    }

    /// Whether what is heard of both is in the same law.
    pub(super) fn same_law(self, other: Self) -> bool {
        (self == Self::Pcma) == (other == Self::Pcma)
    }

    /// One sample as this codec is heard: in A-law, or in µ-law.
    pub(super) fn octet(self, sample: i16) -> u8 {
        match self {
            Self::Pcma => audio_codec_algorithms::encode_alaw(sample),
            Self::Pcmu | Self::G722 | Self::Opus => audio_codec_algorithms::encode_ulaw(sample),
        }
    }

    /// The octet of the plain codec that is silence.
    pub fn silence(self) -> u8 {
        match self.plain() {
            Self::Pcma => 0xd5,
            _ => 0xff,
        }
    }

    /// A packet of silence, of at most 60 ms.
    pub fn quiet(self, ms: usize) -> &'static [u8] {
        let octets = ms.min(PACKET_MS_MAX) * OCTETS_PER_MS;
        match self {
            Self::Pcmu => &[0xff; PACKET_MS_MAX * OCTETS_PER_MS][..octets],
            Self::Pcma => &[0xd5; PACKET_MS_MAX * OCTETS_PER_MS][..octets],
            // The smallest step in both halves of the band.
            Self::G722 => &[0xfc; PACKET_MS_MAX * OCTETS_PER_MS][..octets],
            Self::Opus => &wide::OPUS_QUIET,
        }
    }
}

/// Speech as ready frames of one codec, 20 ms each, shared between calls.
#[derive(Debug, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    octets: Box<[u8]>,
    /// Where each frame ends, if they differ in length.
    ends: Box<[u32]>,
    frames: usize,
}

impl Clip {
    /// Encodes mono speech of [`Codec::speech_hz`] samples a second; the last frame is filled up with silence.
    pub fn encode(codec: Codec, pcm: &[i16]) -> Self {
        let frame = codec.speech_hz() / 1000 * FRAME_MS;
        let filler = pcm.len().next_multiple_of(frame) - pcm.len();
        let samples = pcm.iter().copied().chain(std::iter::repeat_n(0, filler));
        let frames = (pcm.len() + filler) / frame;
        let (octets, ends) = match codec {
            Codec::Pcmu => (samples.map(audio_codec_algorithms::encode_ulaw).collect(), vec![]),
            Codec::Pcma => (samples.map(audio_codec_algorithms::encode_alaw).collect(), vec![]),
            Codec::G722 => (wide::g722(&samples.collect::<Vec<_>>()), vec![]),
            Codec::Opus => wide::opus(&samples.collect::<Vec<_>>()),
        };
        Self { codec, octets: octets.into(), ends: ends.into(), frames }
    }

    /// So much silence.
    pub fn silent(codec: Codec, length: Duration) -> Self {
        let frames = length.as_millis() as usize / FRAME_MS;
        let frame = codec.quiet(FRAME_MS);
        let ends = match codec.description().has_whole_frames {
            true => (1..=frames).map(|number| (number * frame.len()) as u32).collect(),
            false => vec![],
        };
        Self { codec, octets: frame.repeat(frames).into(), ends: ends.into(), frames }
    }

    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.octets.len() + size_of_val(&*self.ends)
    }

    /// One frame as it goes into a packet; `None` behind the end.
    pub fn frame(&self, number: usize) -> Option<&[u8]> {
        (number < self.frames).then(|| self.sound(number * FRAME_MS, FRAME_MS))
    }

    /// The sound from one millisecond on, so much of it as there is; none behind the end. Whole frames are not cut.
    pub fn sound(&self, from_ms: usize, ms: usize) -> &[u8] {
        if self.codec.description().has_whole_frames {
            let number = from_ms / FRAME_MS;
            let Some(end) = self.ends.get(number) else { return &[] };
            let begin =
                number.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
            return self.octets.get(*begin as usize..*end as usize).unwrap_or_default();
        }
        let rest = self.octets.get(from_ms * OCTETS_PER_MS..).unwrap_or_default();
        &rest[..(ms * OCTETS_PER_MS).min(rest.len())]
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        FRAME * u32::try_from(self.frames).unwrap_or(u32::MAX)
    }

    /// How long it plays, in ms.
    pub fn ms(&self) -> usize {
        self.frames * FRAME_MS
    }
}

/// Those of the codecs that carry no more than the telephone band; G.711, if there are none among them.
pub fn telephone_band(codecs: &[Codec]) -> Vec<Codec> {
    let narrow: Vec<_> = codecs.iter().copied().filter(|codec| !codec.is_wide()).collect();
    if narrow.is_empty() { vec![Codec::Pcmu, Codec::Pcma] } else { narrow }
}

/// A tone in each codec.
type Tones = [OnceLock<Arc<Clip>>; Codec::ALL.len()];

/// A sine, soft at both ends.
struct Tone {
    hz: f64,
    ms: u32,
    peak: f64,
}

impl Tone {
    fn samples(&self, rate_hz: u32) -> Vec<i16> {
        let samples = rate_hz * self.ms / 1000;
        let at = |n: u32| f64::from(n) / f64::from(rate_hz);
        let edge = f64::from(rate_hz) / 100.0;
        let level = |n: u32| (f64::from(n.min(samples - n)) / edge).min(1.0) * self.peak;
        let sample = |n: u32| ((at(n) * self.hz * std::f64::consts::TAU).sin() * level(n)) as i16;
        (0..samples).map(sample).collect()
    }
}

const BEEP: Tone = Tone { hz: 1000.0, ms: 250, peak: 6000.0 };
/// Below the tones of keys, and softer than the voice.
const MARK: Tone = Tone { hz: 440.0, ms: 160, peak: 1500.0 };
/// Length of a frame.
pub const FRAME: Duration = Duration::from_millis(20);
/// Octets of a G.711 frame, which are its samples and its ticks of the RTP clock too.
pub const FRAME_BYTES: usize = FRAME_MS * OCTETS_PER_MS;
/// The longest packet that is sent.
pub const PACKET_MS_MAX: usize = 60;
/// Of G.711 and G.722.
pub const OCTETS_PER_MS: usize = 8;
const FRAME_MS: usize = 20;

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
            assert_eq!(codec.quiet(20), [codec.silence(); FRAME_BYTES]);
        }
    }

    #[test]
    fn the_mark_is_shorter_and_softer_than_the_tone_after_which_people_speak() {
        for codec in Codec::ALL {
            assert_eq!((codec.tone().ms(), codec.mark().ms()), (260, 160), "{codec:?}");
        }
        let loudest = |tone: &Tone| tone.samples(8000).into_iter().max().unwrap();
        assert!(loudest(&MARK) * 3 < loudest(&BEEP));
    }

    #[test]
    fn a_pause_is_as_long_as_wanted_and_every_frame_of_it_is_silent() {
        for codec in Codec::ALL {
            let pause = Clip::silent(codec, Duration::from_millis(800));
            assert_eq!((pause.codec(), pause.ms()), (codec, 800));
            assert!((0..40).all(|number| pause.frame(number) == Some(codec.quiet(20))));
            assert_eq!((pause.frame(40), pause.sound(800, 20).len()), (None, 0));
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

    #[test]
    fn wide_band_is_heard_again_as_it_was_said() {
        let tone = |hz: f64, rate: f64| {
            move |n: usize| ((n as f64 * hz / rate * std::f64::consts::TAU).sin() * 8000.0) as i16
        };
        for codec in [Codec::G722, Codec::Opus] {
            let clip =
                Clip::encode(codec, &(0..16_000).map(tone(700.0, 16_000.0)).collect::<Vec<_>>());
            assert_eq!((clip.duration(), clip.ms()), (FRAME * 50, 1000));
            let mut decoder = Decoder::of(codec).unwrap();
            let mut octets = [0; HEARD_MAX];
            let mut samples: Vec<i16> = vec![];
            for number in 0..50 {
                let heard = decoder.decode(clip.frame(number).unwrap(), &mut octets);
                assert_eq!(heard, FRAME_BYTES, "{codec:?}");
                samples.extend(octets[..heard].iter().map(|octet| codec.decode(*octet)));
            }
            assert_eq!((clip.frame(50), clip.sound(1000, 20).len()), (None, 0));
            // The same tone, whatever its phase, and not much else.
            let middle = &samples[2000..7600];
            let part = |shift: f64| -> f64 {
                let wave = |n: usize| (n as f64 * 700.0 / 8000.0 + shift) * std::f64::consts::TAU;
                middle.iter().enumerate().map(|(n, s)| f64::from(*s) * wave(n).sin()).sum()
            };
            let heard = 2.0 * part(0.0).hypot(part(0.25)) / middle.len() as f64;
            let all =
                middle.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / middle.len() as f64;
            assert!((6500.0..9500.0).contains(&heard), "{codec:?}: {heard}");
            assert!(heard.powi(2) / 2.0 > 0.95 * all, "{codec:?}: {heard} of {}", all.sqrt());
            let mut quiet = [0; HEARD_MAX];
            for _ in 0..25 {
                decoder.decode(codec.quiet(20), &mut quiet);
            }
            let loudest =
                quiet[..FRAME_BYTES].iter().map(|it| codec.decode(*it).unsigned_abs()).max();
            assert!(loudest < Some(60), "{codec:?} is quiet: {loudest:?}");
        }
    }

    #[test]
    fn rubbish_is_silence_or_noise_and_never_too_long() {
        let mut seed = 1_u32;
        for codec in [Codec::G722, Codec::Opus] {
            let mut decoder = Decoder::of(codec).unwrap();
            for len in (0..1500).chain(0..200) {
                let payload: Vec<u8> = (0..len)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 24) as u8
                    })
                    .collect();
                assert!(decoder.decode(&payload, &mut [0; HEARD_MAX]) <= HEARD_MAX);
            }
        }
    }
}
