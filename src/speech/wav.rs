//! A clip as a WAV file, and a WAV file as samples. Edge.

use std::io::Cursor;
use std::path::Path;

use hound::SampleFormat;

use crate::media::codec::Clip;

/// Writes a G.711 clip as the far end decodes it: 8 kHz, 16 bits, one channel.
pub(crate) fn write_wav(clip: &Clip, out: &Path) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(out, spec)?;
    for octet in (0..).map_while(|number| clip.frame(number)).flatten() {
        writer.write_sample(audio_codec_algorithms::decode_ulaw(*octet))?;
    }
    writer.finalize()
}

/// The first channel of a file that a program wrote, and its rate; `None` if it is not a sound for the telephone.
///
/// Units: full scale is 32,768. At most `s_max` seconds.
pub(crate) fn read_wav(file: &[u8], s_max: usize) -> Option<(Vec<i16>, usize)> {
    let file = with_true_length(file)?;
    let mut reader = hound::WavReader::new(Cursor::new(file)).ok()?;
    let spec = reader.spec();
    let rate_hz = spec.sample_rate as usize;
    if !RATES_HZ.contains(&rate_hz) || !(1..=8).contains(&spec.channels) {
        return None;
    }
    let (step, count) = (usize::from(spec.channels), s_max * rate_hz);
    let samples: Vec<i16> = match spec.sample_format {
        SampleFormat::Int => {
            let surplus = i32::from(spec.bits_per_sample) - 16;
            let scale = 2f32.powi(-surplus);
            let taken = reader.samples::<i32>().map_while(Result::ok);
            taken.step_by(step).take(count).map(|it| (it as f32 * scale) as i16).collect()
        }
        SampleFormat::Float => {
            let taken = reader.samples::<f32>().map_while(Result::ok);
            taken.step_by(step).take(count).map(|it| (it * 32_767.0) as i16).collect()
        }
    };
    Some((samples, rate_hz))
}

/// A program that writes into a pipe cannot go back to say how long its sound has become; what came is what there is.
///
/// Source: RIFF: "RIFF", length, "WAVE", then chunks of name, length and content, padded to an even length.
fn with_true_length(file: &[u8]) -> Option<Vec<u8>> {
    if file.get(..4)? != b"RIFF" || file.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut block) = (12, 1);
    loop {
        let name = file.get(at..at + 4)?;
        let stated = u32::from_le_bytes(file.get(at + 4..at + 8)?.try_into().ok()?) as usize;
        let content = at + 8;
        if name == b"data" {
            let there = file.len() - content;
            let length = if stated == 0 { there } else { stated.min(there) };
            let length = length - length % block;
            let mut whole = file[..content + length].to_vec();
            whole[at + 4..content].copy_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
            return Some(whole);
        }
        if name == b"fmt " {
            let align = file.get(content + 12..content + 14)?.try_into().ok()?;
            block = usize::from(u16::from_le_bytes(align)).max(1);
        }
        at = content.checked_add(stated)?.checked_add(stated % 2)?;
    }
}

/// From the telephone to the studio. One between them would cost the resampler more than the speech.
const RATES_HZ: [usize; 9] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

#[cfg(test)]
mod tests {
    use super::*;

    fn file(
        rate_hz: u32,
        channels: u16,
        bits: u16,
        format: SampleFormat,
        samples: &[f32],
    ) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate_hz,
            bits_per_sample: bits,
            sample_format: format,
        };
        let mut out = Cursor::new(vec![]);
        let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
        for sample in samples.iter().flat_map(|it| vec![*it; channels.into()]) {
            match format {
                SampleFormat::Float => writer.write_sample(sample).unwrap(),
                SampleFormat::Int => {
                    let full = 2f32.powi(i32::from(bits) - 1);
                    writer.write_sample((sample * full) as i32).unwrap();
                }
            }
        }
        writer.finalize().unwrap();
        out.into_inner()
    }

    #[test]
    fn each_kind_of_file_is_the_same_sound() {
        let wave = [0.0, 0.5, -0.5, 0.25];
        let kinds = [
            (8_000, 1, 8, SampleFormat::Int),
            (22_050, 1, 16, SampleFormat::Int),
            (24_000, 2, 24, SampleFormat::Int),
            (48_000, 1, 32, SampleFormat::Int),
            (44_100, 2, 32, SampleFormat::Float),
        ];
        for (rate, channels, bits, format) in kinds {
            let (samples, rate_hz) =
                read_wav(&file(rate, channels, bits, format, &wave), 1).unwrap();
            assert_eq!(rate_hz, rate as usize);
            assert_eq!(samples.len(), 4, "{rate}");
            for (sample, meant) in samples.iter().zip([0, 16_384, -16_384, 8_192]) {
                assert!((i32::from(*sample) - meant).abs() < 150, "{rate}: {samples:?}");
            }
        }
    }

    #[test]
    fn a_file_that_a_pipe_took_has_the_length_of_what_came() {
        let good = file(16_000, 1, 16, SampleFormat::Int, &[0.1; 100]);
        let at = good.windows(4).position(|it| it == b"data").unwrap() + 4;
        for stated in [0u32, 7, 0x7fff_f000, u32::MAX] {
            let mut file = good.clone();
            file[at..at + 4].copy_from_slice(&stated.to_le_bytes());
            let expected = if stated == 7 { 3 } else { 100 };
            assert_eq!(read_wav(&file, 1).unwrap().0.len(), expected, "{stated}");
        }
        assert_eq!(read_wav(&good[..good.len() - 21], 1).unwrap().0.len(), 89);
        assert_eq!(
            read_wav(&file(8_000, 1, 16, SampleFormat::Int, &[0.1; 9_000]), 1).unwrap().0.len(),
            8_000
        );
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let good = file(16_000, 1, 16, SampleFormat::Int, &[0.1; 100]);
        assert_eq!(read_wav(&file(4_000, 1, 16, SampleFormat::Int, &[0.1; 9]), 1), None);
        assert_eq!(read_wav(&file(96_000, 1, 16, SampleFormat::Int, &[0.1; 9]), 1), None);
        for end in 0..44 {
            assert_eq!(read_wav(&good[..end], 1), None, "{end}");
        }
        for at in 0..good.len().min(60) {
            for octet in [0, 1, 0x7f, 0xff] {
                let mut file = good.clone();
                file[at] = octet;
                // Whatever it is taken for, it is no more than it holds.
                assert!(read_wav(&file, 1).is_none_or(|(samples, _)| samples.len() <= 200), "{at}");
            }
        }
    }
}
