//! Pages for those who watch the program: its health, its numbers, and what it does.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/health`
    Health,
    /// `/metrics`
    Metrics,
    /// `/operator` and what is below it.
    Operator {
        /// The whole path.
        path: String,
        /// What stands behind the `?`.
        query: String,
    },
}

/// Who asks for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// A program on this machine, and not one that forwards for another.
    pub is_local: bool,
    /// What the request names as its bearer token, or as its password.
    pub token: Option<String>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAnswer {
    /// What a machine is to think of it.
    pub status: PageStatus,
    /// As in `Content-Type`.
    pub media_type: &'static str,
    /// What it says.
    pub body: String,
}

/// What a page says to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStatus {
    /// All is well.
    Well,
    /// It tells of a fault.
    Failing,
    /// There is no such page.
    Nothing,
}

/// Makes a page; `None` for who may not see it.
pub type PageSource =
    Arc<dyn Fn(Page, Asker) -> BoxFuture<'static, Option<PageAnswer>> + Send + Sync>;

impl Asker {
    /// Reads who asks.
    ///
    /// Contract: what came through a proxy is not local, nor what a browser was led to by a strange name for this machine.
    /// Source:   RFC 6750 §2.1; RFC 7617 §2 for browsers, in which the token is the password of any user.
    pub(super) fn read(peer: IpAddr, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
        let host = text(HOST.as_str()).unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
        let names_us = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let token = text(AUTHORIZATION.as_str()).and_then(|it| it.split_once(' '));
        let token = token.and_then(|(scheme, given)| match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Some(given.trim().to_owned()),
            "basic" => password(given.trim()),
            _ => None,
        });
        Self { is_local: peer.to_canonical().is_loopback() && !is_forwarded && names_us, token }
    }
}

fn password(written: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(written).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
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

    #[test]
    fn a_browser_shows_the_token_as_a_password() {
        let cases = [
            ("Basic YW55Ym9keTphYmM=", Some("abc")),
            ("basic OmE6Yg==", Some("a:b")),
            ("Basic YWJj", None),
            ("Basic ?", None),
            ("Digest abc", None),
            ("Bearer", None),
        ];
        for (written, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, written.parse().unwrap());
            let asker = Asker::read("192.0.2.7".parse().unwrap(), &headers);
            assert_eq!(asker.token.as_deref(), expected, "{written}");
        }
    }
}
