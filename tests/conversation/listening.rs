//! Calls taken by a phone, and what is heard in them.

use std::process::Command;
use std::time::Duration;

use offhook::demo::phone::Phone;
use offhook::demo::recording::{Recording, is_loud, paused};
use tokio::time::{sleep, timeout};

use crate::test_bed::LONG;

/// Waits until the phone rings, picks up, and gives what is heard from then on.
pub(crate) async fn pick_up(phone: &mut Phone) -> Heard {
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    talking(phone, async |phone| phone.answer().await.unwrap()).await
}

/// Does what begins a talk, and gives what is heard from then on.
pub(crate) async fn talking(phone: &mut Phone, begins: impl AsyncFnOnce(&mut Phone)) -> Heard {
    let before = phone.recording().map(|it| it.file().to_path_buf());
    begins(phone).await;
    phone.event("CALL_ESTABLISHED", LONG).await.unwrap();
    let begun = async {
        loop {
            let new = phone.recording().filter(|it| before.as_deref() != Some(it.file()));
            match new {
                Some(recording) => return Heard { recording, from: Duration::ZERO },
                None => sleep(STEP).await,
            }
        }
    };
    timeout(LONG, begun).await.expect("the phone records nothing")
}

/// What the phone hears in one call, taken part by part.
pub(crate) struct Heard {
    recording: Recording,
    from: Duration,
}

impl Heard {
    /// Waits until a voice is heard: the callee then knows that somebody speaks, and may press a key.
    pub(crate) async fn voice(&self) {
        let spoken = |samples: &[i16]| samples.iter().filter(|it| is_loud(it)).count() > WORD;
        assert!(self.recording.until(self.from, LONG, spoken).await, "nothing is said");
    }

    /// Waits until about as much was said as `sentence` is long, and the voice pauses; gives the sound since the last part.
    pub(crate) async fn part(&mut self, sentence: &str) -> Vec<i16> {
        let least = spoken_length(sentence) * 3 / 4;
        let ended = |samples: &[i16]| {
            let first = samples.iter().position(is_loud).unwrap_or(samples.len());
            let last = samples.iter().rposition(is_loud).unwrap_or(first);
            last - first.min(last) >= least && paused(samples)
        };
        // In vain: what was heard instead is judged like all else.
        self.recording.until(self.from, LONG, ended).await;
        let part = self.rest();
        self.skip();
        part
    }

    /// Forgets what was said until now.
    pub(crate) fn skip(&mut self) {
        self.from = self.recording.length();
    }

    /// All since the last part.
    pub(crate) fn rest(&self) -> Vec<i16> {
        let from = usize::try_from(self.from.as_millis()).unwrap() * 8;
        self.recording.samples().unwrap().split_off(from)
    }
}

/// How long espeak-ng speaks a sentence, in samples of a telephone. On a busy machine one sentence of several may be ready late:
/// a pause after less than most of it is not its end.
fn spoken_length(sentence: &str) -> usize {
    let arguments = ["-v", "en-us", "-s", "150", "-g", "1", "--stdout", sentence];
    let spoken = Command::new("espeak-ng").args(arguments).output().unwrap();
    assert!(spoken.status.success(), "{}", String::from_utf8_lossy(&spoken.stderr));
    let (octets, rate_hz) = (spoken.stdout.len().saturating_sub(WAV_HEADER), 22_050);
    octets / 2 * 8000 / rate_hz
}

const WAV_HEADER: usize = 44;
/// So many loud samples are no click of the line.
const WORD: usize = 800;
const STEP: Duration = Duration::from_millis(50);
