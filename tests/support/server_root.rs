//! Where the chat servers are installed: in this system, or in the one below `OFFHOOK_SERVER_ROOT` (`.ci/servers`).

#![allow(dead_code)] // Each test starts them in its own way.

use std::env;
use std::path::{Path, PathBuf};

use offhook::demo::child_process::{ChildProcess, DemoError};

/// A path of the servers' system, as this one sees it.
pub(crate) fn outside(path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    match root() {
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
        None => path.to_path_buf(),
    }
}

/// A path of this system, as the servers' system sees it.
pub(crate) fn inside(path: PathBuf) -> PathBuf {
    let below = root().and_then(|root| Some(Path::new("/").join(path.strip_prefix(root).ok()?)));
    below.unwrap_or(path)
}

/// The program and the arguments that run a command of the servers' system in `folder`.
pub(crate) fn command(folder: &Path, command: &[&str]) -> (PathBuf, Vec<String>) {
    let folder = folder.display().to_string();
    let chroot = root().map(|root| root.display().to_string());
    let chroot = chroot.as_ref().map(|root| ["chroot", root, "env", "-C", &folder]);
    let mut words = chroot.iter().flatten().chain(command).map(|word| (*word).to_owned());
    (words.next().unwrap_or_default().into(), words.collect())
}

/// Starts a command of the servers' system in `folder`.
pub(crate) fn start(
    name: &'static str,
    folder: &Path,
    words: &[&str],
) -> Result<ChildProcess, DemoError> {
    let (program, arguments) = command(folder, words);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    ChildProcess::start(name, &program, &arguments, folder)
}

fn root() -> Option<PathBuf> {
    env::var_os("OFFHOOK_SERVER_ROOT").map(PathBuf::from)
}
