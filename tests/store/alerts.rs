//! What operators and people are told without having asked.

use std::time::Duration;

use offhook::notification::alert::{Alert, AlertTo, DayLimit};
use offhook::notification::policy::Policy;
use offhook::notification::verification::NumberSlot;
use offhook::notification::{Attempt, Outcome};
use offhook::seed::Seed;
use offhook::store::PinWay;
use offhook::subscriber::{Pin, Setting};
use xmpp_parsers::jid::BareJid;

use crate::world::{World, attempt, bob, draft, policy};

async fn told(world: &World) -> Vec<AlertTo> {
    world.store().take_alerts(world.now).await.unwrap()
}

/// What operators are told now.
async fn operators_hear(world: &World) -> Vec<Alert> {
    let told = told(world).await;
    assert!(told.iter().all(|it| it.reader.is_none()), "{told:?}");
    told.into_iter().map(|it| it.alert).collect()
}

/// A message of somebody new rings, and its call talks for so long.
async fn call(world: &mut World, number: u32, talked_s: u64) {
    let from = format!("s{number}@example.org/x");
    let message = world.hold(draft(&format!("m{number}"), &from, "Hello"), 0).await.unwrap();
    let claim = world.claim().await.unwrap();
    world.spoken(&claim, message.message).await;
    let ended = Attempt { talked: Duration::from_secs(talked_s), ..attempt(Outcome::Answered) };
    world.store().settle(claim.attempt, ended, world.now).await.unwrap();
    world.now += Duration::from_secs(60);
}

#[tokio::test]
async fn half_four_fifths_and_all_of_a_limit_are_told_once_a_day() {
    let rules = Policy {
        wait: Duration::ZERO,
        throttle: vec![],
        calls_per_day_max: 10,
        minutes_per_day_max: 20,
        call_max: Duration::from_secs(300),
        ..policy()
    };
    let mut world = World::with(rules).await;
    let limit = |limit, percent, max| Alert::Limit { limit, percent, max };
    let calls = |percent| limit(DayLimit::Calls(String::new()), percent, 10);
    let minutes = |percent| limit(DayLimit::Minutes(String::new()), percent, 20);
    for (number, heard) in [
        (1, vec![]),
        (2, vec![]),
        (3, vec![minutes(50)]),
        (4, vec![]),
        (5, vec![calls(50), minutes(100)]),
    ] {
        call(&mut world, number, if number < 4 { 200 } else { 160 }).await;
        assert_eq!(operators_hear(&world).await, heard, "after call {number}");
    }
    world.now += Duration::from_secs(86_400);
    for number in 6..=15 {
        call(&mut world, number, 0).await;
    }
    assert_eq!(operators_hear(&world).await, [calls(50), calls(80), calls(100)]);
    assert_eq!(operators_hear(&world).await, [], "each is told once");
}

#[tokio::test]
async fn the_owner_is_told_of_wrong_pins_and_operators_of_too_many() {
    let mut world = World::new().await;
    let bob = bob().jid;
    let sets =
        |digits: &str| vec![Setting::Pin(Some(Pin::new(digits, &mut Seed::fixed(1)).unwrap()))];
    world.store().set(&bob, sets("4821"), world.now).await.unwrap();
    let to_bob = |alert| AlertTo { reader: Some(bob.clone()), alert };
    let locked = [
        to_bob(Alert::YourPinLocked),
        AlertTo { reader: None, alert: Alert::PinLocked(bob.clone()) },
    ];
    for round in 0..2 {
        for wrong in 1..=10 {
            world.store().wrong_pin(&bob, PinWay::OwnPhone, world.now).await.unwrap();
            let expected = match wrong {
                1 => vec![to_bob(Alert::WrongPin)],
                9 => locked.to_vec(),
                _ => vec![],
            };
            assert_eq!(told(&world).await, expected, "wrong PIN {wrong} of round {round}");
        }
        // Whoever sets another one is told of guesses at that, too.
        world.store().set(&bob, sets("5309"), world.now).await.unwrap();
    }
    world.store().wrong_pin(&bob, PinWay::OwnPhone, world.now).await.unwrap();
    told(&world).await;
    world.now += Duration::from_secs(3601);
    world.store().wrong_pin(&bob, PinWay::OwnPhone, world.now).await.unwrap();
    assert_eq!(told(&world).await, [to_bob(Alert::WrongPin)], "once an hour");
}

#[tokio::test]
async fn codes_that_nobody_sends_back_are_told_and_a_number_that_many_want() {
    let mut world = World::new().await;
    let numbers = ["+81378910000", "+81666666666"];
    let mut heard = vec![];
    for place in 0..6 {
        let asker: BareJid = format!("s{place}@example.org").parse().unwrap();
        let number = numbers[place % 2].parse().unwrap();
        let asked = world.store().ask_code(&asker, number, NumberSlot::First, world.now).await;
        assert!(asked.unwrap().is_ok(), "code {place}");
        heard.push(operators_hear(&world).await);
        world.now += Duration::from_secs(400);
    }
    let wanted = |area: &str| vec![Alert::NumberAskedFor { area: area.to_owned(), accounts: 3 }];
    let none = vec![];
    let last = [vec![Alert::CodesNotEntered(6)], wanted("816666")].concat();
    assert_eq!(heard, [none.clone(), none.clone(), none.clone(), none, wanted("813789"), last]);
}

#[tokio::test]
async fn a_trunk_that_fails_and_recovers_is_told_of_once_an_hour() {
    let mut world = World::new().await;
    let failed = Alert::TrunkFailed("pbx".to_owned());
    for (after_s, works, heard) in [
        (0, Some(false), vec![failed.clone()]),
        (1, Some(false), vec![]),
        (60, Some(true), vec![Alert::TrunkWorks("pbx".to_owned())]),
        (60, Some(true), vec![]),
        // It flaps, which is not worth a word.
        (60, Some(false), vec![]),
        (60, Some(true), vec![]),
        // It goes on to fail.
        (60, Some(false), vec![]),
        (3600, None, vec![failed]),
        (60, Some(true), vec![Alert::TrunkWorks("pbx".to_owned())]),
    ] {
        world.now += Duration::from_secs(after_s);
        if let Some(works) = works {
            world.store().trunk_changed("pbx".to_owned(), works, world.now).await.unwrap();
        }
        assert_eq!(operators_hear(&world).await, heard, "{works:?} after {after_s} s");
    }
}
