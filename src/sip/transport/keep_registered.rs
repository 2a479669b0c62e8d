//! The bindings of trunks that want one, kept for as long as the user agent lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::socket::TransportState;
use super::trunk_endpoint::{Route, TrunkEndpoint};
use crate::clock::now;
use crate::seed::Seed;
use crate::sip::framing::PING;
use crate::sip::registration::{Input, Output, Registration, State};

/// Keeps one trunk's binding until it is to leave, or until the user agent is dropped.
// Long: one loop over the events of a binding, whose arms share its route and its patience.
pub(super) async fn keep_registered(
    shared: Arc<TransportState>,
    index: usize,
    mut leaving: watch::Receiver<bool>,
    seed: Seed,
) {
    let Some(endpoint) = shared.endpoints.get(index) else {
        unreachable!("one index per endpoint")
    };
    let Some(mut route) = first_route(&shared, index, &mut leaving).await else { return };
    let mut registration = Registration::new(endpoint.trunk.clone(), route.local_addr, seed, now());
    let mut inbox = shared.open_inbox(registration.call_id(), Some(index));
    let mut asked_to_leave = false;
    // When another address is tried, if there is one: nothing has come since a REGISTER left.
    let mut patience: Option<Instant> = None;
    loop {
        while let Some(output) = registration.poll() {
            match output {
                Output::Send(message) => {
                    if patience.is_none() && route.spare {
                        patience = Some(now() + ANSWER_WAIT);
                    }
                    shared.note_branch(&message);
                    if let Err(error) = shared.send(&message, &mut route).await {
                        debug!(trunk = endpoint.trunk.name, %error, "REGISTER not sent");
                        patience = Some(now() + RECONNECT_PAUSE);
                    }
                }
                Output::KeepOpen => {
                    if let Err(error) = shared.send(PING, &mut route).await {
                        debug!(trunk = endpoint.trunk.name, %error, "keep-alive not sent");
                    }
                }
                Output::Changed(state) => {
                    log(endpoint, state);
                    endpoint.registration.send_replace(state);
                }
                Output::Done => return shared.close_inbox(registration.call_id()),
            }
        }
        let deadline = registration.deadline().unwrap_or_else(|| now() + IDLE);
        let wake = patience.map_or(deadline, |patience| patience.min(deadline));
        let connection = route.connection.clone();
        let broken = async {
            match connection {
                Some(connection) => connection.closed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = leaving.changed(), if !asked_to_leave => {
                asked_to_leave = true;
                patience = None;
                registration.handle(Input::Leave, now());
            }
            Some(message) = inbox.recv() => {
                patience = None;
                endpoint.works(route.target);
                registration.handle(Input::Received(&message), now());
                // The answer tells as whom the registrar sees us.
                move_to(&shared, &mut route, &mut registration).await;
            }
            () = broken, if !asked_to_leave && patience.is_none() => {
                // Calls for us would come over the connection that was bound.
                patience = Some(now() + RECONNECT_PAUSE);
            }
            () = tokio::time::sleep_until(wake.into()) => {
                if patience.take_if(|patience| now() >= *patience).is_some() {
                    endpoint.failed(route.target);
                    match shared.reach(index).await {
                        Ok(other) => {
                            route = other;
                            registration.handle(Input::Moved(route.local_addr), now());
                        }
                        Err(error) => {
                            if endpoint.is_news(Some(error.to_string())) {
                                warn!(%error, "registration waits for a route");
                            }
                            patience = Some(now() + REACH_PAUSE);
                        }
                    }
                }
                registration.handle(Input::Tick, now());
            }
        }
    }
}

async fn first_route(
    shared: &Arc<TransportState>,
    index: usize,
    leaving: &mut watch::Receiver<bool>,
) -> Option<Route> {
    loop {
        let error = match shared.reach(index).await {
            Ok(route) => return Some(route),
            Err(error) => error,
        };
        if let Some(endpoint) = shared.endpoints.get(index)
            && endpoint.pick().is_some()
        {
            if endpoint.is_news(Some(error.to_string())) {
                warn!(%error, "not registered");
            }
            endpoint.registration.send_replace(State::Silent);
        }
        tokio::select! {
            _ = leaving.changed() => return None,
            () = tokio::time::sleep(REACH_PAUSE) => {}
        }
    }
}

async fn move_to(shared: &Arc<TransportState>, route: &mut Route, registration: &mut Registration) {
    let Ok(now_known) = shared.route(route.endpoint, route.target).await else { return };
    if now_known.local_addr != route.local_addr {
        *route = now_known;
        registration.handle(Input::Moved(route.local_addr), now());
    }
}

fn log(endpoint: &TrunkEndpoint, state: State) {
    let trunk = &endpoint.trunk.name;
    match state {
        State::Registered => info!(trunk, "registered"),
        State::Left | State::Trying => info!(trunk, "not registered"),
        State::Refused { status } => warn!(trunk, status, "registration refused"),
        State::Silent => warn!(trunk, "registrar does not answer"),
    }
}

/// After so long without an answer another address is tried.
const ANSWER_WAIT: Duration = Duration::from_secs(4);
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
const REACH_PAUSE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);
