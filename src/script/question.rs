//! A question that one key answers: spoken, spoken again, given up.

use std::time::Instant;

use super::frame::Frame;
use super::gather::{self, Gather};
use super::prompt::Prompt;

/// A question that was spoken and waits for its key. It repeats itself.
#[derive(Debug)]
pub(super) struct Question {
    prompt: Prompt,
    no_match: Option<Prompt>,
    gather: Gather,
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
    /// Asks, with `before` said first. Only `keys` answer it; after another key, `no_match` is said and the question
    /// again.
    pub(super) fn ask(
        frame: &mut Frame,
        before: Vec<Prompt>,
        prompt: Prompt,
        keys: impl IntoIterator<Item = char>,
        no_match: Option<Prompt>,
    ) -> Self {
        frame.speak(before.into_iter().chain([prompt.clone()]).collect());
        let keys: String = keys.into_iter().collect();
        Self { prompt, no_match, gather: Gather::new(keys, ASKS_AGAIN) }
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
        let before = match output {
            gather::Output::Chosen(key) => return Some(Reply::Key(key)),
            gather::Output::GaveUp => return Some(Reply::GaveUp),
            gather::Output::NoMatch => self.no_match.clone(),
            gather::Output::NoInput => None,
        };
        frame.speak(before.into_iter().chain([self.prompt.clone()]).collect());
        None
    }

    /// Tells when [`gather::Input::Tick`] is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.gather.deadline()
    }
}

/// How often a question is repeated.
const ASKS_AGAIN: u32 = 2;
