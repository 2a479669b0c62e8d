//! Stanzas that come back: held again, owed again, overtaken, or given up.

use std::time::Duration;

use offhook::notification::returned::{ReturnReason, Returned};
use offhook::notification::{Outcome, Progress, Reply, ReplyId};
use offhook::store::{AfterReturn, Listing, Reader};

use crate::world::{World, policy};

fn error(why: ReturnReason, is_temporary: bool) -> Returned {
    let may_ring = why != ReturnReason::Refused;
    Returned { why, is_temporary, may_ring, condition: "gone".to_owned() }
}

/// The server takes all that is owed; whether it arrives is open.
async fn hands_out(world: &World) -> Vec<ReplyId> {
    let sent: Vec<_> = world.owed().await.iter().map(|owed| owed.id).collect();
    world.store().mark_sent(&sent, world.now).await.unwrap();
    sent
}

async fn comes_back(world: &World, reply: ReplyId, returned: Returned) -> AfterReturn {
    world.store().returned(reply, returned, world.now).await.unwrap()
}

/// A world in which one message was held and its delivery is with the server.
async fn delivering(world: &mut World) -> ReplyId {
    world.alice_writes("Hello").await;
    world.send_all().await;
    world.comes_online().await;
    assert_eq!(world.owes().await, "1: Delivery");
    hands_out(world).await[0]
}

#[tokio::test]
async fn a_message_counts_as_delivered_when_no_error_came_and_not_before() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    assert_eq!(world.owes().await, "", "nobody reads yet that it was delivered");
    assert!(world.claim().await.is_none(), "nobody is phoned about it meanwhile");
    let reader = Reader::open(&world.folder.file()).unwrap();
    assert_eq!(reader.held_list(&Listing::newest(1000)).unwrap().len(), 1);
    world.store().settle_sent(&[delivery], world.now).await.unwrap();
    assert_eq!(world.owes().await, "1: Status(Delivered)");
    assert_eq!(reader.held_list(&Listing::newest(1000)).unwrap(), []);
}

#[tokio::test]
async fn a_delivery_that_comes_back_is_held_and_offered_at_the_next_log_in() {
    for why in [ReturnReason::Unreachable, ReturnReason::Refused, ReturnReason::NotTaken] {
        let mut world = World::new().await;
        let delivery = delivering(&mut world).await;
        assert_eq!(comes_back(&world, delivery, error(why, false)).await, AfterReturn::Held);
        let refused = why == ReturnReason::Refused;
        // The bad news stays; the call that follows is a step after it.
        let told =
            if refused { "1: Status(NotTaken)" } else { "1: Status(NotTaken), 1: Status(Waiting)" };
        assert_eq!(world.owes().await, told, "{why:?}");
        world.send_all().await;
        world.at(120);
        // It is phoned about as before, unless the recipient has refused its sender.
        let claim = world.claim().await;
        assert_eq!(claim.is_some(), !refused, "{why:?}");
        if let Some(claim) = claim {
            world.settle(&claim, Outcome::Cancelled).await;
        }
        world.send_all().await;
        world.store().settle_sent(&[delivery], world.now).await.unwrap();
        assert_eq!(world.owes().await, "", "what came back does not arrive");
        assert_eq!(world.comes_online().await, 1);
        assert_eq!(world.owes().await, "1: Delivery", "{why:?}");
        world.send_all().await;
        assert_eq!(world.owes().await, "1: Status(Delivered)", "{why:?}");
    }
}

#[tokio::test]
async fn a_delivery_that_may_succeed_later_goes_again_by_itself_or_at_the_log_in() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    for round in 0..3 {
        let returned = error(ReturnReason::NotTaken, true);
        let after = comes_back(&world, delivery, returned).await;
        let pause = Duration::from_secs(15 << round);
        assert_eq!(after, AfterReturn::Again(pause));
        world.send_all_but_deliveries().await;
        assert_eq!(world.owes().await, "1: Delivery");
        hands_out(&world).await;
    }
    assert_eq!(world.owes().await, "", "the sender was told once");
    comes_back(&world, delivery, error(ReturnReason::NotTaken, true)).await;
    world.comes_online().await;
    world.send_all_but_deliveries().await;
    assert_eq!(world.owed().await[0].id, delivery, "the same stanza, and no other beside it");
    world.send_all().await;
    assert_eq!(world.owes().await, "1: Status(Delivered)");
}

#[tokio::test]
async fn when_its_time_is_up_a_message_goes_to_the_recipients_server_before_it_is_dropped() {
    for (comes_back_as, told) in [
        (None, "1: Status(LeftWithServer)"),
        (Some(ReturnReason::Unreachable), "1: Status(Expired)"),
    ] {
        let mut world = World::with(offhook::notification::policy::Policy {
            keep: Duration::from_secs(3600),
            ..policy()
        })
        .await;
        world.alice_writes("Hello").await;
        world.send_all().await;
        world.at(3600);
        world.store().expire(world.now).await.unwrap();
        assert_eq!(world.owes().await, "1: Delivery");
        assert!(world.claim().await.is_none(), "the time for calls is over");
        let delivery = hands_out(&world).await[0];
        // Its text is there until it is known what has become of it.
        world.store().expire(world.now).await.unwrap();
        match comes_back_as {
            Some(why) => drop(comes_back(&world, delivery, error(why, false)).await),
            None => world.store().settle_sent(&[delivery], world.now).await.unwrap(),
        }
        assert_eq!(world.owes().await, told);
        let reader = Reader::open(&world.folder.file()).unwrap();
        assert_eq!(reader.held_list(&Listing::newest(1000)).unwrap(), []);
    }
}

#[tokio::test]
async fn an_answer_that_comes_back_goes_again_and_is_given_up_after_many_times() {
    let mut world = World::new().await;
    let message = world.alice_writes("Hello").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.send_all().await;
    world.answers(&claim, message, '1').await;
    let answer = hands_out(&world).await[0];
    let mut pauses = vec![];
    let end = loop {
        match comes_back(&world, answer, error(ReturnReason::Unreachable, false)).await {
            AfterReturn::Again(pause) => pauses.push(pause.as_secs()),
            end => break end,
        }
        assert_eq!(world.owes().await, "1: Answer(1)");
        assert_eq!(hands_out(&world).await, [answer], "the same stanza");
    };
    assert_eq!(end, AfterReturn::GivenUp);
    assert!(pauses.len() > 8 && pauses.is_sorted(), "{pauses:?}");
    assert_eq!(world.owes().await, "");
}

#[tokio::test]
async fn a_status_that_was_overtaken_is_not_sent_again() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let waiting = hands_out(&world).await[0];
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    let ringing = hands_out(&world).await[0];
    let returned = error(ReturnReason::NotTaken, false);
    assert_eq!(comes_back(&world, waiting, returned.clone()).await, AfterReturn::Overtaken);
    assert!(matches!(comes_back(&world, ringing, returned).await, AfterReturn::Again(_)));
    world.settle(&claim, Outcome::Busy).await;
    let owed = world.owed().await;
    assert_eq!(owed.len(), 1, "only what is true now: {}", world.owes().await);
    assert!(world.owes().await.contains("NotReached"));
}

#[tokio::test]
async fn what_a_crash_left_open_is_owed_again_and_never_told_as_delivered() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    let id = |owed: &offhook::notification::Owed| (owed.id, owed.message.draft.stanza_id.clone());
    world.crash().await;
    let owed = world.owed().await;
    assert_eq!(owed.iter().map(id).collect::<Vec<_>>(), [(delivery, Some("alice-1".to_owned()))]);
    world.send_all().await;
    world.crash().await;
    assert_eq!(world.owes().await, "1: Status(Delivered)", "what was settled stays so");
}

#[tokio::test]
async fn a_message_over_which_the_stream_ends_is_delivered_as_text_or_not_at_all() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    let poison = || Returned { may_ring: false, ..error(ReturnReason::EndsStream, false) };
    assert!(matches!(comes_back(&world, delivery, poison()).await, AfterReturn::Again(_)));
    let owed = world.owed().await;
    assert_eq!(world.owes().await, "1: Delivery", "its sender reads nothing yet");
    let message = &owed[0].message.draft;
    assert_eq!((message.stanza.as_str(), message.body.as_str()), ("", "Hello"));
    hands_out(&world).await;
    assert_eq!(comes_back(&world, delivery, poison()).await, AfterReturn::Held);
    world.send_all().await;
    world.comes_online().await;
    assert_eq!(world.owes().await, "", "it does not end the stream at each log-in");
    let reader = Reader::open(&world.folder.file()).unwrap();
    assert_eq!(reader.held_list(&Listing::newest(1000)).unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_taken_back_while_it_is_delivered_rings_no_phone_when_it_comes_back() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    assert_eq!(world.retracts("alice-1").await.message, None, "it cannot be called back");
    assert_eq!(world.owes().await, "", "nobody says that it was not read");
    comes_back(&world, delivery, error(ReturnReason::Unreachable, false)).await;
    world.send_all().await;
    assert!(world.store().next_due().await.unwrap().is_none());
    world.comes_online().await;
    assert_eq!(world.owes().await, "1: Delivery, 2: Delivery", "the message, then its retraction");
}

#[tokio::test]
async fn what_is_worded_anew_while_it_goes_again_follows_it_as_a_correction() {
    let mut world = World::new().await;
    let delivery = delivering(&mut world).await;
    comes_back(&world, delivery, error(ReturnReason::NotTaken, true)).await;
    world.send_all_but_deliveries().await;
    hands_out(&world).await;
    world.corrects("alice-1", "c1", "Good night").await;
    world.comes_online().await;
    let owed = world.owed().await.into_iter();
    let deliveries = owed.filter(|owed| owed.content == Reply::Delivery);
    let replaced = deliveries.filter_map(|owed| owed.message.chain.replaces);
    assert_eq!(replaced.collect::<Vec<_>>(), ["alice-1"], "the first wording may be read by now");
}
