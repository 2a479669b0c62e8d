//! Text to speech, in worker processes that may die.
//!
//! espeak-ng reads what strangers write and has known errors in memory; it therefore runs outside this process, locked
//! in (`sandbox`), on text put into words (`spoken_text`) and made harmless (`sanitise`), and is replaced when it crashes or hangs (`speaker`).

mod cache;
mod command_sandbox;
mod command_voice;
mod data;
mod engines;
mod espeak;
mod hibari;
mod level;
mod sandbox;
pub mod sanitise;
mod speaker;
pub mod spoken_text;
pub mod voices;
pub(crate) mod wav;
mod wire;
pub mod worker;
mod worker_process;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Engine, VoiceChoice};

pub use speaker::{Rendered, Speaker, Spoken};

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Utterance {
    /// Language of the text (BCP 47).
    pub language: String,
    /// What to say, in words; anything may stand in it.
    pub text: String,
    /// Whether it will be said again, as a prompt is. A message is not kept after it was spoken.
    pub keep: bool,
    /// How fast.
    pub pace: Pace,
}

/// How fast somebody is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pace {
    /// As most people understand on the phone.
    #[default]
    Usual,
    /// For those who need more time.
    Slow,
}

impl Pace {
    /// Words a minute, where so many are usual.
    pub(crate) fn rate_wpm(self, usual: u16) -> u16 {
        match self {
            Self::Usual => usual,
            Self::Slow => (usual - usual / 4).max(RATE_WPM_MIN),
        }
    }

    /// As programs take it: parts of their own speed.
    pub(crate) fn speed(self) -> &'static str {
        match self {
            Self::Usual => "1.0",
            Self::Slow => "0.75",
        }
    }
}

/// The engines speak no slower.
const RATE_WPM_MIN: u16 = 80;

/// How the speaker works; the default is right for a telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechSettings {
    /// How many texts are rendered at once, each by a process of its own.
    pub workers: usize,
    /// Words a minute, 80 to 450.
    pub rate_wpm: u16,
    /// Extra pause between words, in steps of 10 ms.
    pub word_gap: u8,
    /// How much processor time a worker may take for one text before it is replaced; by the clock ten times as much.
    pub patience: Duration,
    /// How much speech is kept for prompts, in bytes.
    pub cache_bytes_max: usize,
    /// The folder that holds `espeak-ng-data`, where it is in none of the usual places.
    pub data: Option<PathBuf>,
    /// What the operator wants the languages spoken by.
    pub voices: Vec<VoiceChoice>,
    /// How long a program that speaks may take, beside so long for each letter.
    pub command_patience: Duration,
    /// The program that understands [`worker::ARGUMENT`], if it is not the one that runs.
    pub program: Option<PathBuf>,
}

impl Default for SpeechSettings {
    fn default() -> Self {
        Self {
            workers: 2,
            rate_wpm: 150,
            word_gap: 1,
            patience: Duration::from_secs(3),
            cache_bytes_max: 16 * 1024 * 1024,
            data: None,
            voices: vec![],
            command_patience: Duration::from_secs(10),
            program: None,
        }
    }
}

impl SpeechSettings {
    /// As the operator wants it.
    pub fn with_voices(voices: &[VoiceChoice]) -> Self {
        let espeak = voices.iter().find(|it| it.engine == Engine::Espeak && it.path.is_some());
        let data = espeak.and_then(|it| it.path.clone());
        Self { data, voices: voices.to_vec(), ..Self::default() }
    }

    /// The folder of hibari, where it is not in one of the usual places.
    pub(crate) fn hibari(&self) -> Option<&Path> {
        let hibari = self.voices.iter().find(|it| it.engine == Engine::Hibari && it.path.is_some());
        hibari.and_then(|it| it.path.as_deref())
    }
}

/// Why something was not said.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The voices are missing on this machine.
    #[error("no voices found: install espeak-ng-data (apt-get install espeak-ng-data)")]
    NoData,
    /// The kernel does not let a process lock itself in.
    #[error(
        "this kernel refuses seccomp, without which no stranger's text is spoken; allow it for this service"
    )]
    NoSandbox,
    /// The worker process does not come up.
    #[error("the speech worker cannot be started: {0}")]
    NotStarted(#[source] io::Error),
    /// There is no such voice for this language.
    #[error("{} speaks no \"{language}\" here", engine.name())]
    NotThisEngine {
        /// What was to speak.
        engine: Engine,
        /// What it was to speak.
        language: String,
    },
    /// There is no voice for this language.
    #[error("no voice speaks \"{0}\"; choose another language")]
    UnknownLanguage(String),
    /// The voice cannot read this text, or nothing in it has a sound. Say something else in its place.
    #[error("this text cannot be read aloud in its language")]
    Unspeakable,
    /// The workers died of this text or took too long for it. Say something else in its place.
    #[error("the text was given up after the speech worker died or took too long")]
    GivenUp,
}
