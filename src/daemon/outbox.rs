//! Sends what is owed, and counts it as sent when the server has answered a ping sent after it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::clock;
use crate::dialer::asked;
use crate::notification::ReplyId;
use crate::store::Store;
use crate::xmpp::link::Link;
use crate::xmpp::privilege::Grants;
use crate::xmpp::reply;

/// Runs until `stopping` turns true, then makes one last round, so that what the last calls left is sent.
pub(super) async fn run(
    store: Store,
    link: Link,
    component: String,
    grants: watch::Receiver<Grants>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let last_round = *stopping.borrow();
        let pause = loop {
            match send_some(&store, &link, &component, &grants).await {
                Sent::All => break IDLE,
                Sent::MoreWaits => {}
                Sent::Nothing => break RETRY,
            }
        };
        if last_round {
            return;
        }
        tokio::select! {
            () = store.outbox().notified() => {}
            () = sleep(pause) => {}
            () = asked(&mut stopping) => {}
        }
    }
}

enum Sent {
    All,
    MoreWaits,
    Nothing,
}

async fn send_some(
    store: &Store,
    link: &Link,
    component: &str,
    grants: &watch::Receiver<Grants>,
) -> Sent {
    let owed = match store.owed(BATCH).await {
        Ok(owed) => owed,
        Err(error) => {
            warn!(%error, "what is owed could not be read");
            return Sent::Nothing;
        }
    };
    if owed.is_empty() {
        return Sent::All;
    }
    let granted = grants.borrow().clone();
    let stanzas = owed.iter().map(|row| reply::delivered(row, component, &granted)).collect();
    if !link.deliver(stanzas).await {
        debug!("no pong; the replies stay owed and go again under the same id");
        return Sent::Nothing;
    }
    let ids: Vec<ReplyId> = owed.iter().map(|row| row.id).collect();
    if let Err(error) = store.mark_sent(&ids, clock::timestamp()).await {
        warn!(%error, "sent replies could not be marked");
        return Sent::Nothing;
    }
    if owed.len() < BATCH { Sent::All } else { Sent::MoreWaits }
}

const BATCH: usize = 64;
const IDLE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(2);
