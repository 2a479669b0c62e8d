//! Presences: who is online, and subscriptions to our contacts.

use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::subscriber::{Senders, Subscriber};
use crate::xmpp::presence::Availability;
use crate::xmpp::{address, disco, ns, stanza, wording};

impl Gateway {
    /// Source: RFC 6121 §3 (subscriptions), §4.3 (probes).
    pub(super) fn presence(&mut self, presence: &Element, from: &Jid, to: &Jid, now: Instant) {
        let kind = presence.attr("type");
        let language = self.language(presence, from);
        match kind {
            Some("subscribe") => self.subscribe(language.as_deref(), from, to, now),
            Some("unsubscribe") => {
                self.reply_presence(from, to, Some("unavailable"));
                self.reply_presence(from, to, Some("unsubscribed"));
            }
            Some("probe") => self.send_presence(language.as_deref(), from, to),
            // A client that leaves tells every contact so.
            Some("unavailable") if to.node().is_some() && from.resource().is_some() => {
                let change = self.presence.left(from, now);
                self.report(from.to_bare(), change);
            }
            // Clients send presence to every contact; only presence to the component itself counts.
            Some(_) | None if to.node().is_some() => {}
            Some(_) | None => {
                let person = from.to_bare();
                let was_refused = self.presence.is_refused(&person);
                let change = self.presence.handle(from, presence, now);
                let refused = self.presence.is_refused(&person);
                if refused != was_refused {
                    let jid = person.clone();
                    self.outputs.push_back(Output::PresenceRefused { jid, refused });
                }
                self.presence_sync.known(&person);
                if kind.is_none()
                    && self.presence.availability(&person, now) == Availability::Online
                {
                    self.reachable_again(&person);
                }
                if kind == Some("subscribed") && self.people.person(&person).is_some() {
                    // COMPAT(ejabberd, 23.01): approving a request that was turned down before sends no presence.
                    self.probe(&person);
                }
                self.report(person, change);
            }
        }
    }

    fn subscribe(&mut self, language: Option<&str>, from: &Jid, to: &Jid, now: Instant) {
        if self.status_of(language, from, to).is_none() {
            return self.reply_presence(from, to, Some("unsubscribed"));
        }
        self.reply_presence(from, to, Some("subscribed"));
        self.send_presence(language, from, to);
        let person = from.to_bare();
        // A person who adds us will accept our request, even if one was sent today.
        if to.node().is_none() && self.presence.may_ask(&person, now, ASK_BACK) {
            self.ask_for_presence(&person);
        }
    }

    /// Sends a presence probe.
    pub(super) fn probe(&mut self, person: &BareJid) {
        let attributes =
            [("from", self.component.as_str()), ("to", person.as_str()), ("type", "probe")];
        self.send(stanza::stanza("presence", &attributes));
    }

    /// Asks for a subscription to this person's presence.
    pub(super) fn ask_for_presence(&mut self, person: &BareJid) {
        let attributes =
            [("from", self.component.as_str()), ("to", person.as_str()), ("type", "subscribe")];
        let mut request = stanza::stanza("presence", &attributes);
        let words =
            wording::subscribe(self.people.person(person).and_then(|it| it.language.as_deref()));
        request.append_child(stanza::text("status", ns::COMPONENT, &words));
        // The name that a client puts in the roster instead of the domain (XEP-0172 §4.1).
        request.append_child(stanza::text("nick", ns::NICK, disco::NAME));
        self.send(request);
    }

    /// Sends the presence of a contact: available if the address stands for a person.
    fn send_presence(&mut self, language: Option<&str>, from: &Jid, to: &Jid) {
        let Some(status) = self.status_of(language, from, to) else {
            return self.reply_presence(from, to, Some("unavailable"));
        };
        let (to, from) = (from.to_bare(), to.to_bare());
        let mut presence =
            stanza::stanza("presence", &[("from", from.as_str()), ("to", to.as_str())]);
        presence.append_child(stanza::text("status", ns::COMPONENT, &status));
        self.send(presence);
    }

    fn reply_presence(&mut self, from: &Jid, to: &Jid, kind: Option<&str>) {
        let (to, from) = (from.to_bare(), to.to_bare());
        let mut presence =
            stanza::stanza("presence", &[("from", from.as_str()), ("to", to.as_str())]);
        if let Some(kind) = kind {
            stanza::set(&mut presence, "type", kind);
        }
        self.send(presence);
    }

    /// The name of the person behind a gateway address, for those who may know of them. To a stranger an address that stands
    /// for somebody is like one that does not: they learn neither who is here, nor who has a number.
    pub(super) fn contact_name(&self, from: &Jid, to: &Jid) -> Option<String> {
        let jid = address::person(to, &self.component)?;
        if let Some(person) = self.seen_person(from, &jid) {
            return Some(person.name.clone());
        }
        // Subscribers write to everybody by such addresses.
        self.people.person(&from.to_bare()).map(|_| jid.to_string())
    }

    /// The settings of a person, if this sender may know of them: who may make their phone ring, as far as no rule for a
    /// single sender decides it, and operators. Whether a sender elsewhere is a contact is not known here.
    fn seen_person(&self, from: &Jid, jid: &BareJid) -> Option<&Subscriber> {
        let sender = from.to_bare();
        let is_seen = |person: &&Subscriber| {
            let same = || sender.domain() == jid.domain();
            sender == *jid
                || self.served.operators.contains(&sender)
                || match person.senders.unwrap_or(self.served.policy.senders) {
                    Senders::Everyone => true,
                    Senders::Domain | Senders::Contacts => same(),
                }
        };
        self.people.person(jid).filter(is_seen)
    }

    /// The status line of a contact; `None` if the address stands for nobody whom `from` may see.
    fn status_of(&self, language: Option<&str>, from: &Jid, to: &Jid) -> Option<String> {
        if to.node().is_none() {
            return Some(wording::component(language));
        }
        self.contact_name(from, to)?;
        let person = address::person(to, &self.component)?;
        Some(match self.seen_person(from, &person) {
            Some(person) => wording::reachability(language, person),
            None => wording::elsewhere(language),
        })
    }
}

/// Between two contact requests that answer one.
const ASK_BACK: Duration = Duration::from_secs(60);
