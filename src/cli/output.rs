//! The one way in which commands write to standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use super::stderr::{Priority, StderrQueue};

static STDERR: OnceLock<StderrQueue> = OnceLock::new();
static STDOUT_FAILED: OnceLock<io::Error> = OnceLock::new();

/// Has standard error written through this queue from here on.
pub(super) fn start(stderr: StderrQueue) {
    let _ = STDERR.set(stderr);
}

/// Writes a line to standard output. After an error the rest is left out, and [`end`] judges the error.
pub(super) fn show(text: impl Display) {
    if STDOUT_FAILED.get().is_none()
        && let Err(error) = io::stdout().write_all(format!("{text}\n").as_bytes())
    {
        let _ = STDOUT_FAILED.set(error);
    }
}

/// Writes to standard error what went wrong.
pub(super) fn complain(text: impl Display) {
    tell(Priority::Error, text);
}

/// Writes to standard error what went well enough, but is worth reading.
pub(super) fn remark(text: impl Display) {
    tell(Priority::Notice, text);
}

fn tell(priority: Priority, text: impl Display) {
    let text = format!("{text}\n");
    match STDERR.get() {
        Some(stderr) => stderr.tell(priority, &text),
        None => drop(io::stderr().write_all(text.as_bytes())),
    }
}

/// The last act of the program: what is left is written. A reader of standard output that has gone away, such as `head`,
/// is no error; a full disk is one. `longest`: how long the reader of standard error may take.
pub(super) fn end(code: ExitCode, longest: Option<Duration>) -> ExitCode {
    let code = match STDOUT_FAILED.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format!("offhook: standard output cannot be written: {error}"));
            ExitCode::FAILURE
        }
        Some(_) | None => code,
    };
    if let Some(stderr) = STDERR.get() {
        stderr.flush(longest);
    }
    code
}
