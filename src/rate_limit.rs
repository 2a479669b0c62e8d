//! A rate limiter: a token bucket for each key.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Allows each key a burst of events, then one event for each interval.
///
/// Contract: at most `keys_max` keys are remembered. While all of them are in use, a new key is not allowed anything.
#[derive(Debug)]
pub struct RateLimit<K> {
    interval: Duration,
    burst: Duration,
    keys_max: usize,
    /// When the bucket of a key is full again; a key that is missing here has a full bucket.
    full_at: BTreeMap<K, Instant>,
    swept: Option<Instant>,
}

impl<K: Ord + Clone> RateLimit<K> {
    /// Allows `burst` events at once (at least one), and one more after each `interval`.
    pub fn new(burst: u32, interval: Duration, keys_max: usize) -> Self {
        let burst = interval * burst.max(1);
        Self { interval, burst, keys_max, full_at: BTreeMap::new(), swept: None }
    }

    /// Allows as many as [`RateLimit::new`] says from now on. What was counted before stays counted.
    pub fn set(&mut self, burst: u32, interval: Duration) {
        (self.interval, self.burst) = (interval, interval * burst.max(1));
    }

    /// Whether one more event of this key is allowed now; counts it if so.
    pub fn allows(&mut self, key: &K, now: Instant) -> bool {
        if !self.full_at.contains_key(key) && !self.make_room(now) {
            return false;
        }
        let full_at = self.full_at.get(key).map_or(now, |full_at| now.max(*full_at));
        let full_at = full_at + self.interval;
        let is_allowed = full_at <= now + self.burst;
        if is_allowed {
            self.full_at.insert(key.clone(), full_at);
        }
        is_allowed
    }

    /// Forgets the keys with a full bucket if there are too many keys. A flood of new keys sweeps once in an interval.
    fn make_room(&mut self, now: Instant) -> bool {
        let is_swept = self.swept.is_some_and(|swept| now.duration_since(swept) < self.interval);
        if self.full_at.len() >= self.keys_max && !is_swept {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.swept = Some(now);
        }
        self.full_at.len() < self.keys_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_slowed_to_one_event_an_interval_and_others_are_not() {
        let (mut limit, start) = (limit(), crate::clock::now());
        let ms = |ms| start + Duration::from_millis(ms);
        assert_eq!((0..1000).filter(|_| limit.allows(&1, start)).count(), 60);
        let minute = (0..60_000).filter(|t| limit.allows(&1, ms(*t))).count();
        assert!((1190..=1200).contains(&minute), "{minute}");
        assert!((0..100).all(|t| limit.allows(&2, ms(t * 50))));
    }

    #[test]
    fn keys_are_bounded_and_idle_keys_make_room() {
        let (mut limit, start) = (limit(), crate::clock::now());
        for key in 0..3000 {
            limit.allows(&key, start);
        }
        assert_eq!(limit.full_at.len(), KEYS_MAX);
        assert!(!limit.allows(&5000, start), "there is no room");
        assert!(limit.allows(&5000, start + Duration::from_secs(4)));
        assert_eq!(limit.full_at.len(), 1);
    }

    fn limit() -> RateLimit<u32> {
        RateLimit::new(60, Duration::from_millis(50), KEYS_MAX)
    }

    const KEYS_MAX: usize = 1000;
}
