//! Where a trunk's name leads: what the DNS says.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::timeout;
use tracing::warn;

use crate::clock::now;
use crate::seed::Seed;
use crate::sip::targets::{Target, Weighed, order};
use crate::sip::trunk::{Proxy, Transport};

/// Asks the DNS. Answers are kept for as long as they hold.
#[derive(Debug)]
pub(super) struct DnsResolver {
    resolver: Option<TokioResolver>,
}

/// What was found, and how long it holds.
pub(super) struct Found {
    pub(super) targets: Vec<Target>,
    pub(super) holds: Duration,
}

impl DnsResolver {
    /// Asks this server, or those of the system.
    pub(super) fn new(name_server: Option<SocketAddr>) -> Self {
        let builder = match name_server {
            Some(server) => {
                let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut name_server.connections {
                    connection.port = server.port();
                }
                let config = ResolverConfig::from_name_servers(vec![name_server]);
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
            None => TokioResolver::builder_tokio(),
        };
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            (options.timeout, options.attempts) = (ASK_WAIT, 1);
            builder.build()
        });
        let resolver = built.inspect_err(|error| warn!(%error, "the system's DNS is not known"));
        Self { resolver: resolver.ok() }
    }

    /// The addresses of a proxy, best first; none if it cannot be found within [`FIND_WAIT`].
    ///
    /// Source: RFC 3263 §4.1 and §4.2. A name without a dot is of this house and has no SRV.
    pub(super) async fn find(&self, proxy: &Proxy, seed: &mut Seed) -> Found {
        let nothing = Found { targets: vec![], holds: HOLDS_MIN };
        timeout(FIND_WAIT, self.look(proxy, seed)).await.unwrap_or(nothing)
    }

    async fn look(&self, proxy: &Proxy, seed: &mut Seed) -> Found {
        let transport = proxy.transport.unwrap_or(Transport::Udp);
        let port = proxy.port.unwrap_or(transport.port());
        if let Ok(ip) = proxy.host.parse::<IpAddr>() {
            let address = SocketAddr::new(ip, port);
            return Found { targets: vec![Target { transport, address }], holds: HOLDS_MAX };
        }
        let mut look = Look { directory: self, until: now() + HOLDS_MAX };
        let mut targets = vec![];
        if proxy.port.is_none() && proxy.host.contains('.') {
            for (transport, name) in look.services(proxy).await {
                let records = look.servers(&name, transport).await;
                targets.extend(order(records, seed));
            }
        }
        if targets.is_empty() {
            targets = look.addresses(&proxy.host, transport, port).await;
        }
        let holds = look.until.saturating_duration_since(now()).clamp(HOLDS_MIN, HOLDS_MAX);
        Found { targets, holds }
    }
}

/// One look, which holds until the first of its answers ends.
struct Look<'d> {
    directory: &'d DnsResolver,
    until: Instant,
}

impl Look<'_> {
    /// The SRV names to ask for, best first.
    async fn services(&mut self, proxy: &Proxy) -> Vec<(Transport, String)> {
        let written = |transport| {
            let prefix = match transport {
                Transport::Udp => "_sip._udp",
                Transport::Tcp => "_sip._tcp",
                Transport::Tls => "_sips._tcp",
            };
            (transport, format!("{prefix}.{}", proxy.host))
        };
        if let Some(transport) = proxy.transport {
            return vec![written(transport)];
        }
        let mut services = vec![];
        if let Some(resolver) = &self.directory.resolver
            && let Ok(found) = resolver.lookup(rooted(&proxy.host), RecordType::NAPTR).await
        {
            self.until = self.until.min(found.valid_until());
            for record in found.answers() {
                let RData::NAPTR(naptr) = &record.data else { continue };
                let transport = match &*naptr.services.to_ascii_uppercase() {
                    b"SIP+D2U" => Transport::Udp,
                    b"SIP+D2T" => Transport::Tcp,
                    b"SIPS+D2T" => Transport::Tls,
                    _ => continue,
                };
                if naptr.flags.eq_ignore_ascii_case(b"s") {
                    let rank = (naptr.order, naptr.preference);
                    services.push((rank, transport, naptr.replacement.to_utf8()));
                }
            }
        }
        services.sort_by_key(|(rank, ..)| *rank);
        services.truncate(RECORDS_MAX);
        if services.is_empty() {
            return vec![written(Transport::Udp), written(Transport::Tcp)];
        }
        services.into_iter().map(|(_, transport, name)| (transport, name)).collect()
    }

    async fn servers(&mut self, name: &str, transport: Transport) -> Vec<Weighed> {
        let Some(resolver) = &self.directory.resolver else { return vec![] };
        let Ok(found) = resolver.srv_lookup(rooted(name)).await else { return vec![] };
        self.until = self.until.min(found.valid_until());
        let mut servers = vec![];
        for record in found.answers().iter().take(RECORDS_MAX) {
            // A root name says that there is no such service.
            if let RData::SRV(srv) = &record.data
                && !srv.target.is_root()
            {
                servers.push((srv.priority, srv.weight, srv.port, srv.target.to_utf8()));
            }
        }
        let lookups = servers.iter().map(|(.., port, host)| {
            let mut look = Look { directory: self.directory, until: self.until };
            async move { (look.addresses(host, transport, *port).await, look.until) }
        });
        let answers = join_all(lookups).await;
        let mut weighed = vec![];
        for ((priority, weight, ..), (targets, until)) in servers.into_iter().zip(answers) {
            self.until = self.until.min(until);
            weighed.push(Weighed { priority, weight, targets });
        }
        weighed
    }

    async fn addresses(&mut self, host: &str, transport: Transport, port: u16) -> Vec<Target> {
        let Some(resolver) = &self.directory.resolver else { return vec![] };
        let Ok(found) = resolver.lookup_ip(host).await else { return vec![] };
        self.until = self.until.min(found.valid_until());
        let at = |ip| Target { transport, address: SocketAddr::new(ip, port) };
        found.iter().take(RECORDS_MAX).map(at).collect()
    }
}

/// A name to which no search domain is added.
fn rooted(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}

const ASK_WAIT: Duration = Duration::from_millis(1500);
const FIND_WAIT: Duration = Duration::from_secs(8);
const HOLDS_MIN: Duration = Duration::from_secs(30);
const HOLDS_MAX: Duration = Duration::from_secs(3600);
const RECORDS_MAX: usize = 16;
