//! What must outlive a crash: held messages, planned calls, and stanzas that are owed.

mod call_ins;
mod calls;
mod claims;
pub mod erasure;
mod error;
pub mod explain;
mod history;
mod ledger;
mod messages;
mod people;
mod quota;
mod reader;
mod recordings;
mod replies;
mod second_thoughts;
mod sqlite;
mod subscribers;
mod verifications;
mod words;
mod writer;

pub use call_ins::CallIn;
pub use error::StoreError;
pub use history::RecentCall;
pub use messages::Held;
pub use reader::{CallRecord, HeldMessage, Reader, ReplyRecord, Step, Trace};
pub use recordings::Served;
pub use second_thoughts::Corrected;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::{Notify, mpsc};
use xmpp_parsers::jid::BareJid;

use self::ledger::Ledger;
use self::sqlite::Lock;
use self::subscribers::Acquaintances;
use self::writer::{Errand, Wakes, Writer};
use crate::notification::holding::Happened;
use crate::notification::policy::Policy;
use crate::notification::{
    Answer, Attempt, AttemptId, Claim, Draft, Message, MessageId, Owed, Progress, Recording,
    RecordingId, ReplyId, VoiceAnswer, VoiceFile,
};
use crate::seed::Seed;

/// The durable state: a handle to the one thread that writes it. Cloning gives another handle.
///
/// Contract: when an operation returns `Ok`, what it did is on the disk, whole, and survives a power cut;
///           when it returns an error, it has changed nothing. Operations that wait at the same time become
///           durable together, and the failure of one does not touch the others.
#[derive(Clone, Debug)]
pub struct Store {
    errands: mpsc::Sender<Errand>,
    wakes: Arc<Wakes>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Opens the file for the daemon; creates it, or raises it from an earlier version, as needed.
    ///
    /// Contract: [`Store::recover`] comes before any other operation.
    /// Errors:   all that would make a promise hollow: another daemon, a network file system, damage,
    ///           settings that do not hold, a later version's file.
    pub fn open(path: &Path, policy: Policy) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let conn = Some(sqlite::open(path)?);
        let (errands, inbox) = mpsc::channel(ERRANDS_MAX);
        let wakes = Arc::new(Wakes::default());
        let (path, seed) = (path.to_owned(), Seed::fresh());
        let acquaintances = Acquaintances::default();
        let wakes_too = wakes.clone();
        let writer =
            Writer { path, conn, policy, seed, acquaintances, wakes: wakes_too, _lock: lock };
        let thread = thread::spawn(move || writer.run(inbox));
        Ok(Self { errands, wakes, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Finishes what was asked for and closes the file.
    ///
    /// Contract: returns when the file is closed; as long as there are other handles it returns at once.
    pub async fn close(self) {
        let Self { errands, thread, .. } = self;
        drop(errands);
        let Some(thread) = Arc::into_inner(thread) else { return };
        let thread = thread.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread {
            // The thread ends by itself once its inbox is closed; a panic there has been reported by then.
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
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

    /// Holds a message, with the notification it calls for and the status its sender is owed.
    /// It is asked for at once, so messages are held in the order of these calls, whichever future is polled first.
    ///
    /// A message that repeats a held one is told apart as `duplicate` and changes nothing. Where the call is due at once
    /// and there is `room` for one, it is claimed in the same transaction.
    ///
    /// Errors: [`StoreError::RecipientFull`], [`StoreError::SenderFull`] and [`StoreError::Full`]; the sender then hears of it at once.
    pub fn hold(
        &self,
        draft: Draft,
        now: Timestamp,
        room: usize,
    ) -> impl Future<Output = Result<Held, StoreError>> + use<> {
        let (errand, answer) =
            writer::errand(move |ledger: &mut Ledger<'_>| ledger.hold(draft, whole_ms(now), room));
        let asked = self.errands.try_send(errand);
        async move {
            asked.map_err(|_| StoreError::Full)?;
            answer.await.unwrap_or(Err(StoreError::Closed))
        }
    }

    /// Claims up to `room` calls that are due and allowed at this very moment, their intent durable before the first packet.
    ///
    /// What is due but not allowed now is planned for later, and the senders are owed the new time. Calls whose lease ran out end as interrupted.
    pub async fn claim_due(&self, now: Timestamp, room: usize) -> Result<Vec<Claim>, StoreError> {
        self.ask(move |ledger| ledger.claim_due(whole_ms(now), room)).await
    }

    /// When [`Store::claim_due`] has something to do next.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|ledger| ledger.next_due()).await
    }

    /// The call has come further; the messages it reads have been handled without harm so far.
    pub async fn progress(
        &self,
        attempt: AttemptId,
        progress: Progress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.progress(attempt, progress, whole_ms(now))).await
    }

    /// A message was heard to its end. No later call reads it again.
    ///
    /// Errors: [`StoreError::NotInCall`].
    pub async fn spoken(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.spoken(attempt, message, whole_ms(now))).await
    }

    /// The callee was told of a message but did not listen to it. No later call is about it, and its sender reads that.
    pub async fn passed(&self, message: MessageId, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.happen(message, Happened::Passed, whole_ms(now)).map(drop))
            .await
    }

    /// The callee wants no more calls (9, then 9). It is his own setting from now on, and both sides are told. After `Ok` he may be told so.
    pub async fn stop_calls(&self, attempt: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.stop_calls(attempt, whole_ms(now))).await
    }

    /// The callee's answer to a message, and the reply owed for it, in one transaction. After `Ok` he may be thanked.
    ///
    /// Contract: the first answer to a message counts; asking again is harmless.
    /// Errors:   [`StoreError::NotInCall`].
    pub async fn commit_answer(
        &self,
        attempt: AttemptId,
        answer: Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.commit_answer(attempt, answer, whole_ms(now))).await
    }

    /// The messages that arrived during the call; they are part of it from now on.
    pub async fn joined(
        &self,
        attempt: AttemptId,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        self.ask(move |ledger| ledger.joined(attempt, whole_ms(now))).await
    }

    /// The call is over. Settling twice is harmless.
    pub async fn settle(
        &self,
        id: AttemptId,
        attempt: Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.settle(id, &attempt, whole_ms(now))).await
    }

    /// The person is online: what is held for him becomes owed in order of arrival, and no call is needed any more.
    /// Tells how many messages that were.
    ///
    /// A call that rings goes on until the dialer cancels it.
    pub async fn came_online(&self, jid: &BareJid, now: Timestamp) -> Result<usize, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.came_online(&jid, whole_ms(now))).await
    }

    /// Up to `limit` stanzas that are owed, for each message in the order in which they became so. A status that is not
    /// true any more is worded anew at its place.
    ///
    /// Contract: they are given again until they are marked as sent, with the same `id`s.
    pub async fn owed(&self, limit: usize) -> Result<Vec<Owed>, StoreError> {
        self.ask(move |ledger| ledger.owed(limit)).await
    }

    /// The stanza of this `id` came back and must go another way.
    pub async fn owe_again(&self, stanza_id: String) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.owe_again(&stanza_id)).await
    }

    /// The server has these.
    pub async fn mark_sent(&self, replies: &[ReplyId], now: Timestamp) -> Result<(), StoreError> {
        let replies = replies.to_vec();
        self.ask(move |ledger| ledger.mark_sent(&replies, whole_ms(now))).await
    }

    /// Keeps what the callee said, before he has said whether it is to be sent. A crash from here on sends it.
    ///
    /// Errors: [`StoreError::NotInCall`].
    pub async fn keep_voice(
        &self,
        attempt: AttemptId,
        answer: VoiceAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.keep_voice(attempt, &answer, whole_ms(now))).await
    }

    /// What was kept under this name is the callee's answer. After `Ok` he may be thanked; it is passed on when it can be.
    pub async fn send_voice(&self, name: String, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.send_voice(&name, whole_ms(now))).await
    }

    /// What was kept under this name is not to be sent.
    pub async fn drop_voice(&self, name: String) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.drop_voice(&name)).await
    }

    /// Removes everything stored about a person; tells whether it could, which it cannot while a call with him is on the line.
    ///
    /// Contract: afterwards nothing of it is in the file or beside it, either.
    pub async fn erase(&self, jid: &BareJid, now: Timestamp) -> Result<bool, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.erase(&jid, whole_ms(now))).await
    }

    /// Does what [`erasure::ask_to_erase`] has asked for.
    pub async fn erase_as_asked(&self, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.erase_as_asked(whole_ms(now))).await
    }

    /// Fires after a commit that brought a voice answer.
    pub fn voice(&self) -> &Notify {
        &self.wakes.voice
    }

    /// The voice answer that is to be passed on next, if one is due.
    pub async fn next_recording(&self, now: Timestamp) -> Result<Option<Recording>, StoreError> {
        self.ask(move |ledger| ledger.next_recording(whole_ms(now))).await
    }

    /// When [`Store::next_recording`] has something next.
    pub async fn next_recording_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|ledger| ledger.next_recording_due()).await
    }

    /// A voice answer could not be passed on; it is due `again` later. The sender learns once that it takes long, or
    /// that there is `no_way`.
    pub async fn recording_failed(
        &self,
        id: RecordingId,
        no_way: bool,
        again: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.recording_failed(id, no_way, whole_ms(again), whole_ms(now)))
            .await
    }

    /// A voice answer can be downloaded; what its sender is to read about that is owed.
    ///
    /// `served` is the file, if it is served from here; else the recording is erased now, unless it is to be kept for a transcript.
    pub async fn recording_sent(
        &self,
        id: RecordingId,
        file: VoiceFile,
        served: Option<Vec<u8>>,
        keep: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| {
            ledger.recording_sent(id, &file, served.as_deref(), keep, whole_ms(now))
        })
        .await
    }

    /// What was understood of a voice answer that was sent, if anything was. Its sound is erased unless it is `served` from here.
    pub async fn transcribed(
        &self,
        id: RecordingId,
        text: Option<String>,
        served: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.transcribed(id, text.as_deref(), served, whole_ms(now))).await
    }

    /// The file with this unguessable name, while it is served from here.
    pub async fn served(&self, name: String) -> Result<Option<Served>, StoreError> {
        self.ask(move |ledger| ledger.served(&name)).await
    }

    /// It is known now whether a program has sent this message. Gives the call to make at once, if there is one.
    pub async fn identified(
        &self,
        message: MessageId,
        is_program: bool,
        now: Timestamp,
        room: usize,
    ) -> Result<Option<Claim>, StoreError> {
        self.ask(move |ledger| ledger.identified(message, is_program, whole_ms(now), room)).await
    }

    /// Takes over new rules, and plans anew what waits.
    pub async fn adopt(&self, policy: Policy, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| {
            let suspended = ledger.policy.suspended;
            *ledger.policy = Policy { suspended, ..policy };
            ledger.replan(whole_ms(now))
        })
        .await
    }

    /// Finds the calls that a crash broke off and plans the next ones; a message whose handling
    /// crashed the program twice is set aside. Tells how many calls there were.
    pub async fn recover(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.ask(move |ledger| ledger.recover(whole_ms(now))).await
    }

    /// Ends what has been held for `dial.keep_h` and erases what has served. Tells how much it found;
    /// while that is not 0 there may be more.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.ask(move |ledger| ledger.expire(whole_ms(now))).await
    }

    /// Has the writer thread do `work` and answers once that is durable.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (errand, answer) = writer::errand(work);
        self.errands.send(errand).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// The tables hold milliseconds; what is compared with them must be as coarse.
fn whole_ms(now: Timestamp) -> Timestamp {
    now.round(TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Floor))
        .unwrap_or(now)
}

/// How many operations may wait; who comes later waits for a place.
const ERRANDS_MAX: usize = 1024;
