//! The socket of the user agent: who may talk to it, and whom a message is for.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tracing::{debug, trace, warn};

use crate::sip::message::{DATAGRAM_BYTES_MAX, Message, Start};
use crate::sip::registration;
use crate::sip::stray;
use crate::sip::trunk::Trunk;
use crate::sip::via::{return_address, stamped};

/// The socket, the trunks behind it, and the inboxes of those who wait for messages.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) ways: Vec<Way>,
    pub(super) inboxes: Mutex<HashMap<String, mpsc::Sender<Vec<u8>>>>,
    pub(super) dropped: AtomicU64,
}

/// A trunk and how it is reached now.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) trunk: Arc<Trunk>,
    pub(super) registration: watch::Sender<registration::State>,
    route: Mutex<Option<Route>>,
}

impl Way {
    pub(super) fn new(trunk: Arc<Trunk>) -> Self {
        Self { trunk, registration: watch::Sender::default(), route: Mutex::new(None) }
    }

    pub(super) fn route(&self) -> Option<Route> {
        lock(&self.route).clone()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) to: SocketAddr,
    pub(super) local: SocketAddr,
    /// All its addresses, and some that it had before, for calls that began then.
    members: Vec<IpAddr>,
}

impl Shared {
    pub(super) fn open_inbox(&self, call_id: &str) -> mpsc::Receiver<Vec<u8>> {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        lock(&self.inboxes).insert(call_id.to_owned(), sender);
        inbox
    }

    pub(super) fn close_inbox(&self, call_id: &str) {
        lock(&self.inboxes).remove(call_id);
    }

    pub(super) async fn receive(self: Arc<Self>, mut ended: watch::Receiver<bool>) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX + 1];
        loop {
            let received = tokio::select! {
                () = gone(&mut ended) => return,
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
    pub(super) fn destination(&self, message: &[u8], otherwise: SocketAddr) -> SocketAddr {
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

    pub(super) async fn keep_resolving(self: Arc<Self>, mut ended: watch::Receiver<bool>) {
        loop {
            let lost = self.ways.iter().any(|way| lock(&way.route).is_none());
            let pause = if lost { RESOLVE_AGAIN } else { RESOLVE_EVERY };
            tokio::select! {
                () = gone(&mut ended) => return,
                () = tokio::time::sleep(pause) => self.resolve().await,
            }
        }
    }

    pub(super) async fn resolve(&self) {
        futures_util::future::join_all(self.ways.iter().map(|way| self.resolve_way(way))).await;
    }

    async fn resolve_way(&self, way: &Way) {
        let host = (way.trunk.proxy.host.as_str(), way.trunk.proxy.port());
        let looked_up = tokio::time::timeout(RESOLVE_WAIT, tokio::net::lookup_host(host)).await;
        let addresses: Vec<_> = match looked_up {
            Ok(Ok(addresses)) => {
                addresses.filter(|to| to.is_ipv4() == self.local.is_ipv4()).collect()
            }
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let way_there =
            addresses.first().map(|to| self.local_towards(*to).map(|local| (*to, local)));
        let (to, local) = match way_there {
            Some(Ok(found)) => found,
            Some(Err(error)) => return warn!(trunk = way.trunk.name, %error, "no way to trunk"),
            None => return warn!(trunk = way.trunk.name, "proxy of trunk not found"),
        };
        let mut members: Vec<_> = addresses.iter().map(|to| to.ip().to_canonical()).collect();
        let mut route = lock(&way.route);
        let before = route.iter().flat_map(|route| &route.members).take(MEMBERS_MAX);
        let before: Vec<_> = before.filter(|ip| !members.contains(ip)).copied().collect();
        members.extend(before);
        *route = Some(Route { to, local, members });
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

/// Waits until nobody needs the socket any more. Giving up the bindings is not that.
async fn gone(alive: &mut watch::Receiver<bool>) {
    while alive.changed().await.is_ok() {}
}

/// Nothing panics while it holds one of these locks; if it did, the value would still be whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const INBOX_MAX: usize = 64;
const MEMBERS_MAX: usize = 64;
const BREATH: Duration = Duration::from_millis(100);
const RESOLVE_WAIT: Duration = Duration::from_secs(5);
const RESOLVE_AGAIN: Duration = Duration::from_secs(20);
const RESOLVE_EVERY: Duration = Duration::from_secs(300);
