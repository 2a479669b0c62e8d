//! A PIN before anything is told: the person on the phone must know it.

use std::time::{Duration, Instant};

use super::digits::{self, DigitEntry, Entry, Length};
use super::frame::{Event, Flow, Frame};
use super::keys;
use super::prompt::{Prompt, Prompts};
use super::{Input, Request};
use crate::notification::MessageId;

/// Another flow behind a PIN. Until it is entered, no person is named and no message is read.
///
/// Contract: a [`keys::ENTER`] soon after the last digit still belongs to the PIN. After three wrong PINs the call ends.
#[derive(Debug)]
pub(super) struct PinGate {
    prompts: Prompts,
    entry: DigitEntry,
    question: Prompt,
    digits: usize,
    wrong_pins: u32,
    /// An `ENTER` until then belongs to the digits that were typed, right or wrong.
    enter_until: Option<Instant>,
    step: Step,
    flow: Box<dyn Flow>,
}

#[derive(Debug)]
enum Step {
    /// The PIN is asked for.
    Asking,
    /// It is being compared.
    Checking,
    /// The flow goes on.
    Open,
}

impl PinGate {
    /// Puts a PIN of so many digits before a flow about so many messages.
    pub(super) fn new(prompts: Prompts, flow: Box<dyn Flow>, digits: usize, messages: u64) -> Self {
        let question = prompts.announcement("pin-question", &[("count", messages.into())]);
        let entry = DigitEntry::new(question.clone(), Length::Exactly(digits), ASKS_MAX);
        Self {
            prompts,
            entry,
            question,
            digits,
            wrong_pins: 0,
            enter_until: None,
            step: Step::Asking,
            flow,
        }
    }

    fn ask(&mut self, before: Vec<Prompt>, frame: &mut Frame, now: Instant) {
        self.step = Step::Asking;
        let ended = self.entry.ask(before, frame);
        self.entered(ended, frame, now);
    }

    fn entered(&mut self, ended: Option<Entry>, frame: &mut Frame, now: Instant) {
        match ended {
            Some(Entry::Digits(digits)) => {
                self.step = Step::Checking;
                // Fewer were ended by an `ENTER` already.
                self.enter_until = (digits.len() == self.digits).then(|| now + ENTER_WITHIN);
                frame.request(Request::CheckPin(digits));
            }
            Some(Entry::GaveUp) => frame.leave(vec![self.prompts.plain("code-goodbye")]),
            None => {}
        }
    }

    fn checked(&mut self, right: bool, frame: &mut Frame, now: Instant) {
        if right {
            self.step = Step::Open;
            if let Some(Event::Begin) = frame.start(now) {
                self.flow.begin(frame, now);
            }
            return;
        }
        self.wrong_pins += 1;
        if self.wrong_pins >= WRONG_PINS_MAX {
            frame.leave(vec![self.prompts.plain("code-goodbye")]);
        } else {
            self.ask(vec![self.prompts.plain("pin-wrong")], frame, now);
        }
    }
}

impl Flow for PinGate {
    fn begin(&mut self, frame: &mut Frame, now: Instant) {
        match self.step {
            Step::Open => self.flow.begin(frame, now),
            Step::Asking | Step::Checking => self.ask(vec![], frame, now),
        }
    }

    fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant) {
        if let Input::Dropped(_) | Input::Corrected(..) = input {
            return self.flow.handle(input, frame, now);
        }
        if let Input::Key(key) = input {
            let belongs = self.enter_until.take().is_some_and(|until| now < until);
            if belongs && key == keys::ENTER {
                return;
            }
        }
        if matches!(self.step, Step::Open) {
            return self.flow.handle(input, frame, now);
        }
        let ended = match input {
            Input::Pin(right) if matches!(self.step, Step::Checking) => {
                return self.checked(right, frame, now);
            }
            Input::Spoken => self.entry.handle(digits::Input::PromptEnded, frame, now),
            Input::Key(key) => self.entry.handle(digits::Input::Key(key), frame, now),
            Input::Tick => self.entry.handle(digits::Input::Tick, frame, now),
            _ => None,
        };
        self.entered(ended, frame, now);
    }

    fn deadline(&self) -> Option<Instant> {
        match self.step {
            Step::Open => self.flow.deadline(),
            Step::Asking => self.entry.deadline(),
            Step::Checking => None,
        }
    }

    fn prompts_to_prerender(&self) -> Vec<Prompt> {
        let mut prompts = vec![self.question.clone()];
        prompts.extend(["pin-wrong", "code-goodbye"].map(|id| self.prompts.plain(id)));
        prompts.extend(self.flow.prompts_to_prerender());
        prompts
    }

    fn unsent_voice(&self) -> Option<MessageId> {
        self.flow.unsent_voice()
    }

    fn cut(&self) -> Option<MessageId> {
        self.flow.cut()
    }
}

const WRONG_PINS_MAX: u32 = 3;
/// The question is asked once, and twice more when nobody answers or the digits are wrong.
const ASKS_MAX: u32 = 3;
const ENTER_WITHIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{CallFlow, Opening, Output, ScriptSettings};

    #[test]
    fn nothing_is_said_before_the_pin_and_everything_after_it() {
        // `>` what is said ends, `.` a second passes, `+` the PIN is right, `-` it is wrong.
        let cases = [
            ("enters it", ">4821+", "checks 4821", true),
            ("enters it over the question", "4821+", "checks 4821", true),
            ("ends it with hash", ">48#-", "checks 48", false),
            ("ends it with hash by habit", ">4821+#", "checks 4821", true),
            ("ends a wrong one so", ">1111-#>4821+#", "checks 1111 checks 4821", true),
            ("mistypes and starts anew", ">49*4821+", "checks 4821", true),
            ("is slow", ">48.....-", "checks 48", false),
            ("is silent", ">........>........>........>", "", false),
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
        let item = crate::script::SpokenMessage {
            id: MessageId(1),
            from: "alice@example.org".parse().unwrap(),
            sender: "Alice".into(),
            came: "at 10:30".into(),
            body: Prompt::body(MessageId(1), "en", "Hello"),
        };
        let settings =
            ScriptSettings { preroll: Duration::ZERO, voice: false, ..ScriptSettings::default() };
        let prompts = Prompts::new("en");
        let messages =
            CallFlow::messages(settings, prompts, "Bob".into(), vec![item], Opening::New);
        let mut gate = messages.behind_pin(4, 1);
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
                    Output::Request(Request::CheckPin(digits)) => {
                        told.push_str(&format!("checks {digits}\n"))
                    }
                    Output::HangUp => over = true,
                    _ => {}
                }
            }
        }
        (told, over)
    }
}
