//! The certificate authorities that TLS connections trust: the system's, and the operator's own.

use std::io;
use std::path::Path;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tracing::debug;

/// The system's authorities and those of the PEM file `more`.
///
/// Errors: `more` cannot be read, or holds no certificate.
pub fn authorities(more: Option<&Path>) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if !found.errors.is_empty() {
        debug!(errors = ?found.errors, "some of the system's authorities cannot be read");
    }
    let mut authorities = found.certs;
    if let Some(file) = more {
        let read = CertificateDer::pem_file_iter(file).map_err(io::Error::other)?;
        let is_usable = |it: &CertificateDer<'_>| RootCertStore::empty().add(it.clone()).is_ok();
        let own: Vec<_> = read.filter_map(Result::ok).filter(is_usable).collect();
        if own.is_empty() {
            return Err(io::Error::other("there is no certificate in it"));
        }
        authorities.extend(own);
    }
    Ok(authorities)
}
