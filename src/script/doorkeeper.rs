//! Before anything is said to somebody who calls from a number that nobody has: whose number, and his PIN.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::prompt::{Line, Prompts};
use super::{Input, Output};

/// Asks for a number and a PIN, three times at most, and names nobody.
///
/// Contract: as [`Script`](super::Script). [`Output::Identify`] is answered by [`Input::Pin`] with `false`, or by another script
///           in the place of this one. Whether the number is known is not told apart from whether the PIN is right.
#[derive(Debug)]
pub struct Doorkeeper {
    prompts: Prompts,
    settle: Duration,
    number: String,
    typed: String,
    tries: u32,
    asked: u32,
    turn: Turn,
    outputs: VecDeque<Output>,
    ends_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    NotAnswered,
    Settling(Instant),
    /// The question is spoken.
    Asking(Wanted),
    /// It was; the next digit is waited for until then.
    Waiting(Wanted, Instant),
    Checking,
    Leaving,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Number,
    Pin,
}

impl Doorkeeper {
    /// One who begins to speak so long after the answer.
    pub fn new(prompts: Prompts, settle: Duration) -> Self {
        Self {
            prompts,
            settle,
            number: String::new(),
            typed: String::new(),
            tries: 0,
            asked: 0,
            turn: Turn::NotAnswered,
            outputs: VecDeque::new(),
            ends_at: None,
        }
    }

    /// Everything that it may say.
    pub fn lines_ahead(&self) -> Vec<Line> {
        vec![
            self.prompts.number_question(),
            self.prompts.whose_pin_question(),
            self.prompts.not_known(),
            self.prompts.farewell(),
        ]
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if self.ends_at.is_some_and(|end| now >= end) && !matches!(self.turn, Turn::Over) {
            return self.hang_up();
        }
        match (input, self.turn) {
            (Input::Answered, Turn::NotAnswered) => {
                self.ends_at = Some(now + CALL_MAX);
                self.turn = Turn::Settling(now + self.settle);
                self.tick(now);
            }
            (Input::Tick, _) => self.tick(now),
            (Input::Key(key), Turn::Asking(wanted) | Turn::Waiting(wanted, _)) => {
                self.key(key, wanted, now);
            }
            (Input::Spoken, Turn::Asking(wanted)) => {
                self.turn = Turn::Waiting(wanted, now + WAIT);
            }
            (Input::Spoken, Turn::Leaving) => self.hang_up(),
            (Input::Pin(false), Turn::Checking) => {
                self.tries += 1;
                self.asked = 0;
                if self.tries >= TRIES_MAX {
                    self.leave(vec![self.prompts.not_known()]);
                } else {
                    self.ask(Wanted::Number, vec![self.prompts.not_known()]);
                }
            }
            (_, _) => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let turn = match self.turn {
            Turn::Settling(until) | Turn::Waiting(_, until) => Some(until),
            Turn::NotAnswered | Turn::Asking(_) | Turn::Checking | Turn::Leaving => None,
            Turn::Over => return None,
        };
        [turn, self.ends_at].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Instant) {
        match self.turn {
            Turn::Settling(until) if now >= until => self.ask(Wanted::Number, vec![]),
            Turn::Waiting(wanted, until) if now >= until => match self.typed.is_empty() {
                true => self.ask(wanted, vec![]),
                false => self.entered(wanted),
            },
            _ => {}
        }
    }

    fn key(&mut self, key: char, wanted: Wanted, now: Instant) {
        if matches!(self.turn, Turn::Asking(_)) {
            self.outputs.push_back(Output::Hush);
        }
        self.turn = Turn::Waiting(wanted, now + WAIT);
        match key {
            '#' if self.typed.is_empty() => {}
            '#' => self.entered(wanted),
            '*' => self.typed.clear(),
            digit if digit.is_ascii_digit() && self.typed.len() < DIGITS_MAX => {
                self.typed.push(digit);
            }
            _ => {}
        }
    }

    fn entered(&mut self, wanted: Wanted) {
        let typed = std::mem::take(&mut self.typed);
        self.asked = 0;
        match wanted {
            Wanted::Number => {
                self.number = typed;
                self.ask(Wanted::Pin, vec![]);
            }
            Wanted::Pin => {
                let number = std::mem::take(&mut self.number);
                self.turn = Turn::Checking;
                self.outputs.push_back(Output::Identify { number, pin: typed });
            }
        }
    }

    fn ask(&mut self, wanted: Wanted, before: Vec<Line>) {
        if self.asked >= ASKS_MAX {
            return self.leave(vec![]);
        }
        self.asked += 1;
        self.turn = Turn::Asking(wanted);
        let question = match wanted {
            Wanted::Number => self.prompts.number_question(),
            Wanted::Pin => self.prompts.whose_pin_question(),
        };
        self.outputs.push_back(Output::Speak(before.into_iter().chain([question]).collect()));
    }

    fn leave(&mut self, before: Vec<Line>) {
        self.turn = Turn::Leaving;
        let lines = before.into_iter().chain([self.prompts.farewell()]).collect();
        self.outputs.push_back(Output::Speak(lines));
    }

    fn hang_up(&mut self) {
        self.turn = Turn::Over;
        self.outputs.push_back(Output::HangUp);
    }
}

const TRIES_MAX: u32 = 3;
const ASKS_MAX: u32 = 2;
const DIGITS_MAX: usize = 20;
const WAIT: Duration = Duration::from_secs(5);
/// Long enough to enter three numbers and PINs.
const CALL_MAX: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn a_stranger_is_asked_for_number_and_pin_and_told_no_more() {
        // `>` what is said ends, `.` a second passes, `-` they do not match.
        let cases = [
            ("knows both", ">8190#>4821#", "asks asks identify 8190/4821"),
            ("types ahead", "8190#4821#", "asks hush asks hush identify 8190/4821"),
            ("mistypes", ">8*8190#>4821#", "asks asks identify 8190/4821"),
            ("forgets hash", ">8190.....>4821.....", "asks asks identify 8190/4821"),
            ("says nothing", ">.....>.....>", "asks asks leaves hangs"),
            ("presses hash only", ">#####", "asks"),
            (
                "guesses",
                ">8#>1#->8#>2#->8#>3#->",
                "asks asks identify 8/1 asks asks identify 8/2 asks asks identify 8/3 leaves hangs",
            ),
        ];
        for (stranger, timeline, expected) in cases {
            let (mut time, mut told) = (now(), vec![]);
            let mut door = Doorkeeper::new(Prompts::new("en"), Duration::ZERO);
            door.handle(Input::Answered, time);
            for step in [' '].into_iter().chain(timeline.chars()) {
                match step {
                    ' ' => {}
                    '>' => door.handle(Input::Spoken, time),
                    '-' => door.handle(Input::Pin(false), time),
                    '.' => {
                        time += Duration::from_secs(1);
                        door.handle(Input::Tick, time);
                    }
                    key => door.handle(Input::Key(key), time),
                }
                while let Some(output) = door.poll() {
                    told.push(match output {
                        Output::Speak(_) if matches!(door.turn, Turn::Leaving) => "leaves".into(),
                        Output::Speak(_) => "asks".to_owned(),
                        Output::Hush => "hush".into(),
                        Output::Identify { number, pin } => format!("identify {number}/{pin}"),
                        Output::HangUp => "hangs".into(),
                        other => format!("{other:?}"),
                    });
                }
            }
            assert_eq!(told.join(" "), expected, "a stranger who {stranger}");
        }
    }
}
