//! Carries inputs to the component and does what it wants done. Decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::sleep_until;
use tracing::{info, warn};

use super::call_tasks::{CallKey, CallTasks, Told};
use super::counting::{count_call, count_limits};
use super::events::{
    CallEvent, DeliveryEvent, IncomingId, Input, LinkInput, Now, Outgoing, Output, StopReason,
    VerificationOrder, Wake,
};
use super::user_commands::UserCommands;
use super::{Component, IDLE};
use crate::call::{self, CallContext, Stop};
use crate::clock;
use crate::notification::{Attempt, Claim, Outcome, Recording};
use crate::sip::transport::Incoming;
use crate::store::Store;
use crate::voice_reply::delivery::{NotDelivered, VoiceReplyDelivery};
use crate::xmpp::link::iq::IqTracker;
use crate::xmpp::link::{Link, LinkEvent, LinkPermit};

/// The component, and the edges that it is carried between.
pub(crate) struct Driver {
    pub(crate) component: Component,
    pub(crate) store: Store,
    pub(crate) link: Link,
    pub(crate) events: mpsc::Receiver<LinkEvent>,
    pub(crate) iq_tracker: IqTracker,
    pub(crate) context: Arc<CallContext>,
    pub(crate) calls: CallTasks,
    pub(crate) user_commands: UserCommands,
    pub(crate) voice_replies: Arc<VoiceReplyDelivery>,
    pub(crate) inputs: Inputs,
    /// Whether the stream is up.
    pub(crate) link_state: watch::Sender<bool>,
    /// Who asks whether the component still works through its inputs.
    pub(crate) pulse: mpsc::Receiver<oneshot::Sender<()>>,
}

/// The one channel by which everything but the stream reaches the component.
///
/// It has no bound of its own: what comes through it answers something that the component has asked for, and that is bounded.
pub(crate) struct Inputs {
    sender: mpsc::UnboundedSender<Input>,
    receiver: mpsc::UnboundedReceiver<Input>,
}

impl Inputs {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver }
    }

    pub(crate) fn sender(&self) -> mpsc::UnboundedSender<Input> {
        self.sender.clone()
    }
}

/// Why the driver has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriverEnd {
    /// The component has done everything that had to be done before the stream ends.
    Stopped,
    /// The link gives no more events.
    LinkEnded,
}

/// What the driver itself keeps.
struct Carried {
    incoming: BTreeMap<IncomingId, Incoming>,
    next_incoming: u64,
    strangers: Arc<Semaphore>,
    delivery: Option<AbortHandle>,
    reads: bool,
    closes: bool,
}

impl Driver {
    pub(crate) async fn run(&mut self) -> DriverEnd {
        let mut carried = Carried {
            incoming: BTreeMap::new(),
            next_incoming: 0,
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            delivery: None,
            reads: true,
            closes: false,
        };
        let (agent, trunks) = (self.context.agent.clone(), self.context.trunk_pool.clone());
        loop {
            while let Some(output) = self.component.poll() {
                self.carry(output, &mut carried);
            }
            if carried.closes {
                self.voice_replies.transcripts.stop();
                self.link.close().await;
                while self.events.recv().await.is_some() {}
                return DriverEnd::Stopped;
            }
            let wake = self.component.deadline().map_or_else(|| clock::now() + IDLE, |(at, _)| at);
            let input = tokio::select! {
                Some(input) = self.inputs.receiver.recv() => input,
                event = self.events.recv(), if carried.reads => {
                    let Some(event) = event else { return DriverEnd::LinkEnded };
                    let told = &self.link_state;
                    let Some(input) = link_input(event, told, &mut self.iq_tracker) else { continue };
                    Input::Link(input)
                }
                permit = self.link.reserve(), if self.component.has_outgoing() => {
                    if let (Some(permit), Some(outgoing)) = (permit, self.component.poll_outgoing()) {
                        send(permit, outgoing, &self.inputs);
                    }
                    Input::Sent
                }
                () = self.store.due().notified() => Input::Wake(Wake::Due),
                () = self.store.outbox().notified() => Input::Wake(Wake::Outbox),
                () = self.store.voice().notified() => Input::Wake(Wake::Voice),
                () = self.store.replan_wanted().notified() => Input::Wake(Wake::Replan),
                news = trunks.news() => Input::Trunk(news),
                change = trunks.change() => Input::TrunkChanged(change),
                Some(iq) = self.iq_tracker.next() => Input::Question(iq),
                Some(asked) = self.pulse.recv() => {
                    // Who has gone away needs no answer.
                    let _ = asked.send(());
                    continue;
                }
                call = agent.next_call() => {
                    let id = IncomingId(carried.next_incoming);
                    carried.next_incoming += 1;
                    carried.incoming.insert(id, call);
                    Input::CallIn(id)
                }
                () = sleep_until(wake.into()) => Input::Tick,
            };
            self.component.handle(input, now());
        }
    }

    fn carry(&self, output: Output, carried: &mut Carried) {
        match output {
            Output::Store { id, job, now } => {
                let (inputs, numbers) = (self.inputs.sender(), self.context.numbers.clone());
                self.store.submit(job, now, move |result| {
                    count_limits(&numbers, &result);
                    // A component that is gone is a program that ends.
                    let _ = inputs.send(Input::Stored(id, Box::new(result)));
                });
            }
            Output::Dial(claim) => self.dial(*claim),
            Output::StopRinging { attempt, reason } => {
                let stop = match reason {
                    StopReason::CameOnline => Stop::CameOnline,
                    StopReason::Withdrawn => Stop::Withdrawn,
                };
                self.calls.stop(CallKey::Placed(attempt), stop);
            }
            Output::ChangeCall(change) => self.calls.change(&change),
            Output::DialVerification(order) => self.dial_verification(*order),
            Output::TakeCall(id) => {
                if let Some(incoming) = carried.incoming.remove(&id) {
                    self.take_call(id, incoming, carried.strangers.clone());
                }
            }
            Output::RefuseCall(id, status) => {
                if let Some(incoming) = carried.incoming.remove(&id) {
                    tokio::spawn(incoming.refuse(status));
                }
            }
            Output::EndCalls => self.calls.end_all(),
            Output::Deliver(recording) => carried.delivery = Some(self.deliver(*recording)),
            Output::StopDeliveries => {
                carried.delivery.take().iter().for_each(AbortHandle::abort);
            }
            Output::Command(request) => {
                let (commands, inputs) = (self.user_commands.clone(), self.inputs.sender());
                tokio::spawn(async move {
                    let result = commands.run(&request).await;
                    let _ = inputs.send(Input::CommandDone(request, result));
                });
            }
            Output::PauseReading(pauses) => carried.reads = !pauses,
            Output::CloseStream => carried.closes = true,
        }
    }

    fn dial(&self, claim: Claim) {
        let (context, attempt) = (self.context.clone(), claim.attempt);
        let span = call::span::outgoing(claim.notification, attempt);
        let panicked = Input::Call(attempt, CallEvent::Panicked);
        let key = CallKey::Placed(attempt);
        self.calls.spawn(key, span, self.inputs.sender(), panicked, |told| async move {
            let result = call::place(claim, &context, told.stop, told.changes).await;
            log_end(&result);
            count_call(&context.numbers, &result);
            Input::Call(attempt, CallEvent::Ended(Box::new(result)))
        });
    }

    fn dial_verification(&self, order: VerificationOrder) {
        let (context, id) = (self.context.clone(), order.code.id);
        let commands = self.user_commands.clone();
        let span = call::span::verification(id);
        let (key, ended) = (CallKey::Verification(id), Input::VerificationEnded(id));
        self.calls.spawn(key, span, self.inputs.sender(), ended, |told| async move {
            let result = if commands.code_may_ring(&order).await {
                let (prompts, house) = commands.verification_prompts(&order);
                call::place_verification(&order.code, prompts, house, &context, told.stop).await
            } else {
                Attempt::without_invite(Outcome::Interrupted)
            };
            log_end(&result);
            count_call(&context.numbers, &result);
            // The person who waits for the code reads how its call went; the line is free meanwhile.
            tokio::spawn(async move { commands.verification_ended(order, result).await });
            Input::VerificationEnded(id)
        });
    }

    fn take_call(&self, id: IncomingId, incoming: Incoming, strangers: Arc<Semaphore>) {
        let context = self.context.clone();
        let (key, span) = (CallKey::Incoming(id), call::span::incoming());
        let panicked = Input::CallInEnded(id, None);
        self.calls.spawn(key, span, self.inputs.sender(), panicked, |told| async move {
            let Told { stop, changes } = told;
            let ended = call::receive(incoming, &context, &strangers, stop, changes).await;
            ended.iter().for_each(|(_, result)| {
                log_end(result);
                count_call(&context.numbers, result);
            });
            Input::CallInEnded(id, ended.map(Box::new))
        });
    }

    fn deliver(&self, recording: Recording) -> AbortHandle {
        let (id, voice_replies) = (recording.id, self.voice_replies.clone());
        let inputs = self.inputs.sender();
        let task = tokio::spawn(async move {
            match voice_replies.deliver(&recording).await {
                Ok(()) => DeliveryEvent::Delivered,
                Err(NotDelivered::NoWay) => DeliveryEvent::NoWay,
                Err(error) => {
                    warn!(%error, "voice reply not delivered");
                    DeliveryEvent::Failed
                }
            }
        });
        let abort = task.abort_handle();
        tokio::spawn(async move {
            let event = match task.await {
                Ok(event) => event,
                Err(error) if error.is_cancelled() => return,
                Err(error) => {
                    warn!(%error, "voice reply delivery panicked");
                    DeliveryEvent::Failed
                }
            };
            let _ = inputs.send(Input::Delivery(id, event));
        });
        abort
    }
}

/// What an event of the link is to the component; the answer to one of our questions is none.
fn link_input(
    event: LinkEvent,
    link_state: &watch::Sender<bool>,
    iq_tracker: &mut IqTracker,
) -> Option<LinkInput> {
    Some(match event {
        LinkEvent::Up => {
            link_state.send_replace(true);
            LinkInput::Up
        }
        LinkEvent::Down => {
            iq_tracker.stream_lost();
            link_state.send_replace(false);
            LinkInput::Down
        }
        LinkEvent::Stanza(stanza) if iq_tracker.takes(&stanza) => return None,
        LinkEvent::Stanza(stanza) => LinkInput::Stanza(stanza),
    })
}

fn send(permit: LinkPermit<'_>, outgoing: Outgoing, inputs: &Inputs) {
    match outgoing {
        Outgoing::Stanza(stanza) => permit.send(stanza),
        Outgoing::Batch(id, stanzas) => {
            let (answered, inputs) = (permit.deliver(stanzas), inputs.sender());
            tokio::spawn(async move {
                let answered = answered.await.unwrap_or(false);
                let _ = inputs.send(Input::Link(LinkInput::Batch(id, answered)));
            });
        }
    }
}

fn log_end(result: &Attempt) {
    // Without an INVITE there is no Call-ID.
    let call_id = Some(result.sip_call_id.as_str()).filter(|id| !id.is_empty());
    info!(
        call_id,
        outcome = ?result.outcome,
        status = result.status,
        ring_ms = result.rang.as_millis() as u64,
        talk_ms = result.talked.as_millis() as u64,
        "call ended"
    );
}

fn now() -> Now {
    Now { mono: clock::now(), at: clock::moment() }
}

/// So many may be asked at once who they are; the other lines are for those who are known.
const STRANGERS_MAX: usize = 2;
