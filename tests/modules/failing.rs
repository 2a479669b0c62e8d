//! What must go on when the hand-over does not.

use crate::client::Client;
use crate::component::Component;
use crate::server::{Alice, Kind, Server, Settings};

pub(crate) async fn without_the_component_everything_is_as_without_the_module(kind: Kind) {
    let server = Server::start(kind, Settings::default()).await;
    let mut alice = Alice::log_in(&server).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    alice.settles().await;
    assert!(alice.client.read.is_empty(), "{:?}", alice.client.read);
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    bob.receives("m1").await;
    bob.settles().await;
    assert_eq!(bob.read.len(), 1, "{:?}", bob.read);
    bob.logs_out(&server).await;
    assert_eq!(server.warnings(), Vec::<String>::new(), "the module has nothing to be warned of");

    let mut component = Component::connect(&server).await;
    alice.client.writes("bob@localhost", "m2", "Hello", "").await;
    component.is_told_of("bob", "offline", "m2").await;
    assert_eq!(server.warnings(), Vec::<String>::new(), "the module has nothing to be warned of");
}

pub(crate) async fn a_module_that_fails_keeps_nothing_from_anybody(kind: Kind) {
    let settings = Settings { fails: true, ..Settings::default() };
    let (server, mut component, mut alice) = Server::with_alice(kind, settings).await;
    alice.client.writes("bob@localhost", "m1", "Hello", REQUEST).await;
    alice.client.settles().await;
    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.manages_its_stream(true).await;
    bob.is_available(0).await;
    bob.receives("m1").await;
    alice.client.writes("bob@localhost", "m2", "Hello", REQUEST).await;
    bob.receives("m2").await;
    let bob = bob.loses_its_connection(&server).await;
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    alice.client.settles().await;
    let mut bob = bob.resumes(&server, "bob").await;
    bob.receives("m3").await;
    bob.writes("alice@localhost", "m4", "Hello", "").await;
    alice.client.receives("m4").await;
    assert_eq!(alice.client.read.len(), 1, "{:?}", alice.client.read);
    component.says("<message from='phone.localhost' to='alice@localhost' id='m5'/>").await;
    alice.client.receives("m5").await;
}

const REQUEST: &str = "<request xmlns='urn:xmpp:receipts'/>";
