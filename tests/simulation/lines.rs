//! What phones have seen, and what must be true of it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use offhook::component::{IncomingId, StopReason};
use offhook::notification::policy::Policy;
use offhook::notification::verification::VerificationId;
use offhook::notification::{AttemptId, Claim, NotificationId, Outcome};
use offhook::subscriber::{Quiet, QuietHours};

use crate::world::World;

/// Names a call of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallId {
    Placed(AttemptId),
    Code(VerificationId),
    Incoming(IncomingId),
}

/// Every phone that has to do with us.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    live: BTreeMap<CallId, Line>,
    /// When each number was phoned.
    phoned: BTreeMap<String, Vec<Duration>>,
    /// Calls about messages, and those of them that the limit of the day counts.
    invites: u32,
    limited: u32,
    /// How the calls of each notification ended, as it was settled.
    setbacks: BTreeMap<NotificationId, u32>,
    notifications: BTreeMap<AttemptId, NotificationId>,
    /// Who phones us, from which number.
    callers: BTreeMap<IncomingId, String>,
}

/// One phone that is in a call, or rings.
#[derive(Debug)]
struct Line {
    number: String,
    began: Duration,
    rings_since: Option<Duration>,
    answered: bool,
}

impl Lines {
    pub(crate) fn rings(&mut self, call: CallId, at: Duration) {
        if let Some(line) = self.live.get_mut(&call) {
            line.rings_since.get_or_insert(at);
        }
    }

    pub(crate) fn is_answered(&mut self, call: CallId) {
        if let Some(line) = self.live.get_mut(&call) {
            line.answered = true;
        }
    }

    pub(crate) fn ends(&mut self, call: CallId) {
        self.live.remove(&call);
    }

    /// The program was killed. A callee hangs up on a line on which nothing comes any more.
    pub(crate) fn are_cut(&mut self) {
        self.live.clear();
    }

    /// Somebody's calls are erased: the limits begin anew.
    pub(crate) fn are_forgotten(&mut self) {
        self.phoned.clear();
        self.limited = 0;
    }

    /// Whether this phone is in a call, or rings.
    pub(crate) fn is_engaged(&self, number: &str) -> bool {
        self.live.values().any(|line| line.number == number)
    }

    pub(crate) fn phones_in(&mut self, call: IncomingId, number: &str) {
        self.callers.insert(call, number.to_owned());
    }

    pub(crate) fn caller(&self, call: IncomingId) -> String {
        self.callers.get(&call).cloned().unwrap_or_default()
    }

    /// How often a phone rang about messages.
    pub(crate) fn calls(&self) -> usize {
        self.invites as usize
    }

    fn rings_now(&self, call: CallId) -> bool {
        self.live.get(&call).is_some_and(|line| line.rings_since.is_some() && !line.answered)
    }

    fn begins(&mut self, call: CallId, number: &str, at: Duration) {
        for (other, line) in &self.live {
            let same = line.number == number && *other != call;
            assert!(!same, "I3: {call:?} and {other:?} are calls with one phone");
        }
        let line =
            Line { number: number.to_owned(), began: at, rings_since: None, answered: false };
        self.live.insert(call, line);
    }

    /// I6: a notification makes no more calls that do not reach the person than the operator allows.
    pub(crate) fn is_settled(&mut self, attempt: AttemptId, outcome: Outcome, policy: &Policy) {
        let Some(of) = self.notifications.remove(&attempt) else { return };
        if matches!(outcome, Outcome::NoAnswer | Outcome::Busy) {
            let setbacks = self.setbacks.entry(of).or_default();
            *setbacks += 1;
            assert!(
                *setbacks <= policy.attempts,
                "I6: {setbacks} calls for {of:?} came to nothing"
            );
        }
    }
}

impl World {
    /// I3, at the moment of a claim; and nobody is phoned about what they have heard.
    pub(crate) fn check_dial(&mut self, claim: &Claim) {
        for call in self.calls.values() {
            assert_ne!(call.claim.callee.jid, claim.callee.jid, "I3: two calls to one person");
        }
        for message in &claim.messages {
            self.promises.is_phoned_about(message.id);
        }
        self.check_consent(claim);
        self.lines.notifications.insert(claim.attempt, claim.notification);
    }

    /// An INVITE about messages comes to a phone.
    pub(crate) fn invite_comes(&mut self, call: CallId, claim: &Claim) {
        let (number, callee, at) = (claim.number.as_str(), claim.callee.jid.as_str(), self.at());
        let policy = self.nature.force.policy.clone();
        let known = self.promises.reaches(callee, number);
        assert!(known, "I2: {number} was never a number of {callee}");
        assert!(policy.may_dial(&claim.number), "I2: {number} may not be dialled");
        assert!(!self.is_quiet_for_sure(claim), "I2: the phone rings in quiet hours");
        let phoned = self.lines.phoned.entry(number.to_owned()).or_default();
        phoned.push(at);
        if self.nature.is_throttled() {
            // What is started and what rings differ by the way of the INVITE.
            for (calls, span) in [(1, 59), (3, 899)] {
                let span = Duration::from_secs(span);
                let recent = phoned.iter().filter(|it| **it + span > at).count();
                assert!(recent <= calls, "I6: {recent} calls to {number} within {span:?}");
            }
        }
        self.lines.invites += 1;
        self.lines.limited += 1;
        let (made, most) = (self.lines.limited, self.nature.calls_per_day_max);
        assert!(made <= most, "I7: {made} calls in a day, and {most} are allowed");
        self.lines.begins(call, number, at);
        self.check_online(callee);
        self.check_row(call);
    }

    /// An INVITE with a code comes to a phone, or somebody phones us.
    pub(crate) fn other_call_begins(&mut self, call: CallId, number: &str) {
        let at = self.at();
        self.lines.begins(call, number, at);
    }

    /// I8: a dialog has a row that says so.
    fn check_row(&self, call: CallId) {
        let CallId::Placed(attempt) = call else { return };
        let sql = "SELECT 1 FROM attempts WHERE id = ? AND ended IS NULL";
        let found = self.disk.tables().prepare_cached(sql).unwrap().exists([attempt.0]).unwrap();
        assert!(found, "I8: a dialog without an open row, {call:?}");
    }

    /// The quiet hours of who is called, and the zone that they are in: their own, or the component's.
    pub(crate) fn quiet_hours_of(&self, claim: &Claim) -> Option<(QuietHours, TimeZone)> {
        let (person, policy) = (&claim.callee, &self.nature.force.policy);
        let Quiet::Daily(hours) = person.quiet.unwrap_or(policy.quiet) else { return None };
        Some((hours, person.time_zone.clone().unwrap_or_else(|| policy.zone.clone())))
    }

    /// Whether it is quiet for this person, and has been for longer than an INVITE is on its way.
    fn is_quiet_for_sure(&self, claim: &Claim) -> bool {
        let Some((hours, zone)) = self.quiet_hours_of(claim) else { return false };
        if !self.machine.is_right() {
            return false;
        }
        let now = self.now().at.wall;
        let before = now - WAY_MAX;
        let within = |at: jiff::Timestamp, hours: &QuietHours| hours.end_after(at, &zone).is_some();
        within(now, &hours)
            && within(before, &hours)
            && self.nature.force_since + WAY_MAX < self.at()
    }

    /// I5: nobody's phone rings who has been online for two seconds.
    fn check_online(&self, callee: &str) {
        let known_for = self.promises.online_for(callee, self.at()).unwrap_or_default();
        assert!(known_for < ONLINE_WINS, "I5: phoned after {known_for:?} online");
    }

    /// I5: two seconds after somebody came online their phone does not ring.
    pub(crate) fn check_silence(&self, callee: &str) {
        if self.promises.online_for(callee, self.at()).is_none_or(|it| it < ONLINE_WINS) {
            return;
        }
        for call in self.lines.live.keys().filter(|call| self.lines.rings_now(**call)) {
            let theirs = self.callee_of(*call).is_some_and(|it| it == callee);
            assert!(
                !theirs || self.is_ending(*call),
                "I5: {callee} is online and {call:?} rings on"
            );
        }
    }

    /// A phone that was to stop ringing has done so within two seconds.
    pub(crate) fn check_stopped(&self, call: CallId) {
        let rings = self.lines.rings_now(call) && !self.is_ending(call);
        assert!(!rings, "I5: {call:?} rings on two seconds after it was to stop");
    }

    fn callee_of(&self, call: CallId) -> Option<&str> {
        let CallId::Placed(attempt) = call else { return None };
        let model = self.calls.get(&attempt).map(|it| it.claim.callee.jid.as_str());
        model.or_else(|| self.real_calls.get(&call)?.callee())
    }

    /// Whether its end is under way: a CANCEL may be lost and sent again.
    fn is_ending(&self, call: CallId) -> bool {
        let CallId::Placed(attempt) = call else { return true };
        let model = self.calls.get(&attempt).is_some_and(|it| it.ends);
        model || self.nature.loses_datagrams && self.real_calls.contains_key(&call)
    }

    /// A call is silenced only when all that it reads was taken back.
    pub(crate) fn check_stop(&self, attempt: AttemptId, reason: StopReason) {
        let Some(call) = self.calls.get(&attempt).filter(|_| reason == StopReason::Withdrawn)
        else {
            return;
        };
        let ids = call.claim.messages.iter().filter_map(|it| it.draft.stanza_id.clone());
        let others = self.promises.standing_senders(ids);
        assert!(
            others.is_empty(),
            "N4: a call was stopped although messages in it stand, of {others:?}"
        );
    }

    /// I8: no call lasts longer than the longest call, the ringing before it and the patience of SIP after it.
    pub(crate) fn check_lengths(&self) {
        for (call, line) in &self.lines.live {
            let lasts = self.at() - line.began;
            assert!(lasts <= CALL_MAX, "I8: {call:?} lasts {lasts:?}");
        }
    }
}

/// From the look at the rules to the phone.
const WAY_MAX: Duration = Duration::from_secs(1);
const ONLINE_WINS: Duration = Duration::from_secs(2);
/// `dial.call_s_max`, the ringing, and 32 s of SIP.
const CALL_MAX: Duration = Duration::from_secs(300 + 30 + 32);
