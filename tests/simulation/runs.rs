//! Many worlds, each from its seed, on all cores; and one again, with its last steps.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use offhook::clock;

use crate::world::World;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Plays a world; a violation is told and not printed.
pub(crate) fn violation(world: &mut World) -> Option<String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_CAUGHT.get() {
                usual(info);
            }
        }));
    });
    IS_CAUGHT.set(true);
    let played = catch_unwind(AssertUnwindSafe(|| world.play()));
    IS_CAUGHT.set(false);
    let said = played.err()?;
    let text = said.downcast_ref::<String>().cloned();
    text.or_else(|| said.downcast_ref::<&str>().map(|it| (*it).to_owned()))
}

/// Plays one world: its steps, or its story if an invariant does not hold.
fn play(seed: u64) -> Result<u64, String> {
    let mut world = World::of(seed);
    let Some(said) = violation(&mut world) else { return Ok(world.steps()) };
    let steps = world.last_steps().join("\n  ");
    Err(format!("{said}\n  {steps}\nreplay it with OFFHOOK_SEED={seed}"))
}

pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn thousands_of_worlds_keep_what_was_promised() {
    if let Some(seed) = number("OFFHOOK_SEED") {
        return play(seed).map(drop).unwrap_or_else(|story| panic!("{story}"));
    }
    let begun = clock::now();
    let most = number("OFFHOOK_SEEDS");
    let goes_on = |seed| match most {
        Some(most) => seed <= most,
        None => seed <= SEEDS_MIN || begun.elapsed() < USUAL,
    };
    let (next, worlds, steps) = (AtomicU64::new(1), AtomicU64::new(0), AtomicU64::new(0));
    let violations = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !goes_on(seed) {
                        return;
                    }
                    worlds.fetch_add(1, Ordering::Relaxed);
                    match play(seed) {
                        Ok(taken) => drop(steps.fetch_add(taken, Ordering::Relaxed)),
                        Err(story) => violations.lock().unwrap().push((seed, story)),
                    }
                }
            });
        }
    });
    let (worlds, steps, took) = (worlds.into_inner(), steps.into_inner(), begun.elapsed());
    let rate = worlds as f64 / took.as_secs_f64();
    println!("{worlds} worlds, {steps} steps in {took:.1?}: {rate:.1} worlds/s");
    let mut violations = violations.into_inner().unwrap();
    violations.sort();
    for (seed, story) in violations.iter().skip(1) {
        eprintln!("seed {seed}: {}", story.lines().next().unwrap_or_default());
    }
    assert!(
        violations.is_empty(),
        "{} violations, the first: {}",
        violations.len(),
        violations[0].1
    );
}

/// So many are played in any case, and as many more as fit into this time.
const SEEDS_MIN: u64 = 1000;
const USUAL: Duration = Duration::from_secs(60);
