//! Looks through the whole file beside the work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::watch;
use tracing::{error, warn};

use super::{StoreError, check, open_to_read};

/// The check of a file on a thread and a connection of its own. Dropping it ends it.
pub(in crate::store) struct IntegrityCheck {
    ended: Arc<AtomicBool>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
}

impl IntegrityCheck {
    /// Begins it. What it finds is logged, and said in `damage`.
    pub(in crate::store) fn begin(
        path: &Path,
        damage: watch::Sender<Option<StoreError>>,
    ) -> Result<Self, StoreError> {
        let conn = open_to_read(path)?;
        let (interrupt, ended) = (conn.get_interrupt_handle(), Arc::new(AtomicBool::new(false)));
        let (path, over) = (path.to_owned(), ended.clone());
        let thread = thread::spawn(move || look(&conn, path, &over, &damage));
        Ok(Self { ended, interrupt, thread: Some(thread) })
    }
}

impl Drop for IntegrityCheck {
    /// A reader would keep the write-ahead log from being emptied.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return };
        while !thread.is_finished() {
            // An interrupt that comes before the statement has begun is lost.
            self.interrupt.interrupt();
            thread::sleep(PAUSE);
        }
        drop(thread.join());
    }
}

fn look(
    conn: &Connection,
    path: PathBuf,
    over: &AtomicBool,
    damage: &watch::Sender<Option<StoreError>>,
) {
    match check(conn, &path) {
        Ok(()) => {}
        Err(_) if over.load(Ordering::Relaxed) => {}
        Err(error @ StoreError::Damaged { .. }) => {
            error!(%error, "the store is damaged; stopping");
            damage.send_replace(Some(error));
        }
        Err(error) => warn!(%error, "store not checked"),
    }
}

const PAUSE: Duration = Duration::from_millis(1);
