//! What a sender words anew, or takes back, before it was spoken.

use jiff::Timestamp;
use serde_json::Value;

use crate::answer::{bed_with_phone, message_and_menu};
use crate::heard;
use crate::listening::{pick_up, talking};
use crate::test_bed::{COMPONENT, Kind, LONG, TO_BOB, rang};

pub(crate) async fn what_was_corrected_is_spoken_as_corrected_and_what_was_retracted_never(
    kind: Kind,
) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 3").await;
    bed.alice.write(TO_BOB, "m1", WRONG).await;
    bed.alice.sends(&correction("m1", "m2", RIGHT)).await;
    let mut heard = pick_up(&mut phone).await;
    heard.voice().await;
    phone.press("5").await.unwrap();
    heard.skip();
    let (right, wrong) = (message_and_menu(RIGHT), message_and_menu(WRONG));
    let spoken = heard.part(&right).await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(heard::sentence(&spoken, &[&right, &wrong]), Ok(&*right));

    bed.alice.write(TO_BOB, "m3", "Never mind the fan.").await;
    bed.alice.reads("will be phoned").await;
    bed.alice.sends(&retraction("m3")).await;
    bed.settles().await;
    assert!(bed.held().iter().all(|it| it["next_call"].is_null()), "nothing is left to say");
    assert_eq!(bed.calls().len(), 1);
    assert!(!rang(&mut phone).await);

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.reads(RIGHT).await;
    bed.holds_nothing().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(bob.texts(), [RIGHT]);
    bed.close(&["fan", "elephant", "server room"]).await;
}

pub(crate) async fn second_thoughts_reach_a_call_that_rings_and_one_that_was_answered(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 2").await;
    bed.alice.write(TO_BOB, "m1", WRONG).await;
    bed.alice.write(TO_BOB, "m2", "Never mind the fan.").await;
    let mut heard = talking(&mut phone, async |phone| {
        phone.event("CALL_INCOMING", LONG).await.unwrap();
        bed.alice.sends(&correction("m1", "c1", "The fan is as wrong.")).await;
        bed.holds_newer("m1").await;
        phone.answer().await.unwrap();
    })
    .await;
    heard.voice().await;
    // Bob has picked up and heard that a message is there, but not the message.
    bed.alice.sends(&correction("c1", "c2", RIGHT)).await;
    bed.alice.sends(&retraction("m2")).await;
    bed.drops("m2").await;
    heard.skip();
    phone.press("5").await.unwrap();
    let right = message_and_menu(RIGHT);
    let spoken = heard.part(&right).await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = bed.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.reply_to.as_deref(), Some("c2"), "the bubble that Alice sees");
    bed.alice.reads("Taken back; Bob did not hear it.").await;
    let wrong = [WRONG, "The fan is as wrong.", "Never mind the fan."].map(message_and_menu);
    let said: Vec<&str> = [&right].into_iter().chain(&wrong).map(String::as_str).collect();
    assert_eq!(heard::sentence(&spoken, &said), Ok(&*right));
    assert_eq!(bed.calls().len(), 1, "the phone rang on, and rang once");

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.reads(RIGHT).await;
    bed.holds_nothing().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(bob.texts(), [RIGHT]);

    // Bob has it now; away again, Alice corrects it once more, then takes it back.
    bob.goes_offline().await;
    bed.alice.sends(&correction("m1", "c3", WRONG)).await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.alice.sends(&retraction("m1")).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.alice.reads("Taken back; Bob was not told.").await;
    bob.comes_online(0).await;
    bed.holds_nothing().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(bob.texts(), [RIGHT], "the last wording is never read");
    bed.close(&["fan", "elephant", "server room"]).await;
}

pub(crate) async fn a_retraction_ends_the_ringing_when_nothing_else_is_to_be_said(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.alice.sends(&retraction("m1")).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.settles().await;
    let calls = bed.calls();
    assert_eq!(calls.len(), 1);
    assert!(calls[0]["answered"].is_null(), "it was cancelled: {calls:?}");

    // What comes next is phoned by the rules, as if nobody had been called.
    bed.alice.write(TO_BOB, "m2", "The door is open.").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    let called: Timestamp = newest(&bed.calls())["started"].as_str().unwrap().parse().unwrap();
    let waited = called.duration_since(bed.received("m2").await);
    assert!(waited.as_secs() < 30, "{waited:?} is the wait after a call that failed");
    bed.close(&["fan", "door"]).await;
}

pub(crate) async fn a_retraction_leaves_the_call_to_the_other_senders(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 3").await;
    let mut carol = bed.log_in("carol", "carol@localhost/desk").await;
    carol.comes_online(0).await;
    carol.write(TO_BOB, "c1", "The server room is burning.").await;
    bed.alice.write(TO_BOB, "m1", "Never mind the fan.").await;
    bed.received("m1").await;
    let heard = talking(&mut phone, async |phone| {
        phone.event("CALL_INCOMING", LONG).await.unwrap();
        bed.alice.sends(&retraction("m1")).await;
        bed.drops("m1").await;
        phone.answer().await.unwrap();
    })
    .await;
    heard.voice().await;
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = carol.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.reply_to.as_deref(), Some("c1"));
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    bed.settles().await;
    assert_eq!(bed.calls().len(), 1, "the call that rang for both was answered");
    let cancelled = carol.texts().into_iter().find(|text| text.contains("cancelled"));
    assert_eq!(cancelled, None);
    bed.close(&["fan", "burning"]).await;
}

/// Words anew what Alice has written.
fn correction(id: &str, new: &str, text: &str) -> String {
    format!(
        "<message xmlns='jabber:client' to='{TO_BOB}' id='{new}' type='chat'><body>{text}</body>\
         <replace xmlns='urn:xmpp:message-correct:0' id='{id}'/></message>"
    )
}

/// Takes back what Alice has written.
fn retraction(id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' to='{TO_BOB}' id='r-{id}' type='chat'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><store xmlns='urn:xmpp:hints'/></message>"
    )
}

/// The last call that was begun.
fn newest(calls: &[Value]) -> &Value {
    calls.iter().max_by_key(|call| call["call"].as_i64()).unwrap()
}

const WRONG: &str = "There is an elephant in the garden today.";
const RIGHT: &str = "The server room is at forty degrees.";
