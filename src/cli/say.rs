//! `offhook say`: what the phone would hear, as a file, or how it is pronounced.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output::show;
use super::{bare_jid, failed, not_blank};
use crate::config::{self, Config, Engine};
use crate::script::speakable::speakable;
use crate::speech::wav::write_wav;
use crate::speech::{Pace, Speaker, SpeechError, SpeechSettings, Utterance};
use crate::store::Reader;
use crate::subscriber::Subscriber;

/// What is to be said, and how.
#[derive(Debug, Args)]
pub(super) struct Say {
    /// What to say.
    #[arg(value_parser = not_blank)]
    text: String,
    /// The file: WAV, 8,000 samples a second.
    #[arg(long, value_name = "FILE.wav", required_unless_present = "phonemes")]
    out: Option<PathBuf>,
    /// The language, if not the person's or `speech.language`.
    #[arg(long, value_name = "xx")]
    lang: Option<String>,
    /// Speaks with this engine only: espeak, hibari, open-jtalk or command.
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    voice: Option<Engine>,
    /// As this person would hear it.
    #[arg(long = "as", value_name = "JID")]
    listener: Option<String>,
    /// Shows how espeak-ng pronounces it, in IPA.
    #[arg(long)]
    phonemes: bool,
}

pub(super) async fn run(path: &Path, say: Say) -> ExitCode {
    // Works before there is a configuration too, to try a voice.
    let config = config::read_without_secrets(path).ok();
    let listener = match say.listener.as_deref().map(|jid| person(config.as_ref(), jid)) {
        Some(Err(code)) => return code,
        Some(Ok(person)) => Some(person),
        None => None,
    };
    let is_slow = listener.as_ref().is_some_and(|person| person.slow);
    let own = listener.and_then(|person| person.language);
    let speech = config.as_ref().map(|config| &config.live.speech);
    let language = say.lang.or(own).or_else(|| speech.map(|speech| speech.language.clone()));
    let language = language.unwrap_or_else(|| "en".into());
    let chars_max = speech.map_or(CHARS_MAX, |speech| speech.body_chars_max);
    let Some(text) = speakable(&say.text, chars_max, Some(&language)) else {
        return failed(SpeechError::Unspeakable);
    };
    let voices = config.map(|config| config.fixed.voices).unwrap_or_default();
    let speaker = match Speaker::start(SpeechSettings::with_voices(&voices)).await {
        Ok(speaker) => speaker,
        Err(error) => return failed(error),
    };
    if say.phonemes {
        match speaker.phonemes(&text, &language).await {
            Ok(phonemes) => show(phonemes),
            Err(error) => return failed(error),
        }
    }
    let Some(out) = say.out else { return ExitCode::SUCCESS };
    let utterance = Utterance {
        language,
        text,
        keep: false,
        pace: if is_slow { Pace::Slow } else { Pace::Usual },
    };
    let spoken = match speaker.say_by(&utterance, say.voice).await {
        Ok(spoken) => spoken,
        Err(error) => return failed(error),
    };
    match write_wav(&spoken.clip, &out) {
        Ok(()) => {
            let (file, seconds) = (out.display(), spoken.clip.duration().as_secs_f64());
            show(format!("{file}: {seconds:.1} s, spoken by {}", spoken.engine.name()));
            ExitCode::SUCCESS
        }
        Err(error) => failed(format!("{}: {error}", out.display())),
    }
}

/// A person as the store knows them, who may have set a language of their own; else as the file does.
fn person(config: Option<&Config>, jid: &str) -> Result<Subscriber, ExitCode> {
    let jid = bare_jid(jid)?;
    let Some(config) = config else {
        return Err(failed("--as needs a configuration in order; run offhook check"));
    };
    let stored = match config.fixed.store.exists() {
        true => Reader::open(&config.fixed.store).and_then(|reader| reader.person(&jid)),
        false => Ok(None),
    };
    let stored = stored.map_err(failed)?;
    let configured = || config.live.subscribers.iter().find(|person| person.jid == jid).cloned();
    stored.or_else(configured).ok_or_else(|| failed(format!("{jid} is no subscriber here")))
}

fn engine(name: &str) -> Result<Engine, String> {
    let known = Engine::ALL.iter().find(|engine| engine.name() == name);
    known.copied().ok_or_else(|| {
        let names = Engine::ALL.map(Engine::name);
        format!("is none of {}", names.join(", "))
    })
}

/// What `body_chars_max` is by default.
const CHARS_MAX: usize = 400;
