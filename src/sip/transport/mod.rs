//! The user agent's edge: one socket and few connections for all trunks, and a channel for each call.

mod connection;
mod incoming;
mod keep_registered;
mod resolve;
mod sip_log;
mod socket;
mod tls;
mod trunk_endpoint;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, info, trace, warn};

pub use self::incoming::Incoming;
use self::keep_registered::keep_registered;
use self::resolve::DnsResolver;
use self::socket::{NewInvite, TransportState, lock};
pub use self::trunk_endpoint::Route;
use self::trunk_endpoint::TrunkEndpoint;
use super::invite::{Input, Invite, Output};
use super::message::Message;
use super::next_hop::next_hop;
use super::probe::Probe;
use super::registration::State;
use super::trunk::Trunk;
use crate::clock::now;
use crate::dscp;
use crate::seed::Seed;

/// Our end of the trunks.
#[derive(Clone, Debug)]
pub struct SipSettings {
    /// Local address for datagrams and connections; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where trunks reach us by UDP and TCP, behind NAT; without it they are told what they see.
    pub advertise: Option<SocketAddr>,
    /// How the network is asked to treat what we send (RFC 2474).
    pub dscp: u8,
    /// A PEM file with authorities that are trusted beside the system's.
    pub tls_ca: Option<PathBuf>,
    /// The DNS server to ask in place of the system's.
    pub name_server: Option<SocketAddr>,
    /// Whether calls of the trunks are taken; else they are refused.
    pub takes_calls: bool,
}

impl SipSettings {
    /// The system's authorities and DNS, and no calls of the trunks.
    pub fn listening(listen: SocketAddr) -> Self {
        let (advertise, dscp, tls_ca, name_server) = (None, DSCP, None, None);
        Self { listen, advertise, dscp, tls_ca, name_server, takes_calls: false }
    }
}

/// Our side of all trunks. Clones share one socket; it closes with the last of them and the last [`SipChannel`].
///
/// Contract: a host that is no trunk gets no answer, whatever it sends (and is counted in
///           [`UserAgent::dropped`]); a trunk is known by the addresses of its proxy.
#[derive(Clone, Debug)]
pub struct UserAgent {
    shared: Arc<TransportState>,
    alive: Arc<watch::Sender<bool>>,
    registrations: Arc<Mutex<JoinSet<()>>>,
    new_invites: Arc<AsyncMutex<mpsc::Receiver<NewInvite>>>,
}

impl UserAgent {
    /// Opens the socket, finds the trunks and begins to register. A trunk that cannot be found now is looked for again.
    ///
    /// Errors: [`TransportError::Listen`] if the address cannot be had, [`TransportError::Authorities`].
    pub async fn bind(
        settings: SipSettings,
        trunks: Vec<Arc<Trunk>>,
        mut seed: Seed,
    ) -> Result<Self, TransportError> {
        let listen = settings.listen;
        let refused = |error| TransportError::Listen(listen, error);
        let (socket, listener) = listen_on(listen).await.map_err(refused)?;
        if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(SOCKET_BYTES) {
            debug!(%error, "receive buffer stays small");
        }
        if let Err(error) = dscp::mark(&SockRef::from(&socket), settings.dscp) {
            info!(%error, "SIP cannot be marked for the network");
        }
        let local = socket.local_addr().map_err(refused)?;
        let tls = match (tls::connector(settings.tls_ca.as_deref()), settings.tls_ca) {
            (Err(error), Some(file)) => return Err(TransportError::Authorities(file, error)),
            (made, _) => tls::Tls(made.map_err(|error| error.to_string())),
        };
        let (alive, leaving) = watch::channel(false);
        let (new_invites, new_invites_in) = mpsc::channel(NEW_INVITES_MAX);
        let shared = Arc::new(TransportState {
            socket,
            local,
            advertise: settings.advertise,
            dscp: settings.dscp,
            endpoints: trunks.into_iter().map(TrunkEndpoint::new).collect(),
            inboxes: Mutex::new(HashMap::new()),
            connections: Mutex::new(HashMap::new()),
            tls,
            alive: leaving.clone(),
            dropped: AtomicU64::new(0),
            new_invites: settings.takes_calls.then_some(new_invites),
            unsettled: watch::Sender::new(0),
        });
        let directory = DnsResolver::new(settings.name_server);
        for endpoint in &shared.endpoints {
            shared.resolve(endpoint, &directory, &mut seed).await;
        }
        tokio::spawn(shared.clone().receive());
        tokio::spawn(shared.clone().accept(listener));
        tokio::spawn(shared.clone().keep_resolving(directory, seed.split()));
        let mut registrations = JoinSet::new();
        for index in
            (0..shared.endpoints.len()).filter(|index| shared.endpoints[*index].trunk.register)
        {
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
            new_invites: Arc::new(AsyncMutex::new(new_invites_in)),
        })
    }

    /// A route to a trunk: to the best of its addresses that answers, over a connection that is opened if there is none.
    ///
    /// Errors: [`TransportError::Unknown`], [`TransportError::Unresolved`], [`TransportError::Unreachable`],
    ///         [`TransportError::Distrusted`], within seconds.
    pub async fn reach(&self, trunk: &str) -> Result<Route, TransportError> {
        self.shared.reach(self.index(trunk)?).await
    }

    /// A channel for one call on this route. Messages of this Call-ID go to its inbox until it is dropped.
    ///
    /// Contract: keep the channel as long as the call's [`Invite`] has something to absorb; [`SipChannel::see_out`] does.
    pub fn channel(&self, route: Route, call_id: &str) -> SipChannel {
        SipChannel {
            inbox: self.shared.open_inbox(call_id, Some(route.endpoint)),
            route,
            call_id: call_id.to_owned(),
            last_branch: String::new(),
            shared: self.shared.clone(),
            _alive: self.alive.clone(),
        }
    }

    /// Takes the address at the end of a route for silent, and tells whether the trunk has another one.
    pub fn mark_unreachable(&self, route: &Route) -> bool {
        self.shared
            .endpoints
            .get(route.endpoint)
            .is_some_and(|endpoint| endpoint.failed(route.target))
    }

    /// How the binding of a trunk stands; `None` for a trunk without one.
    pub fn registration(&self, trunk: &str) -> Option<State> {
        let endpoint = self.endpoint(trunk).ok().filter(|endpoint| endpoint.trunk.register)?;
        Some(*endpoint.registration.borrow())
    }

    /// Tries a trunk: by its REGISTER if it has one, else by OPTIONS, to which any answer is a good one.
    ///
    /// Errors: [`TransportError::Silent`], [`TransportError::Refused`], or as [`UserAgent::channel`].
    pub async fn probe(&self, trunk: &str, seed: Seed) -> Result<(), TransportError> {
        let index = self.index(trunk)?;
        let Some(endpoint) = self.shared.endpoints.get(index) else {
            unreachable!("one index per endpoint")
        };
        let silent = || TransportError::Silent(trunk.to_owned());
        if endpoint.trunk.register {
            let mut state = endpoint.registration.subscribe();
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
        let mut seed = seed;
        loop {
            let route = self.shared.reach(index).await?;
            let target = route.target;
            if self.ask(route, &endpoint.trunk, seed.split()).await {
                endpoint.works(target);
                return Ok(());
            }
            if !endpoint.failed(target) {
                return Err(silent());
            }
        }
    }

    /// Tells whether anybody answers at the end of a route.
    async fn ask(&self, route: Route, trunk: &Trunk, seed: Seed) -> bool {
        let mut probe = Probe::new(trunk, route.local_addr, seed, now());
        let mut channel = self.channel(route, probe.call_id());
        loop {
            if let Some(request) = probe.poll()
                && channel.send(&request).await.is_err()
            {
                return false;
            }
            if let Some(outcome) = probe.outcome() {
                return outcome.is_some();
            }
            tokio::select! {
                Some(message) = channel.inbox.recv() => probe.handle(Some(&message), now()),
                () = tokio::time::sleep_until(probe.deadline().into()) => probe.handle(None, now()),
            }
        }
    }

    /// Gives up the bindings, and waits for the answers that calls which are over are owed, such as to a BYE. Calls that
    /// still run keep their channels.
    ///
    /// Contract: returns within [`LEAVE_WAIT`], also if a registrar or a far end is silent.
    pub async fn close(&self) {
        self.alive.send_replace(true);
        let mut registrations = std::mem::take(&mut *lock(&self.registrations));
        let mut unsettled = self.shared.unsettled.subscribe();
        let all = async {
            while registrations.join_next().await.is_some() {}
            let _ = unsettled.wait_for(|calls| *calls == 0).await;
        };
        if tokio::time::timeout(LEAVE_WAIT, all).await.is_err() {
            warn!("registrar or far end did not answer in time at the stop");
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

    fn endpoint(&self, trunk: &str) -> Result<&TrunkEndpoint, TransportError> {
        let index = self.index(trunk)?;
        Ok(&self.shared.endpoints[index])
    }

    fn index(&self, trunk: &str) -> Result<usize, TransportError> {
        let index = self.shared.endpoints.iter().position(|endpoint| endpoint.trunk.name == trunk);
        index.ok_or_else(|| TransportError::Unknown(trunk.to_owned()))
    }
}

/// The SIP channel of one call to its trunk.
#[derive(Debug)]
pub struct SipChannel {
    /// Messages for this call, in order of arrival.
    pub inbox: mpsc::Receiver<Vec<u8>>,
    route: Route,
    call_id: String,
    /// The branch of the last request outside a dialog.
    last_branch: String,
    shared: Arc<TransportState>,
    _alive: Arc<watch::Sender<bool>>,
}

impl SipChannel {
    /// Sends one message: a request to the trunk, a response to where its request came from.
    ///
    /// Errors: what the socket says, or a connection that is gone and cannot be had again; a datagram lost on
    ///         the network is no error.
    pub async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        trace!(to = %self.route.target.address, bytes = message.len(), "message sent");
        if message.starts_with(b"SIP/2.0 ") {
            return self.shared.answer(message, self.route.target.address).await;
        }
        self.shared.note_branch(message);
        if self.route.connection.is_none()
            && let Some(other) = self.elsewhere(message)
        {
            return self.shared.send_datagram(message, other).await;
        }
        self.shared.send(message, &mut self.route).await
    }

    /// Another address of the same trunk to which a dialog leads.
    ///
    /// Contract: whatever else a Route or a Contact names is left to the address that answered: an address behind
    ///           NAT is reached only from there, and a stranger's is not the far end's to name. So is another port
    ///           of that address, as port forwarding would have it.
    /// Source:   RFC 3261 §12.2.1.1. The ACK of a refusal goes where its INVITE went (§17.1.1.3).
    fn elsewhere(&mut self, message: &[u8]) -> Option<SocketAddr> {
        let request = Message::parse(message).ok()?;
        if request.to.tag.is_none() {
            self.last_branch = request.branch().to_owned();
            return None;
        }
        let endpoint = self.shared.endpoints.get(self.route.endpoint)?;
        let (next, here) = (next_hop(&request)?, self.route.target.address);
        let wanted = request.branch() != self.last_branch && next.ip() != here.ip();
        (wanted && next.is_ipv4() == here.is_ipv4() && endpoint.is_member(next.ip()))
            .then_some(next)
    }

    /// Carries on with a call that is over until nothing late can come any more: mostly 32 s, at most about 96 s.
    pub fn see_out(self, invite: Invite) -> impl Future<Output = ()> + Send {
        let unsettled = Unsettled::begin(self.shared.clone());
        self.absorb(invite, unsettled)
    }

    async fn absorb(mut self, mut invite: Invite, unsettled: Unsettled) {
        let mut unsettled = Some(unsettled);
        loop {
            while let Some(output) = invite.poll() {
                match output {
                    Output::Send(message) => drop(self.send(&message).await),
                    Output::Done => return,
                    Output::Ringing | Output::EarlyMedia(_) | Output::Answered(_) => {}
                    Output::Accepted(_)
                    | Output::Reoffered(_)
                    | Output::Key(_)
                    | Output::Dialog(_)
                    | Output::Over(_) => {}
                }
            }
            unsettled.take_if(|_| invite.is_settled());
            let Some(deadline) = invite.deadline() else { return };
            tokio::select! {
                Some(message) = self.inbox.recv() => invite.handle(Input::Received(&message), now()),
                () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
            }
        }
    }
}

/// Counts a call that is over and is owed an answer, until it is dropped.
struct Unsettled(Arc<TransportState>);

impl Unsettled {
    fn begin(shared: Arc<TransportState>) -> Self {
        shared.unsettled.send_modify(|calls| *calls += 1);
        Self(shared)
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.0.unsettled.send_modify(|calls| *calls -= 1);
    }
}

impl TransportState {
    /// Sends a request on a route. A connection that is gone is opened anew.
    async fn send(self: &Arc<Self>, message: &[u8], route: &mut Route) -> io::Result<()> {
        let Some(connection) = &route.connection else {
            return self.send_datagram(message, route.target.address).await;
        };
        if connection.is_open() && connection.send(message.to_vec()).await.is_ok() {
            return Ok(());
        }
        let again = self.route(route.endpoint, route.target).await?;
        route.connection = again.connection;
        match &route.connection {
            Some(connection) => connection.send(message.to_vec()).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// One port for datagrams and for connections.
async fn listen_on(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 1..=PORT_TRIES;
    loop {
        let socket = UdpSocket::bind(listen).await?;
        match TcpListener::bind(socket.local_addr()?).await {
            Ok(listener) => return Ok((socket, listener)),
            Err(_) if listen.port() == 0 && tries.next().is_some() => {}
            Err(error) => return Err(error),
        }
    }
}

impl Drop for SipChannel {
    fn drop(&mut self) {
        self.shared.close_inbox(&self.call_id);
    }
}

/// Why a trunk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The socket cannot be opened.
    #[error("cannot listen for SIP on {0}: {1}; change listen in [sip]")]
    Listen(SocketAddr, io::Error),
    /// No trunk has this name.
    #[error("no trunk is named {0}")]
    Unknown(String),
    /// No certificate can be read from the file.
    #[error("tls_ca {0} cannot be used: {1}; name a PEM file with certificates")]
    Authorities(PathBuf, io::Error),
    /// The proxy's name gives no address that the socket can reach.
    #[error("the proxy of trunk {0} cannot be found; check its host name")]
    Unresolved(String),
    /// No connection can be had.
    #[error("trunk {0} cannot be reached: {1}; check proxy and the firewall between")]
    Unreachable(String, io::Error),
    /// The trunk's certificate does not show that it is the trunk.
    #[error(
        "the certificate of trunk {0} is not trusted ({1}); name its authority in tls_ca, or the certificate's name in proxy"
    )]
    Distrusted(String, String),
    /// Nothing came back.
    #[error("trunk {0} does not answer; check proxy and the firewall between")]
    Silent(String),
    /// The registrar said no.
    #[error("trunk {0} refuses to register with status {1}; check from, username and password")]
    Refused(String, u16),
}

/// CS3, for signalling (RFC 4594 §4.2, §2.3).
const DSCP: u8 = 24;
/// How long [`UserAgent::close`] may take.
pub const LEAVE_WAIT: Duration = Duration::from_secs(2);
const PROBE_WAIT: Duration = Duration::from_secs(10);
/// Room for what comes in while the thread is busy: some 500 messages.
const SOCKET_BYTES: usize = 1 << 20;
/// So many calls may come in at one instant.
const NEW_INVITES_MAX: usize = 64;
/// A free port for datagrams may be taken for connections.
const PORT_TRIES: u32 = 20;
