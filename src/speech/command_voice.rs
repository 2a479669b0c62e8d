//! A voice that is a program: it gets a text, and its WAV is taken while it keeps within limits. Edge.

use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock;
use crate::config::VoiceChoice;
use crate::media::resample::{TELEPHONE_HZ, WIDE_HZ, resampled};
use crate::speech::{Pace, SpeechSettings, level, wav, worker};

/// The program, and whether it has to rest.
#[derive(Debug)]
pub(super) struct CommandVoice {
    pub(super) choice: VoiceChoice,
    rests_until: Mutex<Option<Instant>>,
}

/// Why a program gave no speech.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandFault {
    #[error("it cannot be started: {0}")]
    NotStarted(#[source] io::Error),
    #[error("it took too long")]
    TooSlow,
    #[error("it took too long before, and is not asked for a while")]
    Rests,
    #[error("its output is too large")]
    TooMuch,
    #[error("it ended with {0}")]
    Ended(ExitStatus),
    #[error("its output is no WAV file with a sound in it")]
    NoSound,
}

impl CommandVoice {
    pub(super) fn new(choice: VoiceChoice) -> Self {
        Self { choice, rests_until: Mutex::default() }
    }

    /// Has the program say a text.
    ///
    /// Contract: the program may be anything; what it starts ends with it.
    pub(super) async fn speak(
        &self,
        text: &str,
        pace: Pace,
        wide: bool,
        settings: &SpeechSettings,
    ) -> Result<Vec<i16>, CommandFault> {
        let now = clock::now();
        if self.rests_until().is_some_and(|until| now < until) {
            return Err(CommandFault::Rests);
        }
        let running = Running::start(&self.choice, pace, settings)?;
        let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let patience = settings.command_patience + PATIENCE_PER_CHAR.saturating_mul(chars);
        let made = timeout(patience, running.answer(text)).await;
        let file = made.unwrap_or(Err(CommandFault::TooSlow)).inspect_err(|fault| {
            if matches!(fault, CommandFault::TooSlow) {
                *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(clock::now() + REST);
            }
        })?;
        // A file that is made to be misread costs a thread of its own at most.
        let heard = spawn_blocking(move || telephone_speech(&file, wide)).await;
        heard.ok().flatten().filter(|it| !it.is_empty()).ok_or(CommandFault::NoSound)
    }

    fn rests_until(&self) -> Option<Instant> {
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn telephone_speech(file: &[u8], wide: bool) -> Option<Vec<i16>> {
    let (samples, rate_hz) = wav::read_wav(file, AUDIO_S_MAX)?;
    let hz = if wide { WIDE_HZ } else { TELEPHONE_HZ };
    let samples = resampled(&samples, rate_hz, hz)?;
    Some(level::for_telephone(&samples, hz / 1000))
}

/// A program that runs. Dropping it ends all that it has started.
struct Running {
    process: Child,
    group: Option<Pid>,
}

impl Running {
    /// Starts it by way of a process of ours that locks itself in and then becomes the program.
    fn start(
        choice: &VoiceChoice,
        pace: Pace,
        settings: &SpeechSettings,
    ) -> Result<Self, CommandFault> {
        let own = OsStr::new("/proc/self/exe");
        let starter = settings.program.as_deref().map_or(own, |program| program.as_os_str());
        let words = choice.command.iter().map(|word| {
            word.replace("{speed}", pace.speed()).replace("{language}", &choice.language)
        });
        let process = Command::new(starter)
            .arg0("offhook")
            .arg(worker::ARGUMENT)
            .arg(worker::COMMAND)
            .arg(choice.path.as_deref().map_or(OsStr::new(""), |path| path.as_os_str()))
            .args(words)
            .env_clear()
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(CommandFault::NotStarted)?;
        let group = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { process, group })
    }

    async fn answer(mut self, text: &str) -> Result<Vec<u8>, CommandFault> {
        let (Some(mut input), Some(output)) =
            (self.process.stdin.take(), self.process.stdout.take())
        else {
            unreachable!("both were asked to be pipes")
        };
        let give = async move {
            // A program may know enough before it has read all.
            let _ = input.write_all(text.as_bytes()).await;
            let _ = input.write_all(b"\n").await;
        };
        let mut file = vec![];
        let mut limited = output.take(FILE_BYTES_MAX + 1);
        let ((), read) = tokio::join!(give, limited.read_to_end(&mut file));
        read.map_err(CommandFault::NotStarted)?;
        if file.len() as u64 > FILE_BYTES_MAX {
            return Err(CommandFault::TooMuch);
        }
        let status = self.process.wait().await.map_err(CommandFault::NotStarted)?;
        if status.success() { Ok(file) } else { Err(CommandFault::Ended(status)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // There is none any more if all have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Beside what any text may take; a network may speak no faster than a person does.
const PATIENCE_PER_CHAR: Duration = Duration::from_millis(100);
/// A program that hangs costs calls its patience once in this time.
const REST: Duration = Duration::from_secs(60);
/// The longest an utterance may sound; the rest of it is left out.
const AUDIO_S_MAX: usize = 90;
/// So long in wide stereo.
const FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;
