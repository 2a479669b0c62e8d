//! Puts a file where an upload service has made room for it, and nowhere else. Edge.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tracing::trace;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use crate::xmpp::upload::Slot;

/// Uploads files. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Uploader(Agent);

/// How long an upload service is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the connection.
    pub connect: Duration,
    /// For all of it.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), whole: Duration::from_secs(60) }
    }
}

impl Uploader {
    /// `local`: whether upload services on this machine are meant, too.
    pub fn new(local: bool, patience: Patience) -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_connect(Some(patience.connect))
            .timeout_resolve(Some(patience.connect))
            .timeout_global(Some(patience.whole))
            .max_idle_connections(0)
            .max_response_header_size(HEAD_BYTES_MAX)
            .user_agent(concat!("Offhook/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(Agent::with_parts(config, DefaultConnector::default(), Public { local }))
    }

    /// Puts the file there. It takes a thread of its own for as long as it lasts.
    ///
    /// Errors: [`UploadError`]; nothing in it tells where the file was to go.
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
            // What is said beside the status is of no use; an answer without end is not listened to.
            let mut said = [0; ANSWER_BYTES_MAX];
            let heard = answer.body_mut().as_reader().read(&mut said);
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
    /// The service said no.
    #[error("the upload service refused the file with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// It wanted us to go elsewhere, which we do not.
    #[error("the upload service redirected the upload, which is not followed")]
    Redirected,
    /// Its name stands for an address inside the network.
    #[error("the upload service's name leads to an address that is not public")]
    NotPublic,
    /// It took too long.
    #[error("the upload service took too long")]
    TimedOut,
    /// It is not there, or hung up.
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

/// Looks names up, and gives only addresses that anybody may reach: what the name says is checked here and not
/// looked up again afterwards.
#[derive(Debug)]
struct Public {
    local: bool,
}

impl Resolver for Public {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default);
        let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(Error::Io)?.collect();
        let mut addresses = self.empty();
        let may_be_used = |ip: IpAddr| is_public(ip) || (self.local && ip.is_loopback());
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

/// Whether an address belongs to the open internet.
///
/// Source: RFC 6890 (special-purpose addresses).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let benchmark = first == 198 && (18..20).contains(&second);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || ip.is_multicast()
                || first == 0
                || first >= 240
                || shared
                || benchmark)
        }
        IpAddr::V6(ip) => {
            (ip.segments()[0] & 0xe000) == 0x2000 && ip.segments()[..2] != [0x2001, 0xdb8]
        }
    }
}

const HEAD_BYTES_MAX: usize = 16 << 10;
const ANSWER_BYTES_MAX: usize = 1024;
/// What one name may lead to.
const ADDRESSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_a_network_are_told_from_public_ones() {
        let public = ["8.8.8.8", "100.128.0.1", "2a00:1450::1", "2606:4700::1"];
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
        ];
        for ip in public {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in inside {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
