//! No limit of calls is passed, whatever people do, erase and break: random histories beside a count of their own.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use offhook::notification::budget::Country;
use offhook::notification::policy::Policy;
use offhook::notification::verification::{NumberSlot, VerificationId};
use offhook::notification::{Attempt, AttemptId, Outcome, RingKind};
use offhook::phone_number::PhoneNumber;
use offhook::store::Reader;
use offhook::subscriber::{Quiet, Subscriber};
use proptest::prelude::*;
use xmpp_parsers::jid::BareJid;

use crate::world::{World, attempt, draft, policy};

/// What may happen in a house.
#[derive(Clone, Debug)]
enum Deed {
    Writes { sender: u8, recipient: u8 },
    AsksCode { asker: u8, number: u8 },
    Ends { which: u8, talked_s: u64, outcome: Outcome },
    Forgets(u8),
    Crashes,
    Passes(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let outcomes = [Outcome::Answered, Outcome::Answered, Outcome::NoAnswer, Outcome::Interrupted];
    let ends = (any::<u8>(), prop::sample::select(vec![0, 7, 100, 299]));
    let passes = prop::sample::select(vec![1, 61, 400, 1000, 4000, 20_000, 50_000]);
    let deed = prop_oneof![
        8 => (0..6u8, 0..5u8).prop_map(|(sender, recipient)| Deed::Writes { sender, recipient }),
        4 => (0..6u8, 0..6u8).prop_map(|(asker, number)| Deed::AsksCode { asker, number }),
        8 => (ends, prop::sample::select(outcomes.to_vec()))
            .prop_map(|((which, talked_s), outcome)| Deed::Ends { which, talked_s, outcome }),
        2 => (0..6u8).prop_map(Deed::Forgets),
        1 => Just(Deed::Crashes),
        6 => passes.prop_map(Deed::Passes),
    ];
    prop::collection::vec(deed, 40..160)
}

/// One call, as whoever looks at the wire would count it.
struct Call {
    of: Of,
    number: PhoneNumber,
    started: Timestamp,
    /// How long it talked; `None` while it runs, and where nobody knows.
    talked: Option<Duration>,
    runs: bool,
}

#[derive(Clone, Copy)]
enum Of {
    Message(AttemptId),
    Code(VerificationId),
}

/// All calls so far.
#[derive(Default)]
struct Wire(Vec<Call>);

impl Wire {
    fn rings(&mut self, of: Of, number: &PhoneNumber, rules: &Policy, now: Timestamp) {
        let dialled = ["+81378910000", "+81378910001", "+81666666666"];
        assert!(dialled.contains(&number.as_str()), "{} is dialled", number.as_str());
        let hour = now.to_zoned(TimeZone::UTC).hour();
        assert!((6..22).contains(&hour), "at night, {now}");
        let same = |it: &&Call| it.number == *number;
        let reads = |it: &Call| it.runs && matches!((it.of, of), (Of::Message(_), Of::Message(_)));
        assert!(!self.0.iter().filter(same).any(reads), "two at once");
        for throttle in &rules.throttle {
            let made = self.since(now, throttle.span).filter(same).count();
            assert!(made < throttle.calls as usize, "{throttle}");
        }
        let country = &rules.countries[0];
        for (calls, minutes, prefix) in [
            (Some(rules.calls_per_day_max), Some(rules.minutes_per_day_max), "+"),
            (country.calls_per_day_max, country.minutes_per_day_max, country.prefix.as_str()),
        ] {
            if !number.has_prefix(prefix) {
                continue;
            }
            let day = || self.since(now, DAY).filter(|it| it.number.has_prefix(prefix));
            assert!(day().count() < calls.unwrap() as usize, "calls a day, {prefix}");
            let may: Duration = day().map(|it| it.talked.unwrap_or(rules.call_max)).sum();
            let most = Duration::from_secs(60) * minutes.unwrap();
            assert!(may + rules.call_max <= most, "minutes a day, {prefix}: {may:?}");
        }
        self.0.push(Call { of, number: number.clone(), started: now, talked: None, runs: true });
    }

    fn since(&self, now: Timestamp, span: Duration) -> impl Iterator<Item = &Call> {
        self.0.iter().filter(move |it| it.started > now - span)
    }
}

async fn live(world: &mut World, rules: &Policy, deeds: Vec<Deed>) -> Wire {
    let mut wire = Wire::default();
    for (place, deed) in deeds.into_iter().enumerate() {
        match deed {
            Deed::Writes { sender, recipient } => {
                let from = format!("s{sender}@example.org/x");
                let mut message = draft(&format!("m{place}"), &from, "Hello");
                message.recipient = people()[usize::from(recipient)].jid.clone();
                // A recipient who was erased is unknown until the operator's settings are read again.
                let _ = world.hold(message, 0).await;
            }
            Deed::AsksCode { asker, number } => {
                let asker: BareJid = format!("s{asker}@example.org").parse().unwrap();
                let number: PhoneNumber = NUMBERS[usize::from(number)].parse().unwrap();
                let slot = NumberSlot::First;
                let asked = world.store().ask_code(&asker, number.clone(), slot, world.now).await;
                if let Ok(code) = asked.unwrap() {
                    wire.rings(Of::Code(code.id), &number, rules, world.now);
                }
            }
            Deed::Ends { which, talked_s, outcome } => {
                ends(world, &mut wire, which, Duration::from_secs(talked_s), outcome).await;
            }
            Deed::Forgets(who) => {
                let jid: BareJid = format!("s{who}@example.org").parse().unwrap();
                world.store().erase(&jid, world.now).await.unwrap();
                if let Some(person) = people().get(usize::from(who)) {
                    world.store().erase(&person.jid, world.now).await.unwrap();
                }
                world.store().configure_subscribers(people(), world.now).await.unwrap();
            }
            Deed::Crashes => {
                world.crash().await;
                wire.0.iter_mut().for_each(|call| call.runs = false);
            }
            Deed::Passes(seconds) => world.now += Duration::from_secs(seconds),
        }
        // A call that gave no sign of life for so long counts as lost.
        for call in wire.0.iter_mut().filter(|call| matches!(call.of, Of::Message(_))) {
            call.runs &= world.now < call.started + LEASE;
        }
        for claim in world.store().claim_due(world.now, 8).await.unwrap() {
            wire.rings(Of::Message(claim.attempt), &claim.number, rules, world.now);
        }
    }
    wire
}

async fn ends(world: &World, wire: &mut Wire, which: u8, talked: Duration, outcome: Outcome) {
    let mut running: Vec<&mut Call> = wire.0.iter_mut().filter(|call| call.runs).collect();
    if running.is_empty() {
        return;
    }
    let place = usize::from(which) % running.len();
    let call = &mut running[place];
    let ended = Attempt { talked, ..attempt(outcome) };
    match call.of {
        Of::Message(id) => world.store().settle(id, ended, world.now).await.unwrap(),
        Of::Code(id) => world.store().code_call_ended(id, ended, world.now).await.unwrap(),
    }
    (call.runs, call.talked) = (false, (outcome != Outcome::Interrupted).then_some(talked));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn no_call_is_made_outside_any_limit_and_each_has_its_row(deeds in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::with(rules()).await;
            world.store().configure_subscribers(people(), world.now).await.unwrap();
            let wire = live(&mut world, &rules(), deeds).await;
            let rows = Reader::open(&world.folder.file()).unwrap().ring_list(10_000).unwrap();
            let of = |kind| rows.iter().filter(|row| row.kind == kind).count();
            let codes = wire.0.iter().filter(|call| matches!(call.of, Of::Code(_))).count();
            let counted = (of(RingKind::Code), of(RingKind::Message));
            assert_eq!(counted, (codes, wire.0.len() - codes));
        });
    }
}

/// Some in each run; more on demand.
fn cases() -> u32 {
    std::env::var("OFFHOOK_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(24)
}

fn rules() -> Policy {
    Policy {
        wait: Duration::ZERO,
        attempts: 20,
        sender_throttle: vec![],
        sender_calls: vec![],
        calls_per_day_max: 12,
        minutes_per_day_max: 22,
        countries: vec![Country {
            prefix: "+81378".to_owned(),
            calls_per_day_max: Some(7),
            minutes_per_day_max: Some(12),
        }],
        quiet: Quiet::Daily("22:00-06:00".parse().unwrap()),
        own: vec!["+81312345678".parse().unwrap()],
        ..policy()
    }
}

fn people() -> Vec<Subscriber> {
    let person = |(place, number): (usize, &&str)| Subscriber {
        number: number.parse().ok(),
        ..Subscriber::new(format!("p{place}@example.org").parse().unwrap(), "P".to_owned())
    };
    NUMBERS[..5].iter().enumerate().map(person).collect()
}

/// The first three may be dialled. Then a premium-rate number, one of another country, and our own.
const NUMBERS: [&str; 6] = [
    "+81378910000",
    "+81378910001",
    "+81666666666",
    "+81990123456",
    "+491711234567",
    "+81312345678",
];
const DAY: Duration = Duration::from_secs(86_400);
const LEASE: Duration = Duration::from_secs(600);
