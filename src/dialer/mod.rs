//! Claims what is due, runs calls, settles them.

mod reception;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, sleep_until};
use tracing::{Instrument, error, info, info_span, warn};
use xmpp_parsers::jid::BareJid;

use crate::call::{self, Exchange, Stop};
use crate::clock;
use crate::notification::verification::Code;
use crate::notification::{Attempt, AttemptId, Claim, Outcome};
use crate::redaction::Pii;
use crate::script::prompt::Prompts;
use crate::store::Store;

pub use reception::receive;

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
    /// Speak this code, and tell how that went.
    Speak {
        /// The code, and where.
        code: Code,
        /// In which language.
        prompts: Prompts,
        /// The domain in whose name.
        house: String,
        /// How the call went.
        went: oneshot::Sender<Outcome>,
    },
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
        store: store.clone(),
        exchange,
        lines,
        live: HashMap::new(),
        calls: JoinSet::new(),
        codes: JoinSet::new(),
        stop_codes: watch::channel(Stop::None).0,
    };
    let mut looks = JoinSet::new();
    looks.spawn(look(store.clone(), 0));
    let mut look_at = clock::now();
    let mut looked = look_at;
    loop {
        let may_look =
            looks.is_empty() && *settled.borrow() && dialer.lines.available_permits() > 0;
        tokio::select! {
            // What is claimed already goes before what may be due.
            biased;
            () = asked(&mut stopping) => break,
            Some(order) = orders.recv() => match order {
                Order::Dial(claim) => dialer.start(*claim),
                Order::CameOnline(jid) => dialer.hush(&jid),
                Order::Speak { code, prompts, house, went } => dialer.speak(code, prompts, house, went),
            },
            Some(found) = looks.join_next() => {
                let (claims, pause) = found.unwrap_or_else(|_| (vec![], STORE_PAUSE));
                claims.into_iter().for_each(|claim| dialer.start(claim));
                look_at = clock::now() + pause;
            }
            Some(ended) = dialer.calls.join_next_with_id() => dialer.ended(ended).await,
            () = store.due().notified(), if may_look => look_at = clock::now().max(looked + SOON),
            Ok(()) = settled.changed() => look_at = clock::now(),
            () = sleep_until(look_at.into()), if may_look => {
                (look_at, looked) = (clock::now(), clock::now());
                looks.spawn(look(store.clone(), dialer.lines.available_permits()));
            }
        }
    }
    for call in dialer.live.values() {
        call.stop.send_replace(Stop::ShuttingDown);
    }
    dialer.stop_codes.send_replace(Stop::ShuttingDown);
    while let Some(ended) = dialer.calls.join_next_with_id().await {
        dialer.ended(ended).await;
    }
    while dialer.codes.join_next().await.is_some() {}
}

/// Claims what is due, and tells how long nothing else will be.
async fn look(store: Store, room: usize) -> (Vec<Claim>, Duration) {
    let now = clock::timestamp();
    // Asked for together, they share a commit.
    let (claims, next) = tokio::join!(store.claim_due(now, room), store.next_due());
    let claims = match claims {
        Ok(claims) => claims,
        Err(error) => {
            warn!(%error, "due calls could not be claimed");
            return (vec![], STORE_PAUSE);
        }
    };
    let pause = match next {
        Ok(Some(due)) => due.duration_since(now).try_into().unwrap_or(SOON).clamp(SOON, IDLE),
        Ok(None) => IDLE,
        Err(error) => {
            warn!(%error, "the next due call could not be read");
            STORE_PAUSE
        }
    };
    (claims, pause)
}

struct Dialer {
    store: Store,
    exchange: watch::Receiver<Arc<Exchange>>,
    lines: Arc<Semaphore>,
    live: HashMap<Id, Live>,
    calls: JoinSet<()>,
    codes: JoinSet<()>,
    stop_codes: watch::Sender<Stop>,
}

struct Live {
    attempt: AttemptId,
    callee: BareJid,
    trunk: String,
    stop: watch::Sender<Stop>,
}

impl Dialer {
    fn start(&mut self, claim: Claim) {
        let exchange = self.exchange.borrow().clone();
        let (stop, stopped) = watch::channel(Stop::None);
        let span =
            info_span!("call", notification = claim.notification.0, attempt = claim.attempt.0);
        info!(parent: &span, callee = %Pii(&claim.callee.jid), messages = claim.messages.len(), "call started");
        let trunk = exchange.ways.first().to_owned();
        let live = Live { attempt: claim.attempt, callee: claim.callee.jid.clone(), trunk, stop };
        let free: Option<OwnedSemaphorePermit> = self.lines.clone().try_acquire_owned().ok();
        let lines = self.lines.clone();
        let store = self.store.clone();
        let call = async move {
            let _line = match free {
                Some(line) => Some(line),
                None => lines.acquire_owned().await.ok(),
            };
            let id = claim.attempt;
            let attempt = call::place(claim, &exchange, stopped).await;
            settle(&store, id, attempt).await;
        };
        let id = self.calls.spawn(call.instrument(span)).id();
        self.live.insert(id, live);
    }

    /// Phones a number to prove it. It waits for a line as all calls do.
    fn speak(
        &mut self,
        code: Code,
        prompts: Prompts,
        house: String,
        went: oneshot::Sender<Outcome>,
    ) {
        while self.codes.try_join_next().is_some() {}
        let exchange = self.exchange.borrow().clone();
        let (lines, stopped) = (self.lines.clone(), self.stop_codes.subscribe());
        let span = info_span!("code call", verification = code.id.0);
        let call = async move {
            let _line = lines.acquire_owned().await.ok();
            let attempt = call::place_code(&code, prompts, house, &exchange, stopped).await;
            info!(outcome = ?attempt.outcome, status = attempt.status, "call with a code ended");
            let _ = went.send(attempt.outcome);
        };
        self.codes.spawn(call.instrument(span));
    }

    fn hush(&self, callee: &BareJid) {
        for call in self.live.values().filter(|call| call.callee == *callee) {
            call.stop.send_replace(Stop::CameOnline);
        }
    }

    /// A call has settled itself; one that broke off is settled here.
    async fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let Some(live) = self.live.remove(&id) else { return };
        if let Some(error) = panicked {
            error!(%error, "a call broke off by a mistake of ours");
            let attempt = Attempt {
                outcome: Outcome::Interrupted,
                status: None,
                cause: None,
                rang: Duration::ZERO,
                talked: Duration::ZERO,
                sip_call_id: String::new(),
                trunk: live.trunk,
                stop_calls: false,
                retry_after: None,
                picked_up: None,
                line: None,
            };
            settle(&self.store, live.attempt, attempt).await;
        }
    }
}

/// Writes down how a call went, if need be after a few tries.
async fn settle(store: &Store, id: AttemptId, attempt: Attempt) {
    info!(
        outcome = ?attempt.outcome,
        status = attempt.status,
        ring_ms = attempt.rang.as_millis() as u64,
        talk_ms = attempt.talked.as_millis() as u64,
        "call ended"
    );
    for _ in 0..SETTLE_TRIES_MAX {
        match store.settle(id, attempt.clone(), clock::timestamp()).await {
            Ok(()) => return,
            Err(error) => warn!(%error, "a call is not settled yet"),
        }
        sleep(STORE_PAUSE).await;
    }
    // The lease runs out, and the store then takes the call for interrupted.
    error!("a call could not be settled");
}

const IDLE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(5);
const STORE_PAUSE: Duration = Duration::from_secs(1);
const SETTLE_TRIES_MAX: u32 = 5;
