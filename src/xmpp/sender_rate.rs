//! How fast one sender may write.

use std::time::{Duration, Instant};

use xmpp_parsers::jid::BareJid;

use crate::rate_limit::RateLimit;

/// Allows each sender bursts, but not endless floods: two bots that answer each other must run dry.
///
/// Contract: each trust class has its own limiter. The owner of a domain can send under more addresses than any limiter
///           remembers, and must not silence the people of the served domains by that.
#[derive(Debug)]
pub struct SenderRate {
    known: RateLimit<BareJid>,
    served_domains: RateLimit<BareJid>,
    others: RateLimit<BareJid>,
    /// Senders of whom the log has said lately that they write too fast.
    told: RateLimit<BareJid>,
}

/// How fast one sender may write (`component.messages_burst`, `component.messages_per_min`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRate {
    /// Messages at once.
    pub burst: u32,
    /// Then so many a minute.
    pub per_min: u32,
}

impl Default for MessageRate {
    fn default() -> Self {
        Self { burst: 60, per_min: 20 }
    }
}

impl MessageRate {
    fn interval(self) -> Duration {
        MINUTE / self.per_min.max(1)
    }
}

/// How far a sender is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustClass {
    /// Subscribers and operators.
    Known,
    /// Other accounts of the served domains.
    ServedDomains,
    /// Everybody else.
    Others,
}

impl SenderRate {
    /// Whether this sender may write one more message now.
    pub fn allows(&mut self, sender: &BareJid, class: TrustClass, now: Instant) -> bool {
        let limit = match class {
            TrustClass::Known => &mut self.known,
            TrustClass::ServedDomains => &mut self.served_domains,
            TrustClass::Others => &mut self.others,
        };
        limit.allows(sender, now)
    }

    /// Allows so much from now on.
    pub fn set(&mut self, rate: MessageRate) {
        let limits = [&mut self.known, &mut self.served_domains, &mut self.others];
        limits.into_iter().for_each(|limit| limit.set(rate.burst, rate.interval()));
    }

    /// Whether the log is to say now that this sender writes too fast: once an hour.
    pub fn is_news(&mut self, sender: &BareJid, now: Instant) -> bool {
        self.told.allows(sender, now)
    }
}

impl Default for SenderRate {
    fn default() -> Self {
        let rate = MessageRate::default();
        let limit = || RateLimit::new(rate.burst, rate.interval(), SENDERS_MAX);
        let told = RateLimit::new(1, TOLD_EVERY, TOLD_MAX);
        Self { known: limit(), served_domains: limit(), others: limit(), told }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Senders of one class that are remembered; with the longest addresses they take some 20 MB.
const SENDERS_MAX: usize = 10_000;

const TOLD_EVERY: Duration = Duration::from_secs(3600);
const TOLD_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::TrustClass::*;
    use super::*;

    #[test]
    fn a_flood_is_stopped_and_a_person_is_not() {
        let (mut rate, start) = (SenderRate::default(), crate::clock::now());
        let (alice, echo) = (jid("alice"), jid("echo"));
        let seconds = |s| start + Duration::from_secs(s);
        let flooded = (0..1000).filter(|_| rate.allows(&echo, Others, start)).count();
        assert_eq!(flooded, 60);
        let hourly = (0..3600).filter(|s| rate.allows(&echo, Others, seconds(*s))).count();
        assert!((1100..=1200).contains(&hourly), "{hourly}");
        assert!((0..200).all(|s| rate.allows(&alice, Others, seconds(s * 5))));
    }

    #[test]
    fn the_operator_sets_how_fast_one_may_write_and_reads_once_who_wrote_faster() {
        let (mut rate, start) = (SenderRate::default(), crate::clock::now());
        let alarms = jid("alarms");
        rate.set(MessageRate { burst: 500, per_min: 600 });
        assert_eq!((0..1000).filter(|_| rate.allows(&alarms, Known, start)).count(), 500);
        let later = start + Duration::from_secs(10);
        assert_eq!((0..1000).filter(|_| rate.allows(&alarms, Known, later)).count(), 100);
        assert_eq!((0..1000).filter(|_| rate.is_news(&alarms, start)).count(), 1);
        assert!(rate.is_news(&jid("echo"), start));
        assert!(rate.is_news(&alarms, start + TOLD_EVERY));
    }

    #[test]
    fn a_flood_of_strangers_leaves_the_other_classes_alone() {
        let (mut rate, start) = (SenderRate::default(), crate::clock::now());
        for n in 0..20_000 {
            rate.allows(&jid(&n.to_string()), Others, start);
        }
        let newcomer = jid("newcomer");
        assert!(!rate.allows(&newcomer, Others, start), "there is no room");
        assert!(rate.allows(&newcomer, ServedDomains, start));
        assert!(rate.allows(&newcomer, Known, start));
        let later = start + Duration::from_secs(3600);
        assert!(rate.allows(&jid("somebody"), Others, later), "idle senders make room");
    }

    fn jid(node: &str) -> BareJid {
        BareJid::new(&format!("{node}@example.org")).unwrap()
    }
}
