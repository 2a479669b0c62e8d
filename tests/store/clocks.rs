//! The wall clock is set while the program runs: what counts time goes on, and what is shown is by the clock on the wall.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use offhook::clock::Moment;
use offhook::notification::verification::{CodeCheck, NumberSlot};
use offhook::notification::{Outcome, Wait};
use offhook::store::{JobDone, JobResult, Listing, LiveCalls, Reader, StoreJob};
use tokio::sync::oneshot;

use crate::world::{World, bob, draft, start};

/// So many seconds after the start, on a wall clock that was set forward by so much since.
fn set(seconds: u64, by: SignedDuration) -> Moment {
    let wall = start() + Duration::from_secs(seconds) + by;
    Moment { stepped: by, ..wall.into() }
}

async fn does(world: &World, job: StoreJob, now: Moment) -> JobResult {
    let (told, result) = oneshot::channel();
    world.store().submit(job, now, move |result| drop(told.send(result)));
    result.await.unwrap()
}

#[tokio::test]
async fn nothing_that_is_held_expires_by_a_step_and_all_does_by_time() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    for by in [4 * DAY, 400 * DAY, -4 * DAY] {
        assert_eq!(world.store().expire(set(60, by)).await.unwrap(), 0, "{by:?}");
    }
    let keep = 3 * 86_400;
    assert_eq!(world.store().expire(set(keep - 1, -4 * DAY)).await.unwrap(), 0);
    assert!(world.store().expire(set(keep + 1, -4 * DAY)).await.unwrap() > 0);
}

#[tokio::test]
async fn a_call_that_the_program_has_on_the_line_is_lost_by_no_lease() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    world.at(60);
    let attempt = world.claim().await.unwrap().attempt;
    let ended = async |placed: BTreeSet<_>, now| {
        let job = StoreJob::ClaimDue { room: 1, live: LiveCalls { placed, incoming: false } };
        let done = does(&world, job, now).await.unwrap();
        let JobDone::Claimed { next, .. } = done else { panic!("{done:?}") };
        assert!(next.is_none_or(|next| !next.is_zero()), "it would be looked for without end");
        world.store().recent_calls(None, 1).await.unwrap()[0].outcome
    };
    assert_eq!(ended(BTreeSet::new(), set(70, DAY)).await, None, "no step ends a lease");
    assert_eq!(ended([attempt].into(), set(700, RIGHT)).await, None, "it is alive");
    assert_eq!(ended(BTreeSet::new(), set(900, RIGHT)).await, None, "its lease was renewed");
    let lost = ended(BTreeSet::new(), set(1400, RIGHT)).await;
    assert_eq!(lost, Some(Outcome::Interrupted), "no task has it any more");
}

#[tokio::test]
async fn a_planned_call_is_shown_by_the_clock_on_the_wall() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    world.send_all().await;
    let shown = || {
        let held =
            Reader::open(&world.folder.file()).unwrap().held_list(&Listing::newest(1000)).unwrap();
        (held[0].received, held[0].next_call)
    };
    let due = start() + Duration::from_secs(60);
    assert_eq!(shown(), (start(), Some((due, Wait::Gathering))));
    does(&world, StoreJob::ClockStepped, set(10, DAY)).await.unwrap();
    assert_eq!(shown(), (start(), Some((due + DAY, Wait::Gathering))), "a stamp stays as it was");
    assert_eq!(world.owes().await, "1: Status(Waiting)", "who was told another time");
    assert!(world.store().claim_due(set(59, DAY), 1).await.unwrap().is_empty());
    assert_eq!(world.store().claim_due(set(60, DAY), 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn limits_and_codes_go_by_time_that_has_passed() {
    let mut world = World::new().await;
    let bob = bob().jid;
    let number: offhook::phone_number::PhoneNumber = "+81378904444".parse().unwrap();
    let asks = async |now| {
        world.store().ask_code(&bob, number.clone(), NumberSlot::Second, now).await.unwrap()
    };
    let code = asks(set(0, RIGHT)).await.unwrap();
    assert!(asks(set(1, DAY)).await.is_err(), "too soon, also a day later by the clock");
    world.store().code_spoken(code.id, set(2, DAY)).await.unwrap();
    let tried = world.store().try_code(&bob, code.digits, set(3, -DAY)).await.unwrap();
    assert!(matches!(tried, CodeCheck::Right(_)), "{tried:?}");

    let first = draft("one", "alice@example.org/phone", "Hello");
    let hold = |draft, now| world.store().hold(draft, now, 0);
    assert!(!hold(first.clone(), set(10, RIGHT)).await.unwrap().duplicate);
    assert!(hold(first.clone(), set(20, DAY)).await.unwrap().duplicate, "sent again at once");
    assert!(!hold(first, set(700, -DAY)).await.unwrap().duplicate, "written again");
    world.stop().await;
}

const RIGHT: SignedDuration = SignedDuration::ZERO;
const DAY: SignedDuration = SignedDuration::from_secs(86_400);
