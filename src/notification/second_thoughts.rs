//! What corrections make of the `id`s of a message, and what calls are told of them and of retractions.

use super::{AttemptId, Message, MessageId};

impl Message {
    /// The `id` by which the sender's client knows it: that of the last correction, as clients show it.
    pub fn last_id(&self) -> Option<&str> {
        self.chain.last_id.as_deref().or(self.draft.stanza_id.as_deref())
    }
}

/// What corrections have made of the `id` of a message.
///
/// Source: XEP-0308 §3 (each correction names the first stanza); some clients name the correction before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorrectionChain {
    /// The `id` of the last correction that the message has taken in.
    pub last_id: Option<String>,
    /// The `id` under which the recipient has an earlier wording: to be named when this one is delivered.
    pub replaces: Option<String>,
}

/// What a call on the line is to do about a message that it reads, or will.
#[derive(Clone, Debug, PartialEq)]
pub struct CallChange {
    /// The call.
    pub attempt: AttemptId,
    /// The message that it knows.
    pub message: MessageId,
    /// What is to be read in its place; `None` if it was taken back.
    pub instead: Option<Box<Message>>,
}
