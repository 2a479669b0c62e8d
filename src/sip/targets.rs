//! Which of a trunk's addresses is tried next.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::trunk::Transport;
use crate::seed::Seed;

/// One address of a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// How it is spoken to.
    pub transport: Transport,
    /// Where it listens.
    pub address: SocketAddr,
}

/// An SRV record whose name is resolved.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// Lower ones are tried first.
    pub priority: u16,
    /// How much of the load it gets among those of its priority.
    pub weight: u16,
    /// The addresses of its host.
    pub targets: Vec<Target>,
}

/// Puts SRV records in the order in which they are tried.
///
/// Source: RFC 2782 (weight); RFC 3263 §4.3.
pub fn order(mut records: Vec<Weighed>, seed: &mut Seed) -> Vec<Target> {
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::new();
    while let Some(first) = records.first() {
        let priority = first.priority;
        let equals = records.iter().take_while(|record| record.priority == priority);
        let total: u64 = equals.map(|record| u64::from(record.weight)).sum();
        let drawn = seed.below(total + 1);
        let mut sum = 0;
        let at = records.iter().position(|record| {
            sum += u64::from(record.weight);
            sum >= drawn
        });
        ordered.extend(records.remove(at.unwrap_or_default()).targets);
    }
    ordered.truncate(TARGETS_MAX);
    ordered
}

/// The addresses of one trunk, best first, and which of them did not answer of late.
///
/// Source: RFC 3263 §4.3: a server that fails is passed over, and tried again later.
#[derive(Debug, Default)]
pub struct Targets {
    known: Vec<Target>,
    resting: Vec<(Target, Instant)>,
    members: Vec<IpAddr>,
}

impl Targets {
    /// Takes what a look into the DNS has found. Nothing found changes nothing.
    pub fn learn(&mut self, found: Vec<Target>) {
        if found.is_empty() {
            return;
        }
        let mut members: Vec<_> =
            found.iter().map(|target| target.address.ip().to_canonical()).collect();
        let before: Vec<_> = self.members.iter().filter(|ip| !members.contains(ip)).collect();
        // Calls that began with an address that is gone still end with it.
        let before = before.into_iter().take(MEMBERS_MAX).copied().collect::<Vec<_>>();
        members.extend(before);
        self.members = members;
        self.resting.retain(|(target, _)| found.contains(target));
        self.known = found;
    }

    /// The one to try: the best that answers; if none does, the one whose rest ends first.
    pub fn pick(&self, now: Instant) -> Option<Target> {
        let well = self.known.iter().find(|target| self.is_well(target, now)).copied();
        well.or_else(|| {
            let first = self.resting.iter().min_by_key(|(_, until)| *until);
            first.map(|(target, _)| *target)
        })
    }

    /// Tells whether there is another one to try if this one fails.
    pub fn has_spare(&self, target: Target, now: Instant) -> bool {
        self.known.iter().any(|other| *other != target && self.is_well(other, now))
    }

    /// Takes one for silent, and tells whether another one is worth a try at once.
    pub fn failed(&mut self, target: Target, now: Instant) -> bool {
        self.works(target);
        if self.known.contains(&target) {
            self.resting.push((target, now + REST));
        }
        self.has_spare(target, now)
    }

    /// It has answered.
    pub fn works(&mut self, target: Target) {
        self.resting.retain(|(known, _)| *known != target);
    }

    /// Tells whether an address is the trunk's, or was of late.
    pub fn is_member(&self, ip: IpAddr) -> bool {
        self.members.contains(&ip)
    }

    /// Tells whether a message of this transport from there is the trunk's.
    pub fn accepts(&self, ip: IpAddr, by: Transport) -> bool {
        let fits = |target: &Target| target.transport.is_answered_by(by);
        self.is_member(ip) && self.known.iter().any(fits)
    }

    /// All of them, best first.
    pub fn known(&self) -> &[Target] {
        &self.known
    }

    fn is_well(&self, target: &Target, now: Instant) -> bool {
        !self.resting.iter().any(|(known, until)| known == target && now < *until)
    }
}

/// How long one that did not answer is passed over.
pub const REST: Duration = Duration::from_secs(60);
const TARGETS_MAX: usize = 16;
const MEMBERS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn a_target_that_fails_is_passed_over_for_a_minute() {
        let start = now();
        // `-a`: a fails; `+a`: it answers; `@30`: so many seconds go by; `=ab`: these are found.
        let cases = [
            ("knows nobody", "", "none"),
            ("has one", "=a", "a"),
            ("has one that fails", "=a -a", "a a"),
            ("has two", "=ab -a", "a b+"),
            ("has two that fail", "=ab -a @5 -b", "a b+ b a"),
            ("has one that recovers", "=ab -a @59 @1", "a b+ b a"),
            ("has one that answers again", "=ab -a +a", "a b+ a"),
            ("forgets a rest with its address", "=ab -a =b =ab", "a b+ b a"),
            ("keeps what it knew", "=a =", "a a"),
        ];
        for (trunk, timeline, expected) in cases {
            let (mut targets, mut time, mut told) = (Targets::default(), start, vec![]);
            for word in timeline.split(' ') {
                let (kind, rest) = word.split_at(word.len().min(1));
                let mut spare = "";
                match kind {
                    "=" => targets.learn(rest.chars().map(target).collect()),
                    "-" if targets.failed(target(rest.chars().next().unwrap()), time) => {
                        spare = "+"
                    }
                    "+" => targets.works(target(rest.chars().next().unwrap())),
                    "@" => time += Duration::from_secs(rest.parse().unwrap()),
                    _ => {}
                }
                let picked = targets.pick(time).map(|target| target.address.port() as u8);
                told.push(picked.map_or("none".to_owned(), |name| char::from(name).into()) + spare);
            }
            assert_eq!(told.join(" "), expected, "a trunk that {trunk}");
        }
    }

    #[test]
    fn a_trunk_is_believed_by_the_transport_by_which_it_is_reached() {
        use Transport::{Tcp, Tls, Udp};
        let cases =
            [(Udp, [true, true, false]), (Tcp, [false, true, false]), (Tls, [false, false, true])];
        for (reached, expected) in cases {
            let mut targets = Targets::default();
            targets.learn(vec![Target { transport: reached, ..target('a') }]);
            for (by, expected) in [Udp, Tcp, Tls].into_iter().zip(expected) {
                let ip = target('a').address.ip();
                assert_eq!(targets.accepts(ip, by), expected, "{reached:?} {by:?}");
                assert!(!targets.accepts([192, 0, 2, 2].into(), by), "a stranger");
            }
        }
    }

    #[test]
    fn records_are_tried_by_priority_and_drawn_by_weight() {
        let mut first = [0; 3];
        let mut seed = Seed::fixed(7);
        for _ in 0..2000 {
            let records = [(10, 75, 'a'), (10, 25, 'b'), (20, 100, 'c'), (10, 0, 'd')];
            let records = records.map(|(priority, weight, name)| Weighed {
                priority,
                weight,
                targets: vec![target(name)],
            });
            let ordered = order(records.to_vec(), &mut seed);
            assert_eq!(ordered.len(), 4);
            assert_eq!(ordered[3], target('c'), "a lower priority comes last");
            let at = ['a', 'b', 'd'].iter().position(|name| ordered[0] == target(*name)).unwrap();
            first[at] += 1;
        }
        assert!((1350..1650).contains(&first[0]) && (350..650).contains(&first[1]), "{first:?}");
    }

    fn target(name: char) -> Target {
        let port = u16::from(name as u8);
        Target { transport: Transport::Udp, address: ([192, 0, 2, 1], port).into() }
    }
}
