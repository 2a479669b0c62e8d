//! Which trunk carries the next call: by prefix, while it has a free slot and does not cool down after faults.

use std::time::{Duration, Instant};

use crate::phone_number::PhoneNumber;
use crate::sip::trunk::Trunk;

/// The health of all trunks, and who of them is next.
///
/// Contract: each [`TrunkChoice::Go`] is followed by one [`TrunkSelector::ended`].
#[derive(Debug)]
pub struct TrunkSelector {
    all: Vec<TrunkHealth>,
}

/// Where a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkChoice {
    /// Out by this trunk, not before this time.
    Go(usize, Instant),
    /// The trunk that is to carry it has no free slot; choose again when a call has ended.
    Full,
    /// No trunk is left that could carry it.
    None {
        /// When the first that cools down may be tried again.
        usable_at: Option<Instant>,
    },
}

/// How a call or a probe went, for its trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkReport {
    /// It has answered, whatever it said about the number.
    Works,
    /// It has failed; it asked to be left alone for so long, if it said that.
    Fault(Option<Duration>),
    /// It has answered and failed this call; what it says may be true of this callee alone.
    CallFailed(Option<Duration>),
    /// Nothing was learnt.
    Unknown,
}

/// What is known of a trunk that had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkNews {
    /// It answers a probe: whether it carries calls, one of them will show.
    Answers,
    /// A call has shown that it carries them.
    Works,
}

impl TrunkReport {
    /// Whether another trunk may carry the same call.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Fault(_) | Self::CallFailed(_))
    }
}

#[derive(Debug)]
struct TrunkHealth {
    prefixes: Vec<String>,
    calls_max: u32,
    start_pause: Duration,
    calls: u32,
    next_start: Instant,
    /// Faults in a row.
    faults: u32,
    /// Whose call it has failed last, since it carried one.
    failed_callee: Option<PhoneNumber>,
    cooling_until: Option<Instant>,
    /// After a cooldown: how many calls at once, until it has proved itself.
    probation: Option<u32>,
}

impl TrunkSelector {
    /// These trunks, in the operator's order.
    pub fn new<'t>(trunks: impl IntoIterator<Item = &'t Trunk>, now: Instant) -> Self {
        let health = |trunk: &Trunk| TrunkHealth {
            prefixes: trunk.prefixes.clone(),
            calls_max: trunk.calls_max,
            start_pause: Duration::from_secs(1) / trunk.calls_per_s_max.max(1),
            calls: 0,
            next_start: now,
            faults: 0,
            failed_callee: None,
            cooling_until: None,
            probation: None,
        };
        Self { all: trunks.into_iter().map(health).collect() }
    }

    /// Chooses for a number, and counts the call. `tried`: those that have failed this call before.
    ///
    /// Another trunk makes up for faults, not for limits: an operator who sets a limit means it.
    pub fn choose(&mut self, number: &PhoneNumber, tried: &[usize], now: Instant) -> TrunkChoice {
        let mut usable_at: Option<Instant> = None;
        for (index, trunk) in self.all.iter_mut().enumerate() {
            let carries = trunk.prefixes.iter().any(|prefix| number.has_prefix(prefix));
            if !carries || tried.contains(&index) {
                continue;
            }
            if let Some(until) = trunk.cooling_until.filter(|until| *until > now) {
                usable_at = Some(usable_at.map_or(until, |at| at.min(until)));
                continue;
            }
            if trunk.calls >= trunk.probation.unwrap_or(u32::MAX).min(trunk.calls_max) {
                return TrunkChoice::Full;
            }
            trunk.calls += 1;
            let start = trunk.next_start.max(now);
            trunk.next_start = start + trunk.start_pause;
            return TrunkChoice::Go(index, start);
        }
        TrunkChoice::None { usable_at }
    }

    /// Counts a call that this trunk brings us, unless it carries as many as it may.
    pub fn occupy(&mut self, index: usize) -> bool {
        let free = self.all.get_mut(index).filter(|trunk| trunk.calls < trunk.calls_max);
        free.map(|trunk| trunk.calls += 1).is_some()
    }

    /// Whether a trunk beside this one could carry a call that those of `tried` have failed.
    pub fn has_another(
        &self,
        number: &PhoneNumber,
        tried: &[usize],
        beside: usize,
        now: Instant,
    ) -> bool {
        self.all.iter().enumerate().any(|(index, trunk)| {
            let carries = trunk.prefixes.iter().any(|prefix| number.has_prefix(prefix));
            let usable = trunk.cooling_until.is_none_or(|until| until <= now);
            index != beside && !tried.contains(&index) && carries && usable
        })
    }

    /// A call by this trunk is over; `callee`: whom it was to reach, if it was one of ours. Tells whether it is the first
    /// that the trunk carried since it had failed.
    ///
    /// What a trunk says of one callee, again and again, is no fault for the others.
    pub fn ended(
        &mut self,
        index: usize,
        report: TrunkReport,
        callee: Option<&PhoneNumber>,
        now: Instant,
    ) -> Option<TrunkNews> {
        let trunk = self.all.get_mut(index)?;
        trunk.calls = trunk.calls.saturating_sub(1);
        let report = match report {
            TrunkReport::CallFailed(_) if trunk.failed_callee.as_ref() == callee => {
                TrunkReport::Unknown
            }
            other => other,
        };
        if let TrunkReport::CallFailed(_) = report {
            trunk.failed_callee = callee.cloned();
        }
        let is_first = trunk.is_unproved() && report == TrunkReport::Works;
        trunk.record(report, now);
        is_first.then_some(TrunkNews::Works)
    }

    /// A probe has been answered, or has not. Tells whether a trunk has answered that had failed.
    pub fn probed(&mut self, index: usize, report: TrunkReport, now: Instant) -> Option<TrunkNews> {
        let trunk = self.all.get_mut(index)?;
        match report {
            TrunkReport::Works => {
                // One call finds out whether it carries calls too.
                trunk.cooling_until = trunk.cooling_until.map(|_| now);
                trunk.is_unproved().then_some(TrunkNews::Answers)
            }
            TrunkReport::Unknown => None,
            TrunkReport::Fault(_) | TrunkReport::CallFailed(_) => {
                trunk.record(report, now);
                None
            }
        }
    }

    /// Whether this trunk has failed, and no call has shown since that it works.
    pub fn is_unproved(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(TrunkHealth::is_unproved)
    }

    /// How many calls this trunk carries.
    pub fn calls(&self, index: usize) -> u32 {
        self.all.get(index).map_or(0, |trunk| trunk.calls)
    }

    /// Whether this trunk cools down now.
    pub fn is_cooling_down(&self, index: usize, now: Instant) -> bool {
        self.cooldown(index, now).is_some()
    }

    /// How long this trunk still cools down, if it does.
    pub fn cooldown(&self, index: usize, now: Instant) -> Option<Duration> {
        let until = self.all.get(index)?.cooling_until.filter(|until| *until > now)?;
        Some(until.duration_since(now))
    }
}

impl TrunkHealth {
    fn is_unproved(&self) -> bool {
        self.probation == Some(1)
    }

    fn record(&mut self, report: TrunkReport, now: Instant) {
        match report {
            TrunkReport::Works => {
                (self.faults, self.cooling_until, self.failed_callee) = (0, None, None);
                // Twice as many each time, so that the calls that have piled up do not overload it again.
                self.probation = self
                    .probation
                    .map(|probation| probation * 2)
                    .filter(|probation| *probation < self.calls_max);
            }
            TrunkReport::Fault(retry_after) | TrunkReport::CallFailed(retry_after) => {
                self.faults += 1;
                let asked = retry_after.is_some() && matches!(report, TrunkReport::Fault(_));
                if self.faults >= FAULTS_MAX || asked || self.probation.is_some() {
                    let doubled =
                        COOLDOWN * (1 << (self.faults.max(FAULTS_MAX) - FAULTS_MAX).min(8));
                    let cooldown = retry_after.unwrap_or(doubled).clamp(COOLDOWN, COOLDOWN_MAX);
                    self.cooling_until = Some(
                        self.cooling_until.map_or(now, |until| until.max(now)).min(now) + cooldown,
                    );
                    self.probation = Some(1);
                }
            }
            TrunkReport::Unknown => {}
        }
    }
}

/// One fault can be an accident; two in a row are the trunk.
const FAULTS_MAX: u32 = 2;
const COOLDOWN: Duration = Duration::from_secs(10);
const COOLDOWN_MAX: Duration = Duration::from_secs(300);

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
            let mut trunks = TrunkSelector::new(&all, now());
            assert_eq!(route(&mut trunks, number), expected, "{number}");
        }
        let mut only_japan = TrunkSelector::new(&all[..1], now());
        assert_eq!(
            only_japan.choose(&"+4930123456".parse().unwrap(), &[], now()),
            TrunkChoice::None { usable_at: None }
        );
    }

    #[test]
    fn a_limit_is_waited_for_and_not_evaded() {
        let start = now();
        let mut trunks = TrunkSelector::new(&[trunk(&["+"], 2), trunk(&["+"], 2)], start);
        let number = "+81312345678".parse().unwrap();
        assert_eq!(trunks.choose(&number, &[], start), TrunkChoice::Go(0, start));
        let second = start + Duration::from_millis(100);
        assert_eq!(trunks.choose(&number, &[], start), TrunkChoice::Go(0, second), "10 a second");
        assert_eq!(trunks.choose(&number, &[], start), TrunkChoice::Full);
        assert!(!trunks.occupy(0), "a call that comes in takes a slot too");
        trunks.ended(0, TrunkReport::Works, None, start);
        assert!(trunks.occupy(0));
        assert_eq!(trunks.choose(&number, &[], start), TrunkChoice::Full);
        trunks.ended(0, TrunkReport::Unknown, None, start);
        assert!(matches!(trunks.choose(&number, &[], start), TrunkChoice::Go(0, _)));
    }

    #[test]
    fn a_trunk_that_fails_cools_down_and_comes_back_slowly() {
        let mut time = now();
        let mut trunks = TrunkSelector::new(&[trunk(&["+"], 8)], time);
        let number: PhoneNumber = "+81312345678".parse().unwrap();
        let call = |trunks: &mut TrunkSelector, report, time: Instant| {
            let TrunkChoice::Go(index, _) = trunks.choose(&number, &[], time) else { return false };
            trunks.ended(index, report, None, time);
            true
        };
        let fault = TrunkReport::Fault(None);
        assert!(call(&mut trunks, fault, time) && call(&mut trunks, TrunkReport::Works, time));
        assert!(call(&mut trunks, fault, time) && call(&mut trunks, fault, time));
        for cooldown_s in [10, 20, 40, 80, 160, 300, 300] {
            assert!(!call(
                &mut trunks,
                TrunkReport::Works,
                time + Duration::from_secs(cooldown_s - 1)
            ));
            time += Duration::from_secs(cooldown_s);
            assert!(call(&mut trunks, fault, time), "after {cooldown_s} s one may try");
        }
        time += Duration::from_secs(300);
        let mut slots = vec![];
        for _ in 0..5 {
            let mut taken = 0;
            while let TrunkChoice::Go(..) = trunks.choose(&number, &[], time) {
                taken += 1;
            }
            slots.push(taken);
            trunks.ended(0, TrunkReport::Works, None, time);
            for _ in 1..taken {
                trunks.ended(0, TrunkReport::Unknown, None, time);
            }
        }
        assert_eq!(slots, [1, 2, 4, 8, 8]);
    }

    #[test]
    fn a_trunk_is_left_alone_as_long_as_it_asks_and_a_probe_brings_it_back() {
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut trunks = TrunkSelector::new(&[trunk(&["+"], 8)], start);
        let number = "+81312345678".parse().unwrap();
        trunks.choose(&number, &[], start);
        trunks.ended(0, TrunkReport::Fault(Some(Duration::from_secs(60))), None, start);
        assert_eq!(
            trunks.choose(&number, &[], at(59)),
            TrunkChoice::None { usable_at: Some(at(60)) }
        );
        assert!(trunks.is_cooling_down(0, at(59)));
        trunks.probed(0, TrunkReport::Works, at(30));
        assert_eq!(trunks.choose(&number, &[], at(30)), TrunkChoice::Go(0, at(30)));
        assert_eq!(trunks.choose(&number, &[], at(30)), TrunkChoice::Full, "one call finds out");
        trunks.ended(0, TrunkReport::Works, None, at(31));
        trunks.probed(0, TrunkReport::Fault(None), at(40));
        trunks.probed(0, TrunkReport::Fault(None), at(50));
        assert!(trunks.is_cooling_down(0, at(51)));
    }

    #[test]
    fn what_is_said_of_one_callee_does_not_rest_the_trunk() {
        let start = now();
        let mut trunks = TrunkSelector::new(&[trunk(&["+"], 8), trunk(&["+81"], 8)], start);
        let bob: PhoneNumber = "+81312345678".parse().unwrap();
        let carol: PhoneNumber = "+4930123456".parse().unwrap();
        let hour = TrunkReport::CallFailed(Some(Duration::from_secs(3600)));
        assert!(trunks.has_another(&bob, &[], 0, start));
        assert!(!trunks.has_another(&bob, &[1], 0, start), "that one has failed before");
        assert!(!trunks.has_another(&carol, &[], 0, start), "that one does not carry the number");
        for _ in 0..5 {
            trunks.ended(0, hour, Some(&bob), start);
            assert!(!trunks.is_cooling_down(0, start), "503 for Bob, as often as it is said");
        }
        trunks.ended(0, TrunkReport::Works, Some(&carol), start);
        trunks.ended(0, hour, Some(&bob), start);
        trunks.ended(0, hour, Some(&carol), start);
        assert!(trunks.is_cooling_down(0, start), "two callees in a row are the trunk");
        assert!(!trunks.has_another(&bob, &[], 1, start), "who rests is no way out");
    }

    fn route(trunks: &mut TrunkSelector, number: &str) -> Vec<usize> {
        let number = number.parse().unwrap();
        let mut tried = vec![];
        while let TrunkChoice::Go(index, _) = trunks.choose(&number, &tried, now()) {
            tried.push(index);
        }
        tried
    }

    fn trunk(prefixes: &[&str], calls_max: u32) -> Trunk {
        let prefixes = prefixes.iter().map(ToString::to_string).collect();
        Trunk { prefixes, calls_max, calls_per_s_max: 10, ..Trunk::example() }
    }
}
