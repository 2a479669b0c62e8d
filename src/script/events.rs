//! What happens to the flow of a call, and what the flow wants done.

use std::time::Duration;

use xmpp_parsers::jid::BareJid;

use super::menu::Menu;
use super::prompt::Prompt;
use crate::notification::{Answer, MessageId};

/// What holds for every call about messages. A clone shares the menu.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptSettings {
    /// Silence after the answer, before the first word.
    pub preroll: Duration,
    /// Whether 5 is asked for before a message is read aloud.
    pub hear_first: bool,
    /// What can be answered.
    pub menu: Menu,
    /// Whether an answer can be spoken.
    pub voice: bool,
    /// The longest a call may take.
    pub call_max: Duration,
}

impl Default for ScriptSettings {
    /// The defaults of `component.toml`.
    fn default() -> Self {
        Self {
            preroll: Duration::from_millis(700),
            hear_first: true,
            menu: Menu::default(),
            voice: true,
            call_max: Duration::from_secs(300),
        }
    }
}

/// How a call about messages begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// With a greeting.
    New,
    /// With a greeting that says that this continues an earlier call.
    Continued,
}

/// One message, ready to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenMessage {
    /// Which.
    pub id: MessageId,
    /// Who wrote it.
    pub from: BareJid,
    /// Who wrote it, as it is spoken.
    pub sender: String,
    /// When it came, within a sentence: "at 10:30".
    pub came: String,
    /// Its text; a text that cannot be said is replaced when it is rendered.
    pub body: Prompt,
}

/// What happens in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The phone was answered, and the line is open.
    Answered,
    /// The last prompt of what was last given to [`Output::Speak`] has begun to be heard.
    Began,
    /// What was last given to [`Output::Speak`] has been heard to its end.
    Spoken,
    /// A key was pressed.
    Key(char),
    /// Whether what was given to [`Request::CheckPin`] is the PIN.
    Pin(bool),
    /// The callee has fallen silent, or the recording is full.
    Enough,
    /// The recording is over and kept; so much of it is voice.
    Recorded(Duration),
    /// What [`Request::Commit`], [`Request::CommitVoice`] or [`Request::StopCalls`] asked for is durable.
    Committed,
    /// It is not, and will not be.
    CommitFailed,
    /// What came in since the call began; the answer to [`Request::CheckForMore`].
    More(Vec<SpokenMessage>),
    /// This message was taken back: it is not spoken. One that is being read aloud is read to its end.
    Dropped(MessageId),
    /// This message was corrected: the other takes its place, or is told next where the callee has begun to hear the first.
    Corrected(MessageId, SpokenMessage),
    /// The text of this message turned out to be unspeakable; something else is said in its place.
    Unspeakable(MessageId),
    /// Time has passed.
    Tick,
}

/// What the script wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Say these, one after the other.
    Speak(Vec<Prompt>),
    /// Stop speaking at once.
    StopPlayback,
    /// Something that the world outside the script does.
    Request(Request),
    /// End the call.
    HangUp,
}

/// What the script asks of the world: the store and the recorder. The call carries it there whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// This message was spoken to its end: make that durable.
    Heard(MessageId),
    /// The callee knows of this message, but its text was not spoken: make that durable.
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
    /// Make durable that this number is never called for a code again, then say [`Input::Committed`].
    RefuseCodes,
    /// Make durable that the callee wants no more calls, then say [`Input::Committed`].
    StopCalls,
    /// Look for messages that came in meanwhile, then say [`Input::More`].
    CheckForMore,
}
