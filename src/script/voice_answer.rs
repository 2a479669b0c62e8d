//! The answer that is spoken: the callee hears to whom it goes, speaks, and sends it or not.

use std::time::{Duration, Instant};

use super::frame::Frame;
use super::prompt::{Prompt, Prompts};
use super::question::{Asked, Question, Reply};
use super::{Input, Request, SpokenMessage, gather, keys};
use crate::notification::MessageId;

/// One voice answer, from the consent to the decision.
#[derive(Debug)]
pub(super) struct VoiceAnswer {
    prompts: Prompts,
    message: MessageId,
    recordings: u32,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// What is to come is said, then the tone. A key cuts the words short, but not the tone.
    Introducing { tone_only: bool },
    /// The callee speaks.
    Recording,
    /// The recording is being kept.
    Stopping,
    /// The callee is asked what to do with it.
    Asking(Box<Question>),
}

/// How a voice answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The recording is the answer.
    Send,
    /// Nothing was heard, several times.
    Silence,
}

impl VoiceAnswer {
    /// Says to whom the answer to this message goes, then sounds the tone.
    pub(super) fn begin(prompts: Prompts, message: &SpokenMessage, frame: &mut Frame) -> Self {
        frame.speak(vec![consent(prompts, &message.sender), prompts.tone()]);
        let step = Step::Introducing { tone_only: false };
        Self { prompts, message: message.id, recordings: 1, step }
    }

    /// All that may be said in an answer to one of these senders, but for what is recorded.
    pub(super) fn prompts_to_prerender<'m>(
        prompts: Prompts,
        senders: impl Iterator<Item = &'m str>,
    ) -> Vec<Prompt> {
        let mut all = vec![prompts.tone()];
        all.extend([SPEAK_AGAIN, TOO_SHORT, SEND_QUESTION].map(|id| prompts.plain(id)));
        all.extend(senders.flat_map(|sender| [consent(prompts, sender), thanks(prompts, sender)]));
        all
    }

    /// The message to which something was recorded that was not thrown away.
    pub(super) fn unsent(&self) -> Option<MessageId> {
        match self.step {
            Step::Introducing { .. } => None,
            Step::Recording | Step::Stopping | Step::Asking(_) => Some(self.message),
        }
    }

    /// Whether a key would be taken now.
    pub(super) fn takes_keys(&self) -> bool {
        !matches!(self.step, Step::Introducing { tone_only: true } | Step::Stopping)
    }

    /// Takes one input.
    pub(super) fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant) -> Option<End> {
        let reply = match (&mut self.step, input) {
            (Step::Introducing { .. }, Input::Spoken) => {
                self.step = Step::Recording;
                frame.request(Request::Record);
                None
            }
            (Step::Introducing { tone_only: false }, Input::Key(_)) => {
                frame.stop_playback();
                self.step = Step::Introducing { tone_only: true };
                frame.speak(vec![self.prompts.tone()]);
                None
            }
            (Step::Recording, Input::Enough | Input::Key(keys::END_RECORDING | keys::SKIP)) => {
                self.step = Step::Stopping;
                frame.request(Request::StopRecording(self.message));
                None
            }
            (Step::Stopping, Input::Recorded(voice)) => return self.recorded(voice, frame),
            (Step::Asking(question), Input::Spoken) => {
                question.handle(gather::Input::PromptEnded, frame, now)
            }
            (Step::Asking(question), Input::Key(key)) => {
                question.handle(gather::Input::Key(key), frame, now)
            }
            (Step::Asking(question), Input::Tick) => {
                question.handle(gather::Input::Tick, frame, now)
            }
            (_, _) => None,
        };
        match reply? {
            Reply::Key(key) => self.chosen(key, frame),
            // A callee who falls silent after speaking does not object.
            Reply::GaveUp => Some(End::Send),
        }
    }

    /// Tells when [`Input::Tick`] is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if let Step::Asking(question) = &self.step { question.deadline() } else { None }
    }

    fn recorded(&mut self, voice: Duration, frame: &mut Frame) -> Option<End> {
        if voice >= VOICE_MIN {
            self.ask(vec![], frame);
        } else if self.recordings < RECORDINGS_MAX {
            self.record_again(vec![self.prompts.plain(TOO_SHORT)], frame);
        } else {
            return Some(End::Silence);
        }
        None
    }

    fn chosen(&mut self, key: char, frame: &mut Frame) -> Option<End> {
        match key {
            keys::LISTEN => self.ask(vec![self.prompts.recording()], frame),
            keys::RECORD_AGAIN => self.record_again(vec![], frame),
            keys::REPEAT => self.ask(vec![], frame),
            _ => return Some(End::Send),
        }
        None
    }

    fn ask(&mut self, before: Vec<Prompt>, frame: &mut Frame) {
        let question = self.prompts.plain(SEND_QUESTION);
        let keys = [keys::SEND, keys::LISTEN, keys::RECORD_AGAIN, keys::SKIP, keys::REPEAT];
        let asked = Asked {
            whole: vec![question.clone()],
            short: question.clone(),
            keys: keys.into_iter().collect(),
            no_match: Some(self.prompts.plain(NO_MATCH)),
            early: String::new(),
        };
        let said = before.into_iter().chain([question]).collect();
        self.step = Step::Asking(Box::new(Question::ask(frame, said, asked)));
    }

    fn record_again(&mut self, mut words: Vec<Prompt>, frame: &mut Frame) {
        self.recordings += 1;
        self.step = Step::Introducing { tone_only: false };
        words.extend([self.prompts.plain(SPEAK_AGAIN), self.prompts.tone()]);
        frame.speak(words);
    }
}

fn consent(prompts: Prompts, sender: &str) -> Prompt {
    prompts.announcement("phone-consent", &[("sender", sender.into())])
}

/// What is said when the answer to this sender is durable.
pub(super) fn thanks(prompts: Prompts, sender: &str) -> Prompt {
    prompts.thanks(&prompts.say("phone-voice-sent", &[("sender", sender.into())]))
}

/// Less is a cough, or a key pressed by mistake.
pub const VOICE_MIN: Duration = Duration::from_millis(1500);
/// How often the callee is asked to speak without being heard.
const RECORDINGS_MAX: u32 = 3;
pub(super) const TOO_SHORT: &str = "phone-too-short";
const SPEAK_AGAIN: &str = "phone-speak-again";
const SEND_QUESTION: &str = "phone-send-question";
const NO_MATCH: &str = "phone-no-match";
