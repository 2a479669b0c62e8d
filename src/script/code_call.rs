//! The call that proves a number: says why it calls, asks for a key, and speaks the code twice.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::gather::{self, Gather};
use super::prompt::{Line, Prompts};
use super::{Input, Output};

/// The script of a call that speaks a code.
///
/// Contract: as [`Script`](super::Script). The code is not said before a key was pressed, so that no voicemail hears it:
///           what a key is worth is told by [`Output::CodeWanted`] first.
/// Source:   promise S1; threat T4 (a number that is not the asker's).
#[derive(Debug)]
pub struct CodeCall {
    prompts: Prompts,
    house: String,
    digits: String,
    settle: Duration,
    call_max: Duration,
    turn: Turn,
    outputs: VecDeque<Output>,
    ends_at: Option<Instant>,
}

#[derive(Debug)]
enum Turn {
    NotAnswered,
    Settling(Instant),
    Asking(Gather),
    /// Somebody wants to hear it; that is being made durable.
    Committing,
    Telling,
    Leaving,
    Over,
}

impl CodeCall {
    /// A script that speaks these digits in the name of `house`, a domain.
    pub fn new(
        prompts: Prompts,
        house: String,
        digits: String,
        settle: Duration,
        call_max: Duration,
    ) -> Self {
        Self {
            prompts,
            house,
            digits,
            settle,
            call_max,
            turn: Turn::NotAnswered,
            outputs: VecDeque::new(),
            ends_at: None,
        }
    }

    /// What can be rendered while the phone rings.
    pub fn lines_ahead(&self) -> Vec<Line> {
        vec![
            self.prompts.code_question(&self.house),
            self.prompts.code(&self.digits),
            self.prompts.farewell(),
        ]
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if self.ends_at.is_some_and(|end| now >= end) && !matches!(self.turn, Turn::Over) {
            return self.hang_up();
        }
        match (input, &mut self.turn) {
            (Input::Answered, Turn::NotAnswered) => {
                self.ends_at = Some(now + self.call_max);
                self.turn = Turn::Settling(now + self.settle);
                self.tick(now);
            }
            (Input::Tick, _) => self.tick(now),
            (Input::Key(key), Turn::Asking(gather)) => {
                if let Some(output) = gather.handle(gather::Input::Key(key), now) {
                    self.outputs.push_back(Output::Hush);
                    self.gathered(output);
                }
            }
            (Input::Spoken, Turn::Asking(gather)) => {
                gather.handle(gather::Input::PromptEnded, now);
            }
            (Input::Spoken, Turn::Telling) => self.leave(),
            (Input::Spoken, Turn::Leaving) => self.hang_up(),
            (Input::Committed, Turn::Committing) => {
                self.turn = Turn::Telling;
                self.outputs.push_back(Output::Speak(vec![self.prompts.code(&self.digits)]));
            }
            (Input::CommitFailed, Turn::Committing) => self.leave(),
            (_, _) => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let turn = match &self.turn {
            Turn::Settling(until) => Some(*until),
            Turn::Asking(gather) => gather.deadline(),
            Turn::NotAnswered | Turn::Committing | Turn::Telling | Turn::Leaving => None,
            Turn::Over => return None,
        };
        [turn, self.ends_at].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Instant) {
        match &mut self.turn {
            Turn::Settling(until) if now >= *until => {
                self.turn = Turn::Asking(Gather::new(KEYS, ASKS_MORE));
                self.ask();
            }
            Turn::Asking(gather) => {
                if let Some(output) = gather.handle(gather::Input::Tick, now) {
                    self.gathered(output);
                }
            }
            _ => {}
        }
    }

    fn gathered(&mut self, output: gather::Output) {
        match output {
            gather::Output::NoInput | gather::Output::NoMatch => self.ask(),
            gather::Output::Chosen(_) => {
                self.turn = Turn::Committing;
                self.outputs.push_back(Output::CodeWanted);
            }
            gather::Output::GaveUp => self.leave(),
        }
    }

    fn ask(&mut self) {
        self.outputs.push_back(Output::Speak(vec![self.prompts.code_question(&self.house)]));
    }

    fn leave(&mut self) {
        self.turn = Turn::Leaving;
        self.outputs.push_back(Output::Speak(vec![self.prompts.farewell()]));
    }

    fn hang_up(&mut self) {
        self.turn = Turn::Over;
        self.outputs.push_back(Output::HangUp);
    }
}

/// Any digit: what counts is that somebody is there.
const KEYS: &str = "0123456789";
const ASKS_MORE: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_said_twice_after_a_key_and_after_its_commit() {
        let (mut call, now) = answered();
        assert!(!spoken(&call_poll(&mut call)).contains("4. 7. 1."));
        call.handle(Input::Key('7'), now);
        assert_eq!(call_poll(&mut call), [Output::Hush, Output::CodeWanted]);
        call.handle(Input::Key('7'), now);
        assert_eq!(call_poll(&mut call), []);
        call.handle(Input::Committed, now);
        let said = spoken(&call_poll(&mut call));
        assert_eq!(said.matches("4. 7. 1. 0. 0. 3.").count(), 2, "{said}");
        call.handle(Input::Spoken, now);
        assert!(spoken(&call_poll(&mut call)).contains("Goodbye"));
        call.handle(Input::Spoken, now);
        assert_eq!(call_poll(&mut call), [Output::HangUp]);
    }

    #[test]
    fn a_voicemail_never_hears_a_code() {
        let (mut call, mut now) = answered();
        let mut said = String::new();
        // It listens without a key, for an hour.
        for _ in 0..3600 {
            let words = spoken(&call_poll(&mut call));
            if !words.is_empty() {
                call.handle(Input::Spoken, now);
            }
            said.push_str(&words);
            now += Duration::from_secs(1);
            call.handle(Input::Tick, now);
        }
        assert!(!said.contains("4. 7."), "{said}");
        assert!(said.contains("Goodbye") && matches!(call.turn, Turn::Over));
    }

    fn answered() -> (CodeCall, Instant) {
        let prompts = Prompts::new("en");
        let now = crate::clock::now();
        let mut call = CodeCall::new(
            prompts,
            "example.org".into(),
            "471003".into(),
            Duration::ZERO,
            Duration::from_secs(120),
        );
        call.handle(Input::Answered, now);
        (call, now)
    }

    fn call_poll(call: &mut CodeCall) -> Vec<Output> {
        std::iter::from_fn(|| call.poll()).collect()
    }

    fn spoken(outputs: &[Output]) -> String {
        let lines = outputs.iter().filter_map(|output| match output {
            Output::Speak(lines) => Some(lines),
            _ => None,
        });
        lines.flatten().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}
