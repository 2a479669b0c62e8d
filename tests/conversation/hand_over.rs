//! With the module in the server, people write to each other as always.

use std::time::Duration;

use offhook::cli::demo::part::Folder;
use offhook::cli::demo::phone::Phone;
use tokio::time::sleep;

use crate::answer::pick_up;
use crate::house::{House, Kind, LONG, NUMBER, TO_BOB, dial, subscriber, trunk};

pub(crate) async fn a_message_to_bob_himself_is_phoned_and_delivered_once(kind: Kind) {
    let (mut house, mut phone) = house(kind, false, "wait_s = 0").await;
    house.alice.write(BOB, "m1", "The fan is broken.").await;
    house.alice.reads("is ringing").await;
    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("52").await.unwrap();
    let answer = house.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.reply_to.as_deref(), Some("m1"));
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    assert!(answer.from.starts_with(TO_BOB), "{}", answer.from);

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    let kept = bob.reads("The fan is broken.").await;
    assert_eq!((kept.id.as_deref(), kept.from.as_str()), (Some("m1"), "alice@localhost/desk"));
    bob.rest(Duration::from_secs(7)).await;
    let copies = bob.read.iter().filter(|it| it.body.as_deref() == Some("The fan is broken."));
    assert_eq!(copies.count(), 1, "the server has kept it, so Offhook does not deliver it");
    house.close(&["fan", "broken"]).await;
}

pub(crate) async fn who_is_awake_is_not_phoned_and_a_sign_of_life_ends_the_call(kind: Kind) {
    let (mut house, mut phone) = house(kind, false, "wait_s = 3").await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(-1).await.unwrap();
    house.alice.write(BOB, "m1", "Are you there?").await;
    house.alice.reads("will be phoned").await;
    bob.client.online(1).await.unwrap();
    house.alice.reads("is online and has your message").await;
    house.alice.write(BOB, "m2", "Good.").await;
    bob.reads("Good.").await;
    let called = phone.event("CALL_INCOMING", Duration::from_secs(6)).await;
    assert!(called.is_err(), "he was phoned although he was there");
    house.close(&["there?"]).await;
}

pub(crate) async fn whose_clients_all_sleep_is_phoned_until_one_wakes(kind: Kind) {
    let (mut house, mut phone) = house(kind, false, "wait_s = 0").await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.send_raw("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await.unwrap();
    bob.client.online(0).await.unwrap();
    bob.rest(Duration::from_secs(1)).await;
    bob.client.part.kill();
    drop(bob);
    // Before the server notices, the message counts as sent and not acknowledged.
    house.alice.rest(Duration::from_secs(1)).await;
    house.alice.write(BOB, "m1", "Are you there?").await;
    house.alice.reads("is ringing").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    let traced = house.offhook.says(&["trace", "m1"]);
    assert!(traced.contains("asleep"), "{traced}");

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    // ejabberd stores anew what waited for the client that this one replaces, and that takes a moment.
    bob.rest(Duration::from_secs(2)).await;
    bob.client.online(0).await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    house.alice.reads("is online and has your message").await;
    bob.reads("Are you there?").await;
    bob.rest(Duration::from_secs(2)).await;
    let copies = bob.read.iter().filter(|it| it.body.as_deref() == Some("Are you there?"));
    assert_eq!(copies.count(), 1);
    house.close(&["there?"]).await;
}

pub(crate) async fn what_is_no_message_to_read_is_not_handed_over(kind: Kind) {
    let (mut house, mut phone) = house(kind, false, "wait_s = 0").await;
    for (id, kind, payload) in [
        ("n1", "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("n2", "headline", "<body>News</body>"),
        ("n3", "chat", "<body>Secret</body><no-store xmlns='urn:xmpp:hints'/>"),
        ("n4", "chat", "<received xmlns='urn:xmpp:receipts' id='x'/>"),
    ] {
        let xml = format!(
            "<message xmlns='jabber:client' to='{BOB}' id='{id}' type='{kind}'>{payload}</message>"
        );
        house.alice.client.send_raw(&xml).await.unwrap();
    }
    let called = phone.event("CALL_INCOMING", Duration::from_secs(4)).await;
    assert!(called.is_err(), "nothing of that is worth a call: {}", house.offhook.log());
    house.alice.write(BOB, "m1", "Wrong words").await;
    house
        .alice
        .client
        .send_raw(&format!(
            "<message xmlns='jabber:client' to='{BOB}' id='m2' type='chat'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='m1'/><body>/me retracted</body></message>"
        ))
        .await
        .unwrap();
    house.close(&["Wrong words"]).await;
}

pub(crate) async fn an_answer_comes_from_bob_himself_where_the_server_lets_it(kind: Kind) {
    let (mut house, mut phone) = house(kind, true, "wait_s = 0").await;
    let written = "<body>The fan is broken.</body><request xmlns='urn:xmpp:receipts'/>\
                   <markable xmlns='urn:xmpp:chat-markers:0'/>";
    let xml = format!(
        "<message xmlns='jabber:client' to='{BOB}' id='m1' type='chat'>{written}</message>"
    );
    house.alice.client.send_raw(&xml).await.unwrap();
    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("5").await.unwrap();
    let receipt = house.alice.until("the receipt", |it| it.receipt.as_deref() == Some("m1")).await;
    assert_eq!(receipt.from, BOB);
    assert!(receipt.xml.contains("<displayed"), "{}", receipt.xml);
    phone.press("1").await.unwrap();
    let answer = house.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert_eq!(answer.from, BOB, "it stands in the conversation in which it was asked");
    house.close(&["fan", "broken"]).await;
}

/// Bob's phone, and a server that hands over.
async fn house(kind: Kind, privileged: bool, dialing: &str) -> (House, Phone) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial(dialing) + &subscriber("bob", NUMBER);
    (House::open_with_module(kind, folder, privileged, &rest).await.settled().await, phone)
}

const BOB: &str = "bob@localhost";
