//! Which RTP port a call gets.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The port range of the operator. A port rests after a call, so that the next callee does not get the last one's packets.
///
/// Source: RFC 3550 §11 (RTP on even ports).
#[derive(Debug)]
pub struct Ports {
    fresh: VecDeque<u16>,
    resting: VecDeque<(u16, Instant)>,
}

impl Ports {
    /// All even ports of `range`, beginning anywhere (`random`).
    pub fn new(range: RangeInclusive<u16>, random: u64) -> Self {
        let mut fresh: VecDeque<u16> = range.filter(|port| port % 2 == 0).collect();
        let start = usize::try_from(random).unwrap_or(0) % fresh.len().max(1);
        fresh.rotate_left(start);
        Self { fresh, resting: VecDeque::new() }
    }

    /// A port that has rested long enough, else the one that has rested longest. `None` when all are in use.
    pub fn take(&mut self, now: Instant) -> Option<u16> {
        while let Some(&(port, until)) = self.resting.front()
            && now >= until
        {
            self.resting.pop_front();
            self.fresh.push_back(port);
        }
        self.fresh.pop_front().or_else(|| self.resting.pop_front().map(|(port, _)| port))
    }

    /// The call on this port is over.
    pub fn put_back(&mut self, port: u16, now: Instant) {
        self.resting.push_back((port, now + REST));
    }
}

const REST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_port_rests_unless_there_is_no_other() {
        let (mut ports, start) = (Ports::new(20_001..=20_007, 1), clock::now());
        let second = |n| start + Duration::from_secs(n);
        assert_eq!([ports.take(start), ports.take(start)], [Some(20_004), Some(20_006)]);
        ports.put_back(20_004, start);
        ports.put_back(20_006, second(30));
        assert_eq!(ports.take(second(40)), Some(20_002), "the one that was never used");
        assert_eq!(ports.take(second(61)), Some(20_004), "the one that has been free longest");
        assert_eq!(ports.take(second(61)), Some(20_006), "better one used lately than none");
        assert_eq!(ports.take(second(61)), None);
    }
}
