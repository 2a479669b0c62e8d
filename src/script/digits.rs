//! Digits typed one after the other: a PIN, a phone number.

use std::time::{Duration, Instant};

use super::frame::Frame;
use super::keys;
use super::prompt::Prompt;

/// A question that several digits answer. It repeats itself when nothing is typed.
///
/// Contract: the digits end with [`keys::ENTER`], with a pause after the last key, or with the last one of a known
///           number of digits; [`keys::CLEAR`] begins them anew. A key cuts the question short and counts.
#[derive(Debug)]
pub(super) struct DigitEntry {
    question: Prompt,
    /// Who calls, if that was said before the question.
    introduction: Option<Prompt>,
    length: Length,
    asks_left: u32,
    typed: String,
    phase: Phase,
}

/// How many digits are expected.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    /// So many. [`keys::ENTER`] ends fewer, even none.
    Exactly(usize),
    /// So many at most; further ones are ignored. [`keys::ENTER`] needs one before it.
    UpTo(usize),
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing is asked.
    Idle,
    /// The question is spoken.
    Asking,
    /// The next key is waited for until then.
    Waiting(Instant),
}

/// How the entry ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// These digits were typed.
    Digits(String),
    /// The question was asked often enough.
    GaveUp,
}

/// What happens while digits are typed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    /// The question has been spoken to its end.
    PromptEnded,
    /// A key was pressed.
    Key(char),
    /// Time has passed.
    Tick,
}

impl DigitEntry {
    /// An entry whose question is asked `asks_max` times at most.
    pub(super) fn new(question: Prompt, length: Length, asks_max: u32) -> Self {
        Self {
            question,
            introduction: None,
            length,
            asks_left: asks_max,
            typed: String::new(),
            phase: Phase::Idle,
        }
    }

    /// Asks, with `before` said first, unless that was done often enough.
    pub(super) fn ask(&mut self, before: Vec<Prompt>, frame: &mut Frame) -> Option<Entry> {
        let Some(asks_left) = self.asks_left.checked_sub(1) else { return self.end(Entry::GaveUp) };
        self.asks_left = asks_left;
        self.phase = Phase::Asking;
        if let Some(introduction) = frame.introduction() {
            self.introduction = Some(introduction.clone());
        }
        frame.speak(before.into_iter().chain([self.question.clone()]).collect());
        None
    }

    /// Takes one input.
    pub(super) fn handle(
        &mut self,
        input: Input,
        frame: &mut Frame,
        now: Instant,
    ) -> Option<Entry> {
        match (self.phase, input) {
            (Phase::Asking, Input::PromptEnded) => {
                self.phase = Phase::Waiting(now + SILENCE);
                None
            }
            (Phase::Asking, Input::Key(key)) => {
                frame.stop_playback();
                self.key(key, now)
            }
            (Phase::Waiting(_), Input::Key(key)) => self.key(key, now),
            (Phase::Waiting(until), Input::Tick) if now >= until => match self.typed.is_empty() {
                true => {
                    // Who was not at the ear yet hears it whole.
                    let who_calls = self.introduction.clone().into_iter().collect();
                    self.ask(who_calls, frame)
                }
                false => self.entered(),
            },
            (_, _) => None,
        }
    }

    /// Tells when [`Input::Tick`] is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if let Phase::Waiting(until) = self.phase { Some(until) } else { None }
    }

    fn key(&mut self, key: char, now: Instant) -> Option<Entry> {
        self.phase = Phase::Waiting(now + WAIT);
        match (key, self.length) {
            (keys::ENTER, Length::UpTo(_)) if self.typed.is_empty() => None,
            (keys::ENTER, _) => self.entered(),
            (keys::CLEAR, _) => {
                self.typed.clear();
                None
            }
            (digit, length) if digit.is_ascii_digit() => self.digit(digit, length),
            (_, _) => None,
        }
    }

    fn digit(&mut self, digit: char, length: Length) -> Option<Entry> {
        let (Length::Exactly(max) | Length::UpTo(max)) = length;
        if self.typed.len() < max {
            self.typed.push(digit);
        }
        match length {
            Length::Exactly(digits) if self.typed.len() >= digits => self.entered(),
            Length::Exactly(_) | Length::UpTo(_) => None,
        }
    }

    fn entered(&mut self) -> Option<Entry> {
        let typed = std::mem::take(&mut self.typed);
        self.end(Entry::Digits(typed))
    }

    fn end(&mut self, entry: Entry) -> Option<Entry> {
        self.phase = Phase::Idle;
        Some(entry)
    }
}

/// Runs from the end of the question.
const SILENCE: Duration = Duration::from_secs(8);
/// Runs from each key.
const WAIT: Duration = Duration::from_secs(5);
