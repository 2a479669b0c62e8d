//! The address that a client counts under.

use std::net::{IpAddr, Ipv6Addr};

use hyper::HeaderMap;

/// The client's address: the peer's, or the one that a proxy on this machine forwards for.
///
/// Contract: an IPv6 client is its /64, which is what one household or one rented machine has.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let peer = peer.to_canonical();
    source(if peer.is_loopback() { forwarded().unwrap_or(peer) } else { peer })
}

/// What one household or one rented machine has.
pub(super) fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_may_name_the_client() {
        let cases = [
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
            ("::1", "10.0.0.1, 192.0.2.7", "192.0.2.7"),
            ("127.0.0.1", "unknown", "127.0.0.1"),
            ("192.0.2.1", "192.0.2.7", "192.0.2.1"),
            ("::ffff:192.0.2.1", "", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
            ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ];
        for (peer, forwarded, expected) in cases {
            let mut headers = HeaderMap::new();
            if !forwarded.is_empty() {
                headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            assert_eq!(address(ip(peer), &headers), ip(expected), "{peer} {forwarded}");
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
