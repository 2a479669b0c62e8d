//! How fast one sender may write.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xmpp_parsers::jid::BareJid;

/// Lets each sender write in bursts, but not without end: two programs that answer each other must run dry.
///
/// Contract: each crowd has a room of its own. Whoever owns a domain can send under more names than any room holds,
///           and must not be able to silence the people of the house by that.
#[derive(Debug, Default)]
pub struct Pace {
    people: Room,
    house: Room,
    world: Room,
}

/// Among whom a sender stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// People who can be written to, and the operators.
    People,
    /// Other accounts of the house's domains.
    House,
    /// Everybody else.
    World,
}

impl Pace {
    /// Whether this sender may write one more message now.
    pub fn allows(&mut self, sender: &BareJid, crowd: Crowd, now: Instant) -> bool {
        let room = match crowd {
            Crowd::People => &mut self.people,
            Crowd::House => &mut self.house,
            Crowd::World => &mut self.world,
        };
        room.allows(sender, now)
    }
}

#[derive(Debug, Default)]
struct Room {
    senders: BTreeMap<BareJid, Allowance>,
    swept: Option<Instant>,
}

impl Room {
    fn allows(&mut self, sender: &BareJid, now: Instant) -> bool {
        if self.senders.len() >= SENDERS_MAX && !self.senders.contains_key(sender) {
            if self.swept.is_none_or(|swept| now.duration_since(swept) >= EARNED_EACH) {
                self.senders.retain(|_, allowance| allowance.at(now) < BURST_MAX);
                self.swept = Some(now);
            }
            if self.senders.len() >= SENDERS_MAX {
                return false;
            }
        }
        let allowance =
            self.senders.entry(sender.clone()).or_insert(Allowance { left: BURST_MAX, since: now });
        allowance.spend(now)
    }
}

#[derive(Debug)]
struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    fn at(&self, now: Instant) -> u32 {
        let earned = now.duration_since(self.since).as_millis() / EARNED_EACH.as_millis();
        self.left.saturating_add(u32::try_from(earned).unwrap_or(BURST_MAX)).min(BURST_MAX)
    }

    fn spend(&mut self, now: Instant) -> bool {
        let left = self.at(now);
        if left != self.left {
            (self.left, self.since) = (left, now);
        }
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        true
    }
}

/// Messages at once.
const BURST_MAX: u32 = 60;
/// Then one in so much time.
const EARNED_EACH: Duration = Duration::from_secs(3);
/// Senders in a room that have written of late; with the longest addresses they take some 20 MB.
const SENDERS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::Crowd::*;
    use super::*;

    #[test]
    fn a_flood_is_stopped_and_a_person_is_not() {
        let (mut pace, start) = (Pace::default(), crate::clock::now());
        let (alice, echo) = (jid("alice"), jid("echo"));
        let seconds = |s| start + Duration::from_secs(s);
        let flooded = (0..1000).filter(|_| pace.allows(&echo, World, start)).count();
        assert_eq!(flooded, 60);
        let hourly = (0..3600).filter(|s| pace.allows(&echo, World, seconds(*s))).count();
        assert!((1100..=1200).contains(&hourly), "{hourly}");
        assert!((0..200).all(|s| pace.allows(&alice, World, seconds(s * 5))));
    }

    #[test]
    fn a_crowd_takes_no_more_than_its_room() {
        let (mut pace, start) = (Pace::default(), crate::clock::now());
        for n in 0..20_000 {
            pace.allows(&jid(&n.to_string()), World, start);
        }
        assert!(pace.world.senders.len() <= SENDERS_MAX);
        let newcomer = jid("newcomer");
        assert!(!pace.allows(&newcomer, World, start), "there is no room");
        assert!(pace.allows(&newcomer, House, start), "another crowd has its own");
        assert!(pace.allows(&newcomer, People, start));
        let later = start + Duration::from_secs(3600);
        assert!(pace.allows(&jid("somebody"), World, later), "the idle make room");
    }

    fn jid(node: &str) -> BareJid {
        BareJid::new(&format!("{node}@example.org")).unwrap()
    }
}
