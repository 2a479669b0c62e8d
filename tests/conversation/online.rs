//! Who is online is not phoned, and whoever comes back gets what was held.

use std::time::Duration;

use offhook::cli::demo::chat_client::ChatMessage;
use tokio::time::sleep;

use crate::answer::{house_with_phone, pick_up};
use crate::house::{House, Kind, LONG, NO_PHONE, TO_BOB, dial, subscriber};
use offhook::cli::demo::part::Folder;

pub(crate) async fn who_is_online_is_written_to_at_once_and_answers_from_his_client(kind: Kind) {
    let rest = String::from(NO_PHONE) + &dial("wait_s = 0") + &subscriber("bob", "+9995550100");
    let mut house = House::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(5).await.unwrap();
    until_seen_online(&mut house).await;

    house.alice.write(TO_BOB, "m1", "Grüße <&> 🙂").await;
    let message = bob.reads("Grüße").await;
    assert_eq!(
        (message.body.as_deref(), message.id.as_deref()),
        (Some("Grüße <&> 🙂"), Some("m1"))
    );
    assert_eq!(message.delay, None, "it was not held");
    assert!(message.from.starts_with("alice\\40localhost@phone.localhost"), "{}", message.from);
    bob.write(&message.from, "b1", "Hello Alice").await;
    let answer = house.alice.reads("Hello Alice").await;
    assert!(answer.from.starts_with(TO_BOB), "{}", answer.from);

    // A client that wants no messages makes him no less offline.
    bob.client.online(-1).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    house.alice.write(TO_BOB, "m2", "And now?").await;
    house.alice.reads("is held").await;
    bob.client.online(5).await.unwrap();
    let late = bob.reads("And now?").await;
    assert!(late.delay.is_some());
    house.close(&["Grüße", "Hello", "And now"]).await;
}

pub(crate) async fn held_messages_are_delivered_in_order_and_once(kind: Kind) {
    let carol =
        "[[subscriber]]\njid = \"carol@localhost\"\nname = \"Carol\"\noffline = \"store\"\n";
    let rest = String::from(NO_PHONE) + &dial("") + carol;
    let mut house = House::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
    let texts = ["one", "two", "three"];
    for text in texts {
        house.alice.write("carol\\40localhost@phone.localhost", text, text).await;
        house.alice.reads("Your message is held until Carol is online").await;
    }
    let mut carol = house.log_in("carol", "carol@localhost/phone").await;
    carol.client.online(0).await.unwrap();
    carol.reads("three").await;
    // Going and coming brings nothing again.
    carol.client.offline().await.unwrap();
    sleep(Duration::from_millis(300)).await;
    carol.client.online(0).await.unwrap();
    carol.rest(Duration::from_secs(2)).await;
    let bodies: Vec<_> = carol.read.iter().filter_map(|it| it.body.as_deref()).collect();
    assert_eq!(bodies, texts);
    assert!(carol.read.iter().filter(|it| it.body.is_some()).all(|it| it.delay.is_some()));
    house.alice.rest(Duration::from_secs(1)).await;
    let shown = house.alice.shown();
    let told = |it: &&str| it.starts_with("Carol is online and has your message, delivered at ");
    assert!(shown.len() == 3 && shown.iter().all(told), "{shown:?}");
    house.close(&["three"]).await;
}

pub(crate) async fn coming_online_while_it_rings_ends_the_call(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.alice.write(TO_BOB, "m1", "Can you come?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    house.alice.reads("phone is ringing").await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some());
    house.alice.reads("Bob is online and has your message").await;
    house.alice.rest(Duration::from_secs(2)).await;
    let shown = house.alice.shown();
    assert!(shown.len() == 1 && shown[0].starts_with("Bob is online and has"), "{shown:?}");
    house.close(&["Can you come"]).await;
}

pub(crate) async fn a_message_heard_by_phone_is_still_delivered(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    let request = "<request xmlns='urn:xmpp:receipts'/>";
    let message = format!(
        "<message type='chat' id='m1' to='{TO_BOB}'><body>Can you come?</body>{request}</message>"
    );
    house.alice.client.send_raw(&message).await.unwrap();
    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("5").await.unwrap();
    sleep(Duration::from_secs(4)).await;
    phone.press("3").await.unwrap();
    house.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    house.alice.rest(Duration::from_secs(1)).await;
    let receipts =
        |read: &[ChatMessage]| read.iter().filter(|it| it.receipt.as_deref() == Some("m1")).count();
    assert_eq!(receipts(&house.alice.read), 1, "the text was spoken to its end");

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some() && message.id.as_deref() == Some("m1"));
    bob.rest(Duration::from_secs(1)).await;
    assert_eq!(bob.read.iter().filter(|it| it.body.is_some()).count(), 1);
    house.close(&["Can you come"]).await;
}

/// Offhook sees Bob only once he has accepted its contact request, which his client does.
async fn until_seen_online(house: &mut House) {
    for _ in 0..50 {
        house.alice.write(TO_BOB, "look", "Are you there?").await;
        let answer =
            house.alice.client.message(Duration::from_millis(700), "a status", |it| it.body);
        if answer.await.is_err() {
            house.alice.read.clear();
            return;
        }
    }
    panic!("Bob is never seen online");
}
