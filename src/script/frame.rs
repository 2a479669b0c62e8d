//! What all calls have in common: the silence after the answer, the last sentence, the longest call.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use super::prompt::Prompt;
use super::{Input, Output, Request};
use crate::notification::MessageId;

/// What is said and asked between the first word and the last one.
///
/// Contract: speaks and asks through the [`Frame`], and gets no input after [`Frame::leave`] or [`Frame::hang_up`].
pub(super) trait Flow: Debug + Send + Sync {
    /// Says the first word.
    fn begin(&mut self, frame: &mut Frame, now: Instant);

    /// Takes what happens before the last sentence. Keys may come before the first word.
    fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant);

    /// Tells when [`Input::Tick`] is due next.
    fn deadline(&self) -> Option<Instant>;

    /// All that may be said and can be known before the answer, in the order in which it is likely to be wanted.
    fn prompts_to_prerender(&self) -> Vec<Prompt>;

    /// As [`CallFlow::unsent_voice`](super::CallFlow::unsent_voice).
    fn unsent_voice(&self) -> Option<MessageId> {
        None
    }

    /// As [`CallFlow::cut`](super::CallFlow::cut).
    fn cut(&self) -> Option<MessageId> {
        None
    }
}

/// Where a call stands, whatever is said in it, and what is to be done next.
#[derive(Debug)]
pub(super) struct Frame {
    preroll: Duration,
    call_max: Duration,
    /// Who calls: said before all else.
    introduction: Option<Prompt>,
    phase: Phase,
    ends_at: Option<Instant>,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The phone rings.
    Ringing,
    /// The phone is on its way to the ear.
    Preroll(Instant),
    /// The flow speaks and listens.
    Talking,
    /// The last sentence is spoken.
    Leaving,
    /// The call has ended.
    Over,
}

/// What an input means to the flow.
pub(super) enum Event {
    /// The first word is due.
    Begin,
    /// The input is for the flow.
    Input(Input),
}

impl Frame {
    /// A call that begins to speak `preroll` after the answer and takes `call_max` at most.
    pub(super) fn new(preroll: Duration, call_max: Duration) -> Self {
        Self {
            preroll,
            call_max,
            introduction: None,
            phase: Phase::Ringing,
            ends_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// Has this said first, whatever is said then.
    pub(super) fn introduce(&mut self, introduction: Prompt) {
        self.introduction = Some(introduction);
    }

    /// What will be said before the first word of the flow; `None` once it is.
    pub(super) fn introduction(&self) -> Option<&Prompt> {
        self.introduction.as_ref()
    }

    /// Takes one input; gives what the flow must know of it.
    pub(super) fn handle(&mut self, input: Input, now: Instant) -> Option<Event> {
        if self.ends_at.is_some_and(|end| now >= end) && self.phase != Phase::Over {
            self.hang_up();
        }
        match (self.phase, input) {
            (Phase::Ringing, Input::Answered) => self.start(now),
            (Phase::Preroll(until), Input::Tick) => self.start_talking(until, now),
            (Phase::Leaving, Input::Spoken) => {
                self.hang_up();
                None
            }
            (Phase::Ringing, Input::Key(_)) | (Phase::Leaving | Phase::Over, _) => None,
            (Phase::Ringing | Phase::Preroll(_) | Phase::Talking, input) => {
                Some(Event::Input(input))
            }
        }
    }

    /// The time of the call and the silence before the first word run from now.
    pub(super) fn start(&mut self, now: Instant) -> Option<Event> {
        self.ends_at = Some(now + self.call_max);
        self.phase = Phase::Preroll(now + self.preroll);
        self.start_talking(now + self.preroll, now)
    }

    fn start_talking(&mut self, at: Instant, now: Instant) -> Option<Event> {
        if now < at {
            return None;
        }
        self.phase = Phase::Talking;
        Some(Event::Begin)
    }

    /// Says these, one after the other; before the first of all, who calls.
    pub(super) fn speak(&mut self, prompts: Vec<Prompt>) {
        let prompts = self.introduction.take().into_iter().chain(prompts).collect();
        self.outputs.push_back(Output::Speak(prompts));
    }

    /// Stops what is being said.
    pub(super) fn stop_playback(&mut self) {
        self.outputs.push_back(Output::StopPlayback);
    }

    /// Asks for what the world outside the flow does.
    pub(super) fn request(&mut self, request: Request) {
        self.outputs.push_back(Output::Request(request));
    }

    /// Says the last words and ends the call after them.
    pub(super) fn leave(&mut self, last: Vec<Prompt>) {
        self.phase = Phase::Leaving;
        self.speak(last);
    }

    /// Ends the call.
    pub(super) fn hang_up(&mut self) {
        self.phase = Phase::Over;
        self.outputs.push_back(Output::HangUp);
    }

    /// Gives the next thing to do.
    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next, if it is due to the flow at `flow`.
    pub(super) fn deadline(&self, flow: Option<Instant>) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Over => return None,
            Phase::Preroll(until) => Some(until),
            Phase::Talking => flow,
            Phase::Ringing | Phase::Leaving => None,
        };
        [phase, self.ends_at].into_iter().flatten().min()
    }
}
