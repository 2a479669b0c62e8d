//! The answer that is spoken: said where it goes, recorded, sent or not.

use std::time::{Duration, Instant};

use super::prompt::Line;
use super::turn::{Ask, Turn};
use super::{Output, Script};
use crate::notification::MessageId;

impl Script {
    /// The message to which something was recorded that is neither durable nor thrown away. When the callee hangs up
    /// or the call breaks off, it is his answer.
    pub fn unsent_voice(&self) -> Option<MessageId> {
        self.unsent
    }

    pub(super) fn voice_lines_ahead(&self) -> Vec<Line> {
        let mut lines = vec![
            self.prompts.tone(),
            self.prompts.speak_again(),
            self.prompts.too_short(),
            self.prompts.send_question(),
        ];
        for sender in self.current.iter().map(|current| &current.item.sender) {
            lines.extend([
                self.prompts.consent(sender),
                self.prompts.thanks(&self.prompts.voice_sent(sender)),
            ]);
        }
        lines
    }

    /// Says to whom the answer goes, then sounds the tone.
    pub(super) fn introduce(&mut self, before: Vec<Line>) {
        let words = match (&self.answered, self.takes) {
            (Some(item), 0) => self.prompts.consent(&item.sender),
            (Some(_) | None, _) => self.prompts.speak_again(),
        };
        self.takes += 1;
        self.unsent = None;
        self.turn = Turn::Introducing { tone_only: false };
        let lines = before.into_iter().chain([words, self.prompts.tone()]).collect();
        self.outputs.push_back(Output::Speak(lines));
    }

    pub(super) fn sound_the_tone(&mut self) {
        self.turn = Turn::Introducing { tone_only: true };
        self.outputs.push_back(Output::Speak(vec![self.prompts.tone()]));
    }

    pub(super) fn record(&mut self, now: Instant) {
        self.turn = Turn::Recording;
        self.unsent = self.answered.as_ref().map(|item| item.id);
        self.outputs.push_back(Output::Record);
        self.take_typed(now);
    }

    pub(super) fn stop_recording(&mut self) {
        let message = self.answered.as_ref().map(|item| item.id);
        if let (Turn::Recording, Some(message)) = (&self.turn, message) {
            self.turn = Turn::Stopping;
            self.outputs.push_back(Output::StopRecording(message));
        }
    }

    /// The recording is kept.
    pub(super) fn recorded(&mut self, voice: Duration, now: Instant) {
        if !matches!(self.turn, Turn::Stopping) {
            return;
        }
        if voice >= VOICE_MIN {
            self.ask(Ask::Send, vec![]);
        } else if self.takes < TAKES_MAX {
            self.introduce(vec![self.prompts.too_short()]);
        } else {
            // Nobody speaks: back to where keys do.
            self.unsent = None;
            self.ask(Ask::Answer, vec![self.prompts.too_short()]);
        }
        self.take_typed(now);
    }

    /// The key pressed after a recording.
    pub(super) fn send_or_not(&mut self, key: char) {
        match key {
            '2' => self.ask(Ask::Send, vec![self.prompts.recording()]),
            '3' => self.introduce(vec![]),
            '*' => self.ask(Ask::Send, vec![]),
            _ => self.commit_voice(),
        }
    }

    pub(super) fn commit_voice(&mut self) {
        let Some(item) = &self.answered else { return };
        self.unsent = None;
        let words = self.prompts.voice_sent(&item.sender);
        self.outputs.push_back(Output::CommitVoice(item.id));
        if let Some(current) = &mut self.current {
            // An answer is only given to what one knows; the store takes it for heard.
            current.told = true;
        }
        self.turn = Turn::Committing { words: Some(words) };
    }
}

/// Less is a cough, or a key pressed by mistake.
pub const VOICE_MIN: Duration = Duration::from_millis(1500);
/// How often somebody is asked to speak without having been heard.
const TAKES_MAX: u32 = 3;
