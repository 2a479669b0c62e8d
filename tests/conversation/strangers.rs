//! What must neither ring nor echo.

use std::time::Duration;

use tokio::time::sleep;

use crate::answer::{house_with_phone, pick_up};
use crate::house::{COMPONENT, Kind, LONG, TO_BOB};

pub(crate) async fn what_is_no_message_to_a_person_makes_no_call_and_no_loop(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    let state = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    let silent = [
        format!("<message type='groupchat' to='{TO_BOB}'><body>hi all</body></message>"),
        format!("<message type='headline' to='{TO_BOB}'><body>news</body></message>"),
        format!(
            "<message type='error' id='e' to='{TO_BOB}'><body>bounced</body><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ),
        format!("<message type='chat' to='{TO_BOB}'>{state}</message>"),
        format!("<message type='chat' to='{TO_BOB}'><body/></message>"),
        format!(
            "<message type='chat' to='{TO_BOB}'><received xmlns='urn:xmpp:receipts' id='x'/></message>"
        ),
    ];
    for stanza in silent {
        house.alice.client.send_raw(&stanza).await.unwrap();
    }
    house.alice.rest(Duration::from_secs(2)).await;
    assert_eq!(house.alice.read, []);

    house.alice.write("nobody\\40localhost@phone.localhost", "u1", "Who?").await;
    let error = house.alice.until("the error", |it| it.id.as_deref() == Some("u1")).await;
    assert_eq!((error.kind.as_str(), error.error.as_deref()), ("error", Some("item-not-found")));
    let fleeting = format!(
        "<message type='chat' id='n1' to='{TO_BOB}'><body>gone soon</body><no-store xmlns='urn:xmpp:hints'/></message>"
    );
    house.alice.client.send_raw(&fleeting).await.unwrap();
    let error = house.alice.until("the error", |it| it.id.as_deref() == Some("n1")).await;
    assert_eq!(
        (error.kind.as_str(), error.error.as_deref()),
        ("error", Some("service-unavailable"))
    );

    assert!(phone.event("CALL_INCOMING", Duration::from_secs(2)).await.is_err());
    assert_eq!(house.offhook.says(&["held", "--json"]), "[]");
    house.close(&["hi all", "gone soon"]).await;
}

pub(crate) async fn a_stranger_makes_no_phone_ring(kind: Kind) {
    let (house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    let mut eve = house.log_in("eve", "eve@elsewhere.localhost/desk").await;
    eve.client.online(0).await.unwrap();
    eve.write(TO_BOB, "e1", "Buy something!").await;
    eve.reads("Your message is held until Bob is online").await;
    assert!(phone.event("CALL_INCOMING", Duration::from_secs(3)).await.is_err());

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    let late = bob.reads("Buy something!").await;
    assert!(late.from.starts_with("eve\\40elsewhere.localhost@phone.localhost"));
    house.close(&["Buy something"]).await;
}

pub(crate) async fn a_program_rings_only_where_it_is_allowed(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.alice.client.is_bot().await.unwrap();
    house.alice.write(TO_BOB, "m1", "Disk full").await;
    house.alice.reads("held until Bob is online").await;
    let called = phone.event("CALL_INCOMING", Duration::from_secs(3)).await;
    assert!(called.is_err(), "a program has made the phone ring");

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    bob.reads("Disk full").await;
    bob.write(COMPONENT, "b1", "allow alice@localhost").await;
    bob.reads("You will be phoned").await;
    bob.client.offline().await.unwrap();
    sleep(Duration::from_secs(1)).await;
    house.alice.write(TO_BOB, "m2", "Disk full again").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    house.close(&["Disk", "full"]).await;
}

pub(crate) async fn a_packaged_client_writes_and_is_answered(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.server.sendxmpp("alice", TO_BOB, "The fan is broken.").await;
    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("51").await.unwrap();
    let answer = house
        .alice
        .until("the answer", |it| it.text.as_deref() == Some("Bob will answer by message."));
    assert!(answer.await.from.starts_with(TO_BOB));
    house.close(&["fan", "broken"]).await;
}

pub(crate) async fn whoever_writes_german_reads_german(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    let xml = format!(
        "<message xmlns='jabber:client' xml:lang='de' to='{TO_BOB}' id='m1' type='chat'><body>Bist du da?</body></message>"
    );
    house.alice.client.send_raw(&xml).await.unwrap();
    house.alice.reads("Das Telefon von Bob klingelt").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    house.close(&["Bist"]).await;
}
