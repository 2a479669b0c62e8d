//! A row that cannot be read is set aside, and all others go on.

use offhook::notification::{Draft, MessageId, Outcome, Progress, Reply};
use offhook::subscriber::Subscriber;
use rusqlite::Connection;

use crate::world::{World, attempt, bob, draft};

/// Bob and Carol with a message each; the first is Bob's.
async fn bob_and_carol() -> (World, Subscriber, [MessageId; 2]) {
    let mut world = World::new().await;
    let carol = Subscriber {
        number: Some("+81378902222".parse().unwrap()),
        ..Subscriber::new("carol@example.org".parse().unwrap(), "Carol".to_owned())
    };
    let people = vec![bob(), carol.clone()];
    world.store().configure_subscribers(people, world.now).await.unwrap();
    let first = world.alice_writes("One").await;
    let to_carol = Draft { recipient: carol.jid.clone(), ..draft("c", "dan@example.org/x", "Hi") };
    let second = world.hold(to_carol, 0).await.unwrap().message;
    (world, carol, [first, second])
}

fn spoil(world: &World, sql: &str) {
    let conn = Connection::open(world.folder.file()).unwrap();
    assert_eq!(conn.execute(sql, []).unwrap(), 1, "{sql}");
}

#[tokio::test]
async fn a_damaged_message_is_not_phoned_about_and_holds_up_nobody() {
    let (mut world, carol, [_, to_carol]) = bob_and_carol().await;
    let beside = world.alice_writes("Two").await;
    spoil(&world, "UPDATE messages SET sender = '@@' WHERE id = 1");
    world.at(60);
    let claims = world.store().claim_due(world.now, 8).await.unwrap();
    let messages: Vec<_> =
        claims.iter().flat_map(|claim| &claim.messages).map(|message| message.id).collect();
    assert_eq!(messages, [beside, to_carol]);
    for claim in &claims {
        world.progress(claim, Progress::Answered).await;
        for message in &claim.messages {
            world.spoken(claim, message.id).await;
        }
        world.store().settle(claim.attempt, attempt(Outcome::Answered), world.now).await.unwrap();
    }
    world.crash().await;
    assert_eq!(world.store().next_due().await.unwrap(), None, "the damaged one causes no call");
    assert_eq!(world.comes_online().await, 2);
    assert_eq!(world.store().came_online(&carol.jid, world.now).await.unwrap().messages, 1);
    let delivered: Vec<_> = world
        .owed()
        .await
        .into_iter()
        .filter(|owed| owed.content == Reply::Delivery)
        .map(|owed| owed.message.id)
        .collect();
    assert_eq!(delivered, [beside, to_carol]);
}

#[tokio::test]
async fn damaged_rows_hold_up_no_stanza_behind_them() {
    let (world, _, [_, to_carol]) = bob_and_carol().await;
    spoil(&world, "UPDATE messages SET sender = '@@' WHERE id = 1");
    let owed = world.store().owed(1).await.unwrap();
    assert_eq!(owed.iter().map(|owed| owed.message.id).collect::<Vec<_>>(), [to_carol]);
}

#[tokio::test]
async fn a_damaged_notification_or_person_costs_only_that_call() {
    for damage in [
        "UPDATE notifications SET number = 'x' WHERE id = 1",
        "UPDATE notifications SET last_outcome = 'x' WHERE id = 1",
        "UPDATE subscribers SET quiet = 'x' WHERE jid = 'bob@example.org'",
    ] {
        for restart in [false, true] {
            let (mut world, carol, [to_bob, to_carol]) = bob_and_carol().await;
            spoil(&world, damage);
            if restart {
                world.crash().await;
            }
            world.at(60);
            if !restart {
                // What the store remembers of people it has read is forgotten with any change to them.
                world.store().configure_subscribers(vec![carol], world.now).await.unwrap();
            }
            let claims = world.store().claim_due(world.now, 8).await.unwrap();
            let messages: Vec<_> =
                claims.iter().flat_map(|claim| &claim.messages).map(|it| it.id).collect();
            assert_eq!(messages, [to_carol], "{damage}");
            let bob = "SELECT state FROM notifications WHERE id = 1";
            let conn = Connection::open(world.folder.file()).unwrap();
            let state: String = conn.query_row(bob, [], |row| row.get(0)).unwrap();
            assert_eq!(state, "closed", "{damage}");
            let held = "SELECT ended IS NULL FROM messages WHERE id = ?";
            assert!(conn.query_row(held, [to_bob.0], |row| row.get::<_, bool>(0)).unwrap());
        }
    }
}

#[tokio::test]
async fn a_damaged_message_whose_sender_was_being_asked_does_not_keep_the_program_from_starting() {
    let mut world = World::new().await;
    let mut asked = draft("1", "alice@example.org/x", "Hello");
    asked.how.sender_unknown = true;
    world.hold(asked, 0).await.unwrap();
    let other = world.alice_writes("Two").await;
    spoil(&world, "UPDATE messages SET recipient = '@@' WHERE id = 1");
    world.crash().await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.messages.iter().map(|it| it.id).collect::<Vec<_>>(), [other]);
}
