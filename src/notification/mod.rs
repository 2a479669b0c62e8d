//! Why someone is to be phoned, when next, and what is owed to the sender.

pub mod alert;
pub mod budget;
pub mod holding;
mod ids;
pub mod lifecycle;
pub mod policy;
pub mod returned;
mod ring;
pub mod rules;
mod second_thoughts;
mod throttle;
pub mod verification;

pub use ids::{AttemptId, MessageId, NotificationId, RecordingId, ReplyId};
pub use ring::{RingKind, SenderCalls};
pub use second_thoughts::{CallChange, CorrectionChain};
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

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Someone, or something, picked up.
    Answered,
    /// An answering machine picked up.
    Machine,
    /// Rang until we gave up, or the callee is not there just now.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The callee declined.
    Declined,
    /// The number does not exist or may not be called.
    WrongNumber,
    /// The trunk could not carry the call.
    TrunkFailed,
    /// It was answered, but the far end takes no encrypted voice, which the trunk must have.
    NotEncrypted,
    /// It was answered, but no sound could go over the call: there was no session that we can have.
    NoSound,
    /// We cancelled the ringing: the recipient came online.
    Cancelled,
    /// The program stopped or crashed during the call.
    Interrupted,
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
    /// What it says.
    pub content: Reply,
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

/// What the sender reads about a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Held, and no call is planned: the recipient wants none, or has no number.
    Held,
    /// Held; the phone rings at `call_at` at the earliest, for the reason given.
    Waiting {
        /// When the call is due.
        call_at: Timestamp,
        /// What the call waits for.
        why: Wait,
    },
    /// The call has been started.
    Calling,
    /// The phone rings.
    Ringing,
    /// The phone was answered.
    Answered,
    /// The message was spoken to its end.
    Heard,
    /// The recipient was told of the message but did not listen to it; no call is made for it again.
    Passed,
    /// This call did not succeed; `next` is the next one, if there is one.
    NotReached {
        /// What became of the call.
        outcome: Outcome,
        /// When the next call is due.
        next: Option<Timestamp>,
    },
    /// The call ended while the message was read aloud; `next` is the next one, if there is one.
    HeardInPart {
        /// When the next call is due, which reads it whole.
        next: Option<Timestamp>,
    },
    /// The recipient came online and has the message: no error came for it.
    Delivered,
    /// The recipient has switched phone calls off; the message stays held.
    CallsSwitchedOff,
    /// The delivery came back; the message stays held and is tried again.
    NotTaken,
    /// The recipient did not come online within `dial.keep_h`; their server has the message.
    LeftWithServer,
    /// Nobody could be reached within `dial.keep_h`; the message is no longer held.
    Expired,
    /// Calls about the message ended in a crash; it stays held, and no further call is made about it.
    SetAside,
    /// The sender has taken it back before the recipient knew of it.
    TakenBack,
    /// The sender has taken it back; a call had announced it or was about to, but it was not heard.
    TakenBackUnheard,
    /// It was heard by phone before the sender corrected it. The new wording is a message of its own.
    HeardBeforeCorrection,
    /// It was heard by phone before the sender took it back; it is not delivered.
    HeardBeforeRetraction,
}

impl Status {
    /// Whether a program must be told, too: only what its owner has to mend. A program that answers what it reads would
    /// answer each status.
    pub fn is_for_programs(self) -> bool {
        match self {
            Self::NotReached { next: None, .. } | Self::HeardInPart { next: None } => true,
            Self::Expired | Self::SetAside => true,
            Self::CallsSwitchedOff | Self::LeftWithServer => true,
            Self::NotReached { next: Some(_), .. } | Self::HeardInPart { next: Some(_) } => false,
            Self::Held | Self::Waiting { .. } => false,
            Self::Calling | Self::Ringing | Self::Answered | Self::Heard | Self::Passed => false,
            Self::NotTaken => false,
            Self::Delivered | Self::TakenBack | Self::TakenBackUnheard => false,
            Self::HeardBeforeCorrection | Self::HeardBeforeRetraction => false,
        }
    }
}

/// What a planned call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// `dial.wait_s`: more messages may come.
    Gathering,
    /// The recipient's quiet hours.
    Quiet,
    /// `dial.throttle`, `dial.sender_throttle` or `dial.calls_per_day_max`.
    Throttled,
    /// The pause before the next attempt.
    Retry,
}
