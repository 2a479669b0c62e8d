//! The trunks as calls share them: who waits for room, and what is learnt of their health.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};
use tracing::{info, warn};

use super::trunks::{Choice, Trunks, Verdict};
use crate::clock::now;
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::sip::transport::UserAgent;
use crate::sip::trunk::Trunk;

/// All trunks. Clones share what is known.
#[derive(Clone, Debug)]
pub struct WaysOut {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    trunks: Vec<Arc<Trunk>>,
    standing: Mutex<Trunks>,
    changed: Notify,
}

impl WaysOut {
    /// These trunks, in the operator's order.
    pub fn new(trunks: Vec<Arc<Trunk>>) -> Self {
        let standing = Trunks::new(trunks.iter().map(|trunk| &**trunk), now());
        let standing = Mutex::new(standing);
        Self { shared: Arc::new(Shared { trunks, standing, changed: Notify::new() }) }
    }

    /// The first trunk's name.
    pub fn first(&self) -> &str {
        self.shared.trunks.first().map_or("", |trunk| &trunk.name)
    }

    /// Waits until a trunk may carry a call to this number.
    ///
    /// Errors: how long the first of them rests, if any of them does that.
    pub async fn take(
        &self,
        number: &PhoneNumber,
        tried: &[usize],
    ) -> Result<Way, Option<Duration>> {
        loop {
            let changed = self.shared.changed.notified();
            let choice = self.standing().choose(number, tried, now());
            match choice {
                Choice::Go(index, start) => {
                    let way = Way { index, ways: self.clone(), verdict: Verdict::Unknown };
                    // A timer has a grain of a millisecond, which a call that need not wait is spared.
                    if start > now() {
                        sleep_until(start.into()).await;
                    }
                    return Ok(way);
                }
                Choice::Full => {
                    tokio::select! {
                        () = changed => {}
                        // A call may have ended between the look and the wait.
                        () = sleep(LOOK_AGAIN) => {}
                    }
                }
                Choice::None(back) => {
                    return Err(back.map(|back| back.saturating_duration_since(now())));
                }
            }
        }
    }

    /// Takes a place for a call that this trunk brings us, if it has one left.
    pub fn occupy(&self, trunk: &str) -> Option<Way> {
        let index = self.shared.trunks.iter().position(|known| known.name == trunk)?;
        let room = self.standing().occupy(index);
        room.then(|| Way { index, ways: self.clone(), verdict: Verdict::Unknown })
    }

    /// Asks trunks how they are (OPTIONS, or their registration), for as long as it is let.
    pub async fn keep_probing(self, agent: UserAgent) {
        let mut round = 0;
        loop {
            sleep(PROBE_PAUSE).await;
            round += 1;
            for (index, trunk) in self.shared.trunks.iter().enumerate() {
                let rests = self.standing().is_resting(index, now());
                if !rests && round % ROUNDS_WHEN_WELL != 0 {
                    continue;
                }
                let verdict = match agent.probe(&trunk.name, Seed::fresh()).await {
                    Ok(()) => Verdict::Works,
                    Err(_) => Verdict::Fault(None),
                };
                self.standing().probed(index, verdict, now());
                self.tell(index, rests);
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Trunks> {
        // Nothing panics while it holds this lock; if it did, the value would still be whole.
        self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, index: usize, rested: bool) {
        let rests = self.standing().is_resting(index, now());
        let Some(trunk) = self.shared.trunks.get(index).filter(|_| rests != rested) else { return };
        if rests {
            warn!(trunk = trunk.name, "the trunk fails and is rested");
        } else {
            info!(trunk = trunk.name, "the trunk is tried again");
        }
        self.shared.changed.notify_waiters();
    }
}

/// A call's place on a trunk, which it gives up when it is dropped.
#[derive(Debug)]
pub struct Way {
    /// Which of the trunks.
    pub index: usize,
    ways: WaysOut,
    verdict: Verdict,
}

impl Way {
    /// The trunk.
    pub fn trunk(&self) -> Arc<Trunk> {
        self.ways.shared.trunks[self.index].clone()
    }

    /// The call is over.
    pub fn ended(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        let rested = self.ways.standing().is_resting(self.index, now());
        self.ways.standing().ended(self.index, self.verdict, now());
        self.ways.shared.changed.notify_waiters();
        self.ways.tell(self.index, rested);
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Between two looks at a trunk that rests.
const PROBE_PAUSE: Duration = Duration::from_secs(15);
/// A trunk that is well is asked once a minute.
const ROUNDS_WHEN_WELL: u32 = 4;
