use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::notification::{Outcome, SenderCalls};
use crate::subscriber::{Quiet, QuietHours};

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_secs(seconds)
}

fn last(outcome: Outcome, ended: i64) -> Option<LastCall> {
    Some(LastCall { outcome, ended: at(ended), retry_after: None })
}

#[test]
fn each_rule_says_until_when_and_the_last_one_that_moves_the_call_gives_the_reason() {
    let (none, tokyo) = (Past::default(), TimeZone::get("Asia/Tokyo").unwrap());
    let past = |attempts, setbacks, last| Past { attempts, setbacks, last };
    let calls = |calls: &[i64]| calls.iter().copied().map(at).collect::<Vec<_>>();
    let to_one =
        |of: &[i64]| SenderCalls { to_callee: calls(of), to_all: calls(of), ..Default::default() };
    let fresh = || History { gathering_since: at(0), ..History::default() };
    let cases = [
        ("is new", none, fresh(), 0, "Gathering 60"),
        ("has waited long enough", none, fresh(), 60, "Gathering 60"),
        ("was received before the clock was set back", none, fresh(), -500, "Gathering -500"),
        ("met a busy line", past(1, 0, last(Outcome::Busy, 100)), fresh(), 100, "Retry 280"),
        ("was not answered", past(1, 0, last(Outcome::NoAnswer, 100)), fresh(), 130, "Retry 700"),
        (
            "was not answered twice",
            past(2, 0, last(Outcome::NoAnswer, 100)),
            fresh(),
            130,
            "Retry 1900",
        ),
        (
            "was not answered thrice",
            past(3, 0, last(Outcome::NoAnswer, 100)),
            fresh(),
            130,
            "AttemptsUsed",
        ),
        ("was declined", past(1, 0, last(Outcome::Declined, 100)), fresh(), 100, "Declined"),
        (
            "reached nobody",
            past(1, 0, last(Outcome::WrongNumber, 100)),
            fresh(),
            100,
            "WrongNumber",
        ),
        (
            "met a dead trunk",
            past(0, 3, last(Outcome::TrunkFailed, 100)),
            fresh(),
            100,
            "Retry 340",
        ),
        (
            "met a dead trunk for days",
            past(0, 3000, last(Outcome::TrunkFailed, 100)),
            fresh(),
            100,
            "Retry 1900",
        ),
        (
            "was cut off with other calls just made",
            past(0, 1, last(Outcome::Interrupted, 790)),
            History { calls: calls(&[60, 400, 780]), ..fresh() },
            800,
            "Throttled 960",
        ),
        (
            "goes to a number that rings often",
            none,
            History { calls: calls(&[50, 55, 59]), ..fresh() },
            60,
            "Throttled 950",
        ),
        (
            "goes to a number that rang a minute ago",
            none,
            History { calls: calls(&[50]), ..fresh() },
            60,
            "Throttled 110",
        ),
        (
            "comes from one who caused three calls",
            none,
            History { senders: vec![to_one(&[-100, 10, 20])], ..fresh() },
            60,
            "Throttled 800",
        ),
        (
            "comes from that sender and from another",
            none,
            History { senders: vec![to_one(&[-100, 10, 20]), to_one(&[])], ..fresh() },
            60,
            "Gathering 60",
        ),
        (
            "is one too many for today",
            none,
            History { day_filled_at: Some(at(0)), ..fresh() },
            200,
            "Throttled 86400",
        ),
        (
            "comes in the evening",
            none,
            History { zone: Some(tokyo.clone()), ..fresh() },
            3 * 3600,
            "Quiet 46800",
        ),
        (
            "would ring just after nine",
            none,
            History { zone: Some(tokyo.clone()), gathering_since: at(2 * 3600 - 30), ..fresh() },
            2 * 3600 - 30,
            "Quiet 46800",
        ),
        (
            "is for one who never sleeps",
            none,
            History { zone: Some(tokyo), quiet: Some(Quiet::Never), ..fresh() },
            3 * 3600,
            "Gathering 10800",
        ),
        (
            "may not be dialled",
            none,
            History { number: "+491711234567".parse().ok(), ..fresh() },
            0,
            "NotAllowed",
        ),
        (
            "is denied",
            none,
            History { number: "+81900000000".parse().ok(), ..fresh() },
            0,
            "NotAllowed",
        ),
        (
            "is a premium-rate number",
            none,
            History { number: "+81990123456".parse().ok(), ..fresh() },
            0,
            "NumberType(PremiumRate)",
        ),
        (
            "is our own",
            none,
            History { number: "+81312345678".parse().ok(), ..fresh() },
            0,
            "NumberType(Own)",
        ),
        (
            "is in no plan",
            none,
            History { number: "+8112345".parse().ok(), ..fresh() },
            0,
            "NumberType(ShortCode)",
        ),
        (
            "is in no plan, but named by its prefix",
            none,
            History { number: "+81555555555555".parse().ok(), ..fresh() },
            0,
            "Gathering 60",
        ),
        (
            "is in no plan, and only its country is named",
            none,
            History { number: "+81444444444444".parse().ok(), ..fresh() },
            0,
            "NumberType(Unknown)",
        ),
        (
            "is a pager, and pagers are named",
            none,
            History { number: "+812034567890".parse().ok(), ..fresh() },
            0,
            "Gathering 60",
        ),
    ];
    let policy = Policy {
        allow: vec!["+81".to_owned(), "+81555".to_owned()],
        types: vec![NumberType::Pager],
        own: vec!["+81312345678".parse().unwrap()],
        deny: vec!["+8190".to_owned()],
        ..Policy::default()
    };
    for (message, past, history, now, expected) in cases {
        let decided = match policy.next_call(&past, &history, at(now)) {
            Decision::Call { at: when, by } => {
                format!("{:?} {}", by.wait(), when.duration_since(at(0)).as_secs())
            }
            Decision::Never(never) => format!("{never:?}"),
        };
        assert_eq!(decided, expected, "a message that {message}");
    }
}

#[test]
fn a_far_end_that_asks_for_patience_gets_some_but_not_for_ever() {
    let policy = Policy { quiet: Quiet::Never, ..Policy::default() };
    for (asked_s, expected_s) in [(10, 180), (900, 900), (1_000_000, 3600)] {
        let retry_after = Some(Duration::from_secs(asked_s));
        let last = Some(LastCall { outcome: Outcome::Busy, ended: at(0), retry_after });
        let past = Past { attempts: 1, setbacks: 0, last };
        let decision = policy.next_call(&past, &History::default(), at(0));
        assert_eq!(decision.call(), Some((at(expected_s), Wait::Retry)), "{asked_s}");
    }
}

#[test]
fn on_both_nights_of_daylight_saving_no_call_is_planned_in_quiet_hours_nor_forgotten() {
    let nights = [
        ("Europe/Berlin", "2026-03-28T20:00:00Z"),
        ("Europe/Berlin", "2026-10-24T19:00:00Z"),
        ("America/New_York", "2026-03-08T01:00:00Z"),
        ("America/New_York", "2026-11-01T01:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T10:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T10:00:00Z"),
        ("Asia/Beirut", "2026-03-28T18:00:00Z"),
        ("Asia/Beirut", "2026-10-24T18:00:00Z"),
    ];
    let spans = ["22:00-07:00", "21:00-02:30", "01:15-01:45", "02:00-03:00", "00:00-00:30"];
    for ((zone, evening), span) in nights.iter().flat_map(|it| spans.map(|span| (it, span))) {
        let (hours, zone): (QuietHours, _) = (span.parse().unwrap(), TimeZone::get(zone).unwrap());
        let policy = Policy { quiet: Quiet::Daily(hours), zone: zone.clone(), ..Policy::default() };
        let evening: Timestamp = evening.parse().unwrap();
        let mut before = Timestamp::MIN;
        for minute in 0..14 * 60 {
            let now = evening + Duration::from_secs(minute * 60);
            // The last call met a busy line an hour before, or is answered late in its pause.
            for pause in [Duration::from_secs(3600), Duration::from_secs(20)] {
                let ended = now - pause;
                let call = LastCall { outcome: Outcome::Busy, ended, retry_after: None };
                let past = Past { attempts: 1, setbacks: 0, last: Some(call) };
                let history = History { gathering_since: ended, ..History::default() };
                let Some((at, _)) = policy.next_call(&past, &history, now).call() else {
                    panic!("{span} at {now}: no call any more");
                };
                let told = format!("{span} at {now}: {at}");
                assert_eq!(hours.end_after(at, &zone), None, "{told}");
                assert!(at >= ended + policy.retry.busy, "{told}: before its pause");
                assert!(at <= now + Duration::from_secs(11 * 3600), "{told}: too late");
                if pause.as_secs() == 3600 {
                    assert!(at >= before, "{told}: brought forward");
                    before = at;
                }
            }
        }
    }
}

#[test]
fn an_hour_that_the_clock_repeats_is_quiet_twice() {
    // On October 25, 2026, in Berlin, 02:00 to 03:00 comes twice, the second time from 01:00 UTC on.
    let quiet = "21:00-02:30".parse().map(Quiet::Daily).unwrap();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let policy = Policy { quiet, zone, ..Policy::default() };
    let now: Timestamp = "2026-10-25T01:10:00Z".parse().unwrap();
    let decision = policy.next_call(&Past::default(), &History::default(), now);
    let at = "2026-10-25T01:30:00Z".parse().unwrap();
    assert_eq!(decision.call(), Some((at, Wait::Quiet)));
}

const ZONES: [&str; 5] =
    ["Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"];

prop_compose! {
    fn throttles()(list in prop::collection::vec((1u32..6, 30u64..20_000), 0..4)) -> Vec<Throttle> {
        list.into_iter().map(Throttle::from).collect()
    }
}

prop_compose! {
    fn policies()(
        wait in 0u64..600,
        throttle in throttles(),
        sender_throttle in throttles(),
        calls_per_day_max in 1u32..20,
        (from, until) in (0u32..1440, 1u32..1440),
        zone in 0usize..ZONES.len(),
    ) -> Policy {
        let end = (from + until) % 1440;
        let hours = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, end / 60, end % 60);
        let hours: QuietHours = hours.parse().unwrap();
        let zone = TimeZone::get(ZONES[zone]).unwrap();
        let (quiet, wait) = (Quiet::Daily(hours), Duration::from_secs(wait));
        Policy { wait, throttle, sender_throttle, calls_per_day_max, quiet, zone, ..Policy::default() }
    }
}

/// A year, so that clocks change twice; calls up to two hours in the future, as clocks are set back too.
fn calls(now: i64) -> impl Strategy<Value = Vec<Timestamp>> {
    prop::collection::vec(now - 30_000..now + 7_200, 0..30).prop_map(|mut list| {
        list.sort_unstable();
        list.into_iter().map(at).collect()
    })
}

fn worlds() -> impl Strategy<Value = (Policy, Past, History, i64)> {
    (policies(), 0i64..31_536_000).prop_flat_map(|(policy, now)| {
        let outcome = prop::sample::select(vec![
            Outcome::Busy,
            Outcome::NoAnswer,
            Outcome::Answered,
            Outcome::TrunkFailed,
            Outcome::Interrupted,
        ]);
        let past = (0u32..3, 0u32..9, prop::option::of((outcome, now - 10_000..now + 100)));
        let senders = prop::collection::vec(calls(now), 0..3);
        (
            Just(policy),
            past,
            (
                now - 1000..now + 10,
                calls(now),
                senders,
                prop::option::of(now - 90_000..now + 86_400),
            ),
            Just(now),
        )
            .prop_map(|(policy, (attempts, setbacks, ended), lists, now)| {
                let last = ended.and_then(|(outcome, ended)| last(outcome, ended));
                let (gathering_since, calls, calls_by_sender, filled_at) = lists;
                let history = History {
                    gathering_since: at(gathering_since),
                    calls,
                    senders: calls_by_sender
                        .into_iter()
                        .map(|calls| SenderCalls {
                            to_all: calls.clone(),
                            first: calls.clone(),
                            to_callee: calls,
                            is_settled: false,
                        })
                        .collect(),
                    day_filled_at: filled_at.map(at),
                    ..History::default()
                };
                (policy, Past { attempts, setbacks, last }, history, now)
            })
    })
}

fn decided(policy: &Policy, past: &Past, history: &History, now: i64) -> Timestamp {
    match policy.next_call(past, history, at(now)) {
        Decision::Call { at, .. } => at,
        Decision::Never(never) => panic!("{never:?}"),
    }
}

/// Calls that a throttle would have with one more at `at`. Those from beyond the clock count as made now.
fn in_span(throttle: &Throttle, calls: &[Timestamp], now: Timestamp, at: Timestamp) -> usize {
    let counted = calls.iter().filter(|call| **call <= now + throttle.span);
    counted.filter(|call| at < (**call).min(now) + throttle.span).count() + 1
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_call_is_planned_in_quiet_hours_or_beyond_a_throttle((policy, past, history, now) in worlds()) {
        let when = decided(&policy, &past, &history, now);
        prop_assert!(when >= at(now));
        let Quiet::Daily(hours) = policy.quiet else { unreachable!("policies have quiet hours") };
        prop_assert_eq!(hours.end_after(when, &policy.zone), None);
        for throttle in &policy.throttle {
            prop_assert!(in_span(throttle, &history.calls, at(now), when) <= throttle.calls as usize);
        }
        for throttle in &policy.sender_throttle {
            let fits = |it: &SenderCalls| in_span(throttle, &it.to_callee, at(now), when) <= throttle.calls as usize;
            prop_assert!(history.senders.is_empty() || history.senders.iter().any(fits));
        }
        let day = Throttle::from((1, 86_400));
        let filled_at: Vec<_> = history.day_filled_at.into_iter().collect();
        prop_assert_eq!(in_span(&day, &filled_at, at(now), when), 1);
    }

    #[test]
    fn time_and_further_calls_never_bring_a_call_forward(
        (policy, past, history, now) in worlds(),
        on in 0i64..100_000,
    ) {
        let when = decided(&policy, &past, &history, now);
        prop_assert!(decided(&policy, &past, &history, now + on) >= when);
        let mut more = history;
        more.calls.push(at(now));
        more.calls.sort_unstable();
        prop_assert!(decided(&policy, &past, &more, now) >= when);
    }

    #[test]
    fn what_was_planned_is_allowed_when_its_time_has_come((policy, past, history, now) in worlds()) {
        // Only where no row is dated after now: a clock that was set back is asked again, more than once.
        let history = History {
            gathering_since: history.gathering_since.min(at(now)),
            calls: history.calls.into_iter().filter(|call| *call <= at(now)).collect(),
            senders: vec![],
            day_filled_at: history.day_filled_at.filter(|filled_at| *filled_at <= at(now)),
            ..history
        };
        let past = Past { last: past.last.filter(|last| last.ended <= at(now)), ..past };
        let when = decided(&policy, &past, &history, now);
        let then = when.duration_since(at(0)).as_secs();
        prop_assert_eq!(decided(&policy, &past, &history, then), when);
    }
}
