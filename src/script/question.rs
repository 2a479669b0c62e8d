//! A question that one key answers: spoken, spoken again, given up.

use std::time::Instant;

use super::frame::Frame;
use super::gather::{self, Gather};
use super::prompt::Prompt;

/// A question that was spoken and waits for its key. It repeats itself.
#[derive(Debug)]
pub(super) struct Question {
    asked: Asked,
    gather: Gather,
}

/// What is asked, and what is said when no answer comes.
#[derive(Debug)]
pub(super) struct Asked {
    /// All that must be known to answer. Who was silent was perhaps not at the ear yet, and hears it whole.
    pub(super) whole: Vec<Prompt>,
    /// What follows a wrong key.
    pub(super) short: Prompt,
    /// The keys that answer.
    pub(super) keys: String,
    /// Said of another key.
    pub(super) no_match: Option<Prompt>,
    /// Keys that come too early: of these it is not said that they mean nothing.
    pub(super) early: String,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// This key was pressed.
    Key(char),
    /// The question was asked often enough.
    GaveUp,
}

impl Question {
    /// Says this, which ends with the question, and waits for an answer.
    pub(super) fn ask(frame: &mut Frame, said: Vec<Prompt>, mut asked: Asked) -> Self {
        let first = frame.introduction().cloned();
        asked.whole.splice(0..0, first);
        frame.speak(said);
        Self { gather: Gather::new(asked.keys.clone(), ASKS_AGAIN), asked }
    }

    /// Takes one input; a key that means something, if only that it is a wrong one, cuts short what is said.
    pub(super) fn handle(
        &mut self,
        input: gather::Input,
        frame: &mut Frame,
        now: Instant,
    ) -> Option<Reply> {
        let output = self.gather.handle(input, now)?;
        if matches!(input, gather::Input::Key(_)) {
            frame.stop_playback();
        }
        let Asked { whole, short, no_match, early, .. } = &self.asked;
        let said = match (output, input) {
            (gather::Output::Chosen(key), _) => return Some(Reply::Key(key)),
            (gather::Output::GaveUp, _) => return Some(Reply::GaveUp),
            (gather::Output::NoMatch, gather::Input::Key(key)) if early.contains(key) => {
                vec![short.clone()]
            }
            (gather::Output::NoMatch, _) => no_match.iter().chain([short]).cloned().collect(),
            (gather::Output::NoInput, _) => whole.clone(),
        };
        frame.speak(said);
        None
    }

    /// Tells when [`gather::Input::Tick`] is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.gather.deadline()
    }
}

/// How often a question is repeated.
const ASKS_AGAIN: u32 = 2;
