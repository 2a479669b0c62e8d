//! The store keeps its promises on a real file.

#[path = "store/world.rs"]
mod world;

use offhook::notification::{Outcome, Progress, Reply, Status, Wait};
use world::World;

#[tokio::test]
async fn a_message_becomes_a_call_an_answer_and_a_delivery() {
    let mut world = World::new().await;
    world.at(0);
    let first = world.alice_writes("Where are you?").await;
    let owed = world.statuses().await;
    assert_eq!(owed, [(first, Status::Waiting { call_at: world.time(60), why: Wait::Gathering })]);
    world.at(20);
    let second = world.alice_writes("Call me.").await;
    world.at(59);
    assert!(world.claim().await.is_none());
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(60)));
    world.at(60);
    let claim = world.claim().await.unwrap();
    let bodies: Vec<_> = claim.messages.iter().map(|m| m.draft.body.as_str()).collect();
    assert_eq!(bodies, ["Where are you?", "Call me."]);
    world.progress(&claim, Progress::Ringing).await;
    world.progress(&claim, Progress::Answered).await;
    for message in [first, second] {
        world.spoken(&claim, message).await;
        world.answers(&claim, message, '1').await;
    }
    world.settle(&claim, Outcome::Answered).await;
    assert!(
        world
            .owes()
            .await
            .contains("1: Status(Heard), 1: Answer(1), 2: Status(Heard), 2: Answer(1)")
    );
    world.send_all().await;
    world.at(90);
    assert_eq!(world.comes_online().await, 2);
    assert_eq!(world.owes().await, "1: Delivery, 2: Delivery");
    assert!(world.store().next_due().await.unwrap().is_none());
    assert!(!matches!(world.owed().await[0].content, Reply::Status(_)));
}
