//! Whether a sender's client is a program, by its own word.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::Jid;

use crate::notification::MessageId;
use crate::xmpp::ns;

/// The clients that are known, and the queries that run.
///
/// Contract: a client that does not answer in time counts as a person's.
/// Source:   XEP-0030 §3 (identity `client/bot`).
#[derive(Debug, Default)]
pub(super) struct BotCheck {
    known: BTreeMap<Jid, Known>,
    oldest: VecDeque<(Jid, Instant)>,
    /// In the order in which they were sent.
    queries: VecDeque<Query>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    is_program: bool,
    until: Instant,
}

#[derive(Debug)]
struct Query {
    id: String,
    client: Jid,
    until: Instant,
    messages: Vec<MessageId>,
}

impl BotCheck {
    /// Whether this client is a program; `None` if it must be asked.
    pub(super) fn is_bot(&self, jid: &Jid, now: Instant) -> Option<bool> {
        // Only a client can be asked, not an account.
        if jid.resource().is_none() {
            return Some(false);
        }
        self.known.get(jid).filter(|known| known.until > now).map(|known| known.is_program)
    }

    /// Whether no further query can be sent now.
    pub(super) fn is_full(&self) -> bool {
        self.queries.len() >= ASKED_MAX
    }

    /// Lets a message wait for the client's answer. Whether the query is to be sent: one may run already.
    pub(super) fn wait_for(
        &mut self,
        jid: &Jid,
        message: MessageId,
        id: &str,
        now: Instant,
    ) -> bool {
        if let Some(query) = self.queries.iter_mut().find(|query| query.client == *jid) {
            query.messages.push(message);
            return false;
        }
        let (id, client, until) = (id.to_owned(), jid.clone(), now + ANSWERS_WITHIN);
        self.queries.push_back(Query { id, client, until, messages: vec![message] });
        true
    }

    /// Handles an answer: the messages that waited for it, and whether a program has sent them.
    pub(super) fn answered(
        &mut self,
        iq: &Element,
        from: &Jid,
        now: Instant,
    ) -> Option<(Vec<MessageId>, bool)> {
        let id = iq.attr("id")?;
        let at = self.queries.iter().position(|query| query.id == id && query.client == *from)?;
        let query = self.queries.remove(at)?;
        let is_program = iq.get_child("query", ns::DISCO_INFO).is_some_and(|info| {
            info.children().any(|it| {
                it.name() == "identity"
                    && it.attr("category") == Some("client")
                    && it.attr("type") == Some("bot")
            })
        });
        self.learn(query.client, is_program, now);
        Some((query.messages, is_program))
    }

    /// The messages whose queries were not answered in time.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<MessageId> {
        let mut messages = vec![];
        while self.queries.front().is_some_and(|query| query.until <= now) {
            let Some(query) = self.queries.pop_front() else { break };
            self.learn(query.client, false, now);
            messages.extend(query.messages);
        }
        messages
    }

    /// When the next query is overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queries.front().map(|query| query.until)
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
/// Queries at once: few enough to be searched for each message of a flood.
const ASKED_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_known_clients_are_bounded() {
        let (mut bot_check, now) = (BotCheck::default(), crate::clock::now());
        let mut asked = 0;
        while !bot_check.is_full() {
            let client = Jid::new(&format!("s{asked}@example.org/x")).unwrap();
            assert!(bot_check.wait_for(
                &client,
                MessageId(asked),
                &format!("bot-check-{asked}"),
                now
            ));
            assert!(!bot_check.wait_for(&client, MessageId(-asked), "again", now), "asked once");
            asked += 1;
        }
        assert_eq!(asked, ASKED_MAX as i64);
        assert!(bot_check.overdue(now).is_empty());
        let later = now + ANSWERS_WITHIN;
        assert_eq!(bot_check.overdue(later).len(), 2 * ASKED_MAX);
        assert!(!bot_check.is_full() && bot_check.deadline().is_none());
        for stranger in 0..2 * KNOWN_MAX {
            bot_check.learn(Jid::new(&format!("t{stranger}@example.org/x")).unwrap(), false, later);
        }
        assert_eq!((bot_check.known.len(), bot_check.oldest.len()), (KNOWN_MAX, KNOWN_MAX));
    }
}
