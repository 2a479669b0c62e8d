//! Who asks, and how often he may: nobody tries many links.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use hyper::HeaderMap;

/// Tells who asks: the peer, or whom a proxy on this machine speaks for.
///
/// Contract: an IPv6 source is its /64, because that is what one household or one rented machine has.
pub(super) fn of(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let peer = peer.to_canonical();
    match if peer.is_loopback() { forwarded().unwrap_or(peer) } else { peer }.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

/// Lets each source ask in bursts, but not without end.
#[derive(Debug)]
pub(super) struct Sources {
    each: Duration,
    burst: Duration,
    /// When what a source has asked for is earned again; who is not here has nothing to earn.
    earned: BTreeMap<IpAddr, Instant>,
}

impl Sources {
    /// `per_s` requests a second in the long run, `burst` at once.
    pub(super) fn new(per_s: u32, burst: u32) -> Self {
        let each = Duration::from_secs(1) / per_s.max(1);
        Self { each, burst: each * burst.max(1), earned: BTreeMap::new() }
    }

    /// Whether this source may ask once more now.
    pub(super) fn allows(&mut self, source: IpAddr, now: Instant) -> bool {
        if self.earned.len() >= SOURCES_MAX && !self.earned.contains_key(&source) {
            self.earned.retain(|_, earned| *earned > now);
            if self.earned.len() >= SOURCES_MAX {
                return false;
            }
        }
        let earned = self.earned.get(&source).map_or(now, |earned| now.max(*earned)) + self.each;
        let allowed = earned <= now + self.burst;
        if allowed {
            self.earned.insert(source, earned);
        }
        allowed
    }
}

const SOURCES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_is_slowed_and_others_are_not() {
        let (mut sources, start) = (Sources::new(20, 60), crate::clock::now());
        let (guesser, alice) = (address("192.0.2.1"), address("192.0.2.2"));
        let ms = |ms| start + Duration::from_millis(ms);
        assert_eq!((0..1000).filter(|_| sources.allows(guesser, start)).count(), 60);
        let minute = (0..60_000).filter(|t| sources.allows(guesser, ms(*t))).count();
        assert!((1190..=1200).contains(&minute), "{minute}");
        assert!((0..100).all(|t| sources.allows(alice, ms(t * 50))));
    }

    #[test]
    fn a_crowd_takes_no_more_than_its_room() {
        let (mut sources, start) = (Sources::new(20, 60), crate::clock::now());
        for number in 0..10_000 {
            sources.allows(IpAddr::V4(number.into()), start);
        }
        assert_eq!(sources.earned.len(), SOURCES_MAX);
        let later = start + Duration::from_secs(4);
        assert!(sources.allows(address("192.0.2.1"), later), "the idle make room");
        assert_eq!(sources.earned.len(), 1);
    }

    #[test]
    fn a_proxy_on_this_machine_tells_who_asks_and_nobody_else_does() {
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
            assert_eq!(of(address(peer), &headers), address(expected), "{peer} {forwarded}");
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
