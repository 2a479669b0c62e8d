//! The one thread that writes: it takes what waits as one group and answers when the group is durable.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc};
use tracing::{error, warn};

use super::StoreError;
use super::ledger::Ledger;
use super::sqlite::{self, Lock};
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
}

pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) conn: Option<Connection>,
    pub(super) policy: Policy,
    pub(super) seed: Seed,
    pub(super) wakes: Arc<Wakes>,
    /// Outlives the connection, so that nobody else opens the file before it is closed.
    pub(super) _lock: Lock,
}

impl Writer {
    /// Works until every handle is gone and all they asked for is done.
    pub(super) fn run(mut self, mut errands: mpsc::Receiver<Errand>) {
        while let Some(first) = errands.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX {
                let Ok(next) = errands.try_recv() else { break };
                group.push(next);
            }
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
        if let Err(error) = conn.execute_batch("BEGIN IMMEDIATE") {
            let error = StoreError::from(error);
            group.into_iter().for_each(|errand| errand(Err(error.clone()))(Ok(())));
            return Err(error);
        }
        let mut ledger = Ledger::new(conn, &mut self.policy, &mut self.seed);
        let mut verdicts = Vec::with_capacity(group.len());
        let mut errands = group.into_iter();
        for errand in errands.by_ref() {
            verdicts.push(errand(Ok(&mut ledger)));
            // A full disk and some failures make SQLite give up the whole transaction, and with it what came before.
            if conn.is_autocommit() {
                break;
            }
        }
        let (due, outbox) = (ledger.wake_due, ledger.wake_outbox);
        let fate = if conn.is_autocommit() {
            Err(ledger.broken_by.take().unwrap_or(StoreError::Full))
        } else {
            conn.execute_batch("COMMIT").map_err(StoreError::from)
        };
        if fate.is_err() && !conn.is_autocommit() {
            // Nobody has been told yes. If even this fails the connection is given up below.
            drop(conn.execute_batch("ROLLBACK"));
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
        }
        fate
    }
}

const GROUP_MAX: usize = 128;
