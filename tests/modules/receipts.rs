//! Messages that reached a client which says nothing (XEP-0184).

use crate::client::Client;
use crate::server::{Kind, Server, Settings};

pub(crate) async fn a_missing_receipt_is_told_and_a_receipt_is_enough(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    alice.client.writes("bob@localhost", "m1", "Hello", REQUEST).await;
    component.is_told_of("bob", "unreceipted", "m1").await;
    bob.receives("m1").await;
    assert_eq!(bob.times("m1"), 1);

    // A receipt is a sign of life, and it is for one message.
    alice.client.writes("bob@localhost", "m2", "Hello", REQUEST).await;
    alice.client.writes("bob@localhost/phone", "m3", "Hello", REQUEST).await;
    bob.receives("m3").await;
    bob.says(&receipt("m2")).await;
    component.is_told_of_life("bob").await;
    component.is_told_of("bob", "unreceipted", "m3").await;

    // Anything else that Bob writes to Alice shows that Bob is there; what Bob writes to others does not.
    alice.client.writes("bob@localhost", "m4", "Hello", REQUEST).await;
    bob.receives("m4").await;
    bob.writes("alice@localhost", "m5", "Yes?", "").await;
    component.is_told_of_life("bob").await;
    alice.client.writes("bob@localhost", "m6", "Hello", REQUEST).await;
    bob.receives("m6").await;
    bob.writes("carol@localhost", "m7", "Hello", "").await;
    component.is_told_of("carol", "offline", "m7").await;
    component.is_told_of("bob", "unreceipted", "m6").await;

    // Without a request there is nothing to wait for.
    alice.client.writes("bob@localhost", "m8", "Hello", "").await;
    alice.client.writes("bob@localhost", "m9", "Hello", REQUEST).await;
    bob.receives("m9").await;
    bob.says(&receipt("m9")).await;
    component.is_told_of_life("bob").await;
    // What waits for a receipt longer than this one is told before it.
    alice.client.writes("bob@localhost", "m10", "Hello", REQUEST).await;
    component.is_told_of("bob", "unreceipted", "m10").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    assert!(alice.client.read.iter().all(|it| it.attr("type") != Some("error")));
}

fn receipt(id: &str) -> String {
    format!(
        "<message to='alice@localhost/desk' id='r{id}'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
    )
}

const REQUEST: &str = "<request xmlns='urn:xmpp:receipts'/>";
