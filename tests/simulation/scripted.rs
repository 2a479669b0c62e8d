//! Worlds of which a test decides what happens.

use std::time::Duration;

use offhook::component::StopReason;
use offhook::notification::AttemptId;
use offhook::notification::policy::Policy;
use offhook::seed::Seed;
use offhook::subscriber::Quiet;

use crate::callee::Temper;
use crate::far_end::Manner;
use crate::nature::NUMBERS;
use crate::phones::{Fate, ModelCall, Phase};
use crate::world::{CALLEES, SENDERS, World};

const BOB: &str = CALLEES[0];
const ERIN: &str = CALLEES[1];
const ALICE: &str = SENDERS[0];
const CAROL: &str = SENDERS[1];
const DAVE: &str = SENDERS[2];

/// A world in which it is known who is online and nothing has happened yet.
fn world() -> World {
    World::without_limits(Duration::from_secs(2))
}

/// Lets time pass until a phone rings, and goes on ringing until it is stopped.
fn until_it_rings(world: &mut World, within: u64) -> AttemptId {
    for _ in 0..within * 100 {
        world.run_until(world.at() + Duration::from_millis(10));
        world.calls.values_mut().for_each(|call| call.fate = Fate::RingsOut);
        if let Some((attempt, _)) = world.calls.iter().find(|(_, it)| it.phase == Phase::Ringing) {
            return *attempt;
        }
    }
    panic!("no phone rang within {within} s");
}

fn call(world: &World, attempt: AttemptId) -> Option<&ModelCall> {
    world.calls.get(&attempt)
}

fn last_read(world: &World, sender: &str) -> String {
    world.server.has_seen(sender).last().unwrap().body.clone()
}

#[test]
fn a_retraction_does_not_silence_a_call_that_others_messages_are_in() {
    let mut world = world();
    world.writes(CAROL, BOB);
    let id = world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.run_for(4);
    let told = last_read(&world, CAROL);
    world.retracts(&id);
    world.run_for(5);
    let call = call(&world, attempt).expect("the call is not cancelled");
    assert_eq!((call.phase, call.stop), (Phase::Ringing, None));
    let to_read: Vec<_> = call.to_read.iter().map(|it| it.draft.sender.to_bare()).collect();
    assert_eq!(to_read.len(), 1, "what was retracted is not read");
    assert_eq!(to_read[0].as_str(), CAROL);
    assert_eq!(last_read(&world, CAROL), told, "what she was told is still true");
}

#[test]
fn a_retraction_does_not_silence_a_call_that_others_joined_while_it_rang() {
    let mut world = world();
    let id = world.writes(CAROL, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.writes(ALICE, BOB);
    world.run_for(2);
    world.retracts(&id);
    world.run_for(2);
    assert_eq!(call(&world, attempt).expect("the call is not cancelled").stop, None);
}

#[test]
fn a_correction_of_all_that_it_rings_for_lets_the_phone_ring_on() {
    let mut world = world();
    let id = world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.corrects(&id);
    world.run_for(3);
    let call = call(&world, attempt).expect("the call is not cancelled");
    assert_eq!((call.phase, call.stop), (Phase::Ringing, None));
    let texts: Vec<_> = call.to_read.iter().map(|it| it.draft.body.as_str()).collect();
    assert_eq!(texts, ["[m1] Hello, better"]);
}

#[test]
fn a_retraction_after_the_answer_keeps_what_is_not_read_yet_from_being_read() {
    let mut world = world();
    world.writes(CAROL, BOB);
    let id = world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    let call = world.calls.get_mut(&attempt).unwrap();
    (call.fate, call.patience) = (Fate::Answers, u64::MAX);
    while world.calls.get(&attempt).is_some_and(|it| it.phase == Phase::Ringing) {
        world.run_until(world.at() + Duration::from_millis(10));
    }
    world.retracts(&id);
    world.run_for(60);
    assert_eq!(world.promises.spoken(), ["m1"], "{:#?}", world.last_steps());
    let told = last_read(&world, ALICE);
    assert!(told.ends_with("Taken back; bob did not hear it."), "{told}");
}

#[test]
fn a_retraction_of_one_of_two_messages_of_the_same_sender_lets_the_phone_ring_on() {
    let mut world = world();
    let id = world.writes(ALICE, BOB);
    world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.retracts(&id);
    world.run_for(3);
    let call = call(&world, attempt).expect("the call is not cancelled");
    assert_eq!((call.stop, call.to_read.len()), (None, 1));
}

#[test]
fn a_sender_that_answers_by_itself_is_not_answered_without_end() {
    let mut world = world();
    world.answering = Some(ALICE.to_owned());
    world.writes(ALICE, BOB);
    world.run_for(100);
    let tables = world.disk.tables();
    let count = |sql: &str| tables.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let held = count("SELECT count(*) FROM messages WHERE ended IS NULL");
    assert!((2..=4).contains(&held), "{held} messages are held");
    assert_eq!(count("SELECT count(*) FROM messages WHERE silent = 0"), 2, "are spoken of");
    assert!(world.answered_by_itself < 40, "{} answers", world.answered_by_itself);
    assert!(world.answered_by_itself > 4, "{} answers", world.answered_by_itself);
}

#[test]
fn a_correction_does_not_silence_others_either_and_is_read_in_their_call() {
    let mut world = world();
    world.writes(CAROL, BOB);
    let id = world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.corrects(&id);
    world.run_for(5);
    assert_eq!(call(&world, attempt).unwrap().to_read.len(), 2, "{:#?}", world.last_steps());
    let call = world.calls.get_mut(&attempt).unwrap();
    (call.fate, call.patience) = (Fate::Answers, u64::MAX);
    world.run_for(90);
    assert!(world.calls.is_empty());
    let heard = world.promises.spoken();
    assert_eq!(heard, ["m1", "m2"], "in one call");
    assert_eq!(world.lines.calls(), 1, "{:#?}", world.last_steps());
}

#[test]
fn a_retraction_of_all_that_it_rings_for_cancels_the_call_and_is_no_setback() {
    let mut world = world();
    let id = world.writes(ALICE, BOB);
    let attempt = until_it_rings(&mut world, 5);
    world.retracts(&id);
    world.run_for(1);
    assert!(
        call(&world, attempt).is_none_or(|it| it.stop == Some(StopReason::Withdrawn)),
        "cancelled"
    );
    // While the CANCEL is on its way somebody else writes.
    world.writes(DAVE, BOB);
    let again = until_it_rings(&mut world, 5);
    assert_ne!(again, attempt);
}

#[test]
fn who_comes_online_with_the_message_is_not_phoned_for_it() {
    for seed in 0..200 {
        let policy = Policy {
            wait: Duration::ZERO,
            quiet: Quiet::Never,
            allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
            ..Policy::default()
        };
        let mut world = World::with(policy, Seed::fixed(seed));
        world.run_for(8);
        world.writes(ALICE, BOB);
        world.logs_in(BOB);
        world.run_for(2);
        let rings = world.calls.values().any(|it| it.stop.is_none());
        assert!(!rings, "seed {seed}: the phone of somebody who is online rings");
    }
}

/// Somebody asks for a code on Bob's number, whose phone is answered and on which no key is pressed.
fn asks_for_a_code(world: &mut World) {
    world.logs_in(ERIN);
    world.types(ERIN, &format!("phone {}", NUMBERS[0]));
    world.run_for(1);
    for call in world.real_calls.values_mut() {
        call.temper = Temper::Silent;
        call.far_end.manner = Manner::Answers(Duration::from_secs(1));
    }
}

#[test]
fn a_message_does_not_ring_on_a_phone_that_is_told_a_code_and_rings_after_it() {
    let mut world = world();
    asks_for_a_code(&mut world);
    let codes = |world: &World| world.real_calls.len();
    assert_eq!(codes(&world), 1, "the call with the code: {:#?}", world.last_steps());
    world.writes(ALICE, BOB);
    world.run_for(5);
    assert!(world.calls.is_empty() && codes(&world) == 1, "the phone is engaged");
    until_it_rings(&mut world, 150);
    assert_eq!(codes(&world), 0, "the code was told first");
}

#[test]
fn a_message_that_waits_for_a_phone_is_not_phoned_about_once_its_recipient_is_online() {
    let mut world = world();
    asks_for_a_code(&mut world);
    world.writes(ALICE, BOB);
    world.run_for(5);
    world.logs_in(BOB);
    world.run_for(200);
    assert_eq!(world.lines.calls(), 0, "{:#?}", world.last_steps());
    assert_eq!(world.server.has_seen(BOB).last().unwrap().body, "[m2] Hello");
}

#[test]
fn a_code_is_told_after_the_call_that_is_on_its_phone() {
    let mut world = world();
    world.writes(ALICE, BOB);
    until_it_rings(&mut world, 5);
    asks_for_a_code(&mut world);
    world.run_for(5);
    assert!(world.real_calls.is_empty(), "the phone is engaged");
    for _ in 0..60 {
        world.run_for(1);
        if !world.real_calls.is_empty() {
            return assert!(world.calls.is_empty(), "the other call is over");
        }
    }
    panic!("no call with a code: {:#?}", world.last_steps());
}
