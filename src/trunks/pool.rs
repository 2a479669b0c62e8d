//! The trunks as calls share them: who waits for a free slot, and what is learnt of their health.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};
use tracing::{info, warn};

use super::selector::{TrunkChoice, TrunkNews, TrunkReport, TrunkSelector};
use crate::clock::now;
use crate::numbers::TrunkCondition;
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::sip::transport::UserAgent;
use crate::sip::trunk::Trunk;

/// All trunks. Clones share what is known.
#[derive(Clone, Debug)]
pub struct TrunkPool {
    shared: Arc<PoolState>,
}

#[derive(Debug)]
struct PoolState {
    trunks: Vec<Arc<Trunk>>,
    selector: Mutex<TrunkSelector>,
    changed: Notify,
    answers: Notify,
    works: Notify,
    /// What operators are still to be told, and that there is something.
    changes: Mutex<VecDeque<TrunkChange>>,
    has_changed: Notify,
    /// Trunks of which the operator knows that they lose telephone events.
    without_events: Mutex<Vec<String>>,
    /// Trunks of which the operator knows that they are passed over.
    passed_over: Mutex<Vec<usize>>,
}

impl TrunkPool {
    /// These trunks, in the operator's order.
    pub fn new(trunks: Vec<Arc<Trunk>>) -> Self {
        let selector = TrunkSelector::new(trunks.iter().map(|trunk| &**trunk), now());
        let selector = Mutex::new(selector);
        let (changed, answers, works) = (Notify::new(), Notify::new(), Notify::new());
        let state = PoolState {
            trunks,
            selector,
            changed,
            answers,
            works,
            changes: Mutex::default(),
            has_changed: Notify::new(),
            without_events: Mutex::default(),
            passed_over: Mutex::default(),
        };
        Self { shared: Arc::new(state) }
    }

    /// The first trunk's name.
    pub fn first(&self) -> &str {
        self.shared.trunks.first().map_or("", |trunk| &trunk.name)
    }

    /// Each trunk as it is now, in the operator's order.
    pub fn condition(&self) -> Vec<TrunkCondition> {
        let selector = self.selector();
        let each = self.shared.trunks.iter().enumerate().map(|(index, trunk)| TrunkCondition {
            name: trunk.name.clone(),
            is_usable: !selector.is_cooling_down(index, now()),
            calls: selector.calls(index),
        });
        each.collect()
    }

    /// Tells the operator, once for each trunk, that it does not pass on the telephone events that it has promised.
    pub fn events_are_lost(&self, trunk: &str) {
        let told = self.shared.without_events.lock();
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        if !told.iter().any(|known| known == trunk) {
            told.push(trunk.to_owned());
            warn!(trunk, "keys came as tones, though telephone events were agreed on; set dtmf");
        }
    }

    /// Waits until a trunk may carry a call to this number.
    ///
    /// Errors: [`NoTrunk`], at once, if none is left to wait for.
    pub async fn take(&self, number: &PhoneNumber, tried: &[usize]) -> Result<TrunkSlot, NoTrunk> {
        loop {
            let changed = self.shared.changed.notified();
            let choice = self.selector().choose(number, tried, now());
            match choice {
                TrunkChoice::Go(index, start) => {
                    let slot = self.slot(index, Some(number.clone()));
                    // A timer is coarse by a millisecond, so a call that need not wait sets none.
                    if start > now() {
                        sleep_until(start.into()).await;
                    }
                    return Ok(slot);
                }
                TrunkChoice::Full => {
                    tokio::select! {
                        () = changed => {}
                        // A call may have ended between the choice and the wait.
                        () = sleep(CHOOSE_AGAIN) => {}
                    }
                }
                TrunkChoice::None { usable_at } => {
                    let usable_in = usable_at.map(|at| at.saturating_duration_since(now()));
                    return Err(NoTrunk { usable_in });
                }
            }
        }
    }

    /// Takes a slot for a call that this trunk brings us, if it has one left.
    pub fn occupy(&self, trunk: &str) -> Option<TrunkSlot> {
        let index = self.shared.trunks.iter().position(|known| known.name == trunk)?;
        let occupied = self.selector().occupy(index);
        occupied.then(|| self.slot(index, None))
    }

    /// Waits until a trunk that had failed shows that it does not any more. One caller at a time.
    pub async fn news(&self) -> TrunkNews {
        tokio::select! {
            () = self.shared.works.notified() => TrunkNews::Works,
            () = self.shared.answers.notified() => TrunkNews::Answers,
        }
    }

    /// Waits until a trunk is passed over that worked, or works again. One caller at a time.
    pub async fn change(&self) -> TrunkChange {
        loop {
            let waiting =
                self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match waiting {
                Some(change) => return change,
                None => self.shared.has_changed.notified().await,
            }
        }
    }

    fn changes(&self, index: usize, works: bool) {
        let Some(trunk) = self.shared.trunks.get(index) else { return };
        let change = TrunkChange { trunk: trunk.name.clone(), works };
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.len() < CHANGES_MAX {
            changes.push_back(change);
        }
        self.shared.has_changed.notify_one();
    }

    fn tell(&self, index: usize, news: Option<TrunkNews>) {
        if news == Some(TrunkNews::Works) {
            let was_told = self.passed_over().contains(&index);
            self.passed_over().retain(|known| *known != index);
            if was_told {
                self.changes(index, true);
            }
        }
        match news {
            Some(TrunkNews::Answers) => self.shared.answers.notify_one(),
            Some(TrunkNews::Works) => self.shared.works.notify_one(),
            None => {}
        }
    }

    /// Whether a trunk beside this one could carry a call that those of `tried` have failed.
    pub fn has_another(&self, number: &PhoneNumber, tried: &[usize], beside: usize) -> bool {
        self.selector().has_another(number, tried, beside, now())
    }

    fn slot(&self, index: usize, callee: Option<PhoneNumber>) -> TrunkSlot {
        TrunkSlot { index, trunk_pool: self.clone(), callee, report: TrunkReport::Unknown }
    }

    /// Probes the trunks (by OPTIONS, or by their registration) until it is dropped.
    pub async fn keep_probing(self, agent: UserAgent) {
        let mut round = 0;
        loop {
            sleep(PROBE_PAUSE).await;
            round += 1;
            for (index, trunk) in self.shared.trunks.iter().enumerate() {
                let cooling_down = self.selector().is_cooling_down(index, now());
                let is_asked = cooling_down || self.selector().is_unproved(index);
                if !is_asked && round % ROUNDS_BETWEEN_PROBES != 0 {
                    continue;
                }
                let report = match agent.probe(&trunk.name, Seed::fresh()).await {
                    Ok(()) => TrunkReport::Works,
                    Err(_) => TrunkReport::Fault(None),
                };
                let news = self.selector().probed(index, report, now());
                self.tell(index, news);
                let because = "it does not answer";
                self.log_change(index, cooling_down, because);
            }
        }
    }

    fn selector(&self) -> MutexGuard<'_, TrunkSelector> {
        // Nothing panics while it holds this lock; if it did, the value would still be whole.
        self.shared.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed_over(&self) -> MutexGuard<'_, Vec<usize>> {
        self.shared.passed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs that a trunk has begun or ceased to cool down, and wakes who waits for one. The operator is warned once, until
    /// it has carried a call.
    fn log_change(&self, index: usize, was_cooling_down: bool, because: &str) {
        let cooldown = self.selector().cooldown(index, now());
        let Some(trunk) = self.shared.trunks.get(index) else { return };
        match cooldown {
            Some(cooldown) if !was_cooling_down => {
                // Rounded, as time has passed since it was set.
                let seconds = cooldown.as_secs_f64().round();
                let trunk = &trunk.name;
                let mut told = self.passed_over();
                if told.contains(&index) {
                    info!(trunk, because, "trunk cooled down again, for {seconds} s");
                } else {
                    told.push(index);
                    self.changes(index, false);
                    warn!(trunk, because, "trunk cooled down for {seconds} s");
                }
            }
            None if was_cooling_down => info!(trunk = trunk.name, "trunk tried again"),
            Some(_) | None => return,
        }
        self.shared.changed.notify_waiters();
    }
}

/// A trunk works no more, or again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkChange {
    /// Its name.
    pub trunk: String,
    /// Whether it carries calls again.
    pub works: bool,
}

/// No trunk is left that could carry a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTrunk {
    /// When the first of those that cool down may be tried again; `None` if none of them cools down.
    pub usable_in: Option<Duration>,
}

/// The slot of one call on a trunk, given up when it is dropped.
#[derive(Debug)]
pub struct TrunkSlot {
    /// Which of the trunks.
    pub index: usize,
    trunk_pool: TrunkPool,
    callee: Option<PhoneNumber>,
    report: TrunkReport,
}

impl TrunkSlot {
    /// The trunk.
    pub fn trunk(&self) -> Arc<Trunk> {
        self.trunk_pool.shared.trunks[self.index].clone()
    }

    /// The call is over.
    pub fn ended(mut self, report: TrunkReport) {
        self.report = report;
    }
}

impl Drop for TrunkSlot {
    fn drop(&mut self) {
        let was_cooling_down = self.trunk_pool.selector().is_cooling_down(self.index, now());
        let callee = self.callee.as_ref();
        let news = self.trunk_pool.selector().ended(self.index, self.report, callee, now());
        self.trunk_pool.tell(self.index, news);
        self.trunk_pool.shared.changed.notify_waiters();
        let because = match self.report {
            TrunkReport::Fault(_) => "it does not answer",
            TrunkReport::CallFailed(_) | TrunkReport::Works | TrunkReport::Unknown => {
                "it has failed calls"
            }
        };
        self.trunk_pool.log_change(self.index, was_cooling_down, because);
    }
}

/// They are taken at once; nobody takes them in a program that only makes a test call.
const CHANGES_MAX: usize = 64;
const CHOOSE_AGAIN: Duration = Duration::from_millis(500);
/// Between two probes of a trunk that has failed.
const PROBE_PAUSE: Duration = Duration::from_secs(15);
/// A trunk that works is probed once a minute.
const ROUNDS_BETWEEN_PROBES: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn operators_are_told_that_a_trunk_fails_and_that_it_works_again() {
        let trunk = Trunk { name: "pbx".into(), ..Trunk::example() };
        let pool = TrunkPool::new(vec![Arc::new(trunk)]);
        let number: PhoneNumber = "+81312345678".parse().unwrap();
        for _ in 0..2 {
            pool.take(&number, &[]).await.unwrap().ended(TrunkReport::Fault(None));
        }
        let change = |works| TrunkChange { trunk: "pbx".to_owned(), works };
        assert_eq!(pool.change().await, change(false));
        pool.occupy("pbx").unwrap().ended(TrunkReport::Works);
        assert_eq!(pool.change().await, change(true));
    }
}
