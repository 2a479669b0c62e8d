//! TLS: who may call itself the trunk.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::trust_store;

/// What connections to trunks are encrypted with, or why they cannot be.
pub(super) struct Tls(pub(super) Result<TlsConnector, String>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.0.as_ref().err()).finish()
    }
}

/// Makes what connections to trunks are encrypted with: the system's authorities and the operator's own.
///
/// Errors: a file that holds no certificate.
pub(super) fn connector(more: Option<&Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trust_store::authorities(more)?);
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The name that a trunk's certificate must bear: that of its proxy, whatever the DNS says.
///
/// Source: RFC 5922 §7.
pub(super) fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(io::Error::other)
}

/// Tells whether a connection failed because of the far end's certificate, and why.
pub(super) fn distrust(error: &io::Error) -> Option<String> {
    use tokio_rustls::rustls::Error;
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(why) => Some(format!("{why}")),
        _ => None,
    }
}
