//! No limit of calls is passed, whatever people do, erase and break: random histories beside a count of their own.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use offhook::clock::Moment;
use offhook::notification::budget::Country;
use offhook::notification::policy::Policy;
use offhook::notification::verification::{NumberSlot, VerificationId};
use offhook::notification::{Attempt, AttemptId, Outcome, RingKind};
use offhook::phone_number::PhoneNumber;
use offhook::store::{CallIn, CallerTrust, Reader, StoreJob};
use offhook::subscriber::{Quiet, Subscriber};
use proptest::prelude::*;
use tokio::sync::oneshot;
use xmpp_parsers::jid::BareJid;

use crate::world::{World, attempt, draft, policy};

/// What may happen in a house.
#[derive(Clone, Debug)]
enum Deed {
    Writes {
        sender: u8,
        recipient: u8,
    },
    CallsIn(u8),
    AsksCode {
        asker: u8,
        number: u8,
    },
    Ends {
        which: u8,
        talked_s: u64,
        outcome: Outcome,
    },
    Forgets(u8),
    Crashes,
    Passes(u64),
    /// The wall clock is set.
    Steps(i64),
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
        3 => (0..5u8).prop_map(Deed::CallsIn),
        1 => Just(Deed::Crashes),
        1 => prop::sample::select(STEPS.to_vec()).prop_map(Deed::Steps),
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
    CallIn(AttemptId),
}

/// All calls so far, by a clock that nobody sets.
struct Wire {
    calls: Vec<Call>,
    /// Codes that were asked for, whether or not the phone rang.
    codes: usize,
    now: Timestamp,
    /// How far the wall clock was set forward since the program began.
    stepped: SignedDuration,
}

impl Wire {
    /// What the program reads from the clocks.
    fn moment(&self, world: &World) -> Moment {
        Moment { stepped: self.stepped, ..(world.now + self.stepped).into() }
    }

    /// Never two at once, of whatever kind.
    fn takes_the_line(&mut self, of: Of, number: &PhoneNumber) {
        let engaged = |it: &Call| it.runs && it.number == *number;
        assert!(!self.calls.iter().any(engaged), "two at once");
        let (number, started) = (number.clone(), self.now);
        self.calls.push(Call { of, number, started, talked: None, runs: true });
    }

    fn rings(&mut self, of: Of, number: &PhoneNumber, rules: &Policy, wall: Timestamp) {
        let now = self.now;
        let dialled = ["+81378910000", "+81378910001", "+81666666666"];
        assert!(dialled.contains(&number.as_str()), "{} is dialled", number.as_str());
        let hour = wall.to_zoned(TimeZone::UTC).hour();
        assert!((6..22).contains(&hour), "at night, {wall}");
        let same = |it: &&Call| it.number == *number;
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
        self.takes_the_line(of, number);
    }

    fn since(&self, now: Timestamp, span: Duration) -> impl Iterator<Item = &Call> {
        let is_ours = |it: &&Call| !matches!(it.of, Of::CallIn(_));
        self.calls.iter().filter(is_ours).filter(move |it| it.started > now - span)
    }
}

async fn live(world: &mut World, rules: &Policy, deeds: Vec<Deed>) -> Wire {
    let (calls, stepped) = (vec![], SignedDuration::ZERO);
    let mut wire = Wire { calls, codes: 0, now: world.now, stepped };
    for (place, deed) in deeds.into_iter().enumerate() {
        let now = wire.moment(world);
        match deed {
            Deed::Writes { sender, recipient } => {
                let from = format!("s{sender}@example.org/x");
                let mut message = draft(&format!("m{place}"), &from, "Hello");
                message.recipient = people()[usize::from(recipient)].jid.clone();
                // A recipient who was erased is unknown until the operator's settings are read again.
                let _ = world.store().hold(message, now, 0).await;
            }
            Deed::AsksCode { asker, number } => {
                let asker: BareJid = format!("s{asker}@example.org").parse().unwrap();
                let number: PhoneNumber = NUMBERS[usize::from(number)].parse().unwrap();
                let slot = NumberSlot::First;
                let asked = world.store().ask_code(&asker, number.clone(), slot, now).await;
                if let Ok(code) = asked.unwrap() {
                    wire.codes += 1;
                    if world.store().code_may_ring(&code, now).await.unwrap() {
                        wire.rings(Of::Code(code.id), &number, rules, now.wall);
                    } else {
                        let unplaced = Attempt::without_invite(Outcome::Interrupted);
                        world.store().code_call_ended(code.id, unplaced, now).await.unwrap();
                    }
                }
            }
            Deed::CallsIn(who) => {
                let number = people()[usize::from(who)].number.clone().unwrap();
                let trust = CallerTrust::NumberAlone;
                let call = world.store().call_in(number.clone(), trust, now).await.unwrap();
                if let CallIn::Admitted(claim) = call {
                    wire.takes_the_line(Of::CallIn(claim.attempt), &number);
                }
            }
            Deed::Ends { which, talked_s, outcome } => {
                ends(world, &mut wire, which, Duration::from_secs(talked_s), outcome).await;
            }
            Deed::Forgets(who) => {
                let jid: BareJid = format!("s{who}@example.org").parse().unwrap();
                world.store().erase(&jid, now).await.unwrap();
                if let Some(person) = people().get(usize::from(who)) {
                    world.store().erase(&person.jid, now).await.unwrap();
                }
                world.store().configure_subscribers(people(), now).await.unwrap();
            }
            Deed::Crashes => {
                // A new run knows of no step that came before it.
                world.now += std::mem::take(&mut wire.stepped);
                world.crash().await;
                wire.calls.iter_mut().for_each(|call| call.runs = false);
            }
            Deed::Passes(seconds) => {
                world.now += Duration::from_secs(seconds);
                wire.now += Duration::from_secs(seconds);
            }
            Deed::Steps(seconds) => {
                wire.stepped += SignedDuration::from_secs(seconds);
                let (told, done) = oneshot::channel();
                let job = StoreJob::ClockStepped;
                world.store().submit(job, wire.moment(world), |it| drop(told.send(it)));
                done.await.unwrap().unwrap();
            }
        }
        // A call that gave no sign of life for so long counts as lost.
        for call in &mut wire.calls {
            call.runs &= wire.now < call.started + LEASE;
        }
        let now = wire.moment(world);
        for claim in world.store().claim_due(now, 8).await.unwrap() {
            wire.rings(Of::Message(claim.attempt), &claim.number, rules, now.wall);
        }
    }
    wire
}

async fn ends(world: &World, wire: &mut Wire, which: u8, talked: Duration, outcome: Outcome) {
    let now = wire.moment(world);
    let mut running: Vec<&mut Call> = wire.calls.iter_mut().filter(|call| call.runs).collect();
    if running.is_empty() {
        return;
    }
    let place = usize::from(which) % running.len();
    let call = &mut running[place];
    let ended = Attempt { talked, ..attempt(outcome) };
    match call.of {
        Of::Message(id) | Of::CallIn(id) => world.store().settle(id, ended, now).await.unwrap(),
        Of::Code(id) => world.store().code_call_ended(id, ended, now).await.unwrap(),
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
            let made = |kind: fn(&Of) -> bool| wire.calls.iter().filter(|it| kind(&it.of)).count();
            assert_eq!(of(RingKind::Code), wire.codes);
            assert_eq!(of(RingKind::Message), made(|it| matches!(it, Of::Message(_))));
            assert_eq!(of(RingKind::In), made(|it| matches!(it, Of::CallIn(_))));
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
const STEPS: [i64; 6] = [-40 * 86_400, -86_400, -3600, 3600, 30_000, 40 * 86_400];
const DAY: Duration = Duration::from_secs(86_400);
const LEASE: Duration = Duration::from_secs(600);
