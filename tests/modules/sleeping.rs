//! Stream management (XEP-0198): clients that sleep, and connections that die.

use crate::client::Client;
use crate::server::{Kind, Server, Settings};

pub(crate) async fn what_a_sleeping_phone_gets_is_handed_over_until_it_wakes(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let phone = asleep(&server, "phone", 5).await;
    let tablet = asleep(&server, "tablet", 5).await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    component.is_told_of("bob", "hibernating", "m1").await;
    alice.client.writes("bob@localhost/phone", "m2", "Hello", "").await;
    component.is_told_of("bob", "hibernating", "m2").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;

    let mut phone = phone.resumes(&server, "bob").await;
    component.is_told_of_life("bob").await;
    phone.receives("m2").await;
    phone.acknowledges().await;
    assert_eq!((phone.times("m1"), phone.times("m2")), (1, 1));
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    phone.receives("m3").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;

    let mut tablet = tablet.resumes(&server, "bob").await;
    tablet.receives("m3").await;
    assert_eq!(tablet.times("m1"), 1);
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
}

pub(crate) async fn who_has_a_client_awake_is_not_told_of_the_one_asleep(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let mut laptop = Client::log_in(&server, "bob", "laptop").await;
    laptop.says("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>").await;
    laptop.is_available(0).await;
    let phone = asleep(&server, "phone", 5).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    alice.client.writes("bob@localhost/phone", "m2", "Hello", "").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    laptop.logs_out(&server).await;
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    component.is_told_of("bob", "hibernating", "m3").await;
    let mut phone = phone.resumes(&server, "bob").await;
    component.is_told_of_life("bob").await;
    phone.receives("m3").await;
}

pub(crate) async fn what_a_dying_connection_did_not_acknowledge_is_handed_over_once(kind: Kind) {
    let settings = Settings { archive: false, resume_s: 6, ..Settings::default() };
    let (server, mut component, mut alice) = Server::with_alice(kind, settings).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.manages_its_stream(true).await;
    bob.is_available(0).await;
    bob.says("<presence to='alice@localhost/desk'/>").await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    bob.receives("m1").await;
    bob.acknowledges().await;
    alice.client.writes("bob@localhost", "m2", "Hello", "").await;
    bob.receives("m2").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    let bob = bob.loses_its_connection(&server).await;
    component.is_told_of("bob", "unacked", "m2").await;
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    component.is_told_of("bob", "hibernating", "m3").await;
    // The server gives the session up, tells those to whom the client had shown itself (RFC 6121 §4.6.3), and stores both.
    alice.client.sees_leave("bob@localhost/phone").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    drop(bob);
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    bob.receives("m3").await;
    bob.settles().await;
    assert_eq!(["m1", "m2", "m3"].map(|id| bob.times(id)), [0, 1, 1]);
    assert!(alice.client.read.is_empty(), "{:?}", alice.client.read);
}

pub(crate) async fn a_connection_that_cannot_be_resumed_is_no_different(kind: Kind) {
    let settings = Settings { archive: false, resume_s: 2, ..Settings::default() };
    let (server, mut component, mut alice) = Server::with_alice(kind, settings).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.manages_its_stream(false).await;
    bob.is_available(0).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    bob.receives("m1").await;
    drop(bob.loses_its_connection(&server).await);
    component.is_told_of("bob", "unacked", "m1").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    bob.receives("m1").await;
}

async fn asleep(server: &Server, resource: &str, priority: i8) -> crate::client::Lost {
    let mut client = Client::log_in(server, "bob", resource).await;
    client.manages_its_stream(true).await;
    client.is_available(priority).await;
    client.acknowledges().await;
    client.loses_its_connection(server).await
}
