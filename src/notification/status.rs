//! What the sender of a held message reads about it, and how each step is told.

use jiff::Timestamp;

use super::Outcome;

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
    /// The recipient was told of the message, which is encrypted: nothing was read aloud.
    NotReadAloud,
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
    /// How it is told.
    pub fn kind(self) -> StatusKind {
        match self {
            Self::Held | Self::Waiting { .. } => StatusKind::Step,
            Self::Calling | Self::Ringing | Self::Answered => StatusKind::Step,
            Self::Heard | Self::Delivered => StatusKind::Outcome,
            Self::TakenBack | Self::TakenBackUnheard => StatusKind::Outcome,
            Self::HeardBeforeCorrection | Self::HeardBeforeRetraction => StatusKind::Outcome,
            Self::NotReached { .. } | Self::HeardInPart { .. } => StatusKind::News,
            Self::Passed | Self::NotReadAloud => StatusKind::News,
            Self::CallsSwitchedOff | Self::NotTaken | Self::LeftWithServer => StatusKind::News,
            Self::Expired | Self::SetAside => StatusKind::News,
        }
    }

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
            Self::NotTaken | Self::NotReadAloud => false,
            Self::Delivered | Self::TakenBack | Self::TakenBackUnheard => false,
            Self::HeardBeforeCorrection | Self::HeardBeforeRetraction => false,
        }
    }
}

/// How a status is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// On the way to an outcome: a correction, which is left out if the next is true soon.
    Step,
    /// What the sender waits for, or has done: a correction.
    Outcome,
    /// What the sender must not overlook: a message of its own.
    News,
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
