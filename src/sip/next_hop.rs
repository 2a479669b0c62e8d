//! Where a request within a dialog would go by itself.

use std::net::SocketAddr;

use super::header_value::{parameter, uri};
use super::message::Message;
use ezk_sip_types::host::Host;
use ezk_sip_types::uri::SipUri;

/// The address that stands in the first Route, or without one in the Request-URI; `None` for a name, or for another
/// transport than UDP.
///
/// Source: RFC 3261 §8.1.2, §12.2.1.1; behind a strict router the Request-URI names it.
pub fn next_hop(request: &Message) -> Option<SocketAddr> {
    let route = request.items("Route").next().and_then(uri);
    let route = route.filter(|route| parameter(route, "lr").is_some());
    let next: SipUri = route.unwrap_or(request.request_uri()).parse().ok()?;
    let transport = next.uri_params.get_val("transport");
    let ip = match next.host_port.host {
        Host::IP4(ip) => ip.into(),
        Host::IP6(ip) => ip.into(),
        Host::Name(_) => return None,
    };
    let plain = !next.sips && transport.is_none_or(|name| name.eq_ignore_ascii_case("udp"));
    plain.then(|| SocketAddr::new(ip, next.host_port.port.unwrap_or(5060)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_route_leads_then_the_contact() {
        let cases = [
            ("sip:bob@192.0.2.4", "", Some("192.0.2.4:5060")),
            ("sip:bob@192.0.2.4:5070;ob", "", Some("192.0.2.4:5070")),
            ("sip:bob@[2001:db8::1]:5070", "", Some("[2001:db8::1]:5070")),
            ("sip:bob@10.0.0.1", "<sip:192.0.2.5;lr>, <sip:192.0.2.6;lr>", Some("192.0.2.5:5060")),
            ("sip:192.0.2.7", "<sip:bob@10.0.0.1>", Some("192.0.2.7:5060")),
            (
                "sip:bob@10.0.0.1",
                "<sip:192.0.2.5:5062;transport=UDP;lr=on>",
                Some("192.0.2.5:5062"),
            ),
            ("sip:bob@10.0.0.1", "<sip:192.0.2.5;transport=tcp;lr>", None),
            ("sip:bob@10.0.0.1", "<sips:192.0.2.5;lr>", None),
            ("sip:bob@10.0.0.1", "<sip:edge.example.org;lr>", None),
            ("sip:bob@pbx.example.org", "", None),
            ("tel:+81312345678", "", None),
        ];
        for (target, routes, expected) in cases {
            let routes =
                if routes.is_empty() { String::new() } else { format!("Route: {routes}\r\n") };
            let text = format!(
                "BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKa\r\n{routes}From: <sip:us@a>;tag=1\r\n\
                 To: <sip:b@c>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n"
            );
            let next = next_hop(&Message::parse(text.as_bytes()).unwrap());
            assert_eq!(next.map(|next| next.to_string()).as_deref(), expected, "{target} {routes}");
        }
    }
}
