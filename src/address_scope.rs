//! How far from us a host is, by its IP address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a single host is from us.
///
/// Source: RFC 6890 and its registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressScope {
    /// This machine.
    Machine,
    /// The network that this machine is attached to.
    Link,
    /// Networks of one operator: private and shared ones, and those for benchmarks and documentation, which no host of
    /// the internet has.
    Site,
    /// The internet.
    Internet,
}

impl AddressScope {
    /// The scope of an address; `None` for addresses that are no single host's.
    pub fn of(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => of_v4(ip),
            IpAddr::V6(ip) => of_v6(ip),
        }
    }
}

/// Whether a host, written as a name or an address, is this machine itself.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn of_v4(ip: Ipv4Addr) -> Option<AddressScope> {
    match ip.octets() {
        [0 | 224.., ..] => None,
        [127, ..] => Some(AddressScope::Machine),
        [169, 254, ..] => Some(AddressScope::Link),
        // Shared by the customers of a provider (CGNAT), benchmarks, protocol assignments.
        [100, 64..128, ..] | [198, 18..20, ..] | [192, 0, 0, _] => Some(AddressScope::Site),
        _ if ip.is_private() || ip.is_documentation() => Some(AddressScope::Site),
        _ => Some(AddressScope::Internet),
    }
}

fn of_v6(ip: Ipv6Addr) -> Option<AddressScope> {
    let [.., a, b] = ip.segments();
    match ip.segments() {
        _ if ip == Ipv6Addr::LOCALHOST => Some(AddressScope::Machine),
        [0xfe80..0xfec0, ..] => Some(AddressScope::Link),
        // Unique local, site-local, documentation.
        [0xfc00..0xfe00 | 0xfec0..0xff00, ..] | [0x2001, 0xdb8, ..] | [0x3fff, ..0x1000, ..] => {
            Some(AddressScope::Site)
        }
        // An IPv4 host behind a translator or a tunnel.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => of_v4(ipv4(a, b)),
        [0x2002, a, b, ..] => of_v4(ipv4(a, b)),
        [0x2000..0x4000, ..] => Some(AddressScope::Internet),
        _ => None,
    }
}

fn ipv4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_one_scope() {
        let table = [
            (None, "0.0.0.0 0.1.2.3 224.0.0.1 240.0.0.1 255.255.255.255 :: ff02::1 100::1 4000::1"),
            (Some(AddressScope::Machine), "127.0.0.1 127.255.0.9 ::1 ::ffff:127.0.0.1"),
            (Some(AddressScope::Link), "169.254.169.254 fe80::1 febf::1"),
            (
                Some(AddressScope::Site),
                "10.1.2.3 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 100.127.255.255 192.0.0.8 192.0.2.1 \
                 198.51.100.7 203.0.113.1 198.18.0.1 198.19.255.255 fc00::1 fd00::1 fec0::1 2001:db8::1 3fff::1 \
                 ::ffff:10.0.0.1 64:ff9b::10.0.0.1 2002:a00:1::1",
            ),
            (
                Some(AddressScope::Internet),
                "8.8.8.8 100.63.0.1 100.128.0.1 172.32.0.1 192.0.1.1 198.17.0.1 198.20.0.1 223.0.0.1 2606:4700::1 \
                 2a00:1450::1 64:ff9b::8.8.8.8 2002:808:808::1 3fff:1000::1",
            ),
        ];
        for (expected, addresses) in table {
            for ip in addresses.split_ascii_whitespace() {
                assert_eq!(AddressScope::of(ip.parse().unwrap()), expected, "{ip}");
            }
        }
    }
}
