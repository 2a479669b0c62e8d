//! What a call is about, and under which id the store knows it.

use std::sync::Arc;

use jiff::Timestamp;

use super::announcer::MessageAnnouncer;
use crate::notification::verification::VerificationId;
use crate::notification::{AttemptId, Message};
use crate::script::SpokenMessage;
use crate::script::prompt::Prompt;

/// What a call is about.
#[derive(Clone)]
pub(super) enum CallSubject {
    /// Messages for one callee.
    Messages {
        attempt: AttemptId,
        announcer: Arc<MessageAnnouncer>,
        /// When the newest message came for which we phone.
        since: Option<Timestamp>,
    },
    /// A code that proves a phone number.
    Verification(VerificationId),
    /// Nothing is held for the caller, or they are not identified yet.
    Nothing,
}

impl CallSubject {
    /// The sentence that an answering machine hears. No machine is detected in a verification call, as the callee waits for it.
    pub(super) fn notice_for_machines(&self) -> Option<Prompt> {
        match self {
            Self::Messages { announcer, .. } => Some(announcer.prompts().notice_for_machines()),
            Self::Verification(_) | Self::Nothing => None,
        }
    }

    /// The row of the call in the store, if it has one.
    pub(super) fn attempt(&self) -> Option<AttemptId> {
        match self {
            Self::Messages { attempt, .. } => Some(*attempt),
            Self::Verification(_) | Self::Nothing => None,
        }
    }

    /// Messages in the words in which they are spoken to the callee.
    pub(super) fn spoken(&self, messages: &[Message]) -> Vec<SpokenMessage> {
        match self {
            Self::Messages { announcer, .. } => announcer.spoken_all(messages),
            Self::Verification(_) | Self::Nothing => vec![],
        }
    }
}
