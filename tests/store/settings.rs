//! What people set themselves, and how their numbers are proved.

use std::collections::BTreeMap;
use std::time::Duration;

use offhook::notification::verification::{Code, CodeCheck, NumberSlot, Refusal};
use offhook::notification::{Outcome, Progress};
use offhook::phone_number::PhoneNumber;
use offhook::store::explain;
use offhook::store::export::export;
use offhook::subscriber::{Pin, Quiet, SenderRule, Senders, Setting, Subscriber, WhenOffline};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use xmpp_parsers::jid::BareJid;

use crate::world::{World, bob, draft, policy};

#[tokio::test]
async fn what_a_person_sets_goes_before_what_the_operator_has_set_and_outlives_it() {
    let mut world = World::new().await;
    let pin = Pin::new("4821", &mut offhook::seed::Seed::fixed(1)).unwrap();
    let settings = vec![
        Setting::Quiet("23:00-06:00".parse().ok().map(Quiet::Daily)),
        Setting::Language(Some("de".into())),
        Setting::Slow(Some(true)),
        Setting::Senders(Some(Senders::Everyone)),
        Setting::Pin(Some(pin.clone())),
    ];
    let set = world.store().set(&bob().jid, settings, world.now).await.unwrap();
    let expected = Subscriber {
        quiet: "23:00-06:00".parse().ok().map(Quiet::Daily),
        language: Some("de".into()),
        slow: true,
        senders: Some(Senders::Everyone),
        pin: Some(pin),
        ..bob()
    };
    assert_eq!(set, Some(expected.clone()));
    world.crash().await;
    world.store().configure_subscribers(vec![bob()], world.now).await.unwrap();
    assert_eq!(world.store().subscriber(&bob().jid).await.unwrap(), Some(expected));
    let slow = Subscriber { slow: true, ..bob() };
    world.store().set(&bob().jid, vec![Setting::Slow(Some(false))], world.now).await.unwrap();
    world.store().configure_subscribers(vec![slow.clone()], world.now).await.unwrap();
    let own = world.store().subscriber(&bob().jid).await.unwrap().unwrap();
    assert!(!own.slow, "the person's own word goes before the operator's");
    world.store().set(&bob().jid, vec![Setting::Slow(None)], world.now).await.unwrap();
    assert!(world.store().subscriber(&bob().jid).await.unwrap().unwrap().slow);
    world.store().configure_subscribers(vec![bob()], world.now).await.unwrap();
    let back = vec![Setting::Quiet(None), Setting::Language(None), Setting::Pin(None)];
    let set = world.store().set(&bob().jid, back, world.now).await.unwrap();
    assert_eq!(set, Some(Subscriber { senders: Some(Senders::Everyone), ..bob() }));
    let nobody = jid("nobody@example.org");
    assert_eq!(world.store().set(&nobody, vec![], world.now).await.unwrap(), None);
}

#[tokio::test]
async fn a_rule_for_one_sender_goes_before_what_holds_for_all() {
    let world = World::new().await;
    for (sender, rule, rings) in [
        ("alice@example.org", None, true),
        ("alice@example.org", Some(SenderRule::Block), false),
        ("eve@elsewhere.example", None, false),
        ("eve@elsewhere.example", Some(SenderRule::Allow), true),
    ] {
        if let Some(rule) = rule {
            let setting = vec![Setting::Sender(jid(sender), rule)];
            world.store().set(&bob().jid, setting, world.now).await.unwrap();
        }
        let id = format!("{sender} {rule:?}");
        world.hold(draft(&id, &format!("{sender}/x"), "Hello"), 0).await.unwrap();
        assert_eq!(world.store().next_due().await.unwrap().is_some(), rings, "{id}");
        world.comes_online().await;
    }
    let (alice, eve) = (jid("alice@example.org"), jid("eve@elsewhere.example"));
    let rules = || async { world.store().sender_rules(&bob().jid, 10).await.unwrap() };
    let both = [(alice.clone(), SenderRule::Block), (eve.clone(), SenderRule::Allow)];
    assert_eq!(rules().await, both);
    let back = vec![Setting::NoSenderRule(alice)];
    world.store().set(&bob().jid, back, world.now).await.unwrap();
    assert_eq!(rules().await, [(eve, SenderRule::Allow)]);
    world.hold(draft("taken back", "alice@example.org/x", "Hello"), 0).await.unwrap();
    assert!(world.store().next_due().await.unwrap().is_some(), "as if there had been no rule");
}

#[tokio::test]
async fn contacts_ring_and_programs_do_not_unless_they_are_allowed() {
    let world = World::new().await;
    let bob = bob().jid;
    let set = |setting| world.store().set(&bob, vec![setting], world.now);
    set(Setting::Senders(Some(Senders::Contacts))).await.unwrap();
    for (id, from_contact, rings) in [("a", true, true), ("b", false, false)] {
        let mut message = draft(id, "alice@example.org/x", "Hello");
        message.how.from_contact = from_contact;
        world.hold(message, 0).await.unwrap();
        assert_eq!(world.store().next_due().await.unwrap().is_some(), rings, "{id}");
        world.comes_online().await;
    }
    set(Setting::Senders(Some(Senders::Everyone))).await.unwrap();
    for (id, is_program, allowed, rings) in
        [("c", false, false, true), ("d", true, false, false), ("e", true, true, true)]
    {
        if allowed {
            set(Setting::Sender(jid("monitor@example.org"), SenderRule::Allow)).await.unwrap();
        }
        let mut message = draft(id, "monitor@example.org/x", "Hello");
        message.how.sender_unknown = true;
        let held = world.hold(message, 8).await.unwrap();
        assert!(held.claim.is_none() && world.store().next_due().await.unwrap().is_none());
        world.store().identified(held.message, is_program, world.now, 0).await.unwrap();
        assert_eq!(world.store().next_due().await.unwrap().is_some(), rings, "{id}");
        world.comes_online().await;
    }
}

#[tokio::test]
async fn a_message_whose_sender_was_being_asked_survives_a_crash() {
    let mut world = World::new().await;
    let mut message = draft("a", "alice@example.org/x", "Hello");
    message.how.sender_unknown = true;
    world.hold(message, 8).await.unwrap();
    world.crash().await;
    assert!(world.store().next_due().await.unwrap().is_some());
}

#[tokio::test]
async fn nobody_is_phoned_while_calls_are_suspended_and_then_everybody_is() {
    let mut world = World::new().await;
    world.store().suspend(true).await.unwrap();
    world.alice_writes("Hello").await;
    world.at(3600);
    assert!(world.claim().await.is_none() && world.store().next_due().await.unwrap().is_none());
    world.crash().await;
    assert!(world.claim().await.is_none(), "it outlives a restart");
    world.store().suspend(false).await.unwrap();
    assert!(world.claim().await.is_some());
}

#[tokio::test]
async fn the_second_number_is_phoned_when_the_first_one_is_used_up() {
    let mut world =
        World::with(offhook::notification::policy::Policy { attempts: 1, ..policy() }).await;
    let second = verify(&mut world, &bob().jid, "+81378902222", NumberSlot::Second).await;
    world.alice_writes("Hello").await;
    world.at(3600);
    let claim = world.claim().await.unwrap();
    assert_eq!(Some(&claim.number), bob().number.as_ref());
    world.progress(&claim, Progress::Ringing).await;
    world.settle(&claim, Outcome::NoAnswer).await;
    world.at(3600 + 120);
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.number, second);
    world.settle(&claim, Outcome::NoAnswer).await;
    world.at(2 * 86_400);
    assert!(world.claim().await.is_none());
}

#[tokio::test]
async fn a_number_is_his_who_sends_back_the_code_that_was_heard_there() {
    let mut world = World::new().await;
    let carol = jid("carol@example.org");
    let number = number("+81378903333");
    let code = asks(&world, &carol, &number).await.unwrap();
    assert_eq!(tries(&world, &carol, &code.digits).await, CodeCheck::NoCode, "nobody has heard it");
    world.store().code_spoken(code.id, world.now).await.unwrap();
    assert_eq!(tries(&world, &jid("eve@example.org"), &code.digits).await, CodeCheck::NoCode);
    assert_eq!(tries(&world, &carol, &other(&code.digits)).await, CodeCheck::Wrong { left: 2 });
    let CodeCheck::Right(told) = tries(&world, &carol, &code.digits).await else {
        panic!("it is right")
    };
    assert_eq!((told.is_new, told.others.len()), (true, 0));
    assert_eq!(told.person.offline, WhenOffline::Phone);
    assert_eq!(tries(&world, &carol, &code.digits).await, CodeCheck::NoCode, "it is of use once");

    // A second owner: the first one is told and has it no longer.
    world.at(120);
    let code = asks(&world, &jid("dora@example.org"), &number).await.unwrap();
    world.store().code_spoken(code.id, world.now).await.unwrap();
    let CodeCheck::Right(told) = tries(&world, &jid("dora@example.org"), &code.digits).await else {
        panic!("it is right");
    };
    assert_eq!(told.others, std::slice::from_ref(&carol));
    assert_eq!(world.store().subscriber(&carol).await.unwrap().unwrap().number, None);
}

#[tokio::test]
async fn codes_wear_out_by_time_by_wrong_ones_and_by_newer_ones() {
    let mut world = World::new().await;
    let carol = jid("carol@example.org");
    let heard = async |world: &World, seconds: &str| {
        let code = asks(world, &carol, &number(&format!("+8137890{seconds}"))).await.unwrap();
        world.store().code_spoken(code.id, world.now).await.unwrap();
        code
    };
    let old = heard(&world, "4001").await;
    world.at(15 * 60);
    assert_eq!(tries(&world, &carol, &old.digits).await, CodeCheck::NoCode, "15 minutes are over");
    let guessed = heard(&world, "4002").await;
    for left in [2, 1, 0] {
        let wrong = other(&guessed.digits);
        assert_eq!(tries(&world, &carol, &wrong).await, CodeCheck::Wrong { left });
    }
    assert_eq!(tries(&world, &carol, &guessed.digits).await, CodeCheck::NoCode);
    world.at(20 * 60);
    let first = heard(&world, "4003").await;
    world.at(22 * 60);
    let second = heard(&world, "4004").await;
    assert!(!matches!(tries(&world, &carol, &first.digits).await, CodeCheck::Right(_)));
    assert!(matches!(tries(&world, &carol, &second.digits).await, CodeCheck::Right(_)));
}

#[tokio::test]
async fn calls_with_codes_are_few_for_a_person_for_a_number_and_in_all() {
    let mut world = World::new().await;
    let carol = jid("carol@example.org");
    let one = number("+81378905001");
    assert!(asks(&world, &carol, &one).await.is_ok());
    assert_eq!(asks(&world, &carol, &one).await, Err(Refusal::TooSoon));
    assert_eq!(
        asks(&world, &jid("d@example.org"), &number("+491711234567")).await,
        Err(Refusal::NotAllowed)
    );
    for minute in 1..5 {
        world.at(minute * 61);
        let other = number(&format!("+819{minute}06000000"));
        assert!(asks(&world, &carol, &other).await.is_ok());
    }
    world.at(5 * 61);
    assert_eq!(
        asks(&world, &carol, &number("+81906006006")).await,
        Err(Refusal::TooMany),
        "of one person"
    );
    for asker in ["d", "e"] {
        world.now += Duration::from_secs(61);
        assert!(asks(&world, &jid(&format!("{asker}@example.org")), &one).await.is_ok());
    }
    assert_eq!(
        asks(&world, &jid("f@example.org"), &one).await,
        Err(Refusal::TooMany),
        "to one number"
    );
    let mut made = 7;
    for asker in 0..200 {
        let jid = jid(&format!("asker{asker}@example.org"));
        made +=
            u32::from(asks(&world, &jid, &number(&format!("+81{asker:04}550000"))).await.is_ok());
    }
    assert_eq!(made, 100, "in all");
    world.at(86_400 + 7 * 61);
    assert!(asks(&world, &carol, &one).await.is_ok(), "a day later");
}

#[tokio::test]
async fn a_million_guesses_over_a_thousand_people_verify_nothing() {
    let world = World::new().await;
    let mut random = StdRng::seed_from_u64(7);
    let people: Vec<BareJid> = (0..1000).map(|it| jid(&format!("p{it}@example.org"))).collect();
    let mut heard: BTreeMap<BareJid, Code> = BTreeMap::new();
    for (place, person) in people.iter().enumerate() {
        // As many as may be called in a day have one waiting.
        if let Ok(code) = asks(&world, person, &number(&format!("+81{place:04}550000"))).await {
            world.store().code_spoken(code.id, world.now).await.unwrap();
            heard.insert(person.clone(), code);
        }
    }
    assert_eq!(heard.len(), 100);
    let guesses = GUESSES / people.len();
    for person in &people {
        // All of one person's at once, as a flood would come.
        let tried: Vec<_> = (0..guesses)
            .map(|_| {
                world.store().try_code(
                    person,
                    format!("{:06}", random.random_range(0..1_000_000)),
                    world.now,
                )
            })
            .collect();
        for verdict in futures_util::future::join_all(tried).await {
            assert!(!matches!(verdict.unwrap(), CodeCheck::Right(_)));
        }
    }
    assert_eq!(world.store().subscribers().await.unwrap(), [bob()]);
}

#[tokio::test]
async fn what_a_server_has_handed_over_is_not_delivered_a_second_time() {
    let mut world = World::new().await;
    let mut message = draft("a", "alice@example.org/x", "Hello");
    message.how.handed_over = Some(offhook::notification::Unreachable::Offline);
    world.hold(message, 0).await.unwrap();
    world.send_all().await;
    world.comes_online().await;
    assert_eq!(world.owes().await, "1: Status(Delivered)");
    world.at(100 * 3600);
    world.store().expire(world.now).await.unwrap();
    assert_eq!(world.owes().await, "1: Status(Delivered)");
}

#[tokio::test]
async fn each_rule_says_what_it_would_do_and_everything_stored_can_be_shown() {
    let mut world = World::new().await;
    let store = world.store().clone();
    let block = vec![Setting::Sender(jid("alice@example.org"), SenderRule::Block)];
    let explains = |world: &World, from: &str, to: &str| {
        let people = [bob()];
        let (file, now) = (world.folder.file(), world.now);
        explain::explain(&file, &world.policy, &people, &jid(from), &jid(to), now).unwrap().rules
    };
    let last =
        |told: &[explain::Ruled]| told.last().map(|it| (it.rings, it.because.clone())).unwrap();
    let told = explains(&world, "alice@example.org", "bob@example.org");
    assert!(last(&told).0, "{told:#?}");
    for (from, to, what) in [
        ("eve@elsewhere.example", "bob@example.org", "senders"),
        ("alice@example.org", "nobody@example.org", "person"),
    ] {
        let told = explains(&world, from, to);
        assert!(!last(&told).0 && told.iter().any(|it| !it.rings && it.rule == what), "{told:#?}");
    }
    store.set(&bob().jid, block, world.now).await.unwrap();
    assert!(!last(&explains(&world, "alice@example.org", "bob@example.org")).0);
    store.suspend(true).await.unwrap();
    let told = explains(&world, "dora@example.org", "bob@example.org");
    assert!(told.iter().any(|it| it.rule == "suspend" && !it.rings), "{told:#?}");
    let id = world.alice_writes("A secret of theirs").await;
    let stored = export(&world.folder.file(), &bob().jid).unwrap();
    assert_eq!(stored["stored"]["messages"][0]["id"], id.0);
    assert!(stored.to_string().contains("A secret of theirs"));
    let others = export(&world.folder.file(), &jid("dora@example.org")).unwrap();
    assert!(!others.to_string().contains("A secret of theirs"));
}

async fn asks(world: &World, jid: &BareJid, number: &PhoneNumber) -> Result<Code, Refusal> {
    world.store().ask_code(jid, number.clone(), NumberSlot::First, world.now).await.unwrap()
}

async fn tries(world: &World, jid: &BareJid, digits: &str) -> CodeCheck {
    world.store().try_code(jid, digits.to_owned(), world.now).await.unwrap()
}

async fn verify(world: &mut World, jid: &BareJid, written: &str, place: NumberSlot) -> PhoneNumber {
    let number = number(written);
    let code =
        world.store().ask_code(jid, number.clone(), place, world.now).await.unwrap().unwrap();
    world.store().code_spoken(code.id, world.now).await.unwrap();
    world.now += Duration::from_secs(1);
    assert!(matches!(tries(world, jid, &code.digits).await, CodeCheck::Right(_)));
    number
}

fn other(digits: &str) -> String {
    digits.chars().map(|it| if it == '9' { '0' } else { (it as u8 + 1) as char }).collect()
}

fn jid(jid: &str) -> BareJid {
    jid.parse().unwrap()
}

fn number(number: &str) -> PhoneNumber {
    number.parse().unwrap()
}

/// Each is one commit's worth of work, shared by a thousand.
const GUESSES: usize = 1_000_000;

#[tokio::test]
async fn who_turns_the_contact_request_down_is_remembered() {
    let mut world = World::new().await;
    for refused in [true, false] {
        world.store().presence_refused(&bob().jid, refused).await.unwrap();
        world.crash().await;
        world.store().configure_subscribers(vec![bob()], world.now).await.unwrap();
        let known = world.store().subscriber(&bob().jid).await.unwrap().unwrap();
        assert_eq!(known.refuses_presence, refused);
    }
}
