//! Store jobs under way, and those that failed and are asked for again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::events::{Now, Output, Timer};
use crate::backoff::Backoff;
use crate::store::{JobId, StoreError, StoreJob};

/// What the parts of the component want done: outputs, and jobs whose results come back to them.
#[derive(Debug, Default)]
pub(super) struct Effects {
    outputs: VecDeque<Output>,
    jobs: BTreeMap<JobId, OpenJob>,
    next_job: u64,
}

#[derive(Debug)]
struct OpenJob {
    job: StoreJob,
    tries: u32,
    /// Set while it waits to be asked for again.
    retry_at: Option<Instant>,
}

impl Effects {
    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn store(&mut self, job: StoreJob, now: Now) {
        let id = JobId(self.next_job);
        self.next_job += 1;
        self.push(Output::Store { id, job: job.clone(), now: now.at });
        self.jobs.insert(id, OpenJob { job, tries: 0, retry_at: None });
    }

    /// Takes the result of a job. Gives the job it belongs to; one that failed and can still succeed stays open, and
    /// is asked for again after a growing pause.
    pub(super) fn done(
        &mut self,
        id: JobId,
        error: Option<&StoreError>,
        now: Now,
    ) -> Option<StoreJob> {
        let mut open = self.jobs.remove(&id)?;
        let job = open.job.clone();
        if error.is_some_and(|error| is_tried_again(&job, error)) {
            open.retry_at = Some(now.mono + BACKOFF.after(open.tries));
            open.tries += 1;
            // Whether a line is free then is not known now; the next look finds the call.
            if let StoreJob::Identified { room, .. } = &mut open.job {
                *room = 0;
            }
            self.jobs.insert(id, open);
        }
        Some(job)
    }

    pub(super) fn tick(&mut self, now: Now) {
        for (id, open) in &mut self.jobs {
            if open.retry_at.is_some_and(|at| at <= now.mono) {
                open.retry_at = None;
                let job = open.job.clone();
                self.outputs.push_back(Output::Store { id: *id, job, now: now.at });
            }
        }
    }

    /// Asks at once for the jobs of this kind that wait for their next try, so that they are done before what is asked
    /// for next.
    pub(super) fn hasten(&mut self, is_of_kind: impl Fn(&StoreJob) -> bool, now: Now) {
        let waits = |open: &&mut OpenJob| open.retry_at.is_some() && is_of_kind(&open.job);
        for open in self.jobs.values_mut().filter(waits) {
            open.retry_at = Some(now.mono);
        }
        self.tick(now);
    }

    /// Gives up the jobs of this kind that wait for their next try.
    pub(super) fn give_up(&mut self, is_of_kind: impl Fn(&StoreJob) -> bool) {
        self.jobs.retain(|_, open| open.retry_at.is_none() || !is_of_kind(&open.job));
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let waiting =
            self.jobs.iter().filter_map(|(id, open)| Some((open.retry_at?, Timer::Retry(*id))));
        waiting.min_by_key(|(at, _)| *at)
    }

    /// How many open jobs are of this kind.
    pub(super) fn open(&self, is_of_kind: impl Fn(&StoreJob) -> bool) -> usize {
        self.jobs.values().filter(|open| is_of_kind(&open.job)).count()
    }
}

/// Whether nothing else brings about what this job should have.
fn is_tried_again(job: &StoreJob, error: &StoreError) -> bool {
    let can_succeed = !matches!(error, StoreError::NotInCall | StoreError::Closed);
    let alone = match job {
        StoreJob::Identified { .. }
        | StoreJob::Retract { .. }
        | StoreJob::CameOnline(_)
        | StoreJob::Settle { .. }
        | StoreJob::MarkSent(_)
        | StoreJob::SettleSent(_)
        | StoreJob::OweUnsettled(_)
        | StoreJob::Returned { .. }
        | StoreJob::RecordingFailed { .. }
        | StoreJob::RetryRecordings
        | StoreJob::TrunkChanged { .. }
        | StoreJob::ClockStepped
        | StoreJob::ClockProved => true,
        // The sender of a refused message learns that it was; a correction must not overtake a later one.
        StoreJob::Hold { .. } | StoreJob::Correct { .. } => false,
        // At worst the person is asked once more. Tried again, it could overtake another answer.
        StoreJob::PresenceRefused { .. } => false,
        // These are looks, which come again by themselves.
        StoreJob::ClaimDue { .. }
        | StoreJob::Owed { .. }
        | StoreJob::NextRecording
        | StoreJob::Expire(_)
        | StoreJob::Replan { .. }
        | StoreJob::DeliverMore
        | StoreJob::TrunkWorks { .. }
        | StoreJob::EraseAsAsked
        | StoreJob::TakeAlerts => false,
    };
    can_succeed && alone
}

const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
