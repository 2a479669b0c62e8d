//! Which messages the call is about, which come after them, and what became of each.

use std::collections::VecDeque;

use super::prompt::{Prompt, Prompts};
use super::{Opening, Request, SpokenMessage};
use crate::notification::MessageId;

/// The messages of one call, in the order in which they are told. What one sender wrote in a row is told together.
#[derive(Debug)]
pub(super) struct Agenda {
    /// The messages that the call is about: of one sender, one after the other.
    group: Vec<Told>,
    /// Which of them is read, or is read next.
    at: usize,
    waiting: VecDeque<SpokenMessage>,
    /// What was taken back or corrected: it may be on its way here from the store all the same.
    gone: Vec<MessageId>,
}

/// What [`Agenda::change`] has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// What the call is about now is not what was said last.
    Current,
    /// At most what comes after it.
    Others,
}

#[derive(Debug)]
struct Told {
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
        let mut agenda = Self { group: vec![], at: 0, waiting: items.into(), gone: vec![] };
        agenda.advance();
        agenda
    }

    /// The message that is read, or is read next.
    pub(super) fn current(&self) -> Option<&SpokenMessage> {
        self.group.get(self.at).map(|told| &told.item)
    }

    /// The messages that the call is about.
    pub(super) fn group(&self) -> Vec<&SpokenMessage> {
        self.group.iter().map(|told| &told.item).collect()
    }

    /// The messages after them, as they are told together.
    pub(super) fn waiting(&self) -> Vec<Vec<&SpokenMessage>> {
        let mut groups: Vec<Vec<&SpokenMessage>> = vec![];
        for item in &self.waiting {
            match groups.last_mut().filter(|group| group[0].from == item.from) {
                Some(group) => group.push(item),
                None => groups.push(vec![item]),
            }
        }
        groups
    }

    /// Goes on to what comes next; tells whether there is something. What is left unheard comes again.
    pub(super) fn advance(&mut self) -> bool {
        let left: Vec<_> = self.group.drain(..).filter(|told| !told.settled).collect();
        left.into_iter().rev().for_each(|told| self.waiting.push_front(told.item));
        let group = self.waiting().first().map_or(0, Vec::len);
        let told = |item| Told { item, settled: false, begun: false, speakable: true };
        self.group = self.waiting.drain(..group).map(told).collect();
        self.at = 0;
        group > 0
    }

    /// Goes on to the next message of the same sender, if there is one.
    pub(super) fn advance_in_group(&mut self) -> bool {
        let is_last = self.at + 1 >= self.group.len();
        self.at += usize::from(!is_last);
        !is_last
    }

    /// Goes back to the first message of the same sender. What was taken back or corrected since is not read again, unless
    /// there is nothing else.
    pub(super) fn rewind(&mut self) {
        let gone = &self.gone;
        let stands = |told: &Told| !gone.contains(&told.item.id);
        if self.group.iter().any(stands) {
            self.group.retain(stands);
        }
        self.at = 0;
    }

    /// These come last.
    pub(super) fn extend(&mut self, items: Vec<SpokenMessage>) {
        let gone = &self.gone;
        self.waiting.extend(items.into_iter().filter(|item| !gone.contains(&item.id)));
    }

    /// What is said before the first message.
    pub(super) fn greeting(
        &self,
        opening: Opening,
        prompts: Prompts,
        callee: &str,
    ) -> Option<Prompt> {
        let count = self.group.len() + self.waiting.len();
        (count > 0).then(|| prompts.greeting(opening, callee, &self.group(), count as u64))
    }

    /// This message is not told, if nothing of it was read aloud yet; another is told in its place, if there is one.
    pub(super) fn change(&mut self, id: MessageId, instead: Option<SpokenMessage>) -> Changed {
        self.gone.push(id);
        let untold = self.group.iter().position(|it| it.item.id == id && !it.begun && !it.settled);
        if let Some(place) = untold {
            let is_next = place == self.at;
            // Of messages that are announced and not begun there are fewer now than was said.
            let is_miscounted = instead.is_none() && !self.is_begun();
            match instead {
                Some(item) => self.group[place].item = item,
                None => drop(self.group.remove(place)),
            }
            self.at = self.at.min(self.group.len().saturating_sub(1));
            if self.group.is_empty() {
                self.advance();
            }
            return match is_next || is_miscounted {
                true => Changed::Current,
                false => Changed::Others,
            };
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
        self.group.get(self.at).is_some_and(|told| !told.settled)
    }

    /// Whether something that the call is about was read aloud or passed.
    pub(super) fn is_begun(&self) -> bool {
        self.group.iter().any(|told| told.begun || told.settled)
    }

    /// The current message begins to be read aloud.
    pub(super) fn began(&mut self) {
        if let Some(told) = self.group.get_mut(self.at) {
            told.begun = true;
        }
    }

    /// The message of which something was read aloud, if nothing more became of it.
    pub(super) fn cut(&self) -> Option<MessageId> {
        let cut = |told: &&Told| told.begun && !told.settled && told.speakable;
        self.group.iter().find(cut).map(|told| told.item.id)
    }

    /// The last message of which the callee knows enough to answer it.
    pub(super) fn to_answer(&self) -> Option<&SpokenMessage> {
        let known = |told: &&Told| told.begun || told.settled;
        self.group.iter().rfind(known).map(|told| &told.item)
    }

    /// The current message was read to its end. Gives what there is to report.
    pub(super) fn heard(&mut self) -> Option<Request> {
        let told = self.group.get_mut(self.at).filter(|told| !told.settled)?;
        told.settled = true;
        let id = told.item.id;
        Some(if told.speakable { Request::Heard(id) } else { Request::Passed(id) })
    }

    /// The callee goes on without hearing the current message to its end. Gives what there is to report.
    pub(super) fn passed(&mut self) -> Option<Request> {
        let told = self.group.get_mut(self.at).filter(|told| !told.settled)?;
        told.settled = true;
        Some(Request::Passed(told.item.id))
    }

    /// The same for all that the call is about.
    pub(super) fn passed_all(&mut self) -> Vec<Request> {
        let unread = self.group.iter_mut().filter(|told| !told.settled);
        let pass = |told: &mut Told| {
            told.settled = true;
            Request::Passed(told.item.id)
        };
        unread.map(pass).collect()
    }

    /// This message is answered. Who answers a message knows it; the store takes it for heard.
    pub(super) fn answered(&mut self, id: MessageId) {
        if let Some(told) = self.group.iter_mut().find(|told| told.item.id == id) {
            told.settled = true;
        }
    }

    /// The text of this message cannot be said.
    pub(super) fn unspeakable(&mut self, id: MessageId) {
        if let Some(told) = self.group.iter_mut().find(|told| told.item.id == id) {
            told.speakable = false;
        }
    }
}
