//! `[http]`

use std::net::SocketAddr;

use hyper::Uri;

use super::section::Section;
use crate::address_scope::is_loopback;

/// `[http]`, as far as SIGHUP changes it: the links to recordings that our own server gives out.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Where the world finds the server: what links begin with. None when the server is off.
    pub public_url: Option<String>,
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
    let read = match (listen, public_url) {
        (Some(None), Some(Some(_))) => {
            section.note("public_url", "has no effect without listen");
            Some((None, Links::default()))
        }
        (Some(None), Some(None)) => Some((None, Links::default())),
        (Some(listen), Some(public_url)) if public_url.is_some() => {
            Some((listen, Links { public_url }))
        }
        (Some(_), Some(_)) => {
            section.mistake(
                "public_url",
                "listen needs public_url: what links begin with, such as https://voice.example.org",
            );
            None
        }
        (None, _) | (_, None) => None,
    };
    section.refuse_unknown_keys();
    read
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
