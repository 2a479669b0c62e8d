//! HTTP PUT of a file to the slot of an upload service, and to no other address. Edge.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tracing::{trace, warn};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use crate::address_scope::AddressScope;
use crate::trust_store;
use crate::xmpp::upload::Slot;

/// Uploads files. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Uploader(Agent);

/// How long to wait for an upload service.
#[derive(Clone, Copy, Debug)]
pub struct UploadTimeouts {
    /// For the connection, and for the name.
    pub connect: Duration,
    /// For the whole upload.
    pub whole: Duration,
}

impl Default for UploadTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), whole: Duration::from_secs(60) }
    }
}

impl Uploader {
    /// `local`: whether upload services on this machine are allowed. `tls_ca`: a PEM file with authorities that are
    /// trusted beside the system's.
    pub fn new(local: bool, tls_ca: Option<&Path>, timeouts: UploadTimeouts) -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls_config(tls_ca))
            .timeout_connect(Some(timeouts.connect))
            .timeout_resolve(Some(timeouts.connect))
            .timeout_global(Some(timeouts.whole))
            .max_idle_connections(0)
            .max_response_header_size(HEAD_BYTES_MAX)
            .user_agent(concat!("Offhook/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(Agent::with_parts(config, DefaultConnector::default(), PublicResolver { local }))
    }

    /// Uploads a file. It takes a blocking thread for as long as it lasts.
    ///
    /// Errors: [`UploadError`]; it names neither address nor file.
    pub async fn put(
        &self,
        slot: &Slot,
        media_type: &'static str,
        file: Vec<u8>,
    ) -> Result<(), UploadError> {
        let (agent, slot) = (self.0.clone(), slot.clone());
        let put = move || {
            let mut request = agent.put(slot.put.as_str()).header("Content-Type", media_type);
            for (name, value) in &slot.headers {
                request = request.header(*name, value);
            }
            let mut answer = request.send(&file[..]).map_err(UploadError::from)?;
            // Only the status counts; the first bytes of the body are read and dropped.
            let mut body = [0; ANSWER_BYTES_MAX];
            let heard = answer.body_mut().as_reader().read(&mut body);
            trace!(status = answer.status().as_u16(), heard = heard.is_ok(), "upload answered");
            match answer.status().as_u16() {
                200 | 201 | 204 => Ok(()),
                300..400 => Err(UploadError::Redirected),
                status => Err(UploadError::Refused { status }),
            }
        };
        tokio::task::spawn_blocking(put).await.unwrap_or(Err(UploadError::Unreachable))
    }
}

/// Why a file was not uploaded. It may be tried again in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The service refused the file.
    #[error("the upload service refused the file with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The service answered with a redirect, which is not followed.
    #[error("the upload service redirected the upload, which is not followed")]
    Redirected,
    /// The name resolves to an address inside the network.
    #[error("the upload service's name leads to an address that is not public")]
    NotPublic,
    /// The service took too long.
    #[error("the upload service took too long")]
    TimedOut,
    /// The service cannot be reached, its certificate is not valid, or it closed the connection.
    #[error("the upload service cannot be reached, or its certificate is not valid")]
    Unreachable,
}

impl From<Error> for UploadError {
    fn from(error: Error) -> Self {
        match error {
            Error::Timeout(_) => Self::TimedOut,
            Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => Self::NotPublic,
            _ => Self::Unreachable,
        }
    }
}

/// Resolves names to public addresses only. The connection goes to the address that was checked: the name is not
/// resolved again.
#[derive(Debug)]
struct PublicResolver {
    local: bool,
}

impl Resolver for PublicResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default);
        let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(Error::Io)?.collect();
        let mut addresses = self.empty();
        let may_be_used = |ip: IpAddr| {
            AddressScope::of(ip) == Some(AddressScope::Internet) || (self.local && ip.is_loopback())
        };
        for address in found.iter().filter(|address| may_be_used(address.ip())).take(ADDRESSES_MAX)
        {
            addresses.push(*address);
        }
        match (found.is_empty(), addresses.is_empty()) {
            (true, _) => Err(Error::HostNotFound),
            (false, true) => Err(Error::Io(io::ErrorKind::PermissionDenied.into())),
            (false, false) => Ok(addresses),
        }
    }
}

fn tls_config(tls_ca: Option<&Path>) -> TlsConfig {
    let authorities = trust_store::authorities(tls_ca).or_else(|error| {
        warn!(%error, "sip.tls_ca cannot be used; uploads trust the system's authorities only");
        trust_store::authorities(None)
    });
    let authorities = authorities.unwrap_or_default();
    let roots = authorities.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build()
}

const HEAD_BYTES_MAX: usize = 16 << 10;
const ANSWER_BYTES_MAX: usize = 1024;
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
