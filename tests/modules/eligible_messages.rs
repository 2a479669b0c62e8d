//! What counts as something that one person wrote to another.

use crate::server::{Alice, Kind, Server, Settings};

pub(crate) async fn only_what_people_write_is_handed_over(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    for (number, (attributes, inside)) in WRITTEN.iter().enumerate() {
        let id = format!("written{number}");
        send(&mut alice, &id, attributes, inside).await;
        component.is_told_of("bob", "offline", &id).await;
    }
    for (number, (attributes, inside)) in NOT_WRITTEN.iter().enumerate() {
        send(&mut alice, &format!("not{number}"), attributes, inside).await;
        alice.sees_to_it_that_nothing_is_told(&mut component).await;
    }
    component.says(&from_the_component("phone.localhost", "itself")).await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    // What it passes on for somebody is written by somebody.
    component.says(&from_the_component("alice\\40localhost@phone.localhost", "for-alice")).await;
    component.is_told_of("bob", "offline", "for-alice").await;
    drop(server);
}

async fn send(alice: &mut Alice, id: &str, attributes: &str, inside: &str) {
    let xml = format!("<message to='bob@localhost' id='{id}' {attributes}>{inside}</message>");
    alice.client.says(&xml).await;
}

fn from_the_component(from: &str, id: &str) -> String {
    format!(
        "<message from='{from}' to='bob@localhost' type='chat' id='{id}'><body>Hello</body></message>"
    )
}

/// Attributes, and what is inside.
const WRITTEN: &[(&str, &str)] = &[
    ("type='chat'", "<body>Hello</body>"),
    ("type='normal'", "<subject>About</subject><body>Hello</body>"),
    ("", "<body>Hello</body>"),
    ("type='chat'", "<body>Hello</body><active xmlns='http://jabber.org/protocol/chatstates'/>"),
    (
        "type='chat'",
        "<body>Hello</body><request xmlns='urn:xmpp:receipts'/><private xmlns='urn:xmpp:carbons:2'/>",
    ),
    (
        "type='chat'",
        "<body>Hallo</body><replace xmlns='urn:xmpp:message-correct:0' id='written0'/>",
    ),
    (
        "type='chat'",
        "<retract xmlns='urn:xmpp:message-retract:1' id='written0'/><store xmlns='urn:xmpp:hints'/>",
    ),
    (
        "type='chat'",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='written0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>\
         <body>/me retracted a message</body>",
    ),
    (
        "type='chat'",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='written0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>\
         <store xmlns='urn:xmpp:hints'/>",
    ),
    (
        "type='chat'",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>eA==</payload></encrypted>\
         <store xmlns='urn:xmpp:hints'/>",
    ),
    (
        "type='chat'",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>eA==</payload></encrypted>",
    ),
    ("type='chat'", "<openpgp xmlns='urn:xmpp:openpgp:0'>eA==</openpgp>"),
    ("type='chat'", "<x xmlns='jabber:x:encrypted'>eA==</x>"),
    (
        "type='chat'",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:example'/><secret xmlns='urn:example'/>",
    ),
];
const NOT_WRITTEN: &[(&str, &str)] = &[
    ("type='chat'", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
    ("type='chat'", "<received xmlns='urn:xmpp:receipts' id='m1'/>"),
    ("", "<received xmlns='urn:xmpp:receipts' id='m1'/><store xmlns='urn:xmpp:hints'/>"),
    ("type='chat'", "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>"),
    ("type='chat'", "<body/>"),
    ("type='chat'", "<body>Hello</body><no-store xmlns='urn:xmpp:hints'/>"),
    ("type='groupchat'", "<body>Hello</body>"),
    ("type='headline'", "<body>Hello</body>"),
    (
        "type='error'",
        "<body>Hello</body><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    ),
    (
        "type='chat'",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted><store xmlns='urn:xmpp:hints'/>",
    ),
    (
        "",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@localhost'/></x><body>Come</body>",
    ),
    (
        "type='chat'",
        "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         <message xmlns='jabber:client'><body>Hello</body></message></forwarded></received><body>Hello</body>",
    ),
    ("", "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'/>"),
];
