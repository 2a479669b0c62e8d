//! Calling in from a number that belongs to no subscriber: the caller gives a number and a PIN.

use std::time::{Duration, Instant};

use super::digits::{self, DigitEntry, Entry, Length};
use super::frame::{Flow, Frame};
use super::prompt::{Prompt, Prompts};
use super::{Input, Request};

/// Asks for a number and a PIN, three times at most, and names nobody.
///
/// Contract: [`Request::Identify`] is answered by [`Input::Pin`] with `false`, or by another flow in the place of this one.
///           An unknown number and a wrong PIN are answered alike.
#[derive(Debug)]
pub(super) struct CallerLogin {
    prompts: Prompts,
    wrong_pairs: u32,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The number is asked for.
    Number(DigitEntry),
    /// The PIN that belongs to `number` is asked for.
    Pin { number: String, entry: DigitEntry },
    /// The pair is being compared.
    Checking,
}

impl CallerLogin {
    /// Begins with the number.
    pub(super) fn new(prompts: Prompts) -> Self {
        Self { prompts, wrong_pairs: 0, step: Step::Number(entry(prompts, NUMBER_QUESTION)) }
    }

    fn ask_number(&mut self, before: Vec<Prompt>, frame: &mut Frame) {
        let mut entry = entry(self.prompts, NUMBER_QUESTION);
        entry.ask(before, frame);
        self.step = Step::Number(entry);
    }

    fn entered(&mut self, typed: String, frame: &mut Frame) {
        match std::mem::replace(&mut self.step, Step::Checking) {
            Step::Number(_) => {
                let mut entry = entry(self.prompts, PIN_QUESTION);
                entry.ask(vec![], frame);
                self.step = Step::Pin { number: typed, entry };
            }
            Step::Pin { number, .. } => frame.request(Request::Identify { number, pin: typed }),
            Step::Checking => {}
        }
    }

    fn wrong(&mut self, frame: &mut Frame) {
        self.wrong_pairs += 1;
        let said = self.prompts.plain("phone-not-known");
        if self.wrong_pairs >= WRONG_PAIRS_MAX {
            frame.leave(vec![said, self.prompts.plain("code-goodbye")]);
        } else {
            self.ask_number(vec![said], frame);
        }
    }
}

impl Flow for CallerLogin {
    fn begin(&mut self, frame: &mut Frame, _: Instant) {
        self.ask_number(vec![], frame);
    }

    fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant) {
        let entry = match &mut self.step {
            Step::Number(entry) | Step::Pin { entry, .. } => entry,
            Step::Checking => {
                if input == Input::Pin(false) {
                    self.wrong(frame);
                }
                return;
            }
        };
        let ended = match input {
            Input::Spoken => entry.handle(digits::Input::PromptEnded, frame, now),
            Input::Key(key) => entry.handle(digits::Input::Key(key), frame, now),
            Input::Tick => entry.handle(digits::Input::Tick, frame, now),
            _ => None,
        };
        match ended {
            Some(Entry::Digits(typed)) => self.entered(typed, frame),
            Some(Entry::GaveUp) => frame.leave(vec![self.prompts.plain("code-goodbye")]),
            None => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Number(entry) | Step::Pin { entry, .. } => entry.deadline(),
            Step::Checking => None,
        }
    }

    fn prompts_to_prerender(&self) -> Vec<Prompt> {
        [NUMBER_QUESTION, PIN_QUESTION, "phone-not-known", "code-goodbye"]
            .map(|id| self.prompts.plain(id))
            .into()
    }
}

fn entry(prompts: Prompts, question: &str) -> DigitEntry {
    DigitEntry::new(prompts.plain(question), Length::UpTo(DIGITS_MAX), ASKS_MAX)
}

const NUMBER_QUESTION: &str = "phone-number-question";
const PIN_QUESTION: &str = "phone-whose-pin-question";
const WRONG_PAIRS_MAX: u32 = 3;
const ASKS_MAX: u32 = 3;
const DIGITS_MAX: usize = 20;
/// Long enough to enter three numbers and PINs.
pub(super) const CALL_MAX: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::script::{CallFlow, Output};

    #[test]
    fn an_unknown_caller_is_asked_for_number_and_pin_and_told_no_more() {
        // `>` what is said ends, `.` a second passes, `-` they do not match.
        let cases = [
            ("knows both", ">8190#>4821#", "asks asks identify 8190/4821"),
            (
                "types ahead",
                "8190#4821#",
                "asks stop_playback asks stop_playback identify 8190/4821",
            ),
            ("mistypes", ">8*8190#>4821#", "asks asks identify 8190/4821"),
            ("forgets hash", ">8190.....>4821.....", "asks asks identify 8190/4821"),
            ("says nothing", ">........>........>........>", "asks asks asks leaves hangs"),
            ("presses hash only", ">#####", "asks"),
            (
                "guesses",
                ">8#>1#->8#>2#->8#>3#->",
                "asks asks identify 8/1 asks asks identify 8/2 asks asks identify 8/3 leaves hangs",
            ),
        ];
        for (caller, timeline, expected) in cases {
            let goodbye = Prompts::new("en").plain("code-goodbye");
            let (mut time, mut told) = (now(), vec![]);
            let mut call = CallFlow::caller_login(Prompts::new("en"), Duration::ZERO);
            call.handle(Input::Answered, time);
            for step in [' '].into_iter().chain(timeline.chars()) {
                match step {
                    ' ' => {}
                    '>' => call.handle(Input::Spoken, time),
                    '-' => call.handle(Input::Pin(false), time),
                    '.' => {
                        time += Duration::from_secs(1);
                        call.handle(Input::Tick, time);
                    }
                    key => call.handle(Input::Key(key), time),
                }
                while let Some(output) = call.poll() {
                    told.push(match output {
                        Output::Speak(said) if said.last() == Some(&goodbye) => "leaves".into(),
                        Output::Speak(_) => "asks".to_owned(),
                        Output::StopPlayback => "stop_playback".into(),
                        Output::Request(Request::Identify { number, pin }) => {
                            format!("identify {number}/{pin}")
                        }
                        Output::HangUp => "hangs".into(),
                        other => format!("{other:?}"),
                    });
                }
            }
            assert_eq!(told.join(" "), expected, "a caller who {caller}");
        }
    }
}
