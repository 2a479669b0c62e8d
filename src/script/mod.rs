//! What the callee hears and can do in one call. Knows nothing of SIP, RTP or stores.

mod code_call;
mod doorkeeper;
mod events;
pub mod gather;
pub mod menu;
mod pin_gate;
pub mod prompt;
pub mod screening;
pub mod speakable;
mod talk;
#[cfg(test)]
mod tests;
mod turn;
mod voice_answer;

pub use code_call::CodeCall;
pub use doorkeeper::Doorkeeper;
pub use events::{Input, Item, Output, Terms};
pub use pin_gate::PinGate;
pub use talk::Talk;
pub use voice_answer::VOICE_MIN;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::notification::{Answer, MessageId};
use prompt::{Line, Prompts};
use turn::{Ask, Current, Turn};

/// The script of one call, message by message.
///
/// Contract: after each [`Script::handle`], take outputs with [`Script::poll`] until `None`; call again with
///           [`Input::Tick`] at [`Script::deadline`].
#[derive(Debug)]
pub struct Script {
    terms: Terms,
    prompts: Prompts,
    callee: String,
    waiting: VecDeque<Item>,
    greeting: Vec<Line>,
    current: Option<Current>,
    turn: Turn,
    /// The message answered last, to which a voice answer may still be added.
    answered: Option<Item>,
    unsent: Option<MessageId>,
    takes: u32,
    typed: VecDeque<char>,
    outputs: VecDeque<Output>,
    ends_at: Option<Instant>,
}

impl Script {
    /// A script for `callee` about these messages, oldest first; without any, it says so.
    pub fn new(
        mut terms: Terms,
        prompts: Prompts,
        callee: String,
        items: Vec<Item>,
        continuing: bool,
    ) -> Self {
        terms.menu = terms.menu.in_language(Some(prompts.language()));
        let mut waiting: VecDeque<Item> = items.into();
        let count = waiting.len();
        let current = waiting.pop_front().map(Current::new);
        let greet =
            |first: &Current| prompts.greeting(&callee, count, continuing, &first.item.arrival);
        let greeting = current.iter().map(greet).collect();
        Self {
            terms,
            prompts,
            callee,
            waiting,
            greeting,
            current,
            turn: Turn::NotAnswered,
            answered: None,
            unsent: None,
            takes: 0,
            typed: VecDeque::new(),
            outputs: VecDeque::new(),
            ends_at: None,
        }
    }

    /// Silence after the answer, before the first word.
    pub(crate) fn settle(&self) -> Duration {
        self.terms.settle
    }

    /// The longest a call may take.
    pub(crate) fn call_max(&self) -> Duration {
        self.terms.call_max
    }

    /// Everything that can be known before the answer, in the order in which it will be wanted, so that it is ready then.
    pub fn lines_ahead(&self) -> Vec<Line> {
        if self.current.is_none() {
            return vec![self.prompts.nothing_waits()];
        }
        let mut lines = self.greeting.clone();
        let menu = self.prompts.menu(&self.terms.menu, self.terms.voice);
        if self.terms.hear_first {
            lines.push(self.prompts.press_to_hear());
        }
        lines.extend(self.current.iter().map(|current| current.item.body.clone()));
        lines.push(menu);
        for item in &self.waiting {
            lines.extend([self.prompts.next(&item.arrival), item.body.clone()]);
        }
        for key in self.terms.menu.keys() {
            lines.extend(
                self.terms.menu.reply(key, &self.callee).map(|words| self.prompts.thanks(&words)),
            );
        }
        if self.terms.voice {
            lines.extend(self.voice_lines_ahead());
        }
        lines.extend([
            self.prompts.unspeakable(),
            self.prompts.no_match(),
            self.prompts.explanation(self.terms.hear_first),
            self.prompts.stop_question(),
            self.prompts.stopped(),
            self.prompts.not_stored(),
            self.prompts.goodbye(),
            self.prompts.goodbye_unanswered(),
        ]);
        lines
    }

    /// What is said in place of a message that cannot be said.
    pub fn unspeakable_line(&self) -> Line {
        self.prompts.unspeakable()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if self.ends_at.is_some_and(|end| now >= end) && !matches!(self.turn, Turn::Over) {
            self.hang_up();
        }
        match input {
            Input::Answered => self.answered(now),
            Input::Spoken => self.spoken(now),
            Input::Key(key) => self.key(key, now),
            Input::Pin(_) => {}
            Input::Enough => self.stop_recording(),
            Input::Recorded(voice) => self.recorded(voice, now),
            Input::Committed => self.committed(now),
            Input::CommitFailed => self.commit_failed(),
            Input::More(items) => self.more(items, now),
            Input::Unspeakable(id) => self.unspeakable(id),
            Input::Tick => self.tick(now),
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        if matches!(self.turn, Turn::Over) {
            None
        } else {
            [self.turn.deadline(), self.ends_at].into_iter().flatten().min()
        }
    }

    fn answered(&mut self, now: Instant) {
        if matches!(self.turn, Turn::NotAnswered) {
            self.ends_at = Some(now + self.terms.call_max);
            self.turn = Turn::Settling(now + self.terms.settle);
            self.tick(now);
        }
    }

    fn tick(&mut self, now: Instant) {
        match &mut self.turn {
            Turn::Settling(until) if now >= *until => {
                let intro = std::mem::take(&mut self.greeting);
                if self.current.is_some() {
                    self.announce(intro, now);
                } else {
                    self.leave(self.prompts.nothing_waits());
                }
            }
            Turn::Asking { gather, .. } => {
                if let Some(output) = gather.handle(gather::Input::Tick, now) {
                    self.gathered(output, now);
                }
            }
            Turn::NotAnswered
            | Turn::Settling(_)
            | Turn::Reading
            | Turn::Committing { .. }
            | Turn::Confirming
            | Turn::Introducing { .. }
            | Turn::Recording
            | Turn::Stopping
            | Turn::Checking
            | Turn::Leaving
            | Turn::Over => {}
        }
    }

    /// What was being said is over.
    fn spoken(&mut self, now: Instant) {
        match &mut self.turn {
            Turn::Reading => {
                self.heard();
                self.ask(Ask::Answer, vec![]);
                self.take_typed(now);
            }
            Turn::Asking { gather, .. } => {
                gather.handle(gather::Input::PromptEnded, now);
            }
            Turn::Introducing { .. } => self.record(now),
            Turn::Confirming => self.go_on(now),
            Turn::Leaving => self.hang_up(),
            Turn::NotAnswered
            | Turn::Settling(_)
            | Turn::Committing { .. }
            | Turn::Recording
            | Turn::Stopping
            | Turn::Checking
            | Turn::Over => {}
        }
    }

    /// Keys are taken in the order typed; those that have no question yet wait for theirs.
    fn key(&mut self, key: char, now: Instant) {
        if self.typed.len() < TYPED_MAX
            && !matches!(self.turn, Turn::NotAnswered | Turn::Leaving | Turn::Over)
        {
            self.typed.push_back(key);
        }
        self.take_typed(now);
    }

    fn take_typed(&mut self, now: Instant) {
        while self.turn.takes_keys()
            && let Some(key) = self.typed.pop_front()
        {
            match &mut self.turn {
                Turn::Asking { gather, .. } => {
                    if let Some(output) = gather.handle(gather::Input::Key(key), now) {
                        self.outputs.push_back(Output::Hush);
                        self.gathered(output, now);
                    }
                }
                Turn::Reading => {
                    // The body is cut short and its question answered before it was asked.
                    self.outputs.push_back(Output::Hush);
                    self.chosen(Ask::Answer, key, now);
                }
                Turn::Confirming => {
                    self.outputs.push_back(Output::Hush);
                    if key == '7' && self.terms.voice && self.answered.is_some() {
                        self.introduce(vec![]);
                    } else {
                        // The thanks are cut short; the key belongs to what comes next.
                        self.typed.push_front(key);
                        self.go_on(now);
                    }
                }
                Turn::Introducing { .. } => {
                    self.outputs.push_back(Output::Hush);
                    self.sound_the_tone();
                }
                Turn::Recording => {
                    if matches!(key, '8' | '#') {
                        self.stop_recording();
                    }
                }
                Turn::NotAnswered
                | Turn::Settling(_)
                | Turn::Committing { .. }
                | Turn::Stopping
                | Turn::Checking
                | Turn::Leaving
                | Turn::Over => unreachable!("these take no keys"),
            }
        }
    }

    fn gathered(&mut self, output: gather::Output, now: Instant) {
        let Turn::Asking { ask, .. } = &self.turn else { return };
        let ask = *ask;
        match output {
            gather::Output::NoInput => self.speak_question(ask, vec![]),
            gather::Output::NoMatch => self.speak_question(ask, vec![self.prompts.no_match()]),
            gather::Output::Chosen(key) => self.chosen(ask, key, now),
            // Whoever falls silent after speaking has nothing against its being sent.
            gather::Output::GaveUp if ask == Ask::Send => self.commit_voice(),
            gather::Output::GaveUp => self.leave(self.prompts.goodbye_unanswered()),
        }
    }

    /// One key of a question means the same whenever it is pressed.
    fn chosen(&mut self, ask: Ask, key: char, now: Instant) {
        match (ask, key) {
            (Ask::Stop, '9') => {
                self.turn = Turn::Committing { words: None };
                self.outputs.push_back(Output::StopCalls);
            }
            (Ask::Stop, _) => self.resume(),
            (Ask::Hear | Ask::Answer, '9') => self.ask(Ask::Stop, vec![]),
            (Ask::Hear | Ask::Answer, '0') => {
                self.ask(ask, vec![self.prompts.explanation(self.terms.hear_first)])
            }
            (Ask::Hear | Ask::Answer, '#') => {
                self.pass();
                self.go_on(now);
            }
            (Ask::Hear, '*') => {
                let again = self
                    .current
                    .iter()
                    .map(|current| self.prompts.again(&current.item.arrival))
                    .collect();
                self.ask(Ask::Hear, again);
            }
            (Ask::Send, key) => self.send_or_not(key),
            (Ask::Hear, _) | (Ask::Answer, '*') => self.read(vec![]),
            (Ask::Answer, '7') if self.terms.voice => {
                self.answered = self.current.as_ref().map(|current| current.item.clone());
                self.takes = 0;
                self.introduce(vec![]);
            }
            (Ask::Answer, key) => self.answer(key),
        }
    }

    /// Where the callee was before the question about stopping.
    fn resume(&mut self) {
        let unread = self.current.as_ref().is_some_and(|current| !current.told);
        match (unread, self.terms.hear_first) {
            (true, true) => self.ask(Ask::Hear, vec![]),
            (true, false) => self.read(vec![]),
            (false, _) => self.ask(Ask::Answer, vec![]),
        }
    }

    fn answer(&mut self, key: char) {
        let (Some(current), Some(words)) =
            (&mut self.current, self.terms.menu.reply(key, &self.callee))
        else {
            self.ask(Ask::Answer, vec![self.prompts.no_match()]);
            return;
        };
        // An answer is only given to what one knows; the store takes it for heard.
        current.told = true;
        self.answered = Some(current.item.clone());
        self.takes = 0;
        let answer = Answer { message: current.item.id, key, words: words.clone() };
        self.turn = Turn::Committing { words: Some(words) };
        self.outputs.push_back(Output::Commit(answer));
    }

    fn committed(&mut self, now: Instant) {
        let Turn::Committing { words } = &self.turn else { return };
        let Some(words) = words else {
            self.leave(self.prompts.stopped());
            return;
        };
        let thanks = self.prompts.thanks(words);
        self.turn = Turn::Confirming;
        self.outputs.push_back(Output::Speak(vec![thanks]));
        self.take_typed(now);
    }

    fn commit_failed(&mut self) {
        if matches!(self.turn, Turn::Committing { .. }) {
            self.leave(self.prompts.not_stored());
        }
    }

    fn more(&mut self, items: Vec<Item>, now: Instant) {
        if !matches!(self.turn, Turn::Checking) {
            return;
        }
        self.waiting.extend(items);
        match self.waiting.pop_front() {
            Some(item) => {
                let intro = vec![self.prompts.just_arrived(&item.arrival)];
                self.current = Some(Current::new(item));
                self.announce(intro, now);
            }
            None => self.leave(self.prompts.goodbye()),
        }
    }

    fn leave(&mut self, last: Line) {
        self.turn = Turn::Leaving;
        self.typed.clear();
        self.outputs.push_back(Output::Speak(vec![last]));
    }

    fn hang_up(&mut self) {
        self.turn = Turn::Over;
        self.outputs.push_back(Output::HangUp);
    }
}

const TYPED_MAX: usize = 32;
