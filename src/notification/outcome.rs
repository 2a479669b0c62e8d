//! What became of a call.

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

impl Outcome {
    /// In the operator's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Machine => "answering machine",
            Self::NoAnswer => "no answer",
            Self::Busy => "busy",
            Self::Declined => "declined",
            Self::WrongNumber => "wrong number",
            Self::TrunkFailed => "trunk failed",
            Self::NotEncrypted => "not encrypted",
            Self::NoSound => "no sound",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}
