//! What must neither ring nor echo.

use crate::answer::{bed_with_phone, message_and_menu};
use crate::heard;
use crate::listening::pick_up;
use crate::test_bed::{COMPONENT, Kind, LONG, TO_BOB};

pub(crate) async fn what_is_no_message_to_a_person_makes_no_call_and_no_loop(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
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
        bed.alice.sends(&stanza).await;
    }
    bed.settles().await;
    assert_eq!(bed.alice.read, []);

    bed.alice.write("nobody\\40localhost@phone.localhost", "u1", "Who?").await;
    let error = bed.alice.until("the error", |it| it.id.as_deref() == Some("u1")).await;
    assert_eq!((error.kind.as_str(), error.error.as_deref()), ("error", Some("item-not-found")));
    let fleeting = format!(
        "<message type='chat' id='n1' to='{TO_BOB}'><body>gone soon</body><no-store xmlns='urn:xmpp:hints'/></message>"
    );
    bed.alice.sends(&fleeting).await;
    let error = bed.alice.until("the error", |it| it.id.as_deref() == Some("n1")).await;
    assert_eq!(
        (error.kind.as_str(), error.error.as_deref()),
        ("error", Some("service-unavailable"))
    );

    bed.phones_nobody(&mut phone).await;
    assert_eq!(bed.offhook.says(&["held", "--json"]), "[]");
    bed.close(&["hi all", "gone soon"]).await;
}

pub(crate) async fn a_stranger_makes_no_phone_ring(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let mut eve = bed.log_in("eve", "eve@elsewhere.localhost/desk").await;
    eve.comes_online(0).await;
    eve.write(TO_BOB, "e1", "Buy something!").await;
    eve.reads("Your message is held until Bob is online").await;
    bed.phones_nobody(&mut phone).await;

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    let late = bob.reads("Buy something!").await;
    assert!(late.from.starts_with("eve\\40elsewhere.localhost@phone.localhost"));
    bed.close(&["Buy something"]).await;
}

pub(crate) async fn a_program_rings_only_where_it_is_allowed(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let mut bot = bed.log_in_bot("alice@localhost/bot").await;
    bot.write(TO_BOB, "Disk full").await;
    bed.holds_a_message().await;
    bed.phones_nobody(&mut phone).await;

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.reads("Disk full").await;
    bob.write(COMPONENT, "b1", "allow alice@localhost").await;
    bob.reads("may make your phone ring").await;
    bob.write("alice@localhost/bot", "b2", "Now you may ring me.").await;
    let statuses = bot.reads("Now you may ring me.").await;
    assert_eq!(statuses, [""; 0], "a program is told nothing that it might answer");
    bob.goes_offline().await;
    bot.write(TO_BOB, "Disk full again").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.close(&["Disk", "full"]).await;
}

pub(crate) async fn a_packaged_client_writes_and_is_answered(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.server.sendxmpp("alice", TO_BOB, "The fan is broken.").await;
    pick_up(&mut phone).await.voice().await;
    phone.press("51").await.unwrap();
    let answer = bed
        .alice
        .until("the answer", |it| it.text.as_deref() == Some("Bob will answer by message."));
    assert!(answer.await.from.starts_with(TO_BOB));
    bed.close(&["fan", "broken"]).await;
}

pub(crate) async fn whoever_writes_german_reads_german(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let xml = format!(
        "<message xmlns='jabber:client' xml:lang='de' to='{TO_BOB}' id='m1' type='chat'><body>Bist du da?</body></message>"
    );
    bed.alice.sends(&xml).await;
    bed.alice.reads("Das Telefon von Bob klingelt").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.close(&["Bist"]).await;
}

pub(crate) async fn a_message_that_no_voice_speaks_is_told_in_words_that_bob_understands(
    kind: Kind,
) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", "会议改到下午三点").await;
    let mut heard = pick_up(&mut phone).await;
    heard.voice().await;
    phone.press("5").await.unwrap();
    heard.skip();
    let said = message_and_menu("The message is in another language. It waits in your chat.");
    let menu_heard = heard.part(&said).await;
    phone.press("1").await.unwrap();
    bed.alice.reads("Bob will answer by message").await;
    let wrong = ["This message can't be read aloud. It waits in your chat.", ""];
    let wrong = wrong.map(message_and_menu);
    let all: Vec<&str> = [&said].into_iter().chain(&wrong).map(String::as_str).collect();
    assert_eq!(heard::sentence(&menu_heard, &all), Ok(&*said));
    bed.close(&["会议"]).await;
}
