//! A trunk and how it is reached now.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use tracing::{debug, warn};

use super::TransportError;
use super::connection::Connection;
use super::resolve::DnsResolver;
use super::socket::{TransportState, gone, lock};
use super::tls;
use crate::clock::now;
use crate::seed::Seed;
use crate::sip::T1;
use crate::sip::registration;
use crate::sip::targets::{Target, Targets};
use crate::sip::trunk::{Transport, Trunk};
use crate::sip::via::LocalAddr;

/// A trunk, its addresses, and the connections to them.
#[derive(Debug)]
pub(super) struct TrunkEndpoint {
    pub(super) trunk: Arc<Trunk>,
    pub(super) registration: watch::Sender<registration::State>,
    found: Mutex<Found>,
    streams: AsyncMutex<Vec<(Target, Connection)>>,
    /// What the operator knows of why it cannot be used.
    told: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Found {
    targets: Targets,
    /// Our address towards each of them, where it is a matter of datagrams.
    locals: Vec<(Target, SocketAddr)>,
    /// Our address as the trunk sees it.
    public: Option<SocketAddr>,
}

/// One address of a trunk, ready to be spoken to.
#[derive(Clone, Debug)]
pub struct Route {
    /// How our requests leave.
    pub local_addr: LocalAddr,
    /// Where they go.
    pub target: Target,
    /// Whether the trunk has another address that answers, as far as is known.
    pub spare: bool,
    pub(super) endpoint: usize,
    pub(super) connection: Option<Connection>,
}

impl Route {
    /// How long the trunk may take to say anything at all: not so long if another address may be tried.
    pub fn patience(&self) -> Duration {
        if self.spare { T1 * 8 } else { T1 * 16 }
    }
}

impl TrunkEndpoint {
    pub(super) fn new(trunk: Arc<Trunk>) -> Self {
        let streams = AsyncMutex::default();
        let (registration, found, told) =
            (watch::Sender::default(), Mutex::default(), Mutex::default());
        Self { trunk, registration, found, streams, told }
    }

    /// Why the trunk cannot be used, or that it can. Tells whether that is another reason than before.
    pub(super) fn is_news(&self, trouble: Option<String>) -> bool {
        let mut told = lock(&self.told);
        let news = trouble.is_some() && *told != trouble;
        *told = trouble;
        news
    }

    pub(super) fn is_member(&self, ip: IpAddr) -> bool {
        lock(&self.found).targets.is_member(ip)
    }

    /// Whether a message of this transport from there is the trunk's.
    pub(super) fn accepts(&self, ip: IpAddr, by: Transport) -> bool {
        lock(&self.found).targets.accepts(ip.to_canonical(), by)
    }

    /// Takes an address of ours as the trunk at `ip` sees it.
    pub(super) fn seen_from(&self, ip: IpAddr, seen: SocketAddr) {
        let mut found = lock(&self.found);
        if found.targets.is_member(ip.to_canonical()) {
            found.public = Some(seen);
        }
    }

    /// Our address as the trunk sees it.
    pub(super) fn public(&self) -> Option<SocketAddr> {
        lock(&self.found).public
    }

    pub(super) fn pick(&self) -> Option<Target> {
        lock(&self.found).targets.pick(now())
    }

    /// Takes an address for silent, and tells whether another one is worth a try at once.
    pub(super) fn failed(&self, target: Target) -> bool {
        lock(&self.found).targets.failed(target, now())
    }

    pub(super) fn works(&self, target: Target) {
        lock(&self.found).targets.works(target);
    }

    fn has_spare(&self, target: Target) -> bool {
        lock(&self.found).targets.has_spare(target, now())
    }

    fn is_found(&self) -> bool {
        !lock(&self.found).targets.known().is_empty()
    }

    /// Our end of the route to a target: an address for datagrams, or a connection, opened if need be.
    async fn end(
        &self,
        target: Target,
        shared: &Arc<TransportState>,
    ) -> io::Result<(LocalAddr, Option<Connection>)> {
        if target.transport == Transport::Udp {
            let found = lock(&self.found);
            let local = found.locals.iter().find(|(known, _)| *known == target);
            let local = local.ok_or(io::ErrorKind::AddrNotAvailable)?.1;
            let public = shared.advertise.or(found.public).unwrap_or(local);
            return Ok((LocalAddr { transport: target.transport, local, public }, None));
        }
        let mut streams = self.streams.lock().await;
        streams.retain(|(_, connection)| connection.is_open());
        let open = streams.iter().find(|(known, _)| *known == target);
        let connection = match open {
            Some((_, connection)) => connection.clone(),
            None => {
                let tls = match (target.transport, &shared.tls.0) {
                    (Transport::Tls, Ok(connector)) => {
                        let name = tls::server_name(&self.trunk.edge().host)?;
                        Some((connector.clone(), name))
                    }
                    (Transport::Tls, Err(error)) => return Err(io::Error::other(error.as_str())),
                    (Transport::Udp | Transport::Tcp, _) => None,
                };
                let connection = Connection::open(shared, target.address, tls).await?;
                streams.push((target, connection.clone()));
                connection
            }
        };
        Ok((shared.end_of(&connection, target.transport), Some(connection)))
    }
}

impl TransportState {
    /// A route to the trunk: to the best of its addresses that can be reached.
    pub(super) async fn reach(self: &Arc<Self>, index: usize) -> Result<Route, TransportError> {
        let Some(endpoint) = self.endpoints.get(index) else {
            unreachable!("one index per endpoint")
        };
        loop {
            let unresolved = || TransportError::Unresolved(endpoint.trunk.name.clone());
            let target = endpoint.pick().ok_or_else(unresolved)?;
            match self.route(index, target).await {
                Ok(route) => {
                    endpoint.is_news(None);
                    return Ok(route);
                }
                Err(error) => {
                    let trunk = endpoint.trunk.name.clone();
                    debug!(trunk, %error, "address of the trunk not reached");
                    if endpoint.failed(target) {
                        continue;
                    }
                    return Err(match tls::distrust(&error) {
                        Some(why) => {
                            if endpoint.is_news(Some(distrusted(&trunk, &why))) {
                                warn!(trunk, because = why, "certificate of trunk is not trusted");
                            }
                            TransportError::Distrusted(trunk, why)
                        }
                        None => TransportError::Unreachable(trunk, error),
                    });
                }
            }
        }
    }

    /// The route to one address of the trunk.
    pub(super) async fn route(self: &Arc<Self>, index: usize, target: Target) -> io::Result<Route> {
        let Some(endpoint) = self.endpoints.get(index) else {
            unreachable!("one index per endpoint")
        };
        let (local_addr, connection) = endpoint.end(target, self).await?;
        Ok(Route {
            local_addr,
            target,
            spare: endpoint.has_spare(target),
            endpoint: index,
            connection,
        })
    }

    /// Looks for the trunks again whenever what was found holds no longer.
    pub(super) async fn keep_resolving(self: Arc<Self>, directory: DnsResolver, mut seed: Seed) {
        let mut alive = self.alive.clone();
        loop {
            let mut holds = LOOK_AT_LEAST_EVERY;
            for endpoint in &self.endpoints {
                holds = holds.min(self.resolve(endpoint, &directory, &mut seed).await);
            }
            let lost = self.endpoints.iter().any(|endpoint| !endpoint.is_found());
            let pause = if lost { LOOK_AGAIN } else { holds };
            tokio::select! {
                () = gone(&mut alive) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Looks for one trunk, and tells for how long what was found holds.
    pub(super) async fn resolve(
        &self,
        endpoint: &TrunkEndpoint,
        directory: &DnsResolver,
        seed: &mut Seed,
    ) -> Duration {
        let found = directory.find(endpoint.trunk.edge(), seed).await;
        let (mut targets, mut locals) = (vec![], vec![]);
        for target in found.targets {
            // The socket has one family, and what is promised for voice has it too.
            if target.address.is_ipv4() != self.local.is_ipv4() {
                continue;
            }
            match self.local_towards(target.address) {
                Ok(local) => {
                    targets.push(target);
                    locals.push((target, local));
                }
                Err(error) => warn!(trunk = endpoint.trunk.name, %error, "no route to trunk"),
            }
        }
        if targets.is_empty() {
            warn!(trunk = endpoint.trunk.name, "proxy of trunk not found");
        } else {
            let mut known = lock(&endpoint.found);
            known.targets.learn(targets);
            known.locals = locals;
        }
        found.holds
    }

    /// Our end of a connection, and where we are reached once it is closed. By TCP that is the port where we listen, unless
    /// a NAT lies between: then only the connection itself leads to us, as it always does by TLS.
    ///
    /// Source: RFC 3261 §18.1.1 (who sends over a connection listens for others), §8.1.1.8 (Contact).
    pub(super) fn end_of(&self, connection: &Connection, transport: Transport) -> LocalAddr {
        let local = connection.local;
        let seen = connection.public().filter(|seen| seen.ip() != local.ip());
        let listening = || SocketAddr::new(local.ip(), self.local.port());
        let public = match transport {
            Transport::Tcp => self.advertise.or(seen).unwrap_or_else(listening),
            Transport::Udp | Transport::Tls => connection.public().unwrap_or(local),
        };
        LocalAddr { transport, local, public }
    }

    /// The address that we have towards a trunk: the system's routing table knows.
    pub(super) fn local_towards(&self, to: SocketAddr) -> io::Result<SocketAddr> {
        if !self.local.ip().is_unspecified() {
            return Ok(self.local);
        }
        let probe = StdUdpSocket::bind((self.local.ip(), 0))?;
        probe.connect(to)?;
        Ok(SocketAddr::new(probe.local_addr()?.ip(), self.local.port()))
    }
}

/// As [`TransportError::Distrusted`] says it, which is told once.
fn distrusted(trunk: &str, why: &str) -> String {
    TransportError::Distrusted(trunk.to_owned(), why.to_owned()).to_string()
}

const LOOK_AGAIN: Duration = Duration::from_secs(20);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(300);
