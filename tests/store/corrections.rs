//! Second thoughts: what a sender corrects or takes back, before and after it was heard or delivered.

use offhook::notification::{Claim, MessageId, Outcome, Owed, Progress, Reply, Status};
use offhook::store::{Corrected, Listing, Reader, Retracted};

use crate::world::{World, bob, draft};

/// Alice has written, and Bob's phone was answered.
async fn answered(bodies: &[&str]) -> (World, Claim) {
    let mut world = World::new().await;
    for body in bodies {
        world.alice_writes(body).await;
    }
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    world.progress(&claim, Progress::Answered).await;
    (world, claim)
}

async fn held(world: &World, id: &str, new: &str, body: &str) -> MessageId {
    match world.corrects(id, new, body).await {
        Corrected::Held(held) => held.message,
        other => panic!("{new} is not held as a message: {other:?}"),
    }
}

async fn in_calls(world: &World, id: &str, new: &str, body: &str) -> MessageId {
    match world.corrects(id, new, body).await {
        Corrected::InCalls { new, .. } => new.id,
        other => panic!("{new} is not read in the call: {other:?}"),
    }
}

/// What Bob gets now that he is online, and what it replaces.
async fn delivered(world: &World) -> Vec<(String, Option<String>)> {
    world.send_all().await;
    world.comes_online().await;
    let owed = world.owed().await.into_iter();
    let texts = owed.filter(|it| it.content == Reply::Delivery).map(|Owed { message, .. }| {
        let what =
            format!("{}: {}", message.draft.stanza_id.unwrap_or_default(), message.draft.body);
        (what, message.chain.replaces)
    });
    let texts = texts.collect();
    // Then what is said of what has arrived.
    world.send_all().await;
    world.send_all().await;
    texts
}

fn plain(texts: &[&str]) -> Vec<(String, Option<String>)> {
    texts.iter().map(|text| ((*text).to_owned(), None)).collect()
}

fn replacing(text: &str, id: &str) -> (String, Option<String>) {
    (text.to_owned(), Some(id.to_owned()))
}

#[tokio::test]
async fn what_no_call_reads_is_corrected_in_place_by_any_id_of_its_chain() {
    let mut world = World::new().await;
    let first = world.alice_writes("One").await;
    assert_eq!(world.corrects("alice-1", "c1", "Two").await, Corrected::InPlace(first));
    assert_eq!(world.corrects("alice-1", "c2", "Three").await, Corrected::InPlace(first));
    assert_eq!(world.corrects("c2", "c3", "Four").await, Corrected::InPlace(first));
    assert_eq!(world.corrects("c1", "c4", "Five").await, Corrected::InPlace(first));
    assert_eq!(world.corrects("c1", "c4", "Five").await, Corrected::InPlace(first), "sent again");
    let trace = Reader::open(&world.folder.file()).unwrap().trace("c3").unwrap().unwrap();
    assert_eq!(trace.message.id, first, "each id finds it");
    world.at(60);
    let claim = world.claim().await.unwrap();
    let [message] = claim.messages.as_slice() else { panic!("one message: {:?}", claim.messages) };
    assert_eq!((message.draft.body.as_str(), message.last_id()), ("Five", Some("c4")));
    assert_eq!(delivered(&world).await, plain(&["alice-1: Five"]), "under the id of the first");
}

#[tokio::test]
async fn nobody_corrects_or_takes_back_what_another_wrote() {
    let world = {
        let mut world = World::new().await;
        world.alice_writes("Hers").await;
        world
    };
    let eves = |id: &str, body| draft(id, "eve@example.org/x", body);
    let retracted = world.store().retract("alice-1".into(), eves("e2", ""), world.now).await;
    assert_eq!(retracted.unwrap(), Retracted::default());
    let corrected = world.store().correct("alice-1".into(), eves("e1", "Mine"), world.now).await;
    assert!(matches!(corrected, Ok(Corrected::Held(_))), "a message of her own: {corrected:?}");
    // That the message which they name is not hers, Bob's client finds by her address.
    let hers = [replacing("e2: ", "alice-1"), replacing("e1: Mine", "alice-1")];
    let all = [plain(&["alice-1: Hers"]), hers.to_vec()].concat();
    assert_eq!(delivered(&world).await, all);
}

#[tokio::test]
async fn a_correction_while_it_rings_is_read_in_the_same_call() {
    let mut world = World::new().await;
    world.alice_writes("Wrong").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    world.send_all().await;
    let Corrected::InCalls { old, new, calls } = world.corrects("alice-1", "c1", "Right").await
    else {
        panic!("it is in the call");
    };
    assert_eq!((old, calls), (claim.messages[0].id, vec![claim.attempt]));
    assert_eq!(new.draft.body, "Right");
    assert_eq!(new.received, claim.messages[0].received, "it came when it came");
    assert_eq!(world.owes().await, "", "what its sender was told is still true");
    world.progress(&claim, Progress::Answered).await;
    let again = in_calls(&world, "c1", "c2", "Right again").await;
    let third = in_calls(&world, "alice-1", "c3", "Right").await;
    assert!(new.id < again && again < third, "by the id of the last correction or the first");
    let new = Reader::open(&world.folder.file()).unwrap().trace("c2").unwrap().unwrap().message;
    assert_eq!(new.id, third);
    world.spoken(&claim, new.id).await;
    assert_eq!(world.owes().await, format!("{}: Status(Heard)", new.id.0));
    let heard = &world.owed().await[0];
    assert_ne!(heard.stanza_id, heard.message.status_stanza_id, "in place of what they read");
    assert_eq!(heard.message.last_id(), Some("c3"));
    world.settle(&claim, Outcome::Answered).await;
    assert!(world.store().next_due().await.unwrap().is_none());
    assert_eq!(delivered(&world).await, plain(&["alice-1: Right"]));
}

#[tokio::test]
async fn what_was_heard_in_its_first_wording_while_it_was_corrected_is_told_so() {
    let (world, claim) = answered(&["Eight"]).await;
    let old = claim.messages[0].id;
    let new = in_calls(&world, "alice-1", "c1", "Nine").await;
    world.send_all().await;
    // The callee was listening to the old wording already.
    world.spoken(&claim, old).await;
    world.answers(&claim, old, '1').await;
    assert_eq!(
        world.owes().await,
        format!("{0}: Status(HeardBeforeCorrection), {0}: Answer(1)", old.0)
    );
    let about: Vec<_> = world.owed().await.into_iter().map(|it| it.message.draft.body).collect();
    assert_eq!(about, ["Eight", "Eight"], "the answer is to what was heard");
    world.settle(&claim, Outcome::Answered).await;
    let owed = world.owes().await;
    assert!(owed.contains(&format!("{}: Status(NotReached", new.0)), "the new one waits: {owed}");
    assert_eq!(delivered(&world).await, plain(&["alice-1: Nine"]), "in one bubble");
}

#[tokio::test]
async fn case_a_corrected_after_it_was_heard() {
    let (mut world, claim) = answered(&["We meet at eight"]).await;
    let old = claim.messages[0].id;
    world.spoken(&claim, old).await;
    world.settle(&claim, Outcome::Answered).await;
    world.send_all().await;
    world.at(300);
    let new = held(&world, "alice-1", "c1", "We meet at nine").await;
    assert_eq!(
        world.owes().await,
        format!("{}: Status(HeardBeforeCorrection), {}: Status(Waiting)", old.0, new.0)
    );
    let again = world.corrects("c1", "c2", "We meet at nine").await;
    assert_eq!(again, Corrected::InPlace(new), "by the id of the last correction");
    assert!(
        world.store().next_due().await.unwrap().is_some(),
        "what was said is not true any more"
    );
    assert_eq!(delivered(&world).await, plain(&["alice-1: We meet at nine"]));
}

#[tokio::test]
async fn cases_c_and_f_corrected_after_it_was_passed_on() {
    let world = World::new().await;
    let first = held(&world, "p1", "c1", "Two").await;
    assert_eq!(world.corrects("p1", "c2", "Three").await, Corrected::InPlace(first));
    assert_eq!(world.corrects("c2", "c3", "Four").await, Corrected::InPlace(first));
    assert_eq!(world.owes().await, format!("{}: Status(Waiting)", first.0), "it is phoned about");
    assert_eq!(delivered(&world).await, [replacing("c1: Four", "p1")]);
}

#[tokio::test]
async fn case_d_corrected_after_it_was_delivered() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    assert_eq!(delivered(&world).await, plain(&["alice-1: One"]));
    while world.store().expire(world.now).await.unwrap() > 0 {}
    let second = held(&world, "alice-1", "c1", "Two").await;
    assert_eq!(delivered(&world).await, [replacing("c1: Two", "alice-1")]);
    let third = held(&world, "c1", "c2", "Three").await;
    assert_ne!(second, third);
    assert_eq!(delivered(&world).await, [replacing("c2: Three", "alice-1")], "the first id");
    assert!(matches!(world.corrects("c1", "c2", "Three").await, Corrected::InPlace(_)));
    assert_eq!(delivered(&world).await, [], "what a client sends again is no third wording");
}

#[tokio::test]
async fn case_e_taken_back_after_it_was_passed_on_or_delivered() {
    let mut world = World::new().await;
    for id in ["p1", "alice-1"] {
        if id == "alice-1" {
            world.alice_writes("One").await;
            delivered(&world).await;
        }
        assert_eq!(world.retracts(id).await, Retracted::default());
        assert_eq!(world.retracts(id).await, Retracted::default(), "sent again");
        assert_eq!(world.owes().await, "", "nobody is told");
        assert!(world.store().next_due().await.unwrap().is_none(), "nor phoned");
        let expected = replacing(&format!("r-{id}: "), id);
        assert_eq!(delivered(&world).await, [expected]);
        assert_eq!(world.owes().await, "", "nothing is said about it afterwards");
    }
    world.retracts("p2").await;
    world.at(100 * 3600);
    world.store().expire(world.now).await.unwrap();
    world.send_all().await;
    assert_eq!(world.owes().await, "", "nor when it is given up");
}

#[tokio::test]
async fn a_correction_that_is_taken_back_leaves_nothing_behind() {
    let world = World::new().await;
    let waiting = held(&world, "p1", "c1", "Two").await;
    let retracted = world.retracts("c1").await;
    assert_eq!(retracted.message, Some(waiting));
    assert!(world.store().next_due().await.unwrap().is_none());
    assert_eq!(delivered(&world).await, [replacing("r-c1: ", "p1")], "the first wording goes, too");
}

#[tokio::test]
async fn what_is_taken_back_in_time_is_told_so_and_can_still_be_traced() {
    let mut world = World::new().await;
    let message = world.alice_writes("Never mind").await;
    world.send_all().await;
    assert_eq!(world.retracts("alice-1").await.message, Some(message));
    assert_eq!(world.owes().await, "1: Status(TakenBack)");
    let owed = &world.owed().await[0];
    assert_ne!(owed.stanza_id, owed.message.status_stanza_id, "it replaces the first status");
    assert!(world.store().next_due().await.unwrap().is_none(), "nothing is left to be told");
    let reader = Reader::open(&world.folder.file()).unwrap();
    assert!(reader.held_list(&Listing::newest(1000)).unwrap().is_empty());
    let trace = reader.trace("alice-1").unwrap().expect("it is still known");
    assert!(trace.steps.iter().any(|step| step.what == "taken back by the sender"));
    assert_eq!(delivered(&world).await, []);
    while world.store().expire(world.now).await.unwrap() > 0 {}
    let trace = reader.trace("alice-1").unwrap().unwrap();
    assert_eq!(trace.message.body_chars, 0, "its text is erased");
}

#[tokio::test]
async fn what_a_call_reads_is_taken_back_from_it_and_told_when_it_is_known_what_was_heard() {
    for (is_answered, is_heard, told) in [
        (false, false, "TakenBack"),
        (true, false, "TakenBackUnheard"),
        (true, true, "HeardBeforeRetraction"),
    ] {
        let mut world = World::new().await;
        let message = world.alice_writes("Never mind").await;
        world.alice_writes("Something else").await;
        world.at(60);
        let claim = world.claim().await.unwrap();
        if is_answered {
            world.progress(&claim, Progress::Answered).await;
        }
        world.send_all().await;
        let calls = vec![claim.attempt];
        assert_eq!(world.retracts("alice-1").await, Retracted { message: Some(message), calls });
        assert_eq!(world.owes().await, "", "it may be being read");
        if is_heard {
            world.spoken(&claim, message).await;
        }
        let outcome = if is_answered { Outcome::Answered } else { Outcome::NoAnswer };
        world.settle(&claim, outcome).await;
        let owed = world.owes().await;
        assert!(owed.starts_with(&format!("1: Status({told})")), "{owed}");
        assert_eq!(owed.matches("1: ").count(), 1, "{owed}");
        assert_eq!(delivered(&world).await, plain(&["alice-2: Something else"]));
    }
}

#[tokio::test]
async fn what_was_heard_and_then_taken_back_is_not_delivered() {
    let (mut world, claim) = answered(&["Eight"]).await;
    world.spoken(&claim, claim.messages[0].id).await;
    world.settle(&claim, Outcome::Answered).await;
    world.send_all().await;
    world.at(600);
    world.retracts("alice-1").await;
    assert_eq!(world.owes().await, "1: Status(HeardBeforeRetraction)");
    assert_eq!(delivered(&world).await, []);
}

#[tokio::test]
async fn a_caller_hears_the_new_wording_and_not_what_was_taken_back() {
    let mut world = World::new().await;
    world.alice_writes("Wrong").await;
    world.alice_writes("Never mind").await;
    let number = bob().number.unwrap();
    let offhook::store::CallIn::Admitted(claim) = world
        .store()
        .call_in(number, offhook::store::CallerTrust::NumberAlone, world.now)
        .await
        .unwrap()
    else {
        panic!("Bob calls in");
    };
    let new = in_calls(&world, "alice-1", "c1", "Right").await;
    assert_eq!(world.retracts("alice-2").await.calls, [claim.attempt]);
    world.spoken(&claim, new).await;
    world.settle(&claim, Outcome::Answered).await;
    assert!(world.store().next_due().await.unwrap().is_none(), "all is heard");
}

#[tokio::test]
async fn what_the_recipients_server_keeps_is_corrected_there_by_it_alone() {
    let world = World::new().await;
    let mut first = draft("m1", "alice@example.org/x", "One");
    first.how.handed_over = Some(offhook::notification::Unreachable::Offline);
    world.hold(first.clone(), 0).await.unwrap();
    let mut again = draft("c1", "alice@example.org/x", "Two");
    again.how = first.how;
    let corrected = world.store().correct("m1".into(), again, world.now).await.unwrap();
    assert!(matches!(corrected, Corrected::InPlace(_)));
    // A correction that comes to us alone is ours to deliver.
    let third = held(&world, "m1", "c2", "Three").await;
    assert_eq!(delivered(&world).await, [replacing("c2: Three", "m1")]);
    let statuses: Vec<_> =
        world.statuses().await.into_iter().filter(|(id, _)| *id == third).collect();
    assert_eq!(statuses, []);
    let mut retraction = draft("r1", "alice@example.org/x", "");
    retraction.how = first.how;
    world.store().retract("m9".into(), retraction, world.now).await.unwrap();
    assert_eq!(delivered(&world).await, [], "nor does a retraction come twice");
}

#[tokio::test]
async fn a_program_is_told_only_what_its_owner_must_mend() {
    use offhook::subscriber::{SenderRule, Setting};
    let mut world = World::new().await;
    let alice = "alice@example.org".parse().unwrap();
    let allow = vec![Setting::Sender(alice, SenderRule::Allow)];
    world.store().set(&bob().jid, allow, world.now).await.unwrap();
    let mut alarm = draft("a1", "alice@example.org/x", "Disk full");
    alarm.how.sender_unknown = true;
    let message = world.hold(alarm, 0).await.unwrap().message;
    world.store().identified(message, true, world.now, 0).await.unwrap();
    world.at(60);
    let claim = world.claim().await.expect("it is allowed to ring");
    world.progress(&claim, Progress::Ringing).await;
    world.settle(&claim, Outcome::NoAnswer).await;
    assert_eq!(world.owes().await, "", "it would answer");
    world.at(100 * 3600);
    world.store().expire(world.now).await.unwrap();
    world.send_all().await;
    assert_eq!(world.statuses().await, [(message, Status::LeftWithServer)]);
}
