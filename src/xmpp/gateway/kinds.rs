//! Who writes: a person, or a program that says so.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::Jid;

use crate::notification::MessageId;
use crate::xmpp::ns;

/// What is known of the clients that have written, and who is being asked.
///
/// Contract: a client that does not answer in time counts as a person's.
/// Source:   XEP-0030 §3 (identity `client/bot`).
#[derive(Debug, Default)]
pub(super) struct Kinds {
    known: BTreeMap<Jid, Known>,
    oldest: VecDeque<(Jid, Instant)>,
    /// In the order in which they were asked.
    asked: VecDeque<Asked>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    is_program: bool,
    until: Instant,
}

#[derive(Debug)]
struct Asked {
    id: String,
    whom: Jid,
    until: Instant,
    messages: Vec<MessageId>,
}

impl Kinds {
    /// Whether this client is a program's; `None` if it must be asked.
    pub(super) fn of(&self, jid: &Jid, now: Instant) -> Option<bool> {
        // Only a client can be asked, not an account.
        if jid.resource().is_none() {
            return Some(false);
        }
        self.known.get(jid).filter(|known| known.until > now).map(|known| known.is_program)
    }

    /// Whether nobody more can be asked just now.
    pub(super) fn is_full(&self) -> bool {
        self.asked.len() >= ASKED_MAX
    }

    /// A message waits for the answer. Gives the id under which to ask, unless that is done already.
    pub(super) fn waits(&mut self, jid: &Jid, message: MessageId, id: &str, now: Instant) -> bool {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.whom == *jid) {
            asked.messages.push(message);
            return false;
        }
        let (id, whom, until) = (id.to_owned(), jid.clone(), now + ANSWERS_WITHIN);
        self.asked.push_back(Asked { id, whom, until, messages: vec![message] });
        true
    }

    /// Takes an answer. Gives the messages that waited for it, and whether a program has sent them.
    pub(super) fn answered(
        &mut self,
        iq: &Element,
        from: &Jid,
        now: Instant,
    ) -> Option<(Vec<MessageId>, bool)> {
        let id = iq.attr("id")?;
        let place = self.asked.iter().position(|asked| asked.id == id && asked.whom == *from)?;
        let asked = self.asked.remove(place)?;
        let is_program = iq.get_child("query", ns::DISCO_INFO).is_some_and(|query| {
            query.children().any(|it| {
                it.name() == "identity"
                    && it.attr("category") == Some("client")
                    && it.attr("type") == Some("bot")
            })
        });
        self.learn(asked.whom, is_program, now);
        Some((asked.messages, is_program))
    }

    /// The messages of those who did not answer in time.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<MessageId> {
        let mut messages = vec![];
        while self.asked.front().is_some_and(|asked| asked.until <= now) {
            let Some(asked) = self.asked.pop_front() else { break };
            self.learn(asked.whom, false, now);
            messages.extend(asked.messages);
        }
        messages
    }

    /// When the next one is overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked.front().map(|asked| asked.until)
    }

    fn learn(&mut self, jid: Jid, is_program: bool, now: Instant) {
        let until = now + KNOWN_FOR;
        self.oldest.push_back((jid.clone(), until));
        self.known.insert(jid, Known { is_program, until });
        while self.oldest.len() > KNOWN_MAX {
            let Some((jid, until)) = self.oldest.pop_front() else { break };
            if self.known.get(&jid).is_some_and(|known| known.until <= until) {
                self.known.remove(&jid);
            }
        }
    }
}

const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
const KNOWN_FOR: Duration = Duration::from_secs(600);
const KNOWN_MAX: usize = 4096;
/// Clients that are being asked: as many as can be looked through for each message of a flood.
const ASKED_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_asked_as_far_as_there_is_room_and_forgotten_in_time() {
        let (mut kinds, now) = (Kinds::default(), crate::clock::now());
        let mut asked = 0;
        while !kinds.is_full() {
            let whom = Jid::new(&format!("s{asked}@example.org/x")).unwrap();
            assert!(kinds.waits(&whom, MessageId(asked), &format!("kind-{asked}"), now));
            assert!(!kinds.waits(&whom, MessageId(-asked), "again", now), "asked once");
            asked += 1;
        }
        assert_eq!(asked, ASKED_MAX as i64);
        assert!(kinds.overdue(now).is_empty());
        let later = now + ANSWERS_WITHIN;
        assert_eq!(kinds.overdue(later).len(), 2 * ASKED_MAX);
        assert!(!kinds.is_full() && kinds.deadline().is_none());
        for stranger in 0..2 * KNOWN_MAX {
            kinds.learn(Jid::new(&format!("t{stranger}@example.org/x")).unwrap(), false, later);
        }
        assert_eq!((kinds.known.len(), kinds.oldest.len()), (KNOWN_MAX, KNOWN_MAX));
    }
}
