//! A call in which one sentence is said and nothing asked.

use std::time::Instant;

use super::Input;
use super::frame::{Flow, Frame};
use super::prompt::Prompt;

/// Says one sentence and ends the call.
#[derive(Debug)]
pub(super) struct Notice {
    said: Prompt,
}

impl Notice {
    /// A call that says this.
    pub(super) fn new(said: Prompt) -> Self {
        Self { said }
    }
}

impl Flow for Notice {
    fn begin(&mut self, frame: &mut Frame, _: Instant) {
        frame.leave(vec![self.said.clone()]);
    }

    fn handle(&mut self, _: Input, _: &mut Frame, _: Instant) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn prompts_to_prerender(&self) -> Vec<Prompt> {
        vec![self.said.clone()]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::clock;
    use crate::script::prompt::Prompts;
    use crate::script::{CallFlow, Input, Output};

    #[test]
    fn it_is_said_once_and_the_call_ends() {
        let (now, prompts) = (clock::now(), Prompts::new("en"));
        let mut call = CallFlow::notice(prompts, Duration::ZERO, "pin-locked", 2);
        call.handle(Input::Answered, now);
        let Some(Output::Speak(said)) = call.poll() else { panic!("nothing is said") };
        assert!(said[0].text.starts_with("2 messages are waiting."), "{}", said[0].text);
        assert!(call.prompts_to_prerender().starts_with(&said));
        call.handle(Input::Key('5'), now);
        assert_eq!(call.poll(), None);
        call.handle(Input::Spoken, now);
        assert_eq!(call.poll(), Some(Output::HangUp));
    }
}
