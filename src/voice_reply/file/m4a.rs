//! AAC in MPEG-4, by the program ffmpeg: no encoder for it fits this program's licence.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::EncodeError;
use crate::clock;

/// Encodes a WAV file as m4a, its index at the front so that it plays while it loads.
pub(super) fn make(wav: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let failed = |error: std::io::Error| EncodeError::Ffmpeg(error.to_string());
    let file = tempfile::Builder::new().prefix("offhook-").suffix(".m4a").tempfile();
    let file = file.map_err(failed)?;
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-y", "-loglevel", "error", "-f", "wav", "-i", "pipe:0"])
        .args(["-ac", "1", "-ar", "16000", "-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart"])
        .arg(file.path())
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
    fs::read(file.path()).map_err(failed)
}

fn succeeds(child: &mut Child) -> std::io::Result<bool> {
    let give_up = clock::now() + RUN_MAX;
    while clock::now() < give_up {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        std::thread::sleep(POLL);
    }
    child.kill()?;
    child.wait().map(|_| false)
}

const RUN_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
