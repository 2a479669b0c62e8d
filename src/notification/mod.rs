//! Why someone is to be phoned, when next, and what is owed to the sender.

pub mod alert;
pub mod budget;
pub mod holding;
mod ids;
pub mod lifecycle;
mod outcome;
pub mod policy;
pub mod returned;
mod ring;
pub mod rules;
mod second_thoughts;
mod status;
mod throttle;
pub mod verification;

pub use ids::{AttemptId, MessageId, NotificationId, RecordingId, ReplyId};
pub use outcome::Outcome;
pub use ring::{RingKind, SenderCalls};
pub use second_thoughts::{CallChange, CorrectionChain};
pub use status::{Status, StatusKind, Wait};
pub use throttle::{NotAThrottle, Throttle};

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::media::answering_machine::PickedUp;
use crate::media::reports::Quality;
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// A message on its way into the store, as the sender's server stamped it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The sender's own `id` of the stanza, to which answers refer; senders may leave it out.
    pub stanza_id: Option<String>,
    /// The sender, with resource where there is one.
    pub sender: Jid,
    /// The person it is for.
    pub recipient: BareJid,
    /// The text to be spoken.
    pub body: String,
    /// The `xml:lang` of the text.
    pub language: Option<String>,
    /// Whether the sender asked for a receipt (XEP-0184).
    pub wants_receipt: bool,
    /// The whole stanza as XML text, for delivery when the person is online again.
    pub stanza: String,
    /// How it came, and what is known of who sent it.
    pub how: Circumstances,
}

/// What decides about a message beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The recipient's own server handed over a copy, and delivers the message itself.
    pub handed_over: Option<Unreachable>,
    /// The sender is a contact of the recipient's.
    pub from_contact: bool,
    /// Whether the sender is a program is still being asked: the phone must not ring before that is known.
    pub sender_unknown: bool,
    /// The recipient is online, and their server refuses messages of this sender: no call is made.
    pub refused: bool,
    /// It is delivered, but makes no call and its sender reads nothing of it: it takes something back, or a program seems
    /// to have written it in answer to us.
    pub silent: bool,
}

/// Why a person's server could not reach them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// None of their clients takes messages.
    Offline,
    /// All that would take it are asleep (XEP-0198 sessions without a connection).
    Hibernating,
    /// It was on its way to a client whose connection died.
    Unacked,
    /// It arrived, but no receipt came back in time.
    Unreceipted,
}

/// A message that the store has.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its name in the store.
    pub id: MessageId,
    /// When Offhook received it.
    pub received: Timestamp,
    /// What was received.
    pub draft: Draft,
    /// `id` of the first status message about it, which later ones replace (XEP-0308).
    pub status_stanza_id: String,
    /// The `id`s that its corrections have brought.
    pub chain: CorrectionChain,
}

/// How one call went.
///
/// `Interrupted`, `Cancelled` and `TrunkFailed` do not count against the recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// What became of it.
    pub outcome: Outcome,
    /// Final SIP status, if there was one.
    pub status: Option<u16>,
    /// What the telephone network said of the end, as a cause of Q.850.
    pub cause: Option<u8>,
    /// From the first ringing to its end.
    pub rang: Duration,
    /// From the answer to the end.
    pub talked: Duration,
    /// SIP Call-ID, to find the call in the PBX's log.
    pub sip_call_id: String,
    /// Name of the trunk that carried it.
    pub trunk: String,
    /// The callee asked for no more calls (9, then 9).
    pub stop_calls: bool,
    /// Earliest next try that the far end asked for (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// Who picked up, if anybody did.
    pub picked_up: Option<PickedUp>,
    /// How good the line was, if there was talk.
    pub quality: Option<Quality>,
    /// The message that was being read aloud at the end.
    pub cut: Option<MessageId>,
    /// Its messages and keys, a line each, as `offhook trace` shows them.
    pub ladder: String,
}

impl Attempt {
    /// A call that came to this without an INVITE.
    pub fn without_invite(outcome: Outcome) -> Self {
        Self {
            outcome,
            status: None,
            cause: None,
            rang: Duration::ZERO,
            talked: Duration::ZERO,
            sip_call_id: String::new(),
            trunk: String::new(),
            stop_calls: false,
            retry_after: None,
            picked_up: None,
            quality: None,
            cut: None,
            ladder: String::new(),
        }
    }
}

/// How far a call has come, for the sender's status message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The phone rings.
    Ringing,
    /// The phone was answered.
    Answered,
}

/// A call to make now: claimed from the store under a lease, its intent already durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The need for this call.
    pub notification: NotificationId,
    /// This call's name.
    pub attempt: AttemptId,
    /// Where to phone.
    pub number: PhoneNumber,
    /// Whom to phone.
    pub callee: Subscriber,
    /// What to read, oldest first; never empty.
    pub messages: Vec<Message>,
    /// An earlier call about this broke off after some messages were heard.
    pub continuing: bool,
    /// The callee's PIN was wrong too often today: nothing is read.
    pub pin_locked: bool,
    /// When the claim runs out.
    pub lease_until: Timestamp,
}

/// What the callee chose for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The message it answers.
    pub message: MessageId,
    /// The key pressed.
    pub key: char,
    /// What the sender reads, ready worded.
    pub words: String,
}

/// What the callee said in answer to a message.
#[derive(Clone, PartialEq, Eq)]
pub struct VoiceAnswer {
    /// The message it answers.
    pub message: MessageId,
    /// Unguessable and never used twice.
    pub name: String,
    /// The recording, as [`RecordingBuffer`](crate::media::recording_buffer::RecordingBuffer) writes it; it may be sealed.
    pub sound: Vec<u8>,
    /// How long it is once it is cut to what was said.
    pub length: Duration,
    /// The call broke off in the middle.
    pub cut: bool,
}

/// A voice answer on its way to the sender.
#[derive(Clone, PartialEq)]
pub struct Recording {
    /// Its row.
    pub id: RecordingId,
    /// What was recorded; its `message` is [`Recording::about`].
    pub answer: VoiceAnswer,
    /// The message it answers.
    pub about: Message,
    /// When it was recorded.
    pub taken: Timestamp,
    /// How often it could not be passed on.
    pub tries: u32,
}

impl fmt::Debug for Recording {
    /// Without what was said, and by whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({}, tries {})", self.id.0, self.tries)
    }
}

/// A voice answer that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceFile {
    /// Where.
    pub url: String,
    /// What it is called there.
    pub file_name: String,
    /// Such as `audio/mpeg`.
    pub media_type: String,
    /// Its size.
    pub octets: u64,
    /// How long it plays.
    pub length: Duration,
}

/// What the sender reads about a voice answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoiceNews {
    /// The link and nothing else, so that clients play it inline.
    File(VoiceFile),
    /// That it is there, in words.
    Note {
        /// How long it is.
        length: Duration,
        /// The call broke off in the middle.
        cut: bool,
    },
    /// The note again, with what was understood of it.
    Transcript {
        /// How long it is.
        length: Duration,
        /// The call broke off in the middle.
        cut: bool,
        /// In words.
        text: String,
        /// The stanza of the note.
        of: String,
    },
    /// It is there, but passing it on takes long.
    Late(Duration),
    /// It is there, but nothing is configured to pass it on by.
    NoWay(Duration),
}

/// A stanza that is owed and must arrive, once, under one `id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Owed {
    /// Its row.
    pub id: ReplyId,
    /// The `id` the stanza bears, the same after a crash.
    pub stanza_id: String,
    /// The message it is about.
    pub message: Message,
    /// The recipient of that message, by name, for the wording; the JID's node if nothing better is known.
    pub callee_name: String,
    /// Language in which the reader reads, where known.
    pub language: Option<String>,
    /// Since when it is owed.
    pub since: Timestamp,
    /// Zone for times in the wording.
    pub zone: jiff::tz::TimeZone,
    /// Whose it is.
    pub zone_of: ZoneOf,
    /// The `id` of the stanza that this one corrects (XEP-0308).
    pub replaces: Option<String>,
    /// How many lines of its sender it is about.
    pub lines: Lines,
    /// What it says.
    pub content: Reply,
}

/// Whose time a reader is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneOf {
    /// Their own, which is known.
    Reader,
    /// That of the person they have written to, or of the house.
    Recipient,
}

/// Lines that one sender wrote within seconds, and that share one status message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// How many there are.
    pub all: u64,
    /// For how many of them the status holds.
    pub told: u64,
}

impl Lines {
    /// A message alone.
    pub const ONE: Self = Self { all: 1, told: 1 };
}

/// What an owed stanza says.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To the sender: the one status message of a held message, corrected in place.
    Status(Status),
    /// To the sender: what the callee chose.
    Answer(Answer),
    /// To the sender: what the callee said.
    Voice(VoiceNews),
    /// To the sender: XEP-0184 receipt, as the text has been spoken.
    Receipt,
    /// To the recipient: the held message itself, with its delay (XEP-0203).
    Delivery,
    /// To the recipient, from the component: calls are switched off and how to undo that.
    CallsSwitchedOff,
}

impl Reply {
    /// Whether the sender of the message reads it, and not its recipient.
    pub fn is_for_sender(&self) -> bool {
        match self {
            Self::Status(_) | Self::Answer(_) | Self::Voice(_) | Self::Receipt => true,
            Self::Delivery | Self::CallsSwitchedOff => false,
        }
    }
}
