//! What must outlive a crash: held messages, planned calls, and stanzas that are owed.
//!
//! Each file holds one group of operations: what the program asks of the [`Store`], and the SQL that does it.

mod alerts;
mod audit;
mod audited_settings;
pub mod backup;
mod call_ins;
mod calls;
mod claims;
mod clock_steps;
mod columns;
mod commit_number;
mod consents;
mod corrections;
mod counted_time;
mod crash_blame;
mod damage;
mod day_limits;
mod deliveries;
mod dialogs;
pub mod erasure;
mod error;
mod expiry;
pub mod explain;
pub mod export;
mod history;
mod hold;
mod jobs;
mod may_ring;
pub mod memory;
mod messages;
mod quota;
mod reader;
mod recordings;
mod replan;
mod replies;
pub mod restore;
mod returned;
pub mod rings;
mod sqlite;
mod subscriber_cache;
mod subscribers;
#[cfg(test)]
mod test_tables;
pub mod totals;
mod transaction;
mod verifications;
mod writer;
mod wrong_pins;

pub use audit::AuditAction;
pub use call_ins::{CallIn, CallerTrust};
pub use corrections::{Corrected, Retracted};
pub use deliveries::Delivering;
pub use dialogs::KeptDialog;
pub use error::StoreError;
pub use expiry::{Expired, ExpiryStep};
pub use history::RecentCall;
pub use hold::Held;
pub(crate) use hold::log_kept;
pub use jobs::{JobDone, JobId, JobResult, LiveCalls, StoreJob};
pub use reader::{
    AuditRecord, CallRecord, HeldMessage, Reader, ReplyRecord, RingRecord, Step, Trace,
};
pub use recordings::{NotPassedOn, Served, Sound};
pub use replies::{OwedRoom, OwedStanzas};
pub use returned::AfterReturn;
pub use wrong_pins::PinWay;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;
use tracing::warn;

use self::counted_time::CountedTime;
use self::sqlite::{Checked, IntegrityCheck, Lock, OpenedFile};
use self::subscriber_cache::SubscriberCache;
use self::transaction::Transaction;
use self::writer::{Request, Wakes, Writer};
use crate::clock::Moment;
use crate::notification::policy::Policy;
use crate::seed::Seed;

/// The durable state: a handle to the one thread that writes it. Cloning gives another handle.
///
/// Contract: when an operation returns `Ok`, what it did is on the disk, whole, and survives a power cut;
///           when it returns an error, it has changed nothing. Operations that wait at the same time become
///           durable together, and the failure of one does not touch the others.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Request>,
    wakes: Arc<Wakes>,
    /// Closed when the writer thread has ended, however it did.
    ended: watch::Receiver<()>,
    damage: watch::Receiver<Option<StoreError>>,
}

impl Store {
    /// Opens the file for the daemon; creates it, or raises it from an earlier version, as needed.
    ///
    /// Contract: [`Store::recover`] comes before any other operation.
    /// Errors:   all that would make a promise hollow: another daemon, a network file system, damage,
    ///           settings that do not hold, a later version's file.
    pub fn open(path: &Path, policy: Policy) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        // Looking through a large file takes seconds, in which the server would send its messages back. After an end
        // without a goodbye it is done all the same.
        let checked = if sqlite::is_closed(path) { Checked::Later } else { Checked::First };
        let (file, conn) = OpenedFile::open(path, checked)?;
        let (damaged, damage) = watch::channel(None);
        let check = match checked {
            Checked::First => None,
            Checked::Later => Some(IntegrityCheck::begin(path, damaged)?),
        };
        let (jobs, inbox) = mpsc::channel(JOBS_MAX);
        let wakes = Arc::new(Wakes::default());
        let subscriber_cache = SubscriberCache::default();
        let writer = Writer {
            file: Some(file),
            conn: Some(conn),
            policy,
            seed: Seed::fresh(),
            subscriber_cache,
            time: CountedTime::default(),
            wakes: wakes.clone(),
            check,
            _lock: Some(lock),
        };
        let (alive, ended) = watch::channel(());
        thread::spawn(move || {
            let _alive = alive;
            writer.run(inbox);
        });
        Ok(Self { jobs, wakes, ended, damage })
    }

    /// Finishes what was asked for and closes the file. Operations of other handles are refused from then on.
    ///
    /// Contract: returns when the file is closed and holds everything by itself, without a write-ahead log; after five
    ///           seconds in any case.
    pub async fn close(self) {
        let closed = async {
            // A writer that is gone has closed the file.
            let _ = self.jobs.send(Request::Close).await;
            self.ended().await;
        };
        if timeout(CLOSE_MAX, closed).await.is_err() {
            warn!("store not closed in time; the next start takes over its write-ahead log");
        }
    }

    /// Whether a running Offhook, or a command that changes the file, has it open. Changes nothing.
    ///
    /// Errors: the lock beside the file cannot be read.
    pub fn is_in_use(path: &Path) -> Result<bool, StoreError> {
        Lock::is_taken(path)
    }

    /// Returns when the writer thread has ended: nothing is stored any more.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// Returns when the file was found damaged while it was open.
    pub async fn damaged(&self) -> StoreError {
        let mut damage = self.damage.clone();
        loop {
            if let Some(error) = damage.borrow_and_update().clone() {
                return error;
            }
            if damage.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Fires after a commit that changed when the next call is due.
    pub fn due(&self) -> &Notify {
        &self.wakes.due
    }

    /// Fires after a commit by which a stanza became owed.
    pub fn outbox(&self) -> &Notify {
        &self.wakes.outbox
    }

    /// Fires after a commit that brought a voice answer.
    pub fn voice(&self) -> &Notify {
        &self.wakes.voice
    }

    /// Fires after a commit by which all that waits is to be planned anew: see [`Store::replan`].
    pub fn replan_wanted(&self) -> &Notify {
        &self.wakes.replan
    }

    /// As [`Store::ask`] for work that is told its time.
    async fn ask_at<T: Send + 'static>(
        &self,
        now: impl Into<Moment>,
        work: impl FnOnce(&mut Transaction<'_>, Timestamp) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let now = now.into();
        let work = move |transaction: &mut Transaction<'_>| {
            let now = transaction.at(now);
            work(transaction, now)
        };
        self.ask(work).await
    }

    /// Has the writer thread do `work` and answers once that is durable.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = writer::job(work);
        self.jobs.send(job.into()).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// The tables hold milliseconds; what is compared with them must be as coarse.
fn whole_ms(now: Timestamp) -> Timestamp {
    now.round(TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Floor))
        .unwrap_or(now)
}

/// A stop as a whole may take ten seconds.
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// How many operations may wait; who comes later waits for a place.
const JOBS_MAX: usize = 1024;
