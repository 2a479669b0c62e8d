//! When a call is claimed, and what its end leads to.

use std::time::Duration;

use offhook::notification::policy::Policy;
use offhook::notification::rules::RetryPauses;
use offhook::notification::{Draft, Outcome, Progress, Status, Wait};
use offhook::store::{Listing, Reader, StoreError};
use offhook::subscriber::{Quiet, Subscriber};

use crate::world::{World, attempt, bob, draft, policy};

#[tokio::test]
async fn a_call_that_need_not_wait_is_claimed_with_its_message() {
    let no_wait = Policy { wait: Duration::ZERO, ..policy() };
    let world = World::with(no_wait).await;
    let held = world.hold(draft("1", "alice@example.org/x", "Hello"), 1).await.unwrap();
    let claim = held.claim.unwrap();
    assert_eq!((claim.messages[0].id, claim.callee), (held.message, bob()));
    assert_eq!(world.owes().await, "1: Status(Calling)");
    let second = world.hold(draft("2", "alice@example.org/x", "Hello?"), 1).await.unwrap();
    assert!(second.claim.is_none(), "the phone rings already");
    let full = World::with(Policy { wait: Duration::ZERO, ..policy() }).await;
    let held = full.hold(draft("1", "alice@example.org/x", "Hello"), 0).await.unwrap();
    assert!(held.claim.is_none());
    assert!(full.claim().await.is_some());
}

#[tokio::test]
async fn tries_end_but_the_message_stays_and_the_next_one_brings_it_up_again() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    for (due, expected) in [
        (60, Status::NotReached { outcome: Outcome::Busy, next: Some(world.time(240)) }),
        (240, Status::NotReached { outcome: Outcome::NoAnswer, next: Some(world.time(2040)) }),
        (2040, Status::NotReached { outcome: Outcome::NoAnswer, next: None }),
    ] {
        let Status::NotReached { outcome, .. } = expected else { continue };
        world.at(due - 1);
        assert!(world.claim().await.is_none());
        world.at(due);
        let claim = world.claim().await.unwrap();
        world.settle(&claim, outcome).await;
        assert_eq!(world.statuses().await.last().unwrap().1, expected);
    }
    assert!(world.store().next_due().await.unwrap().is_none());
    world.at(9_000);
    world.alice_writes("Two").await;
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(9_060)));
    world.at(9_060);
    assert_eq!(world.claim().await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn a_declined_message_is_not_phoned_about_again_but_the_next_one_is() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.settle(&claim, Outcome::Declined).await;
    world.at(1_000);
    assert!(world.claim().await.is_none());
    let second = world.alice_writes("Two").await;
    world.at(1_060);
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.messages.iter().map(|m| m.id).collect::<Vec<_>>(), [second]);
    world.settle(&claim, Outcome::Answered).await;
    world.send_all().await;
    assert_eq!(world.comes_online().await, 2);
}

#[tokio::test]
async fn whoever_hangs_up_early_is_called_about_the_rest() {
    let mut world = World::new().await;
    let first = world.alice_writes("One").await;
    let second = world.alice_writes("Two").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Answered).await;
    world.spoken(&claim, first).await;
    world.settle(&claim, Outcome::Answered).await;
    world.at(660);
    let claim = world.claim().await.unwrap();
    assert!(claim.continuing);
    assert_eq!(claim.messages.iter().map(|m| m.id).collect::<Vec<_>>(), [second]);
}

#[tokio::test]
async fn coming_online_ends_the_calls_also_while_one_rings() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    world.send_all().await;
    assert_eq!(world.comes_online().await, 1);
    assert_eq!(world.owes().await, "1: Delivery");
    // He is gone again and someone writes, while the first call is still being cancelled.
    world.alice_writes("Two").await;
    world.at(300);
    assert!(world.claim().await.is_none(), "one phone, one call");
    world.settle(&claim, Outcome::Cancelled).await;
    assert!(world.store().joined(claim.attempt, world.now).await.unwrap().is_empty());
    assert_eq!(world.claim().await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn an_answer_given_after_coming_online_still_reaches_the_sender() {
    let mut world = World::new().await;
    let message = world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Answered).await;
    world.comes_online().await;
    world.send_all().await;
    world.spoken(&claim, message).await;
    world.answers(&claim, message, '2').await;
    world.answers(&claim, message, '3').await;
    world.settle(&claim, Outcome::Answered).await;
    assert_eq!(world.owes().await, "1: Status(Delivered), 1: Answer(2)");
}

#[tokio::test]
async fn quiet_hours_are_asked_again_at_the_moment_of_the_call() {
    // 10:00 UTC is 19:00 in Tokyo; quiet from 21:00.
    let quiet = "21:00-08:00".parse().map(Quiet::Daily).unwrap();
    let mut world = World::with(Policy { quiet, ..policy() }).await;
    world.at(2 * 3600 - 70);
    let message = world.alice_writes("One").await;
    world.send_all().await;
    let due = world.store().next_due().await.unwrap();
    assert_eq!(due, Some(world.time(2 * 3600 - 10)));
    world.at(2 * 3600);
    assert!(world.claim().await.is_none());
    let morning = world.time(13 * 3600);
    let waiting = Status::Waiting { call_at: morning, why: Wait::Quiet };
    assert_eq!(world.statuses().await, [(message, waiting)]);
    assert_eq!(world.store().next_due().await.unwrap(), Some(morning));
    world.at(13 * 3600);
    assert!(world.claim().await.is_some());
}

#[tokio::test]
async fn a_throttle_counts_every_call_whose_invite_may_have_left() {
    let throttle = vec!["2/15m".parse().unwrap()];
    let cases = [
        ("busy", Outcome::Busy, "call-id", 900),
        ("cancelled", Outcome::Cancelled, "call-id", 900),
        ("refused by the trunk", Outcome::TrunkFailed, "call-id", 900),
        ("never sent", Outcome::TrunkFailed, "", 240),
    ];
    for (calls, outcome, sip_call_id, expected) in cases {
        let mut world = World::with(Policy {
            wait: Duration::ZERO,
            retry: RetryPauses { busy: Duration::from_secs(60), ..RetryPauses::default() },
            throttle: throttle.clone(),
            ..policy()
        })
        .await;
        world.alice_writes("One").await;
        for seconds in [0, 120] {
            world.at(seconds);
            let claim = world.claim().await.unwrap();
            let mut attempt = attempt(outcome);
            attempt.sip_call_id = sip_call_id.to_owned();
            world.store().settle(claim.attempt, attempt, world.now).await.unwrap();
        }
        let due = world.store().next_due().await.unwrap();
        assert_eq!(due, Some(world.time(expected)), "calls that were {calls}");
    }
}

#[tokio::test]
async fn one_sender_cannot_make_a_phone_ring_all_day_and_others_still_can() {
    let sender_throttle = vec!["1/1h".parse().unwrap()];
    let mut world =
        World::with(Policy { wait: Duration::ZERO, throttle: vec![], sender_throttle, ..policy() })
            .await;
    world.alice_writes("One").await;
    let claim = world.claim().await.unwrap();
    world.spoken(&claim, claim.messages[0].id).await;
    world.settle(&claim, Outcome::Answered).await;
    world.at(60);
    world.alice_writes("Two").await;
    assert!(world.claim().await.is_none());
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(3600)));
    world.at(120);
    world.hold(draft("c", "carol@example.org/x", "Me too"), 0).await.unwrap();
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.messages.len(), 2, "the call is made for Carol, and reads both");
}

#[tokio::test]
async fn two_people_with_one_phone_are_called_one_after_the_other() {
    let mut world = World::new().await;
    let ann =
        Subscriber { jid: "ann@example.org".parse().unwrap(), name: "Ann".to_owned(), ..bob() };
    world.store().configure_subscribers(vec![ann.clone(), bob()], world.now).await.unwrap();
    world.alice_writes("One").await;
    let mut for_ann = draft("a", "alice@example.org/phone", "Two");
    for_ann.recipient = ann.jid;
    world.hold(for_ann, 0).await.unwrap();
    world.at(60);
    let claim = world.claim().await.unwrap();
    assert!(world.claim().await.is_none());
    world.at(130);
    world.settle(&claim, Outcome::Declined).await;
    assert_eq!(world.claim().await.unwrap().callee.name, "Ann");
}

#[tokio::test]
async fn a_number_changed_to_one_that_is_in_a_call_is_not_called_beside_it() {
    let mut world = World::new().await;
    let carol = Subscriber {
        number: "+81378902222".parse().ok(),
        ..Subscriber::new("carol@example.org".parse().unwrap(), "Carol".to_owned())
    };
    let people = vec![bob(), carol.clone()];
    world.store().configure_subscribers(people, world.now).await.unwrap();
    let to_carol = Draft { recipient: carol.jid.clone(), ..draft("c", "dan@example.org/x", "Hi") };
    world.hold(to_carol, 0).await.unwrap();
    world.alice_writes("Hello").await;
    world.at(60);
    let first = world.store().claim_due(world.now, 1).await.unwrap().remove(0);
    assert_eq!(first.callee.jid, carol.jid);
    // Bob moves in with Carol, and they share a phone from now on.
    let moved = Subscriber { number: carol.number.clone(), ..bob() };
    let people = vec![moved, carol.clone()];
    world.store().configure_subscribers(people, world.now).await.unwrap();
    assert_eq!(world.store().claim_due(world.now, 8).await.unwrap(), []);
    let live = "SELECT count(*) FROM attempts WHERE ended IS NULL AND number = '+81378902222'";
    let conn = rusqlite::Connection::open(world.folder.file()).unwrap();
    assert_eq!(conn.query_row(live, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    let doubled = "INSERT INTO attempts (notification, recipient, number, started, lease_until)
                   SELECT notification, 'x@example.org', number, started, lease_until FROM attempts";
    let refused = conn.execute(doubled, []).unwrap_err().to_string();
    assert!(refused.contains("UNIQUE constraint failed"), "{refused}");
    drop(conn);
    world.store().settle(first.attempt, attempt(Outcome::Busy), world.now).await.unwrap();
    // Carol's line was busy, and Bob's call waits for the throttle of what is his phone now.
    for _ in 0..3 {
        let due = world.store().next_due().await.unwrap().unwrap();
        world.now = world.now.max(due);
        let Some(next) = world.store().claim_due(world.now, 8).await.unwrap().pop() else {
            continue;
        };
        assert_eq!(Some(&next.number), carol.number.as_ref());
        if next.callee.jid == bob().jid {
            return;
        }
        world.store().settle(next.attempt, attempt(Outcome::Busy), world.now).await.unwrap();
    }
    panic!("Bob is never called");
}

#[tokio::test]
async fn a_change_of_number_or_mind_counts_at_the_moment_of_the_call() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    let moved = Subscriber { number: "+81378902222".parse().ok(), ..bob() };
    world.store().configure_subscribers(vec![moved], world.now).await.unwrap();
    world.at(60);
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.number.as_str(), "+81378902222");
    world.settle(&claim, Outcome::Busy).await;
    world.store().configure_subscribers(vec![], world.now).await.unwrap();
    world.at(240);
    assert!(world.claim().await.is_none());
    assert_eq!(world.statuses().await.last().unwrap().1, Status::Held);
    assert!(world.store().next_due().await.unwrap().is_none());
}

#[tokio::test]
async fn an_operation_that_fails_harms_no_other_of_its_group() {
    let mut world = World::new().await;
    let first = world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    let other = world.hold(draft("z", "alice@example.org/x", "late"), 0).await.unwrap().message;
    let (held, stranger, spoken, again) = tokio::join!(
        world.hold(draft("2", "alice@example.org/x", "Two"), 0),
        world.store().spoken(claim.attempt, other, world.now),
        world.store().spoken(claim.attempt, first, world.now),
        world.hold(draft("3", "alice@example.org/x", "Three"), 0),
    );
    assert!(matches!(stranger, Err(StoreError::NotInCall)), "{stranger:?}");
    assert!(held.is_ok() && spoken.is_ok() && again.is_ok());
    world.crash().await;
    let reader = Reader::open(&world.folder.file()).unwrap();
    let heard: Vec<_> = reader
        .held_list(&Listing::newest(1000))
        .unwrap()
        .iter()
        .rev()
        .map(|m| m.heard.is_some())
        .collect();
    assert_eq!(heard, [true, false, false, false]);
}

#[tokio::test]
async fn whoever_waits_for_work_is_woken_by_the_commit_that_brings_it() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.store().due().notified().await;
    world.store().outbox().notified().await;
}
