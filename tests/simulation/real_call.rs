//! A call of the real machine and script: placed, taken, and carried to a phone that speaks SIP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook::call::Stop;
use offhook::call::announcer::{MessageAnnouncer, PinCheck};
use offhook::call::machine::{Call, Input, Over};
use offhook::call::outcome::outcome;
use offhook::component::{self, StopReason, VerificationOrder};
use offhook::media::codec::Codec;
use offhook::notification::{Attempt, CallChange, Claim, Message, MessageId, Outcome};
use offhook::script::{CallFlow, Opening, SpokenMessage};
use offhook::sip::invite::{Ending, Invite, InvitePlan, Reason};
use offhook::sip::offer_answer::offer;
use offhook::sip::trunk::{Dtmf, Transport, Trunk};
use offhook::sip::via::LocalAddr;

use crate::call_requests::{CallDone, Requests};
use crate::callee::Temper;
use crate::events::Event;
use crate::far_end::{FarEnd, Manner};
use crate::lines::CallId;
use crate::plants::Plant;
use crate::stored::Stored;
use crate::world::World;

pub(crate) struct RealCall {
    /// None before the INVITE is written, or answered.
    pub(crate) machine: Option<Call>,
    flow: Option<CallFlow>,
    /// What has changed before the INVITE is written.
    early_changes: Vec<CallChange>,
    pub(crate) subject: Subject,
    pub(crate) number: String,
    pub(crate) far_end: FarEnd,
    pub(crate) temper: Temper,
    /// The callee has a PIN, and has not typed it.
    pub(crate) has_proved: bool,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    pub(crate) requests: Requests,
    pub(crate) stop: Stop,
    pub(crate) answered: bool,
    pub(crate) stop_calls: bool,
    /// What is played, and until when.
    pub(crate) generation: u32,
    pub(crate) busy_until: Duration,
    pub(crate) recording_since: Option<Duration>,
    /// The name of the recording that is kept.
    pub(crate) kept: Option<String>,
    pub(crate) last_body: BTreeMap<String, MessageId>,
    /// What was read at least in part.
    pub(crate) begun: BTreeSet<MessageId>,
    closing: Option<Closing>,
    /// No datagram overtakes another.
    pub(crate) to_phone_at: Duration,
    pub(crate) from_phone_at: Duration,
}

/// What a call is about.
pub(crate) enum Subject {
    Messages { claim: Box<Claim>, announcer: Box<MessageAnnouncer> },
    Code(Box<VerificationOrder>),
    Nothing,
}

/// A call that is over, and not yet told to be.
struct Closing {
    over: Over,
    until: Duration,
    /// A recording is still to be sent.
    unsent: bool,
}

impl RealCall {
    pub(crate) fn new(
        subject: Subject,
        number: &str,
        flow: Option<CallFlow>,
        far_end: FarEnd,
        temper: Temper,
    ) -> Self {
        let mut call = Self {
            machine: None,
            flow,
            early_changes: vec![],
            subject: Subject::Nothing,
            number: number.to_owned(),
            far_end,
            temper,
            has_proved: true,
            messages: BTreeMap::new(),
            requests: Requests::default(),
            stop: Stop::None,
            answered: false,
            stop_calls: false,
            generation: 0,
            busy_until: Duration::ZERO,
            recording_since: None,
            kept: None,
            last_body: BTreeMap::new(),
            begun: BTreeSet::new(),
            closing: None,
            to_phone_at: Duration::ZERO,
            from_phone_at: Duration::ZERO,
        };
        call.is_about(subject);
        call
    }

    pub(crate) fn is_about(&mut self, subject: Subject) {
        if let Subject::Messages { claim, .. } = &subject {
            self.has_proved = claim.callee.pin.is_none();
            self.messages.extend(claim.messages.iter().map(|it| (it.id, it.clone())));
        }
        self.subject = subject;
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.machine.as_ref().filter(|_| self.closing.is_none())?.deadline()
    }

    pub(crate) fn callee(&self) -> Option<&str> {
        match &self.subject {
            Subject::Messages { claim, .. } => Some(claim.callee.jid.as_str()),
            Subject::Code(_) | Subject::Nothing => None,
        }
    }

    pub(crate) fn attempt(&self) -> Option<offhook::notification::AttemptId> {
        match &self.subject {
            Subject::Messages { claim, .. } => Some(claim.attempt),
            Subject::Code(_) | Subject::Nothing => None,
        }
    }

    /// The person and the digits of the code that is spoken.
    pub(crate) fn code(&self) -> Option<(String, String)> {
        match &self.subject {
            Subject::Code(order) => Some((order.person.to_string(), order.code.digits.clone())),
            Subject::Messages { .. } | Subject::Nothing => None,
        }
    }

    pub(crate) fn stanza_of(&self, message: MessageId) -> Option<String> {
        self.messages.get(&message)?.draft.stanza_id.clone()
    }

    /// Messages that joined, as they are spoken.
    pub(crate) fn spoken(&mut self, messages: &[Message]) -> Vec<SpokenMessage> {
        self.messages.extend(messages.iter().map(|it| (it.id, it.clone())));
        match &self.subject {
            Subject::Messages { announcer, .. } => {
                messages.iter().map(|message| announcer.spoken(message)).collect()
            }
            Subject::Code(_) | Subject::Nothing => vec![],
        }
    }
}

impl World {
    pub(crate) fn dials_really(&mut self, claim: Claim) {
        let (id, number) = (CallId::Placed(claim.attempt), claim.number.as_str().to_owned());
        let announcer =
            MessageAnnouncer { callee: claim.callee.clone(), settings: self.nature.force.live() };
        let opening = if claim.continuing { Opening::Continued } else { Opening::New };
        let pin = match self.has(Plant::AsksForNoPin) {
            true => PinCheck::Done,
            false if claim.pin_locked => PinCheck::Locked,
            false => PinCheck::Due,
        };
        let flow = announcer.flow(&claim.messages, opening, pin);
        let announcer = Box::new(announcer);
        let subject = Subject::Messages { claim: Box::new(claim), announcer };
        self.will_dial(id, number, subject, flow);
    }

    pub(crate) fn dials_code(&mut self, order: VerificationOrder) {
        let (id, number) = (CallId::Code(order.code.id), order.code.number.as_str().to_owned());
        let (prompts, house) = self.program.commands.verification_prompts(&order);
        let preroll = self.nature.force.live().script.preroll;
        let digits = &order.code.digits;
        let flow = CallFlow::verification(prompts, &house, digits, preroll, CODE_CALL_MAX);
        self.has_call(id, number, Subject::Nothing, flow);
        let (commands, run) = (self.program.commands.clone(), self.program.run);
        self.call_store(async move {
            let may_ring = commands.code_may_ring(&order).await;
            Stored::CodeMayRing(run, Box::new(order), may_ring)
        });
    }

    /// It is known whether the phone may ring for a code.
    pub(crate) fn code_may_ring(&mut self, order: Box<VerificationOrder>, may_ring: bool) {
        let id = CallId::Code(order.code.id);
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        call.is_about(Subject::Code(order));
        if may_ring {
            return self.dials_soon(id);
        }
        let call = self.real_calls.remove(&id);
        let ended = Attempt::without_invite(Outcome::Interrupted);
        self.real_call_ended(id, call.map(|it| it.subject), ended);
    }

    fn will_dial(&mut self, id: CallId, number: String, subject: Subject, flow: CallFlow) {
        self.has_call(id, number, subject, flow);
        self.dials_soon(id);
    }

    fn has_call(&mut self, id: CallId, number: String, subject: Subject, flow: CallFlow) {
        let far_end = FarEnd::new(self.drawn_manner());
        let temper = Temper::drawn(&mut |bound| self.seed.below(bound));
        self.note(|| format!("{id:?}: {:?} {temper:?}", far_end.manner));
        let call = RealCall::new(subject, &number, Some(flow), far_end, temper);
        self.real_calls.insert(id, call);
    }

    fn dials_soon(&mut self, id: CallId) {
        let pause = Duration::from_millis(5) + self.ms(200);
        self.plan(pause, Event::Dials(self.program.run, id));
    }

    fn drawn_manner(&mut self) -> Manner {
        if self.nature.trunk_is_silent {
            return Manner::Silent;
        }
        let (after, rings) = (self.ms(8000), self.ms(15_000));
        let refuses = |status, rings| Manner::Refuses { status, after, rings };
        match self.below(24) {
            0 | 1 => refuses(486, true),
            2 => refuses(603, true),
            3 => refuses(404, false),
            4 => refuses(503, false),
            5 => refuses(480, true),
            6 | 7 => Manner::RingsOut,
            8 => Manner::Silent,
            _ => Manner::Answers(rings),
        }
    }

    /// The INVITE leaves, if nothing has stopped the call before.
    pub(crate) fn dials(&mut self, id: CallId) {
        let seed = self.seed.split();
        let now = self.now().mono;
        let plan = self.plan_of(self.real_calls.get(&id).map(|it| it.number.clone()));
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let result = match call.stop {
            Stop::None => {
                let flow = call.flow.take().expect("it is dialled once");
                let invite = Invite::new(plan, seed, now);
                call.machine = Some(Call::new(invite, flow, Dtmf::Auto, None, now));
                let changes = std::mem::take(&mut call.early_changes);
                changes.iter().for_each(|change| self.changes_real_call(change));
                return self.drain_call(id);
            }
            Stop::ShuttingDown => Attempt::without_invite(Outcome::Interrupted),
            Stop::CameOnline | Stop::Withdrawn => Attempt::without_invite(Outcome::Cancelled),
        };
        let call = self.real_calls.remove(&id);
        self.real_call_ended(id, call.map(|it| it.subject), result);
    }

    pub(crate) fn plan_of(&mut self, number: Option<String>) -> InvitePlan {
        let trunk = Trunk {
            name: "pbx".to_owned(),
            ..Trunk::plain("sip:192.0.2.1".parse().unwrap(), FROM)
        };
        let rtp = "192.0.2.2:20000".parse().unwrap();
        InvitePlan {
            trunk: Arc::new(trunk),
            number: number.and_then(|it| it.parse().ok()),
            local_addr: LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
            offer: offer(rtp, &[Codec::Pcmu, Codec::Pcma], Dtmf::Auto, self.below(1 << 53)),
            patience: Duration::from_secs(8),
            setup: Duration::from_secs(14),
            ring: self.nature.force.policy.ring,
        }
    }

    pub(crate) fn stops_real_call(&mut self, id: CallId, reason: StopReason) {
        let (stop, why) = match reason {
            StopReason::CameOnline => (Stop::CameOnline, Reason::CompletedElsewhere),
            StopReason::Withdrawn => (Stop::Withdrawn, Reason::NormalClearing),
        };
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        if call.stop == Stop::None {
            call.stop = stop;
            // A callee who has picked up is not hung up on because they can read now.
            if !call.answered {
                self.feed(id, Input::HangUp(why));
            }
        }
    }

    /// A message of a call was taken back or corrected; a call that came in may be the one that reads it.
    pub(crate) fn changes_real_call(&mut self, change: &CallChange) {
        let reads = |call: &RealCall| call.attempt() == Some(change.attempt);
        let found = self.real_calls.iter_mut().find(|(_, call)| reads(call));
        let Some((id, call)) = found else { return };
        if call.machine.is_none() {
            return call.early_changes.push(change.clone());
        }
        let (id, message) = (*id, change.message);
        let new = change.instead.as_deref().map(std::slice::from_ref);
        let spoken = new.and_then(|new| call.spoken(new).pop());
        match spoken {
            Some(spoken) => self.feed(id, Input::Corrected(message, spoken)),
            None => self.feed(id, Input::Dropped(message)),
        }
    }

    pub(crate) fn end_real_calls(&mut self) {
        let ids: Vec<_> = self.real_calls.keys().copied().collect();
        for id in ids {
            if let Some(call) = self.real_calls.get_mut(&id) {
                call.stop = Stop::ShuttingDown;
            }
            self.feed(id, Input::HangUp(Reason::NormalClearing));
        }
    }

    pub(crate) fn call_ticks(&mut self, id: CallId) {
        self.feed(id, Input::Tick);
    }

    pub(crate) fn feed(&mut self, id: CallId, input: Input<'_>) {
        let now = self.now().mono;
        let Some(call) = self.real_calls.get_mut(&id).filter(|it| it.closing.is_none()) else {
            return;
        };
        let Some(machine) = &mut call.machine else { return };
        machine.handle(input, now);
        self.drain_call(id);
    }

    pub(crate) fn drain_call(&mut self, id: CallId) {
        while let Some(call) = self.real_calls.get_mut(&id)
            && let Some(output) = call.machine.as_mut().and_then(Call::poll)
        {
            self.carry_call(id, output);
        }
    }

    /// The machine is done with a call; what is still to be stored is waited for.
    pub(crate) fn call_is_over(&mut self, id: CallId, over: Over) {
        let at = self.at();
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let unsent = call.machine.as_ref().and_then(Call::unsent_voice);
        let most = if call.stop == Stop::ShuttingDown { STOPPING_MAX } else { RETRIES_MAX };
        let cut = over.ending != Ending::ByPeer;
        call.closing = Some(Closing { over, until: at + most, unsent: unsent.is_some() });
        if let Some(message) = unsent {
            self.stop_recording(id, message, cut);
        }
        self.plan(most, Event::CallStores(self.program.run, id));
        self.call_may_finish(id);
    }

    /// Tells the end of a call once nothing is left to be stored, or no time is left.
    pub(crate) fn call_may_finish(&mut self, id: CallId) {
        let at = self.at();
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let Some(closing) = &mut call.closing else { return };
        let late = closing.until <= at && call.requests.rests();
        if !call.requests.is_idle() && !late {
            return;
        }
        // Hanging up after speaking is an answer, too.
        if std::mem::take(&mut closing.unsent)
            && let Some(name) = call.kept.clone()
        {
            let (store, now) = (self.disk.store.clone(), self.now().at);
            return self.push_request(id, async move {
                let _ = store.send_voice(name, now).await;
                CallDone::Sent
            });
        }
        let Some(mut call) = self.real_calls.remove(&id) else { return };
        let Some(Closing { over, .. }) = call.closing.take() else { return };
        let (status, retry_after) = match over.ending {
            Ending::Refused { status, retry_after } => (Some(status), retry_after),
            _ => (None, None),
        };
        let result = Attempt {
            status,
            cause: over.cause,
            rang: over.rang.unwrap_or_default(),
            talked: over.talked.unwrap_or_default(),
            sip_call_id: "call@192.0.2.2".to_owned(),
            trunk: "pbx".to_owned(),
            stop_calls: call.stop_calls,
            retry_after,
            picked_up: over.picked_up,
            ..Attempt::without_invite(outcome(&over, call.stop == Stop::ShuttingDown))
        };
        self.real_call_ended(id, Some(call.subject), result);
    }

    fn real_call_ended(&mut self, id: CallId, subject: Option<Subject>, result: Attempt) {
        let outcome = result.outcome;
        match (id, subject) {
            (CallId::Incoming(incoming), subject) => {
                let settled = match subject {
                    Some(Subject::Messages { claim, .. }) => {
                        Some(Box::new((claim.attempt, result)))
                    }
                    _ => None,
                };
                self.lines.ends(id);
                self.tell(component::Input::CallInEnded(incoming, settled));
            }
            (CallId::Code(_), Some(Subject::Code(order))) => {
                self.tells_how_it_went(*order, outcome);
                self.call_ended(id, result);
            }
            (CallId::Placed(_) | CallId::Code(_), _) => self.call_ended(id, result),
        }
    }
}

/// What is waited for after a call, in a stop and else.
const STOPPING_MAX: Duration = Duration::from_secs(2);
const RETRIES_MAX: Duration = Duration::from_secs(5);
const CODE_CALL_MAX: Duration = Duration::from_secs(120);
const FROM: &str = "sip:+81312345678@example.org";
