//! The tasks of the calls, and the switches by which they are stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tracing::{Instrument, Span};

use super::events::{IncomingId, Input};
use crate::call::Stop;
use crate::notification::verification::VerificationId;
use crate::notification::{AttemptId, CallChange};

/// Every call that has a task. Cloning gives another handle.
///
/// Contract: a call can be stopped from the moment of [`CallTasks::spawn`], before its task has run. The tasks
///           do not end with the handles: the end of the program calls [`CallTasks::end_all`] and waits, so that callees
///           get their CANCEL or BYE whatever else has failed.
#[derive(Clone, Debug)]
pub(crate) struct CallTasks {
    switches: Arc<Mutex<Switches>>,
    live: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Switches {
    by_call: BTreeMap<CallKey, Switch>,
    ending: bool,
}

/// What one call is told while it goes on.
#[derive(Debug)]
struct Switch {
    stop: watch::Sender<Stop>,
    changes: mpsc::UnboundedSender<CallChange>,
}

/// What one call hears while it goes on.
pub(crate) struct Told {
    /// That it is to end.
    pub(crate) stop: watch::Receiver<Stop>,
    /// What becomes of messages that a call reads: this one or, if it came in, another.
    pub(crate) changes: mpsc::UnboundedReceiver<CallChange>,
}

/// Names a call of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallKey {
    /// About messages.
    Placed(AttemptId),
    /// To verify a number.
    Verification(VerificationId),
    /// Somebody phones in.
    Incoming(IncomingId),
}

impl CallTasks {
    pub(crate) fn new() -> Self {
        Self { switches: Arc::default(), live: watch::channel(0).0 }
    }

    /// Runs a call in a task of its own. What it returns goes to `inputs`; a panic goes there as `panicked`.
    pub(crate) fn spawn<F>(
        &self,
        key: CallKey,
        span: Span,
        inputs: mpsc::UnboundedSender<Input>,
        panicked: Input,
        call: impl FnOnce(Told) -> F,
    ) where
        F: Future<Output = Input> + Send + 'static,
    {
        let told = {
            let mut switches = self.switches();
            let reason = if switches.ending { Stop::ShuttingDown } else { Stop::None };
            let ((stop, stopped), (change, changes)) =
                (watch::channel(reason), mpsc::unbounded_channel());
            switches.by_call.insert(key, Switch { stop, changes: change });
            self.live.send_replace(switches.by_call.len());
            Told { stop: stopped, changes }
        };
        let task = tokio::spawn(call(told).instrument(span));
        let this = self.clone();
        tokio::spawn(async move {
            let input = task.await.unwrap_or(panicked);
            let mut switches = this.switches();
            switches.by_call.remove(&key);
            this.live.send_replace(switches.by_call.len());
            // A component that is gone is a program that ends.
            let _ = inputs.send(input);
        });
    }

    /// Tells one call to stop; one that is over already does not mind.
    pub(crate) fn stop(&self, key: CallKey, stop: Stop) {
        if let Some(switch) = self.switches().by_call.get(&key) {
            switch.stop.send_replace(stop);
        }
    }

    /// Tells a call what became of a message. Which attempt a call is that came in, only that call knows.
    pub(crate) fn change(&self, change: &CallChange) {
        for (key, switch) in &self.switches().by_call {
            let may_be_it = match key {
                CallKey::Placed(attempt) => *attempt == change.attempt,
                CallKey::Incoming(_) => true,
                CallKey::Verification(_) => false,
            };
            if may_be_it {
                // A call that takes no more is over.
                let _ = switch.changes.send(change.clone());
            }
        }
    }

    /// Tells all calls to end, and each that begins later.
    pub(crate) fn end_all(&self) {
        let mut switches = self.switches();
        switches.ending = true;
        for switch in switches.by_call.values() {
            switch.stop.send_replace(Stop::ShuttingDown);
        }
    }

    /// Returns when no call has a task.
    pub(crate) async fn ended(&self) {
        let mut live = self.live.subscribe();
        // The sender is ours.
        let _ = live.wait_for(|live| *live == 0).await;
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
