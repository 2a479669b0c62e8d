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
    /// The language that the person has set.
    pub language: Option<String>,
    /// The language of what the person wrote to us last.
    pub wrote_in: Option<String>,
}

impl Person {
    /// The language to write in.
    pub fn reads(&self) -> Option<&str> {
        self.language.as_deref().or(self.wrote_in.as_deref())
    }
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
        let Subscriber { jid, name, number, offline, language, .. } = subscriber;
        let person = Person {
            name: name.clone(),
            offline: *offline,
            has_number: number.is_some(),
            language: language.clone(),
            wrote_in: self.people.remove(jid).and_then(|known| known.wrote_in),
        };
        self.people.insert(jid.clone(), person);
    }

    /// Takes over what a person wants done while offline.
    pub fn switch(&mut self, jid: &BareJid, offline: WhenOffline) {
        if let Some(person) = self.people.get_mut(jid) {
            person.offline = offline;
        }
    }

    /// Takes note of the language in which a person writes.
    pub fn wrote(&mut self, jid: &BareJid, language: Option<&str>) {
        if let Some(person) = self.people.get_mut(jid) {
            person.wrote_in = language.map(str::to_owned);
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
