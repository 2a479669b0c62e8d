//! With the module in the server, people write to each other as always.

use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;
use serde_json::Value;

use crate::listening::pick_up;
use crate::test_bed::{COMPONENT, Kind, LONG, NUMBER, TO_BOB, TestBed, dial, subscriber, trunk};

pub(crate) async fn a_message_to_bob_himself_is_phoned_and_delivered_once(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, false, "wait_s = 0").await;
    bed.alice.write(BOB, "m1", "The fan is broken.").await;
    bed.alice.reads("is ringing").await;
    pick_up(&mut phone).await.voice().await;
    phone.press("52").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer =
        bed.alice.until("the answer", |it| it.reply_to.is_some() && !it.is_offhooks_own()).await;
    assert_eq!(answer.reply_to.as_deref(), Some("m1"));
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    assert!(answer.from.starts_with(TO_BOB), "{}", answer.from);

    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    let kept = bob.reads("The fan is broken.").await;
    assert_eq!((kept.id.as_deref(), kept.from.as_str()), (Some("m1"), "alice@localhost/desk"));
    bed.holds_nothing().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(
        bob.copies("The fan is broken."),
        1,
        "the server has kept it, so Offhook does not deliver it"
    );
    bed.close(&["fan", "broken"]).await;
}

pub(crate) async fn who_is_awake_is_not_phoned_and_a_sign_of_life_ends_the_call(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, false, "wait_s = 30").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(-1).await;
    bed.alice.write(BOB, "m1", "Are you there?").await;
    // What Alice reads first may be the end already: accepting Offhook's contact request is a sign of life, too.
    bed.received("m1").await;
    bob.comes_online(1).await;
    bed.alice.reads("came online and has your message").await;
    bed.alice.write(BOB, "m2", "Good.").await;
    bob.reads("Good.").await;
    bed.phones_nobody(&mut phone).await;
    assert_eq!(bed.held(), Vec::<Value>::new(), "nothing waits for Bob, who is there");
    bed.close(&["there?"]).await;
}

pub(crate) async fn whose_clients_all_sleep_is_phoned_until_one_wakes(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, false, "wait_s = 0").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
    bob.comes_online(0).await;
    bed.server.sees_end(async || drop(bob)).await;
    bed.alice.write(BOB, "m1", "Are you there?").await;
    bed.alice.reads("is ringing").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    let traced = bed.offhook.says(&["trace", "m1"]);
    assert!(traced.contains("asleep"), "{traced}");

    let mut bob = match kind {
        Kind::Prosody => bed.log_in("bob", "bob@localhost/phone").await,
        // It stores anew what waited for the client that this one replaces.
        Kind::Ejabberd => {
            let mut bob = None;
            let replaces = async || bob = Some(bed.log_in("bob", "bob@localhost/phone").await);
            bed.server.sees_end(replaces).await;
            bob.unwrap()
        }
    };
    bob.comes_online(0).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.alice.reads("came online and has your message").await;
    bob.reads("Are you there?").await;
    bed.holds_nothing().await;
    bob.reads_up_to_an_answer_of(COMPONENT).await;
    assert_eq!(bob.copies("Are you there?"), 1);
    bed.close(&["there?"]).await;
}

pub(crate) async fn what_is_no_message_to_read_is_not_handed_over(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, false, "wait_s = 0").await;
    for (id, kind, payload) in [
        ("n1", "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("n2", "headline", "<body>News</body>"),
        ("n3", "chat", "<body>Secret</body><no-store xmlns='urn:xmpp:hints'/>"),
        ("n4", "chat", "<received xmlns='urn:xmpp:receipts' id='x'/>"),
    ] {
        let xml = format!(
            "<message xmlns='jabber:client' to='{BOB}' id='{id}' type='{kind}'>{payload}</message>"
        );
        bed.alice.sends(&xml).await;
    }
    // What was to be handed over would have been before this.
    bed.alice.write(BOB, "m1", "The fan is broken.").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    let held = bed.held();
    let ids: Vec<_> = held.iter().map(|it| it["stanza_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["m1"], "nothing else is worth a call");
    bed.close(&["News", "Secret", "fan"]).await;
}

pub(crate) async fn an_answer_comes_from_bob_himself_where_the_server_lets_it(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, true, "wait_s = 0").await;
    let written = "<body>The fan is broken.</body><request xmlns='urn:xmpp:receipts'/>\
                   <markable xmlns='urn:xmpp:chat-markers:0'/>";
    let xml = format!(
        "<message xmlns='jabber:client' to='{BOB}' id='m1' type='chat'>{written}</message>"
    );
    bed.alice.sends(&xml).await;
    pick_up(&mut phone).await.voice().await;
    phone.press("5").await.unwrap();
    let receipt = bed.alice.until("the receipt", |it| it.receipt.as_deref() == Some("m1")).await;
    assert_eq!(receipt.from, BOB);
    assert!(receipt.xml.contains("<displayed"), "{}", receipt.xml);
    phone.press("1").await.unwrap();
    let answer =
        bed.alice.until("the answer", |it| it.reply_to.is_some() && !it.is_offhooks_own()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert_eq!(answer.from, BOB, "it stands in the conversation in which it was asked");
    bed.close(&["fan", "broken"]).await;
}

/// Bob's phone, and a server that hands over.
async fn bed(kind: Kind, privileged: bool, dialing: &str) -> (TestBed, Phone) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial(dialing) + &subscriber("bob", NUMBER);
    (TestBed::open_with_module(kind, folder, privileged, &rest).await.settled().await, phone)
}

const BOB: &str = "bob@localhost";
