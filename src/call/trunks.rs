//! Which trunk carries the next call: by prefix, while it has room, and while it is not resting after faults.

use std::time::{Duration, Instant};

use crate::phone_number::PhoneNumber;
use crate::sip::trunk::Trunk;

/// How all trunks stand.
///
/// Contract: each [`Choice::Go`] is followed by one [`Trunks::ended`].
#[derive(Debug)]
pub struct Trunks {
    all: Vec<Standing>,
}

/// Where a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Out by this trunk, not before this time.
    Go(usize, Instant),
    /// The trunk that is to carry it has no room; ask again when a call has ended.
    Full,
    /// No trunk is left that could carry it; the first one rests until then, if it is only that.
    None(Option<Instant>),
}

/// How a call or a probe went, for its trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has answered, whatever it said about the number.
    Works,
    /// It has failed; it wants to be left alone for so long, if it said that.
    Fault(Option<Duration>),
    /// Nothing was learnt.
    Unknown,
}

#[derive(Debug)]
struct Standing {
    prefixes: Vec<String>,
    calls_max: u32,
    start_pause: Duration,
    calls: u32,
    next_start: Instant,
    /// Faults in a row.
    faults: u32,
    rests: Option<Instant>,
    /// After a rest: how many calls at once, until it has proved itself.
    trust: Option<u32>,
}

impl Trunks {
    /// These trunks, in the operator's order.
    pub fn new<'t>(trunks: impl IntoIterator<Item = &'t Trunk>, now: Instant) -> Self {
        let standing = |trunk: &Trunk| Standing {
            prefixes: trunk.prefixes.clone(),
            calls_max: trunk.calls_max,
            start_pause: Duration::from_secs(1) / trunk.calls_per_s_max.max(1),
            calls: 0,
            next_start: now,
            faults: 0,
            rests: None,
            trust: None,
        };
        Self { all: trunks.into_iter().map(standing).collect() }
    }

    /// Chooses for a number, and counts the call. `tried`: those that have failed this call before.
    ///
    /// The next trunk is for the faults of the one before it, not for its limits: who sets a limit means it.
    pub fn choose(&mut self, number: &PhoneNumber, tried: &[usize], now: Instant) -> Choice {
        let mut back = None;
        for (index, trunk) in self.all.iter_mut().enumerate() {
            let carries = trunk.prefixes.iter().any(|prefix| number.has_prefix(prefix));
            if !carries || tried.contains(&index) {
                continue;
            }
            if let Some(until) = trunk.rests.filter(|until| *until > now) {
                back = Some(back.map_or(until, |back: Instant| back.min(until)));
                continue;
            }
            if trunk.calls >= trunk.trust.unwrap_or(u32::MAX).min(trunk.calls_max) {
                return Choice::Full;
            }
            trunk.calls += 1;
            let start = trunk.next_start.max(now);
            trunk.next_start = start + trunk.start_pause;
            return Choice::Go(index, start);
        }
        Choice::None(back)
    }

    /// Counts a call that this trunk brings us, unless it carries as many as it may.
    pub fn occupy(&mut self, index: usize) -> bool {
        let room = self.all.get_mut(index).filter(|trunk| trunk.calls < trunk.calls_max);
        room.map(|trunk| trunk.calls += 1).is_some()
    }

    /// A call by this trunk is over.
    pub fn ended(&mut self, index: usize, verdict: Verdict, now: Instant) {
        if let Some(trunk) = self.all.get_mut(index) {
            trunk.calls = trunk.calls.saturating_sub(1);
            trunk.learn(verdict, now);
        }
    }

    /// A probe has come back, or has not.
    pub fn probed(&mut self, index: usize, verdict: Verdict, now: Instant) {
        let Some(trunk) = self.all.get_mut(index) else { return };
        match verdict {
            // It answers a probe; whether it carries calls, one call finds out.
            Verdict::Works if trunk.rests.is_some() => trunk.rests = Some(now),
            Verdict::Works | Verdict::Unknown => {}
            Verdict::Fault(_) => trunk.learn(verdict, now),
        }
    }

    /// Whether this trunk rests now.
    pub fn is_resting(&self, index: usize, now: Instant) -> bool {
        self.all.get(index).is_some_and(|trunk| trunk.rests.is_some_and(|until| until > now))
    }
}

impl Standing {
    fn learn(&mut self, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Works => {
                (self.faults, self.rests) = (0, None);
                // Twice as many each time, so that what has gathered does not bring it down again.
                self.trust =
                    self.trust.map(|trust| trust * 2).filter(|trust| *trust < self.calls_max);
            }
            Verdict::Fault(wish) => {
                self.faults += 1;
                if self.faults >= FAULTS_MAX || wish.is_some() || self.trust.is_some() {
                    let doubled = REST * (1 << (self.faults.max(FAULTS_MAX) - FAULTS_MAX).min(8));
                    let rest = wish.unwrap_or(doubled).clamp(REST, REST_MAX);
                    self.rests =
                        Some(self.rests.map_or(now, |until| until.max(now)).min(now) + rest);
                    self.trust = Some(1);
                }
            }
            Verdict::Unknown => {}
        }
    }
}

/// One fault can be an accident; two in a row are the trunk.
const FAULTS_MAX: u32 = 2;
const REST: Duration = Duration::from_secs(10);
const REST_MAX: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn a_number_goes_to_the_trunks_with_its_prefix_in_order() {
        let all = [trunk(&["+81"], 9), trunk(&["+33", "+49"], 9), trunk(&["+"], 9)];
        for (number, expected) in
            [("+81312345678", vec![0, 2]), ("+4930123456", vec![1, 2]), ("+12025550100", vec![2])]
        {
            let mut trunks = Trunks::new(&all, now());
            assert_eq!(route(&mut trunks, number), expected, "{number}");
        }
        let mut only_japan = Trunks::new(&all[..1], now());
        assert_eq!(
            only_japan.choose(&"+4930123456".parse().unwrap(), &[], now()),
            Choice::None(None)
        );
    }

    #[test]
    fn a_limit_is_waited_for_and_not_evaded() {
        let start = now();
        let mut trunks = Trunks::new(&[trunk(&["+"], 2), trunk(&["+"], 2)], start);
        let number = "+81312345678".parse().unwrap();
        assert_eq!(trunks.choose(&number, &[], start), Choice::Go(0, start));
        let second = start + Duration::from_millis(100);
        assert_eq!(trunks.choose(&number, &[], start), Choice::Go(0, second), "10 a second");
        assert_eq!(trunks.choose(&number, &[], start), Choice::Full);
        assert!(!trunks.occupy(0), "a call that comes in takes the same room");
        trunks.ended(0, Verdict::Works, start);
        assert!(trunks.occupy(0));
        assert_eq!(trunks.choose(&number, &[], start), Choice::Full);
        trunks.ended(0, Verdict::Unknown, start);
        assert!(matches!(trunks.choose(&number, &[], start), Choice::Go(0, _)));
    }

    #[test]
    fn a_trunk_that_fails_is_rested_and_comes_back_slowly() {
        let mut time = now();
        let mut trunks = Trunks::new(&[trunk(&["+"], 8)], time);
        let number: PhoneNumber = "+81312345678".parse().unwrap();
        let call = |trunks: &mut Trunks, verdict, time: Instant| {
            let Choice::Go(index, _) = trunks.choose(&number, &[], time) else { return false };
            trunks.ended(index, verdict, time);
            true
        };
        let fault = Verdict::Fault(None);
        assert!(call(&mut trunks, fault, time) && call(&mut trunks, Verdict::Works, time));
        assert!(call(&mut trunks, fault, time) && call(&mut trunks, fault, time));
        for rest_s in [10, 20, 40, 80, 160, 300, 300] {
            assert!(!call(&mut trunks, Verdict::Works, time + Duration::from_secs(rest_s - 1)));
            time += Duration::from_secs(rest_s);
            assert!(call(&mut trunks, fault, time), "after {rest_s} s one may try");
        }
        time += Duration::from_secs(300);
        let mut room = vec![];
        for _ in 0..5 {
            let mut taken = 0;
            while let Choice::Go(..) = trunks.choose(&number, &[], time) {
                taken += 1;
            }
            room.push(taken);
            trunks.ended(0, Verdict::Works, time);
            for _ in 1..taken {
                trunks.ended(0, Verdict::Unknown, time);
            }
        }
        assert_eq!(room, [1, 2, 4, 8, 8]);
    }

    #[test]
    fn a_trunk_is_left_alone_as_long_as_it_asks_and_a_probe_brings_it_back() {
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut trunks = Trunks::new(&[trunk(&["+"], 8)], start);
        let number = "+81312345678".parse().unwrap();
        trunks.choose(&number, &[], start);
        trunks.ended(0, Verdict::Fault(Some(Duration::from_secs(60))), start);
        assert_eq!(trunks.choose(&number, &[], at(59)), Choice::None(Some(at(60))));
        assert!(trunks.is_resting(0, at(59)));
        trunks.probed(0, Verdict::Works, at(30));
        assert_eq!(trunks.choose(&number, &[], at(30)), Choice::Go(0, at(30)));
        assert_eq!(trunks.choose(&number, &[], at(30)), Choice::Full, "one call finds out");
        trunks.ended(0, Verdict::Works, at(31));
        trunks.probed(0, Verdict::Fault(None), at(40));
        trunks.probed(0, Verdict::Fault(None), at(50));
        assert!(trunks.is_resting(0, at(51)));
    }

    fn route(trunks: &mut Trunks, number: &str) -> Vec<usize> {
        let number = number.parse().unwrap();
        let mut tried = vec![];
        while let Choice::Go(index, _) = trunks.choose(&number, &tried, now()) {
            tried.push(index);
        }
        tried
    }

    fn trunk(prefixes: &[&str], calls_max: u32) -> Trunk {
        let prefixes = prefixes.iter().map(ToString::to_string).collect();
        Trunk { prefixes, calls_max, calls_per_s_max: 10, ..Trunk::example() }
    }
}
