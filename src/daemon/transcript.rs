//! What was said, by a program of the operator's.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;
use tracing::warn;

use crate::recording::{Format, Sound, encode};
use crate::seed::Seed;

/// Has `command` listen to a WAV file, whose path is its last argument; what it prints is the transcript.
/// `None` if it prints nothing, fails, or takes too long.
pub(super) async fn of(sound: &Sound, command: &[String]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let wav = encode(sound, Format::Wav).ok()?.bytes;
    let file = Scratch(std::env::temp_dir().join(format!("offhook-{}.wav", Seed::fresh().token())));
    file.write(&wav).ok()?;
    let child = Command::new(program)
        .args(arguments)
        .arg(&file.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            warn!(%error, "voice_reply.transcribe cannot be started");
            return None;
        }
    };
    let mut printed = vec![];
    let output = child.stdout.take()?;
    let listening = async {
        output.take(PRINTED_BYTES_MAX).read_to_end(&mut printed).await?;
        child.wait().await
    };
    match timeout(PATIENCE, listening).await {
        Ok(Ok(status)) if status.success() => said(&printed),
        Ok(_) => {
            warn!("voice_reply.transcribe failed");
            None
        }
        Err(_) => {
            warn!("voice_reply.transcribe took too long");
            None
        }
    }
}

fn said(printed: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(printed);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// A file for our eyes only, gone when it has served.
struct Scratch(PathBuf);

impl Scratch {
    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&self.0)?.write_all(bytes)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const PATIENCE: Duration = Duration::from_secs(120);
const PRINTED_BYTES_MAX: u64 = 64 << 10;
const CHARS_MAX: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_program_hears_the_recording_and_what_it_prints_is_taken() {
        let sound = Sound { samples: vec![0; 8000] };
        let sh = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
        let cases = [
            ("wc -c < $0", Some("16044")),
            ("printf ' on\\n my  way\\n'", Some("on my way")),
            ("true", None),
            ("echo half; false", None),
        ];
        for (script, expected) in cases {
            assert_eq!(of(&sound, &sh(script)).await.as_deref(), expected, "{script}");
        }
        assert_eq!(of(&sound, &["/no/such/program".to_owned()]).await, None);
    }
}
