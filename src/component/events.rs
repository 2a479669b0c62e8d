//! What the component is told, and what it wants done. Everything is data: it can be printed, kept and replayed.

use std::time::Instant;

use minidom::Element;
use xmpp_parsers::jid::BareJid;

use crate::clock::Moment;
use crate::notification::verification::{Code, VerificationId};
use crate::notification::{Attempt, AttemptId, CallChange, Claim, Recording, RecordingId};
use crate::store::{JobId, JobResult, StoreJob};
use crate::subscriber::Subscriber;
use crate::trunks::{TrunkChange, TrunkNews};
use crate::xmpp::commands::{CommandRequest, CommandResult};
use crate::xmpp::directory::{Directory, ServedDomains};

/// One moment on both clocks: the monotonic one for pauses and deadlines, the wall clock for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time.
    pub mono: Instant,
    /// Wall time, and what is known of that clock.
    pub at: Moment,
}

/// Names one batch of stanzas that ends with a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Names one call that a trunk brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncomingId(pub u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// On the stream to the server.
    Link(LinkInput),
    /// A store job is done or refused. Results come in the order of their commits.
    Stored(JobId, Box<JobResult>),
    /// A commit of anybody's has changed what is to be looked for.
    Wake(Wake),
    /// In a call that the component has placed.
    Call(AttemptId, CallEvent),
    /// Of a trunk that had failed.
    Trunk(TrunkNews),
    /// A trunk is passed over, or carries calls again.
    TrunkChanged(TrunkChange),
    /// A number is to be phoned with a code.
    VerificationWanted(Box<VerificationOrder>),
    /// That call is over.
    VerificationEnded(VerificationId),
    /// A trunk brings a call.
    CallIn(IncomingId),
    /// That call is over, with what is to be settled about it.
    CallInEnded(IncomingId, Option<Box<(AttemptId, Attempt)>>),
    /// On the way of a voice reply to its sender.
    Delivery(RecordingId, DeliveryEvent),
    /// A user's command was carried out, or refused.
    CommandDone(Box<CommandRequest>, CommandResult),
    /// A user's command has changed what the gateway must know.
    Update(GatewayUpdate),
    /// A question to a service of the server, with its `id`.
    Question(Element),
    /// The stream has taken what [`Component::poll_outgoing`](super::Component::poll_outgoing) gave.
    Sent,
    /// The configuration was read again.
    Settings(Directory, Box<ServedDomains>),
    /// The program is to end.
    Stop,
    /// Time has passed.
    Tick,
}

/// A number to be phoned with a code, and for whom.
#[derive(Debug)]
pub struct VerificationOrder {
    /// The code, and where.
    pub code: Code,
    /// Who gave the number.
    pub person: BareJid,
    /// The language they wrote in, where known.
    pub language: Option<String>,
}

/// What happened on the stream.
#[derive(Debug)]
pub enum LinkInput {
    /// It is up; what was known of presences is not known any more.
    Up,
    /// It is lost; it comes back by itself.
    Down,
    /// A stanza came.
    Stanza(Element),
    /// The server has answered the ping of a batch (`true`), or the stream was lost before (`false`).
    Batch(BatchId, bool),
}

/// What a commit may have changed. A wake-up may be spurious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// When the next call is due.
    Due,
    /// Which stanzas are owed.
    Outbox,
    /// Which voice replies wait.
    Voice,
    /// What decides when calls are made: all that wait are planned anew.
    Replan,
}

/// What happened in a call.
#[derive(Debug)]
pub enum CallEvent {
    /// It is over.
    Ended(Box<Attempt>),
    /// Its task panicked.
    Panicked,
}

/// What became of a voice reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// Its sender can download it.
    Delivered,
    /// It was not delivered; the same may succeed later.
    Failed,
    /// Nothing is configured by which it could be delivered.
    NoWay,
}

/// What the gateway must learn because of a command.
#[derive(Debug)]
pub enum GatewayUpdate {
    /// A person has other settings, or is new.
    Person(Box<Subscriber>),
    /// A person was erased, but for what the operator has set.
    Erased(BareJid, Option<Box<Subscriber>>),
    /// Something to tell a person.
    Say(BareJid, String),
}

/// What to do about it.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is taken at once; nothing keeps many of them")]
pub enum Output {
    /// Do this in the store; tell by [`Input::Stored`] what came of it.
    Store {
        /// Names the job.
        id: JobId,
        /// What to do.
        job: StoreJob,
        /// The time at which it is asked for.
        now: Moment,
    },
    /// Place this call; from now on it can be stopped.
    Dial(Box<Claim>),
    /// Stop a call while it rings. A call that was answered goes on.
    StopRinging {
        /// Which.
        attempt: AttemptId,
        /// Why.
        reason: StopReason,
    },
    /// Tell this call what became of a message that it reads. It may have come in, or be over.
    ChangeCall(Box<CallChange>),
    /// Phone this number with its code.
    DialVerification(Box<VerificationOrder>),
    /// Answer this call.
    TakeCall(IncomingId),
    /// Refuse this call with a SIP status.
    RefuseCall(IncomingId, u16),
    /// End every call, whatever its state.
    EndCalls,
    /// Deliver this voice reply.
    Deliver(Box<Recording>),
    /// Break off the delivery of voice replies; what is not delivered is kept.
    StopDeliveries,
    /// Carry out this command.
    Command(Box<CommandRequest>),
    /// Take no further events from the stream, or take them again.
    PauseReading(bool),
    /// Everything is done that had to be: end the stream.
    CloseStream,
}

/// A stanza for the stream, or several.
#[derive(Debug)]
pub enum Outgoing {
    /// Nobody needs to know whether it arrives.
    Stanza(Element),
    /// Send these, then a ping; tell by [`LinkInput::Batch`] whether it was answered.
    Batch(BatchId, Vec<Element>),
}

/// Why a ringing call is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The callee can read chat again.
    CameOnline,
    /// The sender has taken the message back, and nothing else is in the call.
    Withdrawn,
}

/// Why the component wants to be told the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The gateway waits for presences, or for the answer of a sender's client.
    Gateway,
    /// A store job that failed is asked for again.
    Retry(JobId),
    /// A call may be due.
    Look,
    /// Stanzas that are owed are read again.
    Outbox,
    /// No error came for a stanza in time.
    BounceGrace,
    /// A voice reply may be due.
    Delivery,
    /// The next slice of what is done in slices.
    Slice,
    /// Old messages are removed.
    Expiry,
    /// Erasures that were asked for from outside are done.
    Erasure,
    /// Operators may have to be told something.
    Alerts,
    /// The clocks are compared.
    Clocks,
    /// The share of a phase of the shutdown is used up.
    Stop,
}
