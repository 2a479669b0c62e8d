//! `[http]`

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;

use super::source::Section;

/// `[http]`: the server for recordings, when it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the world finds it: what links begin with.
    pub public_url: String,
}

pub(super) fn read(mut section: Section<'_>) -> Option<Option<Http>> {
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
            Some(None)
        }
        (Some(None), Some(None)) => Some(None),
        (Some(Some(listen)), Some(Some(public_url))) => Some(Some(Http { listen, public_url })),
        (Some(Some(_)), Some(None)) => {
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

/// Whether links that begin so may be given to people: nobody between them and us can read along.
fn is_public(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host), Some(authority)) =
        (uri.scheme_str(), uri.host(), uri.authority())
    else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_plain = !url.contains(['?', '#']) && !authority.as_str().contains('@');
    is_plain && !host.is_empty() && (scheme == "https" || scheme == "http" && is_local)
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
