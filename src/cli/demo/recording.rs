//! What a phone heard: a WAV file that is still being written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The sound of one call, growing while the call lasts.
///
/// Shape: WAV, mono, 16 bit, 8,000 Hz, a header of 44 octets whose lengths are only right at the end.
#[derive(Clone, Debug)]
pub struct Recording {
    file: PathBuf,
}

impl Recording {
    /// The newest recording of a far end's voice in `folder`.
    pub fn newest(folder: &Path) -> Option<Self> {
        let files = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let heard = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav"));
        let file = heard.max_by_key(|file| file.metadata().and_then(|it| it.modified()).ok())?;
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
    pub async fn pause(&self, from: Duration, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        let (mut length, mut grew) = (0, Instant::now());
        while Instant::now() < end {
            sleep(STEP).await;
            let Ok(samples) = self.samples() else { continue };
            if samples.len() > length {
                (length, grew) = (samples.len(), Instant::now());
            }
            let start = usize::try_from(from.as_millis()).unwrap_or(0) * SAMPLES_PER_MS;
            let new = samples.get(start.min(samples.len())..).unwrap_or_default();
            // A far end may fall silent without sending anything.
            let stalled = usize::try_from(grew.elapsed().as_millis()).unwrap_or(0);
            if paused(new, stalled) {
                return true;
            }
        }
        false
    }
}

fn paused(samples: &[i16], stalled_ms: usize) -> bool {
    let loud = |sample: &i16| sample.unsigned_abs() > LOUD;
    let Some(last) = samples.iter().rposition(loud) else { return false };
    (samples.len() - last) / SAMPLES_PER_MS + stalled_ms >= PAUSE_MS
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
            ("nothing yet", sound(&[]), 9000, false),
            ("only the quiet before the voice", sound(&[(0, 3000)]), 0, false),
            ("still talking", sound(&[(0, 700), (5000, 900)]), 0, false),
            ("between two sentences", sound(&[(5000, 900), (0, 600)]), 0, false),
            ("has paused", sound(&[(5000, 900), (0, 1400)]), 0, true),
            ("sends nothing any more", sound(&[(5000, 900)]), 1400, true),
        ];
        for (situation, samples, stalled, is_paused) in table {
            assert_eq!(paused(&samples, stalled), is_paused, "{situation}");
        }
    }
}
