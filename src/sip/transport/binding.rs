//! The bindings of trunks that want one, kept for as long as the user agent lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::socket::Shared;
use super::way::{Path, Way};
use crate::clock::now;
use crate::seed::Seed;
use crate::sip::registration::{Input, Output, Registration, State};

/// Keeps one trunk's binding until told to leave, or until nobody needs the user agent any more.
pub(super) async fn keep_registered(
    shared: Arc<Shared>,
    index: usize,
    mut leaving: watch::Receiver<bool>,
    seed: Seed,
) {
    let Some(way) = shared.ways.get(index) else { unreachable!("one index per way") };
    let Some(mut path) = first_path(&shared, index, &mut leaving).await else { return };
    let mut registration = Registration::new(way.trunk.clone(), path.hop, seed, now());
    let mut inbox = shared.open_inbox(registration.call_id());
    let mut asked_to_leave = false;
    // When another address is tried, if there is one: nothing has come since a REGISTER left.
    let mut patience: Option<Instant> = None;
    loop {
        while let Some(output) = registration.poll() {
            match output {
                Output::Send(message) => {
                    if patience.is_none() && path.spare {
                        patience = Some(now() + ANSWER_WAIT);
                    }
                    if let Err(error) = shared.send(&message, &mut path).await {
                        debug!(trunk = way.trunk.name, %error, "REGISTER not sent");
                        patience = Some(now() + RECONNECT_PAUSE);
                    }
                }
                Output::Changed(state) => {
                    tell(way, state);
                    way.registration.send_replace(state);
                }
                Output::Done => return shared.close_inbox(registration.call_id()),
            }
        }
        let deadline = registration.deadline().unwrap_or_else(|| now() + IDLE);
        let wake = patience.map_or(deadline, |patience| patience.min(deadline));
        let connection = path.connection.clone();
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
                way.works(path.target);
                registration.handle(Input::Received(&message), now());
                // The answer tells as whom the registrar sees us.
                move_to(&shared, &mut path, &mut registration).await;
            }
            () = broken, if !asked_to_leave && patience.is_none() => {
                // Calls for us would come over the connection that was bound.
                patience = Some(now() + RECONNECT_PAUSE);
            }
            () = tokio::time::sleep_until(wake.into()) => {
                if patience.take_if(|patience| now() >= *patience).is_some() {
                    way.failed(path.target);
                    match shared.reach(index).await {
                        Ok(other) => {
                            path = other;
                            registration.handle(Input::Moved(path.hop), now());
                        }
                        Err(error) => {
                            warn!(%error, "the binding waits");
                            patience = Some(now() + REACH_PAUSE);
                        }
                    }
                }
                registration.handle(Input::Tick, now());
            }
        }
    }
}

async fn first_path(
    shared: &Arc<Shared>,
    index: usize,
    leaving: &mut watch::Receiver<bool>,
) -> Option<Path> {
    loop {
        let error = match shared.reach(index).await {
            Ok(path) => return Some(path),
            Err(error) => error,
        };
        if let Some(way) = shared.ways.get(index)
            && way.pick().is_some()
        {
            warn!(%error, "not registered");
            way.registration.send_replace(State::Silent);
        }
        tokio::select! {
            _ = leaving.changed() => return None,
            () = tokio::time::sleep(REACH_PAUSE) => {}
        }
    }
}

async fn move_to(shared: &Arc<Shared>, path: &mut Path, registration: &mut Registration) {
    let Ok(now_known) = shared.path(path.way, path.target).await else { return };
    if now_known.hop != path.hop {
        *path = now_known;
        registration.handle(Input::Moved(path.hop), now());
    }
}

fn tell(way: &Way, state: State) {
    let trunk = &way.trunk.name;
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
