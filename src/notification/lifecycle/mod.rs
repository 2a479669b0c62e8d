//! The life of a notification: one event at a time, and what is owed because of it.

use jiff::Timestamp;
use xmpp_parsers::jid::BareJid;

use super::policy::Policy;
use super::rules::{Decision, History, LastCall, Never, Past};
use super::{
    Attempt, AttemptId, MessageId, NotificationId, Outcome, Progress, Reply, Status, Wait,
};
use crate::phone_number::PhoneNumber;

/// One recipient's need to be phoned. At most one is open per recipient; it covers all messages that wait for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Its row.
    pub id: NotificationId,
    /// Who is to be phoned.
    pub recipient: BareJid,
    /// Where.
    pub number: PhoneNumber,
    /// Where it stands.
    pub state: State,
    /// Whether that is the person's second number.
    pub second: bool,
    /// The calls so far to this number.
    pub past: Past,
    /// Raised with every change; a change that was made to an older version is refused.
    pub version: u64,
}

impl Notification {
    /// A new one for a message that has just been held. [`LifecycleEvent::Planned`] must follow.
    pub fn open(
        id: NotificationId,
        recipient: BareJid,
        number: PhoneNumber,
        now: Timestamp,
    ) -> Self {
        let state = State::Waiting { due: now, why: Wait::Gathering };
        Self { id, recipient, number, second: false, state, past: Past::default(), version: 0 }
    }

    /// Takes one event and tells what is owed because of it, and about which message.
    ///
    /// Contract: what is closed stays closed. A call may outlive its notification, when the recipient came online;
    ///           how it ends then changes nothing.
    pub fn apply(
        &mut self,
        event: LifecycleEvent<'_>,
        situation: &Situation<'_>,
        now: Timestamp,
    ) -> Vec<(MessageId, Reply)> {
        use {LifecycleEvent::*, State::*};
        match (event, self.state) {
            (_, Closed(_)) => vec![],
            (Held(message), Waiting { due, why }) => {
                owe(Status::Waiting { call_at: due, why }, [message])
            }
            (Held(message), Calling { .. }) => owe(Status::Calling, [message]),
            (Planned(decision), Waiting { due, why }) => {
                self.plan(due, why, decision, situation, now)
            }
            (Claimed { attempt, lease_until }, Waiting { .. }) => {
                self.state = Calling { attempt, lease_until };
                owe(Status::Calling, situation.in_call(true))
            }
            (Progressed(progress), Calling { .. }) => {
                let status = match progress {
                    Progress::Ringing => Status::Ringing,
                    Progress::Answered => Status::Answered,
                };
                owe(status, situation.in_call(true))
            }
            (Joined(message), Calling { .. }) => owe(Status::Answered, [message]),
            (Ended(attempt), Calling { .. }) => self.end(attempt, situation, now),
            (Withdrawn, Calling { .. }) => self.withdrawn(situation, now),
            (Planned(_) | Claimed { .. }, Calling { .. })
            | (Progressed(_) | Joined(_) | Ended(_) | Withdrawn, Waiting { .. }) => vec![],
            (TrunkWorks, Waiting { .. }) => {
                self.forget_trunk_failures();
                vec![]
            }
            (TrunkWorks, Calling { .. }) => vec![],
            (CameOnline, _) => self.close(Closing::Online),
            (Emptied, Waiting { .. }) => self.close(Closing::Done),
            (Emptied, Calling { .. }) => vec![],
            (SwitchedOff, _) => {
                self.state = Closed(Closing::SwitchedOff);
                owe(Status::CallsSwitchedOff, situation.all())
            }
            (Unreachable, _) => {
                self.state = Closed(Closing::Unreachable);
                owe(Status::Held, situation.all())
            }
        }
    }

    /// Takes over a plan. A status is owed only where the plan has changed.
    fn plan(
        &mut self,
        due: Timestamp,
        why: Wait,
        decision: Decision,
        situation: &Situation<'_>,
        now: Timestamp,
    ) -> Vec<(MessageId, Reply)> {
        match decision {
            Decision::Call { at, .. } if at <= now && due <= now => vec![],
            Decision::Call { at, by } if (at, by.wait()) == (due, why) => vec![],
            Decision::Call { at, by } => {
                let why = by.wait();
                self.state = State::Waiting { due: at, why };
                owe(Status::Waiting { call_at: at, why }, situation.all())
            }
            Decision::Never(never) => {
                self.state = State::Closed(never.into());
                owe(Status::Held, situation.all())
            }
        }
    }

    fn end(
        &mut self,
        attempt: &Attempt,
        situation: &Situation<'_>,
        now: Timestamp,
    ) -> Vec<(MessageId, Reply)> {
        if attempt.stop_calls {
            self.state = State::Closed(Closing::SwitchedOff);
            return owe(Status::CallsSwitchedOff, situation.all());
        }
        if situation.waiting.is_empty() {
            return self.close(Closing::Done);
        }
        let all_offered_were_heard = situation.in_call(true).next().is_none();
        match attempt.outcome {
            // What still waits came too late to be read. The person was reached, so it starts anew.
            Outcome::Answered if all_offered_were_heard => self.past = Past::default(),
            outcome => {
                if outcome.counts() {
                    self.past.attempts += 1;
                    self.past.setbacks = 0;
                } else {
                    self.past.setbacks += 1;
                }
                let retry_after = attempt.retry_after;
                self.past.last = Some(LastCall { outcome, ended: now, retry_after });
            }
        }
        match situation.policy.next_call(&self.past, situation.history, now) {
            Decision::Call { at, by } => {
                let why = by.wait();
                self.state = State::Waiting { due: at, why };
                let mut owed = not_reached(attempt, Some(at), situation.in_call(true));
                owed.extend(owe(Status::Waiting { call_at: at, why }, situation.in_call(false)));
                owed
            }
            Decision::Never(Never::AttemptsUsed | Never::WrongNumber)
                if !self.second && situation.second.is_some() =>
            {
                self.second = true;
                if let Some(second) = situation.second {
                    self.number.clone_from(second);
                }
                self.past = Past::default();
                self.state = State::Waiting { due: now, why: Wait::Retry };
                not_reached(attempt, Some(now), situation.all())
            }
            Decision::Never(never) => {
                self.state = State::Closed(never.into());
                not_reached(attempt, None, situation.all())
            }
        }
    }

    /// The call says nothing about the person or the trunk, so what is left waits as if there had been none.
    fn withdrawn(&mut self, situation: &Situation<'_>, now: Timestamp) -> Vec<(MessageId, Reply)> {
        if situation.waiting.is_empty() {
            return self.close(Closing::Done);
        }
        match situation.policy.next_call(&self.past, situation.history, now) {
            Decision::Call { at, by } => {
                let why = by.wait();
                self.state = State::Waiting { due: at, why };
                owe(Status::Waiting { call_at: at, why }, situation.all())
            }
            Decision::Never(never) => {
                self.state = State::Closed(never.into());
                owe(Status::Held, situation.all())
            }
        }
    }

    /// What a trunk has spoiled says nothing about the person, and less once it works again.
    fn forget_trunk_failures(&mut self) {
        if self.past.last.is_some_and(|last| last.outcome == Outcome::TrunkFailed) {
            (self.past.setbacks, self.past.last) = (0, None);
        }
    }

    fn close(&mut self, closing: Closing) -> Vec<(MessageId, Reply)> {
        self.state = State::Closed(closing);
        vec![]
    }
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A call is planned.
    Waiting {
        /// When it is due.
        due: Timestamp,
        /// What it waits for.
        why: Wait,
    },
    /// A call is being made.
    Calling {
        /// Which.
        attempt: AttemptId,
        /// When it counts as lost.
        lease_until: Timestamp,
    },
    /// Nothing more happens.
    Closed(Closing),
}

/// Why a notification was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// No message waits any longer: all were heard, answered, expired or set aside from calls.
    Done,
    /// The recipient came online.
    Online,
    /// `dial.attempts` calls did not reach the person. The messages stay held.
    GaveUp,
    /// The callee declined.
    Declined,
    /// There is nobody at the number.
    WrongNumber,
    /// The person has switched phone calls off.
    SwitchedOff,
    /// The person has no number any more, or one that may not be dialled.
    Unreachable,
}

impl From<Never> for Closing {
    fn from(never: Never) -> Self {
        match never {
            Never::NotAllowed | Never::NumberType(_) => Self::Unreachable,
            Never::AttemptsUsed => Self::GaveUp,
            Never::Declined => Self::Declined,
            Never::WrongNumber => Self::WrongNumber,
        }
    }
}

/// What happens to a notification.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LifecycleEvent<'a> {
    /// Another message was held for the recipient.
    Held(MessageId),
    /// The rules were asked: it is new, it is due, or the rules have changed.
    Planned(Decision),
    /// A call begins. The messages it reads are those marked in the situation.
    Claimed {
        /// The call.
        attempt: AttemptId,
        /// When it counts as lost.
        lease_until: Timestamp,
    },
    /// The call has come further.
    Progressed(Progress),
    /// A message that arrived during the call became part of it.
    Joined(MessageId),
    /// The call is over.
    Ended(&'a Attempt),
    /// The call was stopped while it rang, because what it was to read was retracted or corrected.
    Withdrawn,
    /// The trunk that spoiled the last call works again. [`LifecycleEvent::Planned`] must follow.
    TrunkWorks,
    /// The recipient is online.
    CameOnline,
    /// No message waits any longer.
    Emptied,
    /// The recipient wants no calls.
    SwitchedOff,
    /// The recipient cannot be phoned any more.
    Unreachable,
}

/// What surrounds a notification when something happens to it.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The messages that wait to be heard by phone, oldest first.
    pub waiting: &'a [Pending],
    /// The person's second number, if there is one.
    pub second: Option<&'a PhoneNumber>,
    /// What was called before.
    pub history: &'a History,
    /// The operator's rules.
    pub policy: &'a Policy,
}

impl Situation<'_> {
    fn all(&self) -> impl Iterator<Item = MessageId> {
        self.waiting.iter().map(|pending| pending.id)
    }

    fn in_call(&self, wanted: bool) -> impl Iterator<Item = MessageId> {
        self.waiting.iter().filter(move |p| p.in_call == wanted).map(|p| p.id)
    }
}

/// A message that waits to be heard by phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub id: MessageId,
    /// Whether it is part of the call that runs or has just ended.
    pub in_call: bool,
    /// A call that read it has broken off, and nothing has shown since that it is harmless.
    pub crash_suspect: bool,
}

impl Pending {
    /// A message that no call reads.
    pub fn of(id: MessageId) -> Self {
        Self { id, in_call: false, crash_suspect: false }
    }
}

impl Outcome {
    /// Tells whether a call with this outcome counts against the recipient.
    pub fn counts(self) -> bool {
        match self {
            Self::Answered | Self::Machine | Self::NoAnswer => true,
            Self::Busy | Self::Declined | Self::WrongNumber => true,
            Self::NotEncrypted | Self::NoSound => true,
            Self::TrunkFailed | Self::Cancelled | Self::Interrupted => false,
        }
    }
}

/// What is owed for messages that this call has not told. Of the one that it was reading aloud the beginning was heard.
fn not_reached(
    attempt: &Attempt,
    next: Option<Timestamp>,
    messages: impl Iterator<Item = MessageId>,
) -> Vec<(MessageId, Reply)> {
    let status = |message| match attempt.cut == Some(message) {
        true => Status::HeardInPart { next },
        false => Status::NotReached { outcome: attempt.outcome, next },
    };
    messages.map(|message| (message, Reply::Status(status(message)))).collect()
}

fn owe(status: Status, messages: impl IntoIterator<Item = MessageId>) -> Vec<(MessageId, Reply)> {
    messages.into_iter().map(|message| (message, Reply::Status(status))).collect()
}

#[cfg(test)]
mod tests;
