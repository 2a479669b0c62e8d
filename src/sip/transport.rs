//! The user agent's edge: one UDP socket for all trunks, and who may talk to it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tracing::{debug, trace, warn};

use super::invite::{Input, Invite, Output};
use super::message::{DATAGRAM_BYTES_MAX, Message, Start};
use super::stray;
use super::trunk::Trunk;
use super::via::{return_address, stamped};
use crate::clock::now;
use crate::seed::Seed;

/// Our side of all trunks. Clones share one socket; it closes with the last of them and the last [`Line`].
///
/// Contract: whoever is not a trunk gets no answer, whatever it sends (and is counted in
///           [`UserAgent::dropped`]); a trunk is known by the addresses of its proxy.
#[derive(Clone, Debug)]
pub struct UserAgent {
    shared: Arc<Shared>,
    alive: Arc<watch::Sender<()>>,
}

impl UserAgent {
    /// Opens the socket and finds the trunks. A trunk that cannot be found now is looked for again.
    ///
    /// Errors: [`TransportError::Listen`] if the address cannot be had.
    pub async fn bind(
        listen: SocketAddr,
        trunks: Vec<Arc<Trunk>>,
        seed: Seed,
    ) -> Result<Self, TransportError> {
        let socket =
            UdpSocket::bind(listen).await.map_err(|error| TransportError::Listen(listen, error))?;
        let local = socket.local_addr().map_err(|error| TransportError::Listen(listen, error))?;
        let ways = trunks.into_iter().map(|trunk| Way { trunk, route: Mutex::new(None) }).collect();
        let (inboxes, dropped) = (Mutex::new(HashMap::new()), AtomicU64::new(0));
        let shared = Arc::new(Shared { socket, local, ways, inboxes, dropped });
        shared.resolve().await;
        let (alive, ended) = watch::channel(());
        tokio::spawn(shared.clone().receive(ended.clone()));
        tokio::spawn(shared.clone().keep_resolving(ended.clone()));
        drop(seed);
        Ok(Self { shared, alive: Arc::new(alive) })
    }

    /// A line for one call on a trunk. Messages of this Call-ID go to its inbox until it is dropped.
    ///
    /// Contract: keep the line as long as the call's [`Invite`] has something to absorb; [`Line::see_out`] does.
    /// Errors:   [`TransportError::Unknown`], [`TransportError::Unresolved`].
    pub fn line(&self, trunk: &str, call_id: &str) -> Result<Line, TransportError> {
        let route = self.shared.route(trunk)?;
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

    /// Our address as this trunk sees it, and the trunk's own, for the INVITE of a line that is opened next.
    ///
    /// Errors: as [`UserAgent::line`].
    pub fn ends(&self, trunk: &str) -> Result<(SocketAddr, SocketAddr), TransportError> {
        self.shared.route(trunk).map(|route| (route.local, route.to))
    }

    /// The address of the socket.
    pub fn local(&self) -> SocketAddr {
        self.shared.local
    }

    /// How many datagrams were dropped: from strangers, unreadable, or too many for an inbox.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
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
    _alive: Arc<watch::Sender<()>>,
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

    /// Carries on with a call that is over until nothing late can come any more, 32 s at most in most cases.
    pub async fn see_out(mut self, mut invite: Invite) {
        loop {
            while let Some(output) = invite.poll() {
                match output {
                    Output::Send(message) => drop(self.send(&message).await),
                    Output::Done => return,
                    _ => {}
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
        lock(&self.shared.inboxes).remove(&self.call_id);
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
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    local: SocketAddr,
    ways: Vec<Way>,
    inboxes: Mutex<HashMap<String, mpsc::Sender<Vec<u8>>>>,
    dropped: AtomicU64,
}

/// A trunk and how it is reached now.
#[derive(Debug)]
struct Way {
    trunk: Arc<Trunk>,
    route: Mutex<Option<Route>>,
}

#[derive(Clone, Debug)]
struct Route {
    to: SocketAddr,
    local: SocketAddr,
    /// All its addresses, and those of the look-up before, for calls that began then.
    members: Vec<IpAddr>,
}

impl Shared {
    fn route(&self, trunk: &str) -> Result<Route, TransportError> {
        let way = self.ways.iter().find(|way| way.trunk.name == trunk);
        let way = way.ok_or_else(|| TransportError::Unknown(trunk.to_owned()))?;
        let route = lock(&way.route).clone();
        route.ok_or_else(|| TransportError::Unresolved(trunk.to_owned()))
    }

    fn open_inbox(&self, call_id: &str) -> mpsc::Receiver<Vec<u8>> {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        lock(&self.inboxes).insert(call_id.to_owned(), sender);
        inbox
    }

    async fn receive(self: Arc<Self>, mut ended: watch::Receiver<()>) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX + 1];
        loop {
            let received = tokio::select! {
                _ = ended.changed() => return,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((len, source)) => {
                    let answer =
                        buffer.get(..len).and_then(|datagram| self.dispatch(datagram, source));
                    if let Some((answer, to)) = answer
                        && let Err(error) = self.socket.send_to(&answer, to).await
                    {
                        debug!(%error, "answer not sent");
                    }
                }
                Err(error) => {
                    warn!(%error, "SIP socket failed");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Brings a datagram to its call; a request without one gets the answer returned here.
    fn dispatch(&self, datagram: &[u8], source: SocketAddr) -> Option<(Vec<u8>, SocketAddr)> {
        if !self.is_trunk(source.ip()) {
            trace!(%source, "datagram of a stranger dropped");
            self.count();
            return None;
        }
        if datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return None;
        }
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => {
                debug!(%error, %source, "datagram dropped");
                self.count();
                return None;
            }
        };
        let request = matches!(message.start, Start::Request { .. });
        let bytes = if request { stamped(&message, source) } else { datagram.to_vec() };
        let inbox = lock(&self.inboxes).get(&message.call_id).cloned();
        if let Some(inbox) = inbox {
            if inbox.try_send(bytes).is_err() {
                debug!("inbox full, message dropped");
                self.count();
            }
            return None;
        }
        if !request {
            debug!("response without a call dropped");
            self.count();
            return None;
        }
        let request = Message::parse(&bytes).ok()?;
        let answer = stray::answer(&request)?;
        let to = self.destination(&answer, source);
        Some((answer, to))
    }

    /// A request goes to the trunk, a response where its topmost Via says, if that is a trunk.
    fn destination(&self, message: &[u8], otherwise: SocketAddr) -> SocketAddr {
        let response =
            message.starts_with(b"SIP/2.0 ").then(|| Message::parse(message).ok()).flatten();
        let address = response.and_then(|response| return_address(&response));
        address.filter(|address| self.is_trunk(address.ip())).unwrap_or(otherwise)
    }

    fn is_trunk(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.ways
            .iter()
            .any(|way| lock(&way.route).as_ref().is_some_and(|route| route.members.contains(&ip)))
    }

    fn count(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    async fn keep_resolving(self: Arc<Self>, mut ended: watch::Receiver<()>) {
        loop {
            let lost = self.ways.iter().any(|way| lock(&way.route).is_none());
            let pause = if lost { RESOLVE_AGAIN } else { RESOLVE_EVERY };
            tokio::select! {
                _ = ended.changed() => return,
                () = tokio::time::sleep(pause) => self.resolve().await,
            }
        }
    }

    async fn resolve(&self) {
        for way in &self.ways {
            let host = (way.trunk.proxy.host.as_str(), way.trunk.proxy.port());
            let looked_up = tokio::time::timeout(RESOLVE_WAIT, tokio::net::lookup_host(host)).await;
            let addresses = match looked_up {
                Ok(Ok(addresses)) => {
                    addresses.filter(|to| to.is_ipv4() == self.local.is_ipv4()).collect()
                }
                Ok(Err(_)) | Err(_) => Vec::new(),
            };
            let Some(to) = addresses.first().copied() else {
                warn!(trunk = way.trunk.name, "proxy of trunk not found");
                continue;
            };
            let local = match self.local_towards(to) {
                Ok(local) => local,
                Err(error) => {
                    warn!(trunk = way.trunk.name, %error, "no way to trunk");
                    continue;
                }
            };
            let mut members: Vec<_> = addresses.iter().map(|to| to.ip().to_canonical()).collect();
            let mut route = lock(&way.route);
            let before = route.iter().flat_map(|route| &route.members).take(MEMBERS_MAX);
            let before: Vec<_> = before.filter(|ip| !members.contains(ip)).copied().collect();
            members.extend(before);
            *route = Some(Route { to, local, members });
        }
    }

    /// The address that we have towards a trunk: the system's routing table knows.
    fn local_towards(&self, to: SocketAddr) -> io::Result<SocketAddr> {
        if !self.local.ip().is_unspecified() {
            return Ok(self.local);
        }
        let probe = StdUdpSocket::bind((self.local.ip(), 0))?;
        probe.connect(to)?;
        Ok(SocketAddr::new(probe.local_addr()?.ip(), self.local.port()))
    }
}

/// Nothing panics while it holds one of these locks; if it did, the value would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const INBOX_MAX: usize = 64;
const MEMBERS_MAX: usize = 64;
const BREATH: Duration = Duration::from_millis(100);
const RESOLVE_WAIT: Duration = Duration::from_secs(5);
const RESOLVE_AGAIN: Duration = Duration::from_secs(10);
const RESOLVE_EVERY: Duration = Duration::from_secs(300);
