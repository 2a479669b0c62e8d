//! The host of a `c=` line.

use std::net::IpAddr;

/// Who takes the packets, as a description says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// This address; unspecified for a call on hold (RFC 3264 §8.4).
    Address(IpAddr),
    /// A host name. It is not resolved: what it names would be in the far end's hand alone. Packets go through the trunk,
    /// and from where the far end sends it is learned.
    Name,
}

impl Host {
    /// Reads an address or a name; `None` for what is no single host.
    ///
    /// COMPAT(gateways): a number of hops or addresses (`/127`), which belongs to multicast only, and a zone (`%eth0`),
    /// which means something to its writer only, are passed over.
    /// Source: RFC 8866 §5.7 (a fully qualified domain name may stand there).
    pub(super) fn read(connection_address: &str) -> Option<Self> {
        let host = connection_address.trim().split(['/', '%']).next().unwrap_or_default();
        match host.parse() {
            Ok(IpAddr::V4(ip)) if ip.is_multicast() || ip.is_broadcast() => None,
            Ok(IpAddr::V6(ip)) if ip.is_multicast() => None,
            Ok(ip) => Some(Self::Address(ip)),
            Err(_) => is_name(host).then_some(Self::Name),
        }
    }
}

/// A name ends with a letter or has one somewhere; else it is an address that is written wrongly.
fn is_name(host: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    let has_letter = host.bytes().any(|octet| octet.is_ascii_alphabetic());
    host.len() <= NAME_OCTETS_MAX && has_letter && host.bytes().all(allowed)
}

const NAME_OCTETS_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name_and_never_several() {
        let address = |text: &str| Some(Host::Address(text.parse().unwrap()));
        let cases = [
            ("192.0.2.1", address("192.0.2.1")),
            (" 192.0.2.1 ", address("192.0.2.1")),
            ("192.0.2.1/127", address("192.0.2.1")),
            ("192.0.2.1/127/1", address("192.0.2.1")),
            ("0.0.0.0", address("0.0.0.0")),
            ("2001:db8::1", address("2001:db8::1")),
            ("2001:db8::1/3", address("2001:db8::1")),
            ("fe80::1%eth0", address("fe80::1")),
            ("localhost", Some(Host::Name)),
            ("media-1.example.org", Some(Host::Name)),
            ("224.0.0.1/127", None),
            ("255.255.255.255", None),
            ("ff02::1", None),
            ("192.0.2", None),
            ("192.0.2.256", None),
            ("", None),
            ("/127", None),
            ("a b", None),
            ("<script>", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Host::read(line), expected, "{line}");
        }
        assert_eq!(Host::read(&"a".repeat(256)), None);
    }
}
