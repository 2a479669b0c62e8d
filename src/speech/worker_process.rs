//! One speech worker as the program sees it: started, asked, and given up when it dies or takes too long.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::speech::wire::{HEAD_BYTES, SynthesisRequest, WorkerResponse};
use crate::speech::{SpeechError, SpeechSettings, worker};

/// The worker is gone, and the answer with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub(super) enum Lost { Died, TooSlow }

/// One worker process. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) process: Child,
    orders: ChildStdin,
    answers: ChildStdout,
    pub(super) orders_left: u32,
    pub(super) landlock: bool,
    pub(super) hibari: bool,
}

impl Worker {
    pub(super) async fn start(
        settings: &SpeechSettings,
        purpose: &str,
    ) -> Result<Self, SpeechError> {
        // Not by its name: after an upgrade the name belongs to another version.
        let program = settings
            .program
            .as_deref()
            .map_or(OsStr::new("/proc/self/exe"), |program| program.as_os_str());
        let mut process = Command::new(program)
            .arg0("offhook")
            .arg(worker::ARGUMENT)
            .arg(purpose)
            .arg(settings.data.as_deref().map_or(OsStr::new(""), |folder| folder.as_os_str()))
            .args(settings.hibari())
            .env_clear()
            // The network that speaks has one thread; what else would start some is not allowed to.
            .env("RTEN_NUM_THREADS", "1")
            .process_group(0) // Ctrl-C ends the program in its own order, not its workers first.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(SpeechError::NotStarted)?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked to be pipes")
        };
        let mut worker = Self {
            process,
            orders,
            answers,
            orders_left: ORDERS_MAX,
            landlock: false,
            hibari: false,
        };
        let first = timeout(START_MAX, worker.answer())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(SpeechError::NotStarted)?;
        match first {
            WorkerResponse::Ready { landlock, hibari } => Ok(Self { landlock, hibari, ..worker }),
            WorkerResponse::NoData => Err(SpeechError::NoData),
            WorkerResponse::NoSandbox => Err(SpeechError::NoSandbox),
            _ => Err(SpeechError::NotStarted(io::ErrorKind::InvalidData.into())),
        }
    }

    /// After an error the worker is of no use: its answers no longer belong to the orders.
    pub(super) async fn ask(
        &mut self,
        order: &SynthesisRequest,
        patience: Duration,
    ) -> Result<WorkerResponse, Lost> {
        self.orders_left = self.orders_left.saturating_sub(1);
        let hurry = out_of_patience(self.process.id(), patience);
        let exchange = async {
            self.orders.write_all(&order.to_bytes()).await?;
            self.answer().await
        };
        let answered = tokio::select! {
            answered = exchange => Some(answered),
            () = hurry => None,
        };
        match answered {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => {
                // The status tells a crash from a call that the sandbox forbids (SIGSYS).
                let status = timeout(REAP_MAX, self.process.wait()).await;
                warn!(%error, ?status, "speech worker died");
                Err(Lost::Died)
            }
            None => {
                warn!(?patience, "speech worker took too long");
                Err(Lost::TooSlow)
            }
        }
    }

    async fn answer(&mut self) -> io::Result<WorkerResponse> {
        let mut head = [0; HEAD_BYTES];
        self.answers.read_exact(&mut head).await?;
        let (tag, len) = WorkerResponse::head(head).ok_or(io::ErrorKind::InvalidData)?;
        let mut content = vec![0; len];
        self.answers.read_exact(&mut content).await?;
        WorkerResponse::parse(tag, content).ok_or(io::ErrorKind::InvalidData.into())
    }
}

/// Ends when a worker has used this much of a processor from now on, or [`STARVED_MAX`] times as much time has passed.
///
/// A worker that gets little of a busy machine is slow and sound: replaced, it would only have to begin anew.
async fn out_of_patience(process: Option<u32>, patience: Duration) {
    let used = || process.and_then(processor_time);
    let begun = used();
    let look = patience / LOOKS;
    for _ in 0..LOOKS * STARVED_MAX {
        sleep(look).await;
        if let (Some(begun), Some(used)) = (begun, used())
            && used.saturating_sub(begun) >= patience
        {
            return;
        }
    }
}

/// User and system time of a process.
///
/// Source: proc_pid_stat(5): fields 14 and 15, in hundredths of a second.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

/// Orders after which a worker is replaced, so that what it leaks and its processor time stay small.
const ORDERS_MAX: u32 = 200;
/// How often the processor time of a worker is looked at while its patience lasts.
const LOOKS: u32 = 10;
/// A worker may get this small a part of a processor, and no smaller.
const STARVED_MAX: u32 = 10;
const REAP_MAX: Duration = Duration::from_millis(100);
/// How long a worker may take to be ready.
pub(super) const START_MAX: Duration = Duration::from_secs(10);
