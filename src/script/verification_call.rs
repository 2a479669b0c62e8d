//! The call that verifies a number: says why it calls, asks for a key, and speaks the code twice.

use std::time::Instant;

use sha1::{Digest, Sha1};

use super::frame::{Flow, Frame};
use super::gather;
use super::keys::STOP;
use super::prompt::{Prompt, Prompts};
use super::question::{Question, Reply};
use super::{Input, Request};
use crate::wording::{phrase, worded_in};

/// Speaks a code once a key was pressed.
///
/// Contract: the code is not said before a key was pressed and that was made durable by [`Request::CodeWanted`], so that
///           no voicemail hears it.
/// Source:   promise S1; threat T4 (a number that is not the asker's).
#[derive(Debug)]
pub(super) struct VerificationCall {
    question: Prompt,
    code: Prompt,
    refuse: Prompt,
    refused: Prompt,
    goodbye: Prompt,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Beginning,
    Asking(Question),
    /// The callee may want no such call ever again.
    Refusing(Question),
    /// The wish to hear the code is being made durable.
    Committing,
    /// The wish for no such call is being made durable.
    CommittingRefusal,
    /// The code is spoken.
    Telling,
}

impl VerificationCall {
    /// Speaks these digits in the name of `domain`.
    pub(super) fn new(prompts: Prompts, domain: &str, digits: &str) -> Self {
        let spelled: Vec<String> = digits.chars().map(|digit| format!("{digit}.")).collect();
        let spelled = spelled.join(" ");
        Self {
            question: prompts.announcement("code-question", &[("domain", domain.into())]),
            code: prompts.announcement("code-spoken", &[("digits", (&spelled).into())]),
            refuse: prompts.plain("code-refuse-question"),
            refused: prompts.plain("code-refused"),
            goodbye: prompts.plain("code-goodbye"),
            step: Step::Beginning,
        }
    }

    fn leave(&self, frame: &mut Frame) {
        frame.leave(vec![self.goodbye.clone()]);
    }
}

/// Names the words by which a person agrees to be phoned, in their language: other words have another name.
pub fn words_version(language: &str) -> String {
    let language = Some(worded_in(Some(language)));
    let say = |id: &str, names: &[&str]| {
        let values: Vec<_> = names.iter().map(|name| (*name, "".into())).collect();
        phrase(language, id, &values)
    };
    let words = [
        say("code-calling", &["number"]),
        say("code-question", &["domain", "hear", "stop"]),
        say("code-refuse-question", &["hear", "stop"]),
        say("code-spoken", &["digits"]),
        say("code-right", &["number"]),
        say("code-right-second", &["number"]),
    ];
    let hash = Sha1::digest(words.concat());
    hash.iter().take(4).map(|octet| format!("{octet:02x}")).collect()
}

impl Flow for VerificationCall {
    fn begin(&mut self, frame: &mut Frame, _: Instant) {
        // Any digit does: it shows that a person listens.
        let question = Question::ask(frame, vec![], self.question.clone(), '0'..='9', None);
        self.step = Step::Asking(question);
    }

    fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant) {
        let reply = match (input, &mut self.step) {
            (Input::Tick, Step::Asking(question) | Step::Refusing(question)) => {
                question.handle(gather::Input::Tick, frame, now)
            }
            (Input::Key(key), Step::Asking(question) | Step::Refusing(question)) => {
                question.handle(gather::Input::Key(key), frame, now)
            }
            (Input::Spoken, Step::Asking(question) | Step::Refusing(question)) => {
                question.handle(gather::Input::PromptEnded, frame, now)
            }
            (Input::Committed, Step::CommittingRefusal) => {
                frame.leave(vec![self.refused.clone()]);
                None
            }
            (Input::Committed, Step::Committing) => {
                self.step = Step::Telling;
                frame.speak(vec![self.code.clone()]);
                None
            }
            (Input::Spoken, Step::Telling)
            | (Input::CommitFailed, Step::Committing | Step::CommittingRefusal) => {
                self.leave(frame);
                None
            }
            (_, _) => None,
        };
        match reply {
            Some(Reply::Key(STOP)) if matches!(self.step, Step::Refusing(_)) => {
                self.step = Step::CommittingRefusal;
                frame.request(Request::RefuseCodes);
            }
            Some(Reply::Key(STOP)) => {
                let question = Question::ask(frame, vec![], self.refuse.clone(), '0'..='9', None);
                self.step = Step::Refusing(question);
            }
            Some(Reply::Key(_)) => {
                self.step = Step::Committing;
                frame.request(Request::CodeWanted);
            }
            Some(Reply::GaveUp) => self.leave(frame),
            None => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Asking(question) | Step::Refusing(question) => question.deadline(),
            _ => None,
        }
    }

    fn prompts_to_prerender(&self) -> Vec<Prompt> {
        let Self { question, code, refuse, refused, goodbye, .. } = self;
        [question, code, refuse, refused, goodbye].map(Prompt::clone).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::script::{CallFlow, Output};

    #[test]
    fn each_language_has_a_version_of_its_words() {
        let (english, german) = (words_version("en"), words_version("de"));
        assert!(english.len() == 8 && english != german, "{english} {german}");
        assert_eq!(words_version("en-GB"), english);
        assert_eq!(words_version("ja"), english, "who has no sentences is spoken to in English");
    }

    #[test]
    fn the_code_is_said_twice_after_a_key_and_after_its_commit() {
        let (mut call, now) = answered();
        assert!(!spoken(&call_poll(&mut call)).contains("4. 7. 1."));
        call.handle(Input::Key('7'), now);
        assert_eq!(
            call_poll(&mut call),
            [Output::StopPlayback, Output::Request(Request::CodeWanted)]
        );
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
    fn nine_twice_refuses_such_calls_for_good_and_says_so_after_the_commit() {
        let (mut call, now) = answered();
        call_poll(&mut call);
        call.handle(Input::Key('9'), now);
        let asked = call_poll(&mut call);
        assert!(spoken(&asked).contains("press 9 again"), "{asked:?}");
        call.handle(Input::Key('9'), now);
        let wish = Output::Request(Request::RefuseCodes);
        assert_eq!(call_poll(&mut call), [Output::StopPlayback, wish]);
        call.handle(Input::Committed, now);
        assert!(spoken(&call_poll(&mut call)).contains("never"));
        call.handle(Input::Spoken, now);
        assert_eq!(call_poll(&mut call), [Output::HangUp]);
    }

    #[test]
    fn nine_once_and_another_key_hears_the_code() {
        let (mut call, now) = answered();
        call.handle(Input::Key('9'), now);
        call_poll(&mut call);
        call.handle(Input::Key('5'), now);
        let outputs = call_poll(&mut call);
        assert_eq!(outputs, [Output::StopPlayback, Output::Request(Request::CodeWanted)]);
    }

    #[test]
    fn a_voicemail_never_hears_a_code() {
        let (mut call, mut now) = answered();
        let (mut said, mut over) = (String::new(), false);
        // It listens without a key, for an hour.
        for _ in 0..3600 {
            let outputs = call_poll(&mut call);
            over |= outputs.contains(&Output::HangUp);
            let words = spoken(&outputs);
            if !words.is_empty() {
                call.handle(Input::Spoken, now);
            }
            said.push_str(&words);
            now += Duration::from_secs(1);
            call.handle(Input::Tick, now);
        }
        assert!(!said.contains("4. 7."), "{said}");
        assert!(said.contains("Goodbye") && over);
    }

    fn answered() -> (CallFlow, Instant) {
        let prompts = Prompts::new("en");
        let now = crate::clock::now();
        let (preroll, call_max) = (Duration::ZERO, Duration::from_secs(120));
        let mut call = CallFlow::verification(prompts, "example.org", "471003", preroll, call_max);
        call.handle(Input::Answered, now);
        (call, now)
    }

    fn call_poll(call: &mut CallFlow) -> Vec<Output> {
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
