//! Offhook comes and goes, the server comes and goes, and nothing that was promised is lost.

use std::fs;

use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;

use crate::answer::bed_with_phone;
use crate::listening::{pick_up, talking};
use crate::offhook::{Offhook, said_by};
use crate::test_bed::{Kind, LONG, Server, TO_BOB, TestBed};

pub(crate) async fn sigterm_ends_what_rings_and_what_talks_and_nothing_is_lost(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", "Can you come?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.alice.reads("phone is ringing").await;
    stops(&mut bed, &mut phone).await;

    bed.offhook = Offhook::start(bed.offhook.folder(), &bed.configuration).unwrap();
    // A call that was cut off is made again after a minute.
    pick_up(&mut phone).await;
    reads_of_the_call(&mut bed).await;
    phone.press("5").await.unwrap();
    stops(&mut bed, &mut phone).await;

    bed.offhook = Offhook::start(bed.offhook.folder(), &bed.configuration).unwrap();
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    let message = bob.reads("Can you come?").await;
    assert!(message.delay.is_some());
    bed.close(&["Can you come"]).await;
}

pub(crate) async fn a_kill_leaves_nobody_on_a_dead_line(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    bed.alice.write(TO_BOB, "m1", "Can you come?").await;
    pick_up(&mut phone).await;
    reads_of_the_call(&mut bed).await;
    bed.offhook.part.kill_and_wait().await;
    bed.offhook = Offhook::start(bed.offhook.folder(), &bed.configuration).unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.offhook.until_it_says("call that was cut off is ended now").await.unwrap();
    bed.close(&["Can you come"]).await;
}

/// Alice reads that the phone rings, or that it was answered if that was soon after.
async fn reads_of_the_call(bed: &mut TestBed) {
    let tells = |text: &str| text.contains("is ringing") || text.contains("was answered");
    bed.alice.until("of the call", |it| it.text.as_deref().is_some_and(tells)).await;
}

/// Stops Offhook as an operator does: the call ends at once, and the message is still held.
async fn stops(bed: &mut TestBed, phone: &mut Phone) {
    assert_eq!(bed.offhook.part.stop().await, Some(0), "{}", bed.offhook.log());
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let held = bed.offhook.says(&["held", "--json"]);
    assert_eq!(held.matches("\"stanza_id\"").count(), 1, "{held}");
    bed.keeps_quiet(&["Can you come"]);
}

pub(crate) async fn a_server_that_restarts_gets_what_was_owed(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0\nring_s = 180").await;
    bed.alice.write(TO_BOB, "m1", "Can you come?").await;
    // Who picks up before the server is gone may have hung up before that.
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.server.stop().await;
    // Before that, the answer could still reach the client that is connected now.
    bed.offhook.until_it_says("link down").await.unwrap();
    let heard = talking(&mut phone, async |phone| phone.answer().await.unwrap()).await;
    heard.voice().await;
    phone.press("52").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.server.start_again().await;
    let mut alice = bed.log_in("alice-again", "alice@localhost/phone").await;
    alice.comes_online(0).await;
    let answer = alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    bed.alice = alice;
    bed.settles().await;
    assert_eq!(bed.alice.read.iter().filter(|it| it.reply_to.is_some()).count(), 1);
    bed.close(&["Can you come"]).await;
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
