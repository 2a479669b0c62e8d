//! `offhook say`: what the phone would hear, as a file, or how it is pronounced.

use std::path::Path;
use std::process::ExitCode;

use super::failed;
use super::output::show;
use crate::config;
use crate::media::codec::Codec;
use crate::script::speakable::speakable;
use crate::speech::wav::write_wav;
use crate::speech::{Pace, Speaker, SpeechError, SpeechSettings, Utterance};

pub(super) async fn run(
    path: &Path,
    text: &str,
    out: Option<&Path>,
    language: Option<String>,
) -> ExitCode {
    // Works before there is a configuration too, to try a voice.
    let config = config::read_without_secrets(path).ok();
    let voices = config.as_ref().map(|config| config.fixed.voices.clone()).unwrap_or_default();
    let configured = config.map(|config| config.live.speech.language);
    let language = language.or(configured).unwrap_or_else(|| "en".into());
    let Some(text) = speakable(text, CHARS_MAX, Some(&language)) else {
        return failed(SpeechError::Unspeakable);
    };
    let speaker = match Speaker::start(SpeechSettings::with_voices(&voices)).await {
        Ok(speaker) => speaker,
        Err(error) => return failed(error),
    };
    let Some(out) = out else {
        return match speaker.phonemes(&text, &language).await {
            Ok(phonemes) => {
                show(phonemes);
                ExitCode::SUCCESS
            }
            Err(error) => failed(error),
        };
    };
    let utterance = Utterance { language, text, keep: false, pace: Pace::Usual };
    match speaker.say(&utterance, Codec::Pcmu).await {
        Ok(clip) => match write_wav(&clip, out) {
            Ok(()) => {
                show(format!("{}: {:.1} s", out.display(), clip.duration().as_secs_f64()));
                ExitCode::SUCCESS
            }
            Err(error) => failed(format!("{}: {error}", out.display())),
        },
        Err(error) => failed(error),
    }
}

/// As much as a message may have at most.
const CHARS_MAX: usize = 2_000;
