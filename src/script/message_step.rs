//! Where the call about messages stands.

use super::menu::MenuPart;
use super::prompt::Prompt;
use super::question::Question;
use super::voice_answer::VoiceAnswer;

/// Where the call stands.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing was said yet.
    Beginning,
    /// A question is spoken or waits for its key.
    Asking { ask: Ask, question: Question },
    /// A message is read aloud; keys are taken as answers to the question after it.
    Reading,
    /// The callee speaks an answer.
    AnsweringByVoice(VoiceAnswer),
    /// A wish is being made durable.
    Committing(Wish),
    /// The thanks are spoken.
    Confirming,
    /// The store is asked for messages that came in meanwhile.
    Checking,
    /// The last sentence is spoken.
    Ended,
}

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Whether to read the message aloud.
    Hear,
    /// What to answer, with so much of the menu.
    Answer(MenuPart),
    /// Whether these calls shall stop for good.
    Stop,
}

/// What the callee wants durable.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// An answer, and how the callee is thanked for it.
    Answer { thanks: Prompt },
    /// No more calls.
    StopCalls,
}

pub(super) const NOTHING_WAITS: &str = "phone-nothing-waits";
pub(super) const NO_MATCH: &str = "phone-no-match";
pub(super) const STOPPED: &str = "phone-stopped";
pub(super) const NOT_STORED: &str = "phone-not-stored";
pub(super) const GOODBYE: &str = "phone-goodbye";
pub(super) const GOODBYE_UNANSWERED: &str = "phone-goodbye-unanswered";
