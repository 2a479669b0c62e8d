use std::time::Duration;

use super::*;
use crate::notification::{Attempt, Outcome};
use crate::store::LiveCalls;
use crate::store::columns::ms;
use crate::store::test_tables::{Tables, jid, people};
use crate::subscriber::{Quiet, Setting};

const MANY: usize = 2 * REPLANNED_AT_ONCE_MAX + 1;

fn tables() -> Tables {
    let mut tables = Tables::with_people(MANY);
    (0..MANY).for_each(|person| _ = tables.hold(person, person));
    tables.send_all();
    tables
}

/// How many calls are planned for a time other than a minute from the beginning.
fn moved(tables: &Tables) -> i64 {
    let planned = tables.now + Duration::from_secs(60);
    tables.number(&format!(
        "SELECT count(*) FROM notifications WHERE state = 'waiting' AND due <> {}",
        ms(planned)
    ))
}

#[test]
fn new_rules_take_effect_in_slices_and_the_words_about_them_go_behind_all_else() {
    let (mut tables, now) = (tables(), now());
    let policy = Policy { wait: Duration::from_secs(3600), ..tables.policy.clone() };
    let wanted = tables.work(|it| {
        it.adopt(policy, &people(MANY), now).unwrap();
        it.wake_replan
    });
    assert!(wanted && moved(&tables) == 0, "nothing is planned anew at once");
    let (mut after, mut slices) = (Some(String::new()), 0);
    while let Some(last) = after {
        after = tables.work(|it| it.replan_slice(&last, now).unwrap());
        slices += 1;
        assert!(moved(&tables) <= slices * REPLANNED_AT_ONCE_MAX as i64);
    }
    assert_eq!((slices, moved(&tables)), (3, MANY as i64));
    assert_eq!(tables.number("SELECT min(bulk) FROM replies WHERE sent IS NULL"), 1);
}

#[test]
fn people_are_compared_and_only_the_calls_to_those_who_changed_are_planned_anew() {
    let (mut tables, now) = (tables(), now());
    let policy = tables.policy.clone();
    let mut configured = people(MANY);
    configured[7].quiet = "10:00-12:00".parse().ok().map(Quiet::Daily);
    let before = tables.conn.total_changes();
    let wanted = tables.work(|it| {
        it.adopt(policy.clone(), &configured, now).unwrap();
        it.wake_replan
    });
    assert!(!wanted && moved(&tables) == 1);
    let changed = tables.conn.total_changes() - before;
    assert!(changed < 10, "the person, the plan and what is told of it: {changed} rows");
    let before = tables.conn.total_changes();
    tables.work(|it| it.adopt(policy.clone(), &configured, now).unwrap());
    assert_eq!(tables.conn.total_changes(), before, "the same again writes nothing");
    configured.remove(7);
    let left = tables.work(|it| it.adopt(policy, &configured, now).unwrap());
    assert!(left.len() == MANY - 1 && left.iter().all(|it| it.jid != jid(7)));
}

#[test]
fn many_people_who_change_at_once_are_planned_anew_in_slices() {
    let (mut tables, now) = (tables(), now());
    let mut configured = people(MANY);
    for person in &mut configured {
        person.quiet = "10:00-12:00".parse().ok().map(Quiet::Daily);
    }
    let wanted = tables.work(|it| {
        it.configure_subscribers(&configured, now).unwrap();
        it.wake_replan
    });
    assert!(wanted && moved(&tables) == 0);
}

#[test]
fn what_one_person_sets_is_their_own_call_alone() {
    let (mut tables, now) = (tables(), now());
    let before = tables.conn.total_changes();
    let quiet = Setting::Quiet("10:00-12:00".parse().ok().map(Quiet::Daily));
    let wanted = tables.work(|it| {
        it.set(&jid(3), &[quiet], now).unwrap();
        it.wake_replan
    });
    assert!(!wanted && moved(&tables) == 1);
    assert!(tables.conn.total_changes() - before < 10);
}

#[test]
fn a_start_plans_nothing_anew() {
    let (mut tables, now) = (tables(), now());
    tables.policy.wait = Duration::ZERO;
    let before = tables.conn.total_changes();
    tables.work(|it| {
        it.recover(now).unwrap();
        it.configure_subscribers(&people(MANY), now).unwrap();
    });
    assert_eq!(tables.conn.total_changes(), before);
}

/// A trunk was out of order, so that every call has a setback.
#[test]
fn a_trunk_that_works_again_brings_the_calls_forward_that_failed_at_it() {
    let mut tables = tables();
    tables.now += Duration::from_secs(61);
    let now = tables.now;
    let claims = tables.work(|it| it.claim_due(now, MANY, &LiveCalls::default()).unwrap());
    assert_eq!(claims.len(), MANY);
    for (nth, claim) in claims.iter().enumerate() {
        let outcome = if nth == 0 { Outcome::Busy } else { Outcome::TrunkFailed };
        let failed = Attempt { sip_call_id: "1".to_owned(), ..Attempt::without_invite(outcome) };
        tables.work(|it| it.settle(claim.attempt, &failed, false, now).unwrap());
    }
    let due = |tables: &Tables, at| {
        tables.number(&format!("SELECT count(*) FROM notifications WHERE due <= {}", ms(at)))
    };
    let soon = now + Duration::from_secs(1);
    assert_eq!(due(&tables, soon), 0);
    assert_eq!(tables.work(|it| it.trunk_works(1, soon).unwrap()), 1);
    assert_eq!(due(&tables, soon), 1, "one call tries it");
    let mut slices = vec![];
    while slices.last() != Some(&0) {
        slices.push(tables.work(|it| it.trunk_works(usize::MAX, soon).unwrap()));
    }
    assert_eq!(slices, [REPLANNED_AT_ONCE_MAX, MANY - 2 - REPLANNED_AT_ONCE_MAX, 0]);
    assert_eq!(due(&tables, soon), MANY as i64 - 1, "a busy line stays busy");
    let counted = "SELECT count(*) FROM attempts WHERE invited = 1";
    assert_eq!(tables.number(counted), 1, "a phone that did not ring was not called");
    assert_eq!(tables.number("SELECT max(setbacks) FROM notifications"), 0);
}

#[test]
fn rows_are_found_by_indexes() {
    let tables = Tables::with_people(0);
    for (sql, index) in [
        (NEXT_TO_REPLAN, "notifications_open (recipient>?)"),
        (FAILED_AT_TRUNKS, "notifications_trunk_failed"),
    ] {
        let plan = tables.plan(sql);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

fn now() -> Timestamp {
    "2026-11-30T10:00:00Z".parse().unwrap()
}
