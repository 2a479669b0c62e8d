//! What a call is about, and under which id the store knows it.

use std::sync::Arc;

use jiff::Timestamp;

use super::announcer::MessageAnnouncer;
use crate::notification::verification::VerificationId;
use crate::notification::{AttemptId, Message};
use crate::script::SpokenMessage;
use crate::script::prompt::Prompt;
use crate::speech::Pace;

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

    /// How fast the callee is spoken to.
    pub(super) fn pace(&self) -> Pace {
        match self {
            Self::Messages { announcer, .. } if announcer.callee.slow => Pace::Slow,
            Self::Messages { .. } | Self::Verification(_) | Self::Nothing => Pace::Usual,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::subscriber::Subscriber;

    #[test]
    fn who_wants_it_slow_is_spoken_to_slowly() {
        let manual = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/component.toml"));
        let settings = Arc::new(config::read(manual).unwrap().live);
        for (slow, pace) in [(true, Pace::Slow), (false, Pace::Usual)] {
            let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into());
            let callee = Subscriber { slow, ..bob };
            let announcer = Arc::new(MessageAnnouncer { callee, settings: settings.clone() });
            let attempt = AttemptId(1);
            let subject = CallSubject::Messages { attempt, announcer, since: None };
            assert_eq!(subject.pace(), pace);
        }
    }
}
