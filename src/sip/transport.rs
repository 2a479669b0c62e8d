//! The user agent's edge: one UDP socket for all trunks, and a line for each call.

mod socket;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, info, trace, warn};

use self::socket::{Shared, Way, lock};
use super::invite::{Input, Invite, Output};
use super::probe::Probe;
use super::registration::{self, Registration, State};
use super::trunk::Trunk;
use crate::clock::now;
use crate::seed::Seed;

/// Our side of all trunks. Clones share one socket; it closes with the last of them and the last [`Line`].
///
/// Contract: whoever is not a trunk gets no answer, whatever it sends (and is counted in
///           [`UserAgent::dropped`]); a trunk is known by the addresses of its proxy.
#[derive(Clone, Debug)]
pub struct UserAgent {
    shared: Arc<Shared>,
    alive: Arc<watch::Sender<bool>>,
    registrations: Arc<Mutex<JoinSet<()>>>,
}

impl UserAgent {
    /// Opens the socket, finds the trunks and begins to register. A trunk that cannot be found now is looked for again.
    ///
    /// Errors: [`TransportError::Listen`] if the address cannot be had.
    pub async fn bind(
        listen: SocketAddr,
        trunks: Vec<Arc<Trunk>>,
        mut seed: Seed,
    ) -> Result<Self, TransportError> {
        let socket =
            UdpSocket::bind(listen).await.map_err(|error| TransportError::Listen(listen, error))?;
        if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(SOCKET_BYTES) {
            debug!(%error, "receive buffer stays small");
        }
        let local = socket.local_addr().map_err(|error| TransportError::Listen(listen, error))?;
        let ways = trunks.into_iter().map(Way::new).collect();
        let (inboxes, dropped) = (Mutex::new(HashMap::new()), AtomicU64::new(0));
        let shared = Arc::new(Shared { socket, local, ways, inboxes, dropped });
        shared.resolve().await;
        let (alive, leaving) = watch::channel(false);
        tokio::spawn(shared.clone().receive(leaving.clone()));
        tokio::spawn(shared.clone().keep_resolving(leaving.clone()));
        let mut registrations = JoinSet::new();
        for index in (0..shared.ways.len()).filter(|index| shared.ways[*index].trunk.register) {
            registrations.spawn(keep_registered(
                shared.clone(),
                index,
                leaving.clone(),
                seed.split(),
            ));
        }
        Ok(Self {
            shared,
            alive: Arc::new(alive),
            registrations: Arc::new(Mutex::new(registrations)),
        })
    }

    /// A line for one call on a trunk. Messages of this Call-ID go to its inbox until it is dropped.
    ///
    /// Contract: keep the line as long as the call's [`Invite`] has something to absorb; [`Line::see_out`] does.
    /// Errors:   [`TransportError::Unknown`], [`TransportError::Unresolved`].
    pub fn line(&self, trunk: &str, call_id: &str) -> Result<Line, TransportError> {
        let way = self.way(trunk)?;
        let route = way.route().ok_or_else(|| TransportError::Unresolved(trunk.to_owned()))?;
        let inbox = self.shared.open_inbox(call_id);
        let (shared, alive) = (self.shared.clone(), self.alive.clone());
        Ok(Line {
            local: route.local,
            inbox,
            to: route.to,
            call_id: call_id.to_owned(),
            shared,
            _alive: alive,
        })
    }

    /// Our address as a trunk sees it, for a plan made before its line.
    ///
    /// Errors: as [`UserAgent::line`].
    pub fn local_towards(&self, trunk: &str) -> Result<SocketAddr, TransportError> {
        self.ends(trunk).map(|(ours, _)| ours)
    }

    /// Our address as a trunk sees it, and the trunk's own.
    ///
    /// Errors: as [`UserAgent::line`].
    pub fn ends(&self, trunk: &str) -> Result<(SocketAddr, SocketAddr), TransportError> {
        let route = self.way(trunk)?.route();
        let route = route.ok_or_else(|| TransportError::Unresolved(trunk.to_owned()))?;
        Ok((route.local, route.to))
    }

    /// How the binding of a trunk stands; `None` for a trunk without one.
    pub fn registration(&self, trunk: &str) -> Option<State> {
        let way = self.way(trunk).ok().filter(|way| way.trunk.register)?;
        Some(*way.registration.borrow())
    }

    /// Tries a trunk: by its REGISTER if it has one, else by OPTIONS, to which any answer is a good one.
    ///
    /// Errors: [`TransportError::Silent`], [`TransportError::Refused`], or as [`UserAgent::line`].
    pub async fn probe(&self, trunk: &str, seed: Seed) -> Result<(), TransportError> {
        let way = self.way(trunk)?;
        let local = self.local_towards(trunk)?;
        let silent = || TransportError::Silent(trunk.to_owned());
        if way.trunk.register {
            let mut state = way.registration.subscribe();
            let known = state.wait_for(|state| *state != State::Trying);
            let known = tokio::time::timeout(PROBE_WAIT, known).await.map_err(|_| silent())?;
            return match known.map(|state| *state) {
                Ok(State::Registered) => Ok(()),
                Ok(State::Refused { status }) => {
                    Err(TransportError::Refused(trunk.to_owned(), status))
                }
                Ok(State::Trying | State::Silent | State::Left) | Err(_) => Err(silent()),
            };
        }
        let mut probe = Probe::new(&way.trunk, local, seed, now());
        let mut line = self.line(trunk, probe.call_id())?;
        loop {
            if let Some(request) = probe.poll() {
                line.send(&request).await.map_err(|_| silent())?;
            }
            if let Some(outcome) = probe.outcome() {
                return outcome.map(drop).ok_or_else(silent);
            }
            tokio::select! {
                Some(message) = line.inbox.recv() => probe.handle(Some(&message), now()),
                () = tokio::time::sleep_until(probe.deadline().into()) => probe.handle(None, now()),
            }
        }
    }

    /// Gives up the bindings. Calls that still run keep their lines.
    ///
    /// Contract: returns within [`LEAVE_WAIT`], also if a registrar is silent.
    pub async fn close(&self) {
        self.alive.send_replace(true);
        let mut registrations = std::mem::take(&mut *lock(&self.registrations));
        let all = async { while registrations.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE_WAIT, all).await.is_err() {
            warn!("a registrar did not let go in time");
        }
    }

    /// The address of the socket.
    pub fn local(&self) -> SocketAddr {
        self.shared.local
    }

    /// How many datagrams were dropped: from strangers, unreadable, or too many for an inbox.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    fn way(&self, trunk: &str) -> Result<&Way, TransportError> {
        let way = self.shared.ways.iter().find(|way| way.trunk.name == trunk);
        way.ok_or_else(|| TransportError::Unknown(trunk.to_owned()))
    }
}

/// The way of one call to its trunk.
#[derive(Debug)]
pub struct Line {
    /// Our address as the trunk sees it.
    pub local: SocketAddr,
    /// Messages for this call, in order of arrival.
    pub inbox: mpsc::Receiver<Vec<u8>>,
    to: SocketAddr,
    call_id: String,
    shared: Arc<Shared>,
    _alive: Arc<watch::Sender<bool>>,
}

impl Line {
    /// Sends one message: a request to the trunk, a response to where its request came from.
    ///
    /// Errors: only what the socket says; a datagram lost on the way is no error.
    pub async fn send(&self, message: &[u8]) -> io::Result<()> {
        let to = self.shared.destination(message, self.to);
        trace!(%to, bytes = message.len(), "message sent");
        self.shared.socket.send_to(message, to).await.map(drop)
    }

    /// Carries on with a call that is over until nothing late can come any more: mostly 32 s, at most about 96 s.
    pub async fn see_out(mut self, mut invite: Invite) {
        loop {
            while let Some(output) = invite.poll() {
                match output {
                    Output::Send(message) => drop(self.send(&message).await),
                    Output::Done => return,
                    Output::Ringing | Output::EarlyMedia(_) | Output::Answered(_) => {}
                    Output::Reoffered(_) | Output::Key(_) | Output::Over(_) => {}
                }
            }
            let Some(deadline) = invite.deadline() else { return };
            tokio::select! {
                Some(message) = self.inbox.recv() => invite.handle(Input::Received(&message), now()),
                () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.close_inbox(&self.call_id);
    }
}

/// Why there is no way to a trunk.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The socket cannot be opened.
    #[error("cannot listen for SIP on {0}: {1}; change listen in [sip]")]
    Listen(SocketAddr, io::Error),
    /// No trunk has this name.
    #[error("no trunk is named {0}")]
    Unknown(String),
    /// The proxy's name gives no address that the socket can reach.
    #[error("the proxy of trunk {0} cannot be found; check its host name")]
    Unresolved(String),
    /// Nothing came back.
    #[error("trunk {0} does not answer; check proxy and the firewall between")]
    Silent(String),
    /// The registrar said no.
    #[error("trunk {0} refuses to register with status {1}; check from, username and password")]
    Refused(String, u16),
}

/// Keeps one trunk's binding until told to leave, or until nobody needs the user agent any more.
async fn keep_registered(
    shared: Arc<Shared>,
    index: usize,
    mut leaving: watch::Receiver<bool>,
    seed: Seed,
) {
    let Some(way) = shared.ways.get(index) else { unreachable!("one index per way") };
    let route = loop {
        if let Some(route) = way.route() {
            break route;
        }
        tokio::select! {
            _ = leaving.changed() => return,
            () = tokio::time::sleep(ROUTE_POLL) => {}
        }
    };
    let mut registration = Registration::new(way.trunk.clone(), route.local, seed, now());
    let mut inbox = shared.open_inbox(registration.call_id());
    let mut asked_to_leave = false;
    loop {
        while let Some(output) = registration.poll() {
            match output {
                registration::Output::Send(message) => {
                    let to = way.route().map_or(route.to, |route| route.to);
                    if let Err(error) = shared.socket.send_to(&message, to).await {
                        warn!(trunk = way.trunk.name, %error, "REGISTER not sent");
                    }
                }
                registration::Output::Changed(state) => {
                    match state {
                        State::Registered => info!(trunk = way.trunk.name, "registered"),
                        State::Left | State::Trying => {
                            info!(trunk = way.trunk.name, "not registered")
                        }
                        State::Refused { status } => {
                            warn!(trunk = way.trunk.name, status, "registration refused")
                        }
                        State::Silent => warn!(trunk = way.trunk.name, "registrar does not answer"),
                    }
                    way.registration.send_replace(state);
                }
                registration::Output::Done => return shared.close_inbox(registration.call_id()),
            }
        }
        let deadline = registration.deadline().unwrap_or_else(|| now() + PROBE_WAIT);
        tokio::select! {
            _ = leaving.changed(), if !asked_to_leave => {
                asked_to_leave = true;
                registration.handle(registration::Input::Leave, now());
            }
            Some(message) = inbox.recv() => {
                registration.handle(registration::Input::Received(&message), now());
            }
            () = tokio::time::sleep_until(deadline.into()) => {
                registration.handle(registration::Input::Tick, now());
            }
        }
    }
}

/// How long [`UserAgent::close`] may take.
pub const LEAVE_WAIT: Duration = Duration::from_secs(2);
const PROBE_WAIT: Duration = Duration::from_secs(10);
const ROUTE_POLL: Duration = Duration::from_secs(1);
/// Room for what comes in while the thread is busy: some 500 messages.
const SOCKET_BYTES: usize = 1 << 20;
