//! Pages for those who watch the program: its health and its numbers.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/health`
    Health,
    /// `/metrics`
    Metrics,
}

/// Who asks for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// A program on this machine, and not one that forwards for another.
    pub is_local: bool,
    /// What the request names as its bearer token.
    pub token: Option<String>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAnswer {
    /// It tells that all is well.
    pub is_well: bool,
    /// As in `Content-Type`.
    pub media_type: &'static str,
    /// What it says.
    pub body: String,
}

/// Makes a page; `None` for who may not see it.
pub type PageSource =
    Arc<dyn Fn(Page, Asker) -> BoxFuture<'static, Option<PageAnswer>> + Send + Sync>;

impl Asker {
    /// Reads who asks.
    ///
    /// Contract: what came through a proxy is not local, nor what a browser was led to by a strange name for this machine.
    /// Source:   RFC 6750 §2.1.
    pub(super) fn read(peer: IpAddr, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
        let host = text(HOST.as_str()).unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
        let names_us = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let token = text(AUTHORIZATION.as_str()).and_then(|it| it.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        Self {
            is_local: peer.to_canonical().is_loopback() && !is_forwarded && names_us,
            token: token.map(|(_, token)| token.trim().to_owned()),
        }
    }
}

/// Each of them is a proxy's.
const FORWARDED: [&str; 4] = ["x-forwarded-for", "x-real-ip", "forwarded", "via"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_from_here_by_our_own_name_is_local() {
        let cases = [
            ("127.0.0.1", "127.0.0.1:8080", None, true),
            ("::ffff:127.0.0.1", "localhost:8080", None, true),
            ("::1", "[::1]:8080", None, true),
            ("127.0.0.1", "localhost", None, true),
            ("127.0.0.1", "rebound.example.org:8080", None, false),
            ("127.0.0.1", "", None, false),
            ("127.0.0.1", "127.0.0.1:8080", Some("x-forwarded-for"), false),
            ("127.0.0.1", "127.0.0.1:8080", Some("via"), false),
            ("192.0.2.7", "127.0.0.1:8080", None, false),
        ];
        for (peer, host, forwarded, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            headers.insert(AUTHORIZATION, "bearer  abc ".parse().unwrap());
            if let Some(name) = forwarded {
                headers.insert(name, "192.0.2.7".parse().unwrap());
            }
            let asker = Asker::read(peer.parse().unwrap(), &headers);
            let expected = Asker { is_local: expected, token: Some("abc".into()) };
            assert_eq!(asker, expected, "{peer} {host} {forwarded:?}");
        }
    }
}
