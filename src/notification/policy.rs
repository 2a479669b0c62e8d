//! When the phone may ring: the only place that decides retries, quiet hours and throttles.

use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use xmpp_parsers::jid::BareJid;

use super::{Outcome, Wait};
use crate::subscriber::{Quiet, Subscriber};

/// The operator's rules for calls (`[dial]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// From the first held message to the call, so that more messages can join it.
    pub wait: Duration,
    /// Calls that count, before the notification is given up.
    pub attempts: u32,
    /// Pause after a busy line.
    pub busy_retry: Duration,
    /// Pause after the first, second, … call without answer; the last one repeats.
    pub no_answer_retry: Vec<Duration>,
    /// How long a message is held.
    pub keep: Duration,
    /// Hours without calls, for people who have set none.
    pub quiet: Quiet,
    /// Zone of people who have set none.
    pub time_zone: TimeZone,
    /// Limits for calls to one number.
    pub throttle: Vec<Throttle>,
    /// Limits for calls that one sender causes to one person.
    pub sender_throttle: Vec<Throttle>,
    /// Limit for all calls within 24 hours.
    pub calls_per_day_max: u32,
    /// Who may make a phone ring.
    pub senders: Senders,
}

/// Who may make a phone ring unless the person says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Senders {
    /// Accounts of the person's own domain.
    Domain,
    /// Everyone.
    Everyone,
}

impl Policy {
    /// Whether a message of this sender makes the phone ring; else it is only held.
    pub fn may_ring(&self, sender: &BareJid, recipient: &BareJid) -> bool {
        match self.senders {
            Senders::Everyone => true,
            Senders::Domain => sender.domain() == recipient.domain(),
        }
    }

    /// The earliest instant from `wish` on at which the phone may ring, and what it waits for.
    ///
    /// Contract: pure and idempotent: asked again with the instant it gave, it gives the same one.
    pub fn next_call(&self, wish: Slot, person: &Subscriber, history: &History) -> Slot {
        let zone = person.time_zone.as_ref().unwrap_or(&self.time_zone);
        let quiet = person.quiet.unwrap_or(self.quiet);
        let day = [Throttle { calls: self.calls_per_day_max, within: DAY }];
        let mut slot = wish;
        // Each pass moves the slot later or ends; hours and throttles can push each other a few times.
        for _ in 0..PASSES_MAX {
            let before = slot.at;
            for (limits, calls) in [
                (self.throttle.as_slice(), &history.to_number),
                (self.sender_throttle.as_slice(), &history.by_senders),
                (day.as_slice(), &history.all),
            ] {
                for limit in limits {
                    if let Some(at) = limit.free_from(calls, slot.at) {
                        slot = Slot { at, why: Wait::Throttled };
                    }
                }
            }
            if let Quiet::Daily(hours) = quiet
                && let Some(at) = hours.end_after(slot.at, zone)
            {
                slot = Slot { at, why: Wait::Quiet };
            }
            if slot.at == before {
                break;
            }
        }
        slot
    }

    /// When to try again after a call, or that it has been the last.
    ///
    /// `attempts` are the calls so far that count, this one included where it counts; `troubles` the calls in
    /// a row, this one included, that the trunk or we ourselves have spoilt.
    pub fn retry(&self, outcome: Outcome, attempts: u32, troubles: u32) -> Option<Duration> {
        match outcome {
            Outcome::Declined | Outcome::WrongNumber | Outcome::Cancelled => None,
            Outcome::TrunkFailed | Outcome::Interrupted => {
                let doublings = troubles.saturating_sub(1).min(TROUBLE_DOUBLINGS_MAX);
                Some(TROUBLE_PAUSE * 2_u32.pow(doublings))
            }
            Outcome::Busy | Outcome::NoAnswer | Outcome::Answered if attempts >= self.attempts => {
                None
            }
            Outcome::Busy => Some(self.busy_retry),
            Outcome::NoAnswer | Outcome::Answered => {
                let tries = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
                let pauses = &self.no_answer_retry;
                pauses.get(tries).or(pauses.last()).copied().or(Some(self.busy_retry))
            }
        }
    }
}

/// An instant for a call, and what it waits for until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The earliest instant.
    pub at: Timestamp,
    /// Why not before.
    pub why: Wait,
}

/// When earlier calls began, oldest first, as far back as the longest limit reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Calls to the number.
    pub to_number: Vec<Timestamp>,
    /// Calls to the person that messages of the same senders caused.
    pub by_senders: Vec<Timestamp>,
    /// All calls within the last 24 hours.
    pub all: Vec<Timestamp>,
}

/// At most so many calls within so much time.
///
/// Shape: `3/15m`: a count, a slash, a number and `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// How many.
    pub calls: u32,
    /// In any span of this length.
    pub within: Duration,
}

impl Throttle {
    /// The instant from which one more call fits; `None` when it fits at `at`.
    fn free_from(&self, calls: &[Timestamp], at: Timestamp) -> Option<Timestamp> {
        let within = SignedDuration::try_from(self.within).ok()?;
        let limit = usize::try_from(self.calls).ok()?;
        if limit == 0 {
            return at.checked_add(within).ok();
        }
        // A call in the future is a clock that was set back; it must not hold the phone for longer than the span.
        let recent: Vec<_> =
            calls.iter().filter(|&&call| call <= at && at.duration_since(call) < within).collect();
        let blocking = recent.len().checked_sub(limit)?;
        recent.get(blocking)?.checked_add(within).ok()
    }
}

impl FromStr for Throttle {
    type Err = NotAThrottle;

    fn from_str(written: &str) -> Result<Self, NotAThrottle> {
        let (calls, span) = written.split_once('/').ok_or(NotAThrottle)?;
        let unit = span.chars().last().ok_or(NotAThrottle)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return Err(NotAThrottle),
        };
        let digits = |text: &str| {
            let plain = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if plain { text.parse::<u32>().ok().filter(|&n| n > 0) } else { None }
        };
        let calls = digits(calls).ok_or(NotAThrottle)?;
        let number = digits(span.trim_end_matches(unit)).ok_or(NotAThrottle)?;
        Ok(Self { calls, within: Duration::from_secs(u64::from(number) * seconds) })
    }
}

/// The text is not a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a throttle is written 3/15m: so many calls within so many s, m, h or d")]
pub struct NotAThrottle;

const DAY: Duration = Duration::from_secs(24 * 3600);
const TROUBLE_PAUSE: Duration = Duration::from_secs(60);
const TROUBLE_DOUBLINGS_MAX: u32 = 5;
const PASSES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy {
            wait: Duration::from_secs(60),
            attempts: 3,
            busy_retry: Duration::from_secs(180),
            no_answer_retry: vec![Duration::from_secs(600), Duration::from_secs(1800)],
            keep: Duration::from_secs(72 * 3600),
            quiet: Quiet::Daily("21:00-08:00".parse().unwrap()),
            time_zone: TimeZone::UTC,
            throttle: vec!["1/1m".parse().unwrap(), "3/15m".parse().unwrap()],
            sender_throttle: vec!["3/15m".parse().unwrap()],
            calls_per_day_max: 200,
            senders: Senders::Domain,
        }
    }

    fn bob() -> Subscriber {
        Subscriber {
            jid: "bob@example.org".parse().unwrap(),
            name: "Bob".into(),
            number: "+81312345678".parse().ok(),
            offline: crate::subscriber::WhenOffline::Phone,
            language: None,
            quiet: None,
            time_zone: None,
        }
    }

    #[test]
    fn the_phone_rings_when_it_may() {
        let calls = |times: &[&str]| -> Vec<Timestamp> {
            times.iter().map(|t| format!("2026-11-23T{t}Z").parse().unwrap()).collect()
        };
        let cases: [(&str, &[&str], &str, Wait); 6] = [
            ("12:00:00", &[], "12:00:00", Wait::Gathering),
            ("12:00:30", &["12:00:00"], "12:01:00", Wait::Throttled),
            ("12:10:00", &["12:00:00", "12:04:00", "12:08:00"], "12:15:00", Wait::Throttled),
            ("12:16:00", &["12:00:00", "12:04:00", "12:08:00"], "12:16:00", Wait::Gathering),
            ("07:59:59", &[], "08:00:00", Wait::Quiet),
            ("07:59:59", &["07:59:30"], "08:00:30", Wait::Throttled),
        ];
        for (wish, earlier, expected, why) in cases {
            let history = History { to_number: calls(earlier), ..History::default() };
            let wish = Slot { at: calls(&[wish])[0], why: Wait::Gathering };
            let slot = policy().next_call(wish, &bob(), &history);
            assert_eq!(
                slot,
                Slot { at: calls(&[expected])[0], why },
                "wish {wish:?} after {earlier:?}"
            );
        }
    }

    #[test]
    fn a_spoilt_call_is_followed_by_the_pause_for_its_outcome() {
        let minutes = |n: u64| Some(Duration::from_secs(n * 60));
        let cases = [
            (Outcome::Busy, 1, 0, minutes(3)),
            (Outcome::Busy, 3, 0, None),
            (Outcome::NoAnswer, 1, 0, minutes(10)),
            (Outcome::NoAnswer, 2, 0, minutes(30)),
            (Outcome::NoAnswer, 3, 0, None),
            (Outcome::Answered, 1, 0, minutes(10)),
            (Outcome::Declined, 1, 0, None),
            (Outcome::WrongNumber, 1, 0, None),
            (Outcome::TrunkFailed, 0, 1, minutes(1)),
            (Outcome::TrunkFailed, 0, 4, minutes(8)),
            (Outcome::TrunkFailed, 0, 400, minutes(32)),
            (Outcome::Interrupted, 0, 1, minutes(1)),
        ];
        for (outcome, attempts, troubles, expected) in cases {
            assert_eq!(
                policy().retry(outcome, attempts, troubles),
                expected,
                "{outcome:?} {attempts} {troubles}"
            );
        }
    }

    #[test]
    fn strangers_do_not_make_the_phone_ring_unless_everyone_may() {
        let jid = |text: &str| text.parse::<BareJid>().unwrap();
        let bob = jid("bob@example.org");
        assert!(policy().may_ring(&jid("alice@example.org"), &bob));
        assert!(!policy().may_ring(&jid("alice@example.com"), &bob));
        let open = Policy { senders: Senders::Everyone, ..policy() };
        assert!(open.may_ring(&jid("alice@example.com"), &bob));
    }

    #[test]
    fn a_throttle_is_a_count_and_a_span() {
        let quarter = Throttle { calls: 3, within: Duration::from_secs(900) };
        assert_eq!("3/15m".parse(), Ok(quarter));
        for wrong in ["", "3", "3/", "/15m", "3/15", "0/1m", "3/0m", "-1/1m", "3/15x", "9999999/1m"]
        {
            assert_eq!(wrong.parse::<Throttle>(), Err(NotAThrottle), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_slot_is_quiet_or_throttled(wish in 0_i64..7_000_000, calls in prop::collection::vec(0_i64..7_000_000, 0..40)) {
            let at = |second| Timestamp::from_second(1_790_000_000 + second).unwrap();
            let mut calls: Vec<_> = calls.into_iter().map(at).collect();
            calls.sort();
            let history = History { to_number: calls.clone(), by_senders: calls.clone(), all: calls.clone() };
            let wish = Slot { at: at(wish), why: Wait::Gathering };
            let slot = policy().next_call(wish, &bob(), &history);
            prop_assert!(slot.at >= wish.at);
            prop_assert_eq!(policy().next_call(slot, &bob(), &history).at, slot.at);
            let recent = calls.iter().filter(|&&c| c <= slot.at && slot.at.duration_since(c).as_secs() < 900).count();
            prop_assert!(recent < 3);
            let hour = slot.at.to_zoned(TimeZone::UTC).hour();
            prop_assert!((8..21).contains(&hour));
        }
    }
}
