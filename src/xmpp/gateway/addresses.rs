//! Which person an address of the component stands for, and from which address somebody is written to.

use std::collections::{BTreeMap, BTreeSet};

use xmpp_parsers::jid::{BareJid, Jid};

use super::Gateway;
use crate::subscriber::{Senders, Subscriber};
use crate::xmpp::address;

/// Who is behind an address, as far as the one who asks may know.
pub(super) enum Contact<'g> {
    /// A subscriber.
    Subscriber(&'g Subscriber),
    /// Somebody to whom the subscriber who asks can write.
    Elsewhere(BareJid),
    /// Somebody, or nobody: this is all that a stranger learns.
    Unknown(BareJid),
}

impl Contact<'_> {
    /// The name to be shown.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Subscriber(person) => person.name.clone(),
            Self::Elsewhere(jid) | Self::Unknown(jid) => jid.to_string(),
        }
    }
}

/// The addresses that people have used, where there are two for the same.
///
/// Contract: bounded; what is forgotten is written from the longer address.
#[derive(Debug, Default)]
pub(super) struct UsedAddresses {
    /// Who last wrote to the component at its address with a node.
    with_node: BTreeSet<BareJid>,
    /// Who (first) last wrote to whom (second) at the address without the domain.
    short: BTreeMap<(BareJid, BareJid), BareJid>,
}

impl UsedAddresses {
    /// Somebody has written to the component.
    pub(super) fn component(&mut self, from: &BareJid, to: &Jid) {
        if to.node().is_none() {
            self.with_node.remove(from);
        } else if self.with_node.len() < USED_MAX {
            self.with_node.insert(from.clone());
        }
    }

    /// Somebody has written to a person.
    pub(super) fn person(&mut self, from: &BareJid, person: &BareJid, to: &Jid) {
        let pair = (from.clone(), person.clone());
        let is_short =
            to.node().is_some_and(|node| !address::unescape(node.as_str()).contains('@'));
        if !is_short {
            self.short.remove(&pair);
        } else if self.short.len() < USED_MAX {
            self.short.insert(pair, to.to_bare());
        }
    }
}

impl Gateway {
    /// Whether this is the component itself: some clients take a bare domain for a server and show no chat with it.
    pub(super) fn is_component(&self, to: &Jid) -> bool {
        to.node().is_none_or(|node| node.as_str() == COMPONENT_NODE)
    }

    /// The address from which this person reads what the component says: the one that they have written to.
    pub(super) fn own_address(&self, reader: &BareJid) -> String {
        if self.used_addresses.with_node.contains(reader) {
            format!("{COMPONENT_NODE}@{}", self.component)
        } else {
            self.component.clone()
        }
    }

    /// The person behind an address: an escaped JID, or the name of an account of the house.
    pub(super) fn person_at(&self, to: &Jid) -> Option<BareJid> {
        if self.is_component(to) || to.domain().as_str() != self.component {
            return None;
        }
        let name = address::unescape(to.node()?.as_str());
        if name.contains('@') {
            return address::person(to, &self.component);
        }
        let accounts = self.served.domains.iter();
        let mut accounts =
            accounts.filter_map(|domain| BareJid::new(&format!("{name}@{domain}")).ok());
        let first = accounts.next()?;
        if self.people.person(&first).is_some() {
            return Some(first);
        }
        // Of several domains, the one where somebody can be phoned.
        Some(accounts.find(|it| self.people.person(it).is_some()).unwrap_or(first))
    }

    /// Who is behind a gateway address; `None` if that stands for nobody. People of other domains, whose messages ring
    /// nobody, get the same answer whether or not there is such a person.
    pub(super) fn contact(&self, from: &Jid, to: &Jid) -> Option<Contact<'_>> {
        let jid = self.person_at(to).filter(|jid| jid.domain().as_str() != self.component)?;
        let from = from.to_bare();
        let is_of_house = self.is_known(&from)
            || self.is_of_served_domain(&from)
            || from.domain() == jid.domain();
        match self.people.person(&jid) {
            Some(person) if is_of_house || self.may_anybody_ring(person) => {
                Some(Contact::Subscriber(person))
            }
            _ if !is_of_house => Some(Contact::Unknown(jid)),
            _ => self.people.person(&from).map(|_| Contact::Elsewhere(jid)),
        }
    }

    fn may_anybody_ring(&self, person: &Subscriber) -> bool {
        person.senders.unwrap_or(self.served.policy.senders) == Senders::Everyone
    }

    /// The address under which `reader` knows this person.
    pub(super) fn address_of(&self, person: &BareJid, reader: &BareJid) -> Option<BareJid> {
        let used = self.used_addresses.short.get(&(reader.clone(), person.clone()));
        used.cloned().or_else(|| address::contact(person, &self.component))
    }

    /// The address that was probably meant by one that stands for nobody. Only people of the house are told one that they
    /// have not written themselves.
    pub(super) fn meant_address(&self, from: &BareJid, to: &Jid) -> Option<BareJid> {
        let name = address::unescape(to.node()?.as_str());
        for separator in SEPARATORS {
            let Some((node, domain)) = name.rsplit_once(separator) else { continue };
            let person = BareJid::new(&format!("{node}@{domain}")).ok();
            let known = person.filter(|it| self.people.person(it).is_some());
            if let Some(known) = known {
                return address::contact(&known, &self.component);
            }
        }
        if !self.is_of_served_domain(from) {
            return None;
        }
        let name = name.split('@').next().unwrap_or_default();
        let near = self.people.jids().filter(|jid| {
            let node = jid.node().map(|node| node.to_string()).unwrap_or_default();
            name.chars().count() > 2 && strsim::osa_distance(name, &node) <= 1
        });
        address::contact(near.take(1).next()?, &self.component)
    }
}

/// The node of the component's own address.
const COMPONENT_NODE: &str = "offhook";
/// What other gateways and people put in place of the @.
const SEPARATORS: [&str; 8] = ["%", "\\40", "=40", "#", "_at_", "(at)", " at ", " "];
/// Pairs, and people, whose address is remembered.
const USED_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::subscriber::Subscriber;
    use crate::xmpp::directory::{Directory, ServedDomains};

    #[test]
    fn an_address_stands_for_one_person_and_a_near_miss_is_told_the_right_one() {
        let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into());
        let kim = Subscriber::new("kim@example.net".parse().unwrap(), "Kim".into());
        let domains = vec!["example.org".to_owned(), "example.net".to_owned()];
        let served = ServedDomains { domains, ..ServedDomains::default() };
        let people = Directory::new([&bob, &kim]);
        let gateway = Gateway::new("phone.example.org", people, served, Seed::fixed(1));
        let at = |node: &str| Jid::new(&format!("{node}@phone.example.org/x")).unwrap();
        for (node, person) in [
            ("bob\\40example.org", Some("bob@example.org")),
            ("bob", Some("bob@example.org")),
            ("kim", Some("kim@example.net")),
            ("eve", Some("eve@example.org")),
            ("offhook", None),
        ] {
            let found = gateway.person_at(&at(node));
            assert_eq!(found.as_ref().map(|it| it.as_str()), person, "{node}");
        }
        let right = Some("bob\\40example.org@phone.example.org");
        let (alice, mallory) = ("alice@example.org", "mallory@elsewhere.example");
        for (from, node, meant) in [
            (mallory, "bob%example.org", right),
            (mallory, "bob\\5c40example.org", right),
            (mallory, "bob_at_example.org", right),
            (mallory, "bbo", None),
            (alice, "bbo", right),
            (alice, "eve", None),
        ] {
            let found = gateway.meant_address(&from.parse().unwrap(), &at(node));
            assert_eq!(found.as_ref().map(|it| it.as_str()), meant, "{from} {node}");
        }
    }
    #[test]
    fn a_stranger_learns_nothing_of_who_is_here() {
        let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob B.".into());
        let open = Subscriber {
            senders: Some(Senders::Everyone),
            ..Subscriber::new("kim@example.org".parse().unwrap(), "Kim K.".into())
        };
        let served = ServedDomains::default();
        let people = Directory::new([&bob, &open]);
        let gateway = Gateway::new("phone.example.org", people, served, Seed::fixed(1));
        for (from, node, name) in [
            ("mallory@elsewhere.example", "bob\\40example.org", Some("bob@example.org")),
            ("mallory@elsewhere.example", "eve\\40example.org", Some("eve@example.org")),
            ("mallory@elsewhere.example", "kim\\40example.org", Some("Kim K.")),
            ("mallory@elsewhere.example", "eve\\40phone.example.org", None),
            ("alice@example.org", "bob\\40example.org", Some("Bob B.")),
            ("alice@example.org", "eve\\40example.org", None),
            ("bob@example.org", "eve\\40example.org", Some("eve@example.org")),
        ] {
            let to = Jid::new(&format!("{node}@phone.example.org")).unwrap();
            let found = gateway.contact(&from.parse().unwrap(), &to);
            assert_eq!(found.map(|it| it.name()).as_deref(), name, "{from} {node}");
        }
    }
}
