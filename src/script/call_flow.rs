//! What is said in one call: messages, perhaps behind a PIN, or a code, or who calls.

use std::time::{Duration, Instant};

use super::caller_login::{self, CallerLogin};
use super::frame::{Event, Flow, Frame};
use super::messages::Messages;
use super::notice::Notice;
use super::pin_gate::PinGate;
use super::prompt::{Prompt, Prompts};
use super::verification_call::VerificationCall;
use super::{Input, Opening, Output, ScriptSettings, SpokenMessage};
use crate::notification::MessageId;

/// The script of one call.
///
/// Contract: after each [`CallFlow::handle`], take outputs with [`CallFlow::poll`] until `None`; call again with
///           [`Input::Tick`] at [`CallFlow::deadline`].
#[derive(Debug)]
pub struct CallFlow {
    prompts: Prompts,
    frame: Frame,
    flow: Box<dyn Flow>,
}

impl CallFlow {
    /// Tells `callee` of these messages, oldest first; without any, it says so.
    pub fn messages(
        settings: ScriptSettings,
        prompts: Prompts,
        callee: String,
        items: Vec<SpokenMessage>,
        opening: Opening,
    ) -> Self {
        let frame = Frame::new(prompts, settings.preroll, settings.call_max);
        let flow = Box::new(Messages::new(settings, prompts, callee, items, opening));
        Self { prompts, frame, flow }
    }

    /// The same, with the service named first that has this domain.
    pub fn introduced(mut self, domain: &str) -> Self {
        self.frame.introduce(self.prompts.who_calls(domain));
        self
    }

    /// The same behind a PIN of so many digits: until it is entered, only the number of messages is said.
    pub fn behind_pin(self, digits: usize, messages: u64) -> Self {
        let gate = PinGate::new(self.prompts, self.flow, digits, messages);
        Self { flow: Box::new(gate), ..self }
    }

    /// Asks for a number and a PIN. A caller who gives a right pair goes on with another flow in the place of this one.
    pub fn caller_login(prompts: Prompts, preroll: Duration) -> Self {
        let frame = Frame::new(prompts, preroll, caller_login::CALL_MAX);
        Self { prompts, frame, flow: Box::new(CallerLogin::new(prompts)) }
    }

    /// Says this one sentence.
    pub fn notice(prompts: Prompts, preroll: Duration, id: &str, count: u64) -> Self {
        let said = prompts.announcement(id, &[("count", count.into())]);
        let frame = Frame::new(prompts, preroll, NOTICE_MAX);
        Self { prompts, frame, flow: Box::new(Notice::new(said)) }
    }

    /// Speaks these digits in the name of `domain`, once a key was pressed.
    pub fn verification(
        prompts: Prompts,
        domain: &str,
        digits: &str,
        preroll: Duration,
        call_max: Duration,
    ) -> Self {
        let frame = Frame::new(prompts, preroll, call_max);
        let flow = Box::new(VerificationCall::new(prompts, digits));
        Self { prompts, frame, flow }.introduced(domain)
    }

    /// All that may be said and can be known before the answer, in the order in which it is likely to be wanted, so
    /// that it is ready then.
    pub fn prompts_to_prerender(&self) -> Vec<Prompt> {
        let first = self.frame.introduction().cloned();
        let all = first.into_iter().chain(self.flow.prompts_to_prerender());
        all.chain([self.frame.time_over().clone()]).collect()
    }

    /// What is said in place of a message that cannot be rendered.
    pub fn unspeakable_prompt(&self) -> Prompt {
        self.prompts.unspeakable()
    }

    /// What is said in place of a message in a language that no voice speaks.
    pub fn other_language_prompt(&self) -> Prompt {
        self.prompts.other_language()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match self.frame.handle(input, now) {
            Some(Event::Begin) => self.flow.begin(&mut self.frame, now),
            Some(Event::Input(input)) => self.flow.handle(input, &mut self.frame, now),
            None => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.frame.poll()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        self.frame.deadline(self.flow.deadline())
    }

    /// The message to which something was recorded that is neither durable nor thrown away. When the callee hangs up
    /// or the call breaks off, that is their answer.
    pub fn unsent_voice(&self) -> Option<MessageId> {
        self.flow.unsent_voice()
    }

    /// The message of which something was read aloud, and not all. The callee knows its beginning when the call ends now.
    pub fn cut(&self) -> Option<MessageId> {
        self.flow.cut()
    }
}

const NOTICE_MAX: Duration = Duration::from_secs(60);
