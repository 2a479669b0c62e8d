//! The socket of the user agent: who may send to it, and for which call a message is.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};
use tracing::{debug, trace, warn};

use super::connection::Connection;
use super::sip_log::{self, Way};
use super::tls::Tls;
use super::trunk_endpoint::TrunkEndpoint;
use crate::sip::message::{DATAGRAM_BYTES_MAX, Message, Method, Start};
use crate::sip::out_of_dialog;
use crate::sip::trunk::Transport;
use crate::sip::via::{return_address, seen_from, stamped, transport};

/// The socket, the connections and the trunks behind them, and the inboxes of those who wait for messages.
#[derive(Debug)]
pub(super) struct TransportState {
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    /// Where trunks reach us, if the operator says so.
    pub(super) advertise: Option<SocketAddr>,
    pub(super) dscp: u8,
    pub(super) endpoints: Vec<TrunkEndpoint>,
    pub(super) inboxes: Mutex<HashMap<String, Inbox>>,
    pub(super) connections: Mutex<HashMap<SocketAddr, Connection>>,
    pub(super) tls: Tls,
    pub(super) alive: watch::Receiver<bool>,
    pub(super) dropped: AtomicU64,
    /// Calls that are over and are owed an answer.
    pub(super) unsettled: watch::Sender<usize>,
    /// Where calls of the trunks go; none if they are refused.
    pub(super) new_invites: Option<mpsc::Sender<NewInvite>>,
}

/// Where messages of one Call-ID go.
#[derive(Debug)]
pub(super) struct Inbox {
    sender: mpsc::Sender<Vec<u8>>,
    /// Whose messages it takes; of any trunk while it is not known which has called.
    endpoint: Option<usize>,
    /// The branches of the requests sent last.
    branches: VecDeque<String>,
}

/// An INVITE that belongs to no call yet.
#[derive(Debug)]
pub(super) struct NewInvite {
    pub(super) request: Message,
    pub(super) source: SocketAddr,
    pub(super) by: Transport,
    pub(super) inbox: mpsc::Receiver<Vec<u8>>,
}

/// What became of a message.
pub(super) struct Taken {
    /// What is to be sent back to where the message came from.
    pub(super) answer: Option<Vec<u8>>,
    /// Our address as the far end sees it, if it says so.
    pub(super) seen_from: Option<SocketAddr>,
}

impl TransportState {
    pub(super) fn open_inbox(
        &self,
        call_id: &str,
        endpoint: Option<usize>,
    ) -> mpsc::Receiver<Vec<u8>> {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let branches = VecDeque::new();
        let new = Inbox { sender, endpoint, branches };
        lock(&self.inboxes).insert(call_id.to_owned(), new);
        inbox
    }

    /// It is this trunk that has called.
    pub(super) fn keep_inbox_for(&self, call_id: &str, endpoint: usize) {
        if let Some(inbox) = lock(&self.inboxes).get_mut(call_id) {
            inbox.endpoint = Some(endpoint);
        }
    }

    /// A request leaves, and its responses may tell as whom the far end sees us.
    pub(super) fn note_branch(&self, request: &[u8]) {
        let Ok(request) = Message::parse(request) else { return };
        let mut inboxes = lock(&self.inboxes);
        let Some(inbox) = inboxes.get_mut(&request.call_id) else { return };
        if inbox.branches.iter().any(|branch| branch == request.branch()) {
            return;
        }
        if inbox.branches.len() == BRANCHES_MAX {
            inbox.branches.pop_front();
        }
        inbox.branches.push_back(request.branch().to_owned());
    }

    pub(super) fn close_inbox(&self, call_id: &str) {
        lock(&self.inboxes).remove(call_id);
    }

    /// Takes datagrams until the user agent is dropped.
    pub(super) async fn receive(self: Arc<Self>) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX + 1];
        let mut alive = self.alive.clone();
        loop {
            let received = tokio::select! {
                () = gone(&mut alive) => return,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((len, source)) => {
                    let datagram = buffer.get(..len).unwrap_or_default();
                    let Some(taken) = self.take(datagram, source, Transport::Udp) else { continue };
                    if let Some(seen) = taken.seen_from {
                        self.endpoints
                            .iter()
                            .for_each(|endpoint| endpoint.seen_from(source.ip(), seen));
                    }
                    let Some(answer) = taken.answer else { continue };
                    let to = self.return_address(&answer).unwrap_or(source);
                    if let Err(error) = self.send_datagram(&answer, to).await {
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

    /// Accepts connections that trunks open; those of others are closed.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut alive = self.alive.clone();
        loop {
            let accepted = tokio::select! {
                () = gone(&mut alive) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let room = lock(&self.connections).len() < CONNECTIONS_MAX;
                    if !room || !self.accepts(peer.ip(), Transport::Tcp) {
                        trace!(%peer, "connection of a stranger closed");
                        self.count();
                    } else if let Err(error) = Connection::accepted(&self, stream) {
                        debug!(%error, "connection not accepted");
                    }
                }
                Err(error) => {
                    warn!(%error, "SIP connections cannot be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Brings a message to its call; a request without one gets an answer. `None` for what is dropped.
    ///
    /// A source that is no trunk by this transport is a stranger.
    pub(super) fn take(&self, bytes: &[u8], source: SocketAddr, by: Transport) -> Option<Taken> {
        if !self.accepts(source.ip(), by) {
            trace!(%source, "message of a stranger dropped");
            self.count();
            return None;
        }
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return None;
        }
        sip_log::show(Way::Received, source, by, bytes);
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => {
                debug!(%error, %source, "message dropped");
                self.count();
                return None;
            }
        };
        let request = matches!(message.start, Start::Request { .. });
        let bytes = if request { stamped(&message, source) } else { bytes.to_vec() };
        let (inbox, asked) = match lock(&self.inboxes).get(&message.call_id) {
            Some(inbox) => {
                let endpoint = inbox.endpoint.and_then(|index| self.endpoints.get(index));
                if endpoint.is_some_and(|endpoint| !endpoint.accepts(source.ip(), by)) {
                    debug!("message of another trunk's call dropped");
                    self.count();
                    return None;
                }
                let asked = inbox.branches.iter().any(|branch| branch == message.branch());
                (Some(inbox.sender.clone()), asked)
            }
            None => (None, false),
        };
        // Only who has had a request of ours can tell from where it came.
        let seen_from = seen_from(&message).filter(|_| !request && asked);
        let mut taken = Taken { answer: None, seen_from };
        if let Some(inbox) = inbox {
            if inbox.try_send(bytes).is_err() {
                debug!("inbox full, message dropped");
                self.count();
            }
        } else if request {
            taken.answer = Message::parse(&bytes)
                .ok()
                .and_then(|request| self.offer_invite(request, source, by));
        } else {
            debug!("response without a call dropped");
            self.count();
        }
        Some(taken)
    }

    /// Passes on an INVITE that is to make a call, or answers the request.
    fn offer_invite(&self, request: Message, source: SocketAddr, by: Transport) -> Option<Vec<u8>> {
        let makes_a_call = request.method == Method::Invite && request.to.tag.is_none();
        let Some(new_invites) = self.new_invites.as_ref().filter(|_| makes_a_call) else {
            return out_of_dialog::answer(&request);
        };
        let Ok(room) = new_invites.try_reserve() else {
            debug!("new call dropped, too many wait");
            return Some(out_of_dialog::refuse(&request, 503));
        };
        let inbox = self.open_inbox(&request.call_id, None);
        room.send(NewInvite { request, source, by, inbox });
        None
    }

    /// Sends a response where the topmost Via of its request says, if that is a trunk.
    ///
    /// Source: RFC 3261 §18.2.2: over the connection that the request came by, while there is one.
    pub(super) async fn answer(&self, response: &[u8], otherwise: SocketAddr) -> io::Result<()> {
        let parsed = Message::parse(response).ok();
        let connected = parsed.as_ref().and_then(transport).is_some_and(Transport::is_reliable);
        let to = self.return_address(response).unwrap_or(otherwise);
        if !connected {
            return self.send_datagram(response, to).await;
        }
        let connection = {
            let connections = lock(&self.connections);
            connections.get(&to).or_else(|| connections.get(&otherwise)).cloned()
        };
        match connection {
            Some(connection) => connection.send(response.to_vec()).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) async fn send_datagram(&self, message: &[u8], to: SocketAddr) -> io::Result<()> {
        sip_log::show(Way::Sent, to, Transport::Udp, message);
        self.socket.send_to(message, to).await.map(drop)
    }

    /// A connection is over.
    pub(super) fn forget(&self, peer: SocketAddr) {
        let mut connections = lock(&self.connections);
        if connections.get(&peer).is_some_and(|connection| !connection.is_open()) {
            connections.remove(&peer);
        }
    }

    fn return_address(&self, response: &[u8]) -> Option<SocketAddr> {
        let response = Message::parse(response).ok()?;
        return_address(&response).filter(|address| self.is_trunk(address.ip()))
    }

    fn is_trunk(&self, ip: IpAddr) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.is_member(ip.to_canonical()))
    }

    fn accepts(&self, ip: IpAddr, by: Transport) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.accepts(ip, by))
    }

    fn count(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until the last user agent and channel are dropped; giving up the bindings is not that.
pub(super) async fn gone(alive: &mut watch::Receiver<bool>) {
    while alive.changed().await.is_ok() {}
}

/// Nothing panics while it holds one of these locks; if it did, the value would still be whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const INBOX_MAX: usize = 64;
/// A request and what comes of its challenges and redirections, and some within the dialog.
const BRANCHES_MAX: usize = 8;
const CONNECTIONS_MAX: usize = 256;
const BREATH: Duration = Duration::from_millis(100);
