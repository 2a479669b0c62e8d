//! Bob's voice in the demo, and what of it reaches Alice.

use std::path::Path;

use super::child_process::DemoError;
use crate::media::codec::Codec;
use crate::speech::wav::write_wav;
use crate::speech::{Pace, Speaker, SpeechSettings, Utterance};

/// Writes what Bob says into a file.
///
/// Errors: [`DemoError::Refused`] in the words of the synthesiser.
pub(super) async fn bobs_words(file: &Path) -> Result<(), DemoError> {
    let refused = |reason: String| DemoError::Refused { part: "the synthesiser", reason };
    let speaker = Speaker::start(SpeechSettings::default()).await;
    let speaker = speaker.map_err(|error| refused(error.to_string()))?;
    let utterance =
        Utterance { language: "en-gb".into(), text: WORDS.into(), keep: false, pace: Pace::Usual };
    let clip = speaker.say(&utterance, Codec::Pcmu).await;
    let clip = clip.map_err(|error| refused(error.to_string()))?;
    write_wav(&clip, file).map_err(|error| refused(error.to_string()))
}

/// Downloads what Alice's client would play, keeps it as [`FILE`], and describes it: length, level, shape.
///
/// Errors: [`DemoError::Refused`] if there is nothing to download.
pub(super) async fn keep(url: &str) -> Result<String, DemoError> {
    let url = url.to_owned();
    let download = move || ureq::get(&url).call()?.body_mut().read_to_vec();
    let downloaded = tokio::task::spawn_blocking(download).await.map_err(std::io::Error::other)?;
    let refused = |reason: String| DemoError::Refused { part: "the link", reason };
    let file = downloaded.map_err(|error| refused(error.to_string()))?;
    std::fs::write(FILE, &file)?;
    let (samples, rate_hz) = decoded(&file).ok_or_else(|| refused("no MP3 behind it".into()))?;
    Ok(format!("{FILE} ({})\n{}", described(&samples, rate_hz), shape(&samples)))
}

fn decoded(mp3: &[u8]) -> Option<(Vec<f32>, usize)> {
    let mut decoder = nanomp3::Decoder::new();
    let mut frame = [0.0; nanomp3::MAX_SAMPLES_PER_FRAME];
    let (mut samples, mut rate_hz, mut rest) = (vec![], None, mp3);
    while !rest.is_empty() {
        let (consumed, info) = decoder.decode(rest, &mut frame);
        if let Some(info) = info {
            samples.extend_from_slice(&frame[..info.samples_produced]);
            rate_hz = usize::try_from(info.sample_rate).ok();
        }
        if consumed == 0 {
            break;
        }
        rest = &rest[consumed..];
    }
    Some((samples, rate_hz?))
}

fn described(samples: &[f32], rate_hz: usize) -> String {
    let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32;
    let seconds = samples.len() as f64 / rate_hz.max(1) as f64;
    format!("MP3, {seconds:.1} s, mean level {:.0} dB", 10.0 * power.max(1e-9).log10())
}

/// The loudness over time, as a line of blocks.
fn shape(samples: &[f32]) -> String {
    let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let all = peak(samples).max(f32::MIN_POSITIVE);
    let block = |part: &[f32]| {
        let height = peak(part) / all * (BLOCKS.len() - 1) as f32;
        BLOCKS[(height.round() as usize).min(BLOCKS.len() - 1)]
    };
    samples.chunks(samples.len().div_ceil(COLUMNS).max(1)).map(block).collect()
}

const WORDS: &str = "I am on my way. Please open the windows, I will be there in ten minutes.";
/// Where the voice answer stays.
pub(super) const FILE: &str = "offhook-demo-answer.mp3";
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const COLUMNS: usize = 72;
