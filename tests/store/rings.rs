//! Everything that rings has its row, and no limit is emptied by anything that people do.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use offhook::notification::budget::Country;
use offhook::notification::policy::Policy;
use offhook::notification::verification::{Code, NumberSlot, Refusal};
use offhook::notification::{Attempt, Claim, Draft, Outcome, RingKind, Throttle, Wait};
use offhook::phone_number::PhoneNumber;
use offhook::store::Reader;
use offhook::subscriber::{Quiet, Subscriber};
use proptest::prelude::*;
use xmpp_parsers::jid::BareJid;

use crate::world::{World, attempt, bob, draft, policy};

#[tokio::test]
async fn what_erases_a_person_empties_no_throttle_and_no_day() {
    for (calls_per_day_max, free) in [(200, 60), (1, 86_400)] {
        let wait = Duration::ZERO;
        let mut world = World::with(Policy { wait, calls_per_day_max, ..policy() }).await;
        world.alice_writes("One").await;
        let claim = world.claim().await.unwrap();
        world.settle(&claim, Outcome::Answered).await;
        for seconds in [1, 2, free - 1] {
            world.at(seconds);
            assert!(world.store().erase(&bob().jid, world.now).await.unwrap());
            world.crash().await;
            world.store().configure_subscribers(vec![bob()], world.now).await.unwrap();
            world.alice_writes("Again").await;
            assert!(world.claim().await.is_none(), "{calls_per_day_max} a day, after {seconds} s");
        }
        world.at(free);
        assert!(world.claim().await.is_some());
    }
}

#[tokio::test]
async fn a_stranger_who_forgets_themselves_rings_no_phone_more_often() {
    let mut world = World::new().await;
    let (eve, victim) = (jid("eve@example.org"), number("+81378905001"));
    let mut rang = 0;
    for minute in 0..600 {
        world.at(minute * 61);
        rang += u32::from(asks(&world, &eve, &victim).await.is_ok());
        assert!(world.store().erase(&eve, world.now).await.unwrap());
    }
    assert_eq!(rang, 3);
    assert_eq!(reader(&world).len(), 3);
}

#[tokio::test]
async fn a_call_with_a_code_is_a_call_among_all_others() {
    let throttle = vec!["2/1h".parse().unwrap()];
    let mut world =
        World::with(Policy { wait: Duration::ZERO, throttle, calls_per_day_max: 4, ..policy() })
            .await;
    let number = bob().number.unwrap();
    assert!(asks(&world, &jid("carol@example.org"), &number).await.is_ok());
    // It fills the throttle of the number for messages, and these do for codes.
    world.alice_writes("Hello").await;
    let claim = world.claim().await.unwrap();
    world.settle(&claim, Outcome::Answered).await;
    let dora = jid("dora@example.org");
    assert_eq!(asks(&world, &dora, &number).await, Err(Refusal::Throttled));
    world.alice_writes("Once more").await;
    assert!(world.claim().await.is_none());
    // And both fill the day.
    for minute in 0..2 {
        let (asker, other) = (format!("d{minute}@example.org"), format!("+819{minute}06000000"));
        assert!(asks(&world, &jid(&asker), &self::number(&other)).await.is_ok());
    }
    assert_eq!(asks(&world, &dora, &self::number("+81666666666")).await, Err(Refusal::Throttled));
    world.at(7200);
    assert!(world.claim().await.is_none(), "the day has had its four calls");
}

#[tokio::test]
async fn no_phone_rings_for_a_code_at_night() {
    let quiet = Quiet::Daily("21:00-08:00".parse().unwrap());
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    // 10:00 in UTC is 19:00 in Tokyo.
    let mut world = World::with(Policy { quiet, zone, ..policy() }).await;
    let (carol, number) = (jid("carol@example.org"), number("+81378905001"));
    let code = asks(&world, &carol, &number).await.unwrap();
    assert!(world.store().code_may_ring(&code, world.now).await.unwrap());
    world.at(2 * 3600);
    assert!(!world.store().code_may_ring(&code, world.now).await.unwrap(), "it waited too long");
    assert_eq!(asks(&world, &carol, &number).await, Err(Refusal::Quiet));
    world.at(13 * 3600);
    assert!(asks(&world, &carol, &number).await.is_ok());
}

#[tokio::test]
async fn an_area_rests_whose_codes_do_not_come_back() {
    let mut world = World::new().await;
    let area = |last: u32| number(&format!("+8137890{last:04}"));
    for asker in 0..7 {
        let who = jid(&format!("honest{asker}@example.org"));
        let code = asks(&world, &who, &area(asker)).await.unwrap();
        world.store().code_spoken(code.id, world.now).await.unwrap();
        world.now += Duration::from_secs(1);
        world.store().try_code(&who, code.digits, world.now).await.unwrap();
    }
    let mut rang = 0;
    for asker in 0..20 {
        let who = jid(&format!("pump{asker}@example.org"));
        rang += u32::from(asks(&world, &who, &area(100 + asker)).await.is_ok());
    }
    assert_eq!(rang, 5);
    let elsewhere = number("+81666666666");
    assert!(asks(&world, &jid("carol@example.org"), &elsewhere).await.is_ok());
    world.at(86_400 + 60);
    assert!(asks(&world, &jid("carol@example.org"), &area(500)).await.is_ok());
}

#[tokio::test]
async fn a_number_that_refused_codes_is_not_called_for_them_whoever_asks_and_forgets() {
    let mut world = World::new().await;
    let (eve, victim) = (jid("eve@example.org"), number("+81378905001"));
    let code = asks(&world, &eve, &victim).await.unwrap();
    world.store().refuse_codes(code.id, world.now).await.unwrap();
    world.store().erase(&eve, world.now).await.unwrap();
    world.at(40 * 86_400);
    world.store().expire(world.now).await.unwrap();
    world.crash().await;
    for asker in ["eve", "dora"] {
        let asker = jid(&format!("{asker}@example.org"));
        assert_eq!(asks(&world, &asker, &victim).await, Err(Refusal::NotAllowed));
    }
}

#[tokio::test]
async fn one_sender_rings_few_phones_of_a_whole_house() {
    let mut world = World::with(Policy { wait: Duration::ZERO, ..policy() }).await;
    let house: Vec<Subscriber> = (0..25).map(person).collect();
    world.store().configure_subscribers(house.clone(), world.now).await.unwrap();
    for (place, person) in house.iter().enumerate() {
        let mut message = draft(&format!("m{place}"), "alice@example.org/x", "Hello");
        message.recipient = person.jid.clone();
        world.hold(message, 0).await.unwrap();
    }
    let claims = world.store().claim_due(world.now, 25).await.unwrap();
    assert_eq!(claims.len(), 5, "nobody whom they know yet, and new here");
    // Another sender makes the eleventh ring.
    let mut message = draft("other", "dora@example.org/x", "Hello");
    message.recipient = house[20].jid.clone();
    world.hold(message, 0).await.unwrap();
    assert_eq!(world.store().claim_due(world.now, 25).await.unwrap().len(), 1);
    let later = world.statuses().await.into_iter().filter(|(_, status)| {
        matches!(status, offhook::notification::Status::Waiting { why: Wait::Throttled, .. })
    });
    assert!(later.count() >= 14, "who waits reads why");
    for claim in claims {
        world.settle(&claim, Outcome::Answered).await;
    }
    world.at(10 * 86_400);
    for (place, person) in house.iter().enumerate() {
        let mut message = draft(&format!("n{place}"), "alice@example.org/x", "Hello");
        message.recipient = person.jid.clone();
        world.hold(message, 0).await.unwrap();
    }
    let claims = world.store().claim_due(world.now, 25).await.unwrap();
    // The call that dora's message has set free reads alice's, too.
    assert!((10..=11).contains(&claims.len()), "dial.sender_calls");
}

#[tokio::test]
async fn every_ring_is_listed_with_its_kind_and_erasure_takes_only_the_names() {
    let mut world = World::with(Policy { wait: Duration::ZERO, ..policy() }).await;
    world.alice_writes("Hello").await;
    let claim = world.claim().await.unwrap();
    world.settle(&claim, Outcome::Busy).await;
    let carol = jid("carol@example.org");
    let code = asks(&world, &carol, &number("+81666666666")).await.unwrap();
    let ended = attempt(Outcome::NoAnswer);
    world.store().code_call_ended(code.id, ended, world.now).await.unwrap();
    let rings = reader(&world);
    let told: Vec<_> = rings
        .iter()
        .map(|it| (it.kind, it.outcome, it.callee.as_deref(), it.askers.join(" ")))
        .collect();
    let (no, busy) = (Some(Outcome::NoAnswer), Some(Outcome::Busy));
    let expected = [
        (RingKind::Code, no, None, carol.to_string()),
        (RingKind::Message, busy, Some("bob@example.org"), "alice@example.org".to_owned()),
    ];
    assert_eq!(told, expected);
    assert_eq!(rings[0].area, "816666");
    for jid in [bob().jid, carol, jid("alice@example.org")] {
        assert!(world.store().erase(&jid, world.now).await.unwrap());
    }
    let rings = reader(&world);
    assert_eq!(rings.len(), 2);
    assert!(rings[1].callee.as_ref().unwrap().starts_with("erased-"));
    assert!(rings.iter().all(|it| it.askers.iter().all(|asker| asker.starts_with("erased-"))));
    // After thirty days they are gone.
    world.at(31 * 86_400);
    world.store().expire(world.now).await.unwrap();
    assert!(reader(&world).is_empty());
}

#[tokio::test]
async fn calls_lose_their_names_when_the_operator_says_and_count_all_the_same() {
    let keep_calls = Duration::from_secs(86_400);
    let mut world = World::with(Policy { keep_calls, ..policy() }).await;
    world.alice_writes("Hello").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.settle(&claim, Outcome::Busy).await;
    world.at(86_000);
    world.store().expire(world.now).await.unwrap();
    assert_eq!(reader(&world)[0].callee.as_deref(), Some("bob@example.org"));
    assert!(reader(&world)[0].call.is_some());

    world.comes_online().await;
    world.send_all().await;
    world.at(86_400 + 120);
    world.store().expire(world.now).await.unwrap();
    let rings = reader(&world);
    assert_eq!(rings.len(), 1, "limits count it");
    assert!(rings[0].call.is_none(), "its record is gone");
    assert!(rings[0].callee.as_ref().unwrap().starts_with("erased-"));
    assert!(rings[0].askers.iter().all(|asker| asker.starts_with("erased-")));
    world.at(31 * 86_400);
    world.store().expire(world.now).await.unwrap();
    assert!(reader(&world).is_empty());
}

#[tokio::test]
async fn a_code_call_that_a_crash_ended_is_listed_as_interrupted() {
    let mut world = World::new().await;
    asks(&world, &jid("carol@example.org"), &number("+81666666666")).await.unwrap();
    world.crash().await;
    assert_eq!(reader(&world)[0].outcome, Some(Outcome::Interrupted));
}

/// What may happen in a house.
#[derive(Clone, Debug)]
enum Deed {
    Writes { sender: u8, recipient: u8 },
    AsksCode { asker: u8, number: u8 },
    Forgets(u8),
    Crashes,
    Passes(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..3u8, 0..4u8).prop_map(|(sender, recipient)| Deed::Writes { sender, recipient }),
        4 => (0..6u8, 0..4u8).prop_map(|(asker, number)| Deed::AsksCode { asker, number }),
        3 => (0..6u8).prop_map(Deed::Forgets),
        1 => Just(Deed::Crashes),
        5 => prop::sample::select(vec![1, 20, 61, 400, 1000, 4000, 20_000]).prop_map(Deed::Passes),
    ];
    prop::collection::vec(deed, 20..80)
}

/// What rang: when, where, and for whom.
#[derive(Default)]
struct Rang {
    all: Vec<Timestamp>,
    by_number: BTreeMap<String, Vec<Timestamp>>,
    by_sender: BTreeMap<String, Vec<Timestamp>>,
}

impl Rang {
    fn add(&mut self, number: &PhoneNumber, sender: Option<String>, at: Timestamp) {
        self.all.push(at);
        self.by_number.entry(number.as_str().to_owned()).or_default().push(at);
        if let Some(sender) = sender {
            self.by_sender.entry(sender).or_default().push(at);
        }
    }
}

fn within(throttle: Throttle, calls: &[Timestamp]) -> bool {
    let (most, span) = (throttle.calls as usize, throttle.span.as_millis() as i64);
    calls
        .windows(most + 1)
        .all(|some| some[most].as_millisecond() - some[0].as_millisecond() >= span)
}

async fn live(world: &mut World, deeds: Vec<Deed>) -> Rang {
    let mut rang = Rang::default();
    for (place, deed) in deeds.into_iter().enumerate() {
        match deed {
            Deed::Writes { sender, recipient } => {
                let from = format!("s{sender}@example.org/x");
                let mut message = draft(&format!("m{place}"), &from, "Hello");
                message.recipient = person(recipient.into()).jid;
                // A recipient who was erased is unknown until the operator's settings are read again.
                let _ = world.hold(message, 0).await;
            }
            Deed::AsksCode { asker, number: of } => {
                let asker = jid(&format!("s{asker}@example.org"));
                let number = person(of.into()).number.unwrap();
                if let Ok(code) = asks(world, &asker, &number).await {
                    rang.add(&number, Some(asker.to_string()), world.now);
                    let ended = attempt(Outcome::NoAnswer);
                    world.store().code_call_ended(code.id, ended, world.now).await.unwrap();
                }
            }
            Deed::Forgets(who) => {
                for jid in [jid(&format!("s{who}@example.org")), person(who.into()).jid] {
                    world.store().erase(&jid, world.now).await.unwrap();
                }
                let people = (0..4).map(person).collect();
                world.store().configure_subscribers(people, world.now).await.unwrap();
            }
            Deed::Crashes => world.crash().await,
            Deed::Passes(seconds) => world.now += Duration::from_secs(seconds),
        }
        for claim in world.store().claim_due(world.now, 8).await.unwrap() {
            let mut senders: Vec<String> =
                claim.messages.iter().map(|it| it.draft.sender.to_bare().to_string()).collect();
            senders.sort_unstable();
            senders.dedup();
            // Who is read on the way has not caused the call.
            let only = (senders.len() == 1).then(|| senders.remove(0));
            rang.add(&claim.number, only, world.now);
            world.settle(&claim, Outcome::NoAnswer).await;
        }
    }
    rang
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_people_do_no_limit_is_passed_and_every_ring_has_its_row(deeds in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rules = Policy { wait: Duration::ZERO, calls_per_day_max: 12, attempts: 20, ..policy() };
            let mut world = World::with(rules.clone()).await;
            let people = (0..4).map(person).collect();
            world.store().configure_subscribers(people, world.now).await.unwrap();
            let rang = live(&mut world, deeds).await;
            assert_eq!(reader(&world).len(), rang.all.len());
            assert!(within(Throttle::from((12, 86_400)), &rang.all), "the day");
            for calls in rang.by_number.values() {
                assert!(rules.throttle.iter().all(|it| within(*it, calls)), "{calls:?}");
            }
            for calls in rang.by_sender.values() {
                let share = [Throttle::from((3, 86_400))];
                let limits = rules.sender_calls.iter().chain(&share);
                assert!(limits.into_iter().all(|it| within(*it, calls)), "{calls:?}");
            }
        });
    }
}

#[tokio::test]
async fn no_call_is_placed_that_could_pass_the_minutes_of_a_day() {
    let mut world = World::with(Policy { minutes_per_day_max: 10, ..unthrottled() }).await;
    everybody_is_written_to(&world, 5).await;
    let first = world.store().claim_due(world.now, 8).await.unwrap();
    assert_eq!(first.len(), 2, "each may take five minutes of the ten");
    world.at(60);
    talks(&world, &first[0], Outcome::Answered, 20).await;
    assert_eq!(world.store().claim_due(world.now, 8).await.unwrap(), [], "the other still may");
    let again = world.store().next_due().await.unwrap().unwrap();
    assert_eq!(again, world.time(300), "then it is over");
    world.at(290);
    talks(&world, &first[1], Outcome::Answered, 200).await;
    world.at(300);
    let third = world.store().claim_due(world.now, 8).await.unwrap();
    assert_eq!(third.len(), 1, "220 s were talked");
    // How a call ended is not known: it may have talked for five minutes.
    world.crash().await;
    world.at(3_600);
    assert_eq!(world.store().claim_due(world.now, 8).await.unwrap(), []);
    world.at(86_399);
    assert_eq!(world.store().claim_due(world.now, 8).await.unwrap(), []);
    world.at(86_400);
    assert_eq!(world.store().claim_due(world.now, 8).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_country_has_its_own_calls_and_minutes_whoever_causes_them() {
    let country = |calls_per_day_max, minutes_per_day_max| {
        vec![Country { prefix: "+81378".to_owned(), calls_per_day_max, minutes_per_day_max }]
    };
    let limits = [country(Some(2), None), country(None, Some(10))];
    for countries in limits {
        let world = World::with(Policy { countries, ..unthrottled() }).await;
        let asker = jid("carol@example.org");
        assert!(asks(&world, &asker, &number("+81378905001")).await.is_ok());
        everybody_is_written_to(&world, 3).await;
        let rings = world.store().claim_due(world.now, 8).await.unwrap();
        assert_eq!(rings.len(), 1, "the call with the code is one of two");
        let refused = asks(&world, &jid("dora@example.org"), &number("+81378905002")).await;
        assert_eq!(refused, Err(Refusal::Throttled));
        let elsewhere = asks(&world, &jid("dora@example.org"), &number("+81666666666")).await;
        assert!(elsewhere.is_ok());
    }
}

fn unthrottled() -> Policy {
    let (throttle, sender_throttle, sender_calls) = (vec![], vec![], vec![]);
    Policy { wait: Duration::ZERO, throttle, sender_throttle, sender_calls, ..policy() }
}

async fn everybody_is_written_to(world: &World, people: u32) {
    let people: Vec<Subscriber> = (0..people).map(person).collect();
    world.store().configure_subscribers(people.clone(), world.now).await.unwrap();
    for (place, person) in people.iter().enumerate() {
        let message = draft(&format!("m{place}"), "alice@example.org/x", "Hello");
        world.hold(Draft { recipient: person.jid.clone(), ..message }, 0).await.unwrap();
    }
}

async fn talks(world: &World, claim: &Claim, outcome: Outcome, seconds: u64) {
    let talked = Duration::from_secs(seconds);
    let ended = Attempt { talked, ..attempt(outcome) };
    world.store().settle(claim.attempt, ended, world.now).await.unwrap();
}

fn person(place: u32) -> Subscriber {
    let number = Some(number(&format!("+8137891{place:04}")));
    Subscriber { number, ..Subscriber::new(jid(&format!("p{place}@example.org")), "P".to_owned()) }
}

fn reader(world: &World) -> Vec<offhook::store::RingRecord> {
    Reader::open(&world.folder.file()).unwrap().ring_list(10_000).unwrap()
}

async fn asks(world: &World, who: &BareJid, number: &PhoneNumber) -> Result<Code, Refusal> {
    world.store().ask_code(who, number.clone(), NumberSlot::First, world.now).await.unwrap()
}

fn jid(written: &str) -> BareJid {
    written.parse().unwrap()
}

fn number(written: &str) -> PhoneNumber {
    written.parse().unwrap()
}
