//! Whom the gateway knows.

use std::collections::BTreeMap;

use xmpp_parsers::jid::BareJid;

use crate::subscriber::{Subscriber, WhenOffline};

/// What the gateway must know about people, and no more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    people: BTreeMap<BareJid, Person>,
}

/// One person who can be written to.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// How the person is called.
    pub name: String,
    /// What becomes of a message while the person is offline.
    pub offline: WhenOffline,
    /// Whether there is a number to phone.
    pub has_number: bool,
}

impl Directory {
    /// Lists these people.
    pub fn new<'s>(subscribers: impl IntoIterator<Item = &'s Subscriber>) -> Self {
        let mut directory = Self::default();
        for subscriber in subscribers {
            directory.set(subscriber);
        }
        directory
    }

    /// Adds a person or takes over new settings.
    pub fn set(&mut self, subscriber: &Subscriber) {
        let Subscriber { jid, name, number, offline, .. } = subscriber;
        let person = Person { name: name.clone(), offline: *offline, has_number: number.is_some() };
        self.people.insert(jid.clone(), person);
    }

    /// Takes over what a person wants done while offline.
    pub fn switch(&mut self, jid: &BareJid, offline: WhenOffline) {
        if let Some(person) = self.people.get_mut(jid) {
            person.offline = offline;
        }
    }

    /// Forgets a person.
    pub fn remove(&mut self, jid: &BareJid) {
        self.people.remove(jid);
    }

    /// What is known about one person; `None` for strangers.
    pub fn person(&self, jid: &BareJid) -> Option<&Person> {
        self.people.get(jid)
    }

    /// Everybody, in the order of their JIDs.
    pub fn jids(&self) -> impl Iterator<Item = &BareJid> {
        self.people.keys()
    }
}
