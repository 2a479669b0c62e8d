//! Who is a contact, and who is blocked.

use crate::client::Client;
use crate::component::Component;
use crate::server::{Kind, Server, Settings};

pub(crate) async fn a_contact_is_told_apart(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    assert_eq!(contact(&mut component, "m1").await, None);

    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    alice.client.says("<presence type='subscribe' to='bob@localhost'/>").await;
    alice.client.settles().await;
    bob.settles().await;
    bob.logs_out(&server).await;
    alice.client.writes("bob@localhost", "m2", "Hello", "").await;
    assert_eq!(contact(&mut component, "m2").await, None, "who only asks is no contact");

    let mut bob = Client::log_in(&server, "bob", "phone").await;
    bob.is_available(0).await;
    component.is_told_of_life("bob").await;
    bob.says("<presence type='subscribed' to='alice@localhost'/>").await;
    bob.settles().await;
    bob.logs_out(&server).await;
    alice.client.writes("bob@localhost", "m3", "Hello", "").await;
    assert_eq!(contact(&mut component, "m3").await.as_deref(), Some("true"));
}

pub(crate) async fn who_is_blocked_is_not_handed_over(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    says_of_alice(&server, "block").await;
    alice.client.writes("bob@localhost", "m1", "Hello", "").await;
    alice.sees_to_it_that_nothing_is_told(&mut component).await;
    says_of_alice(&server, "unblock").await;
    alice.client.writes("bob@localhost", "m2", "Hello", "").await;
    component.is_told_of("bob", "offline", "m2").await;
}

pub(crate) async fn who_is_blocked_reaches_no_address_of_the_component(kind: Kind) {
    let (server, mut component, mut alice) = Server::with_alice(kind, Settings::default()).await;
    let address = "bob\\40localhost@phone.localhost";
    alice.client.writes(address, "m1", "Hello", "").await;
    component.is_written("m1").await;
    for (place, blocked) in
        ["alice@localhost", "alice\\40localhost@phone.localhost"].into_iter().enumerate()
    {
        says_of(&server, "block", blocked).await;
        let refused = format!("refused{place}");
        alice.client.writes(address, &refused, "Hello", "").await;
        alice.client.receives(&refused).await;
        let error = alice.client.read.last().unwrap();
        let condition = error.get_child("error", "jabber:client").unwrap();
        assert_eq!(error.attr("from"), Some(address));
        assert!(condition.has_child("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas"));
        alice.client.says(&format!("<presence type='subscribe' to='{address}'/>")).await;
        let other = format!("other{place}");
        alice.client.writes("carol\\40localhost@phone.localhost", &other, "Hello", "").await;
        component.is_written(&other).await;
        says_of(&server, "unblock", blocked).await;
        let again = format!("again{place}");
        alice.client.writes(address, &again, "Hello", "").await;
        component.is_written(&again).await;
    }
}

async fn says_of_alice(server: &Server, what: &str) {
    says_of(server, what, "alice@localhost").await;
}

/// Bob blocks somebody, or does so no more.
async fn says_of(server: &Server, what: &str, whom: &str) {
    let mut bob = Client::log_in(server, "bob", "phone").await;
    let item = format!("<item jid='{whom}'/>");
    let iq = format!(
        "<iq type='set' id='{what}'><{what} xmlns='urn:xmpp:blocking'>{item}</{what}></iq>"
    );
    bob.says(&iq).await;
    bob.settles().await;
    bob.logs_out(server).await;
}

async fn contact(component: &mut Component, id: &str) -> Option<String> {
    let message = component.hears(id).await;
    let held = message.children().next().unwrap();
    assert_eq!(crate::component::handed_over(&message).attr("id"), Some(id));
    held.attr("contact").map(str::to_owned)
}
