//! Claims what is due, runs calls, settles them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, sleep_until};
use tracing::{Instrument, error, info, info_span, warn};
use xmpp_parsers::jid::BareJid;

use crate::call::{self, Exchange, Stop};
use crate::clock;
use crate::notification::{Attempt, AttemptId, Claim, Outcome};
use crate::redaction::Pii;
use crate::store::Store;

/// Returns once it is asked for.
pub async fn asked(stopping: &mut watch::Receiver<bool>) {
    // Nobody left to ask is asking too.
    let _ = stopping.wait_for(|asked| *asked).await;
}

/// Tells the dialer what it cannot see in the store.
#[derive(Debug)]
pub enum Order {
    /// Make a call that [`Store::hold`] has claimed already.
    Dial(Box<Claim>),
    /// This person can read chat again: a phone that rings for them falls silent.
    CameOnline(BareJid),
}

/// Runs calls until `stopping` turns true, then ends the live ones and returns when each is settled.
///
/// Nobody is phoned while it is not known who is online (`settled`).
///
/// Contract: `lines` holds a permit per call that may run at once. Who claims for [`Order::Dial`] counts
///           the free ones first; a claim too many waits for its line.
pub async fn run(
    store: Store,
    exchange: watch::Receiver<Arc<Exchange>>,
    lines: Arc<Semaphore>,
    mut orders: mpsc::Receiver<Order>,
    mut settled: watch::Receiver<bool>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut dialer = Dialer {
        store,
        exchange,
        lines,
        settled: settled.clone(),
        live: HashMap::new(),
        calls: JoinSet::new(),
        next_start: clock::now(),
    };
    loop {
        let pause = dialer.claim_due().await;
        tokio::select! {
            () = asked(&mut stopping) => break,
            Some(order) = orders.recv() => match order {
                Order::Dial(claim) => dialer.start(*claim),
                Order::CameOnline(jid) => dialer.hush(&jid),
            },
            Some(ended) = dialer.calls.join_next_with_id() => dialer.settle(ended).await,
            () = dialer.store.due().notified() => {}
            Ok(()) = settled.changed() => {}
            () = sleep(pause) => {}
        }
    }
    for call in dialer.live.values() {
        call.stop.send_replace(Stop::ShuttingDown);
    }
    while let Some(ended) = dialer.calls.join_next_with_id().await {
        dialer.settle(ended).await;
    }
}

struct Dialer {
    store: Store,
    exchange: watch::Receiver<Arc<Exchange>>,
    lines: Arc<Semaphore>,
    settled: watch::Receiver<bool>,
    live: HashMap<Id, Live>,
    calls: JoinSet<Attempt>,
    next_start: Instant,
}

struct Live {
    attempt: AttemptId,
    callee: BareJid,
    trunk: String,
    stop: watch::Sender<Stop>,
}

impl Dialer {
    /// Starts what is due and tells how long nothing else will be.
    async fn claim_due(&mut self) -> Duration {
        let now = clock::timestamp();
        let room = self.lines.available_permits();
        if room == 0 || !*self.settled.borrow() {
            return IDLE;
        }
        match self.store.claim_due(now, room).await {
            Ok(claims) => claims.into_iter().for_each(|claim| self.start(claim)),
            Err(error) => {
                warn!(%error, "due calls could not be claimed");
                return STORE_PAUSE;
            }
        }
        match self.store.next_due().await {
            Ok(Some(due)) => due.duration_since(now).try_into().unwrap_or(SOON).clamp(SOON, IDLE),
            Ok(None) => IDLE,
            Err(error) => {
                warn!(%error, "the next due call could not be read");
                STORE_PAUSE
            }
        }
    }

    fn start(&mut self, claim: Claim) {
        let exchange = self.exchange.borrow().clone();
        let now = clock::now();
        let start = self.next_start.max(now);
        self.next_start = start + exchange.start_pause;
        let (stop, stopped) = watch::channel(Stop::None);
        let span =
            info_span!("call", notification = claim.notification.0, attempt = claim.attempt.0);
        info!(parent: &span, callee = %Pii(&claim.callee.jid), messages = claim.messages.len(), "call started");
        let live = Live {
            attempt: claim.attempt,
            callee: claim.callee.jid.clone(),
            trunk: exchange.trunks.first().map(|trunk| trunk.name.clone()).unwrap_or_default(),
            stop,
        };
        let free: Option<OwnedSemaphorePermit> = self.lines.clone().try_acquire_owned().ok();
        let lines = self.lines.clone();
        let call = async move {
            let _line = match free {
                Some(line) => Some(line),
                None => lines.acquire_owned().await.ok(),
            };
            sleep_until(start.into()).await;
            call::place(claim, &exchange, stopped).await
        };
        let id = self.calls.spawn(call.instrument(span)).id();
        self.live.insert(id, live);
    }

    fn hush(&self, callee: &BareJid) {
        for call in self.live.values().filter(|call| call.callee == *callee) {
            call.stop.send_replace(Stop::CameOnline);
        }
    }

    async fn settle(&mut self, ended: Result<(Id, Attempt), JoinError>) {
        let (id, attempt) = match ended {
            Ok((id, attempt)) => (id, Some(attempt)),
            Err(panicked) => {
                error!(error = %panicked, "a call broke off by a mistake of ours");
                (panicked.id(), None)
            }
        };
        let Some(live) = self.live.remove(&id) else { return };
        let attempt = attempt.unwrap_or_else(|| Attempt {
            outcome: Outcome::Interrupted,
            status: None,
            rang: Duration::ZERO,
            talked: Duration::ZERO,
            sip_call_id: String::new(),
            trunk: live.trunk,
            stop_calls: false,
            retry_after: None,
        });
        info!(
            attempt = live.attempt.0,
            outcome = ?attempt.outcome,
            status = attempt.status,
            ring_ms = attempt.rang.as_millis() as u64,
            talk_ms = attempt.talked.as_millis() as u64,
            "call ended"
        );
        let mut tries = 0;
        while let Err(error) =
            self.store.settle(live.attempt, attempt.clone(), clock::timestamp()).await
        {
            tries += 1;
            if tries == SETTLE_TRIES_MAX {
                // The lease runs out, and the store then takes the call for interrupted.
                error!(attempt = live.attempt.0, %error, "a call could not be settled");
                return;
            }
            warn!(attempt = live.attempt.0, %error, "settling a call is tried again");
            sleep(STORE_PAUSE).await;
        }
    }
}

const IDLE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(5);
const STORE_PAUSE: Duration = Duration::from_secs(1);
const SETTLE_TRIES_MAX: u32 = 5;
