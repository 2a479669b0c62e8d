//! `[http]`

use std::net::SocketAddr;

use hyper::Uri;
use secrecy::SecretString;

use super::section::Section;
use crate::address_scope::is_loopback;

/// `[http]`, as far as SIGHUP changes it: the links to recordings that our own server gives out, and who may watch it.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Where the world finds the server: what links begin with. None when the server is off.
    pub public_url: Option<String>,
    /// What another host must name to see `/health`, `/metrics` and `/operator`, and who wants the names of people there.
    /// Without one no other host sees them, and nobody is named.
    pub token: Option<SecretString>,
}

/// Reads where the server for recordings listens, when it is on, and what links to it look like.
pub(super) fn read(mut section: Section<'_>) -> Option<(Option<SocketAddr>, Links)> {
    let listen = section.text("listen").and_then(|text| match text.unwrap_or_default() {
        none if none.is_empty() => Some(None),
        written => {
            let listen = written.parse().ok().filter(|listen: &SocketAddr| listen.port() > 0);
            if listen.is_none() {
                section
                    .mistake("listen", "listen is an address and a port, such as 127.0.0.1:8080");
            }
            listen.map(Some)
        }
    });
    let public_url = section.text("public_url").and_then(|text| match text.unwrap_or_default() {
        none if none.is_empty() => Some(None),
        written if is_public(&written) => Some(Some(written)),
        _ => {
            section.mistake(
                "public_url",
                "public_url is https:// and a host, or http:// on this machine, without ? and #",
            );
            None
        }
    });
    let token = section.secret_in_file("token_file");
    if listen == Some(None) {
        for key in ["public_url", "token_file"] {
            if section.is_written(key) && section.text(key) != Some(Some(String::new())) {
                section.note(key, "has no effect without listen");
            }
        }
    } else if public_url == Some(None) {
        section.note(
            "listen",
            "without public_url there are no links to recordings, only /health, /metrics and /operator",
        );
    }
    section.refuse_unknown_keys();
    let (listen, public_url, token) = (listen?, public_url?, token?);
    Some((listen, if listen.is_some() { Links { public_url, token } } else { Links::default() }))
}

/// Whether links that begin so may be given to people: the way to the server is encrypted or stays on this machine.
fn is_public(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host), Some(authority)) =
        (uri.scheme_str(), uri.host(), uri.authority())
    else {
        return false;
    };
    let is_plain = !url.contains(['?', '#']) && !authority.as_str().contains('@');
    is_plain && !host.is_empty() && (scheme == "https" || scheme == "http" && is_loopback(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_https_or_stay_on_this_machine() {
        let good = [
            "https://voice.example.org",
            "https://example.org:8443/voice/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://localhost:8080",
        ];
        let bad = [
            "http://voice.example.org",
            "https://",
            "https://voice.example.org/?x",
            "https://voice.example.org/#x",
            "https://me@voice.example.org",
            "voice.example.org",
            "/voice",
            "ftp://localhost",
            "http://localhost.example.org",
            "https://a b",
        ];
        assert!(good.iter().all(|url| is_public(url)));
        for url in bad {
            assert!(!is_public(url), "{url}");
        }
    }
}
