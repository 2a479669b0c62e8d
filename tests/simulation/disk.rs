//! The store's thread and its disk: the real store in memory, which refuses, fails late or takes long.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use offhook::clock::Moment;
use offhook::component::{Input, Wake};
use offhook::notification::policy::Policy;
use offhook::seed::Seed;
use offhook::store::memory::MemoryWriter;
use offhook::store::{
    Corrected, JobDone, JobId, JobResult, Retracted, Store, StoreError, StoreJob,
};

use crate::events::{Event, brief};
use crate::plants::Plant;
use crate::stored::Stored;
use crate::world::World;

type Results = Arc<Mutex<VecDeque<(JobId, JobResult)>>>;
pub(crate) type StoreCall = Pin<Box<dyn Future<Output = Stored>>>;

pub(crate) struct Disk {
    pub(crate) store: Store,
    writer: Option<MemoryWriter>,
    results: Results,
    step_is_planned: bool,
    /// What was committed is not told yet: the thread waits for the disk.
    answers_late: bool,
    /// `BEGIN` is refused, as another program has the lock.
    is_locked: bool,
    fault: Option<DiskFault>,
    /// Operations that others than the component wait for.
    calls: Vec<StoreCall>,
    /// What the component has asked for, by job.
    jobs: BTreeMap<JobId, StoreJob>,
}

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskFault {
    /// Nothing can be written.
    ReadOnly,
    /// The file cannot grow: a transaction dies in the middle.
    Full,
    /// `COMMIT` fails, before it has landed.
    CommitFails,
    /// Another program has the lock.
    Locked,
    /// `COMMIT` lands, and that is known only much later.
    AnswersLate,
}

const FAULTS: [DiskFault; 5] = [
    DiskFault::ReadOnly,
    DiskFault::Full,
    DiskFault::CommitFails,
    DiskFault::Locked,
    DiskFault::AnswersLate,
];

impl Disk {
    pub(crate) fn new(policy: Policy, seed: Seed) -> Self {
        let (store, writer) = MemoryWriter::open(policy, seed).unwrap();
        let disk = Self {
            store,
            writer: Some(writer),
            results: Results::default(),
            step_is_planned: false,
            answers_late: false,
            is_locked: false,
            fault: None,
            calls: vec![],
            jobs: BTreeMap::new(),
        };
        disk.sql(COMMIT_FAILURE);
        disk
    }

    /// The tables, between two steps.
    pub(crate) fn tables(&self) -> &rusqlite::Connection {
        self.writer.as_ref().and_then(MemoryWriter::tables).unwrap()
    }

    pub(crate) fn is_well(&self) -> bool {
        self.fault.is_none()
    }

    fn sql(&self, sql: &str) {
        self.tables().execute_batch(sql).unwrap();
    }

    /// The program is killed: what was not done is lost.
    pub(crate) fn crash(&mut self, policy: Policy, seed: Seed) {
        self.heal();
        self.calls.clear();
        self.jobs.clear();
        self.results.lock().unwrap().clear();
        self.step_is_planned = false;
        let writer = self.writer.take().unwrap();
        let (store, writer) = writer.crash(policy, seed).unwrap();
        (self.store, self.writer) = (store, Some(writer));
    }

    fn heal(&mut self) {
        match self.fault.take() {
            Some(DiskFault::ReadOnly) => self.sql("PRAGMA query_only = 0"),
            Some(DiskFault::Full) => self.sql("PRAGMA max_page_count = 1000000"),
            Some(DiskFault::CommitFails) => self.sql("DROP TRIGGER temp.commit_fails"),
            Some(DiskFault::Locked) => self.is_locked = false,
            Some(DiskFault::AnswersLate) => self.answers_late = false,
            None => {}
        }
    }

    fn breaks(&mut self, fault: DiskFault) {
        match fault {
            DiskFault::ReadOnly => self.sql("PRAGMA query_only = 1"),
            // It is no smaller than what is there.
            DiskFault::Full => self.sql("PRAGMA max_page_count = 1"),
            DiskFault::CommitFails => self.sql(
                "CREATE TEMP TRIGGER commit_fails AFTER UPDATE ON main.commits
                 BEGIN INSERT INTO orphans VALUES (1); END",
            ),
            DiskFault::Locked => self.is_locked = true,
            DiskFault::AnswersLate => self.answers_late = true,
        }
        self.fault = Some(fault);
    }

    /// Polls an operation of the store that is alone, until it is done.
    pub(crate) fn finish<T, E: std::fmt::Debug>(
        &mut self,
        operation: impl Future<Output = Result<T, E>>,
    ) -> T {
        let mut operation = Box::pin(operation);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match operation.as_mut().poll(&mut context) {
                Poll::Ready(done) => return done.unwrap(),
                Poll::Pending => drop(self.writer.as_mut().unwrap().step(8)),
            }
        }
    }

    fn step(&mut self, group: usize) -> usize {
        if self.is_locked {
            // A transaction that is open already refuses `BEGIN`.
            self.sql("BEGIN");
        }
        let done = self.writer.as_mut().unwrap().step(group);
        if self.is_locked && !self.tables().is_autocommit() {
            self.sql("ROLLBACK");
        }
        done
    }
}

impl World {
    /// The disk is broken for a while.
    pub(crate) fn disk_breaks(&mut self) {
        self.heal();
        let fault = FAULTS[self.below(FAULTS.len() as u64) as usize];
        self.note(|| format!("disk {fault:?}"));
        self.disk.breaks(fault);
        self.promises.is_disturbed();
        let pause = self.ms(20_000);
        self.plan(pause, Event::DiskHeals);
    }

    pub(crate) fn heal(&mut self) {
        let was_late = self.disk.answers_late;
        self.disk.heal();
        self.promises.is_disturbed();
        if was_late {
            self.store_answers();
            self.store_soon();
        }
    }

    /// Asks for a job of the component.
    pub(crate) fn submit(&mut self, id: JobId, job: StoreJob, now: Moment) {
        let results = self.disk.results.clone();
        self.disk.jobs.insert(id, job.clone());
        self.disk.store.submit(job, now, move |result| {
            results.lock().unwrap().push_back((id, result));
        });
        self.store_soon();
    }

    pub(crate) fn store_soon(&mut self) {
        if !self.disk.step_is_planned {
            self.disk.step_is_planned = true;
            let pause = self.ms(20);
            self.plan(pause, Event::StoreStep);
        }
    }

    pub(crate) fn store_step(&mut self) {
        self.disk.step_is_planned = false;
        if self.disk.answers_late && !self.disk.results.lock().unwrap().is_empty() {
            return;
        }
        let group = 1 + self.below(8) as usize;
        let full = self.disk.step(group) == group;
        self.promises.look_into(self.disk.tables());
        self.spoil_tables();
        self.check_tables();
        self.check_delivered();
        if full {
            self.store_soon();
        }
        if !self.disk.answers_late {
            self.store_answers();
        }
    }

    /// What the store has done is told.
    pub(crate) fn store_answers(&mut self) {
        self.poll_store_calls();
        loop {
            let next = self.disk.results.lock().unwrap().pop_front();
            let Some((id, result)) = next else { break };
            let shown = format!("{result:?}");
            if ![
                "Ok(Done)",
                "Ok(Owed([]))",
                "Ok(Claimed([], next None))",
                "Ok(DeliveredMore(false))",
            ]
            .contains(&&*shown)
            {
                self.note(|| brief(&format!("result {} {shown}", id.0)));
            }
            let job = self.disk.jobs.remove(&id);
            let Some(result) = self.told_result(job, result) else { continue };
            let gone = match &result {
                Ok(JobDone::Retracted(Retracted { message, .. })) => *message,
                Ok(JobDone::Corrected(Corrected::InCalls { old, .. })) => Some(*old),
                _ => None,
            };
            self.tell(Input::Stored(id, Box::new(result)));
            gone.into_iter().for_each(|message| self.promises.is_gone(message));
        }
        let store = &self.disk.store;
        let fired = [
            (store.due().notified().now_or_never(), Wake::Due),
            (store.outbox().notified().now_or_never(), Wake::Outbox),
            (store.voice().notified().now_or_never(), Wake::Voice),
            (store.replan_wanted().notified().now_or_never(), Wake::Replan),
        ];
        for (_, wake) in fired.into_iter().filter(|(notified, _)| notified.is_some()) {
            self.tell(Input::Wake(wake));
        }
    }

    /// What is told of a job, which a planted fault may falsify.
    fn told_result(&mut self, job: Option<StoreJob>, result: JobResult) -> Option<JobResult> {
        match (job?, &result) {
            (StoreJob::Hold { draft, .. }, Ok(JobDone::Held(held))) => {
                let id = draft.stanza_id.unwrap_or_default();
                if self.has(Plant::RefusesWhatItHolds) && !held.duplicate {
                    self.must_know_refusal(&id);
                    return Some(Err(StoreError::Full));
                }
            }
            (StoreJob::Hold { draft, .. }, Err(_)) => {
                self.must_know_refusal(&draft.stanza_id.unwrap_or_default());
            }
            (StoreJob::Settle { attempt, result: ended, .. }, Ok(_)) => {
                self.lines.is_settled(attempt, ended.outcome, &self.nature.force.policy);
            }
            (StoreJob::ClaimDue { .. }, Ok(JobDone::Claimed { claims, .. }))
                if self.has(Plant::DropsAClaim) && !claims.is_empty() =>
            {
                return Some(Ok(JobDone::Claimed { claims: vec![], next: None }));
            }
            _ => {}
        }
        Some(result)
    }

    /// Begins an operation for somebody beside the component.
    pub(crate) fn call_store(&mut self, call: impl Future<Output = Stored> + 'static) {
        let mut call: StoreCall = Box::pin(call);
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(stored) => self.is_stored(stored),
            Poll::Pending => self.disk.calls.push(call),
        }
        self.program_inputs();
        self.store_soon();
    }

    fn poll_store_calls(&mut self) {
        let mut done = vec![];
        self.disk.calls.retain_mut(|call| {
            match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(stored) => {
                    done.push(stored);
                    false
                }
                Poll::Pending => true,
            }
        });
        self.program_inputs();
        for stored in done {
            self.is_stored(stored);
        }
    }

    /// The sender of a message that the store refused must know that within five seconds. While the stream is down
    /// nobody can be told.
    fn must_know_refusal(&mut self, id: &str) {
        if !self.stream.is_up {
            return;
        }
        let event = Event::IsRefused(self.stream.number, id.to_owned());
        self.plan(Duration::from_secs(5), event);
    }
}

/// A row without its parent, which `COMMIT` finds.
const COMMIT_FAILURE: &str = "
    CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE orphans (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);";
