//! The pause before another attempt: doubled after each failure, up to a ceiling.

use std::time::Duration;

use crate::seed::Seed;

/// Exponential backoff. The caller counts the failures.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
}

impl Backoff {
    /// Begins with `first` and never exceeds `max`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max }
    }

    /// The pause after a failure that followed `earlier` others.
    pub fn after(&self, earlier: u32) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(earlier)).min(self.max)
    }

    /// The same, shortened at random by up to half, so that many clients do not come back at once.
    pub fn jittered(&self, earlier: u32, seed: &mut Seed) -> Duration {
        let pause = self.after(earlier);
        let jitter = u64::try_from(pause.as_millis() / 2).unwrap_or(u64::MAX);
        pause - Duration::from_millis(seed.below(jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_ceiling() {
        let backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(3600));
        let pauses = [0, 1, 2, 9, 10, 31, 32, u32::MAX].map(|it| backoff.after(it).as_secs());
        assert_eq!(pauses, [5, 10, 20, 2560, 3600, 3600, 3600, 3600]);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
        let mut seed = Seed::fixed(1);
        for earlier in 0..100 {
            let (pause, whole) = (backoff.jittered(earlier, &mut seed), backoff.after(earlier));
            assert!(pause > whole / 2 && pause <= whole, "{earlier}: {pause:?}");
        }
        let pauses: std::collections::BTreeSet<_> =
            (0..10).map(|_| backoff.jittered(0, &mut seed)).collect();
        assert!(pauses.len() > 5, "not in step: {pauses:?}");
    }
}
