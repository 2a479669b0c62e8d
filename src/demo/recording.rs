//! What a phone hears or says: a WAV file that is still being written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// One direction of the sound of one call, growing while the call lasts.
///
/// Shape: WAV, mono, 16 bit, 8,000 Hz, a header of 44 octets whose lengths are only right at the end.
#[derive(Clone, Debug)]
pub struct Recording {
    file: PathBuf,
}

impl Recording {
    /// The newest recording in `folder` whose name ends like this.
    pub fn newest(folder: &Path, name_end: &str) -> Option<Self> {
        let files = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let recordings = files.filter(|file| file.to_string_lossy().ends_with(name_end));
        let file =
            recordings.max_by_key(|file| file.metadata().and_then(|it| it.modified()).ok())?;
        Some(Self { file })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How long it is by now.
    pub fn length(&self) -> Duration {
        let octets = fs::metadata(&self.file).map_or(0, |it| it.len()).saturating_sub(HEADER);
        Duration::from_millis(octets / 2 * 1000 / RATE_HZ)
    }

    /// All samples that are there by now.
    ///
    /// Errors: what the file system says.
    pub fn samples(&self) -> io::Result<Vec<i16>> {
        let octets = fs::read(&self.file)?;
        let sound = octets.get(usize::try_from(HEADER).unwrap_or(0)..).unwrap_or_default();
        Ok(sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// Waits until a voice was heard after `from` and then paused, for at most `wait`. Says whether it did.
    ///
    /// Contract: it counts the time of the recording, so that a machine that is late makes no pause.
    pub async fn pause(&self, from: Duration, wait: Duration) -> bool {
        self.until(from, wait, paused).await
    }

    /// Waits until what comes after `from` is as `wanted`, for at most `wait`. Says whether it is.
    pub async fn until(
        &self,
        from: Duration,
        wait: Duration,
        wanted: impl Fn(&[i16]) -> bool,
    ) -> bool {
        let end = Instant::now() + wait;
        let start = usize::try_from(from.as_millis()).unwrap_or(0) * SAMPLES_PER_MS;
        loop {
            let samples = self.samples().unwrap_or_default();
            if wanted(samples.get(start..).unwrap_or_default()) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            sleep(STEP).await;
        }
    }
}

/// Whether this is a voice and then quiet.
pub fn paused(samples: &[i16]) -> bool {
    let last = samples.iter().rposition(is_loud);
    last.is_some_and(|last| (samples.len() - last) / SAMPLES_PER_MS >= PAUSE_MS)
}

/// Whether a voice is this loud, and a quiet line is not.
pub fn is_loud(sample: &i16) -> bool {
    sample.unsigned_abs() > LOUD
}

const HEADER: u64 = 44;
const RATE_HZ: u64 = 8000;
const SAMPLES_PER_MS: usize = 8;
const LOUD: u16 = 400;
/// Longer than the pause between two sentences.
const PAUSE_MS: usize = 1300;
const STEP: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_quiet_after_a_voice() {
        let sound = |parts: &[(i16, usize)]| -> Vec<i16> {
            parts.iter().flat_map(|(level, ms)| vec![*level; ms * SAMPLES_PER_MS]).collect()
        };
        let table = [
            ("nothing yet", sound(&[]), false),
            ("only the quiet before the voice", sound(&[(0, 3000)]), false),
            ("still talking", sound(&[(0, 700), (5000, 900)]), false),
            ("between two sentences", sound(&[(5000, 900), (0, 600)]), false),
            ("has paused", sound(&[(5000, 900), (0, 1400)]), true),
        ];
        for (situation, samples, is_paused) in table {
            assert_eq!(paused(&samples), is_paused, "{situation}");
        }
    }
}
