//! Store operations as data, for the one who must act on their results in the order of the commits.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use xmpp_parsers::jid::BareJid;

use super::counted_time::left;
use super::replies::{OwedRoom, OwedStanzas};
use super::transaction::Transaction;
use super::writer::Job;
use super::{
    AfterReturn, Corrected, Delivering, Expired, ExpiryStep, Held, NotPassedOn, Retracted, Store,
    StoreError,
};
use crate::clock::Moment;
use crate::notification::alert::AlertTo;
use crate::notification::returned::Returned;
use crate::notification::rules::Ruling;
use crate::notification::{
    Attempt, AttemptId, Claim, Draft, MessageId, Recording, RecordingId, ReplyId,
};

/// Names one job; a later one has a greater number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// The calls that this program has on the line. Whatever the clocks say, none of them is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveCalls {
    /// Those it has placed.
    pub placed: BTreeSet<AttemptId>,
    /// Whether there are any that came in, which have no name here while they last.
    pub incoming: bool,
}

/// One operation. What each does is written at the operation of [`Store`] of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreJob {
    /// [`Store::hold`].
    Hold {
        /// The message.
        draft: Draft,
        /// How many calls may be claimed with it.
        room: usize,
    },
    /// [`Store::identified`].
    Identified {
        /// The message whose sender was asked.
        message: MessageId,
        /// What the sender's client said.
        is_program: bool,
        /// How many calls may be claimed with it.
        room: usize,
    },
    /// [`Store::correct`].
    Correct {
        /// The `id` of what is corrected.
        id: String,
        /// The new wording.
        draft: Draft,
        /// How many calls may be claimed with it.
        room: usize,
    },
    /// [`Store::retract`].
    Retract {
        /// The `id` of what is retracted.
        id: String,
        /// The retraction itself.
        draft: Draft,
    },
    /// [`Store::came_online`].
    CameOnline(BareJid),
    /// [`Store::deliver_more`].
    DeliverMore,
    /// [`Store::presence_refused`].
    PresenceRefused {
        /// Who has answered.
        jid: BareJid,
        /// How.
        refused: bool,
    },
    /// [`Store::claim_due`], and when it has something to do next.
    ClaimDue {
        /// How many calls may be claimed.
        room: usize,
        /// The calls on the line.
        live: LiveCalls,
    },
    /// [`Store::settle`].
    Settle {
        /// The call.
        attempt: AttemptId,
        /// How it went.
        result: Attempt,
        /// It was stopped because its messages were withdrawn: that is no setback.
        withdrawn: bool,
    },
    /// [`Store::owed`], within these bounds.
    Owed(OwedRoom),
    /// [`Store::mark_sent`].
    MarkSent(Vec<ReplyId>),
    /// [`Store::settle_sent`].
    SettleSent(Vec<ReplyId>),
    /// [`Store::owe_unsettled`].
    OweUnsettled(Vec<ReplyId>),
    /// [`Store::returned`].
    Returned {
        /// The stanza.
        reply: ReplyId,
        /// How it came back.
        returned: Returned,
    },
    /// [`Store::next_recording`], or when there is one.
    NextRecording,
    /// [`Store::recording_failed`].
    RecordingFailed {
        /// Which.
        recording: RecordingId,
        /// What it waits for.
        why: NotPassedOn,
        /// When it is due again.
        pause: Duration,
    },
    /// [`Store::retry_recordings`].
    RetryRecordings,
    /// A slice of [`Store::expire`].
    Expire(ExpiryStep),
    /// A slice of [`Store::replan`]: of the recipients behind this one.
    Replan {
        /// Empty at the beginning.
        after: String,
    },
    /// A trunk works again: calls that failed at trunks are due at once.
    TrunkWorks {
        /// How many of them at most.
        limit: usize,
    },
    /// [`Store::erase_as_asked`].
    EraseAsAsked,
    /// [`Store::take_alerts`].
    TakeAlerts,
    /// [`Store::trunk_changed`].
    TrunkChanged {
        /// Its name.
        trunk: String,
        /// Whether it carries calls again.
        works: bool,
    },
    /// The wall clock was set: every planned call is planned anew, and who was told another time reads of it.
    ClockStepped,
    /// The wall clock has stood for long: what passed while the machine was off counts from now on.
    ClockProved,
}

/// What came of a job.
pub type JobResult = Result<JobDone, StoreError>;

/// What a job gave.
#[derive(Clone, PartialEq)]
pub enum JobDone {
    /// Of [`StoreJob::Hold`], and of [`StoreJob::Correct`] if the correction is held as a message.
    Held(Held),
    /// Of [`StoreJob::Identified`].
    Identified {
        /// The call to place at once.
        claim: Option<Claim>,
        /// The rule that keeps the phone from ringing now.
        kept_by: Option<Ruling>,
    },
    /// Of [`StoreJob::Correct`].
    Corrected(Corrected),
    /// Of [`StoreJob::Retract`].
    Retracted(Retracted),
    /// Of [`StoreJob::CameOnline`].
    CameOnline(Delivering),
    /// Of [`StoreJob::DeliverMore`]: whether there may be more.
    DeliveredMore(bool),
    /// Of [`StoreJob::ClaimDue`].
    Claimed {
        /// The calls to place.
        claims: Vec<Claim>,
        /// How long after the job was asked for there may be others.
        next: Option<Duration>,
    },
    /// Of [`StoreJob::Owed`].
    Owed(OwedStanzas),
    /// Of [`StoreJob::Returned`].
    Returned(AfterReturn),
    /// Of [`StoreJob::NextRecording`].
    Recording {
        /// The one that is due.
        due: Option<Box<Recording>>,
        /// How long after the job was asked for there may be another, if none is.
        next: Option<Duration>,
    },
    /// Of [`StoreJob::Expire`].
    Expired(Expired),
    /// Of [`StoreJob::Replan`]: the last recipient of the slice, if there may be others behind it.
    Replanned(Option<String>),
    /// Of [`StoreJob::TrunkWorks`]: how many calls it concerned.
    BroughtForward(usize),
    /// Of [`StoreJob::TakeAlerts`].
    Alerts(Vec<AlertTo>),
    /// Of the others.
    Done,
}

impl fmt::Debug for JobDone {
    /// Without what people wrote or said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempt = |claim: &Claim| claim.attempt;
        match self {
            Self::Held(held) => {
                let (id, claim) = (held.message, held.claim.as_ref().map(attempt));
                write!(f, "Held({id:?}, duplicate {}, {claim:?})", held.duplicate)
            }
            Self::Identified { claim, .. } => {
                write!(f, "Identified({:?})", claim.as_ref().map(attempt))
            }
            Self::Corrected(corrected) => write!(f, "{corrected:?}"),
            Self::Retracted(retracted) => write!(f, "{retracted:?}"),
            Self::CameOnline(Delivering { messages, more }) => {
                write!(f, "CameOnline({messages}, more {more})")
            }
            Self::DeliveredMore(more) => write!(f, "DeliveredMore({more})"),
            Self::Claimed { claims, next } => {
                let claims: Vec<_> = claims.iter().map(attempt).collect();
                write!(f, "Claimed({claims:?}, next {next:?})")
            }
            Self::Owed(owed) => {
                let owed: Vec<_> = owed.stanzas.iter().map(|it| it.id.0).collect();
                write!(f, "Owed({owed:?})")
            }
            Self::Returned(after) => write!(f, "{after:?}"),
            Self::Recording { due, next } => {
                write!(f, "Recording({:?}, next {next:?})", due.as_ref().map(|it| it.id))
            }
            Self::Expired(expired) => write!(f, "{expired:?}"),
            Self::Replanned(last) => write!(f, "Replanned(to the end: {})", last.is_none()),
            Self::BroughtForward(calls) => write!(f, "BroughtForward({calls})"),
            Self::Alerts(alerts) => write!(f, "Alerts({})", alerts.len()),
            Self::Done => f.write_str("Done"),
        }
    }
}

impl Store {
    /// Asks for a job at once; `done` is called with its result after the commit, in the order of the commits.
    ///
    /// Contract: jobs are done in the order of these calls. One that finds no place in the queue is refused
    ///           with [`StoreError::Full`] before this returns.
    pub fn submit(
        &self,
        job: StoreJob,
        now: impl Into<Moment>,
        done: impl FnOnce(JobResult) + Send + 'static,
    ) {
        let now = now.into();
        let work: Job = Box::new(move |transaction| {
            let result = transaction.and_then(|transaction| {
                transaction.within(|transaction| transaction.perform(job, now))
            });
            Box::new(move |fate: Result<(), StoreError>| done(fate.and(result)))
        });
        match self.jobs.try_send(work.into()) {
            Ok(()) => {}
            Err(TrySendError::Full(request)) => request.refuse(StoreError::Full),
            Err(TrySendError::Closed(request)) => request.refuse(StoreError::Closed),
        }
    }
}

impl Transaction<'_> {
    // Long: one arm for each kind of job, all of them calls.
    fn perform(&mut self, job: StoreJob, moment: Moment) -> JobResult {
        let now = self.at(moment);
        let until = |at: Timestamp| left(at, now);
        Ok(match job {
            StoreJob::Hold { draft, room } => JobDone::Held(self.hold(draft, now, room)?),
            StoreJob::Identified { message, is_program, room } => {
                let (claim, kept_by) = self.identified(message, is_program, now, room)?;
                JobDone::Identified { claim, kept_by }
            }
            StoreJob::Correct { id, draft, room } => match self.correct(&id, draft, now, room)? {
                Corrected::Held(held) => JobDone::Held(*held),
                corrected => JobDone::Corrected(corrected),
            },
            StoreJob::Retract { id, draft } => JobDone::Retracted(self.retract(&id, draft, now)?),
            StoreJob::CameOnline(jid) => JobDone::CameOnline(self.came_online(&jid, now)?),
            StoreJob::DeliverMore => JobDone::DeliveredMore(self.deliver_more(now)?),
            StoreJob::PresenceRefused { jid, refused } => {
                self.presence_refused(&jid, refused)?;
                JobDone::Done
            }
            StoreJob::ClaimDue { room, live } => {
                let claims = self.claim_due(now, room, &live)?;
                JobDone::Claimed { claims, next: self.next_due()?.map(until) }
            }
            StoreJob::Settle { attempt, result, withdrawn } => {
                self.settle(attempt, &result, withdrawn, now)?;
                JobDone::Done
            }
            StoreJob::Owed(room) => JobDone::Owed(self.owed(&room, now)?),
            StoreJob::MarkSent(replies) => {
                self.mark_sent(&replies, now)?;
                JobDone::Done
            }
            StoreJob::SettleSent(replies) => {
                self.settle_sent(&replies, now)?;
                JobDone::Done
            }
            StoreJob::OweUnsettled(replies) => {
                self.owe_unsettled(&replies, now)?;
                JobDone::Done
            }
            StoreJob::Returned { reply, returned } => {
                JobDone::Returned(self.returned(reply, &returned, now)?)
            }
            StoreJob::NextRecording => {
                let due = self.next_recording(now)?.map(Box::new);
                let next = if due.is_none() { self.next_recording_due()? } else { None };
                JobDone::Recording { due, next: next.map(until) }
            }
            StoreJob::RecordingFailed { recording, why, pause } => {
                let again = now.checked_add(pause).unwrap_or(now);
                self.recording_failed(recording, why, again, now)?;
                JobDone::Done
            }
            StoreJob::RetryRecordings => {
                self.retry_recordings(now)?;
                JobDone::Done
            }
            StoreJob::Expire(step) => JobDone::Expired(self.expire_slice(step, now)?),
            StoreJob::Replan { after } => JobDone::Replanned(self.replan_slice(&after, now)?),
            StoreJob::TrunkWorks { limit } => {
                JobDone::BroughtForward(self.trunk_works(limit, now)?)
            }
            StoreJob::EraseAsAsked => {
                self.erase_as_asked(now)?;
                JobDone::Done
            }
            StoreJob::TakeAlerts => JobDone::Alerts(self.take_alerts(now)?),
            StoreJob::TrunkChanged { trunk, works } => {
                self.trunk_changed(&trunk, works, now)?;
                JobDone::Done
            }
            StoreJob::ClockStepped => {
                self.clock_stepped(moment)?;
                JobDone::Done
            }
            StoreJob::ClockProved => {
                self.clock_proved(moment)?;
                JobDone::Done
            }
        })
    }
}
