//! When to phone next, or not at all: the only place that decides retries, quiet hours and throttles.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use super::throttle::{Throttle, later};
use super::{Outcome, Wait};
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Quiet, Rule as SenderRule, Senders};

/// What the operator allows, from `[dial]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// From the first held message to the call (`wait_s`).
    pub wait: Duration,
    /// How long a phone may ring (`ring_s`).
    pub ring: Duration,
    /// Calls that may fail to reach the person before we stop (`attempts`).
    pub attempts: u32,
    /// From a busy line to the next call (`busy_retry_s`).
    pub busy_retry: Duration,
    /// From the first, second, … unanswered call to the next; the last one repeats (`no_answer_retry_s`).
    pub no_answer_retry: Vec<Duration>,
    /// How long a message is held (`keep_h`).
    pub keep: Duration,
    /// How long a recorded answer is kept (`voice_reply.keep_days`).
    pub keep_voice: Duration,
    /// Quiet hours of everyone who has not chosen their own (`quiet`).
    pub quiet: Quiet,
    /// Zone of everyone who has not chosen their own (`time_zone`).
    pub zone: TimeZone,
    /// Calls to one number (`throttle`).
    pub throttle: Vec<Throttle>,
    /// Calls that one sender can cause to one person (`sender_throttle`).
    pub sender_throttle: Vec<Throttle>,
    /// Calls of the whole component in any 24 hours (`calls_per_day_max`).
    pub calls_per_day_max: u32,
    /// Prefixes that may be dialled; nothing else ever is (`allow`).
    pub allow: Vec<String>,
    /// Prefixes within them that may not (`deny`).
    pub deny: Vec<String>,
    /// Who may make a phone ring unless the person says otherwise (`senders`).
    pub senders: Senders,
    /// The operator has stopped all calls for now.
    pub suspended: bool,
}

/// Who has written, as far as it decides whether a phone rings.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'s> {
    /// His address.
    pub jid: &'s BareJid,
    /// He is a contact of the recipient's.
    pub is_contact: bool,
    /// He says that he is a program (disco identity `client/bot`).
    pub is_program: bool,
    /// What the recipient has set for him.
    pub rule: Option<SenderRule>,
    /// Who may ring unless a rule says otherwise; `None` takes the operator's.
    pub wanted: Option<Senders>,
}

impl Default for Policy {
    /// The defaults of `component.toml`, in UTC, with no number allowed.
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(60),
            ring: Duration::from_secs(30),
            attempts: 3,
            busy_retry: Duration::from_secs(180),
            no_answer_retry: vec![Duration::from_secs(600), Duration::from_secs(1800)],
            keep: Duration::from_secs(72 * 3600),
            keep_voice: Duration::from_secs(30 * 24 * 3600),
            quiet: "21:00-08:00".parse().map_or(Quiet::Never, Quiet::Daily),
            zone: TimeZone::UTC,
            throttle: [(1, 60), (3, 900), (7, 3600), (15, 10_800)].map(Throttle::from).to_vec(),
            sender_throttle: vec![Throttle::from((3, 900))],
            calls_per_day_max: 200,
            allow: Vec::new(),
            deny: Vec::new(),
            senders: Senders::Domain,
            suspended: false,
        }
    }
}

impl Policy {
    /// Tells whether the operator lets this number be dialled at all.
    pub fn may_dial(&self, number: &PhoneNumber) -> bool {
        let listed = |prefixes: &[String]| prefixes.iter().any(|prefix| number.has_prefix(prefix));
        listed(&self.allow) && !listed(&self.deny)
    }

    /// Tells whether a message of this sender makes the phone ring; else it is only held.
    pub fn may_ring(&self, sender: &Sender<'_>, recipient: &BareJid) -> bool {
        match sender.rule {
            Some(SenderRule::Allow) => return true,
            Some(SenderRule::Block) => return false,
            None if sender.is_program => return false,
            None => {}
        }
        match sender.wanted.unwrap_or(self.senders) {
            Senders::Everyone => true,
            Senders::Contacts => sender.is_contact,
            Senders::Domain => sender.jid.domain() == recipient.domain(),
        }
    }

    /// Decides when to phone next. A call may start when the decision's `at` is not after `now`.
    ///
    /// Contract: `at` is never before `now`, never in quiet hours, never beyond a throttle; it does not
    ///           move back as `now` moves on, nor when a call is added to the history.
    pub fn next_call(&self, past: &Past, history: &History, now: Timestamp) -> Decision {
        self.rulings(past, history, now).1
    }

    /// Decides as [`Policy::next_call`] does and tells what each rule said, in order.
    pub fn rulings(
        &self,
        past: &Past,
        history: &History,
        now: Timestamp,
    ) -> (Vec<Ruling>, Decision) {
        let mut told = Vec::new();
        if let Some(never) = self.never(past, history) {
            told.push(Ruling { rule: Rule::Never(never), until: None });
            return (told, Decision::Never(never));
        }
        let (mut at, mut why) = (now, Wait::Gathering);
        for (rule, until) in self.bounds(past, history, now) {
            told.push(Ruling { rule, until });
            if let Some(until) = until.filter(|until| *until > at) {
                (at, why) = (until, rule.wait());
            }
        }
        let quiet_until = self.quiet_until(history, at);
        told.push(Ruling { rule: Rule::Quiet, until: quiet_until });
        if let Some(until) = quiet_until {
            (at, why) = (until, Wait::Quiet);
        }
        (told, Decision::Call { at, why })
    }

    fn never(&self, past: &Past, history: &History) -> Option<Never> {
        match past.last.map(|call| call.outcome) {
            _ if history.number.as_ref().is_some_and(|number| !self.may_dial(number)) => {
                Some(Never::NotAllowed)
            }
            Some(Outcome::Declined) => Some(Never::Declined),
            Some(Outcome::WrongNumber) => Some(Never::WrongNumber),
            _ if past.attempts >= self.attempts => Some(Never::AttemptsUsed),
            _ => None,
        }
    }

    /// What each rule but the quiet hours asks for. All of these hold for any later time too.
    fn bounds(
        &self,
        past: &Past,
        history: &History,
        now: Timestamp,
    ) -> Vec<(Rule, Option<Timestamp>)> {
        // What is dated after now was written before the clock was set back, and says nothing about how long ago it was.
        let since = |at: Timestamp, pause| (at <= now).then(|| later(at, pause));
        let retry = past.last.and_then(|call| since(call.ended, self.pause(past, &call)));
        let mut bounds = vec![
            (Rule::Gathering, since(history.gathering_since, self.wait)),
            (Rule::Retry, retry),
        ];
        bounds.extend(
            self.throttle.iter().map(|t| (Rule::Throttle(*t), t.free_at(&history.calls, now))),
        );
        bounds.extend(self.sender_throttle.iter().map(|throttle| {
            // One sender with calls left is enough: the call is for his message, and the others are read on the way.
            let free = history.calls_by_sender.iter().map(|calls| throttle.free_at(calls, now));
            (Rule::SenderThrottle(*throttle), free.min().flatten())
        }));
        let day = Throttle { calls: self.calls_per_day_max.max(1), span: DAY };
        let day_over = history.day_filled_at.and_then(|filled_at| day.free_after(filled_at, now));
        bounds.push((Rule::Day(self.calls_per_day_max), day_over));
        bounds
    }

    fn pause(&self, past: &Past, last: &Last) -> Duration {
        let pause = match last.outcome {
            Outcome::Busy => self.busy_retry,
            Outcome::TrunkFailed | Outcome::Interrupted | Outcome::Cancelled => {
                SETBACK_PAUSE_MAX.min(SETBACK_PAUSE * (1 << past.setbacks.clamp(1, 6).abs_diff(1)))
            }
            Outcome::Answered
            | Outcome::Machine
            | Outcome::NoAnswer
            | Outcome::Declined
            | Outcome::WrongNumber
            | Outcome::NotEncrypted => {
                let nth = (past.attempts.max(1) - 1) as usize;
                let pauses = &self.no_answer_retry;
                pauses.get(nth).or(pauses.last()).copied().unwrap_or(SETBACK_PAUSE)
            }
        };
        pause.max(last.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }

    fn quiet_until(&self, history: &History, from: Timestamp) -> Option<Timestamp> {
        let Quiet::Daily(hours) = history.quiet.unwrap_or(self.quiet) else { return None };
        let zone = history.zone.as_ref().unwrap_or(&self.zone);
        let mut at = from;
        // The end of one quiet span may lie in the span again where the clock is set back: a minute on, we ask again.
        for _ in 0..MINUTES_PER_DAY {
            let Some(end) = hours.end_after(at, zone) else { break };
            at = end;
        }
        (at > from).then_some(at)
    }
}

/// The calls of one notification so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Calls that count against the recipient.
    pub attempts: u32,
    /// Calls since then, one after the other, that do not.
    pub setbacks: u32,
    /// The last call.
    pub last: Option<Last>,
}

/// How the last call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// What became of it.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Timestamp,
    /// What the far end asked for.
    pub retry_after: Option<Duration>,
}

/// What the rules must know about the world around one notification.
///
/// Contract: lists of calls hold when each call was started, oldest first, with every call whose INVITE may have left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Where the call would go; `None` leaves the question of allowed numbers out.
    pub number: Option<PhoneNumber>,
    /// When the oldest message that waits for the call was received.
    pub gathering_since: Timestamp,
    /// The person's own quiet hours, if chosen.
    pub quiet: Option<Quiet>,
    /// The person's own zone, if chosen.
    pub zone: Option<TimeZone>,
    /// Calls to the number.
    pub calls: Vec<Timestamp>,
    /// For each sender of a waiting message: calls to this person that read a message of his.
    pub calls_by_sender: Vec<Vec<Timestamp>>,
    /// When the call of the whole component was started that is the `calls_per_day_max`th from the last;
    /// `None` while there were fewer in the last 24 hours.
    pub day_filled_at: Option<Timestamp>,
}

/// When to phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Phone at `at`, or now when that is not in the future.
    Call {
        /// The earliest time.
        at: Timestamp,
        /// The rule that decided it.
        why: Wait,
    },
    /// Do not phone about these messages again.
    Never(Never),
}

/// Why there is no further call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    /// The number is outside `dial.allow` or inside `dial.deny`.
    NotAllowed,
    /// `dial.attempts` calls did not reach the person.
    AttemptsUsed,
    /// The callee declined.
    Declined,
    /// There is nobody at the number.
    WrongNumber,
}

/// What one rule said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule.
    pub rule: Rule,
    /// Until when it forbids the call; `None` or a past time: it does not.
    pub until: Option<Timestamp>,
}

/// The rules, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Something forbids the call for good.
    Never(Never),
    /// `dial.wait_s`.
    Gathering,
    /// The pause after the last call.
    Retry,
    /// One of `dial.throttle`.
    Throttle(Throttle),
    /// One of `dial.sender_throttle`.
    SenderThrottle(Throttle),
    /// `dial.calls_per_day_max`.
    Day(u32),
    /// The quiet hours.
    Quiet,
}

impl Rule {
    fn wait(self) -> Wait {
        match self {
            Self::Never(_) | Self::Gathering => Wait::Gathering,
            Self::Retry => Wait::Retry,
            Self::Throttle(_) | Self::SenderThrottle(_) | Self::Day(_) => Wait::Throttled,
            Self::Quiet => Wait::Quiet,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never(Never::NotAllowed) => {
                write!(f, "number outside dial.allow or in dial.deny")
            }
            Self::Never(Never::AttemptsUsed) => write!(f, "dial.attempts used up"),
            Self::Never(Never::Declined) => write!(f, "callee declined"),
            Self::Never(Never::WrongNumber) => write!(f, "nobody at this number"),
            Self::Gathering => write!(f, "dial.wait_s"),
            Self::Retry => write!(f, "pause after the last call"),
            Self::Throttle(throttle) => write!(f, "dial.throttle {throttle}"),
            Self::SenderThrottle(throttle) => write!(f, "dial.sender_throttle {throttle}"),
            Self::Day(max) => write!(f, "dial.calls_per_day_max {max}"),
            Self::Quiet => write!(f, "quiet hours"),
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTES_PER_DAY: u32 = 24 * 60;
/// After a call that our side spoiled: a minute, twice that after the next, and so on.
const SETBACK_PAUSE: Duration = Duration::from_secs(60);
const SETBACK_PAUSE_MAX: Duration = Duration::from_secs(30 * 60);
/// No far end silences us for longer than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
