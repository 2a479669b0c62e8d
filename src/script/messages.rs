//! The call about messages: each is announced, read aloud and answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::agenda::{Agenda, Changed};
use super::frame::{Flow, Frame};
use super::keys::{self, ALWAYS};
use super::menu::MenuPart;
use super::message_step::{
    Ask, GOODBYE, GOODBYE_UNANSWERED, NO_MATCH, NOT_STORED, NOTHING_WAITS, STOPPED, Step, Wish,
};
use super::prompt::{Prompt, Prompts};
use super::question::Reply;
use super::voice_answer::{self, VoiceAnswer};
use super::{Input, Opening, Request, ScriptSettings, SpokenMessage, gather};
use crate::notification::{Answer, MessageId};

/// Tells a callee of messages, one after the other, and takes an answer to each.
///
/// Contract: keys are taken in the order typed; those that have no question yet wait for theirs.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) settings: ScriptSettings,
    pub(super) prompts: Prompts,
    pub(super) callee: String,
    pub(super) opening: Opening,
    /// What was said of the messages that the call is about.
    pub(super) announcement: Option<Prompt>,
    pub(super) agenda: Agenda,
    /// The message answered last, to which a voice answer may still be added.
    answered: Option<SpokenMessage>,
    pub(super) step: Step,
    typed: VecDeque<char>,
    /// When [`keys::STOP`] was last pressed.
    stop_pressed: Option<Instant>,
    /// The menu was said in this call.
    pub(super) menu_said: bool,
}

impl Messages {
    /// Begins with the oldest of these messages; without any, says so.
    pub(super) fn new(
        mut settings: ScriptSettings,
        prompts: Prompts,
        callee: String,
        items: Vec<SpokenMessage>,
        opening: Opening,
    ) -> Self {
        settings.menu = settings.menu.in_language(Some(prompts.language()));
        let agenda = Agenda::new(items);
        Self {
            settings,
            prompts,
            callee,
            opening,
            announcement: None,
            agenda,
            answered: None,
            step: Step::Beginning,
            typed: VecDeque::new(),
            stop_pressed: None,
            menu_said: false,
        }
    }

    /// A message is not to be spoken any more, or another in its place. One that is being read aloud is read to its end.
    fn changed(&mut self, id: MessageId, instead: Option<SpokenMessage>, frame: &mut Frame) {
        let is_gone = instead.is_none();
        let changed = self.agenda.change(id, instead);
        match &self.step {
            Step::Beginning if self.agenda.current().is_none() => drop(self.agenda.advance()),
            // What is asked or announced is not true of the next message, and what is about to be read is the old wording.
            Step::Asking { .. } if changed == Changed::Current && is_gone => self.tell_anew(frame),
            Step::Reading if changed == Changed::Current => self.tell_anew(frame),
            _ => {}
        }
    }

    fn tell_anew(&mut self, frame: &mut Frame) {
        frame.stop_playback();
        match (self.agenda.is_begun(), self.agenda.is_unread()) {
            (false, _) => self.tell_current(frame),
            (true, true) => self.read(vec![], frame),
            (true, false) => self.ask_answer(vec![], frame),
        }
    }

    /// Announces messages, then asks whether to read them or reads them at once.
    fn announce(&mut self, announcement: Option<Prompt>, frame: &mut Frame) {
        self.announcement = announcement;
        let said = self.announced();
        match self.settings.hear_first {
            true => self.ask(Ask::Hear, said, frame),
            false => self.read(said, frame),
        }
    }

    /// Reads the current message, with something said before it.
    fn read(&mut self, mut prompts: Vec<Prompt>, frame: &mut Frame) {
        prompts.push(self.prompts.mark());
        prompts.extend(self.agenda.current().map(|item| item.body.clone()));
        self.step = Step::Reading;
        frame.speak(prompts);
    }

    /// The next message, or the question whether more have come in.
    fn go_on(&mut self, frame: &mut Frame) {
        self.answered = None;
        // An answer pressed before a message is announced is none to it.
        let answers: Vec<char> = self.answers().collect();
        self.typed.retain(|key| !answers.contains(key));
        self.agenda.advance();
        self.tell_current(frame);
    }

    /// Announces what the call is about now; without anything, looks for more.
    fn tell_current(&mut self, frame: &mut Frame) {
        if self.agenda.current().is_some() {
            let announcement = self.prompts.next_messages(&self.agenda.group());
            self.announce(Some(announcement), frame);
        } else {
            self.step = Step::Checking;
            frame.request(Request::CheckForMore);
        }
    }

    /// These messages came in during the call.
    fn more(&mut self, items: Vec<SpokenMessage>, frame: &mut Frame) {
        if !matches!(self.step, Step::Checking) {
            return;
        }
        self.agenda.extend(items);
        if self.agenda.advance() {
            let announcement = self.prompts.new_messages(&self.agenda.group());
            self.announce(Some(announcement), frame);
        } else {
            self.leave(GOODBYE, frame);
        }
    }

    fn spoken(&mut self, frame: &mut Frame, now: Instant) {
        match &mut self.step {
            Step::Reading => {
                self.agenda.heard().into_iter().for_each(|heard| frame.request(heard));
                if self.agenda.advance_in_group() {
                    self.read(vec![self.prompts.mark(), self.prompts.pause()], frame);
                } else {
                    self.ask_answer(self.message_end(), frame);
                }
            }
            Step::Asking { question, .. } => {
                question.handle(gather::Input::PromptEnded, frame, now);
            }
            Step::AnsweringByVoice(_) => self.by_voice(Input::Spoken, frame, now),
            Step::Confirming => self.go_on(frame),
            Step::Beginning | Step::Committing(_) | Step::Checking | Step::Ended => {}
        }
    }

    fn tick(&mut self, frame: &mut Frame, now: Instant) {
        match &mut self.step {
            Step::Asking { ask, question } => {
                let (ask, reply) = (*ask, question.handle(gather::Input::Tick, frame, now));
                self.replied(ask, reply, frame);
            }
            Step::AnsweringByVoice(_) => self.by_voice(Input::Tick, frame, now),
            _ => {}
        }
    }

    /// Gives typed keys to what waits for one.
    fn take_typed(&mut self, frame: &mut Frame, now: Instant) {
        let answers: Vec<char> = self.answers().collect();
        while let Some(key) = self.typed.pop_front() {
            let bounces = key == keys::STOP && self.stop_bounces(now);
            match &mut self.step {
                Step::Asking { ask: Ask::Stop, .. } if bounces => {}
                Step::Asking { ask, question } => {
                    let (ask, reply) = (*ask, question.handle(gather::Input::Key(key), frame, now));
                    self.replied(ask, reply, frame);
                }
                // A slip of the finger costs nobody their message.
                Step::Reading if !ALWAYS.contains(&key) && !answers.contains(&key) => {}
                Step::Reading if !ALWAYS.contains(&key) && self.agenda.to_answer().is_none() => {
                    // It waits until something of the message is heard.
                    self.typed.push_front(key);
                    return;
                }
                Step::Reading => {
                    // The body is cut short and its question answered before it was asked.
                    frame.stop_playback();
                    self.chosen(Ask::Answer(MenuPart::Short), key, frame);
                }
                Step::AnsweringByVoice(answer) if answer.takes_keys() => {
                    self.by_voice(Input::Key(key), frame, now);
                }
                Step::Confirming => {
                    frame.stop_playback();
                    match self.answered.clone() {
                        Some(item) if key == keys::RECORD && self.settings.voice => {
                            self.answer_by_voice(item, frame);
                        }
                        Some(_) | None => {
                            // The thanks are cut short; the key belongs to what comes next.
                            self.typed.push_front(key);
                            self.go_on(frame);
                        }
                    }
                }
                Step::Beginning
                | Step::AnsweringByVoice(_)
                | Step::Committing(_)
                | Step::Checking
                | Step::Ended => {
                    self.typed.push_front(key);
                    return;
                }
            }
        }
    }

    /// Whether this press comes so soon after another one that it may be the same, told twice.
    fn stop_bounces(&mut self, now: Instant) -> bool {
        let before = self.stop_pressed.replace(now);
        before.is_some_and(|before| now.saturating_duration_since(before) < DELIBERATE_MIN)
    }

    fn replied(&mut self, ask: Ask, reply: Option<Reply>, frame: &mut Frame) {
        match reply {
            Some(Reply::Key(key)) => self.chosen(ask, key, frame),
            Some(Reply::GaveUp) => self.leave(GOODBYE_UNANSWERED, frame),
            None => {}
        }
    }

    /// One key of a question means the same whenever it is pressed.
    fn chosen(&mut self, ask: Ask, key: char, frame: &mut Frame) {
        match (ask, key) {
            (Ask::Stop, keys::STOP) => {
                self.step = Step::Committing(Wish::StopCalls);
                frame.request(Request::StopCalls);
            }
            (Ask::Stop, _) => self.resume(frame),
            (_, keys::STOP) => self.ask(Ask::Stop, vec![], frame),
            (Ask::Hear, keys::EXPLAIN) => self.ask(Ask::Hear, vec![self.explanation()], frame),
            (Ask::Answer(_), keys::EXPLAIN) if self.agenda.is_unread() => {
                self.read(vec![self.explanation()], frame);
            }
            (Ask::Answer(part), keys::EXPLAIN) => {
                let other = match part {
                    MenuPart::Common => MenuPart::Rest,
                    MenuPart::Rest | MenuPart::Short => MenuPart::Common,
                };
                self.ask(Ask::Answer(other), vec![], frame);
            }
            (Ask::Answer(_), keys::SKIP) if matches!(self.step, Step::Reading) => {
                self.agenda.passed().into_iter().for_each(|passed| frame.request(passed));
                match self.agenda.advance_in_group() {
                    true => self.read(vec![], frame),
                    false => self.go_on(frame),
                }
            }
            (_, keys::SKIP) => {
                self.agenda.passed_all().into_iter().for_each(|passed| frame.request(passed));
                self.go_on(frame);
            }
            (Ask::Hear, keys::REPEAT) => self.ask(Ask::Hear, self.announced(), frame),
            (Ask::Answer(_), keys::REPEAT) => {
                if !self.agenda.is_unread() {
                    self.agenda.rewind();
                }
                self.read(vec![], frame);
            }
            (Ask::Hear, _) => self.read(vec![], frame),
            (Ask::Answer(_), keys::RECORD) if self.settings.voice => {
                if let Some(item) = self.agenda.to_answer().cloned() {
                    self.answer_by_voice(item, frame);
                }
            }
            (Ask::Answer(_), key) => self.answer(key, frame),
        }
    }

    /// Goes back to where the callee was before the question about stopping.
    fn resume(&mut self, frame: &mut Frame) {
        match (self.agenda.is_unread(), self.settings.hear_first) {
            (true, true) => self.ask(Ask::Hear, vec![], frame),
            (true, false) => self.read(vec![], frame),
            (false, _) => self.ask_answer(vec![], frame),
        }
    }

    fn answer(&mut self, key: char, frame: &mut Frame) {
        let (menu, callee) = (&self.settings.menu, &self.callee);
        let words = menu.reply(key, callee);
        let confirmation = menu.confirmation(key, callee, self.prompts.language());
        let (Some(item), Some(words), Some(confirmation)) =
            (self.agenda.to_answer().cloned(), words, confirmation)
        else {
            return self.ask_answer(vec![self.prompts.plain(NO_MATCH)], frame);
        };
        self.agenda.answered(item.id);
        self.step = Step::Committing(Wish::Answer { thanks: self.prompts.thanks(&confirmation) });
        frame.request(Request::Commit(Answer { message: item.id, key, words }));
        self.answered = Some(item);
    }

    fn answer_by_voice(&mut self, item: SpokenMessage, frame: &mut Frame) {
        self.step = Step::AnsweringByVoice(VoiceAnswer::begin(self.prompts, &item, frame));
        self.answered = Some(item);
    }

    fn by_voice(&mut self, input: Input, frame: &mut Frame, now: Instant) {
        let Step::AnsweringByVoice(answer) = &mut self.step else { return };
        match (answer.handle(input, frame, now), &self.answered) {
            (Some(voice_answer::End::Send), Some(item)) => {
                frame.request(Request::CommitVoice(item.id));
                let thanks = voice_answer::thanks(self.prompts, &item.sender);
                self.step = Step::Committing(Wish::Answer { thanks });
                self.agenda.answered(item.id);
            }
            (Some(voice_answer::End::Silence), _) => {
                // A callee who does not speak can still press keys.
                let too_short = self.prompts.plain(voice_answer::TOO_SHORT);
                self.ask_answer(vec![too_short], frame);
            }
            (Some(voice_answer::End::Send) | None, _) => {}
        }
    }

    fn committed(&mut self, frame: &mut Frame) {
        match &self.step {
            Step::Committing(Wish::Answer { thanks }) => {
                frame.speak(vec![thanks.clone()]);
                self.step = Step::Confirming;
            }
            Step::Committing(Wish::StopCalls) => self.leave(STOPPED, frame),
            _ => {}
        }
    }

    fn leave(&mut self, last: &str, frame: &mut Frame) {
        self.step = Step::Ended;
        frame.leave(vec![self.prompts.plain(last)]);
    }
}

impl Flow for Messages {
    fn begin(&mut self, frame: &mut Frame, now: Instant) {
        if self.agenda.current().is_some() {
            let greeting = self.agenda.greeting(self.opening, self.prompts, &self.callee);
            self.announce(greeting, frame);
            self.take_typed(frame, now);
        } else {
            self.leave(NOTHING_WAITS, frame);
        }
    }

    fn handle(&mut self, input: Input, frame: &mut Frame, now: Instant) {
        match input {
            Input::Began if matches!(self.step, Step::Reading) => self.agenda.began(),
            Input::Spoken => self.spoken(frame, now),
            Input::Key(key) if self.typed.len() < TYPED_MAX => self.typed.push_back(key),
            Input::Enough | Input::Recorded(_) => self.by_voice(input, frame, now),
            Input::Committed => self.committed(frame),
            Input::CommitFailed if matches!(self.step, Step::Committing(_)) => {
                self.leave(NOT_STORED, frame);
            }
            Input::More(items) => self.more(items, frame),
            Input::Dropped(id) => self.changed(id, None, frame),
            Input::Corrected(id, instead) => self.changed(id, Some(instead), frame),
            Input::Unspeakable(id) => self.agenda.unspeakable(id),
            Input::Tick => self.tick(frame, now),
            Input::Began
            | Input::Answered
            | Input::Key(_)
            | Input::CommitFailed
            | Input::Pin(_) => {}
        }
        self.take_typed(frame, now);
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Asking { question, .. } => question.deadline(),
            Step::AnsweringByVoice(answer) => answer.deadline(),
            _ => None,
        }
    }

    fn prompts_to_prerender(&self) -> Vec<Prompt> {
        self.known_ahead()
    }

    fn unsent_voice(&self) -> Option<MessageId> {
        if let Step::AnsweringByVoice(answer) = &self.step { answer.unsent() } else { None }
    }

    fn cut(&self) -> Option<MessageId> {
        self.agenda.cut()
    }
}

const TYPED_MAX: usize = 32;
/// Who wants to stop these calls presses the key, and after this time once more.
const DELIBERATE_MIN: Duration = Duration::from_millis(500);
