//! Which calls are placed, for which a line is free, and which of them must stop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tracing::{error, info};
use xmpp_parsers::jid::BareJid;

use super::events::{CallEvent, IncomingId, Now, Output, StopReason, Timer, VerificationOrder};
use super::jobs::Effects;
use crate::notification::verification::VerificationId;
use crate::notification::{
    Attempt, AttemptId, CallChange, Claim, Draft, Message, MessageId, Outcome,
};
use crate::phone_number::PhoneNumber;
use crate::redaction::Pii;
use crate::store::{LiveCalls, Retracted, StoreJob};

/// The lines, and the calls on them.
///
/// Contract: at most `lines` calls are on a line or may be claimed by jobs under way. A call that was claimed
///           is known here before it is dialled, so that whatever commits later can stop it. No two calls of ours are
///           with one phone, whatever they are about.
#[derive(Debug)]
pub(super) struct Dialing {
    lines: usize,
    /// Lines kept for what jobs under way may claim.
    reserved: usize,
    live: BTreeMap<AttemptId, LiveCall>,
    verifications: BTreeMap<VerificationId, PhoneNumber>,
    waiting_verifications: VecDeque<Box<VerificationOrder>>,
    incoming: BTreeSet<IncomingId>,
    look: Look,
    stopping: bool,
}

#[derive(Debug)]
struct LiveCall {
    callee: BareJid,
    /// What it reads, or will when it is answered.
    messages: BTreeSet<MessageId>,
    number: PhoneNumber,
    stopped: Option<StopReason>,
    /// It is not placed, as a code is being spoken to the same phone.
    waits: bool,
}

/// The search for calls that are due.
#[derive(Debug)]
struct Look {
    /// The lines reserved for the one under way.
    room: Option<usize>,
    /// A plan has changed since it began.
    again: bool,
    at: Instant,
    last: Option<Instant>,
}

impl Dialing {
    pub(super) fn new(lines: usize, now: Now) -> Self {
        let look = Look { room: None, again: false, at: now.mono, last: None };
        Self {
            lines,
            reserved: 0,
            live: BTreeMap::new(),
            verifications: BTreeMap::new(),
            waiting_verifications: VecDeque::new(),
            incoming: BTreeSet::new(),
            look,
            stopping: false,
        }
    }

    /// How many calls a job may claim that is about one message. What is reserved is given back by [`Dialing::release`].
    ///
    /// When nothing is left for a look that is due, it goes first: else a flood of messages could hold it up.
    pub(super) fn reserve(&mut self, known_who_is_online: bool, now: Now) -> usize {
        let look_waits = self.look.room.is_none() && self.look.at <= now.mono;
        let room = self.free().min(1);
        let starves_look = look_waits && self.free() <= 1;
        if self.stopping || !known_who_is_online || starves_look {
            return 0;
        }
        self.reserved += room;
        room
    }

    pub(super) fn release(&mut self, room: usize) {
        self.reserved -= room;
    }

    /// Somebody's commit has changed when the next call is due.
    pub(super) fn wake(&mut self, now: Now) {
        self.look.again = true;
        if self.look.room.is_none() {
            self.look_soon(now);
        }
    }

    fn look_soon(&mut self, now: Now) {
        let earliest = self.look.last.map_or(now.mono, |last| now.mono.max(last + SOON));
        self.look.at = self.look.at.min(earliest);
    }

    /// It has become known who is online.
    pub(super) fn settled(&mut self, now: Now) {
        self.look.at = now.mono;
    }

    /// Looks for due calls, if it is time and a line is free. Nobody is phoned while it is not known who is online.
    pub(super) fn step(&mut self, known_who_is_online: bool, now: Now, effects: &mut Effects) {
        if self.stopping {
            return;
        }
        self.dial_verifications(effects);
        if self.may_look(known_who_is_online) && self.look.at <= now.mono {
            let room = self.free();
            self.reserved += room;
            self.look.room = Some(room);
            self.look.again = false;
            self.look.last = Some(now.mono);
            // Nobody is to be claimed whose coming online the store does not know yet.
            effects.hasten(|job| matches!(job, StoreJob::CameOnline(_)), now);
            let placed = self.live.keys().copied().collect();
            let live = LiveCalls { placed, incoming: !self.incoming.is_empty() };
            effects.store(StoreJob::ClaimDue { room, live }, now);
        }
    }

    /// Phones those who wait for a code, if a line and their phone are free.
    fn dial_verifications(&mut self, effects: &mut Effects) {
        let mut at = 0;
        while self.free() > 0
            && self.verifications.len() < (self.lines / CODES_IN_LINES).max(1)
            && let Some(order) = self.waiting_verifications.get(at)
        {
            let is_engaged = self.is_engaged(&order.code.number);
            if is_engaged {
                at += 1;
            } else if let Some(order) = self.waiting_verifications.remove(at) {
                self.verifications.insert(order.code.id, order.code.number.clone());
                effects.push(Output::DialVerification(order));
            }
        }
    }

    /// Whether a call of ours to this phone is on a line.
    fn is_engaged(&self, number: &PhoneNumber) -> bool {
        self.gets_code(number) || self.live.values().any(|call| call.number == *number)
    }

    fn gets_code(&self, number: &PhoneNumber) -> bool {
        self.verifications.values().any(|it| it == number)
    }

    pub(super) fn deadline(&self, known_who_is_online: bool) -> Option<(Instant, Timer)> {
        self.may_look(known_who_is_online).then_some((self.look.at, Timer::Look))
    }

    fn may_look(&self, known_who_is_online: bool) -> bool {
        known_who_is_online && !self.stopping && self.look.room.is_none() && self.free() > 0
    }

    /// A look is over: `None` if the store failed.
    pub(super) fn looked(
        &mut self,
        found: Option<(Vec<Claim>, Option<Duration>)>,
        now: Now,
        effects: &mut Effects,
    ) {
        let room = self.look.room.take().unwrap_or_default();
        self.release(room);
        let asked = self.look.last.unwrap_or(now.mono);
        self.look.at = match &found {
            None => now.mono + STORE_PAUSE,
            Some((_, Some(next))) => (asked + (*next).min(IDLE)).max(now.mono + SOON),
            Some((_, None)) => now.mono + IDLE,
        };
        if self.look.again {
            self.look_soon(now);
        }
        for claim in found.into_iter().flat_map(|(claims, _)| claims) {
            self.start(claim, now, effects);
        }
    }

    /// Places a call that the store has claimed.
    pub(super) fn start(&mut self, claim: Claim, now: Now, effects: &mut Effects) {
        if self.stopping {
            let (attempt, result) = (claim.attempt, Attempt::without_invite(Outcome::Interrupted));
            return effects.store(StoreJob::Settle { attempt, result, withdrawn: false }, now);
        }
        let (notification, attempt) = (claim.notification.0, claim.attempt.0);
        let (callee, messages) = (Pii(&claim.callee.jid), claim.messages.len());
        info!(notification, attempt, %callee, messages, "call started");
        let messages = claim.messages.iter().map(|it| it.id).collect();
        let (attempt, callee) = (claim.attempt, claim.callee.jid.clone());
        let number = claim.number.clone();
        // The store does not know of calls that speak a code, and may claim one for the same phone.
        let waits = self.gets_code(&number);
        if !waits {
            effects.push(Output::Dial(Box::new(claim)));
        }
        let live = LiveCall { callee: callee.clone(), messages, number, stopped: None, waits };
        self.live.insert(attempt, live);
        // Known here, and not in the store when it claimed the call.
        if effects.open(|job| matches!(job, StoreJob::CameOnline(jid) if *jid == callee)) > 0 {
            self.came_online(&callee, now, effects);
        }
    }

    /// A message that may ring was held: a phone that rings for its recipient already rings for it, too.
    pub(super) fn held(&mut self, message: MessageId, draft: &Draft) {
        for call in self.live.values_mut().filter(|call| call.callee == draft.recipient) {
            call.messages.insert(message);
        }
    }

    /// This person can read chat again: a phone that rings for them falls silent.
    pub(super) fn came_online(&mut self, jid: &BareJid, now: Now, effects: &mut Effects) {
        for (attempt, call) in self.live.iter_mut().filter(|(_, call)| call.callee == *jid) {
            call.stop(*attempt, StopReason::CameOnline, effects);
        }
        self.end_unplaced(now, effects);
    }

    /// The sender has taken this message back. What is not read yet is not read, and a phone that rings for nothing else
    /// falls silent.
    pub(super) fn retracted(&mut self, retracted: &Retracted, now: Now, effects: &mut Effects) {
        let Some(message) = retracted.message else { return };
        for attempt in &retracted.calls {
            let change = CallChange { attempt: *attempt, message, instead: None };
            effects.push(Output::ChangeCall(Box::new(change)));
        }
        for (attempt, call) in &mut self.live {
            if call.messages.remove(&message) && call.messages.is_empty() {
                call.stop(*attempt, StopReason::Withdrawn, effects);
            }
        }
        self.end_unplaced(now, effects);
    }

    /// A call that was stopped before it was placed is over.
    fn end_unplaced(&mut self, now: Now, effects: &mut Effects) {
        let ended = |call: &LiveCall| call.waits && (call.stopped.is_some() || self.stopping);
        let over: Vec<_> =
            self.live.iter().filter(|(_, it)| ended(it)).map(|(id, _)| *id).collect();
        for attempt in over {
            let outcome = if self.stopping { Outcome::Interrupted } else { Outcome::Cancelled };
            let result = Box::new(Attempt::without_invite(outcome));
            self.call(attempt, CallEvent::Ended(result), now, effects);
        }
    }

    /// The sender has corrected a message that these calls read: a phone rings on, and its call reads the new wording.
    pub(super) fn corrected(
        &mut self,
        old: MessageId,
        new: &Message,
        calls: &[AttemptId],
        effects: &mut Effects,
    ) {
        for attempt in calls {
            let instead = Some(Box::new(new.clone()));
            let change = CallChange { attempt: *attempt, message: old, instead };
            effects.push(Output::ChangeCall(Box::new(change)));
        }
        for call in self.live.values_mut() {
            if call.messages.remove(&old) {
                call.messages.insert(new.id);
            }
        }
    }

    /// Something has happened in a call.
    pub(super) fn call(
        &mut self,
        attempt: AttemptId,
        event: CallEvent,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(call) = self.live.remove(&attempt) else { return };
        let result = match event {
            CallEvent::Ended(result) => *result,
            CallEvent::Panicked => {
                error!(attempt = attempt.0, "call task panicked");
                Attempt::without_invite(Outcome::Interrupted)
            }
        };
        let withdrawn =
            call.stopped == Some(StopReason::Withdrawn) && result.outcome == Outcome::Cancelled;
        effects.store(StoreJob::Settle { attempt, result, withdrawn }, now);
    }

    /// A number is to be phoned with a code. It waits for a line as all calls do.
    pub(super) fn verification_wanted(&mut self, order: Box<VerificationOrder>) {
        if !self.stopping {
            self.waiting_verifications.push_back(order);
        }
    }

    /// A phone is free again. What has waited for it goes back to the store, which asks the rules once more.
    pub(super) fn verification_ended(
        &mut self,
        id: VerificationId,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(number) = self.verifications.remove(&id) else { return };
        let waits = |call: &&mut LiveCall| call.number == number && call.waits;
        for call in self.live.values_mut().filter(waits) {
            call.stopped.get_or_insert(StopReason::Withdrawn);
        }
        self.end_unplaced(now, effects);
    }

    /// A trunk brings a call: it is taken if a line is free.
    pub(super) fn call_in(&mut self, id: IncomingId, effects: &mut Effects) {
        if self.stopping {
            effects.push(Output::RefuseCall(id, SERVICE_UNAVAILABLE));
        } else if self.free() == 0 {
            effects.push(Output::RefuseCall(id, BUSY_HERE));
        } else {
            self.incoming.insert(id);
            effects.push(Output::TakeCall(id));
        }
    }

    pub(super) fn call_in_ended(
        &mut self,
        id: IncomingId,
        settled: Option<(AttemptId, Attempt)>,
        now: Now,
        effects: &mut Effects,
    ) {
        self.incoming.remove(&id);
        if let Some((attempt, result)) = settled {
            effects.store(StoreJob::Settle { attempt, result, withdrawn: false }, now);
        }
    }

    /// No further call is placed or taken.
    pub(super) fn stop(&mut self, now: Now, effects: &mut Effects) {
        self.stopping = true;
        self.waiting_verifications.clear();
        self.end_unplaced(now, effects);
        effects.push(Output::EndCalls);
    }

    /// Whether no call is on a line.
    pub(super) fn is_idle(&self) -> bool {
        self.live.is_empty() && self.verifications.is_empty() && self.incoming.is_empty()
    }

    fn free(&self) -> usize {
        let taken = self.live.len() + self.verifications.len() + self.incoming.len();
        self.lines.saturating_sub(taken + self.reserved)
    }
}

impl LiveCall {
    /// The first reason stands.
    fn stop(&mut self, attempt: AttemptId, reason: StopReason, effects: &mut Effects) {
        if self.stopped.is_none() {
            self.stopped = Some(reason);
            if !self.waits {
                effects.push(Output::StopRinging { attempt, reason });
            }
        }
    }
}

/// Calls with codes take at most one channel in so many, and one at least.
const CODES_IN_LINES: usize = 10;
const IDLE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(5);
const STORE_PAUSE: Duration = Duration::from_secs(1);
const BUSY_HERE: u16 = 486;
const SERVICE_UNAVAILABLE: u16 = 503;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::notification::verification::Code;

    #[test]
    fn calls_with_codes_leave_the_channels_to_messages() {
        for (lines, most) in [(1, 1), (3, 1), (10, 1), (29, 2)] {
            let now = Now { mono: clock::now(), at: clock::moment() };
            let (mut dialing, mut effects) = (Dialing::new(lines, now), Effects::default());
            (0..9).for_each(|id| dialing.verification_wanted(order(id)));
            assert_eq!(dialled(&mut dialing, &mut effects, now), most, "{lines} lines");
            dialing.verification_ended(VerificationId(0), now, &mut effects);
            assert_eq!(dialled(&mut dialing, &mut effects, now), 1, "{lines} lines");
        }
    }

    fn dialled(dialing: &mut Dialing, effects: &mut Effects, now: Now) -> usize {
        dialing.step(false, now, effects);
        let outputs = std::iter::from_fn(|| effects.poll());
        outputs.filter(|it| matches!(it, Output::DialVerification(_))).count()
    }

    fn order(id: i64) -> Box<VerificationOrder> {
        let number = format!("+8137890111{id}").parse().unwrap();
        let code = Code { id: VerificationId(id), number, digits: "471003".to_owned() };
        let person = "carol@example.org".parse().unwrap();
        Box::new(VerificationOrder { code, person, language: None })
    }
}
