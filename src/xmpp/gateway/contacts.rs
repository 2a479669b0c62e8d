//! Presences: who is online, and subscriptions to our contacts; and what the component and its contacts say of themselves.

use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::addresses::Contact;
use super::{Gateway, Output};
use crate::xmpp::disco::{self, About, Target};
use crate::xmpp::presence::Availability;
use crate::xmpp::{ns, stanza, vcard, wording};

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
        if self.is_component(to) && self.presence.may_ask(&person, now, ASK_BACK) {
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
        request.append_child(stanza::nick(&self.served.name));
        self.send(request);
    }

    /// Sends the presence of a contact: available if the address stands for a person. Clients show who is there, and with
    /// which picture, by the presence of a client.
    ///
    /// Source: RFC 6121 §4.2, XEP-0115 §4, XEP-0153 §3.1.
    fn send_presence(&mut self, language: Option<&str>, from: &Jid, to: &Jid) {
        let Some(status) = self.status_of(language, from, to) else {
            return self.reply_presence(from, to, Some("unavailable"));
        };
        let (client, reader) = (self.client_of(to), from.to_bare());
        let mut presence =
            stanza::stanza("presence", &[("from", client.as_str()), ("to", reader.as_str())]);
        if !status.is_empty() {
            presence.append_child(stanza::text("status", ns::COMPONENT, &status));
        }
        let caps = match self.contact(from, to) {
            Some(contact) => disco::caps(Target::Contact(&contact.name())),
            None => disco::caps(Target::Component(self.about(""))),
        };
        for told in caps.into_iter().chain([vcard::update()]) {
            presence.append_child(told);
        }
        self.send(presence);
    }

    /// The client of an address of ours.
    fn client_of(&self, address: &Jid) -> Jid {
        let address = address.to_bare();
        address.with_resource_str(RESOURCE).map_or_else(|_| Jid::from(address), Jid::from)
    }

    fn reply_presence(&mut self, from: &Jid, to: &Jid, kind: Option<&str>) {
        // Who leaves is a client; who agrees or refuses is its account.
        let is_client = kind == Some("unavailable");
        let address = if is_client { self.client_of(to) } else { Jid::from(to.to_bare()) };
        let reader = from.to_bare();
        let mut presence =
            stanza::stanza("presence", &[("from", address.as_str()), ("to", reader.as_str())]);
        if let Some(kind) = kind {
            stanza::set(&mut presence, "type", kind);
        }
        self.send(presence);
    }

    /// The status line of a contact, which may be empty; `None` if the address stands for nobody whom `from` may see.
    fn status_of(&self, language: Option<&str>, from: &Jid, to: &Jid) -> Option<String> {
        if self.is_component(to) {
            return Some(wording::component(language));
        }
        Some(match self.contact(from, to)? {
            Contact::Subscriber(person) => wording::reachability(language, person),
            Contact::Elsewhere(_) => wording::elsewhere(language),
            Contact::Unknown(_) => String::new(),
        })
    }

    /// Answers a question to the component or to a contact.
    pub(super) fn answer_iq(&mut self, iq: &Element, from: &Jid, to: &Jid) {
        let name = self.contact(from, to).map(|it| it.name());
        let description = self.description(self.language(iq, from).as_deref());
        let target = match &name {
            _ if self.is_component(to) => Target::Component(self.about(&description)),
            Some(name) => Target::Contact(name),
            None => Target::Unknown,
        };
        if let Some(answer) = disco::answer(iq, target) {
            self.send(answer);
        }
    }

    pub(super) fn description(&self, language: Option<&str>) -> String {
        self.served.description.clone().unwrap_or_else(|| wording::description(language))
    }

    pub(super) fn about<'g>(&'g self, description: &'g str) -> About<'g> {
        let caller_id = self.served.caller_id.as_deref();
        About { name: &self.served.name, description, caller_id }
    }
}

/// Between two contact requests that answer one.
const ASK_BACK: Duration = Duration::from_secs(60);
/// The client that all our addresses have.
const RESOURCE: &str = "offhook";
