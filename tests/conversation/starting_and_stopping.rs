//! Offhook comes and goes, the server comes and goes, and nothing that was promised is lost.

use std::fs;
use std::time::Duration;

use offhook::cli::demo::part::Folder;
use offhook::cli::demo::phone::Phone;

use crate::answer::{house_with_phone, pick_up};
use crate::house::{House, Kind, LONG, Server, TO_BOB};
use crate::offhook::{Offhook, said_by};

pub(crate) async fn sigterm_ends_what_rings_and_what_talks_and_nothing_is_lost(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.alice.write(TO_BOB, "m1", "Can you come?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    house.alice.reads("phone is ringing").await;
    stops(&mut house, &mut phone).await;

    house.offhook = Offhook::start(house.offhook.folder(), &house.configuration).unwrap();
    // A call that was cut off is made again after a minute.
    phone.event("CALL_INCOMING", LONG * 2).await.unwrap();
    phone.answer().await.unwrap();
    house.alice.reads("phone was answered").await;
    phone.press("5").await.unwrap();
    stops(&mut house, &mut phone).await;

    house.offhook = Offhook::start(house.offhook.folder(), &house.configuration).unwrap();
    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some());
    house.close(&["Can you come"]).await;
}

/// Stops Offhook as an operator does: the call ends at once, and the message is still held.
async fn stops(house: &mut House, phone: &mut Phone) {
    assert_eq!(house.offhook.part.stop().await, Some(0), "{}", house.offhook.log());
    phone.event("CALL_CLOSED", Duration::from_secs(2)).await.unwrap();
    let held = house.offhook.says(&["held", "--json"]);
    assert_eq!(held.matches("\"stanza_id\"").count(), 1, "{held}");
    house.keeps_quiet(&["Can you come"]);
}

pub(crate) async fn a_server_that_restarts_gets_what_was_owed(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.alice.write(TO_BOB, "m1", "Can you come?").await;
    pick_up(&mut phone).await;
    let play = async {
        // Before that, the answer could still reach the client that is connected now.
        house.offhook.until_it_says("link down").await.unwrap();
        phone.press("52").await.unwrap();
        phone.event("CALL_CLOSED", LONG).await.unwrap();
    };
    tokio::join!(house.server.restart_after(Duration::from_secs(3)), play);
    let mut alice = house.log_in("alice-again", "alice@localhost/phone").await;
    alice.client.online(0).await.unwrap();
    let answer = alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    alice.rest(Duration::from_secs(2)).await;
    assert_eq!(alice.read.iter().filter(|it| it.reply_to.is_some()).count(), 1);
    assert!(house.offhook.log().contains("link down"));
    house.close(&["Can you come"]).await;
}

pub(crate) async fn who_is_not_let_in_is_told_why(kind: Kind) {
    let folder = Folder::make().unwrap();
    let server = Server::start(kind, &folder).await;
    let room = folder.room("offhook").unwrap();
    let cases =
        [("phone.localhost", "wrong", "secret"), ("other.localhost", "any", "other.localhost")];
    for (jid, secret, named) in cases {
        let component_toml = format!(
            "[component]\njid = \"{jid}\"\nserver = \"{}\"\nsecret = \"{secret}\"\n\
             [[trunk]]\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:a@127.0.0.1\"\n[dial]\nallow = [\"+999\"]\n",
            server.components()
        );
        fs::write(room.join("component.toml"), component_toml).unwrap();
        for command in [vec!["run"], vec!["check", "--live"]] {
            let (code, said) = said_by(&room, &command);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains(named), "{command:?} says only {said}");
        }
    }
}
