//! People who call to hear what is held for them.

use std::time::Duration;

use offhook::cli::demo::part::Folder;
use offhook::cli::demo::phone::Phone;
use offhook::cli::demo::recording::Recording;
use serde_json::Value;
use tokio::time::sleep;

use crate::answer::{Parts, announcements, early_in_a_minute, talking};
use crate::heard;
use crate::house::{COMPONENT, House, Kind, LONG, NUMBER, TO_BOB, dial, subscriber, trunk};

pub(crate) async fn who_calls_in_hears_what_is_held_and_nobody_else_does(kind: Kind) {
    let (mut house, mut phone, folder) = house_for_callers(kind).await;
    let written = early_in_a_minute().await;
    house.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    house.alice.reads("Your message is held").await;

    let mut stranger =
        Phone::start(&folder.room("stranger").unwrap(), "+9995550199", None).await.unwrap();
    dial_in(&mut stranger, &house).await;
    let refused = stranger.event("CALL_CLOSED", LONG).await.unwrap();
    assert!(refused["param"].as_str().unwrap().contains("403"), "{refused}");

    let mut parts = Parts::of(call_in(&mut phone, &house).await);
    let greeting = parts.next().await;
    phone.press("5").await.unwrap();
    parts.next().await;
    phone.press("2").await.unwrap();
    let answer = house.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    house.alice.rest(Duration::from_secs(1)).await;
    let shown = house.alice.shown();
    assert_eq!(shown, ["Bob has heard your message.", "Bob will phone you back."]);
    let nothing = "Hello. No message is waiting. Goodbye.";
    let pin = "Hello. 1 message is waiting. Please enter your PIN.";
    let right = &*announcements(written)[0];
    assert_eq!(heard::sentence(&greeting, &[right, nothing, pin]), Ok(right));

    let calls: Value = serde_json::from_str(&house.offhook.says(&["calls", "--json"])).unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 1, "{calls}");
    let call = &calls[0];
    assert_eq!((&call["direction"], &call["outcome"]), (&"in".into(), &"answered".into()));
    assert_eq!((&call["messages"], &call["heard"]), (&1.into(), &1.into()));
    let held: Value = serde_json::from_str(&house.offhook.says(&["held", "--json"])).unwrap();
    assert!(held[0]["next_call"].is_null(), "no call is planned any more: {held}");

    let recording = call_in(&mut phone, &house).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let said = recording.samples().unwrap();
    assert_eq!(heard::sentence(&said, &[nothing, right, pin]), Ok(nothing));
    house.close(&["fan"]).await;
}

pub(crate) async fn who_calls_in_must_know_his_pin(kind: Kind) {
    let (mut house, mut phone, _folder) = house_for_callers(kind).await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    bob.write(COMPONENT, "b1", "pin 4821").await;
    bob.reads("You will be phoned").await;
    bob.client.offline().await.unwrap();
    sleep(Duration::from_secs(1)).await;
    house.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    house.alice.reads("Your message is held").await;

    let mut parts = Parts::of(call_in(&mut phone, &house).await);
    let question = parts.next().await;
    phone.press("1111").await.unwrap();
    parts.next().await;
    phone.press("4821#").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = house.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    let asked = "Hello. 1 message is waiting. Please enter your PIN.";
    let named = "Hello, Bob. At 10:30 a message from Alice arrived. Press 5 to hear it.";
    assert_eq!(heard::sentence(&question, &[asked, named]), Ok(asked));
    house.close(&["fan", "4821", "1111"]).await;
}

pub(crate) async fn a_strangers_phone_opens_by_number_and_pin(kind: Kind) {
    let (mut house, _, folder) = house_for(kind, "callback_pin = true\n").await;
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    bob.write(COMPONENT, "b1", "pin 4821").await;
    bob.reads("You will be phoned").await;
    bob.client.offline().await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let written = early_in_a_minute().await;
    house.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    house.alice.reads("Your message is held").await;

    let mut booth =
        Phone::start(&folder.room("booth").unwrap(), "+9995550199", None).await.unwrap();
    let mut parts = Parts::of(call_in(&mut booth, &house).await);
    let asked = parts.next().await;
    booth.press("9995550100#").await.unwrap();
    let pin_asked = parts.next().await;
    booth.press("4821#").await.unwrap();
    let named = parts.next().await;
    booth.press("52").await.unwrap();
    booth.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = house.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    let question = "Hello. Please enter your phone number with its country code, then press hash.";
    let greeting = &*announcements(written)[0];
    let pin = "Please enter your PIN, then press hash.";
    let all = [question, greeting, pin];
    assert_eq!(heard::sentence(&asked, &all), Ok(question));
    assert_eq!(heard::sentence(&pin_asked, &all), Ok(pin));
    assert_eq!(heard::sentence(&named, &all), Ok(greeting));
    house.close(&["fan", "4821"]).await;
}

/// A house that phones nobody for an hour, and Bob's phone.
async fn house_for_callers(kind: Kind) -> (House, Phone, Folder) {
    house_for(kind, "").await
}

async fn house_for(kind: Kind, keys: &str) -> (House, Phone, Folder) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial("wait_s = 3600") + &subscriber("bob", NUMBER);
    let house = House::open_for_callers(kind, Folder::make().unwrap(), keys, &rest).await;
    (house.settled().await, phone, folder)
}

async fn dial_in(phone: &mut Phone, house: &House) {
    phone.order("dial", &format!("sip:offhook@{}", house.sip)).await.unwrap();
}

async fn call_in(phone: &mut Phone, house: &House) -> Recording {
    talking(phone, async |phone| dial_in(phone, house).await).await
}
