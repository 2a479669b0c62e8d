//! Whose turn it is in the call, and how one turn leads to the next.

use std::time::Instant;

use super::gather::Gather;
use super::prompt::Line;
use super::{Item, Output, Script};
use crate::notification::MessageId;

/// Where the call stands.
#[derive(Debug)]
pub(super) enum Turn {
    /// The phone rings.
    NotAnswered,
    /// The callee lifts the phone to the ear.
    Settling(Instant),
    /// A question is spoken or waits for its key.
    Asking { ask: Ask, gather: Gather },
    /// A message is read aloud; keys are taken as answers to the question after it.
    Reading,
    /// Something is being made durable. `words` are what the callee hears then; `None` for the end of all calls.
    Committing { words: Option<String> },
    /// The thanks are spoken.
    Confirming,
    /// What happens to a voice answer is said, then the tone. A key cuts the words short, but not the tone.
    Introducing { tone_only: bool },
    /// The callee speaks.
    Recording,
    /// The recording is being fetched from the line.
    Stopping,
    /// The store is asked for messages that came in meanwhile.
    Checking,
    /// The last sentence is spoken.
    Leaving,
    /// The line is closed.
    Over,
}

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Whether to read the message aloud.
    Hear,
    /// The menu after a message.
    Answer,
    /// Whether these calls shall stop for good.
    Stop,
    /// What to do with what was recorded.
    Send,
}

/// The message the call is about just now.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) item: Item,
    /// Its fate in this call has been told.
    pub(super) told: bool,
    speakable: bool,
}

impl Current {
    pub(super) fn new(item: Item) -> Self {
        Self { item, told: false, speakable: true }
    }
}

impl Turn {
    pub(super) fn takes_keys(&self) -> bool {
        matches!(
            self,
            Self::Asking { .. }
                | Self::Reading
                | Self::Confirming
                | Self::Introducing { tone_only: false }
                | Self::Recording
        )
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Settling(until) => Some(*until),
            Self::Asking { gather, .. } => gather.deadline(),
            Self::NotAnswered
            | Self::Reading
            | Self::Committing { .. }
            | Self::Confirming
            | Self::Introducing { .. }
            | Self::Recording
            | Self::Stopping
            | Self::Checking
            | Self::Leaving
            | Self::Over => None,
        }
    }
}

impl Script {
    /// Tells of the current message, then asks to hear it or reads it at once.
    pub(super) fn announce(&mut self, intro: Vec<Line>, now: Instant) {
        if self.current.is_none() {
            self.go_on(now);
        } else if self.terms.hear_first {
            self.ask(Ask::Hear, intro);
            self.take_typed(now);
        } else {
            self.read(intro);
            self.take_typed(now);
        }
    }

    /// Asks a question, with something said before it.
    pub(super) fn ask(&mut self, ask: Ask, before: Vec<Line>) {
        let mut keys: String = match ask {
            Ask::Hear => "5".into(),
            Ask::Answer => self.terms.menu.keys().collect(),
            Ask::Stop | Ask::Send => String::new(),
        };
        keys += match ask {
            Ask::Hear | Ask::Answer => "*#09",
            Ask::Stop => "9#",
            Ask::Send => "123#*",
        };
        if ask == Ask::Answer && self.terms.voice {
            keys.push('7');
        }
        self.turn = Turn::Asking { ask, gather: Gather::new(keys, ASKS_AGAIN) };
        self.speak_question(ask, before);
    }

    pub(super) fn speak_question(&mut self, ask: Ask, before: Vec<Line>) {
        let question = match ask {
            Ask::Hear => self.prompts.press_to_hear(),
            Ask::Answer => self.prompts.menu(&self.terms.menu, self.terms.voice),
            Ask::Stop => self.prompts.stop_question(),
            Ask::Send => self.prompts.send_question(),
        };
        let lines = before.into_iter().chain([question]).collect();
        self.outputs.push_back(Output::Speak(lines));
    }

    /// Reads the current message, with something said before it.
    pub(super) fn read(&mut self, before: Vec<Line>) {
        let body = self.current.iter().map(|current| current.item.body.clone());
        let lines = before.into_iter().chain(body).collect();
        self.turn = Turn::Reading;
        self.outputs.push_back(Output::Speak(lines));
    }

    /// The current message was read to its end.
    pub(super) fn heard(&mut self) {
        if let Some(current) = self.current.as_mut().filter(|current| !current.told) {
            current.told = true;
            let id = current.item.id;
            self.outputs.push_back(if current.speakable {
                Output::Heard(id)
            } else {
                Output::Passed(id)
            });
        }
    }

    /// The callee goes on without hearing the current message to its end.
    pub(super) fn pass(&mut self) {
        if let Some(current) = self.current.as_mut().filter(|current| !current.told) {
            current.told = true;
            self.outputs.push_back(Output::Passed(current.item.id));
        }
    }

    pub(super) fn unspeakable(&mut self, id: MessageId) {
        if let Some(current) = self.current.as_mut().filter(|current| current.item.id == id) {
            current.speakable = false;
        }
    }

    /// The next message, or the question whether more have come in.
    pub(super) fn go_on(&mut self, now: Instant) {
        self.answered = None;
        match self.waiting.pop_front() {
            Some(item) => {
                let intro = vec![self.prompts.next(&item.arrival)];
                self.current = Some(Current::new(item));
                self.announce(intro, now);
            }
            None => {
                self.current = None;
                self.turn = Turn::Checking;
                self.outputs.push_back(Output::CheckForMore);
            }
        }
    }
}

/// How often a question is repeated.
const ASKS_AGAIN: u32 = 2;
