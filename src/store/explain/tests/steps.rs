//! What may happen in a random world, and under which rules.

use std::time::Duration;

use proptest::prelude::*;

use super::{PEOPLE, SENDERS};
use crate::notification::policy::Policy;
use crate::notification::rules::RetryPauses;
use crate::notification::{Outcome, Throttle};
use crate::subscriber::{Quiet, Senders};

/// Something that happens. Numbers pick among people and calls.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody writes; what explain says beforehand is compared with what happens. `asked`: whether the sender is a
    /// program is known only after the message is held.
    Write {
        from: usize,
        to: usize,
        asked: bool,
        room: usize,
    },
    /// Somebody writes of whom the store learns this.
    Shows {
        from: usize,
        to: usize,
        program: bool,
        contact: bool,
    },
    Wait(i64),
    Set {
        who: usize,
        setting: usize,
        sender: usize,
    },
    Suspend(bool),
    Claim,
    /// A call ends, with its messages heard or not.
    End {
        call: usize,
        outcome: Outcome,
        heard: bool,
    },
    ComeOnline(usize),
    Expire,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop::sample::select(vec![
        Outcome::Answered,
        Outcome::NoAnswer,
        Outcome::Busy,
        Outcome::Declined,
        Outcome::WrongNumber,
        Outcome::TrunkFailed,
        Outcome::Cancelled,
    ]);
    let (from, to) = (0..SENDERS.len(), 0..PEOPLE.len());
    let seconds =
        prop_oneof![4 => 1i64..100, 3 => 100i64..4000, 1 => 4000i64..100_000, 1 => -4000i64..0];
    let step = prop_oneof![
        9 => (from.clone(), to.clone(), any::<bool>(), 0usize..2)
            .prop_map(|(from, to, asked, room)| Step::Write { from, to, asked, room }),
        2 => (from.clone(), to.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(from, to, program, contact)| Step::Shows { from, to, program, contact }),
        6 => seconds.prop_map(Step::Wait),
        3 => (to.clone(), 0usize..9, from).prop_map(|(who, setting, sender)| Step::Set { who, setting, sender }),
        1 => prop::bool::weighted(0.3).prop_map(Step::Suspend),
        5 => Just(Step::Claim),
        5 => (0usize..9, outcome, any::<bool>()).prop_map(|(call, outcome, heard)| Step::End { call, outcome, heard }),
        1 => to.prop_map(Step::ComeOnline),
        1 => Just(Step::Expire),
    ];
    prop::collection::vec(step, 1..40)
}

pub(super) fn policies() -> impl Strategy<Value = Policy> {
    let throttle = prop::sample::select(vec!["1/1m", "3/15m", "1/1h", "2/1d"]);
    let throttles = prop::collection::vec(throttle, 0..3)
        .prop_map(|list| list.iter().map(|it| it.parse::<Throttle>().unwrap()).collect::<Vec<_>>());
    let quiet = prop::sample::select(vec!["", "21:00-08:00", "10:30-10:40"]);
    let senders = prop::sample::select(vec![Senders::Domain, Senders::Contacts, Senders::Everyone]);
    let wait = prop::sample::select(vec![0, 60]);
    (
        throttles.clone(),
        throttles,
        quiet,
        senders,
        wait,
        1u32..4,
        prop::sample::select(vec![2, 200]),
    )
        .prop_map(
            |(throttle, sender_throttle, quiet, senders, wait, attempts, calls_per_day_max)| {
                Policy {
                    wait: Duration::from_secs(wait),
                    attempts,
                    throttle,
                    sender_throttle,
                    calls_per_day_max,
                    minutes_per_day_max: if calls_per_day_max == 2 { 600 } else { 10 },
                    senders,
                    quiet: quiet.parse().map_or(Quiet::Never, Quiet::Daily),
                    retry: RetryPauses { busy: Duration::from_secs(90), ..RetryPauses::default() },
                    allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
                    keep: Duration::from_secs(40 * 3600),
                    ..Policy::default()
                }
            },
        )
}
