//! Via: where a request was, and so where its answer goes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::header_value::{list, parameter, parameters};
use super::message::Message;
use super::message_builder::MessageBuilder;
use super::trunk::Transport;

/// How a request leaves us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddr {
    /// By which transport.
    pub transport: Transport,
    /// Our own address.
    pub local: SocketAddr,
    /// Our address as the far end sees it, which differs behind NAT.
    pub public: SocketAddr,
}

impl LocalAddr {
    /// An address without NAT.
    pub fn direct(transport: Transport, local: SocketAddr) -> Self {
        Self { transport, local, public: local }
    }

    /// The Via of one request of ours.
    ///
    /// Source: RFC 3261 §8.1.1.7; RFC 3581 §3 (`rport`).
    pub fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", self.transport.name(), self.local)
    }

    /// The URI at which we are reached.
    pub fn contact(&self, user: &str) -> String {
        format!("sip:{user}@{}{}", self.public, self.transport.parameter())
    }
}

/// The address from which a trunk says that our request came, if it does.
///
/// Source: RFC 3581 §4. COMPAT(Kamailio): an address that is as we wrote it is not repeated, only the port is given.
pub fn seen_from(response: &Message) -> Option<SocketAddr> {
    let told: Option<u16> = parameter(response.via()?, "rport")?.parse().ok();
    told.and_then(|_| return_address(response))
}

/// The transport named in the topmost Via.
pub fn transport(message: &Message) -> Option<Transport> {
    let protocol = message.via()?.split(';').next()?;
    Transport::named(protocol.split('/').nth(2)?.split_ascii_whitespace().next()?)
}

/// Writes a request as it came, with where it came from in its topmost Via, so that the answer finds its way.
///
/// Source: RFC 3261 §18.2.1; RFC 3581 §4.
pub fn stamped(request: &Message, source: SocketAddr) -> Vec<u8> {
    let mut builder = MessageBuilder::request(&request.method, request.request_uri());
    let mut stamp = Some(source);
    for (name, value) in request.headers() {
        match stamp.take_if(|_| name == "Via") {
            Some(source) => builder = builder.header("Via", &stamped_via(value, source)),
            None => builder = builder.header(name.as_print_str(), value),
        }
    }
    builder.raw_body(&request.body)
}

/// Where the answer to a request goes: its topmost Via says so. `None` if that names no address.
///
/// Source: RFC 3261 §18.2.2; RFC 3581 §4.
pub fn return_address(message: &Message) -> Option<SocketAddr> {
    let via = message.via()?;
    let sent_by = via.split(';').next()?.split_ascii_whitespace().last()?;
    let (host, port) = match sent_by.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        Some(_) | None => (sent_by, 5060),
    };
    let ip = parameter(via, "received").unwrap_or(host).trim_matches(['[', ']']).parse().ok()?;
    let port = parameter(via, "rport").and_then(|port| port.parse().ok()).unwrap_or(port);
    Some(SocketAddr::new(ip, port))
}

fn stamped_via(line: &str, source: SocketAddr) -> String {
    let top = list(line).next().unwrap_or_default();
    let rest = line.get(top.len()..).unwrap_or_default();
    let mut stamped = top.split(';').next().unwrap_or_default().to_owned();
    for (name, value) in parameters(top) {
        let ours = name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport");
        if !ours {
            let equals = if value.is_empty() { "" } else { "=" };
            let _ = write!(stamped, ";{name}{equals}{value}");
        }
    }
    let _ = write!(stamped, ";received={}", source.ip());
    // COMPAT(connections): the answer to a request that came over one is found by the port it came from.
    let connected = !top.to_ascii_uppercase().contains("/UDP") && !top.contains("/ UDP");
    if connected || parameter(top, "rport").is_some() {
        let _ = write!(stamped, ";rport={}", source.port());
    }
    stamped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunk_tells_as_whom_it_sees_us() {
        let cases = [
            (";rport=4444;received=198.51.100.1", Some("198.51.100.1:4444")),
            (";received=198.51.100.1;rport=4444", Some("198.51.100.1:4444")),
            (";rport=4444", Some("192.0.2.9:4444")),
            (";rport", None),
            (";rport=;received=198.51.100.1", None),
            (";rport=x;received=198.51.100.1", None),
            (";received=198.51.100.1", None),
            ("", None),
        ];
        for (told, expected) in cases {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa{told}\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:b@c>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
            );
            let seen = seen_from(&Message::parse(text.as_bytes()).unwrap());
            assert_eq!(seen.map(|seen| seen.to_string()).as_deref(), expected, "{told}");
        }
    }

    #[test]
    fn an_answer_goes_to_where_the_request_came_from() {
        let cases = [
            ("SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKa", "192.0.2.9:5062"),
            ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa", "192.0.2.9:5060"),
            ("SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKa", "192.0.2.9:4444"),
            ("SIP/2.0/UDP pbx.example.org;rport=1;received=198.51.100.1", "192.0.2.9:4444"),
            (
                "SIP / 2.0 / UDP pbx.example.org:5070 ;branch=z9hG4bKa, SIP/2.0/UDP x;rport=5",
                "192.0.2.9:5070",
            ),
            ("SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKa", "192.0.2.9:5070"),
            ("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKa", "192.0.2.9:5060"),
        ];
        for (via, expected) in cases {
            let text = format!(
                "BYE sip:us@here SIP/2.0\r\nVia: {via}\r\nVia: SIP/2.0/UDP last\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:us@here>;tag=2\r\nCall-ID: c\r\nCSeq: 1 BYE\r\nContent-Length: 2\r\n\r\nhi"
            );
            let request = Message::parse(text.as_bytes()).unwrap();
            let stamped = stamped(&request, "192.0.2.9:4444".parse().unwrap());
            let stamped = Message::parse(&stamped).unwrap();
            assert_eq!(
                return_address(&stamped).map(|to| to.to_string()).as_deref(),
                Some(expected),
                "{via}"
            );
            assert_eq!(stamped.items("Via").count(), request.items("Via").count());
            assert_eq!((stamped.branch(), &stamped.body), (request.branch(), &request.body));
        }
    }
}
