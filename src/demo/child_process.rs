//! What the demo is made of: programs that run beside it, their folder, and what can go wrong with them.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::seed::Seed;

/// A program that runs beside the demo, in a process group of its own, with its output in a log file.
///
/// Contract: dropping it kills the whole group; so does the death of the demo itself, however it dies.
#[derive(Debug)]
pub struct ChildProcess {
    name: &'static str,
    child: Child,
    group: Option<Pid>,
    log: PathBuf,
}

impl ChildProcess {
    /// Starts `program`. Its output goes to `<name>.log` in `folder`.
    ///
    /// Errors: [`DemoError::Missing`] if there is no such program.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        folder: &Path,
    ) -> Result<Self, DemoError> {
        Self::launch(name, program, arguments, folder, false)
    }

    /// As [`ChildProcess::start`], but its input and output are pipes; only its complaints go to the log.
    ///
    /// Errors: [`DemoError::Missing`] if there is no such program.
    pub fn start_piped(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        folder: &Path,
    ) -> Result<(Self, ChildStdin, ChildStdout), DemoError> {
        let mut part = Self::launch(name, program, arguments, folder, true)?;
        match (part.child.stdin.take(), part.child.stdout.take()) {
            (Some(input), Some(output)) => Ok((part, input, output)),
            _ => unreachable!("both were asked for as pipes"),
        }
    }

    fn launch(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        piped: bool,
    ) -> Result<Self, DemoError> {
        let program = find(program).ok_or_else(|| DemoError::Missing(program.to_path_buf()))?;
        let log = folder.join(format!("{name}.log"));
        let complaints = File::create(&log)?;
        // setpriv has the kernel end the program when the demo is killed without a chance to clean up.
        let mut command = match find(Path::new("setpriv")) {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL"]).arg(&program);
                command
            }
            None => Command::new(&program),
        };
        command
            .args(arguments)
            .current_dir(folder)
            .process_group(0)
            .kill_on_drop(true)
            .env("NO_COLOR", "1");
        if piped {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        } else {
            command.stdin(Stdio::null()).stdout(complaints.try_clone()?);
        }
        let child = command.stderr(complaints).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { name, child, group, log })
    }

    /// How it is called in the log and in messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of the process.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        match self.child.try_wait() {
            Ok(None) => true,
            Ok(Some(_)) | Err(_) => {
                self.kill();
                false
            }
        }
    }

    /// What it said last.
    pub fn last_lines(&self, lines_max: usize) -> String {
        let said = fs::read(&self.log).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&said), lines_max)
    }

    /// Asks it to end.
    pub fn ask_to_end(&self) {
        if let Some(pid) = self.group.filter(|_| self.child.id().is_some()) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Asks it to end, and kills it if it does not. Gives its exit code, if it ended by itself.
    pub async fn stop(&mut self) -> Option<i32> {
        self.ask_to_end();
        let ended = timeout(STOP, self.child.wait()).await;
        self.kill_and_wait().await;
        ended.ok()?.ok()?.code()
    }

    /// Kills it, without a chance to clean up, and waits until it is gone: until then its files are locked.
    pub async fn kill_and_wait(&mut self) {
        self.kill();
        let _ = self.child.wait().await;
    }

    /// Kills it and all it started, without a chance to clean up.
    pub fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder for one run, readable by its owner only, gone when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one below the system's folder for temporary files.
    ///
    /// Errors: what the file system says.
    pub fn make() -> io::Result<Self> {
        let name = format!("offhook-demo-{}", Seed::fresh().token());
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a folder in it.
    ///
    /// Errors: what the file system says.
    pub fn room(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What keeps the demo from going on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A program or module is not installed.
    #[error("{} is missing: run `sh .ci/install demo` as root", .0.display())]
    Missing(PathBuf),
    /// Something that was waited for did not come.
    #[error("waited {} s in vain for {what}", .waited.as_secs())]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
    },
    /// A part ended.
    #[error("{0} ended early; what it said last is shown above")]
    Ended(&'static str),
    /// A part refused what it was asked.
    #[error("{part} refused: {reason}")]
    Refused {
        /// Who refused.
        part: &'static str,
        /// In its own words.
        reason: String,
    },
    /// A file, a socket or a process could not be had.
    #[error("the system refused: {0}; check free space and permissions of the temporary folder")]
    System(#[from] io::Error),
}

/// The end of a text.
pub fn last_lines(text: &str, lines_max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(lines_max)..].join("\n")
}

/// A free TCP and UDP port on loopback, of which the next one is free, too: baresip takes that for TLS.
///
/// Contract: none that the system hands out by itself, and none twice, so that nobody gets it before it is used.
/// Errors:   what the system says when it has none.
pub fn free_port() -> io::Result<u16> {
    static FIRST: LazyLock<u64> = LazyLock::new(|| Seed::fresh().below(PORT_PAIRS));
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    let mut last = io::Error::other("no port is free for both TCP and UDP");
    for _ in 0..PORT_TRIES_MAX {
        let pair = (*FIRST + GIVEN.fetch_add(1, Ordering::Relaxed)) % PORT_PAIRS;
        let port = PORTS_FROM + 2 * u16::try_from(pair).unwrap_or(0);
        let both = |port| {
            let address = (Ipv4Addr::LOCALHOST, port);
            TcpListener::bind(address).and_then(|_| UdpSocket::bind(address))
        };
        match both(port).and_then(|_| both(port + 1)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Waits until `part` takes connections at `address`.
///
/// Errors: [`DemoError::Ended`] or [`DemoError::Late`].
pub async fn listening(
    part: &mut ChildProcess,
    address: SocketAddr,
    wait: Duration,
) -> Result<TcpStream, DemoError> {
    let connected = timeout(wait, async {
        loop {
            if !part.is_running() {
                return Err(DemoError::Ended(part.name()));
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(_) => sleep(STEP).await,
            }
        }
    });
    match connected.await {
        Ok(result) => result,
        Err(_) => Err(DemoError::Late { what: format!("{} to listen", part.name()), waited: wait }),
    }
}

/// Where a program is: itself if it is a path, else looked for as a shell does.
pub fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_path_buf());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

const PORTS_FROM: u16 = 10_000;
/// Up to where RTP begins.
const PORT_PAIRS: u64 = 5000;
const PORT_TRIES_MAX: usize = 50;
const STEP: Duration = Duration::from_millis(50);
/// Offhook has promised to obey SIGTERM in this time.
const STOP: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_the_command_that_installs_it() {
        let folder = Folder::make().unwrap();
        let missing = ChildProcess::start("x", Path::new("no-such-program"), &[], folder.path());
        let sentence = missing.unwrap_err().to_string();
        assert_eq!(sentence, "no-such-program is missing: run `sh .ci/install demo` as root");
    }

    #[tokio::test]
    async fn a_dropped_part_takes_what_it_started_with_it() {
        let folder = Folder::make().unwrap();
        let script = "sleep 60 & echo $!; wait";
        let part =
            ChildProcess::start("sh", Path::new("sh"), &["-c", script], folder.path()).unwrap();
        let id = loop {
            match part.last_lines(1).trim().parse::<u32>() {
                Ok(id) => break id,
                Err(_) => sleep(STEP).await,
            }
        };
        let status = PathBuf::from(format!("/proc/{id}/cmdline"));
        let until = async |sleeps| {
            timeout(STOP, async {
                while fs::read(&status).is_ok_and(|line| line.starts_with(b"sleep")) != sleeps {
                    sleep(STEP).await;
                }
            })
            .await
        };
        until(true).await.unwrap();
        drop(part);
        until(false).await.unwrap();
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(!path.exists());
    }
}
