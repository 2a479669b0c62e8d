//! The one thread that writes: what waits is one group, one group is one commit.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{error, warn};

use super::StoreError;

/// A handle to the writer thread. The thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
    pub(super) due: Arc<Notify>,
    pub(super) outbox: Arc<Notify>,
}

/// What one piece of work may touch.
pub(super) struct Room<'c> {
    pub(super) db: &'c Connection,
    wake: &'c Wake,
}

impl Room<'_> {
    /// After the commit, the dialer looks for what is due.
    pub(super) fn wake_due(&self) {
        self.wake.due.store(true, Ordering::Relaxed);
    }

    /// After the commit, the outbox looks for what is owed.
    pub(super) fn wake_outbox(&self) {
        self.wake.outbox.store(true, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Wake {
    due: AtomicBool,
    outbox: AtomicBool,
}

type Verdict = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Work = Box<dyn FnOnce(&mut Connection, &Wake) -> Verdict + Send>;

impl Writer {
    /// Takes the connection and its lock to a thread of their own.
    pub(super) fn start((mut db, lock): (Connection, File)) -> Result<Self, StoreError> {
        let (queue, mut waiting) = mpsc::channel::<Work>(QUEUE_MAX);
        let (due, outbox) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let writer = Self { queue, due: due.clone(), outbox: outbox.clone() };
        let run = move || {
            let mut group = Vec::with_capacity(GROUP_MAX);
            while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
                let wake = Wake::default();
                let committed = commit(&mut db, &mut group, &wake);
                if committed && wake.due.into_inner() {
                    due.notify_one();
                }
                if committed && wake.outbox.into_inner() {
                    outbox.notify_one();
                }
            }
            drop(lock);
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(StoreError::Thread)?;
        Ok(writer)
    }

    /// Queues one piece of work at once; the future waits for the commit it is part of.
    ///
    /// Contract: `Ok` is told only after the commit. Work that fails takes back its own changes and no others.
    pub(super) fn write<T, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&Room<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |db, wake| {
            let result = in_savepoint(db, wake, work);
            Box::new(move |committed| {
                let _ = tell.send(committed.and(result));
            })
        });
        let queued = self.queue.try_send(work);
        async move {
            queued.map_err(|_| StoreError::Busy)?;
            told.await.unwrap_or(Err(StoreError::NotCommitted))
        }
    }
}

fn in_savepoint<T>(
    db: &mut Connection,
    wake: &Wake,
    work: impl FnOnce(&Room<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = db.savepoint()?;
    let result = work(&Room { db: &savepoint, wake })?;
    savepoint.commit()?;
    Ok(result)
}

/// Runs a group in one transaction and tells each member what became of it. Tells whether it was committed.
fn commit(db: &mut Connection, group: &mut Vec<Work>, wake: &Wake) -> bool {
    // IMMEDIATE takes the lock once, before anything is read.
    if let Err(error) = db.execute_batch("BEGIN IMMEDIATE") {
        warn!(%error, "the store could not begin a transaction");
        group.clear();
        return false;
    }
    let mut verdicts = Vec::with_capacity(group.len());
    for work in group.drain(..) {
        verdicts.push(work(db, wake));
    }
    let committed = db.execute_batch("COMMIT");
    if let Err(error) = &committed {
        error!(%error, "the store could not commit; nothing of this group was told as done");
        if !db.is_autocommit()
            && let Err(error) = db.execute_batch("ROLLBACK")
        {
            error!(%error, "the store could not roll back");
        }
    }
    let done = committed.is_ok();
    for verdict in verdicts {
        verdict(if done { Ok(()) } else { Err(StoreError::NotCommitted) });
    }
    done
}

const QUEUE_MAX: usize = 4096;
const GROUP_MAX: usize = 256;
