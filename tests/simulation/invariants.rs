//! What must be true after each step, of the tables and of what people have been told.

use minidom::Element;

use crate::server::COMPONENT;
use crate::world::{SENDERS, World};

impl World {
    /// After every event.
    pub(crate) fn check_step(&self) {
        self.check_lengths();
    }

    /// After every transaction.
    ///
    /// I1: an ending stands; what is held has been told something, or its sender is being asked.
    pub(crate) fn check_tables(&mut self) {
        let tables = self.disk.tables();
        let changes = tables.total_changes();
        if std::mem::replace(&mut self.promises.changes, changes) == changes {
            return;
        }
        let mut find = tables
            .prepare_cached(
                "SELECT id, ending, awaiting_sender_check,
                     silent OR EXISTS (SELECT 1 FROM replies WHERE message IN (messages.id, messages.first_line) AND content IN ('status', 'delivery'))
                 FROM messages",
            )
            .unwrap();
        let mut rows = find.query([]).unwrap();
        let now = (self.at(), self.promises.disturbances());
        while let Some(row) = rows.next().unwrap() {
            let id: i64 = row.get(0).unwrap();
            let ending: Option<String> = row.get(1).unwrap();
            let (asked, told): (bool, bool) = (row.get(2).unwrap(), row.get(3).unwrap());
            let known = self.promises.endings.get(&id);
            assert!(
                known.is_none() || known == ending.as_ref(),
                "I1: message {id} ended as {known:?}, and now as {ending:?}"
            );
            match ending {
                Some(ending) => drop(self.promises.endings.insert(id, ending)),
                None if asked => {
                    let since = self.promises.asked.entry(id).or_insert(now);
                    if since.1 != now.1 {
                        *since = now;
                    }
                    let asked = now.0 - since.0;
                    assert!(asked <= ASKED_MAX, "N2: the sender of {id} is asked for {asked:?}");
                }
                None => assert!(told, "N2: message {id} is held, and its sender is told nothing"),
            }
        }
    }

    /// What we say of a message is durable before it is said.
    pub(crate) fn check_said(&self, stanza: &Element) {
        let attr = |name| stanza.attr(name).unwrap_or_default();
        let (from, to, id) = (attr("from"), attr("to"), attr("id"));
        let to = to.split('/').next().unwrap_or_default();
        let is_said = stanza.name() == "message" && attr("type") != "error";
        if !is_said || from == COMPONENT || !SENDERS.contains(&to) {
            return;
        }
        let durable = self.promises.was_owed(id);
        assert!(durable, "I14: {id} is said to {to}, and the store knows nothing of it");
    }

    /// I14: the sender of a message that was refused has the error, and it is not held.
    pub(crate) fn check_refused(&self, id: &str) {
        if self.stream.is_late(self.at()) {
            return;
        }
        let Some(written) = self.promises.written.get(id) else { return };
        let held = self.promises.held.iter().any(|it| it == id);
        assert!(!held, "I14: {id} was refused, and is held");
        assert!(
            self.has_error(&written.sender, id),
            "I14: {id} was refused, and its sender reads nothing"
        );
    }

    /// I12: whatever came before, a good message is held, refused or passed on within seconds.
    pub(crate) fn check_served(&self, known: &str) {
        let (disturbances, id) = known.split_once(' ').unwrap();
        let undisturbed = disturbances == self.promises.disturbances().to_string();
        if undisturbed && self.disk.is_well() {
            assert!(self.is_served(id), "I12: {id} was neither held nor refused nor passed on");
        }
    }

    fn has_error(&self, account: &str, id: &str) -> bool {
        self.server.has_seen(account).iter().any(|it| it.id == id && it.kind == "error")
    }

    fn is_served(&self, id: &str) -> bool {
        let written = &self.promises.written[id];
        let held = self.promises.held.iter().any(|it| it == id);
        let passed_on = self.server.all_for(&written.recipient).any(|it| it.id == id);
        let came_back = self.server.bounces.returned.contains_key(id);
        let gone = written.forgotten || written.retracted || came_back;
        held || passed_on || gone || self.has_error(&written.sender, id)
    }

    /// N3: after an orderly end nothing that was read is lost.
    pub(crate) fn check_nothing_is_swallowed(&self, was_up: bool) {
        if !was_up || !self.disk.is_well() {
            return;
        }
        for (id, written) in self.promises.read() {
            let served = written.swallowed || self.is_served(id);
            assert!(served, "N3: {id} was read before the stop, and swallowed: {written:?}");
        }
    }
}

/// A client that is asked whether it is a program is waited for so long, and a little.
const ASKED_MAX: std::time::Duration = std::time::Duration::from_secs(60);
