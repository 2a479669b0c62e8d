//! What has to be decided in order between stream, store, calls and voice replies.

pub(crate) mod call_tasks;
mod clocks;
mod counting;
mod deliveries;
mod dialing;
pub(crate) mod driver;
mod events;
mod housekeeping;
mod job_reports;
mod job_results;
mod jobs;
mod outbox;
mod sent;
mod stopping;
pub mod user_commands;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tracing::{debug, info};

use self::clocks::Clocks;
use self::deliveries::Deliveries;
use self::dialing::Dialing;
use self::housekeeping::Housekeeping;
use self::job_reports::Reports;
use self::jobs::Effects;
use self::outbox::Outbox;
use self::stopping::Stopping;
use crate::notification::Draft;
use crate::store::StoreJob;
use crate::trunks::TrunkChange;
use crate::xmpp::commands::{CommandResult, replies};
use crate::xmpp::gateway::{self, Bounce, Gateway};
use crate::xmpp::privilege::Grants;

pub use self::events::{
    BatchId, CallEvent, DeliveryEvent, GatewayUpdate, IncomingId, Input, LinkInput, Now, Outgoing,
    Output, StopReason, Timer, VerificationOrder, Wake,
};
pub use self::stopping::STOPS_WITHIN;

/// The component between its edges. Pure: no clock, no channel, no task.
///
/// Contract: call [`Component::handle`], then [`Component::poll`] until `None` and [`Component::poll_outgoing`] while the
///           stream takes more, then wait for an input, or until [`Component::deadline`] for [`Input::Tick`].
///           Results of store jobs are handed in in the order of their commits, all through one channel, so that what
///           commits in one order is acted on in that order.
#[derive(Debug)]
pub struct Component {
    gateway: Gateway,
    grants: Grants,
    outbox: Outbox,
    dialing: Dialing,
    deliveries: Deliveries,
    housekeeping: Housekeeping,
    reports: Reports,
    clocks: Clocks,
    stopping: Option<Stopping>,
    effects: Effects,
    outgoing: VecDeque<Outgoing>,
    reads: bool,
    /// Messages handed to the store and not yet durable.
    holding: usize,
    /// Commands under way.
    commands: usize,
}

impl Component {
    /// A component of this domain, with so many lines to phone on.
    pub fn new(component: String, gateway: Gateway, lines: usize, now: Now) -> Self {
        Self {
            gateway,
            grants: Grants::default(),
            outbox: Outbox::new(component, now),
            dialing: Dialing::new(lines, now),
            deliveries: Deliveries::new(now),
            housekeeping: Housekeeping::new(now),
            reports: Reports::default(),
            clocks: Clocks::new(now),
            stopping: None,
            effects: Effects::default(),
            outgoing: VecDeque::new(),
            reads: true,
            holding: 0,
            commands: 0,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Now) {
        if self.clocks.look(now, &mut self.effects) {
            self.wake_all(now);
        }
        match input {
            Input::Link(link) => self.link(link, now),
            Input::Stored(id, result) => self.stored(id, *result, now),
            Input::Wake(Wake::Due) => self.dialing.wake(now),
            Input::Wake(Wake::Outbox) => self.outbox.wake(),
            Input::Wake(Wake::Voice) => self.deliveries.wake(now),
            Input::Wake(Wake::Replan) => self.housekeeping.replan(now),
            Input::Trunk(news) => self.housekeeping.trunk(news, now),
            Input::TrunkChanged(TrunkChange { trunk, works }) => {
                self.effects.store(StoreJob::TrunkChanged { trunk, works }, now);
            }
            Input::Call(attempt, event) => {
                self.dialing.call(attempt, event, now, &mut self.effects);
            }
            Input::VerificationWanted(order) => self.dialing.verification_wanted(order),
            Input::VerificationEnded(id) => {
                self.dialing.verification_ended(id, now, &mut self.effects);
            }
            Input::CallIn(id) => self.dialing.call_in(id, &mut self.effects),
            Input::CallInEnded(id, settled) => {
                let settled = settled.map(|settled| *settled);
                self.dialing.call_in_ended(id, settled, now, &mut self.effects);
            }
            Input::Delivery(recording, event) => {
                self.deliveries.ended(recording, event, now, &mut self.effects);
            }
            Input::CommandDone(request, result) => {
                self.commands = self.commands.saturating_sub(1);
                self.gateway.handle(gateway::Input::CommandDone(&request, &result), now.mono);
            }
            Input::Update(update) => self.update(&update, now),
            Input::Sent => {}
            Input::Question(iq) => self.outgoing.push_back(Outgoing::Stanza(iq)),
            Input::Settings(people, served) => {
                self.gateway.handle(gateway::Input::People(people, served), now.mono);
                // What kept a recording waiting may be mended.
                self.effects.store(StoreJob::RetryRecordings, now);
            }
            Input::Stop => self.stop(now),
            Input::Tick => {
                self.gateway.handle(gateway::Input::Tick, now.mono);
                self.effects.tick(now);
            }
        }
        self.step(now);
    }

    /// The next thing to do, but for what goes to the stream.
    pub fn poll(&mut self) -> Option<Output> {
        self.effects.poll()
    }

    /// The next that goes to the stream.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Whether [`Component::poll_outgoing`] gives something.
    pub fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// When [`Input::Tick`] is due next, and what for.
    pub fn deadline(&self) -> Option<(Instant, Timer)> {
        let timers = [
            self.gateway.deadline().map(|at| (at, Timer::Gateway)),
            self.effects.deadline(),
            self.dialing.deadline(self.gateway.settled()),
            self.outbox.deadline(),
            self.deliveries.deadline(),
            self.housekeeping.deadline(),
            Some(self.clocks.deadline()),
            self.stopping.and_then(Stopping::deadline),
        ];
        timers.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn link(&mut self, link: LinkInput, now: Now) {
        match link {
            LinkInput::Up => {
                self.outbox.link(true, now, &mut self.effects);
                self.housekeeping.link(true);
                self.gateway.handle(gateway::Input::LinkUp, now.mono);
            }
            LinkInput::Down => {
                self.outbox.link(false, now, &mut self.effects);
                self.housekeeping.link(false);
                self.gateway.handle(gateway::Input::LinkDown, now.mono);
            }
            LinkInput::Stanza(stanza) => {
                self.gateway.handle(gateway::Input::Stanza(&stanza), now.mono);
            }
            LinkInput::Batch(id, answered) => {
                self.outbox.batch(id, answered, now, &mut self.effects);
            }
        }
    }

    fn update(&mut self, update: &GatewayUpdate, now: Now) {
        let input = match update {
            GatewayUpdate::Person(person) => gateway::Input::Person(person),
            GatewayUpdate::Erased(jid, still_there) => {
                gateway::Input::Forgotten(jid, still_there.as_deref())
            }
            GatewayUpdate::Say(jid, words) => gateway::Input::Say(jid, words),
        };
        self.gateway.handle(input, now.mono);
    }

    /// Timers have stood still while time passed.
    fn wake_all(&mut self, now: Now) {
        self.dialing.wake(now);
        self.outbox.wake();
        self.deliveries.wake(now);
        self.housekeeping.wake(now);
    }

    /// Lets each part go on with what the input has made possible.
    fn step(&mut self, now: Now) {
        while let Some(output) = self.gateway.poll() {
            self.wanted(output, now);
        }
        let settled = self.gateway.settled();
        self.dialing.step(settled, now, &mut self.effects);
        self.outbox.step(now, &mut self.effects);
        self.deliveries.step(now, &mut self.effects);
        self.housekeeping.step(now, &mut self.effects);
        self.stop_further(now);
        let reads = self.reads_on();
        if reads != self.reads {
            self.reads = reads;
            self.effects.push(Output::PauseReading(!reads));
        }
    }

    /// Whether more may be taken from the stream. Beyond, the server keeps the rest.
    fn reads_on(&self) -> bool {
        let flushes = matches!(self.stopping, Some(Stopping::Flush { .. } | Stopping::Done));
        !flushes && self.holding < HOLDING_MAX && self.outgoing.len() < OUTGOING_MAX
    }

    /// Does what the gateway has decided.
    fn wanted(&mut self, output: gateway::Output, now: Now) {
        let job = match output {
            gateway::Output::Send(stanza) => {
                return self.outgoing.push_back(Outgoing::Stanza(stanza));
            }
            gateway::Output::Privileges(grants) => {
                self.grants = grants;
                return;
            }
            gateway::Output::WentOffline(jid) => {
                let theirs = |job: &StoreJob| matches!(job, StoreJob::CameOnline(it) if *it == jid);
                return self.effects.give_up(theirs);
            }
            gateway::Output::Settled => {
                info!("it is known who is online");
                return self.dialing.settled(now);
            }
            gateway::Output::CommandRequest(request) if self.commands >= COMMANDS_MAX => {
                let words = replies::simple(request.language.as_deref(), "error-too-many");
                let result = CommandResult { words, done: false };
                return self
                    .gateway
                    .handle(gateway::Input::CommandDone(&request, &result), now.mono);
            }
            gateway::Output::CommandRequest(request) => {
                self.commands += 1;
                return self.effects.push(Output::Command(Box::new(request)));
            }
            gateway::Output::Hold(draft) => return self.hold(draft, now),
            gateway::Output::Correct { id, draft } => {
                self.holding += 1;
                let room = self.dialing.reserve(self.gateway.settled(), now);
                StoreJob::Correct { id, draft, room }
            }
            gateway::Output::Retract { id, draft } => StoreJob::Retract { id, draft },
            gateway::Output::Bounced(bounce) => return self.bounced(&bounce, now),
            gateway::Output::Identified(message, is_program) => {
                let room = self.dialing.reserve(self.gateway.settled(), now);
                StoreJob::Identified { message, is_program, room }
            }
            gateway::Output::CameOnline(jid) => {
                self.effects.store(StoreJob::CameOnline(jid.clone()), now);
                // A phone falls silent at once, however slow the store is.
                return self.dialing.came_online(&jid, now, &mut self.effects);
            }
            gateway::Output::PresenceRefused { jid, refused } => {
                StoreJob::PresenceRefused { jid, refused }
            }
        };
        self.effects.store(job, now);
    }

    /// An error came that the gateway knows nothing of: it may be for a stanza that was owed.
    fn bounced(&mut self, bounce: &Bounce, now: Now) {
        let Some((reply, is_delivery)) = self.outbox.sent_as(bounce) else {
            return debug!("bounce of an unknown message ignored");
        };
        let returned = if is_delivery {
            self.gateway.delivery_bounced(bounce, now.mono)
        } else {
            bounce.of_news()
        };
        self.outbox.came_back(reply, returned, now, &mut self.effects);
    }

    /// Messages are handed to the store in the order in which they came, without waiting for the commit of the one
    /// before, so that a burst shares its commits.
    fn hold(&mut self, draft: Draft, now: Now) {
        self.holding += 1;
        let room = self.dialing.reserve(self.gateway.settled(), now);
        self.effects.store(StoreJob::Hold { draft, room }, now);
    }

    fn stop(&mut self, now: Now) {
        if self.stopping.is_none() {
            self.stopping = Some(Stopping::begin(now));
            self.dialing.stop(now, &mut self.effects);
            self.deliveries.stop(&mut self.effects);
            self.housekeeping.stop();
        }
    }

    fn stop_further(&mut self, now: Now) {
        let Some(phase) = self.stopping else { return };
        let settling = || self.effects.open(|job| matches!(job, StoreJob::Settle { .. })) > 0;
        let reached = match phase {
            Stopping::Calls { .. } => self.dialing.is_idle() && !settling(),
            Stopping::Flush { .. } => {
                let answered = self.holding == 0 && self.commands == 0;
                answered && self.outbox.is_idle() && self.outgoing.is_empty()
            }
            Stopping::Done => false,
        };
        let Some(next) = phase.next(reached, now) else { return };
        self.stopping = Some(next);
        if next == Stopping::Done {
            self.effects.push(Output::CloseStream);
        } else {
            self.outbox.wake();
            self.outbox.step(now, &mut self.effects);
        }
    }
}

/// Messages handed to the store and not yet durable. Beyond, the server keeps the rest; the store itself would refuse at
/// some hundred more, and 256 fill two of its commits.
const HOLDING_MAX: usize = 256;
/// Stanzas that the stream has not taken yet.
const OUTGOING_MAX: usize = 512;
/// Commands under way: more are put off.
const COMMANDS_MAX: usize = 256;
/// For a driver: the longest it sleeps when nothing is due.
pub(crate) const IDLE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
