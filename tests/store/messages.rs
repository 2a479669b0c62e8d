//! What becomes of a message and of the stanzas owed for it.

use std::time::Duration;

use offhook::notification::{Outcome, Progress, Reply, Status, Wait};
use offhook::store::{Listing, Reader, StoreError};
use offhook::subscriber::{Setting, Subscriber, WhenOffline};

use crate::world::{World, attempt, bob, draft, policy};

const ALICE: &str = "alice@example.org/phone";

#[tokio::test]
async fn a_message_becomes_a_call_an_answer_and_a_delivery() {
    let mut world = World::new().await;
    let first = world.alice_writes("Where are you?").await;
    let waiting = Status::Waiting { call_at: world.time(60), why: Wait::Gathering };
    assert_eq!(world.statuses().await, [(first, waiting)]);
    world.at(20);
    let second = world.alice_writes("Call me.").await;
    world.at(59);
    assert!(world.claim().await.is_none());
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(60)));
    world.at(60);
    let claim = world.claim().await.unwrap();
    let bodies: Vec<_> = claim.messages.iter().map(|m| m.draft.body.as_str()).collect();
    assert_eq!(bodies, ["Where are you?", "Call me."]);
    assert!(!claim.continuing);
    world.progress(&claim, Progress::Ringing).await;
    world.progress(&claim, Progress::Answered).await;
    for message in [first, second] {
        world.spoken(&claim, message).await;
        world.answers(&claim, message, '1').await;
    }
    world.settle(&claim, Outcome::Answered).await;
    // Two lines within seconds have one status.
    let owed = "1: Status(Waiting), 1: Answer(1), 1: Status(Heard), 2: Answer(1)";
    assert_eq!(world.owes().await, owed);
    assert!(world.store().next_due().await.unwrap().is_none());
    world.send_all().await;
    world.at(90);
    assert_eq!(world.comes_online().await, 2);
    assert_eq!(world.owes().await, "1: Delivery, 2: Delivery");
    assert_eq!(world.comes_online().await, 0);
    world.send_all().await;
    assert_eq!(world.owes().await, "");
}

#[tokio::test]
async fn a_stanza_that_comes_again_is_held_once() {
    let mut world = World::new().await;
    let first = world.hold(draft("x", ALICE, "Hello"), 0).await.unwrap();
    world.at(40);
    let cases = [
        ("from another device", draft("x", "alice@example.org/laptop", "Hello"), true),
        ("with another text", draft("x", ALICE, "Good night"), false),
        ("with another id", draft("y", ALICE, "Hello"), false),
        ("from someone else", draft("x", "carol@example.org/phone", "Hello"), false),
    ];
    for (again, draft, duplicate) in cases {
        let held = world.hold(draft, 0).await.unwrap();
        assert_eq!(held.duplicate, duplicate, "the stanza {again}");
        assert_eq!(held.message == first.message, duplicate, "the stanza {again}");
    }
    world.at(299);
    assert!(world.hold(draft("x", ALICE, "Hello"), 0).await.unwrap().duplicate);
    world.at(300);
    assert!(!world.hold(draft("x", ALICE, "Hello"), 0).await.unwrap().duplicate);
    let mut nameless = draft("", ALICE, "Hello");
    nameless.stanza_id = None;
    for _ in 0..2 {
        assert!(!world.hold(nameless.clone(), 0).await.unwrap().duplicate);
    }
}

#[tokio::test]
async fn the_same_words_again_after_they_were_heard_or_delivered_are_a_new_message() {
    let mut world = World::new().await;
    let alert = || draft("1", ALICE, "The pump is down.");
    let first = world.hold(alert(), 0).await.unwrap().message;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Answered).await;
    assert!(world.hold(alert(), 0).await.unwrap().duplicate, "while it is being told");
    world.spoken(&claim, first).await;
    let second = world.hold(alert(), 0).await.unwrap();
    assert!(!second.duplicate, "after it was heard");
    world.settle(&claim, Outcome::Answered).await;
    assert_eq!(world.comes_online().await, 2);
    let third = world.hold(alert(), 0).await.unwrap();
    assert!(!third.duplicate, "after it was delivered");
    assert_eq!(world.owes().await.matches("Delivery").count(), 2);
    let due = world.store().next_due().await.unwrap().unwrap();
    world.now = due;
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.messages.iter().map(|m| m.id).collect::<Vec<_>>(), [third.message]);
}

#[tokio::test]
async fn nobody_is_phoned_who_wants_no_calls_or_has_no_number() {
    let cases = [
        ("stores", Some(Subscriber { offline: WhenOffline::Store, ..bob() })),
        ("has no number", Some(Subscriber { number: None, ..bob() })),
        (
            "lives where no call may go",
            Some(Subscriber { number: "+491711234567".parse().ok(), ..bob() }),
        ),
        ("is not known", None),
    ];
    for (recipient, person) in cases {
        let mut world = World::new().await;
        let people = person.into_iter().collect();
        world.store().configure_subscribers(people, world.now).await.unwrap();
        world.alice_writes("Hello").await;
        assert_eq!(world.owes().await, "1: Status(Held)", "who {recipient}");
        assert!(world.store().next_due().await.unwrap().is_none(), "who {recipient}");
        world.send_all().await;
        assert_eq!(world.comes_online().await, 1, "who {recipient}");
        assert_eq!(world.owes().await, "1: Delivery", "who {recipient}");
        world.send_all().await;
        assert_eq!(world.owes().await, "1: Status(Delivered)", "who {recipient}");
    }
}

#[tokio::test]
async fn a_message_that_joins_the_call_is_read_in_it() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Answered).await;
    let second = world.alice_writes("Two").await;
    assert!(!claim.messages.iter().any(|it| it.id == second));
    let joined = world.store().joined(claim.attempt, world.now).await.unwrap();
    assert_eq!(joined.iter().map(|m| m.id).collect::<Vec<_>>(), [second]);
    assert!(world.store().joined(claim.attempt, world.now).await.unwrap().is_empty());
    world.spoken(&claim, claim.messages[0].id).await;
    world.spoken(&claim, second).await;
    world.settle(&claim, Outcome::Answered).await;
    assert!(world.store().next_due().await.unwrap().is_none());
}

#[tokio::test]
async fn a_receipt_is_owed_when_the_text_was_spoken_to_its_end_and_not_before() {
    let mut world = World::new().await;
    let mut asking = draft("x", ALICE, "Hello");
    asking.wants_receipt = true;
    let message = world.hold(asking, 0).await.unwrap().message;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.answers(&claim, message, '3').await;
    assert!(!world.owes().await.contains("Receipt"));
    world.spoken(&claim, message).await;
    world.spoken(&claim, message).await;
    assert_eq!(world.owes().await.matches("Receipt").count(), 1);
}

#[tokio::test]
async fn the_first_status_keeps_its_id_and_later_ones_replace_it() {
    let mut world = World::new().await;
    let message = world.alice_writes("Hello").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    // Nothing has left yet: what is owed is the newest status, under the first id.
    world.progress(&claim, Progress::Ringing).await;
    let owed = world.owed().await;
    let [first] = owed.as_slice() else { panic!("{owed:?}") };
    assert_eq!(first.content, Reply::Status(Status::Ringing));
    assert_eq!(first.stanza_id, first.message.status_stanza_id);
    // Now it may be on its way: it stays, and the next one is a correction with an id of its own.
    world.progress(&claim, Progress::Answered).await;
    let owed = world.owed().await;
    let [again, correction] = owed.as_slice() else { panic!("{owed:?}") };
    assert_eq!(again, first);
    assert_eq!(correction.content, Reply::Status(Status::Answered));
    assert_ne!(correction.stanza_id, first.stanza_id);
    // A correction is superseded by the next, also when it may be on its way; nothing refers to it.
    world.spoken(&claim, message).await;
    let owed = world.owed().await;
    let [again, heard] = owed.as_slice() else { panic!("{owed:?}") };
    assert_eq!((again, &heard.content), (first, &Reply::Status(Status::Heard)));
    assert_eq!(heard.replaces.as_ref(), Some(&first.stanza_id));
    assert_ne!(heard.stanza_id, first.stanza_id);
    world.send_all().await;
    assert_eq!(world.owes().await, "");
    let trace = Reader::open(&world.folder.file()).unwrap().trace(&first.stanza_id).unwrap();
    let sent: Vec<_> = trace.unwrap().replies.into_iter().map(|reply| reply.stanza_id).collect();
    assert_eq!(sent, [first.stanza_id.clone(), heard.stanza_id.clone()]);
}

#[tokio::test]
async fn a_status_that_may_have_left_before_a_crash_keeps_its_text() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let before = world.owed().await;
    world.crash().await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    let after = world.owed().await;
    assert_eq!(after[..1], before);
    assert_eq!(after[1].content, Reply::Status(Status::Ringing));
}

#[tokio::test]
async fn what_nobody_could_be_reached_for_expires_and_is_erased() {
    let mut world = World::with(offhook::notification::policy::Policy {
        keep: Duration::from_secs(3600),
        keep_trace: Duration::from_secs(3600),
        ..policy()
    })
    .await;
    let heard = world.alice_writes("Heard").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.spoken(&claim, heard).await;
    world.settle(&claim, Outcome::Answered).await;
    world.send_all().await;
    world.at(61);
    world.alice_writes("Never heard").await;
    world.send_all().await;
    world.at(3661);
    while world.store().expire(world.now).await.unwrap() > 0 {}
    assert_eq!(world.owes().await, "1: Delivery, 2: Delivery", "their server may keep them");
    assert!(world.store().next_due().await.unwrap().is_none());
    world.send_all().await;
    assert_eq!(world.owes().await, "2: Status(LeftWithServer)");
    assert_eq!(world.comes_online().await, 0);
    world.send_all().await;
    while world.store().expire(world.now).await.unwrap() > 0 {}
    let reader = Reader::open(&world.folder.file()).unwrap();
    assert!(reader.held_list(&Listing::newest(1000)).unwrap().is_empty());
    assert_eq!(reader.trace("2").unwrap().unwrap().message.body_chars, 0);
    world.at(2 * 3661);
    while world.store().expire(world.now).await.unwrap() > 0 {}
    assert_eq!(reader.trace("2").unwrap(), None);
    assert_eq!(reader.call_list(10).unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_can_fill_the_store() {
    let world = World::new().await;
    let long = "x".repeat(1 << 20);
    let write = |id: u32, sender: &str, recipient: &str| {
        let mut draft = draft(&id.to_string(), sender, "");
        draft.stanza = long.clone();
        draft.recipient = recipient.parse().unwrap();
        world.hold(draft, 0)
    };
    for id in 0..32 {
        write(id, ALICE, "bob@example.org").await.unwrap();
    }
    let refused = write(32, ALICE, "bob@example.org").await;
    assert!(matches!(refused, Err(StoreError::SenderFull)), "half is enough: {refused:?}");
    for id in 33..65 {
        let sender = format!("carol{}@example.org/x", id % 8);
        write(id, &sender, "bob@example.org").await.unwrap();
    }
    let refused = write(65, "dave@example.org/x", "bob@example.org").await;
    assert!(matches!(refused, Err(StoreError::RecipientFull)), "{refused:?}");
    for id in 66..98 {
        write(id, ALICE, &format!("dora{}@example.org", id % 8)).await.unwrap();
    }
    let refused = write(98, ALICE, "dora@example.org").await;
    assert!(matches!(refused, Err(StoreError::SenderFull)), "{refused:?}");
    world.comes_online().await;
    world.send_all().await;
    write(99, ALICE, "bob@example.org").await.unwrap();
}

#[tokio::test]
async fn a_correction_counts_against_the_quotas() {
    let world = World::new().await;
    let of = |id: u32, bytes: usize| {
        let mut draft = draft(&id.to_string(), ALICE, "Hello");
        draft.stanza = "x".repeat(bytes);
        draft
    };
    for id in 0..40 {
        world.hold(of(id, 10), 0).await.unwrap();
    }
    let correct = |id: u32, bytes: usize| {
        let name = id.to_string();
        let worded_anew = of(100 + id, bytes);
        world.store().correct(name, worded_anew, world.now)
    };
    for id in 0..31 {
        correct(id, 1 << 20).await.unwrap();
    }
    let refused = correct(39, 2 << 20).await;
    assert!(matches!(refused, Err(StoreError::SenderFull)), "{refused:?}");
    let held =
        Reader::open(&world.folder.file()).unwrap().held_list(&Listing::newest(1000)).unwrap();
    assert_eq!(held.len(), 40);
    correct(0, 2 << 19).await.unwrap();
    correct(1, 10).await.unwrap();
    correct(39, 1 << 20).await.unwrap();
    let conn = rusqlite::Connection::open(world.folder.file()).unwrap();
    let sql = "SELECT (SELECT bytes FROM tallies WHERE kind = 'recipient')
                   = (SELECT sum(length(body) + length(stanza)) FROM messages)";
    assert!(conn.query_row(sql, [], |row| row.get::<_, bool>(0)).unwrap());
}

#[tokio::test]
async fn switching_calls_off_outlives_the_configuration() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    switch(&world, WhenOffline::Store).await;
    assert_eq!(world.owes().await, "1: Status(CallsSwitchedOff)");
    assert!(world.store().next_due().await.unwrap().is_none());
    switch(&world, WhenOffline::Store).await;
    world.crash().await;
    for people in [vec![], vec![bob()]] {
        world.store().configure_subscribers(people, world.now).await.unwrap();
    }
    let person = world.store().subscriber(&bob().jid).await.unwrap().unwrap();
    assert_eq!(person, Subscriber { offline: WhenOffline::Store, ..bob() });
    switch(&world, WhenOffline::Phone).await;
    assert_eq!(world.store().subscribers().await.unwrap(), [bob()]);
}

#[tokio::test]
async fn nine_and_nine_ends_the_calls_for_good_and_tells_everyone() {
    for (callee, lease_ran_out) in [("in time", false), ("on a call given up for lost", true)] {
        let mut world = World::new().await;
        let first = world.alice_writes("One").await;
        world.alice_writes("Two").await;
        world.at(60);
        let claim = world.claim().await.unwrap();
        world.progress(&claim, Progress::Answered).await;
        world.spoken(&claim, first).await;
        world.send_all().await;
        if lease_ran_out {
            world.at(60 + 601);
            assert!(world.claim().await.is_none());
            world.send_all().await;
        }
        let mut stopped = attempt(Outcome::Answered);
        stopped.stop_calls = true;
        world.store().settle(claim.attempt, stopped, world.now).await.unwrap();
        let owed = "2: Status(CallsSwitchedOff), 2: CallsSwitchedOff";
        assert_eq!(world.owes().await, owed, "pressed {callee}");
        world.crash().await;
        let person = world.store().subscriber(&bob().jid).await.unwrap().unwrap();
        assert_eq!(person.offline, WhenOffline::Store, "pressed {callee}");
        world.at(10_000);
        assert!(world.claim().await.is_none(), "pressed {callee}");
    }
}

async fn switch(world: &World, offline: WhenOffline) {
    let settings = vec![Setting::Offline(offline)];
    let set = world.store().set(&bob().jid, settings, world.now).await;
    assert_eq!(set.unwrap().unwrap().offline, offline);
}
