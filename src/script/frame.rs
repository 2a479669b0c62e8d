//! What all calls have in common: the silence after the answer, the last sentence, the longest call.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use super::prompt::{Prompt, PromptKind, Prompts};
use super::time_left::{GOODBYE, spoken_within};
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
    /// Said when the time of the call is over.
    time_over: Prompt,
    phase: Phase,
    now: Option<Instant>,
    ends_at: Option<Instant>,
    is_speaking: bool,
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
    pub(super) fn new(prompts: Prompts, preroll: Duration, call_max: Duration) -> Self {
        Self {
            preroll,
            call_max,
            introduction: None,
            time_over: prompts.plain("phone-time-over"),
            phase: Phase::Ringing,
            now: None,
            ends_at: None,
            is_speaking: false,
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

    /// What is said when the time of the call is over.
    pub(super) fn time_over(&self) -> &Prompt {
        &self.time_over
    }

    /// Takes one input; gives what the flow must know of it.
    pub(super) fn handle(&mut self, input: Input, now: Instant) -> Option<Event> {
        self.now = Some(now);
        self.is_speaking &= input != Input::Spoken;
        if self.ends_at.is_some_and(|end| now >= end) && self.phase != Phase::Over {
            self.hang_up();
        }
        // What has just been heard to its end is still told to the flow.
        let is_time_over = self.goodbye_at().is_some_and(|at| now >= at) && input != Input::Spoken;
        if is_time_over && self.phase == Phase::Talking && !self.is_speaking {
            self.leave(vec![self.time_over.clone()]);
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
        self.now = Some(now);
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

    /// Says these, one after the other; before the first of all, who calls. Where the time of the call does not suffice
    /// for all, it says what it suffices for, and ends the call.
    pub(super) fn speak(&mut self, prompts: Vec<Prompt>) {
        let mut prompts: Vec<Prompt> =
            self.introduction.take().into_iter().chain(prompts).collect();
        let fitting = self.fitting(&prompts, self.goodbye_at());
        if fitting < prompts.len() && self.phase == Phase::Talking {
            prompts.truncate(fitting);
            let is_sound = |it: &Prompt| matches!(it.kind, PromptKind::Pause | PromptKind::Mark);
            while prompts.pop_if(|last| is_sound(last)).is_some() {}
            prompts.push(self.time_over.clone());
            self.phase = Phase::Leaving;
        }
        self.is_speaking = true;
        self.outputs.push_back(Output::Speak(prompts));
    }

    /// How many of these are surely said until then.
    fn fitting(&self, prompts: &[Prompt], until: Option<Instant>) -> usize {
        let (Some(mut ends), Some(until)) = (self.now, until) else { return prompts.len() };
        let fits = |prompt: &&Prompt| {
            ends += spoken_within(prompt);
            ends <= until
        };
        prompts.iter().take_while(fits).count()
    }

    /// When the last sentence is to begin, unless another one ends first.
    fn goodbye_at(&self) -> Option<Instant> {
        self.ends_at.and_then(|end| end.checked_sub(GOODBYE))
    }

    /// Stops what is being said.
    pub(super) fn stop_playback(&mut self) {
        self.is_speaking = false;
        self.outputs.push_back(Output::StopPlayback);
    }

    /// Asks for what the world outside the flow does.
    pub(super) fn request(&mut self, request: Request) {
        self.outputs.push_back(Output::Request(request));
    }

    /// Says the last words and ends the call after them; in haste, only that it ends.
    pub(super) fn leave(&mut self, last: Vec<Prompt>) {
        self.phase = Phase::Leaving;
        let fits = self.fitting(&last, self.ends_at) == last.len();
        self.speak(if fits { last } else { vec![self.time_over.clone()] });
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
            Phase::Talking => {
                let goodbye = self.goodbye_at().filter(|_| !self.is_speaking);
                [flow, goodbye].into_iter().flatten().min()
            }
            Phase::Ringing | Phase::Leaving => None,
        };
        [phase, self.ends_at].into_iter().flatten().min()
    }
}
