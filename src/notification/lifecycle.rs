//! The life of a notification: one event gives a new value and what is owed. It exists once, here.

use std::time::Duration;

use jiff::Timestamp;
use xmpp_parsers::jid::BareJid;

use super::policy::{History, Policy, Slot};
use super::{Attempt, AttemptId, NotificationId, Outcome, Progress, Reply, Status, Wait};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// One recipient's need to be phoned. At most one is open per recipient; it covers all messages they have not heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Its name in the store.
    pub id: NotificationId,
    /// Whom to phone.
    pub recipient: BareJid,
    /// Where.
    pub number: PhoneNumber,
    /// What it is about to do.
    pub state: State,
    /// Calls so far that count against `dial.attempts`.
    pub attempts: u32,
    /// Calls in a row that the trunk or we ourselves have spoilt.
    pub troubles: u32,
    /// Counts changes, so that a stale write is noticed.
    pub version: u64,
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The phone rings at the slot at the earliest.
    Waiting(Slot),
    /// A call is being made; without a word from it until `lease_until` it counts as interrupted.
    Calling {
        /// The call.
        attempt: AttemptId,
        /// When the claim runs out.
        lease_until: Timestamp,
    },
    /// Nothing more happens.
    Closed(Closing),
}

/// Why a notification is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Every message was heard.
    Heard,
    /// The recipient came online.
    CameOnline,
    /// The last call that the policy allows was not answered, or the number is of no use.
    GaveUp,
    /// The recipient wants no calls.
    SwitchedOff,
    /// Nothing is left to tell: the messages were withdrawn, expired or set aside.
    NothingLeft,
}

/// What happens to a notification.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// One more message waits.
    MessageHeld,
    /// The dialer wants to call now, as this attempt.
    Claimed(AttemptId),
    /// The call has come this far.
    Progressed(AttemptId, Progress),
    /// The call is over, and this many messages are still unheard.
    CallEnded {
        /// The call.
        id: AttemptId,
        /// What became of it.
        attempt: &'a Attempt,
        /// Messages nobody has heard yet.
        unheard: usize,
    },
    /// The recipient can read chat again.
    CameOnline,
    /// The recipient has switched calls off in the chat.
    SwitchedOff,
    /// The recipient has switched calls off on the phone (9, then 9).
    StoppedByPhone,
    /// No unheard message is left.
    NothingLeft,
}

/// By what an event is judged.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The operator's rules.
    pub policy: &'a Policy,
    /// The recipient's settings.
    pub person: &'a Subscriber,
    /// Calls made before.
    pub history: &'a History,
}

/// Something owed because of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// To the sender of the message that has just been held.
    NewMessage(Status),
    /// To the sender of each message that is still unheard.
    Unheard(Status),
    /// To the recipient.
    Recipient(Reply),
}

impl Notification {
    /// Opens one for a message that has just been held.
    pub fn open(
        id: NotificationId,
        number: PhoneNumber,
        now: Timestamp,
        rules: &Rules<'_>,
    ) -> (Self, Vec<Notice>) {
        let slot = rules.slot(now, rules.policy.wait, Wait::Gathering);
        let notification = Self {
            id,
            recipient: rules.person.jid.clone(),
            number,
            state: State::Waiting(slot),
            attempts: 0,
            troubles: 0,
            version: 0,
        };
        (notification, vec![Notice::NewMessage(waiting(slot))])
    }

    /// Whether anything can still happen.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Takes one event and tells what is owed because of it. Events that come too late change nothing.
    pub fn apply(&mut self, event: Event<'_>, now: Timestamp, rules: &Rules<'_>) -> Vec<Notice> {
        use Closing::{CameOnline, NothingLeft, SwitchedOff};
        use State::{Calling, Closed, Waiting};
        let (state, notices) = match (event, self.state) {
            (_, Closed(_)) => return vec![],
            (Event::MessageHeld, Waiting(slot)) => {
                (Waiting(slot), vec![Notice::NewMessage(waiting(slot))])
            }
            (Event::MessageHeld, calling @ Calling { .. }) => {
                (calling, vec![Notice::NewMessage(Status::Calling)])
            }
            (Event::Claimed(attempt), Waiting(slot)) => self.claim(attempt, slot, now, rules),
            (Event::Progressed(id, progress), Calling { attempt, .. }) if id == attempt => {
                let status = match progress {
                    Progress::Ringing => Status::Ringing,
                    Progress::Answered => Status::Answered,
                };
                (self.state, vec![Notice::Unheard(status)])
            }
            (Event::CallEnded { id, attempt, unheard }, Calling { attempt: live, .. })
                if id == live =>
            {
                self.end(attempt, unheard, now, rules)
            }
            (Event::CameOnline, Waiting(_) | Calling { .. }) => (Closed(CameOnline), vec![]),
            (Event::SwitchedOff, Waiting(_) | Calling { .. }) => {
                (Closed(SwitchedOff), vec![Notice::Unheard(Status::CallsSwitchedOff)])
            }
            (Event::StoppedByPhone, Waiting(_) | Calling { .. }) => {
                let notices = vec![
                    Notice::Unheard(Status::CallsSwitchedOff),
                    Notice::Recipient(Reply::CallsSwitchedOff),
                ];
                (Closed(SwitchedOff), notices)
            }
            (Event::NothingLeft, Waiting(_) | Calling { .. }) => (Closed(NothingLeft), vec![]),
            (Event::Claimed(_), Calling { .. })
            | (Event::Progressed(..) | Event::CallEnded { .. }, Waiting(_) | Calling { .. }) => {
                return vec![];
            }
        };
        self.state = state;
        self.version += 1;
        notices
    }

    /// The rules are asked again in the instant before the call: hours may have turned quiet, calls may have been made since.
    fn claim(
        &self,
        attempt: AttemptId,
        slot: Slot,
        now: Timestamp,
        rules: &Rules<'_>,
    ) -> (State, Vec<Notice>) {
        let allowed = rules.policy.next_call(
            Slot { at: slot.at.max(now), ..slot },
            rules.person,
            rules.history,
        );
        if allowed.at > now {
            let known = allowed.at == slot.at;
            let notices = if known { vec![] } else { vec![Notice::Unheard(waiting(allowed))] };
            return (State::Waiting(allowed), notices);
        }
        let lease_until =
            now.saturating_add(jiff::SignedDuration::from_secs(LEASE.as_secs().cast_signed()));
        let lease_until = lease_until.unwrap_or(Timestamp::MAX);
        (State::Calling { attempt, lease_until }, vec![Notice::Unheard(Status::Calling)])
    }

    fn end(
        &mut self,
        attempt: &Attempt,
        unheard: usize,
        now: Timestamp,
        rules: &Rules<'_>,
    ) -> (State, Vec<Notice>) {
        let outcome = attempt.outcome;
        match outcome {
            Outcome::TrunkFailed | Outcome::Interrupted => self.troubles += 1,
            Outcome::Cancelled => {}
            Outcome::Answered
            | Outcome::NoAnswer
            | Outcome::Busy
            | Outcome::Declined
            | Outcome::WrongNumber => {
                self.attempts += 1;
                self.troubles = 0;
            }
        }

        if unheard == 0 {
            return (State::Closed(Closing::Heard), vec![]);
        }
        if outcome == Outcome::Cancelled {
            return (State::Closed(Closing::CameOnline), vec![]);
        }
        match rules.policy.retry(outcome, self.attempts, self.troubles) {
            Some(pause) => {
                let pause = pause.max(attempt.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
                let slot = rules.slot(now, pause, Wait::Retry);
                let told = Status::NotReached { outcome, next: Some(slot.at) };
                (State::Waiting(slot), vec![Notice::Unheard(told)])
            }
            None => {
                let told = Status::NotReached { outcome, next: None };
                (State::Closed(Closing::GaveUp), vec![Notice::Unheard(told)])
            }
        }
    }
}

impl Rules<'_> {
    fn slot(&self, now: Timestamp, pause: Duration, why: Wait) -> Slot {
        let wish = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.policy.next_call(Slot { at: wish, why }, self.person, self.history)
    }
}

fn waiting(slot: Slot) -> Status {
    Status::Waiting { call_at: slot.at, why: slot.why }
}

/// How long a call may go without being settled: far more than `dial.call_s_max` allows, far less than a day.
pub const LEASE: Duration = Duration::from_secs(600);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriber::{Quiet, WhenOffline};
    use jiff::tz::TimeZone;

    fn ended(outcome: Outcome) -> Attempt {
        Attempt {
            outcome,
            status: None,
            rang: Duration::ZERO,
            talked: Duration::ZERO,
            sip_call_id: String::new(),
            trunk: String::new(),
            retry_after: None,
        }
    }

    /// Plays a line of events, one a minute: `m` a message, `c` claimed, `r` rings, `a` answered; the call ends
    /// `h` all heard, `n` no answer, `b` busy, `d` declined, `w` wrong number, `t` trunk, `i` interrupted,
    /// `u` hung up with one unheard, `x` cancelled; `9` stop; `o` came online.
    fn play(line: &str) -> String {
        let policy = Policy {
            wait: Duration::ZERO,
            attempts: 2,
            busy_retry: Duration::from_secs(60),
            no_answer_retry: vec![Duration::from_secs(60)],
            keep: Duration::from_secs(3600),
            quiet: Quiet::Never,
            time_zone: TimeZone::UTC,
            throttle: vec![],
            sender_throttle: vec![],
            calls_per_day_max: 100,
            senders: crate::notification::policy::Senders::Everyone,
        };
        let person = Subscriber {
            jid: "bob@example.org".parse().unwrap(),
            name: "Bob".into(),
            number: None,
            offline: WhenOffline::Phone,
            language: None,
            quiet: None,
            time_zone: None,
        };
        let rules = Rules { policy: &policy, person: &person, history: &History::default() };
        let mut now = Timestamp::from_second(1_790_000_000).unwrap();
        let number = "+81312345678".parse().unwrap();
        let (mut one, mut told) = Notification::open(NotificationId(1), number, now, &rules);
        let id = AttemptId(7);
        for step in line.chars() {
            now += jiff::SignedDuration::from_secs(60);
            let end = |outcome, unheard| (ended(outcome), unheard);
            let (attempt, unheard) = match step {
                'm' | 'c' | 'r' | 'a' | 'o' | '9' => {
                    let event = match step {
                        'm' => Event::MessageHeld,
                        'c' => Event::Claimed(id),
                        'r' => Event::Progressed(id, Progress::Ringing),
                        'a' => Event::Progressed(id, Progress::Answered),
                        '9' => Event::StoppedByPhone,
                        _ => Event::CameOnline,
                    };
                    told.extend(one.apply(event, now, &rules));
                    continue;
                }
                'h' => end(Outcome::Answered, 0),
                'n' => end(Outcome::NoAnswer, 1),
                'b' => end(Outcome::Busy, 1),
                'd' => end(Outcome::Declined, 1),
                'w' => end(Outcome::WrongNumber, 1),
                't' => end(Outcome::TrunkFailed, 1),
                'i' => end(Outcome::Interrupted, 1),
                'u' => end(Outcome::Answered, 1),
                'x' => end(Outcome::Cancelled, 1),
                other => panic!("{other} is no event"),
            };
            told.extend(one.apply(
                Event::CallEnded { id, attempt: &attempt, unheard },
                now,
                &rules,
            ));
        }
        let told: Vec<_> = told
            .iter()
            .map(|notice| match notice {
                Notice::NewMessage(Status::Waiting { .. }) => "waits".into(),
                Notice::NewMessage(status) | Notice::Unheard(status) => match status {
                    Status::NotReached { outcome, next } => {
                        format!("{outcome:?}{}", if next.is_some() { ",again" } else { ",never" })
                    }
                    other => format!("{other:?}"),
                },
                Notice::Recipient(reply) => format!("to Bob: {reply:?}"),
            })
            .collect();
        let state = match one.state {
            State::Waiting(_) => "waiting".into(),
            State::Calling { .. } => "calling".into(),
            State::Closed(closing) => format!("{closing:?}"),
        };
        format!("{} | {state}", told.join(" "))
    }

    #[test]
    fn each_event_leads_where_the_sender_is_told() {
        let cases = [
            ("", "waits | waiting"),
            ("m", "waits waits | waiting"),
            ("crah", "waits Calling Ringing Answered | Heard"),
            ("crm", "waits Calling Ringing Calling | calling"),
            (
                "crncrn",
                "waits Calling Ringing NoAnswer,again Calling Ringing NoAnswer,never | GaveUp",
            ),
            ("cbcb", "waits Calling Busy,again Calling Busy,never | GaveUp"),
            ("cd", "waits Calling Declined,never | GaveUp"),
            ("cw", "waits Calling WrongNumber,never | GaveUp"),
            ("ctctct", "waits Calling TrunkFailed,again Calling TrunkFailed,again | waiting"),
            ("ci", "waits Calling Interrupted,again | waiting"),
            ("crau", "waits Calling Ringing Answered Answered,again | waiting"),
            ("cro", "waits Calling Ringing | CameOnline"),
            ("crox", "waits Calling Ringing | CameOnline"),
            ("crx", "waits Calling Ringing | CameOnline"),
            (
                "cra9h",
                "waits Calling Ringing Answered CallsSwitchedOff to Bob: CallsSwitchedOff | SwitchedOff",
            ),
            ("o", "waits | CameOnline"),
            ("ocm", "waits | CameOnline"),
            ("rn", "waits | waiting"),
            ("cc", "waits Calling | calling"),
        ];
        for (line, expected) in cases {
            assert_eq!(play(line), expected, "after {line:?}");
        }
    }
}
