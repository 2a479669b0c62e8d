use std::time::Duration;

use super::*;

/// One notification, its messages, and the time, which goes on by a second with each step and
/// jumps to the planned time with each claim.
struct Play {
    notification: Notification,
    waiting: Vec<Pending>,
    history: History,
    policy: Policy,
    now: Timestamp,
    messages: i64,
    told: Vec<String>,
}

impl Play {
    fn new() -> Self {
        let (recipient, number) = ("bob@example.org".parse(), "+81378901111".parse());
        let now = Timestamp::UNIX_EPOCH;
        let policy = Policy {
            quiet: crate::subscriber::Quiet::Never,
            throttle: vec![],
            sender_throttle: vec![],
            sender_calls: vec![],
            allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
            ..Policy::default()
        };
        let notification =
            Notification::open(NotificationId(1), recipient.unwrap(), number.unwrap(), now);
        let history = History { gathering_since: now, ..History::default() };
        let mut play =
            Self { notification, waiting: vec![], history, policy, now, messages: 0, told: vec![] };
        play.step('m');
        let decision = play.policy.next_call(&Past::default(), &play.history, play.now);
        play.apply(LifecycleEvent::Planned(decision));
        play.told.clear();
        play
    }

    fn step(&mut self, step: char) {
        self.now += Duration::from_secs(1);
        match step {
            'm' => {
                self.messages += 1;
                let id = MessageId(self.messages);
                self.waiting.push(Pending::of(id));
                self.apply(LifecycleEvent::Held(id));
            }
            'c' => {
                if let State::Waiting { due, .. } = self.notification.state {
                    self.now = self.now.max(due);
                }
                self.waiting.iter_mut().for_each(|p| p.in_call = true);
                let lease_until = self.now + Duration::from_secs(600);
                self.apply(LifecycleEvent::Claimed { attempt: AttemptId(1), lease_until });
            }
            'r' => self.apply(LifecycleEvent::Progressed(Progress::Ringing)),
            'a' => self.apply(LifecycleEvent::Progressed(Progress::Answered)),
            'j' => {
                let Some(late) = self.waiting.iter_mut().find(|p| !p.in_call) else { return };
                late.in_call = true;
                let id = late.id;
                self.apply(LifecycleEvent::Joined(id));
            }
            'h' => drop(self.waiting.remove(0)),
            'o' => self.apply(LifecycleEvent::CameOnline),
            'f' => self.apply(LifecycleEvent::SwitchedOff),
            'u' => self.apply(LifecycleEvent::Unreachable),
            ended => self.end(ended),
        }
    }

    fn end(&mut self, step: char) {
        let outcome = match step {
            'A' | 'S' | 'P' => Outcome::Answered,
            'N' => Outcome::NoAnswer,
            'B' => Outcome::Busy,
            'D' => Outcome::Declined,
            'W' => Outcome::WrongNumber,
            'T' => Outcome::TrunkFailed,
            'X' => Outcome::Cancelled,
            _ => Outcome::Interrupted,
        };
        let cut = self.waiting.first().filter(|_| step == 'P').map(|first| first.id);
        let attempt = Attempt { stop_calls: step == 'S', cut, ..Attempt::without_invite(outcome) };
        self.apply(LifecycleEvent::Ended(&attempt));
    }

    fn apply(&mut self, event: LifecycleEvent<'_>) {
        let Self { notification, waiting, history, policy, now, .. } = self;
        let situation = Situation { waiting, second: None, history, policy };
        for (message, reply) in notification.apply(event, &situation, *now) {
            let Reply::Status(status) = reply else { unreachable!("a call owes statuses only") };
            let says = match status {
                Status::Waiting { call_at, why } => format!("{why:?}+{}", self.until(call_at)),
                Status::NotReached { outcome, next: Some(next) } => {
                    format!("{outcome:?}+{}", self.until(next))
                }
                Status::NotReached { outcome, next: None } => format!("{outcome:?}"),
                Status::HeardInPart { next } => {
                    format!("Part+{}", next.map_or(0, |next| self.until(next)))
                }
                other => format!("{other:?}"),
            };
            self.told.push(format!("{}:{says}", message.0));
        }
    }

    fn until(&self, at: Timestamp) -> i64 {
        (at - self.now).get_seconds()
    }

    fn state(&self) -> String {
        match self.notification.state {
            State::Waiting { .. } => "waiting".to_owned(),
            State::Calling { .. } => "calling".to_owned(),
            State::Closed(closing) => format!("{closing:?}"),
        }
    }
}

#[test]
fn a_notification_lives_until_its_messages_are_told_or_given_up() {
    // m message held, c call claimed, r rings, a answered, h oldest heard, j late one joins the call.
    // How the call ends: A answered, N no answer, B busy, D declined, W wrong number, T trunk failed, X cancelled,
    // I interrupted, S answered and 9 9 pressed,
    // P answered and ended while the first message was read. o came online, f switched off, u lost the number.
    let cases = [
        ("is heard", "crahA", "Done", "1:Calling 1:Ringing 1:Answered"),
        ("comes while another waits", "m", "waiting", "2:Gathering+58"),
        (
            "comes while it rings and joins",
            "crmajhhA",
            "Done",
            "1:Calling 1:Ringing 2:Calling 1:Answered 2:Answered",
        ),
        (
            "comes too late to join",
            "cahmA",
            "waiting",
            "1:Calling 1:Answered 2:Calling 2:Gathering+0",
        ),
        (
            "is cut short",
            "cmajhA",
            "waiting",
            "1:Calling 2:Calling 1:Answered 2:Answered 2:Answered+600",
        ),
        ("is heard in part", "caP", "waiting", "1:Calling 1:Answered 1:Part+600"),
        (
            "is heard in part before another",
            "cmajP",
            "waiting",
            "1:Calling 2:Calling 1:Answered 2:Answered 1:Part+600 2:Answered+600",
        ),
        ("finds a busy line", "cB", "waiting", "1:Calling 1:Busy+180"),
        (
            "is answered by nobody, three times",
            "cNcNcN",
            "GaveUp",
            "1:Calling 1:NoAnswer+600 1:Calling 1:NoAnswer+1800 1:Calling 1:NoAnswer",
        ),
        (
            "finds busy, then nobody",
            "cBcN",
            "waiting",
            "1:Calling 1:Busy+180 1:Calling 1:NoAnswer+1800",
        ),
        ("is declined", "cmD", "Declined", "1:Calling 2:Calling 1:Declined 2:Declined"),
        ("reaches no number", "cW", "WrongNumber", "1:Calling 1:WrongNumber"),
        (
            "meets a broken trunk again and again",
            "cTcTcTcTcTcTcT",
            "waiting",
            "1:Calling 1:TrunkFailed+60 1:Calling 1:TrunkFailed+120 1:Calling 1:TrunkFailed+240 \
             1:Calling 1:TrunkFailed+480 1:Calling 1:TrunkFailed+960 1:Calling 1:TrunkFailed+1800 \
             1:Calling 1:TrunkFailed+1800",
        ),
        (
            "meets a broken trunk between two tries",
            "cNcTcN",
            "waiting",
            "1:Calling 1:NoAnswer+600 1:Calling 1:TrunkFailed+60 1:Calling 1:NoAnswer+1800",
        ),
        (
            "is broken off by a crash",
            "craI",
            "waiting",
            "1:Calling 1:Ringing 1:Answered 1:Interrupted+60",
        ),
        ("is heard before the crash", "crahI", "Done", "1:Calling 1:Ringing 1:Answered"),
        ("ends online before the call", "o", "Online", ""),
        ("ends online while it rings", "croX", "Online", "1:Calling 1:Ringing"),
        ("ends online in mid-call", "craohA", "Online", "1:Calling 1:Ringing 1:Answered"),
        (
            "is stopped by 9 and 9",
            "crmaS",
            "SwitchedOff",
            "1:Calling 1:Ringing 2:Calling 1:Answered 1:CallsSwitchedOff 2:CallsSwitchedOff",
        ),
        ("is switched off before the call", "f", "SwitchedOff", "1:CallsSwitchedOff"),
        ("loses the number", "u", "Unreachable", "1:Held"),
        ("is told twice that a call ended", "cBBB", "waiting", "1:Calling 1:Busy+180"),
        ("is claimed twice", "cc", "calling", "1:Calling"),
        ("comes after the end", "om", "Online", ""),
    ];
    for (message, timeline, state, told) in cases {
        let mut play = Play::new();
        timeline.chars().for_each(|step| play.step(step));
        let told: Vec<_> = told.split_whitespace().collect();
        assert_eq!(
            (play.state().as_str(), play.told),
            (state, told.iter().map(|t| t.to_string()).collect()),
            "a message that {message}"
        );
    }
}
