//! What makes a phone ring, and what one sender has caused.

use jiff::Timestamp;

/// Why a phone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingKind {
    /// For messages.
    Message,
    /// To speak a code.
    Code,
    /// By `offhook call`.
    Test,
    /// Ours: somebody calls in.
    In,
}

impl RingKind {
    /// Its name for the operator.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Code => "code",
            Self::Test => "test",
            Self::In => "in",
        }
    }
}

/// The calls that one sender has caused, oldest first, with every call whose INVITE may have left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SenderCalls {
    /// To the person who is to be phoned.
    pub to_callee: Vec<Timestamp>,
    /// To all people, these among them.
    pub to_all: Vec<Timestamp>,
    /// The first calls to people in the last 24 hours; none where the person who is to be phoned has been called for them before.
    pub first: Vec<Timestamp>,
    /// Whether they have caused calls for a week already.
    pub is_settled: bool,
}
