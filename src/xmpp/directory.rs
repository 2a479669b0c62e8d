//! Whom the gateway knows.

use std::collections::BTreeMap;

use xmpp_parsers::jid::BareJid;

use crate::notification::policy::Policy;
use crate::subscriber::Subscriber;

/// Everyone who can be written to, with their settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    people: BTreeMap<BareJid, Subscriber>,
}

/// The house that the gateway stands in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct House {
    /// Who may see and change everything.
    pub operators: Vec<BareJid>,
    /// Whose accounts may register themselves.
    pub domains: Vec<String>,
    /// What holds where a person has chosen nothing.
    pub policy: Policy,
    /// The number that is seen on the phones we call.
    pub caller_id: Option<String>,
}

impl Directory {
    /// Lists these people.
    pub fn new<'s>(subscribers: impl IntoIterator<Item = &'s Subscriber>) -> Self {
        let mut directory = Self::default();
        subscribers.into_iter().for_each(|subscriber| directory.set(subscriber));
        directory
    }

    /// Adds a person or takes over new settings.
    pub fn set(&mut self, subscriber: &Subscriber) {
        self.people.insert(subscriber.jid.clone(), subscriber.clone());
    }

    /// Forgets a person.
    pub fn remove(&mut self, jid: &BareJid) {
        self.people.remove(jid);
    }

    /// What is known about one person; `None` for strangers.
    pub fn person(&self, jid: &BareJid) -> Option<&Subscriber> {
        self.people.get(jid)
    }

    /// Everybody, in the order of their JIDs.
    pub fn jids(&self) -> impl Iterator<Item = &BareJid> {
        self.people.keys()
    }
}
