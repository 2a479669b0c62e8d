//! What a sender words anew, or takes back, before it was spoken.

use std::time::Duration;

use tokio::time::sleep;

use crate::answer::{Parts, house_with_phone, pick_up};
use crate::heard;
use crate::house::{Kind, LONG, TO_BOB};

pub(crate) async fn what_was_corrected_is_spoken_as_corrected_and_what_was_retracted_never(
    kind: Kind,
) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 3").await;
    house.alice.write(TO_BOB, "m1", WRONG).await;
    let correction = format!(
        "<message xmlns='jabber:client' to='{TO_BOB}' id='m2' type='chat'><body>{RIGHT}</body>\
         <replace xmlns='urn:xmpp:message-correct:0' id='m1'/></message>"
    );
    house.alice.client.send_raw(&correction).await.unwrap();
    let mut parts = Parts::of(pick_up(&mut phone).await);
    parts.next().await;
    phone.press("5").await.unwrap();
    let message_and_menu = parts.next().await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    house.alice.until("the answer", |it| it.reply_to.is_some()).await;
    let menu = "To answer by message, press 1. To call back, press 2. To answer later, press 3. \
                To record a voice answer, press 7. To hear it again, press star. To go on, press hash.";
    let (right, wrong) = (format!("{RIGHT} {menu}"), format!("{WRONG} {menu}"));
    assert_eq!(heard::sentence(&message_and_menu, &[&right, &wrong]), Ok(&*right));

    house.alice.write(TO_BOB, "m3", "Never mind the fan.").await;
    house.alice.reads("will be phoned").await;
    let retraction = format!(
        "<message xmlns='jabber:client' to='{TO_BOB}' id='m4' type='chat'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='m3'/><store xmlns='urn:xmpp:hints'/></message>"
    );
    house.alice.client.send_raw(&retraction).await.unwrap();
    let called = phone.event("CALL_INCOMING", Duration::from_secs(7)).await;
    assert!(called.is_err(), "there was nothing left to say");

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    bob.reads(RIGHT).await;
    sleep(Duration::from_secs(1)).await;
    bob.rest(Duration::from_secs(1)).await;
    let texts: Vec<_> = bob.read.iter().filter_map(|it| it.body.as_deref()).collect();
    assert_eq!(texts, [RIGHT]);
    house.close(&["fan", "elephant", "server room"]).await;
}

const WRONG: &str = "There is an elephant in the garden today.";
const RIGHT: &str = "The server room is at forty degrees.";
