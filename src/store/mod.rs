//! The durable state: what each operation promises.
//!
//! Every operation that changes a notification loads its row, applies one event, and saves the row under its
//! version together with what is owed, in one transaction. An operation returns only after the commit.

mod calling;
mod holding;
mod open;
mod people;
mod reader;
mod replies;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use xmpp_parsers::jid::BareJid;

pub use reader::{CallRow, HeldRow, Reader, TraceLine};

use crate::notification::policy::Policy;
use crate::notification::{
    Answer, Attempt, AttemptId, Claim, Draft, Message, MessageId, Owed, Progress, ReplyId,
};
use crate::seed::Seed;
use crate::subscriber::{Subscriber, WhenOffline};
use writer::Writer;

/// A handle to the store; clones share one writer thread and one file.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Writer,
    rules: Arc<Mutex<Rulebook>>,
}

/// What the operations judge by besides the rows.
#[derive(Debug)]
struct Rulebook {
    policy: Arc<Policy>,
    seed: Seed,
}

/// What became of a message that was to be held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its name.
    pub message: MessageId,
    /// It was held already; nothing has changed.
    pub duplicate: bool,
    /// The call for it, claimed in the same commit.
    pub claim: Option<Claim>,
}

impl Store {
    /// Opens the file for the daemon, makes or migrates it, and starts the writer thread.
    ///
    /// Errors: another process has it open as daemon, a newer schema, a network file system, settings that the file refuses.
    pub fn open(path: &Path, policy: Policy, seed: Seed) -> Result<Self, StoreError> {
        let writer = Writer::start(open::for_writing(path)?)?;
        Ok(Self {
            writer,
            rules: Arc::new(Mutex::new(Rulebook { policy: Arc::new(policy), seed })),
        })
    }

    /// Judges by other rules from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).policy = Arc::new(policy);
    }

    /// Holds a message and what it means for its recipient's notification.
    ///
    /// With `room` for a call, a notification that is due at once is claimed in the same transaction.
    /// The work is queued before the first poll, so that messages are held in the order of the calls.
    pub fn hold(
        &self,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> impl Future<Output = Result<Held, StoreError>> + use<> {
        let (policy, mut seed) = self.rules();
        self.writer.write(move |tx| holding::hold(tx, draft, now, room, &policy, &mut seed))
    }

    /// Claims up to `room` notifications that are due, each with its intent to call. Those that may not ring now are put off.
    pub async fn claim_due(&self, now: Timestamp, room: usize) -> Result<Vec<Claim>, StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer.write(move |tx| calling::claim_due(tx, now, room, &policy, &mut seed)).await
    }

    /// When the next notification is due, or the next claim runs out.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.writer.write(calling::next_due).await
    }

    /// The call rings, or was answered: the sender is told, and its messages have survived their handling.
    pub async fn progress(
        &self,
        attempt: AttemptId,
        progress: Progress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer
            .write(move |tx| calling::progress(tx, attempt, progress, now, &policy, &mut seed))
            .await
    }

    /// A message was spoken to its end: no later call repeats it, and its sender is told.
    pub async fn spoken(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (_, mut seed) = self.rules();
        self.writer.write(move |tx| calling::spoken(tx, attempt, message, now, &mut seed)).await
    }

    /// The callee was told of a message but did not listen to it: it is not told by phone again, and its sender reads that.
    pub async fn passed(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (_, mut seed) = self.rules();
        self.writer.write(move |tx| calling::passed(tx, attempt, message, now, &mut seed)).await
    }

    /// The callee wants no more calls (9, then 9): it is their own setting from now on, and both sides are told.
    pub async fn stop_calls(&self, attempt: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer.write(move |tx| calling::stop_calls(tx, attempt, now, &policy, &mut seed)).await
    }

    /// The callee's choice and the reply that is owed for it. A second choice for the same message changes nothing.
    pub async fn commit_answer(
        &self,
        attempt: AttemptId,
        answer: Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (_, mut seed) = self.rules();
        self.writer
            .write(move |tx| calling::commit_answer(tx, attempt, &answer, now, &mut seed))
            .await
    }

    /// Messages that arrived since the call began; they are part of it from now on.
    pub async fn joined(&self, attempt: AttemptId) -> Result<Vec<Message>, StoreError> {
        self.writer.write(move |tx| calling::joined(tx, attempt)).await
    }

    /// The call is over. Settling twice changes nothing.
    pub async fn settle(
        &self,
        id: AttemptId,
        attempt: Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer
            .write(move |tx| calling::settle(tx, id, &attempt, now, &policy, &mut seed))
            .await
    }

    /// The recipient can read chat again: their held messages become owed deliveries, in order, once. Tells how many.
    pub async fn came_online(
        &self,
        recipient: &BareJid,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (policy, mut seed) = self.rules();
        let recipient = recipient.clone();
        self.writer
            .write(move |tx| holding::came_online(tx, &recipient, now, &policy, &mut seed))
            .await
    }

    /// What is owed and not known to have arrived, oldest first.
    pub async fn owed(&self, limit: usize) -> Result<Vec<Owed>, StoreError> {
        let (policy, _) = self.rules();
        self.writer.write(move |tx| replies::owed(tx, limit, &policy)).await
    }

    /// These have arrived at the server.
    pub async fn mark_sent(&self, ids: &[ReplyId], now: Timestamp) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.writer.write(move |tx| replies::mark_sent(tx, &ids, now)).await
    }

    /// One person's settings.
    pub async fn subscriber(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        let jid = jid.clone();
        self.writer.write(move |tx| people::find(tx.db, &jid)).await
    }

    /// Everyone who is known, by JID.
    pub async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        self.writer.write(|tx| people::all(tx.db)).await
    }

    /// Takes over the people of `component.toml`. What a person has chosen for themselves stays.
    pub async fn configure_subscribers(&self, people: Vec<Subscriber>) -> Result<(), StoreError> {
        self.writer.write(move |tx| people::configure(tx.db, &people)).await
    }

    /// The person's own choice of `phone` or `store`.
    pub async fn switch(
        &self,
        jid: &BareJid,
        offline: WhenOffline,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (policy, mut seed) = self.rules();
        let jid = jid.clone();
        self.writer
            .write(move |tx| holding::switch(tx, &jid, offline, now, &policy, &mut seed))
            .await
    }

    /// At start: calls that a crash cut off are interrupted ones, and a message whose handling has crashed the program twice is set aside.
    pub async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer.write(move |tx| calling::recover(tx, now, &policy, &mut seed)).await
    }

    /// Lets go of messages older than `dial.keep_h`. Tells how many.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (policy, mut seed) = self.rules();
        self.writer.write(move |tx| holding::expire(tx, now, &policy, &mut seed)).await
    }

    /// Returns when something may have become due. Wake-ups carry no data and may be lost.
    pub async fn due(&self) {
        self.writer.due.notified().await;
    }

    /// Returns when something may have become owed.
    pub async fn outbox(&self) {
        self.writer.outbox.notified().await;
    }

    fn rules(&self) -> (Arc<Policy>, Seed) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        (rules.policy.clone(), rules.seed.split())
    }
}

/// What a start found from before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Calls that were cut off.
    pub interrupted: usize,
    /// Messages that were set aside.
    pub set_aside: usize,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("store.path {path}: {why}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What to change.
        why: String,
    },
    /// SQLite refuses.
    #[error("the store refuses: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The commit failed, so nothing of it happened.
    #[error("the store could not commit; is the disk full or broken?")]
    NotCommitted,
    /// Too much work waits.
    #[error("the store is busier than it can bear; try again")]
    Busy,
    /// The recipient or the sender has as many held messages as are kept.
    #[error("as many messages are held for this person as may be")]
    Full,
    /// A row holds what no version of Offhook writes.
    #[error("the store holds an unreadable {0}; restore a backup")]
    Damaged(&'static str),
    /// The writer thread could not be started.
    #[error("the store's thread did not start: {0}")]
    Thread(std::io::Error),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotCommitted | Self::Busy | Self::Full => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                        | rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::SystemIoFailure
                )
            ),
            Self::Unusable { .. } | Self::Damaged(_) | Self::Thread(_) => false,
        }
    }
}
