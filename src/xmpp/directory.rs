//! The subscribers and domains that the gateway serves.

use std::collections::BTreeMap;

use xmpp_parsers::jid::BareJid;

use crate::notification::policy::Policy;
use crate::subscriber::Subscriber;
use crate::xmpp::sender_rate::MessageRate;

/// The subscribers and their settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    people: BTreeMap<BareJid, Subscriber>,
}

/// The domains that the gateway serves, and what holds for all their accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedDomains {
    /// What the component is called.
    pub name: String,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// The operators' accounts.
    pub operators: Vec<BareJid>,
    /// Domains whose accounts may become subscribers.
    pub domains: Vec<String>,
    /// The settings of people who have chosen none.
    pub policy: Policy,
    /// The number that called phones show.
    pub caller_id: Option<String>,
    /// The language of the house (`speech.language`).
    pub language: Option<String>,
    /// The country code that numbers without one belong to, such as `+81`, where the operator has named it.
    pub country: Option<String>,
    /// How fast one sender may write.
    pub message_rate: MessageRate,
}

impl Default for ServedDomains {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            description: None,
            operators: vec![],
            domains: vec![],
            policy: Policy::default(),
            caller_id: None,
            language: None,
            country: None,
            message_rate: MessageRate::default(),
        }
    }
}

/// The component's name unless the operator gives it another: what it does, for who finds it in a list.
pub const NAME: &str = "Offhook: phone calls for missed messages";

impl Directory {
    /// A directory of these people.
    pub fn new<'s>(subscribers: impl IntoIterator<Item = &'s Subscriber>) -> Self {
        let mut directory = Self::default();
        subscribers.into_iter().for_each(|subscriber| directory.set(subscriber));
        directory
    }

    /// Adds a person or replaces their settings.
    pub fn set(&mut self, subscriber: &Subscriber) {
        self.people.insert(subscriber.jid.clone(), subscriber.clone());
    }

    /// Removes a person.
    pub fn remove(&mut self, jid: &BareJid) {
        self.people.remove(jid);
    }

    /// The settings of a subscriber; `None` for others.
    pub fn person(&self, jid: &BareJid) -> Option<&Subscriber> {
        self.people.get(jid)
    }

    /// All subscribers.
    pub fn subscribers(&self) -> impl Iterator<Item = &Subscriber> {
        self.people.values()
    }

    /// The JIDs of all subscribers, in their order.
    pub fn jids(&self) -> impl Iterator<Item = &BareJid> {
        self.people.keys()
    }
}
