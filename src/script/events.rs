//! What a script is told, and what it wants done.

use std::time::Duration;

use super::menu::Menu;
use super::prompt::Line;
use crate::notification::{Answer, MessageId};

/// What holds for every call.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Silence after the answer, before the first word.
    pub settle: Duration,
    /// Whether 5 is asked for before a message is read aloud.
    pub hear_first: bool,
    /// What can be answered.
    pub menu: Menu,
    /// Whether an answer can be spoken.
    pub voice: bool,
    /// The longest a call may take.
    pub call_max: Duration,
}

/// One message, ready to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub id: MessageId,
    /// Who wrote it, as it is spoken.
    pub sender: String,
    /// "At 10:30 a message from Alice arrived."
    pub arrival: String,
    /// Its text; a text that cannot be said is replaced when it is rendered.
    pub body: Line,
}

/// What happens in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The phone was answered, and the line is open.
    Answered,
    /// What was last given to [`Output::Speak`] has been heard to its end.
    Spoken,
    /// A key was pressed.
    Key(char),
    /// Whether what was given to [`Output::CheckPin`] is the PIN.
    Pin(bool),
    /// Nobody speaks any more, or the recording is full.
    Enough,
    /// The recording is over and kept; so much of it is voice.
    Recorded(Duration),
    /// What [`Output::Commit`], [`Output::CommitVoice`] or [`Output::StopCalls`] asked for is durable.
    Committed,
    /// It is not, and will not be.
    CommitFailed,
    /// What came in since the call began; the answer to [`Output::CheckForMore`].
    More(Vec<Item>),
    /// The text of this message turned out to be unspeakable; something else is said in its place.
    Unspeakable(MessageId),
    /// Time has passed.
    Tick,
}

/// What the script wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Say these, one after the other.
    Speak(Vec<Line>),
    /// Fall silent at once.
    Hush,
    /// This message was spoken to its end.
    Heard(MessageId),
    /// The callee knows of this message, but its text was not spoken.
    Passed(MessageId),
    /// Make this answer durable, then say [`Input::Committed`].
    Commit(Answer),
    /// Record what the callee says; say [`Input::Enough`] when that is over by itself.
    Record,
    /// Stop recording, keep what was said in answer to this message, then say [`Input::Recorded`].
    StopRecording(MessageId),
    /// What was recorded is the answer to this message: make that durable, then say [`Input::Committed`].
    CommitVoice(MessageId),
    /// Say by [`Input::Pin`] whether these digits are the PIN.
    CheckPin(String),
    /// Say by [`Input::Pin`] that this number has no such PIN, or go on with the script of whose they are.
    Identify {
        /// As it was typed.
        number: String,
        /// The digits.
        pin: String,
    },
    /// Somebody wants to hear the code: make durable that it opens something, then say [`Input::Committed`].
    CodeWanted,
    /// Make durable that the callee wants no more calls, then say [`Input::Committed`].
    StopCalls,
    /// Look for messages that came in meanwhile, then say [`Input::More`].
    CheckForMore,
    /// End the call.
    HangUp,
}
