//! Offhook itself, the real program, as an operator starts it.

#![allow(dead_code)] // Each test file has use for other parts of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, DemoError};
use tokio::time::{sleep, timeout};

/// A running `offhook run` that logs as much as an operator should ever turn on.
pub(crate) struct Offhook {
    pub(crate) part: ChildProcess,
    folder: PathBuf,
}

impl Offhook {
    /// Starts it in `folder` with this `component.toml`. It connects, but who is online is known only some seconds later.
    pub(crate) fn start(folder: &Path, component_toml: &str) -> Result<Self, DemoError> {
        fs::write(folder.join("component.toml"), component_toml)?;
        let program = Path::new(env!("CARGO_BIN_EXE_offhook"));
        let arguments = ["--config", "component.toml", "--log", "debug", "run"];
        let part = ChildProcess::start("offhook", program, &arguments, folder)?;
        Ok(Self { part, folder: folder.to_path_buf() })
    }

    /// Waits until it has said `words` in its log.
    pub(crate) async fn until_it_says(&mut self, words: &str) -> Result<(), DemoError> {
        let said = timeout(PATIENCE, async {
            while !self.log().contains(words) {
                if !self.part.is_running() {
                    return Err(DemoError::Ended("offhook"));
                }
                sleep(STEP).await;
            }
            Ok(())
        });
        let late =
            || DemoError::Late { what: format!("Offhook to say \"{words}\""), waited: PATIENCE };
        said.await.unwrap_or_else(|_| Err(late()))
    }

    /// What another command of it prints, with the same configuration.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let (code, said) = said_by(&self.folder, arguments);
        assert_eq!(code, Some(0), "{said}");
        said.trim().to_owned()
    }

    /// Where its configuration and its store are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that it has said since it was started.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("offhook.log")).unwrap_or_default())
            .into_owned()
    }
}

/// Runs a command in a folder to its end; gives its exit code and all that it printed.
pub(crate) fn said_by(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_offhook");
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    (output.status.code(), said)
}

const PATIENCE: Duration = Duration::from_secs(180);
const STEP: Duration = Duration::from_millis(50);
