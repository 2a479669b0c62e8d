//! `offhook say`: what the phone would hear, as a file, or how it is pronounced.

use std::path::Path;
use std::process::ExitCode;

use super::failed;
use crate::config;
use crate::media::codec::{Clip, Codec};
use crate::speech::{Speaker, SpeechSettings, Utterance};

pub(super) async fn run(
    path: &Path,
    text: &str,
    out: Option<&Path>,
    language: Option<String>,
) -> ExitCode {
    // Works before there is a configuration too, to try a voice.
    let configured = || config::read(path).ok().map(|config| config.speech.language);
    let language = language.or_else(configured).unwrap_or_else(|| "en".into());
    let speaker = match Speaker::start(SpeechSettings::default()).await {
        Ok(speaker) => speaker,
        Err(error) => return failed(error),
    };
    let Some(out) = out else {
        return match speaker.phonemes(text, &language).await {
            Ok(phonemes) => {
                println!("{phonemes}");
                ExitCode::SUCCESS
            }
            Err(error) => failed(error),
        };
    };
    let utterance = Utterance { language, text: text.into(), keep: false };
    match speaker.say(&utterance, Codec::Pcmu).await {
        Ok(clip) => match write(&clip, out) {
            Ok(()) => {
                println!("{}: {:.1} s", out.display(), clip.duration().as_secs_f64());
                ExitCode::SUCCESS
            }
            Err(error) => failed(format!("{}: {error}", out.display())),
        },
        Err(error) => failed(error),
    }
}

/// Writes what comes out of the phone: the clip as the far end decodes it.
pub(super) fn write(clip: &Clip, out: &Path) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(out, spec)?;
    for octet in (0..).map_while(|number| clip.frame(number)).flatten() {
        writer.write_sample(audio_codec_algorithms::decode_ulaw(*octet))?;
    }
    writer.finalize()
}
