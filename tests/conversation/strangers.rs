//! What must neither ring nor echo.

use std::time::Duration;

use crate::answer::house_with_phone;
use crate::house::{Kind, TO_BOB};

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
