//! How fast one sender may write.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xmpp_parsers::jid::BareJid;

/// Lets each sender write in bursts, but not without end: two programs that answer each other must run dry.
#[derive(Debug, Default)]
pub struct Pace {
    senders: BTreeMap<BareJid, Allowance>,
    swept: Option<Instant>,
}

impl Pace {
    /// Whether this sender may write one more message now.
    pub fn allows(&mut self, sender: &BareJid, now: Instant) -> bool {
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
const SENDERS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_stopped_and_a_person_is_not() {
        let (mut pace, start) = (Pace::default(), crate::clock::now());
        let (alice, echo) = (jid("alice"), jid("echo"));
        let seconds = |s| start + Duration::from_secs(s);
        let flooded = (0..1000).filter(|_| pace.allows(&echo, start)).count();
        assert_eq!(flooded, 60);
        let hourly = (0..3600).filter(|s| pace.allows(&echo, seconds(*s))).count();
        assert!((1100..=1200).contains(&hourly), "{hourly}");
        assert!((0..200).all(|s| pace.allows(&alice, seconds(s * 5))));
    }

    #[test]
    fn a_crowd_takes_no_more_than_its_room() {
        let (mut pace, start) = (Pace::default(), crate::clock::now());
        for n in 0..20_000 {
            pace.allows(&jid(&n.to_string()), start);
        }
        assert!(pace.senders.len() <= SENDERS_MAX);
        let later = start + Duration::from_secs(3600);
        assert!(pace.allows(&jid("somebody"), later), "the idle make room");
    }

    fn jid(node: &str) -> BareJid {
        BareJid::new(&format!("{node}@example.org")).unwrap()
    }
}
