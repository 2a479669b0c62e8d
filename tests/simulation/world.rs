//! One world: a queue of what will happen, ordered by time and by the seed, and the program in the midst of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use offhook::clock::{self, ClocksSet};
use offhook::component::{Input, Now, Timer};
use offhook::notification::AttemptId;
use offhook::notification::policy::Policy;
use offhook::seed::Seed;
use offhook::subscriber::Quiet;

use crate::bounces::Bounces;
use crate::clocks::Machine;
use crate::disk::Disk;
use crate::events::{Event, told};
use crate::lines::{CallId, Lines};
use crate::nature::Nature;
use crate::phones::ModelCall;
use crate::plants::Plant;
use crate::program::Program;
use crate::promises::Promises;
use crate::real_call::RealCall;
use crate::runs::number;
use crate::server::Server;
use crate::stream::Stream;

pub(crate) const CALLEES: [&str; 2] = ["bob@example.org", "erin@example.org"];
pub(crate) const SENDERS: [&str; 3] =
    ["alice@example.org", "carol@example.org", "dave@example.org"];

pub(crate) struct World {
    pub(crate) seed: Seed,
    clocks: ClocksSet,
    pub(crate) begun: (Instant, Timestamp),
    pub(crate) machine: Machine,
    at: Duration,
    queue: BTreeMap<(Duration, u64), Event>,
    order: u64,
    pub(crate) nature: Nature,
    pub(crate) program: Program,
    pub(crate) stream: Stream,
    pub(crate) disk: Disk,
    pub(crate) server: Server,
    pub(crate) calls: BTreeMap<AttemptId, ModelCall>,
    pub(crate) real_calls: BTreeMap<CallId, RealCall>,
    pub(crate) lines: Lines,
    pub(crate) promises: Promises,
    pub(crate) written: u64,
    /// A sender that answers what it is told, and how often it has.
    pub(crate) answering: Option<String>,
    pub(crate) answered_by_itself: u64,
    log: VecDeque<String>,
    log_max: usize,
    steps: u64,
    /// Nothing goes wrong any more.
    pub(crate) quiet: bool,
    /// A fault at the edge of this world that an invariant must find.
    pub(crate) plant: Option<Plant>,
}

impl World {
    /// A world whose people, phones and disasters this seed decides.
    pub(crate) fn of(seed: u64) -> Self {
        let mut seed = Seed::fixed(seed);
        let nature = Nature::drawn(&mut seed);
        let bounces = seed.below(2) == 0;
        let mut world = Self::begin(nature, seed, None);
        if bounces {
            world.server.bounces = Bounces::at_random(8);
        }
        world
    }

    /// The same, with a fault at its edge.
    pub(crate) fn with_plant(seed: u64, plant: Plant) -> Self {
        let mut seed = Seed::fixed(seed);
        let mut nature = Nature::drawn(&mut seed);
        plant.suits(&mut nature);
        Self::begin(nature, seed, Some(plant))
    }

    /// A world under these rules, in which calls follow the short model.
    pub(crate) fn with(policy: Policy, seed: Seed) -> Self {
        Self::begin(Nature::plain(policy), seed, None)
    }

    /// One in which only this wait holds a call up, it is known who is online, and nothing has happened yet.
    pub(crate) fn without_limits(wait: Duration) -> Self {
        let policy = Policy {
            wait,
            quiet: Quiet::Never,
            allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
            throttle: vec![],
            sender_throttle: vec![],
            sender_calls: vec![],
            ..Policy::default()
        };
        let mut world = Self::with(policy, Seed::fixed(1));
        world.run_for(8);
        world
    }

    fn begin(nature: Nature, mut seed: Seed, plant: Option<Plant>) -> Self {
        let begun = (clock::now(), "2026-11-30T09:00:00Z".parse::<Timestamp>().unwrap());
        let clocks = clock::set(begun.0, begun.1);
        let disk = Disk::new(nature.force.policy.clone(), seed.split());
        let now = Now { mono: begun.0, at: begun.1.into() };
        let program = Program::new(&nature, &disk.store, seed.split(), now);
        let mut world = Self {
            seed,
            clocks,
            begun,
            machine: Machine::default(),
            at: Duration::ZERO,
            queue: BTreeMap::new(),
            order: 0,
            nature,
            program,
            stream: Stream::default(),
            disk,
            server: Server::default(),
            calls: BTreeMap::new(),
            real_calls: BTreeMap::new(),
            lines: Lines::default(),
            promises: Promises::default(),
            written: 0,
            answering: None,
            answered_by_itself: 0,
            log: VecDeque::new(),
            log_max: number("OFFHOOK_STEPS").map_or(LOG_MAX, |steps| steps as usize),
            steps: 0,
            quiet: false,
            plant,
        };
        SENDERS.iter().for_each(|sender| drop(world.server.log_in(sender)));
        world.start();
        world.link_up();
        world
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn last_steps(&self) -> Vec<String> {
        self.log.iter().cloned().collect()
    }

    pub(crate) fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// Ten minutes of chance, then a quiet end in which everybody logs in: by then all that was promised must be kept.
    pub(crate) fn play(&mut self) {
        let mut at = Duration::from_secs(7);
        self.plans_clock_steps();
        for _ in 0..15 + self.seed.below(30) {
            self.plan_at(at, Event::Chance);
            at += Duration::from_millis(match self.seed.below(4) {
                0 => self.seed.below(30),
                1 => self.seed.below(2000),
                _ => self.seed.below(40_000),
            });
        }
        self.run_until(at);
        self.settle_stream();
        self.quiet = true;
        self.server.bounces.stop();
        self.heal();
        self.link_up();
        self.run_for(120);
        // What came back is offered at the next log-in, and counts as delivered after a minute.
        CALLEES.iter().for_each(|callee| self.logs_out(callee));
        self.run_for(10);
        CALLEES.iter().for_each(|callee| self.logs_in(callee));
        self.run_for(180);
        // A call may have been answered just before.
        for _ in 0..10 {
            if self.calls.is_empty() && self.real_calls.is_empty() {
                break;
            }
            self.run_for(60);
        }
        self.run_for(15);
        self.check_the_end();
        self.check_nothing_expired();
    }

    /// Lets all that is planned until then happen.
    pub(crate) fn run_until(&mut self, end: Duration) {
        while let Some(next) = self.next_at().filter(|next| *next <= end) {
            self.move_to(next);
            let event = self.queue.first_key_value().map(|((at, _), _)| *at);
            if let Some(call) = self.call_due().filter(|_| event.is_none_or(|at| at >= next)) {
                self.call_ticks(call);
            } else if self.is_due() && event.is_none_or(|at| at >= next) {
                let timer = self.program.component.deadline().map(|(_, timer)| timer);
                let often = matches!(
                    timer,
                    Some(Timer::Erasure | Timer::Alerts | Timer::Look | Timer::Outbox)
                );
                if !often {
                    self.note(|| format!("tick {timer:?}"));
                }
                self.tell(Input::Tick);
            } else if let Some((_, event)) = self.queue.pop_first() {
                self.happen(event);
            }
            self.check_step();
        }
        self.move_to(end);
    }

    pub(crate) fn run_for(&mut self, seconds: u64) {
        self.run_until(self.at + Duration::from_secs(seconds));
    }

    fn is_due(&self) -> bool {
        let due = self.program.component.deadline().is_some_and(|(at, _)| at <= self.now().mono);
        due && !self.program.closed
    }

    /// A call whose deadline has come.
    fn call_due(&self) -> Option<CallId> {
        let now = self.now().mono;
        let due = |call: &RealCall| call.deadline().is_some_and(|at| at <= now);
        self.real_calls.iter().find(|(_, call)| due(call)).map(|(id, _)| *id)
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        let since = |at: Instant| at.saturating_duration_since(self.begun.0).max(self.at);
        let event = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timer = self.program.component.deadline().filter(|_| !self.program.closed);
        let timer = timer.map(|(at, _)| since(at));
        let call = self.real_calls.values().filter_map(RealCall::deadline).min().map(since);
        [event, timer, call].into_iter().flatten().min()
    }

    fn move_to(&mut self, at: Duration) {
        self.at = at.max(self.at);
        let now = self.now();
        self.clocks.move_to(now.mono, now.at.wall);
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: self.begun.0 + self.at, at: self.moment() }
    }

    pub(crate) fn at(&self) -> Duration {
        self.at
    }

    pub(crate) fn plan(&mut self, pause: Duration, event: Event) {
        self.plan_at(self.at + pause, event);
    }

    pub(crate) fn plan_at(&mut self, at: Duration, event: Event) {
        // What is planned for the same moment comes in the order of the plans, which the seed's pauses mix.
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    /// What is planned, in the order in which it will happen.
    pub(crate) fn planned(&self) -> impl Iterator<Item = &Event> {
        self.queue.values()
    }

    /// Takes what is planned and fits out of the queue, in its order.
    pub(crate) fn take_planned(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let keys: Vec<_> =
            self.queue.iter().filter(|(_, event)| fits(event)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.queue.remove(key)).collect()
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.seed.below(bound)
    }

    pub(crate) fn ms(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.seed.below(bound))
    }

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        self.steps += 1;
        if self.log.len() >= self.log_max {
            self.log.pop_front();
        }
        let line = format!("{:>9.3} {}", self.at.as_secs_f64(), what());
        self.log.push_back(line);
    }

    fn happen(&mut self, event: Event) {
        if !matches!(event, Event::StoreStep | Event::ToPhone(..) | Event::FromPhone(..)) {
            self.note(|| told(&event));
        }
        self.carry_event(event);
    }
}

const LOG_MAX: usize = 50;
