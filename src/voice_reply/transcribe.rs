//! The transcript of a recording, by a program of the operator's.

use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::warn;

use crate::voice_reply::file::{Format, Sound, encode};

/// The transcripts under way.
///
/// Contract: dropping it, or [`Transcripts::stop`], ends their programs and what these have started.
#[derive(Debug)]
pub(crate) struct Transcripts {
    tasks: Mutex<JoinSet<()>>,
    /// Each may want a whole processor.
    places: Arc<Semaphore>,
}

impl Transcripts {
    pub(crate) fn new() -> Self {
        Self { tasks: Mutex::default(), places: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    /// Begins a transcript as soon as there is a place for it.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let places = self.places.clone();
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= WAITING_MAX {
            return warn!("transcript left out: too many wait for voice_reply.transcribe");
        }
        tasks.spawn(async move {
            // The places are never closed.
            let _place = places.acquire().await;
            work.await;
        });
    }

    /// Ends all of them.
    pub(crate) fn stop(&self) {
        self.tasks().abort_all();
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        // Nothing panics while it holds this lock; if it did, the value would still be whole.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `command` on a WAV file, whose path is its last argument; what it prints is the transcript.
/// `None` if it prints nothing, fails, or takes too long.
pub(crate) async fn transcribe(sound: &Sound, command: &[String]) -> Option<String> {
    run(sound, command, RUN_MAX).await
}

async fn run(sound: &Sound, command: &[String], run_max: Duration) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let wav = encode(sound, Format::Wav).ok()?.bytes;
    // Only we and the program can read it, and it is removed when this ends.
    let mut file = tempfile::Builder::new().prefix("offhook-").suffix(".wav").tempfile().ok()?;
    file.write_all(&wav).ok()?;
    let child = Command::new(program)
        .args(arguments)
        .arg(file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            warn!(%error, "voice_reply.transcribe cannot be started");
            return None;
        }
    };
    let mut group = ProcessGroup::of(&child);
    let mut printed = vec![];
    let output = child.stdout.take()?;
    let work = async {
        output.take(PRINTED_BYTES_MAX).read_to_end(&mut printed).await?;
        child.wait().await
    };
    let finished = timeout(run_max, work).await;
    if matches!(finished, Ok(Ok(_))) {
        group.has_ended();
    }
    match finished {
        Ok(Ok(status)) if status.success() => transcript(&printed),
        Ok(_) => {
            warn!("voice_reply.transcribe failed");
            None
        }
        Err(_) => {
            warn!("voice_reply.transcribe took too long and was killed");
            None
        }
    }
}

/// The program and the processes it has started. Dropping it kills them all, unless the program has ended.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn of(leader: &Child) -> Self {
        Self(leader.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// From now on the system may give the group's number to others.
    fn has_ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails only if all of them have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn transcript(printed: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(printed);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// Programs at once.
const AT_ONCE_MAX: usize = 1;
/// Recordings in memory that wait for the program.
const WAITING_MAX: usize = 32;
const RUN_MAX: Duration = Duration::from_secs(120);
const PRINTED_BYTES_MAX: u64 = 64 << 10;
const CHARS_MAX: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_program_gets_the_recording_and_prints_the_transcript() {
        let sound = Sound { samples: vec![0; 8000] };
        let sh = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
        let cases = [
            ("wc -c < $0", Some("16044")),
            ("printf ' on\\n my  way\\n'", Some("on my way")),
            ("true", None),
            ("echo half; false", None),
        ];
        for (script, expected) in cases {
            assert_eq!(transcribe(&sound, &sh(script)).await.as_deref(), expected, "{script}");
        }
        assert_eq!(transcribe(&sound, &["/no/such/program".to_owned()]).await, None);
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_killed_with_its_children() {
        let sound = Sound { samples: vec![0; 800] };
        let marker = tempfile::NamedTempFile::new().unwrap();
        let script = format!("sleep 600 & echo $! > {}; wait", marker.path().display());
        let command = ["sh", "-c", &script].map(str::to_owned);
        assert_eq!(run(&sound, &command, Duration::from_secs(2)).await, None);
        is_gone(marker.path()).await;
    }

    #[tokio::test]
    async fn a_transcript_that_hangs_keeps_nobody_waiting_and_ends_with_a_stop() {
        let marker = tempfile::NamedTempFile::new().unwrap();
        let script = format!("sleep 600 & echo $! > {}; wait", marker.path().display());
        let command = ["sh", "-c", &script].map(str::to_owned);
        let transcripts = Transcripts::new();
        transcripts.begin(async move {
            transcribe(&Sound { samples: vec![0; 800] }, &command).await;
        });
        while std::fs::read_to_string(marker.path()).unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        transcripts.stop();
        is_gone(marker.path()).await;
    }

    /// Waits for the end of the process whose number is in a file.
    async fn is_gone(marker: &std::path::Path) {
        let child = std::fs::read_to_string(marker).unwrap();
        let process = format!("/proc/{}/stat", child.trim());
        // A process that is killed may stay as a zombie until it is reaped.
        let lives = || std::fs::read_to_string(&process).is_ok_and(|it| !it.contains(") Z "));
        for _ in 0..100 {
            if !lives() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program's child still runs");
    }
}
