//! Who is online is not phoned, and whoever comes back gets what was held.

use offhook::demo::chat_client::ChatMessage;
use offhook::demo::child_process::Folder;
use tokio::time::timeout;

use crate::answer::{bed_with_phone, message_and_menu};
use crate::listening::pick_up;
use crate::test_bed::{
    COMPONENT, Kind, LONG, NO_PHONE, TO_ALICE, TO_BOB, TestBed, dial, subscriber,
};

pub(crate) async fn who_is_online_is_written_to_at_once_and_answers_from_the_client(kind: Kind) {
    let rest = String::from(NO_PHONE) + &dial("wait_s = 0") + &subscriber("bob", "+9995550100");
    let mut bed = TestBed::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(5).await;
    // Offhook sees Bob only once the client has accepted its contact request. What was written before waits until then.
    bed.alice.write(TO_BOB, "m0", "Are you there?").await;
    bob.reads("Are you there?").await;
    bed.settles().await;

    bed.alice.write(TO_BOB, "m1", "Grüße <&> 🙂").await;
    let message = bob.reads("Grüße").await;
    assert_eq!(
        (message.body.as_deref(), message.id.as_deref()),
        (Some("Grüße <&> 🙂"), Some("m1"))
    );
    assert_eq!(message.delay, None, "it was not held");
    assert!(message.from.starts_with("alice\\40localhost@phone.localhost"), "{}", message.from);
    bob.write(&message.from, "b1", "Hello Alice").await;
    let answer = bed.alice.reads("Hello Alice").await;
    assert!(answer.from.starts_with(TO_BOB), "{}", answer.from);

    // A client that wants no messages makes nobody online.
    bob.comes_online(-1).await;
    bed.alice.write(TO_BOB, "m2", "And now?").await;
    bed.alice.reads("is held").await;
    bob.comes_online(5).await;
    let late = bob.reads("And now?").await;
    assert!(late.delay.is_some());
    bed.close(&["Grüße", "Hello", "And now"]).await;
}

pub(crate) async fn held_messages_are_delivered_in_order_and_once(kind: Kind) {
    let carol =
        "[[subscriber]]\njid = \"carol@localhost\"\nname = \"Carol\"\noffline = \"store\"\n";
    let rest = String::from(NO_PHONE) + &dial("") + carol;
    let mut bed = TestBed::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
    let texts = ["one", "two", "three"];
    for text in texts {
        bed.alice.write("carol\\40localhost@phone.localhost", text, text).await;
        bed.received(text).await;
    }
    // Lines within seconds share one status.
    bed.alice.reads("Your message is held until Carol is online").await;
    let mut carol = bed.log_in("carol", "carol@localhost/phone").await;
    carol.comes_online(0).await;
    carol.reads("three").await;
    // Going and coming brings nothing again.
    carol.goes_offline().await;
    carol.comes_online(0).await;
    bed.settles().await;
    carol.reads_up_to_an_answer_of(COMPONENT).await;
    let bodies: Vec<_> = carol.read.iter().filter_map(|it| it.body.as_deref()).collect();
    assert_eq!(bodies, texts);
    assert!(carol.read.iter().filter(|it| it.body.is_some()).all(|it| it.delay.is_some()));
    // That it was delivered is said when no error came for a minute.
    bed.alice.reads("Carol came online and has your 3 messages.").await;
    assert_eq!(bed.alice.shown(), ["☎ Carol came online and has your 3 messages."]);
    bed.close(&["three"]).await;
}

pub(crate) async fn coming_online_while_it_rings_ends_the_call(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", "Can you come?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.alice.reads("phone is ringing").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some());
    bed.alice.reads("Bob came online and has your message").await;
    bed.settles().await;
    let shown = bed.alice.shown();
    assert!(shown.len() == 1 && shown[0].starts_with("☎ Bob came online and has"), "{shown:?}");
    bed.close(&["Can you come"]).await;
}

pub(crate) async fn a_message_heard_by_phone_is_still_delivered(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let request = "<request xmlns='urn:xmpp:receipts'/>";
    let message = format!(
        "<message type='chat' id='m1' to='{TO_BOB}'><body>Can you come?</body>{request}</message>"
    );
    bed.alice.sends(&message).await;
    let mut heard = pick_up(&mut phone).await;
    heard.voice().await;
    phone.press("5").await.unwrap();
    heard.skip();
    heard.part(&message_and_menu("Can you come?")).await;
    phone.press("3").await.unwrap();
    bed.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.settles().await;
    let receipts =
        |read: &[ChatMessage]| read.iter().filter(|it| it.receipt.as_deref() == Some("m1")).count();
    assert_eq!(receipts(&bed.alice.read), 1, "the text was spoken to its end");

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some() && message.id.as_deref() == Some("m1"));
    bed.settles().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(bob.texts().len(), 1, "{:?}", bob.texts());
    bed.close(&["Can you come"]).await;
}

pub(crate) async fn who_writes_is_there_though_presence_is_not_shown(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    // The client accepts Offhook's request by itself; Bob takes that back.
    let roster = "<query xmlns='jabber:iq:roster'/>";
    let accepts = async {
        while !bob.asks("get", "bob@localhost", roster).await.contains("subscription=\"from\"") {}
    };
    timeout(LONG, accepts).await.expect("the client does not accept the contact request");
    bob.sends(&format!("<presence type='unsubscribed' to='{COMPONENT}'/>")).await;
    bob.reads_up_to_an_answer_of("localhost").await;
    bed.alice.write(TO_BOB, "m1", "Are you there?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bob.write(TO_ALICE, "b1", "Yes, I am here").await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    assert!(bob.reads("Are you there?").await.delay.is_some());
    bed.alice.reads("Yes, I am here").await;
    bed.settles().await;
    let calls = bed.calls().len();

    bed.alice.write(TO_BOB, "m2", "Good, now listen").await;
    assert_eq!(bob.reads("Good, now listen").await.delay, None, "it was not held");
    bed.settles().await;
    assert_eq!(bed.calls().len(), calls, "somebody was phoned");
    bed.close(&["Are you there", "Yes, I am", "Good, now"]).await;
}

pub(crate) async fn blocking_a_sender_makes_no_phone_ring(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bed.alice.write(TO_BOB, "m1", "Hello?").await;
    bob.reads("Hello?").await;
    let block = format!("<block xmlns='urn:xmpp:blocking'><item jid='{TO_ALICE}'/></block>");
    bob.asks("set", "bob@localhost", &block).await;
    bed.alice.write(TO_BOB, "m2", "You cannot hide").await;
    bed.alice.reads("Your message is held until Bob is online").await;
    bed.phones_nobody(&mut phone).await;

    // For others Bob is there.
    let mut carol = bed.log_in("carol", "carol@localhost/desk").await;
    carol.write(TO_BOB, "c1", "Hello from Carol").await;
    assert_eq!(bob.reads("Hello from Carol").await.delay, None, "it was not held");

    bob.goes_offline().await;
    bed.alice.write(TO_BOB, "m3", "I know that you read this").await;
    bed.alice.reads("Your message is held until Bob is online").await;
    bed.phones_nobody(&mut phone).await;
    assert_eq!(bob.copies("You cannot hide"), 0);
    bed.close(&["Hello", "You cannot", "I know that"]).await;
}
