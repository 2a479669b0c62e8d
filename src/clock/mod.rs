//! The only place that reads a clock. Everything else is told what time it is.
//!
//! Three clocks, each for its own: [`now`] for timers and deadlines, which stand still while the machine is suspended, as
//! everybody they wait for does not know of it either; [`Moment::wall`] for people; and for what must be true of ages and
//! pauses, the wall clock less the steps it was set by ([`Moment::stepped`]), which goes on in suspension.

#![allow(clippy::disallowed_methods)]

mod watch;

use std::cell::Cell;
use std::fs;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
pub use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

pub use self::watch::{ClockWatch, Parted, Reading};

/// One moment on the wall clock, and what is known of that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Wall time, for people and for what is written down for them.
    pub wall: Timestamp,
    /// By how much the wall clock was set forward since the program began. `wall - stepped` goes on evenly.
    pub stepped: SignedDuration,
    /// How long the machine was suspended since the program began.
    pub suspended: Duration,
    /// When that is by the machine's own count; `None` where the wall clock is all there is.
    pub machine: Option<MachineTime>,
}

/// A moment by the machine's own count, which outlives the program and ends with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineTime {
    /// Another one after each start of the machine.
    pub boot: u128,
    /// Since that start, suspensions included.
    pub up: Duration,
}

impl From<Timestamp> for Moment {
    /// A moment of a wall clock that nobody has set.
    fn from(wall: Timestamp) -> Self {
        let Parted { stepped, suspended } = Parted::default();
        Self { wall, stepped, suspended, machine: None }
    }
}

thread_local! {
    static SET: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

static WATCH: Mutex<Option<ClockWatch>> = Mutex::new(None);
static BOOT: OnceLock<Option<u128>> = OnceLock::new();

/// Tells the monotonic time, for deadlines within a run. In a runtime whose time is paused it is that time.
pub fn now() -> Instant {
    SET.get().map_or_else(|| tokio::time::Instant::now().into_std(), |(now, _)| now)
}

/// Tells the wall time, for people.
pub fn timestamp() -> Timestamp {
    SET.get().map_or_else(Timestamp::now, |(_, timestamp)| timestamp)
}

/// Tells the time for what is stored, with what the wall clock was set by.
pub fn moment() -> Moment {
    if let Some((_, timestamp)) = SET.get() {
        return timestamp.into();
    }
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let reading = read();
    let watch = watch.get_or_insert_with(|| ClockWatch::begin(reading));
    watch.look(reading);
    let Parted { stepped, suspended } = watch.parted();
    let boot = *BOOT.get_or_init(boot);
    let machine = boot.map(|boot| MachineTime { boot, up: reading.up });
    Moment { wall: reading.wall, stepped, suspended, machine }
}

/// Reads the three clocks as one: again, where the thread was put aside between the first and the last.
fn read() -> Reading {
    let clock = |id| Duration::try_from(clock_gettime(id)).unwrap_or_default();
    let mut reading;
    let mut tries = 0;
    loop {
        let (up, wall) = (clock(ClockId::Boottime), Timestamp::now());
        reading = Reading { awake: clock(ClockId::Monotonic), up, wall };
        tries += 1;
        if clock(ClockId::Boottime) < up + READ_WITHIN || tries == TRIES {
            return reading;
        }
    }
}

/// The start of the machine, where the system tells one from another.
fn boot() -> Option<u128> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    u128::from_str_radix(&id.trim().replace('-', ""), 16).ok()
}

/// Sets both clocks for the calling thread, until the guard is dropped. A simulation on one thread drives its world so;
/// the program itself never does.
#[must_use]
pub fn set(now: Instant, timestamp: Timestamp) -> ClocksSet {
    SET.set(Some((now, timestamp)));
    ClocksSet(())
}

/// While it lives, the clocks of its thread stand still where they were set last.
#[derive(Debug)]
pub struct ClocksSet(());

impl ClocksSet {
    /// Moves both clocks.
    pub fn move_to(&self, now: Instant, timestamp: Timestamp) {
        SET.set(Some((now, timestamp)));
    }
}

impl Drop for ClocksSet {
    fn drop(&mut self) {
        SET.set(None);
    }
}

const READ_WITHIN: Duration = Duration::from_millis(50);
const TRIES: u32 = 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_that_sets_its_clocks_reads_them_and_no_other_does() {
        let (start, noon) = (now(), "2026-11-30T12:00:00Z".parse().unwrap());
        let day = Duration::from_secs(86_400);
        let clocks = set(start + day, noon);
        assert_eq!((now(), timestamp()), (start + day, noon));
        clocks.move_to(start + 2 * day, noon - day);
        assert_eq!((now(), timestamp()), (start + 2 * day, noon - day));
        let elsewhere = std::thread::spawn(|| (now(), timestamp())).join().unwrap();
        assert!(elsewhere.0 < start + day && elsewhere.1 != noon - day);
        drop(clocks);
        assert!(now() < start + day);
    }
}
