//! People who call to hear what is held for them.

use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;

use crate::answer::{WHO_CALLS, announcements, message_and_menu};
use crate::heard;
use crate::listening::{Heard, talking};
use crate::test_bed::{COMPONENT, Kind, LONG, NUMBER, TO_BOB, TestBed, dial, subscriber, trunk};

pub(crate) async fn who_calls_in_hears_what_is_held_and_nobody_else_does(kind: Kind) {
    let (mut bed, mut phone, folder) = bed_for_callers(kind).await;
    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    bed.alice.reads("Your message is held").await;
    let right = &*announcements(bed.received("m1").await)[0];

    let mut stranger =
        Phone::start(&folder.room("stranger").unwrap(), "+9995550199", None).await.unwrap();
    dial_in(&mut stranger, &bed).await;
    let refused = stranger.event("CALL_CLOSED", LONG).await.unwrap();
    assert!(refused["param"].as_str().unwrap().contains("403"), "{refused}");

    let mut heard = call_in(&mut phone, &bed).await;
    let greeting = heard.part(right).await;
    phone.press("5").await.unwrap();
    heard.part(&message_and_menu("The fan is broken.")).await;
    phone.press("2").await.unwrap();
    let answer = bed.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.settles().await;
    let shown = bed.alice.shown();
    assert_eq!(shown, ["☎ Bob has heard your message.", "Bob will phone you back."]);
    let nothing = "This is the message service of localhost. No message is waiting. Goodbye.";
    let pin =
        "This is the message service of localhost. 1 message is waiting. Please enter your PIN.";
    assert_eq!(heard::sentence(&greeting, &[right, nothing, pin]), Ok(right));

    let calls = bed.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let call = &calls[0];
    assert_eq!((&call["direction"], &call["outcome"]), (&"in".into(), &"answered".into()));
    assert_eq!((&call["messages"], &call["heard"]), (&1.into(), &1.into()));
    let held = bed.held();
    assert!(held[0]["next_call"].is_null(), "no call is planned any more: {held:?}");

    let heard = call_in(&mut phone, &bed).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    assert_eq!(heard::sentence(&heard.rest(), &[nothing, right, pin]), Ok(nothing));
    bed.close(&["fan"]).await;
}

pub(crate) async fn who_calls_in_must_know_the_pin(kind: Kind) {
    let (mut bed, mut phone, _folder) = bed_for_callers(kind).await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.write(COMPONENT, "b1", "pin 4821").await;
    bob.reads("Your PIN is set").await;
    bob.goes_offline().await;
    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    bed.alice.reads("Your message is held").await;

    let asked =
        "This is the message service of localhost. 1 message is waiting. Please enter your PIN.";
    let named =
        "Hello, Bob. You have a message from Alice. It came at 10:30 am. To hear it, press 5.";
    let mut heard = call_in(&mut phone, &bed).await;
    let question = heard.part(asked).await;
    phone.press("1111").await.unwrap();
    heard.part("That is not the PIN. 1 message is waiting. Please enter your PIN.").await;
    phone.press("4821#").await.unwrap();
    heard.part(named).await;
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = bed.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert_eq!(heard::sentence(&question, &[asked, named]), Ok(asked));
    bed.close(&["fan", "4821", "1111"]).await;
}

pub(crate) async fn a_strangers_phone_opens_by_number_and_pin(kind: Kind) {
    let (mut bed, _, folder) = bed_for(kind, "callback_pin = true\n").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.write(COMPONENT, "b1", "pin 4821").await;
    bob.reads("Your PIN is set").await;
    bob.goes_offline().await;
    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    bed.alice.reads("Your message is held").await;
    let right = &*announcements(bed.received("m1").await)[0];

    let mut booth =
        Phone::start(&folder.room("booth").unwrap(), "+9995550199", None).await.unwrap();
    let question = format!(
        "{WHO_CALLS} Please enter your phone number with its country code, then press pound."
    );
    let pin = "Please enter your PIN, then press pound.";
    // Who calls was said to the stranger already.
    let right = right.strip_prefix(WHO_CALLS).unwrap().trim();
    let mut heard = call_in(&mut booth, &bed).await;
    let asked = heard.part(&question).await;
    booth.press("9995550100#").await.unwrap();
    let pin_asked = heard.part(pin).await;
    booth.press("4821#").await.unwrap();
    let named = heard.part(right).await;
    booth.press("52").await.unwrap();
    booth.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = bed.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    let all = [&*question, right, pin];
    assert_eq!(heard::sentence(&asked, &all), Ok(&*question));
    assert_eq!(heard::sentence(&pin_asked, &all), Ok(pin));
    assert_eq!(heard::sentence(&named, &all), Ok(right));
    bed.close(&["fan", "4821"]).await;
}

/// Offhook that phones nobody for an hour and takes calls, and Bob's phone.
async fn bed_for_callers(kind: Kind) -> (TestBed, Phone, Folder) {
    bed_for(kind, "callback_without_pin = true\n").await
}

async fn bed_for(kind: Kind, keys: &str) -> (TestBed, Phone, Folder) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial("wait_s = 3600") + &subscriber("bob", NUMBER);
    let bed = TestBed::open_for_callers(kind, Folder::make().unwrap(), keys, &rest).await;
    (bed.settled().await, phone, folder)
}

async fn dial_in(phone: &mut Phone, bed: &TestBed) {
    phone.order("dial", &format!("sip:offhook@{}", bed.sip)).await.unwrap();
}

async fn call_in(phone: &mut Phone, bed: &TestBed) -> Heard {
    talking(phone, async |phone| dial_in(phone, bed).await).await
}
