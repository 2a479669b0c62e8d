//! Calls that a kill of the program has broken off: their callees still hold the phone.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{Instrument, info, warn};

use super::span;
use crate::clock;
use crate::seed::Seed;
use crate::sip::invite::Invite;
use crate::sip::transport::{Route, TransportError, UserAgent};
use crate::sip::trunk::Trunk;
use crate::store::KeptDialog;

/// Sends each of these calls its CANCEL or BYE, as soon as its trunk can be reached.
pub fn end_broken(agent: &UserAgent, trunks: &[Arc<Trunk>], dialogs: Vec<KeptDialog>) {
    for KeptDialog { trunk, record } in dialogs {
        let Some(trunk) = trunks.iter().find(|known| known.name == trunk).cloned() else {
            info!(trunk, "call that was cut off is left; its trunk is configured no more");
            continue;
        };
        let agent = agent.clone();
        tokio::spawn(async move {
            match reach(&agent, &trunk.name).await {
                Ok(route) => end(&agent, trunk, route, &record).await,
                Err(error) => {
                    warn!(%error, "call that was cut off is not ended, the trunk was not reached");
                }
            }
        });
    }
}

async fn end(agent: &UserAgent, trunk: Arc<Trunk>, route: Route, record: &str) {
    let (name, local_addr) = (trunk.name.clone(), route.local_addr);
    let call = Invite::left_over(record, trunk, local_addr, Seed::fresh(), clock::now());
    let Some(call) = call else { return };
    let span = span::sip(call.call_id());
    let channel = agent.channel(route, call.call_id());
    span.in_scope(|| info!(trunk = name, "call that was cut off is ended now"));
    channel.see_out(call).instrument(span).await;
}

async fn reach(agent: &UserAgent, trunk: &str) -> Result<Route, TransportError> {
    for _ in 1..TRIES {
        if let Ok(route) = agent.reach(trunk).await {
            return Ok(route);
        }
        sleep(PAUSE).await;
    }
    agent.reach(trunk).await
}

/// A far end to which nothing is sent any more mostly hangs up within a minute.
const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(5);
