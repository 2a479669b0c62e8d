//! May the phone ring for a message, and when: the one list of rules.
//!
//! Holding a message, claiming a call, `offhook explain`, `offhook held` and `offhook trace` all walk this list.
//! First the rules about people, which need no history; then the rules of time, of which the latest time counts.

mod description;
mod retry;
mod sender;
mod time;

pub use retry::{LastCall, Past, RetryPauses};
pub use sender::{Sender, SenderBasis};
pub use time::{Decision, History, Never};

use jiff::Timestamp;

use super::policy::Policy;
use super::verification::NumberSlot;
use super::{Throttle, Wait};
use crate::phone_number::{NumberType, PhoneNumber};
use crate::subscriber::{Subscriber, WhenOffline};

/// What the rules about people must know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Who is to be phoned; `None` for somebody unknown here.
    pub callee: Option<&'f Subscriber>,
    /// Which of the callee's numbers is being phoned.
    pub slot: NumberSlot,
    /// Who has written; `None` leaves the rules for senders out, as the waiting messages have passed them.
    pub sender: Option<Sender<'f>>,
    /// A call with this number or person is on the line.
    pub on_the_line: bool,
    /// What is planned for earlier messages.
    pub plan: Plan,
}

impl<'f> Facts<'f> {
    /// The number that would be phoned.
    pub fn number(&self) -> Option<&'f PhoneNumber> {
        let callee = self.callee?;
        let second = callee.second.as_ref().filter(|_| self.slot == NumberSlot::Second);
        second.or(callee.number.as_ref())
    }
}

/// What is planned for the earlier messages of the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// No call, or one whose time is asked for anew.
    Open,
    /// A call at this time. A further message is part of it.
    Call {
        /// When it is due.
        due: Timestamp,
        /// What it waits for.
        why: Wait,
    },
    /// A call is being made. A further message may still become part of it.
    Calling,
}

/// What all rules together say.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What each rule said, in order. After a refusal no later rule is asked.
    pub rulings: Vec<Ruling>,
    /// What follows.
    pub call: Call,
}

/// What follows for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// No call is made: this rule refuses it.
    Refused(Rule),
    /// The call that is being made may read it.
    Joins,
    /// The phone rings at `at`, or now when that is not in the future and nothing has stopped the calls.
    At {
        /// The earliest time.
        at: Timestamp,
        /// The rule that decided it.
        by: Rule,
    },
}

impl Judgement {
    /// Walks the rules. `history` is asked for only if it decides something.
    pub fn of<E>(
        policy: &Policy,
        facts: &Facts<'_>,
        history: impl FnOnce() -> Result<(Past, History), E>,
        now: Timestamp,
    ) -> Result<Self, E> {
        let mut rulings = about_people(policy, facts);
        let refusal = rulings.iter().find(|it| it.verdict == Verdict::Never).map(|it| it.rule);
        let stopped = rulings.iter().any(|it| it.verdict == Verdict::Stopped);
        let call = match (refusal, facts.plan) {
            (Some(rule), _) => Call::Refused(rule),
            (None, Plan::Calling) => {
                rulings.push(Ruling { rule: Rule::Calling, verdict: Verdict::Pass });
                Call::Joins
            }
            // A call that is due is judged anew when it is claimed, which it cannot be while calls are stopped.
            (None, Plan::Call { due, why }) if due > now || stopped => {
                let by = Rule::Planned(why);
                rulings.push(Ruling { rule: by, verdict: Verdict::Until(due) });
                Call::At { at: due, by }
            }
            (None, Plan::Open | Plan::Call { .. }) => {
                let (past, history) = history()?;
                let (asked, decision) = policy.rulings(&past, &history, now);
                rulings.extend(asked);
                match decision {
                    Decision::Call { at, by } => Call::At { at, by },
                    Decision::Never(never) => Call::Refused(Rule::Never(never)),
                }
            }
        };
        Ok(Self { rulings, call })
    }

    /// The rule that keeps the phone from ringing now, if one does.
    pub fn keeper(&self, now: Timestamp) -> Option<Ruling> {
        let stopped = self.rulings.iter().find(|it| it.verdict == Verdict::Stopped).copied();
        match self.call {
            Call::Refused(rule) => Some(Ruling { rule, verdict: Verdict::Never }),
            Call::Joins => None,
            Call::At { .. } if stopped.is_some() => stopped,
            Call::At { at, by } => {
                (at > now).then_some(Ruling { rule: by, verdict: Verdict::Until(at) })
            }
        }
    }

    /// Tells whether the sender may not make this phone ring, whatever else holds.
    pub fn refuses_sender(&self) -> bool {
        let refuses = |it: &Ruling| it.verdict == Verdict::Never;
        self.rulings.iter().any(|it| matches!(it.rule, Rule::Sender(_)) && refuses(it))
    }

    /// Tells whether calls are stopped for now: no call can be claimed whatever its time.
    pub fn is_stopped(&self) -> bool {
        self.rulings.iter().any(|it| it.verdict == Verdict::Stopped)
    }
}

/// What one rule said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule, with the value that decided.
    pub rule: Rule,
    /// Its verdict.
    pub verdict: Verdict,
}

/// What a rule may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The phone may ring.
    Pass,
    /// Not before this time; a past time forbids nothing.
    Until(Timestamp),
    /// Not for now; when that ends is not known.
    Stopped,
    /// No call is made for this message.
    Never,
}

/// The rules, in the order in which they are asked, each with the value that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The recipient can be phoned at all: configured or registered.
    Person {
        /// Whether they are known here.
        known: bool,
    },
    /// What the person has chosen for messages that come while they are offline.
    Offline(WhenOffline),
    /// The person has a number.
    Number {
        /// Whether one is set.
        set: bool,
    },
    /// Who may make this phone ring.
    Sender(SenderBasis),
    /// The operator has stopped all calls.
    Suspended(bool),
    /// One call at a time with a number or a person.
    OnTheLine(bool),
    /// The call that is being made.
    Calling,
    /// The call that is planned for earlier messages.
    Planned(Wait),
    /// `dial.allow` and `dial.deny`: the number may be dialled.
    Allowed,
    /// `dial.types`: the sort of number may be dialled.
    NumberType(NumberType),
    /// `dial.attempts`: calls so far, and how many may fail.
    Attempts {
        /// Calls that did not reach the person.
        used: u32,
        /// How many may.
        max: u32,
    },
    /// Something forbids any further call.
    Never(Never),
    /// `dial.wait_s`.
    Gathering,
    /// The pause after the last call.
    Retry,
    /// One of `dial.throttle`.
    Throttle(Throttle),
    /// One of `dial.sender_throttle`.
    SenderThrottle(Throttle),
    /// One of `dial.sender_calls`.
    SenderCalls(Throttle),
    /// The calls of `dial.calls_per_day_max` that one sender may cause.
    SenderShare(u32),
    /// People whom one sender may make ring for the first time in a day.
    NewRecipients(u32),
    /// `dial.calls_per_day_max`.
    Day(u32),
    /// `dial.minutes_per_day_max`.
    Minutes(u32),
    /// `calls_per_day_max` of a `[[dial.country]]`.
    CountryCalls(u32),
    /// `minutes_per_day_max` of a `[[dial.country]]`.
    CountryMinutes(u32),
    /// The quiet hours.
    Quiet,
}

impl Rule {
    /// What the sender reads about it.
    pub fn wait(self) -> Wait {
        match self {
            Self::Throttle(_)
            | Self::SenderThrottle(_)
            | Self::SenderCalls(_)
            | Self::SenderShare(_)
            | Self::NewRecipients(_)
            | Self::Day(_)
            | Self::Minutes(_)
            | Self::CountryCalls(_)
            | Self::CountryMinutes(_) => Wait::Throttled,
            Self::Retry => Wait::Retry,
            Self::Quiet => Wait::Quiet,
            Self::Planned(why) => why,
            Self::Person { .. }
            | Self::Offline(_)
            | Self::Number { .. }
            | Self::Sender(_)
            | Self::Suspended(_)
            | Self::OnTheLine(_)
            | Self::Calling
            | Self::Allowed
            | Self::NumberType(_)
            | Self::Attempts { .. }
            | Self::Never(_)
            | Self::Gathering => Wait::Gathering,
        }
    }
}

/// The rules that need no history.
fn about_people(policy: &Policy, facts: &Facts<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::with_capacity(16);
    let mut ask = |rule, passes, otherwise| {
        rulings.push(Ruling { rule, verdict: if passes { Verdict::Pass } else { otherwise } });
    };
    let known = facts.callee.is_some();
    ask(Rule::Person { known }, known, Verdict::Never);
    if let Some(callee) = facts.callee {
        let phones = callee.offline == WhenOffline::Phone;
        ask(Rule::Offline(callee.offline), phones, Verdict::Never);
        let set = facts.number().is_some();
        ask(Rule::Number { set }, set, Verdict::Never);
    }
    if let Some(sender) = &facts.sender {
        let wanted = facts.callee.and_then(|callee| callee.senders).unwrap_or(policy.senders);
        let basis = sender.basis(wanted);
        ask(Rule::Sender(basis), basis.may_ring(), basis.refusal());
    }
    if known {
        ask(Rule::Suspended(policy.suspended), !policy.suspended, Verdict::Stopped);
        if facts.plan != Plan::Calling {
            ask(Rule::OnTheLine(facts.on_the_line), !facts.on_the_line, Verdict::Stopped);
        }
    }
    rulings
}

#[cfg(test)]
mod tests;
