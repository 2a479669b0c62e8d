//! A store in memory that works only when it is told to: for simulations, which run it on their own thread.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::counted_time::CountedTime;
use super::subscriber_cache::SubscriberCache;
use super::writer::{Request, Wakes, Writer};
use super::{JOBS_MAX, Store, StoreError, sqlite};
use crate::notification::policy::Policy;
use crate::seed::Seed;

/// The writer of a [`Store`] in memory: the same tables and operations as on disk, one group of jobs at each step.
///
/// Contract: what a step has done outlives a crash, and nothing else does.
pub struct MemoryWriter {
    writer: Writer,
    inbox: mpsc::Receiver<Request>,
    /// The store's handle takes it for a thread that lives.
    _alive: watch::Sender<()>,
}

impl MemoryWriter {
    /// Opens an empty store.
    pub fn open(policy: Policy, seed: Seed) -> Result<(Store, Self), StoreError> {
        Ok(Self::on(sqlite::open_in_memory()?, policy, seed))
    }

    /// Does at most `group` of the jobs that wait, in one transaction, and tells how many there were.
    pub fn step(&mut self, group: usize) -> usize {
        self.writer.step(&mut self.inbox, group)
    }

    /// Kills the program: what was not done is lost, and another run begins on what is in the tables.
    pub fn crash(mut self, policy: Policy, seed: Seed) -> Result<(Store, Self), StoreError> {
        let conn = self.writer.conn.take().map_or_else(sqlite::open_in_memory, Ok)?;
        // The waiters of the lost jobs are as dead as the program.
        drop(self);
        sqlite::begin(&conn)?;
        Ok(Self::on(conn, policy, seed))
    }

    /// The tables, to be read between two steps.
    pub fn tables(&self) -> Option<&Connection> {
        self.writer.conn.as_ref()
    }

    fn on(conn: Connection, policy: Policy, seed: Seed) -> (Store, Self) {
        let (jobs, inbox) = mpsc::channel(JOBS_MAX);
        let wakes = Arc::new(Wakes::default());
        let writer = Writer {
            file: None,
            conn: Some(conn),
            policy,
            seed,
            subscriber_cache: SubscriberCache::default(),
            time: CountedTime::default(),
            wakes: wakes.clone(),
            check: None,
            _lock: None,
        };
        let ((alive, ended), (_, damage)) = (watch::channel(()), watch::channel(None));
        (Store { jobs, wakes, ended, damage }, Self { writer, inbox, _alive: alive })
    }
}
