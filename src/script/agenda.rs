//! Which message the call is about, which come after it, and what became of each.

use std::collections::VecDeque;

use super::prompt::{Prompt, Prompts};
use super::{Opening, Request, SpokenMessage};
use crate::notification::MessageId;

/// The messages of one call, in the order in which they are told.
#[derive(Debug)]
pub(super) struct Agenda {
    current: Option<Current>,
    waiting: VecDeque<SpokenMessage>,
    /// What was taken back or corrected: it may be on its way here from the store all the same.
    gone: Vec<MessageId>,
}

/// What [`Agenda::change`] has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The message the call is about is another now, or there is none.
    Current,
    /// At most what comes after it.
    Others,
}

#[derive(Debug)]
struct Current {
    item: SpokenMessage,
    /// It was heard, passed or answered.
    settled: bool,
    /// Something of it was read aloud.
    begun: bool,
    speakable: bool,
}

impl Agenda {
    /// Begins with the first of these.
    pub(super) fn new(items: Vec<SpokenMessage>) -> Self {
        let mut agenda = Self { current: None, waiting: items.into(), gone: vec![] };
        agenda.advance();
        agenda
    }

    /// The message the call is about.
    pub(super) fn current(&self) -> Option<&SpokenMessage> {
        self.current.as_ref().map(|current| &current.item)
    }

    /// The messages after it.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &SpokenMessage> {
        self.waiting.iter()
    }

    /// Goes on to the next message.
    pub(super) fn advance(&mut self) -> Option<&SpokenMessage> {
        let current = |item| Current { item, settled: false, begun: false, speakable: true };
        self.current = self.waiting.pop_front().map(current);
        self.current()
    }

    /// These come last.
    pub(super) fn extend(&mut self, items: Vec<SpokenMessage>) {
        let gone = &self.gone;
        self.waiting.extend(items.into_iter().filter(|item| !gone.contains(&item.id)));
    }

    /// What is said before the first message.
    pub(super) fn greeting(&self, opening: Opening, prompts: Prompts, callee: &str) -> Vec<Prompt> {
        let count = self.waiting.len() as u64 + 1;
        let greet = |first| prompts.greeting(opening, callee, first, count);
        self.current().map(greet).into_iter().collect()
    }

    /// This message is not told, if nothing of it was read aloud yet; another is told in its place, if there is one.
    pub(super) fn change(&mut self, id: MessageId, instead: Option<SpokenMessage>) -> Changed {
        self.gone.push(id);
        let untold =
            self.current.as_mut().filter(|it| it.item.id == id && !it.begun && !it.settled);
        if let Some(current) = untold {
            match instead {
                Some(item) => current.item = item,
                None => drop(self.advance()),
            }
            return Changed::Current;
        }
        let waits = self.waiting.iter().position(|item| item.id == id);
        match (waits, instead) {
            (Some(at), Some(item)) => self.waiting[at] = item,
            (Some(at), None) => drop(self.waiting.remove(at)),
            // The callee has begun to hear the first wording, or passed it: the new one is a message of its own.
            (None, Some(item)) => self.waiting.push_front(item),
            (None, None) => {}
        }
        Changed::Others
    }

    /// Whether the current message is still to be heard.
    pub(super) fn is_unread(&self) -> bool {
        self.current.as_ref().is_some_and(|current| !current.settled)
    }

    /// The current message begins to be read aloud.
    pub(super) fn began(&mut self) {
        if let Some(current) = &mut self.current {
            current.begun = true;
        }
    }

    /// The current message, if something of it was read aloud and nothing more became of it.
    pub(super) fn cut(&self) -> Option<MessageId> {
        let cut = |current: &&Current| current.begun && !current.settled && current.speakable;
        self.current.as_ref().filter(cut).map(|current| current.item.id)
    }

    /// Whether the callee knows enough of the current message to answer it.
    pub(super) fn can_be_answered(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.begun || current.settled)
    }

    /// The current message was read to its end. Gives what there is to report.
    pub(super) fn heard(&mut self) -> Option<Request> {
        let current = self.current.as_mut().filter(|current| !current.settled)?;
        current.settled = true;
        let id = current.item.id;
        Some(if current.speakable { Request::Heard(id) } else { Request::Passed(id) })
    }

    /// The callee goes on without hearing the current message to its end. Gives what there is to report.
    pub(super) fn passed(&mut self) -> Option<Request> {
        let current = self.current.as_mut().filter(|current| !current.settled)?;
        current.settled = true;
        Some(Request::Passed(current.item.id))
    }

    /// The current message is answered. Who answers a message knows it; the store takes it for heard.
    pub(super) fn answered(&mut self) {
        if let Some(current) = &mut self.current {
            current.settled = true;
        }
    }

    /// The text of this message cannot be said.
    pub(super) fn unspeakable(&mut self, id: MessageId) {
        if let Some(current) = self.current.as_mut().filter(|current| current.item.id == id) {
            current.speakable = false;
        }
    }
}
