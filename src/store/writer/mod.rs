//! The one thread that writes: it takes what waits as one group and answers when the group is durable.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{error, warn};

use super::StoreError;
use super::commit_number::CommitNumber;
use super::counted_time::CountedTime;
use super::sqlite::{self, IntegrityCheck, Lock, OpenedFile};
use super::subscriber_cache::SubscriberCache;
use super::transaction::Transaction;
use crate::clock::now;
use crate::notification::policy::Policy;
use crate::seed::Seed;

/// One operation. It does its work in the tables it is lent, or learns that there are none, and leaves
/// behind who is to be told once the group's fate is known.
pub(super) type Job =
    Box<dyn FnOnce(Result<&mut Transaction<'_>, StoreError>) -> Completion + Send>;

/// Tells the waiter; an error here means that the group did not become durable.
pub(super) type Completion = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What the writer is sent.
pub(super) enum Request {
    /// Do this with the next group.
    Job(Job),
    /// Finish what was asked for before, and close the file.
    Close,
}

impl From<Job> for Request {
    fn from(job: Job) -> Self {
        Self::Job(job)
    }
}

impl Request {
    /// Tells the waiter that nothing was done.
    pub(super) fn refuse(self, error: StoreError) {
        match self {
            Self::Job(job) => job(Err(error))(Ok(())),
            Self::Close => {}
        }
    }
}

/// Wake-ups that fire after a commit. They carry nothing and may be spurious.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    pub(super) due: Notify,
    pub(super) outbox: Notify,
    pub(super) voice: Notify,
    pub(super) replan: Notify,
}

/// Makes an job of `work`, and the place where its result arrives once that is durable.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |transaction| {
        let result = transaction.and_then(|transaction| transaction.within(work));
        // A caller that no longer waits changes nothing of what was done.
        Box::new(move |fate| drop(reply.send(fate.and(result))))
    });
    (job, answer)
}

/// The thread's own.
pub(super) struct Writer {
    /// A store in memory has none.
    pub(super) file: Option<OpenedFile>,
    pub(super) conn: Option<Connection>,
    pub(super) policy: Policy,
    pub(super) seed: Seed,
    pub(super) subscriber_cache: SubscriberCache,
    pub(super) time: CountedTime,
    pub(super) wakes: Arc<Wakes>,
    /// Of the whole file, where it was not done before.
    pub(super) check: Option<IntegrityCheck>,
    /// Outlives the connection, so that nobody else opens the file before it is closed; a store in memory has none.
    pub(super) _lock: Option<Lock>,
}

impl Writer {
    /// Works until it is told to close, or every handle is gone, and all they asked for is done.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Request>) {
        let mut pacing = GroupPacing::default();
        while let Some(Request::Job(first)) = jobs.blocking_recv() {
            let mut group = vec![first];
            let mut closes = gather(&mut jobs, &mut group, GROUP_MAX);
            while !closes && let Some(pause) = pacing.pause(group.len(), now()) {
                thread::sleep(pause);
                let before = group.len();
                closes = gather(&mut jobs, &mut group, GROUP_MAX);
                if group.len() == before {
                    break;
                }
            }
            pacing.begun(group.len(), now());
            self.commit(group);
            if closes {
                break;
            }
        }
        drop(self.check.take());
        if let Some(conn) = self.conn.take() {
            // SQLite removes the log when the last connection goes, but not while somebody else reads the file.
            drop(conn.query_row(CHECKPOINT, [], |_| Ok(())));
        }
    }

    /// Does at most `group` of the jobs that wait, in one transaction, and tells how many there were.
    pub(super) fn step(&mut self, jobs: &mut mpsc::Receiver<Request>, group: usize) -> usize {
        let mut gathered = vec![];
        gather(jobs, &mut gathered, group);
        let count = gathered.len();
        if count > 0 {
            self.commit(gathered);
        }
        count
    }

    fn commit(&mut self, group: Vec<Job>) {
        let conn = match self.conn.take().map_or_else(|| self.reopen(), Ok) {
            Ok(conn) => conn,
            Err(error) => {
                warn!(%error, "store not reopened");
                group.into_iter().for_each(|job| job(Err(error.clone()))(Ok(())));
                return;
            }
        };
        let time = self.time;
        let mut group = self.work(&conn, group);
        if group.fate.is_err() {
            self.subscriber_cache.forget();
        }
        match &group.fate {
            Err(error) if error.spoils_connection() => {
                error!(%error, "store failed; it will be opened and checked anew");
                drop(conn);
                if let Some(number) = group.number {
                    group.fate = self.look_up(number, error.clone());
                }
            }
            Ok(()) if group.wipes => {
                // It reads, so that the log could not be emptied.
                drop(self.check.take());
                wipe(&conn);
                self.conn = Some(conn);
            }
            _ => self.conn = Some(conn),
        }
        if group.fate.is_err() {
            self.time = time;
        }
        group.tell(&self.wakes);
    }

    /// Runs a group in one transaction. Nobody is answered yet.
    fn work(&mut self, conn: &Connection, group: Vec<Job>) -> Group {
        let mut jobs = group.into_iter();
        let mut group = Group::default();
        let before = conn.total_changes();
        if let Err(error) = run(conn, "BEGIN IMMEDIATE") {
            group.fate = Err(error.into());
            group.left = jobs.collect();
            return group;
        }
        let mut transaction = Transaction::new(
            conn,
            &mut self.policy,
            &mut self.seed,
            &self.subscriber_cache,
            &mut self.time,
        );
        for job in jobs.by_ref() {
            group.completions.push(job(Ok(&mut transaction)));
            // A full disk and some failures make SQLite give up the whole transaction, and with it what came before.
            if conn.is_autocommit() {
                break;
            }
        }
        group.left = jobs.collect();
        group.wipes = transaction.wipes;
        (group.due, group.outbox) = (transaction.wake_due, transaction.wake_outbox);
        (group.voice, group.replan) = (transaction.wake_voice, transaction.wake_replan);
        let changes = conn.total_changes() - before > transaction.temporary.get();
        group.fate = if conn.is_autocommit() {
            Err(transaction.broken_by.take().unwrap_or(StoreError::Full))
        } else {
            self.end(conn, changes, &mut group.number)
        };
        if group.fate.is_err() && !conn.is_autocommit() {
            // Nobody has been told yes. If even this fails the connection is given up.
            drop(conn.execute_batch("ROLLBACK"));
        }
        group
    }

    /// Commits. After an error that spoils the connection the commit of `number` may have landed all the same; after any
    /// other it has not, since a full disk refuses the last frame and not only its sync.
    fn end(
        &mut self,
        conn: &Connection,
        changes: bool,
        number: &mut Option<CommitNumber>,
    ) -> Result<(), StoreError> {
        if changes {
            if let Some(file) = &mut self.file {
                file.check()?;
            }
            *number = Some(CommitNumber::raise(conn, self.time.seen())?);
        }
        Ok(run(conn, "COMMIT")?)
    }

    /// Finds out on which side a failed `COMMIT` has landed, however long the disk fails: an answer before that might be
    /// untrue.
    fn look_up(&mut self, number: CommitNumber, error: StoreError) -> Result<(), StoreError> {
        let mut reported = false;
        loop {
            let looked = self.reopen().and_then(|conn| Ok((number.has_landed(&conn)?, conn)));
            match looked {
                Ok((landed, conn)) => {
                    self.conn = Some(conn);
                    return if landed { Ok(()) } else { Err(error) };
                }
                Err(again) => {
                    if !reported {
                        error!(error = %again, "it is unknown whether the last messages are stored; all wait until the store can be read");
                    }
                    reported = true;
                    thread::sleep(LOOKS_EVERY);
                }
            }
        }
    }

    fn reopen(&mut self) -> Result<Connection, StoreError> {
        self.file.as_mut().map_or_else(sqlite::open_in_memory, OpenedFile::reopen)
    }
}

/// A group that was worked through, and whom its fate concerns.
struct Group {
    fate: Result<(), StoreError>,
    completions: Vec<Completion>,
    /// Those that stood behind a failure and were not begun.
    left: Vec<Job>,
    /// Its commit's, where it changes the file.
    number: Option<CommitNumber>,
    wipes: bool,
    due: bool,
    outbox: bool,
    voice: bool,
    replan: bool,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            fate: Ok(()),
            completions: vec![],
            left: vec![],
            number: None,
            wipes: false,
            due: false,
            outbox: false,
            voice: false,
            replan: false,
        }
    }
}

impl Group {
    /// Tells each waiter what became of the group.
    fn tell(self, wakes: &Wakes) {
        let Self { fate, completions, left, due, outbox, voice, replan, .. } = self;
        completions.into_iter().for_each(|completion| completion(fate.clone()));
        match fate {
            Err(error) => left.into_iter().for_each(|job| job(Err(error.clone()))(Ok(()))),
            Ok(()) => {
                let fired = [
                    (due, &wakes.due),
                    (outbox, &wakes.outbox),
                    (voice, &wakes.voice),
                    (replan, &wakes.replan),
                ];
                fired.into_iter().filter(|(fires, _)| *fires).for_each(|(_, it)| it.notify_one());
            }
        }
    }
}

/// Takes what waits. Tells whether the writer is to close after it.
fn gather(jobs: &mut mpsc::Receiver<Request>, group: &mut Vec<Job>, max: usize) -> bool {
    while group.len() < max {
        match jobs.try_recv() {
            Ok(Request::Job(next)) => group.push(next),
            Ok(Request::Close) => return true,
            Err(_) => break,
        }
    }
    false
}

/// When the next group begins. Under load it waits while more operations come, since a commit costs much the same for
/// one and for twenty. Operations that come alone, one after the other, do not wait.
#[derive(Debug, Default)]
struct GroupPacing {
    last: Option<(Instant, usize)>,
}

impl GroupPacing {
    fn begun(&mut self, operations: usize, now: Instant) {
        self.last = Some((now, operations));
    }

    fn pause(&self, operations: usize, now: Instant) -> Option<Duration> {
        let (begun, before) = self.last?;
        let gathers = before >= LOAD_MIN && operations < ENOUGH;
        let left = (begun + GATHERING).checked_duration_since(now).filter(|_| gathers)?;
        Some(left.min(GRAIN))
    }
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}

/// Has what was overwritten in the tables leave the write-ahead log, too.
fn wipe(conn: &Connection) {
    let busy = conn.query_row(CHECKPOINT, [], |row| row.get::<_, bool>(0));
    if !matches!(busy, Ok(false)) {
        // The next one does it as well.
        warn!("what was erased stays in the write-ahead log for a while: somebody is reading it");
    }
}

/// Brings what is in the write-ahead log into the file and empties the log.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// How soon a store that fails is looked at again.
const LOOKS_EVERY: Duration = Duration::from_millis(250);
const GROUP_MAX: usize = 128;
/// From the beginning of one group to that of the next, under load.
const GATHERING: Duration = Duration::from_millis(20);
/// Without another operation within so long, the group begins.
const GRAIN: Duration = Duration::from_millis(5);
/// So many operations in a group are load.
const LOAD_MIN: usize = 2;
/// So many wait for no further ones.
const ENOUGH: usize = 32;

#[cfg(test)]
mod tests;
