//! The one thread that writes: it takes what waits as one group and answers when the group is durable.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{error, warn};

use super::StoreError;
use super::ledger::Ledger;
use super::sqlite::{self, Lock};
use super::subscribers::Acquaintances;
use crate::clock::now;
use crate::notification::policy::Policy;
use crate::seed::Seed;

/// One operation. It does its work in the tables it is lent, or learns that there are none, and leaves
/// behind who is to be told once the group's fate is known.
pub(super) type Errand = Box<dyn FnOnce(Result<&mut Ledger<'_>, StoreError>) -> Verdict + Send>;

/// Tells the waiter; an error here means that the group did not become durable.
pub(super) type Verdict = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Wake-ups that fire after a commit. They carry nothing and may be spurious.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    pub(super) due: Notify,
    pub(super) outbox: Notify,
    pub(super) voice: Notify,
}

/// Makes an errand of `work`, and the place where its result arrives once that is durable.
pub(super) fn errand<T: Send + 'static>(
    work: impl FnOnce(&mut Ledger<'_>) -> Result<T, StoreError> + Send + 'static,
) -> (Errand, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let errand: Errand = Box::new(move |ledger| {
        let result = ledger.and_then(|ledger| ledger.within(work));
        // Whoever no longer waits for the answer has lost interest, not changed what was done.
        Box::new(move |fate| drop(reply.send(fate.and(result))))
    });
    (errand, answer)
}

/// The thread's own.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) conn: Option<Connection>,
    pub(super) policy: Policy,
    pub(super) seed: Seed,
    pub(super) acquaintances: Acquaintances,
    pub(super) wakes: Arc<Wakes>,
    /// Outlives the connection, so that nobody else opens the file before it is closed.
    pub(super) _lock: Lock,
}

impl Writer {
    /// Works until every handle is gone and all they asked for is done.
    pub(super) fn run(mut self, mut errands: mpsc::Receiver<Errand>) {
        let mut pace = Pace::default();
        while let Some(first) = errands.blocking_recv() {
            let mut group = vec![first];
            gather(&mut errands, &mut group);
            while let Some(pause) = pace.pause(group.len(), now()) {
                thread::sleep(pause);
                let before = group.len();
                gather(&mut errands, &mut group);
                if group.len() == before {
                    break;
                }
            }
            pace.begun(group.len(), now());
            self.commit(group);
        }
        drop(self.conn.take());
    }

    fn commit(&mut self, group: Vec<Errand>) {
        let conn = match self.conn.take().map_or_else(|| sqlite::open(&self.path), Ok) {
            Ok(conn) => conn,
            Err(error) => {
                warn!(%error, "store not reopened");
                group.into_iter().for_each(|errand| errand(Err(error.clone()))(Ok(())));
                return;
            }
        };
        match self.work(&conn, group) {
            Ok(()) => self.conn = Some(conn),
            Err(error) if error.spoils_connection() => {
                error!(%error, "store failed; it will be opened and checked anew");
            }
            Err(_) => self.conn = Some(conn),
        }
    }

    /// Runs a group in one transaction and tells each waiter what became of it.
    fn work(&mut self, conn: &Connection, group: Vec<Errand>) -> Result<(), StoreError> {
        if let Err(error) = run(conn, "BEGIN IMMEDIATE") {
            let error = StoreError::from(error);
            group.into_iter().for_each(|errand| errand(Err(error.clone()))(Ok(())));
            return Err(error);
        }
        let mut ledger = Ledger::new(conn, &mut self.policy, &mut self.seed, &self.acquaintances);
        let mut verdicts = Vec::with_capacity(group.len());
        let mut errands = group.into_iter();
        for errand in errands.by_ref() {
            verdicts.push(errand(Ok(&mut ledger)));
            // A full disk and some failures make SQLite give up the whole transaction, and with it what came before.
            if conn.is_autocommit() {
                break;
            }
        }
        let wipes = ledger.wipes;
        let (due, outbox, voice) = (ledger.wake_due, ledger.wake_outbox, ledger.wake_voice);
        let fate = if conn.is_autocommit() {
            Err(ledger.broken_by.take().unwrap_or(StoreError::Full))
        } else {
            run(conn, "COMMIT").map_err(StoreError::from)
        };
        if fate.is_err() && !conn.is_autocommit() {
            // Nobody has been told yes. If even this fails the connection is given up below.
            drop(conn.execute_batch("ROLLBACK"));
        }
        if fate.is_err() {
            self.acquaintances.forget();
        }
        if fate.is_ok() && wipes {
            wipe(conn);
        }
        verdicts.into_iter().for_each(|verdict| verdict(fate.clone()));
        errands
            .for_each(|errand| errand(Err(fate.clone().err().unwrap_or(StoreError::Full)))(Ok(())));
        if fate.is_ok() {
            if due {
                self.wakes.due.notify_one();
            }
            if outbox {
                self.wakes.outbox.notify_one();
            }
            if voice {
                self.wakes.voice.notify_one();
            }
        }
        fate
    }
}

fn gather(errands: &mut mpsc::Receiver<Errand>, group: &mut Vec<Errand>) {
    while group.len() < GROUP_MAX {
        let Ok(next) = errands.try_recv() else { break };
        group.push(next);
    }
}

/// When the next group begins. Under load it waits for company while some comes, since a commit costs much the same for
/// one and for twenty; whoever comes alone, one after the other, does not wait.
#[derive(Debug, Default)]
struct Pace {
    last: Option<(Instant, usize)>,
}

impl Pace {
    fn begun(&mut self, operations: usize, now: Instant) {
        self.last = Some((now, operations));
    }

    fn pause(&self, operations: usize, now: Instant) -> Option<Duration> {
        let (begun, before) = self.last?;
        let gathers = before >= COMPANY && operations < ENOUGH;
        let left = (begun + GATHERING).checked_duration_since(now).filter(|_| gathers)?;
        Some(left.min(GRAIN))
    }
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}

/// Has what was overwritten in the tables leave the write-ahead log, too.
fn wipe(conn: &Connection) {
    let busy = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    if !matches!(busy, Ok(false)) {
        // The next one does it as well.
        warn!("what was erased stays in the write-ahead log for a while: somebody is reading it");
    }
}

const GROUP_MAX: usize = 128;
/// From the beginning of one group to that of the next, under load.
const GATHERING: Duration = Duration::from_millis(20);
/// If nobody comes within so long, nobody is waited for.
const GRAIN: Duration = Duration::from_millis(5);
/// So many operations in a group are load.
const COMPANY: usize = 2;
/// So many need no more company.
const ENOUGH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::notification::{Draft, MessageId};

    type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

    fn open(name: &str) -> (PathBuf, Writer) {
        let folder =
            std::env::temp_dir().join(format!("offhook-writer-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("offhook.db");
        let writer = Writer {
            _lock: Lock::take(&path).unwrap(),
            conn: Some(sqlite::open(&path).unwrap()),
            path,
            policy: Policy::default(),
            seed: Seed::fixed(1),
            acquaintances: Acquaintances::default(),
            wakes: Arc::default(),
        };
        (folder, writer)
    }

    fn hold(number: u32) -> (Errand, Answer<MessageId>) {
        let draft = Draft {
            stanza_id: Some(number.to_string()),
            sender: "alice@example.org/x".parse().unwrap(),
            recipient: "bob@example.org".parse().unwrap(),
            body: "x".repeat(20_000),
            language: None,
            wants_receipt: false,
            stanza: String::new(),
            how: Default::default(),
        };
        errand(move |ledger| Ok(ledger.hold(draft, Timestamp::UNIX_EPOCH, 0)?.message))
    }

    fn held(writer: &mut Writer) -> Vec<i64> {
        let (count, mut answer) =
            errand(|ledger| ledger.ids("SELECT id FROM messages ORDER BY id", []));
        writer.commit(vec![count]);
        answer.try_recv().unwrap().unwrap().into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn a_commit_waits_for_company_only_under_load() {
        let begun = now();
        let pause = |before, operations, after_ms| {
            let mut pace = Pace::default();
            pace.begun(before, begun);
            pace.pause(operations, begun + Duration::from_millis(after_ms))
        };
        assert_eq!(Pace::default().pause(1, begun), None, "the first of all");
        assert_eq!(pause(1, 1, 0), None, "one after the other");
        assert_eq!(pause(20, 6, 4), Some(GRAIN), "many");
        assert_eq!(pause(20, 6, 19), Some(Duration::from_millis(1)), "many, for long enough");
        assert_eq!(pause(20, 6, 21), None, "many, and late");
        assert_eq!(pause(64, 64, 1), None, "all at once");
    }

    #[test]
    fn a_full_disk_is_told_to_those_it_hits_and_to_nobody_else() {
        let (folder, mut writer) = open("full");
        let pages = |writer: &Writer, wanted: u32| {
            let conn = writer.conn.as_ref().unwrap();
            conn.query_row(&format!("PRAGMA max_page_count = {wanted}"), [], |_| Ok(())).unwrap();
        };
        pages(&writer, 60);
        let mut acknowledged = vec![];
        for round in 0..5 {
            let (group, answers): (Vec<_>, Vec<_>) = (0..3).map(|n| hold(round * 3 + n)).unzip();
            writer.commit(group);
            for mut answer in answers {
                match answer.try_recv().unwrap() {
                    Ok(id) => acknowledged.push(id.0),
                    Err(error) => assert!(matches!(error, StoreError::Full), "{error}"),
                }
            }
            assert_eq!(held(&mut writer), acknowledged);
        }
        assert!((1..15).contains(&acknowledged.len()), "{acknowledged:?}");
        pages(&writer, 10_000);
        let (errand, mut answer) = hold(99);
        writer.commit(vec![errand]);
        acknowledged.push(answer.try_recv().unwrap().unwrap().0);
        assert_eq!(held(&mut writer), acknowledged);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nobody_is_told_yes_when_the_commit_fails() {
        let (folder, mut writer) = open("commit");
        let (first, mut told_first) = hold(1);
        let (dangling, mut told_dangling) = errand(|ledger| {
            ledger.conn.execute_batch(
                "PRAGMA defer_foreign_keys = ON; INSERT INTO events (message, at, what) VALUES (99, 0, '')",
            )?;
            Ok(())
        });
        let (last, mut told_last) = hold(2);
        writer.commit(vec![first, dangling, last]);
        assert!(told_first.try_recv().unwrap().is_err());
        assert!(told_dangling.try_recv().unwrap().is_err());
        assert!(told_last.try_recv().unwrap().is_err());
        assert!(held(&mut writer).is_empty());
        let (again, mut told_again) = hold(1);
        writer.commit(vec![again]);
        assert!(told_again.try_recv().unwrap().is_ok());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
