//! Nobody there, somebody who does not want messages, somebody there.

use crate::client::Client;
use crate::component::handed_over;
use crate::server::{Kind, Server, Settings};

pub(crate) async fn what_is_stored_is_handed_over_whole_and_still_delivered_once(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    alice
        .client
        .says(
            "<message type='chat' to='bob@localhost' id='m1' xml:lang='de'><body>Grüße &amp; &lt;mehr&gt;</body>\
             <thread>t1</thread><x xmlns='jabber:x:oob'><url>https://example.org/</url></x></message>",
        )
        .await;
    let message = component.hears("m1").await;
    let held = message.children().next().unwrap();
    assert_eq!(held.attr("user"), Some("bob@localhost"));
    assert_eq!(held.attr("reason"), Some("offline"));
    let stanza = handed_over(&message);
    for (name, value) in
        [("from", "alice@localhost/desk"), ("to", "bob@localhost"), ("id", "m1"), ("type", "chat")]
    {
        assert_eq!(stanza.attr(name), Some(value), "{name}");
    }
    let written = String::from(stanza);
    assert!(written.contains("xml:lang=\"de\"") || written.contains("xml:lang='de'"), "{written}");
    assert_eq!(stanza.get_child("body", CLIENT).unwrap().text(), "Grüße & <mehr>");
    assert_eq!(stanza.get_child("thread", CLIENT).unwrap().text(), "t1");
    assert!(stanza.get_child("x", "jabber:x:oob").unwrap().has_child("url", "jabber:x:oob"));
    let stanza_id = stanza.get_child("stanza-id", "urn:xmpp:sid:0").unwrap();
    assert_eq!(stanza_id.attr("by"), Some("bob@localhost"));
    assert!(stanza_id.attr("id").is_some());

    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    bob.receives("m1").await;
    bob.settles().await;
    assert_eq!(bob.times("m1"), 1);
    bob.logs_out(&server).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    assert_eq!(bob.times("m1"), 0, "it was delivered already");
}

pub(crate) async fn a_client_of_negative_priority_is_nobody(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(-1).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    component.is_told_of("bob", "offline", "m1").await;
    alice.client.writes("bob@localhost", "m2", "Hello", "").await;
    component.is_told_of("bob", "offline", "m2").await;
    bob.is_available(-2).await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    bob.receives("m3").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
}

pub(crate) async fn who_is_there_causes_nothing(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.manages_its_stream(true).await;
    bob.is_available(0).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    alice.client.writes("bob@localhost/phone", "m2", "Hello", "").await;
    bob.receives("m2").await;
    assert_eq!(bob.times("m1"), 1);
    bob.writes("alice@localhost", "m3", "Hello", "").await;
    alice.client.receives("m3").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    bob.logs_out(&server).await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    // A client that has not said that it is available is nobody, and what it says is a sign of life nonetheless.
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    alice.client.writes("bob@localhost", "m4", "Hello", "").await;
    component.is_told_of("bob", "offline", "m4").await;
    bob.writes("alice@localhost", "m5", "Yes?", "").await;
    component.is_told_of_life("bob").await;
}

const CLIENT: &str = "jabber:client";
