//! The main job: a phone rings, a person listens, an answer comes back.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;
use offhook::script::prompt::Prompts;

use crate::heard;
use crate::listening::pick_up;
use crate::test_bed::{COMPONENT, Kind, LONG, NUMBER, TO_BOB, TestBed, dial, subscriber, trunk};

pub(crate) async fn bob_hears_the_message_and_alice_reads_his_answer(kind: Kind) {
    // A step that is overtaken within 2 s is not told.
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 4").await;
    bed.alice.write(TO_BOB, "m1", MESSAGE).await;
    // A callee who picks up at once may leave no time to say that it rings.
    bed.alice.reads("phone is ringing").await;
    let announcements = announcements(bed.received("m1").await);
    let announcements: Vec<&str> = announcements.iter().map(String::as_str).collect();
    let menu = message_and_menu(MESSAGE);
    let mut heard = pick_up(&mut phone).await;
    let announced = heard.part(announcements[0]).await;
    phone.press("5").await.unwrap();
    let menu_heard = heard.part(&menu).await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let thanks = heard.rest();

    let answer = bed.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    bed.settles().await;
    assert_eq!(answer.reply_to.as_deref(), Some("m1"));
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert!(answer.from.starts_with(TO_BOB), "it comes from Bob: {}", answer.from);
    assert_eq!(
        bed.alice.shown(),
        ["☎ Bob has heard your message.", "Bob will answer by message."],
        "one status, corrected in place, and the answer"
    );
    let all: Vec<_> = bed.alice.read.iter().filter_map(|it| it.text.clone()).collect();
    for step in ["is held", "phone is ringing"] {
        assert!(all.iter().any(|text| text.contains(step)), "{step} is missing in {all:#?}");
    }

    assert_eq!(heard::sentence(&announced, &announcements), Ok(announcements[0]));
    let wrong = OTHER_MESSAGES.map(message_and_menu);
    let said: Vec<&str> = [&menu].into_iter().chain(&wrong).map(String::as_str).collect();
    assert_eq!(heard::sentence(&menu_heard, &said), Ok(&*menu));
    let right = "You will answer by message. Thank you. That was all. Goodbye.";
    let wrong = "You will call back. Thank you. That was all. Goodbye.";
    let sorry = "I am sorry, your choice could not be stored. Please answer in your chat. Goodbye.";
    assert_eq!(heard::sentence(&thanks, &[right, wrong, sorry]), Ok(right));
    bed.close(&["degrees", "server room"]).await;
}

pub(crate) async fn hanging_up_early_is_told_and_the_phone_rings_again(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0\nno_answer_retry_s = [2]").await;
    bed.alice.write(TO_BOB, "m1", MESSAGE).await;
    pick_up(&mut phone).await.voice().await;
    phone.hang_up().await.unwrap();
    let told = bed.alice.reads("answered, but your message was not heard").await;
    assert!(told.body.unwrap().contains("The next call is in a minute"));

    pick_up(&mut phone).await.voice().await;
    phone.press("52").await.unwrap();
    let answer = bed.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    bed.close(&["degrees"]).await;
}

pub(crate) async fn nine_twice_ends_the_calls_until_bob_wants_them_again(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", MESSAGE).await;
    let mut heard = pick_up(&mut phone).await;
    heard.voice().await;
    phone.press("9").await.unwrap();
    heard.skip();
    heard.part("To stop these calls for good, press 9 again.").await;
    phone.press("9").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.alice.reads("Bob has switched phone calls off").await;
    bed.alice.write(TO_BOB, "m2", "Are you there?").await;
    bed.alice.reads("Your message is held until Bob is online").await;

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.reads("Phone calls about messages are off now. Send \"on\"").await;
    bob.write(COMPONENT, "b1", "on").await;
    bob.reads("You will be phoned when a message comes").await;
    bob.goes_offline().await;
    bed.alice.write(TO_BOB, "m3", "Are you there now?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.close(&["degrees", "there"]).await;
}

/// Bob's phone and all the rest; nobody is called yet.
pub(crate) async fn bed_with_phone(kind: Kind, dialing: &str) -> (TestBed, Phone) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial(dialing) + &subscriber("bob", NUMBER);
    (TestBed::open(kind, folder, &rest).await.settled().await, phone)
}

/// A message as it is read, and what can be pressed then.
pub(crate) fn message_and_menu(message: &str) -> String {
    format!(
        "{message} End of message. To answer by message, press 1. To call back, press 2. \
         To answer later, press 3. For more, press 0."
    )
}

/// The right announcement of a message received then, and wrong ones; none of a neighbouring minute, since "fifty
/// seven" and "fifty eight" are one late packet apart.
pub(crate) fn announcements(received: Timestamp) -> Vec<String> {
    let at = |minutes: i64| received + minutes.minutes();
    let say = |callee: &str, from: &str, at: Timestamp| {
        let came = came(at);
        format!("Hello, {callee}. You have a message {from}. It came {came}. To hear it, press 5.")
    };
    let now = at(0);
    let all = vec![
        say("Bob", "from Alice", now),
        say("Bob", "from Alice", at(10)),
        say("Bob", "from Alice", at(60)),
        say("Bob", "from Alice", at(-60 * 9)),
        say("Bob", "from Carol", now),
        say("Carol", "from Alice", now),
        say("Bob", "from Alice, the first of 2", now),
    ];
    all.into_iter().map(|said| format!("{WHO_CALLS} {said}")).collect()
}

/// When a message came that was received then, as it is said today. Nothing is held across midnight here.
pub(crate) fn came(received: Timestamp) -> String {
    Prompts::new("en").came(received, received, &TimeZone::UTC)
}

pub(crate) const WHO_CALLS: &str = "This is the message service of localhost.";
const MESSAGE: &str = "The server room has 38 degrees, can you come?";
const OTHER_MESSAGES: [&str; 4] = [
    "The server room has 68 degrees, can you come?",
    "The server room has 38 degrees, can you call?",
    "This message cannot be read aloud. It waits in your chat.",
    "Your messages wait in your chat.",
];
