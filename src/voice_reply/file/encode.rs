//! Encoding: the file formats of voice replies.

use std::io::Cursor;
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use mp3lame_encoder::{Bitrate, Builder, FlushNoGap, Mode, MonoPcm, Quality};

use super::error::EncodeError;
use super::sound::{Sound, WIDE_HZ};
use super::{m4a, opus};
use crate::media::resample::TELEPHONE_HZ;

/// The file format of voice replies (`voice_reply.format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plays everywhere.
    Mp3,
    /// Ogg Opus: half the size, but not on older iPhones.
    Opus,
    /// Large, and needs no decoder.
    Wav,
    /// AAC, by an installed ffmpeg.
    M4a,
}

impl Format {
    /// Such as `audio/mpeg`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Opus => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::M4a => "audio/mp4",
        }
    }

    /// The format with this media type.
    pub fn of(media_type: &str) -> Option<Self> {
        [Self::Mp3, Self::Opus, Self::Wav, Self::M4a]
            .into_iter()
            .find(|format| format.media_type() == media_type)
    }

    /// The extension by which clients and servers know the type.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Wav => "wav",
            Self::M4a => "m4a",
        }
    }
}

/// A finished file.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The file's octets.
    pub bytes: Vec<u8>,
    /// How long it plays.
    pub length: Duration,
}

/// Encodes a sound. It blocks for about 3 ms for each second of sound.
///
/// Errors: [`EncodeError`].
pub fn encode(sound: &Sound, format: Format) -> Result<Encoded, EncodeError> {
    let bytes = match format {
        Format::Mp3 => mp3(sound).ok_or(EncodeError::Encoder("MP3"))?,
        Format::Opus => opus::write(sound).ok_or(EncodeError::Encoder("Opus"))?,
        Format::Wav => wav(sound).ok_or(EncodeError::Encoder("WAV"))?,
        Format::M4a => m4a::make(&wav(sound).ok_or(EncodeError::Encoder("WAV"))?)?,
    };
    let length = Duration::from_millis(sound.samples.len() as u64 / (TELEPHONE_HZ / 1000) as u64);
    Ok(Encoded { bytes, length })
}

fn mp3(sound: &Sound) -> Option<Vec<u8>> {
    let mut samples = sound.wide_band()?;
    // Without this silence the flush loses the last frame.
    samples.extend([0; WIDE_HZ / 20]);
    let mut encoder = Builder::new()?
        .with_num_channels(1)
        .and_then(|it| it.with_sample_rate(WIDE_HZ as u32))
        .and_then(|it| it.with_mode(Mode::Mono))
        .and_then(|it| it.with_brate(Bitrate::Kbps32))
        .and_then(|it| it.with_quality(Quality::Good))
        .and_then(|it| it.with_to_write_vbr_tag(false))
        .ok()?
        .build()
        .ok()?;
    let mut bytes = Vec::with_capacity(mp3lame_encoder::max_required_buffer_size(samples.len()));
    encoder.encode_to_vec(MonoPcm(&samples), &mut bytes).ok()?;
    bytes.reserve(FLUSH_BYTES_MAX);
    encoder.flush_to_vec::<FlushNoGap>(&mut bytes).ok()?;
    Some(bytes)
}

fn wav(sound: &Sound) -> Option<Vec<u8>> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: TELEPHONE_HZ as u32,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(vec![]);
    let mut writer = WavWriter::new(&mut bytes, spec).ok()?;
    sound.samples.iter().try_for_each(|sample| writer.write_sample(*sample)).ok()?;
    writer.finalize().ok()?;
    Some(bytes.into_inner())
}

/// Source: LAME's API, `lame_encode_flush`.
const FLUSH_BYTES_MAX: usize = 7200;
