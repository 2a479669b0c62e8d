//! Before anything is said: who picked up must know the PIN.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::prompt::{Line, Prompts};
use super::{Input, Output, Script};

/// A [`Script`] behind a PIN. Until it is entered, nobody is named and nothing is read.
///
/// Contract: as [`Script`]. Digits end with `#`, or with the last one; a `#` soon after that is not the script's.
///           After three wrong ones the call ends.
#[derive(Debug)]
pub struct PinGate {
    prompts: Prompts,
    script: Script,
    digits: usize,
    count: u64,
    settle: Duration,
    typed: String,
    tries: u32,
    asked: u32,
    turn: Turn,
    outputs: VecDeque<Output>,
    ends_at: Option<Instant>,
    call_max: Duration,
}

#[derive(Debug)]
enum Turn {
    NotAnswered,
    Settling(Instant),
    /// The question is spoken.
    Asking,
    /// It was; digits are waited for until then.
    Waiting(Instant),
    Checking,
    Leaving,
    /// The script goes on; a `#` until then still belongs to the PIN.
    Open {
        hash_until: Option<Instant>,
    },
    Over,
}

impl PinGate {
    /// Puts a PIN of so many digits before this script about `count` messages.
    pub fn new(prompts: Prompts, script: Script, digits: usize, count: u64) -> Self {
        let (settle, call_max) = (script.settle(), script.call_max());
        Self {
            prompts,
            script,
            digits,
            count,
            settle,
            typed: String::new(),
            tries: 0,
            asked: 0,
            turn: Turn::NotAnswered,
            outputs: VecDeque::new(),
            ends_at: None,
            call_max,
        }
    }

    /// What can be rendered while the phone rings.
    pub fn lines_ahead(&self) -> Vec<Line> {
        let mut lines = vec![self.prompts.pin_question(self.count), self.prompts.pin_wrong()];
        lines.extend(self.script.lines_ahead());
        lines
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if let Turn::Open { hash_until } = self.turn {
            if matches!(input, Input::Key('#')) && hash_until.is_some_and(|until| now < until) {
                self.turn = Turn::Open { hash_until: None };
                return;
            }
            return self.script.handle(input, now);
        }
        if self.ends_at.is_some_and(|end| now >= end) && !matches!(self.turn, Turn::Over) {
            return self.hang_up();
        }
        match (input, &self.turn) {
            (Input::Answered, Turn::NotAnswered) => {
                self.ends_at = Some(now + self.call_max);
                self.turn = Turn::Settling(now + self.settle);
                self.tick(now);
            }
            (Input::Tick, _) => self.tick(now),
            (Input::Key(key), Turn::Asking | Turn::Waiting(_)) => self.key(key, now),
            (Input::Spoken, Turn::Asking) => self.turn = Turn::Waiting(now + WAIT),
            (Input::Spoken, Turn::Leaving) => self.hang_up(),
            (Input::Pin(true), Turn::Checking) => {
                self.turn = Turn::Open { hash_until: Some(now + HASH_WITHIN) };
                self.script.handle(Input::Answered, now);
            }
            (Input::Pin(false), Turn::Checking) => {
                self.tries += 1;
                if self.tries >= TRIES_MAX {
                    self.leave();
                } else {
                    self.ask(vec![self.prompts.pin_wrong()]);
                }
            }
            (_, _) => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front().or_else(|| self.script.poll())
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let turn = match self.turn {
            Turn::Open { .. } => return self.script.deadline(),
            Turn::Over => return None,
            Turn::Settling(until) | Turn::Waiting(until) => Some(until),
            Turn::NotAnswered | Turn::Asking | Turn::Checking | Turn::Leaving => None,
        };
        [turn, self.ends_at].into_iter().flatten().min()
    }

    /// As [`Script::unspeakable_line`].
    pub fn unspeakable_line(&self) -> Line {
        self.script.unspeakable_line()
    }

    /// As [`Script::unsent_voice`].
    pub fn unsent_voice(&self) -> Option<crate::notification::MessageId> {
        self.script.unsent_voice()
    }

    fn tick(&mut self, now: Instant) {
        match self.turn {
            Turn::Settling(until) if now >= until => self.ask(vec![]),
            Turn::Waiting(until) if now >= until => {
                if self.typed.is_empty() {
                    self.ask(vec![]);
                } else {
                    self.check();
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, key: char, now: Instant) {
        if self.typed.is_empty() {
            self.outputs.push_back(Output::Hush);
        }
        self.turn = Turn::Waiting(now + WAIT);
        match key {
            '#' => return self.check(),
            '*' => self.typed.clear(),
            digit if digit.is_ascii_digit() => self.typed.push(digit),
            _ => {}
        }
        if self.typed.len() >= self.digits {
            self.check();
        }
    }

    fn check(&mut self) {
        self.turn = Turn::Checking;
        self.outputs.push_back(Output::CheckPin(std::mem::take(&mut self.typed)));
    }

    fn ask(&mut self, before: Vec<Line>) {
        if self.asked >= ASKS_MAX {
            return self.leave();
        }
        self.asked += 1;
        self.turn = Turn::Asking;
        let lines = before.into_iter().chain([self.prompts.pin_question(self.count)]).collect();
        self.outputs.push_back(Output::Speak(lines));
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

const TRIES_MAX: u32 = 3;
/// The question is asked once, and twice more when nobody answers or the digits are wrong.
const ASKS_MAX: u32 = 3;
const WAIT: Duration = Duration::from_secs(5);
const HASH_WITHIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Terms;
    use crate::script::menu::Menu;

    #[test]
    fn nothing_is_said_before_the_pin_and_everything_after_it() {
        // `>` what is said ends, `.` a second passes, `+` the PIN is right, `-` it is wrong.
        let cases = [
            ("enters it", ">4821+", "checks 4821", true),
            ("enters it over the question", "4821+", "checks 4821", true),
            ("ends it with hash", ">48#-", "checks 48", false),
            ("ends it with hash by habit", ">4821+#", "checks 4821", true),
            ("mistypes and starts anew", ">49*4821+", "checks 4821", true),
            ("is slow", ">48.....-", "checks 48", false),
            ("is silent", ">.....>.....>.....>", "", false),
            ("guesses", ">1111->2222->3333->", "checks 1111 checks 2222 checks 3333", false),
            (
                "is a machine with tones",
                ">0123456789-*#-98765432-",
                "checks 0123 checks  checks 9876",
                false,
            ),
        ];
        for (callee, timeline, checked, opens) in cases {
            let (told, over) = play(timeline);
            assert_eq!(told.contains("Alice"), opens, "callee {callee}: {told}");
            let checks: Vec<&str> =
                told.lines().filter(|line| line.starts_with("checks")).collect();
            assert_eq!(checks.join(" "), checked, "callee {callee}");
            let ends = matches!(callee, "is silent" | "guesses");
            assert_eq!(over, ends, "callee {callee}: {told}");
        }
    }

    fn play(timeline: &str) -> (String, bool) {
        let item = crate::script::Item {
            id: crate::notification::MessageId(1),
            sender: "Alice".into(),
            arrival: "At 10:30 a message from Alice arrived.".into(),
            body: Line::body(crate::notification::MessageId(1), "en", "Hello"),
        };
        let terms = Terms {
            settle: Duration::ZERO,
            hear_first: true,
            menu: Menu::default(),
            voice: false,
            call_max: Duration::from_secs(300),
        };
        let script = Script::new(terms, Prompts::new("en"), "Bob".into(), vec![item], false);
        let mut gate = PinGate::new(Prompts::new("en"), script, 4, 1);
        let mut now = crate::clock::now();
        let (mut told, mut over) = (String::new(), false);
        let mut inputs = vec![Input::Answered];
        inputs.extend(timeline.chars().map(|step| match step {
            '>' => Input::Spoken,
            '.' => Input::Tick,
            '+' => Input::Pin(true),
            '-' => Input::Pin(false),
            key => Input::Key(key),
        }));
        for input in inputs {
            if input == Input::Tick {
                now += Duration::from_secs(1);
            }
            gate.handle(input, now);
            while let Some(output) = gate.poll() {
                match output {
                    Output::Speak(lines) => lines.iter().for_each(|line| {
                        told.push_str(&line.text);
                        told.push('\n');
                    }),
                    Output::CheckPin(digits) => told.push_str(&format!("checks {digits}\n")),
                    Output::HangUp => over = true,
                    _ => {}
                }
            }
        }
        (told, over)
    }
}
