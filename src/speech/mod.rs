//! Text to speech, in worker processes that may die.
//!
//! espeak-ng reads what strangers write and has known errors in memory; it therefore runs outside this process, locked
//! in (`sandbox`), on text put into words (`spoken_text`) and made harmless (`sanitise`), and is replaced when it crashes or hangs (`speaker`).

mod cache;
mod data;
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
use std::path::PathBuf;
use std::time::Duration;

pub use speaker::{Rendered, Speaker};

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Utterance {
    /// Language of the text (BCP 47).
    pub language: String,
    /// What to say, in words; anything may stand in it.
    pub text: String,
    /// Whether it will be said again, as a prompt is. A message is not kept after it was spoken.
    pub keep: bool,
}

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
            program: None,
        }
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
