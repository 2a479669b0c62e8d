//! Stanzas that an ordinary user can get through a server, and that end the connection of a careless component.

use offhook::demo::child_process::Folder;

use crate::test_bed::{COMPONENT, Kind, LONG, NO_PHONE, TO_BOB, TestBed, dial, subscriber};

pub(crate) async fn no_stanza_of_a_user_ends_the_link(kind: Kind) {
    let rest = String::from(NO_PHONE) + &dial("wait_s = 3600") + &subscriber("bob", "+9995550100");
    let mut bed = TestBed::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
    for (round, stanza) in stanzas(kind).into_iter().enumerate() {
        bed.alice.sends(&stanza).await;
        let what = stanza.chars().take(90).collect::<String>();
        let reached = bed.alice.client.until_reachable(COMPONENT, LONG).await;
        assert!(
            reached.is_ok(),
            "{reached:?} after {what}\n{}",
            bed.alice.client.part.last_lines(5)
        );
        let id = format!("after{round}");
        bed.alice.write("nobody\\40localhost@phone.localhost", &id, "Hello?").await;
        bed.alice.until(&format!("the error after {what}"), |it| it.id.as_ref() == Some(&id)).await;
    }
    bed.alice.write(TO_BOB, "m1", "Still there?").await;
    bed.alice.reads("is held").await;
    assert_eq!(bed.offhook.log().matches("link up").count(), 1, "{}", bed.offhook.log());
    bed.close(&["Still there", "Hello?"]).await;
}

fn stanzas(kind: Kind) -> Vec<String> {
    let long = "x".repeat(9000);
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let presence = |inner: &str| format!("<presence to='{TO_BOB}'>{inner}</presence>");
    let mut stanzas = vec![
        format!("<message type='foo' to='{TO_BOB}'/>"),
        presence("<show>bogus</show>"),
        presence("<priority>999</priority>"),
        presence("<priority/>"),
        presence("<show>away</show><show>dnd</show>"),
        format!(
            "<message type='chat' to='{TO_BOB}'><thread>a</thread><thread>b</thread></message>"
        ),
        format!(
            "<message type='chat' id='{long}' to='{TO_BOB}'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        presence(&format!("<{long} xmlns='x'/>")),
        format!("<presence to='{COMPONENT}' type='{long}'/>"),
        format!("<iq type='error' id='i3' to='{TO_BOB}'/>"),
        format!(
            "<iq type='result' id='i4' to='{COMPONENT}'><query xmlns='jabber:iq:roster'/></iq>"
        ),
        format!(
            "<iq type='get' id='i5' to='{COMPONENT}'><pubsub xmlns='http://jabber.org/protocol/pubsub'/></iq>"
        ),
        presence(&nested(2000)),
    ];
    match kind {
        // What it lets through of its 256 kB.
        Kind::Prosody => stanzas.push(presence(&nested(36_000))),
        // Prosody refuses these two itself, and deeper nesting brings ejabberd down without us.
        Kind::Ejabberd => stanzas.extend([
            format!("<iq type='get' id='i1' to='{TO_BOB}'/>"),
            format!("<iq type='set' id='i2' to='{COMPONENT}'/>"),
        ]),
    }
    stanzas
}
