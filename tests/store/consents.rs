//! What people have agreed to: kept with its call, shown, and erased with them.

use offhook::notification::Outcome;
use offhook::notification::verification::{CodeCheck, NumberSlot};
use offhook::store::export::export;
use serde_json::{Value, json};
use xmpp_parsers::jid::BareJid;

use crate::world::{World, attempt};

fn kept(world: &World, jid: &BareJid) -> Value {
    export(&world.folder.file(), jid).unwrap()["stored"]["consents"].clone()
}

#[tokio::test]
async fn a_code_that_comes_back_is_a_consent_with_its_words_and_its_call() {
    let mut world = World::new().await;
    let carol: BareJid = "carol@example.org".parse().unwrap();
    let number = "+81378904444";
    let asked =
        world.store().ask_code(&carol, number.parse().unwrap(), NumberSlot::First, world.now);
    let code = asked.await.unwrap().unwrap();
    let (words, language) = ("5f0c11aa".to_owned(), "de".to_owned());
    world.store().code_words(code.id, words, language).await.unwrap();
    world.store().code_spoken(code.id, world.now).await.unwrap();
    let wrong = world.store().try_code(&carol, "x".to_owned(), world.now).await.unwrap();
    assert!(matches!(wrong, CodeCheck::Wrong { .. }));
    assert_eq!(kept(&world, &carol), json!([]), "nobody has agreed yet");

    // They type it while the call lasts.
    world.at(30);
    let right = world.store().try_code(&carol, code.digits, world.now).await.unwrap();
    assert!(matches!(right, CodeCheck::Right(_)));
    world.store().code_call_ended(code.id, attempt(Outcome::Answered), world.now).await.unwrap();
    let consents = kept(&world, &carol);
    let consent = &consents[0];
    assert_eq!(consents.as_array().unwrap().len(), 1);
    for (column, value) in [
        ("number", json!(number)),
        ("words", json!("5f0c11aa")),
        ("language", json!("de")),
        ("at", json!(world.now.as_millisecond())),
        ("sip_call_id", json!("a84b4c76e66710@192.0.2.1")),
    ] {
        assert_eq!(consent[column], value, "{column}");
    }
    let person = world.store().subscriber(&carol).await.unwrap().unwrap();
    assert_eq!(person.agreed, Some(world.now), "`show` tells it");

    assert!(world.store().forget(&carol, world.now).await.unwrap());
    assert_eq!(kept(&world, &carol), json!([]));
}

#[tokio::test]
async fn who_only_writes_is_forgotten_with_what_waits_for_others() {
    let mut world = World::new().await;
    world.alice_writes("My secret is 4711.").await;
    let alice: BareJid = "alice@example.org".parse().unwrap();
    let shown = || export(&world.folder.file(), &alice).unwrap().to_string();
    assert!(shown().contains("4711"));
    assert!(world.store().forget(&alice, world.now).await.unwrap());
    let left = shown();
    assert!(!left.contains("4711") && !left.contains("\"sender_bare\""), "{left}");
    assert_eq!(world.comes_online().await, 0, "nothing of hers is delivered any more");
}
