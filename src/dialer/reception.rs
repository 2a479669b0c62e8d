//! Takes the calls that the trunks bring, and settles them.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{Instrument, info_span};

use super::{asked, settle};
use crate::call::{self, Exchange, Stop};
use crate::store::Store;

/// Takes calls until `stopping` turns true, then ends the live ones and returns when each is settled.
///
/// Contract: as for [`run`](super::run): `lines` holds a permit per call that may run at once. A call that finds none is told so.
pub async fn receive(
    store: Store,
    exchange: watch::Receiver<Arc<Exchange>>,
    lines: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    let stop = watch::channel(Stop::None).0;
    let mut calls = JoinSet::new();
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
    let agent = exchange.borrow().agent.clone();
    loop {
        let incoming = tokio::select! {
            () = asked(&mut stopping) => break,
            // A call that broke off by a mistake of ours is found by its lease.
            Some(_) = calls.join_next() => continue,
            incoming = agent.next_call() => incoming,
        };
        let (store, exchange) = (store.clone(), exchange.borrow().clone());
        let strangers = strangers.clone();
        let (line, stopped) = (lines.clone().try_acquire_owned(), stop.subscribe());
        let call = async move {
            let Ok(_line) = line else { return incoming.refuse(486).await };
            if let Some((id, attempt)) =
                call::receive(incoming, &exchange, &strangers, stopped).await
            {
                settle(&store, id, attempt).await;
            }
        };
        calls.spawn(call.instrument(info_span!("call in")));
    }
    stop.send_replace(Stop::ShuttingDown);
    while calls.join_next().await.is_some() {}
}

/// So many may be asked at once who they are; the other lines are for those who are known.
const STRANGERS_MAX: usize = 2;
