//! AAC in MPEG-4, by the program ffmpeg: no encoder for it fits this program's licence.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::EncodeError;
use crate::clock;
use crate::seed::Seed;

/// Makes an m4a file of a WAV file, its index at the front so that it plays while it loads.
pub(super) fn make(wav: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let failed = |error: std::io::Error| EncodeError::Ffmpeg(error.to_string());
    let file = Scratch(std::env::temp_dir().join(format!("offhook-{}.m4a", Seed::fresh().token())));
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-f", "wav", "-i", "pipe:0"])
        .args(["-ac", "1", "-ar", "16000", "-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart"])
        .arg(&file.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => EncodeError::NoFfmpeg,
            _ => failed(error),
        })?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(wav).map_err(failed)?;
    }
    if !succeeds(&mut child).map_err(failed)? {
        return Err(EncodeError::Ffmpeg("it failed, or took too long".into()));
    }
    fs::read(&file.0).map_err(failed)
}

fn succeeds(child: &mut Child) -> std::io::Result<bool> {
    let patience = clock::now() + PATIENCE;
    while clock::now() < patience {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        std::thread::sleep(STEP);
    }
    child.kill()?;
    child.wait().map(|_| false)
}

/// A file that is gone when it has served.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(20);
