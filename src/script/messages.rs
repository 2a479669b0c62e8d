//! The call about messages: each is announced, read aloud and answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::agenda::{Agenda, Changed};
use super::frame::{Flow, Frame};
use super::message_step::{Ask, Step, Wish};
use super::prompt::{Prompt, Prompts};
use super::question::{Question, Reply};
use super::voice_answer::{self, VoiceAnswer};
use super::{Input, Opening, Request, ScriptSettings, SpokenMessage, gather, keys};
use crate::notification::{Answer, MessageId};

/// Tells a callee of messages, one after the other, and takes an answer to each.
///
/// Contract: keys are taken in the order typed; those that have no question yet wait for theirs.
#[derive(Debug)]
pub(super) struct Messages {
    settings: ScriptSettings,
    prompts: Prompts,
    callee: String,
    opening: Opening,
    greeting: Vec<Prompt>,
    agenda: Agenda,
    /// The message answered last, to which a voice answer may still be added.
    answered: Option<SpokenMessage>,
    step: Step,
    typed: VecDeque<char>,
    /// When [`keys::STOP`] was last pressed.
    stop_pressed: Option<Instant>,
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
        let greeting = agenda.greeting(opening, prompts, &callee);
        Self {
            settings,
            prompts,
            callee,
            opening,
            greeting,
            agenda,
            answered: None,
            step: Step::Beginning,
            typed: VecDeque::new(),
            stop_pressed: None,
        }
    }

    /// A message is not to be spoken any more, or another in its place. One that is being read aloud is read to its end.
    fn changed(&mut self, id: MessageId, instead: Option<SpokenMessage>, frame: &mut Frame) {
        let is_gone = instead.is_none();
        let changed = self.agenda.change(id, instead);
        match &self.step {
            Step::Beginning => {
                if self.agenda.current().is_none() {
                    self.agenda.advance();
                }
                self.greeting = self.agenda.greeting(self.opening, self.prompts, &self.callee);
            }
            // What is asked or announced is not true of the next message, and what is about to be read is the old wording.
            Step::Asking { .. } if changed == Changed::Current && is_gone => self.tell_anew(frame),
            Step::Reading if changed == Changed::Current => self.tell_anew(frame),
            _ => {}
        }
    }

    fn tell_anew(&mut self, frame: &mut Frame) {
        frame.stop_playback();
        self.tell_current(frame);
    }

    /// Announces the current message, then asks whether to read it or reads it at once.
    fn announce(&mut self, announcement: Vec<Prompt>, frame: &mut Frame) {
        if self.settings.hear_first {
            self.ask(Ask::Hear, announcement, frame);
        } else {
            self.read(announcement, frame);
        }
    }

    /// Asks a question, with something said before it.
    fn ask(&mut self, ask: Ask, before: Vec<Prompt>, frame: &mut Frame) {
        let accepted: Vec<char> = match ask {
            Ask::Hear => [keys::HEAR].into_iter().chain(ALWAYS).collect(),
            Ask::Answer => self.answers().chain(ALWAYS).collect(),
            Ask::Stop => vec![keys::STOP, keys::SKIP],
        };
        let (asked, no_match) = (self.question(ask), self.prompts.plain(NO_MATCH));
        let question = Question::ask(frame, before, asked, accepted, Some(no_match));
        self.step = Step::Asking { ask, question };
    }

    /// The keys that answer a message.
    fn answers(&self) -> impl Iterator<Item = char> {
        let record = self.settings.voice.then_some(keys::RECORD);
        self.settings.menu.keys().chain(record)
    }

    fn question(&self, ask: Ask) -> Prompt {
        match ask {
            Ask::Hear => self.prompts.plain("phone-press-to-hear"),
            Ask::Answer => self.prompts.menu(&self.settings.menu, self.settings.voice),
            Ask::Stop => self.prompts.plain("phone-stop-question"),
        }
    }

    fn explanation(&self) -> Prompt {
        self.prompts.plain(match self.settings.hear_first {
            true => "phone-explanation-hear-first",
            false => "phone-explanation",
        })
    }

    /// Reads the current message, with something said before it.
    fn read(&mut self, mut prompts: Vec<Prompt>, frame: &mut Frame) {
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

    /// Announces the message that the call is about now; without one, looks for more.
    fn tell_current(&mut self, frame: &mut Frame) {
        match self.agenda.current() {
            Some(item) => {
                let announcement = self.prompts.next_message(item);
                self.announce(vec![announcement], frame);
            }
            None => {
                self.step = Step::Checking;
                frame.request(Request::CheckForMore);
            }
        }
    }

    /// These messages came in during the call.
    fn more(&mut self, items: Vec<SpokenMessage>, frame: &mut Frame) {
        if !matches!(self.step, Step::Checking) {
            return;
        }
        self.agenda.extend(items);
        match self.agenda.advance() {
            Some(item) => {
                let announcement = self.prompts.new_message(item);
                self.announce(vec![announcement], frame);
            }
            None => self.leave(GOODBYE, frame),
        }
    }

    fn spoken(&mut self, frame: &mut Frame, now: Instant) {
        match &mut self.step {
            Step::Reading => {
                self.agenda.heard().into_iter().for_each(|heard| frame.request(heard));
                self.ask(Ask::Answer, vec![], frame);
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
                Step::Reading if !ALWAYS.contains(&key) && !self.agenda.can_be_answered() => {
                    // It waits until something of the message is heard.
                    self.typed.push_front(key);
                    return;
                }
                Step::Reading => {
                    // The body is cut short and its question answered before it was asked.
                    frame.stop_playback();
                    self.chosen(Ask::Answer, key, frame);
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
            (Ask::Hear | Ask::Answer, keys::STOP) => self.ask(Ask::Stop, vec![], frame),
            (Ask::Answer, keys::EXPLAIN) if self.agenda.is_unread() => {
                self.read(vec![self.explanation()], frame);
            }
            (Ask::Hear | Ask::Answer, keys::EXPLAIN) => {
                self.ask(ask, vec![self.explanation()], frame);
            }
            (Ask::Hear | Ask::Answer, keys::SKIP) => {
                self.agenda.passed().into_iter().for_each(|passed| frame.request(passed));
                self.go_on(frame);
            }
            (Ask::Hear, keys::REPEAT) => {
                let again = self.agenda.current().map(|item| self.prompts.arrived(item));
                self.ask(Ask::Hear, again.into_iter().collect(), frame);
            }
            (Ask::Hear, _) | (Ask::Answer, keys::REPEAT) => self.read(vec![], frame),
            (Ask::Answer, keys::RECORD) if self.settings.voice => {
                if let Some(item) = self.agenda.current().cloned() {
                    self.answer_by_voice(item, frame);
                }
            }
            (Ask::Answer, key) => self.answer(key, frame),
        }
    }

    /// Goes back to where the callee was before the question about stopping.
    fn resume(&mut self, frame: &mut Frame) {
        match (self.agenda.is_unread(), self.settings.hear_first) {
            (true, true) => self.ask(Ask::Hear, vec![], frame),
            (true, false) => self.read(vec![], frame),
            (false, _) => self.ask(Ask::Answer, vec![], frame),
        }
    }

    fn answer(&mut self, key: char, frame: &mut Frame) {
        let words = self.settings.menu.reply(key, &self.callee);
        let (Some(item), Some(words)) = (self.agenda.current().cloned(), words) else {
            return self.ask(Ask::Answer, vec![self.prompts.plain(NO_MATCH)], frame);
        };
        self.agenda.answered();
        self.step = Step::Committing(Wish::Answer { thanks: self.prompts.thanks(&words) });
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
                self.agenda.answered();
            }
            (Some(voice_answer::End::Silence), _) => {
                // A callee who does not speak can still press keys.
                let too_short = self.prompts.plain(voice_answer::TOO_SHORT);
                self.ask(Ask::Answer, vec![too_short], frame);
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
            let greeting = std::mem::take(&mut self.greeting);
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
        let Some(current) = self.agenda.current() else {
            return vec![self.prompts.plain(NOTHING_WAITS)];
        };
        let items = || [current].into_iter().chain(self.agenda.waiting());
        let mut all = self.greeting.clone();
        if self.settings.hear_first {
            all.push(self.question(Ask::Hear));
        }
        all.extend([current.body.clone(), self.question(Ask::Answer)]);
        let next = |it: &SpokenMessage| [self.prompts.next_message(it), it.body.clone()];
        all.extend(self.agenda.waiting().flat_map(next));
        let replies =
            self.settings.menu.keys().filter_map(|key| self.settings.menu.reply(key, &self.callee));
        all.extend(replies.map(|words| self.prompts.thanks(&words)));
        if self.settings.voice {
            let senders = items().map(|item| item.sender.as_str());
            all.extend(VoiceAnswer::prompts_to_prerender(self.prompts, senders));
        }
        all.extend([self.explanation(), self.question(Ask::Stop), self.prompts.unspeakable()]);
        all.extend(
            [NO_MATCH, STOPPED, NOT_STORED, GOODBYE, GOODBYE_UNANSWERED]
                .map(|id| self.prompts.plain(id)),
        );
        if self.settings.hear_first {
            all.extend(items().map(|item| self.prompts.arrived(item)));
        }
        all
    }

    fn unsent_voice(&self) -> Option<MessageId> {
        if let Step::AnsweringByVoice(answer) = &self.step { answer.unsent() } else { None }
    }

    fn cut(&self) -> Option<MessageId> {
        self.agenda.cut()
    }
}

const NOTHING_WAITS: &str = "phone-nothing-waits";
const NO_MATCH: &str = "phone-no-match";
const STOPPED: &str = "phone-stopped";
const NOT_STORED: &str = "phone-not-stored";
const GOODBYE: &str = "phone-goodbye";
const GOODBYE_UNANSWERED: &str = "phone-goodbye-unanswered";
const TYPED_MAX: usize = 32;
/// Keys that mean the same at each question about a message.
const ALWAYS: [char; 4] = [keys::REPEAT, keys::SKIP, keys::EXPLAIN, keys::STOP];
/// Who wants to stop these calls presses the key, and after this time once more.
const DELIBERATE_MIN: Duration = Duration::from_millis(500);
