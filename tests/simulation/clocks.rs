//! A machine whose wall clock is set and that is suspended, and worlds in which that happens.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use offhook::clock::{MachineTime, Moment};
use offhook::notification::policy::Policy;
use offhook::notification::{Claim, Outcome, Throttle};
use offhook::seed::Seed;
use offhook::subscriber::Quiet;

use crate::events::Event;
use crate::phones::{Fate, Phase};
use crate::world::{CALLEES, SENDERS, World};

/// What the clocks of the machine show besides the world's own time, which is monotonic.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// How far the wall clock was set from where it began.
    set: SignedDuration,
    /// Where it was set when the program began.
    set_at_start: SignedDuration,
    suspended: Duration,
    suspended_at_start: Duration,
    /// When it was set last.
    set_at: Option<Duration>,
}

/// The quiet hours of a third of the worlds: those whose clock is set.
pub(crate) fn quiet_hours(seed: &mut Seed) -> Quiet {
    if seed.below(3) > 0 {
        return Quiet::Never;
    }
    Quiet::Daily("09:03-09:06".parse().unwrap())
}

impl Machine {
    /// Whether the wall clock has never been set.
    pub(crate) fn is_right(&self) -> bool {
        self.set_at.is_none()
    }

    /// Another run of the program knows of no step before it.
    pub(crate) fn new_run(&mut self) {
        (self.set_at_start, self.suspended_at_start) = (self.set, self.suspended);
    }
}

impl World {
    pub(crate) fn moment(&self) -> Moment {
        let machine = &self.machine;
        let up = self.at() + machine.suspended;
        Moment {
            wall: self.begun.1 + up + machine.set,
            stepped: machine.set - machine.set_at_start,
            suspended: machine.suspended - machine.suspended_at_start,
            machine: Some(MachineTime { boot: 1, up }),
        }
    }

    /// Sets the wall clock to so far from where it would be.
    pub(crate) fn sets_clock(&mut self, ahead: SignedDuration) {
        self.note(|| format!("CLOCK {ahead:?}"));
        self.machine.set = ahead;
        self.machine.set_at = Some(self.at());
    }

    fn suspends(&mut self, seconds: u64) {
        self.note(|| format!("SUSPENDED {seconds} s"));
        self.machine.suspended += Duration::from_secs(seconds);
    }

    /// Where there are quiet hours that the clock may be set into, it is set now and then.
    pub(crate) fn plans_clock_steps(&mut self) {
        if self.nature.force.policy.quiet == Quiet::Never {
            return;
        }
        let mut at = Duration::from_secs(10);
        for _ in 0..1 + self.seed.below(4) {
            at += Duration::from_millis(self.seed.below(200_000));
            let ahead = match self.seed.below(6) {
                0 => 10 * MINUTE,
                1 => -10 * MINUTE,
                2 => DAY,
                3 => -DAY,
                4 => {
                    self.plan_at(at + Duration::from_secs(70), Event::ClockSet(RIGHT));
                    4 * DAY
                }
                _ => SignedDuration::from_secs(self.seed.below(400) as i64),
            };
            self.plan_at(at, Event::ClockSet(ahead));
        }
    }

    /// No phone rings in quiet hours, as far as the machine's clock is true.
    pub(crate) fn check_quiet(&self, claim: &Claim) {
        let Some((hours, zone)) = self.quiet_hours_of(claim) else { return };
        // What was set while the call was being claimed could not be known.
        let settled = self.machine.set_at.is_none_or(|at| at + CLAIMED_WITHIN < self.at());
        let before = self.moment().wall - CLAIMED_WITHIN;
        let quiet = |at: Timestamp| hours.end_after(at, &zone).is_some();
        let rings = settled && quiet(self.moment().wall) && quiet(before);
        assert!(!rings, "a phone rings in quiet hours, at {}", self.moment().wall);
    }

    /// Nothing that is held expires within minutes, whatever the wall clock says.
    pub(crate) fn check_nothing_expired(&self) {
        if self.nature.force.policy.keep < Duration::from_secs(3600) {
            return;
        }
        let tables = self.disk.tables();
        let sql = "SELECT count(*) FROM messages WHERE ending = 'expired'";
        let expired: i64 = tables.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(expired, 0, "held messages have expired early");
    }

    /// Lets time pass until a call is claimed; tells how long it took.
    fn until_claimed(&mut self, within: u64) -> Option<Duration> {
        let begun = self.at();
        while self.calls.is_empty() {
            if self.at() > begun + Duration::from_secs(within) {
                return None;
            }
            self.run_until(self.at() + Duration::from_millis(100));
        }
        Some(self.at() - begun)
    }

    fn last_told(&self, sender: &str) -> String {
        self.server.has_seen(sender).last().unwrap().body.clone()
    }

    /// Lets the callee answer, and go on listening.
    fn talks(&mut self) {
        for call in self.calls.values_mut() {
            (call.fate, call.patience) = (Fate::Answers, u64::MAX);
        }
    }
}

/// A world in which it is known who is online and nothing has happened yet.
fn world(change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = Policy {
        wait: Duration::from_secs(10),
        quiet: Quiet::Never,
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        throttle: vec![],
        sender_throttle: vec![],
        sender_calls: vec![],
        zone: TimeZone::UTC,
        ..Policy::default()
    };
    change(&mut policy);
    let mut world = World::with(policy, Seed::fixed(1));
    world.run_for(8);
    world
}

#[test]
fn a_clock_that_is_set_back_forgets_no_call() {
    for back in [10 * MINUTE, DAY, 400 * DAY] {
        let mut world = world(|_| {});
        world.writes(ALICE, BOB);
        world.run_for(3);
        world.sets_clock(-back);
        let waited = world.until_claimed(20).expect("the phone rings");
        assert!(waited < Duration::from_secs(9), "{waited:?}");
    }
}

#[test]
fn a_clock_that_is_set_forward_hurries_no_call() {
    let mut world = world(|_| {});
    world.writes(ALICE, BOB);
    world.run_for(3);
    world.sets_clock(DAY);
    let waited = world.until_claimed(20).expect("the phone rings");
    assert!(waited > Duration::from_secs(5), "{waited:?}");
}

#[test]
fn a_clock_four_days_ahead_for_a_minute_expires_nothing_also_over_a_restart() {
    for kill in [false, true] {
        let mut world = world(|policy| policy.quiet = Quiet::Daily("08:00-20:00".parse().unwrap()));
        let id = world.writes(ALICE, BOB);
        world.run_for(30);
        world.sets_clock(4 * DAY);
        world.run_for(35);
        if kill {
            world.kill();
        }
        world.run_for(35);
        world.sets_clock(RIGHT);
        world.run_for(120);
        world.check_nothing_expired();
        assert!(!world.last_told(ALICE).contains("no longer held"));
        world.logs_in(BOB);
        world.run_for(10);
        let got = world.server.has_seen(BOB);
        assert!(got.iter().any(|it| it.body.contains(&format!("[{id}]"))), "kill {kill}");
    }
}

#[test]
fn a_correction_in_a_call_is_as_old_as_what_it_corrects_whatever_the_clock_says() {
    let mut world = world(|policy| policy.wait = Duration::from_secs(40));
    world.sets_clock(-DAY);
    world.run_for(10);
    let id = world.writes(ALICE, BOB);
    world.run_for(20);
    world.sets_clock(4 * DAY);
    world.until_claimed(60).expect("the phone rings");
    world.calls.values_mut().for_each(|call| call.fate = Fate::RingsOut);
    world.corrects(&id);
    world.run_for(150);
    world.check_nothing_expired();
}

#[test]
fn a_call_that_runs_is_not_lost_by_the_clock_nor_by_a_suspension() {
    for suspended in [false, true] {
        let mut world = world(|policy| policy.wait = Duration::from_secs(2));
        world.writes(ALICE, BOB);
        world.until_claimed(20).expect("the phone rings");
        world.talks();
        world.run_for(1);
        world.calls.values_mut().for_each(|call| call.phase = Phase::Over);
        if suspended {
            world.suspends(660);
        } else {
            world.sets_clock(11 * MINUTE);
        }
        // A further message is due while the call is on.
        world.writes(SENDERS[1], BOB);
        world.run_for(120);
        assert_eq!(world.calls.len(), 1, "one call, and it goes on");
        let told = world.server.has_seen(ALICE);
        assert!(!told.iter().any(|it| it.body.contains("interrupted")), "suspended {suspended}");
    }
}

#[test]
fn a_throttle_is_neither_emptied_nor_stuck_by_a_step() {
    for step in [10 * MINUTE, DAY, -10 * MINUTE, -DAY] {
        let mut world = world(|policy| {
            policy.wait = Duration::ZERO;
            policy.throttle = vec![Throttle::from((1, 60))];
            policy.retry.busy = Duration::ZERO;
        });
        world.writes(ALICE, BOB);
        world.until_claimed(20).expect("the phone rings");
        let begun = world.at();
        world.calls.values_mut().for_each(|call| call.fate = Fate::Refuses(Outcome::Busy));
        world.run_for(30);
        assert!(world.calls.is_empty(), "the line was busy");
        world.sets_clock(step);
        world.writes(SENDERS[1], CALLEES[0]);
        world.until_claimed(400).expect("the phone rings again");
        let after = world.at() - begun;
        assert!(after >= Duration::from_secs(59), "{step:?}: after {after:?}");
        assert!(after <= Duration::from_secs(190), "{step:?}: after {after:?}");
    }
}

#[test]
fn quiet_hours_end_by_the_clock_on_the_wall_and_what_was_told_stays_true() {
    let mut world = world(|policy| policy.quiet = Quiet::Daily("08:00-20:00".parse().unwrap()));
    world.writes(ALICE, BOB);
    world.run_for(30);
    let told = world.last_told(ALICE);
    assert!(told.contains("20:00"), "{told}");
    let statuses = world.server.has_seen(ALICE).len();
    // It is 09:00:38; an hour later in the day it is still quiet, and what was told needs no other word.
    world.sets_clock(60 * MINUTE);
    world.run_for(30);
    assert_eq!(world.server.has_seen(ALICE).len(), statuses, "{}", world.last_told(ALICE));
    world.sets_clock(659 * MINUTE);
    let waited = world.until_claimed(120).expect("the phone rings at 20:00 by the new clock");
    assert!(world.moment().wall >= "2026-11-30T20:00:00Z".parse().unwrap());
    assert!(waited < Duration::from_secs(40), "{waited:?}");
}

#[test]
fn a_clock_that_is_set_into_quiet_hours_keeps_the_phone_from_ringing() {
    let mut world = world(|policy| policy.quiet = Quiet::Daily("22:00-07:00".parse().unwrap()));
    world.writes(ALICE, BOB);
    world.run_for(3);
    world.sets_clock(14 * 60 * MINUTE);
    assert_eq!(world.until_claimed(60), None, "it is 23:00 now");
    assert!(world.last_told(ALICE).contains("07:00"), "{}", world.last_told(ALICE));
    world.sets_clock(RIGHT);
    world.until_claimed(10).expect("it is day again, and the message has waited long enough");
}

#[test]
fn who_was_told_a_time_reads_what_it_is_on_a_clock_that_was_set() {
    let mut world = world(|policy| {
        policy.wait = Duration::ZERO;
        policy.retry.busy = Duration::from_secs(3 * 3600);
    });
    world.writes(ALICE, BOB);
    world.until_claimed(20).expect("the phone rings");
    world.calls.values_mut().for_each(|call| call.fate = Fate::Refuses(Outcome::Busy));
    world.run_for(60);
    let told = world.last_told(ALICE);
    assert!(told.contains("12:00"), "{told}");
    world.sets_clock(60 * MINUTE);
    world.run_for(20);
    let told = world.last_told(ALICE);
    assert!(told.contains("13:00"), "{told}");
}

#[test]
fn what_came_due_while_the_machine_was_suspended_rings_when_it_wakes() {
    let mut world = world(|policy| policy.wait = Duration::from_secs(1800));
    world.writes(ALICE, BOB);
    world.run_for(10);
    world.suspends(3600);
    let waited = world.until_claimed(60).expect("the phone rings");
    assert!(waited < Duration::from_secs(7), "{waited:?}");
}

const BOB: &str = CALLEES[0];
const ALICE: &str = SENDERS[0];
const RIGHT: SignedDuration = SignedDuration::ZERO;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const DAY: SignedDuration = SignedDuration::from_secs(86_400);
/// From the moment at which a call is judged to its dialling, at most.
const CLAIMED_WITHIN: Duration = Duration::from_secs(2);
