//! Calls that people make to us, beside those that are made to them.

use std::time::Duration;

use offhook::notification::policy::Policy;
use offhook::notification::{Claim, MessageId, Outcome, Progress, Status, Wait};
use offhook::seed::Seed;
use offhook::store::{CallIn, CallerTrust, PinWay};
use offhook::subscriber::{Pin, Setting, WhenOffline};

use crate::world::{World, bob, policy};

#[tokio::test]
async fn who_calls_in_is_not_phoned_meanwhile_and_then_only_about_the_rest() {
    let mut world = World::new().await;
    let first = world.alice_writes("One").await;
    let second = world.alice_writes("Two").await;
    let told = world.statuses().await;
    world.at(30);
    let call = admitted(calls_in(&world).await);
    assert_eq!(ids(&call), [first, second]);
    world.progress(&call, Progress::Answered).await;
    assert_eq!(world.statuses().await, told, "nobody reads that a phone rings or is answered");
    world.spoken(&call, first).await;
    world.at(100);
    assert!(world.claim().await.is_none(), "he is on the line");
    assert!(matches!(calls_in(&world).await, CallIn::OnTheLine));
    world.settle(&call, Outcome::Answered).await;
    let due = world.claim().await.unwrap();
    assert_eq!(ids(&due), [second]);
    assert!(matches!(calls_in(&world).await, CallIn::OnTheLine), "his phone rings");
}

#[tokio::test]
async fn who_has_heard_all_is_not_phoned_any_more() {
    let mut world = World::new().await;
    let message = world.alice_writes("One").await;
    let call = admitted(calls_in(&world).await);
    world.spoken(&call, message).await;
    let came_meanwhile = world.alice_writes("Two").await;
    let joined = world.store().joined(call.attempt, world.now).await.unwrap();
    assert_eq!(joined.iter().map(|message| message.id).collect::<Vec<_>>(), [came_meanwhile]);
    world.spoken(&call, came_meanwhile).await;
    world.settle(&call, Outcome::Answered).await;
    assert_eq!(world.store().next_due().await.unwrap(), None);
    world.at(3_600);
    assert!(world.claim().await.is_none());
    assert!(matches!(calls_in(&world).await, CallIn::Nothing(person) if person.jid == bob().jid));
}

#[tokio::test]
async fn a_call_that_comes_in_fills_no_throttle_and_uses_no_try() {
    let one_an_hour = Policy { throttle: vec!["1/1h".parse().unwrap()], attempts: 1, ..policy() };
    let mut world = World::with(one_an_hour).await;
    world.alice_writes("One").await;
    let call = admitted(calls_in(&world).await);
    world.settle(&call, Outcome::Answered).await;
    world.at(60);
    let call = world.claim().await.unwrap();
    world.settle(&call, Outcome::NoAnswer).await;
    let Status::NotReached { next, .. } = world.statuses().await.last().unwrap().1 else {
        panic!("the call was made and not answered")
    };
    assert_eq!(next, None, "the one try was this one");
}

#[tokio::test]
async fn who_wants_no_calls_may_call_in() {
    let mut world = World::new().await;
    let settings = vec![Setting::Offline(WhenOffline::Store)];
    world.store().set(&bob().jid, settings, world.now).await.unwrap();
    let message = world.alice_writes("One").await;
    let call = admitted(calls_in(&world).await);
    world.spoken(&call, message).await;
    world.settle(&call, Outcome::Answered).await;
    assert_eq!(world.statuses().await.last(), Some(&(message, Status::Heard)));
    world.at(60);
    assert!(world.claim().await.is_none());
}

#[tokio::test]
async fn a_crash_ends_a_call_that_came_in_and_the_plan_stays() {
    let mut world = World::new().await;
    let message = world.alice_writes("One").await;
    admitted(calls_in(&world).await);
    world.crash().await;
    world.at(60);
    assert_eq!(ids(&world.claim().await.unwrap()), [message]);
    let waiting = Status::Waiting { call_at: world.time(60), why: Wait::Gathering };
    assert!(world.statuses().await.contains(&(message, waiting)));
}

#[tokio::test]
async fn a_pin_is_guessed_nine_times_a_day_by_call_and_no_more() {
    let mut world = World::new().await;
    let pin = Pin::new("4821", &mut Seed::fixed(1)).unwrap();
    world.store().set(&bob().jid, vec![Setting::Pin(Some(pin))], world.now).await.unwrap();
    world.alice_writes("One").await;
    for _ in 0..3 {
        let call = admitted(calls_in(&world).await);
        for _ in 0..3 {
            world.store().wrong_pin(&bob().jid, PinWay::OwnPhone, world.now).await.unwrap();
        }
        world.settle(&call, Outcome::Answered).await;
    }
    assert!(matches!(calls_in(&world).await, CallIn::Locked));
    world.crash().await;
    assert!(matches!(calls_in(&world).await, CallIn::Locked), "a restart opens nothing");
    let others = world.store().people_with_pin(bob().number.unwrap(), world.now).await.unwrap();
    assert_eq!(others, [], "nor does another phone");
    world.now += Duration::from_secs(24 * 3600 + 1);
    admitted(calls_in(&world).await);
}

#[tokio::test]
async fn a_number_that_nobody_has_opens_nothing() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    let stranger = "+81378902222".parse().unwrap();
    assert!(matches!(
        world.store().call_in(stranger, CallerTrust::NumberAlone, world.now).await.unwrap(),
        CallIn::Unknown
    ));
}

#[tokio::test]
async fn the_lock_holds_for_calls_of_ours_too_until_the_owner_sets_another_pin() {
    let mut world = World::new().await;
    world.store().set(&bob().jid, vec![pin("4821")], world.now).await.unwrap();
    let message = world.alice_writes("One").await;
    for _ in 0..9 {
        world.store().wrong_pin(&bob().jid, PinWay::OwnPhone, world.now).await.unwrap();
    }
    world.at(60);
    let call = world.claim().await.unwrap();
    assert!(call.pin_locked, "no PIN is asked for");
    world.settle(&call, Outcome::NoAnswer).await;
    world.store().set(&bob().jid, vec![pin("5309")], world.now).await.unwrap();
    world.at(660);
    let call = world.claim().await.unwrap();
    assert_eq!((call.pin_locked, ids(&call)), (false, vec![message]));
}

#[tokio::test]
async fn strangers_phones_lock_nobody_out_of_their_own() {
    let mut world = World::new().await;
    world.store().set(&bob().jid, vec![pin("4821")], world.now).await.unwrap();
    world.alice_writes("One").await;
    let mut tries = 0;
    let number = bob().number.unwrap();
    while !world.store().people_with_pin(number.clone(), world.now).await.unwrap().is_empty() {
        world.store().wrong_pin(&bob().jid, PinWay::Elsewhere, world.now).await.unwrap();
        tries += 1;
    }
    assert_eq!(tries, 6);
    admitted(calls_in(&world).await);
}

#[tokio::test]
async fn a_number_alone_opens_nothing_unless_the_operator_says_so() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    let number = bob().number.unwrap();
    let call = world.store().call_in(number.clone(), CallerTrust::NumberAndPin, world.now).await;
    assert!(matches!(call.unwrap(), CallIn::NeedsPin(person) if person.jid == bob().jid));
    world.store().set(&bob().jid, vec![pin("4821")], world.now).await.unwrap();
    let call = world.store().call_in(number, CallerTrust::NumberAndPin, world.now).await;
    admitted(call.unwrap());
}

fn pin(digits: &str) -> Setting {
    Setting::Pin(Some(Pin::new(digits, &mut Seed::fixed(1)).unwrap()))
}

async fn calls_in(world: &World) -> CallIn {
    world.store().call_in(bob().number.unwrap(), CallerTrust::NumberAlone, world.now).await.unwrap()
}

fn admitted(call: CallIn) -> Claim {
    match call {
        CallIn::Admitted(claim) => *claim,
        other => panic!("not let in: {other:?}"),
    }
}

fn ids(claim: &Claim) -> Vec<MessageId> {
    claim.messages.iter().map(|message| message.id).collect()
}
