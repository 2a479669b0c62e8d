//! Reports of a person's own server: it could not reach them, or they are reachable again.

use std::time::Instant;

use minidom::Element;
use tracing::debug;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::notification::{Circumstances, Draft, Unreachable};
use crate::subscriber::WhenOffline;
use crate::xmpp::intake::{self, Intake};
use crate::xmpp::{address, ns, stanza};

impl Gateway {
    /// Handles a report of the server module `mod_offhook`; `false` if the message is none.
    ///
    /// Contract: it counts only from the host itself, and only about accounts of that host.
    /// Source:   `docs/hand-over.md`.
    pub(super) fn handed_over(
        &mut self,
        message: &Element,
        from: &Jid,
        to: &Jid,
        now: Instant,
    ) -> bool {
        let Some(report) = message.children().find(|child| child.has_ns(ns::HELD)) else {
            return false;
        };
        let user = report.attr("user").and_then(|user| BareJid::new(user).ok());
        let Some(user) = user.filter(|user| {
            to.node().is_none()
                && from.node().is_none()
                && from.resource().is_none()
                && user.domain() == from.domain()
        }) else {
            debug!("hand-over from another host dropped");
            return true;
        };
        if self.people.person(&user).is_none() {
            return true;
        }
        // An earlier version of the module, with which somebody blocked could ring by the gateway address.
        let domain = user.domain().to_string();
        match report.attr("blocking") {
            Some("true") => drop(self.blind_to_blocking.remove(&domain)),
            _ => drop(self.blind_to_blocking.insert(domain)),
        }
        match report.name() {
            "awake" => self.reachable_again(&user),
            "held" => self.held_elsewhere(report, user, now),
            _ => debug!("unknown report of a server dropped"),
        }
        true
    }

    /// A person whom their server could not reach before is reachable again.
    pub(super) fn reachable_again(&mut self, user: &BareJid) {
        if self.unreachable.remove(user) {
            self.outputs.push_back(Output::CameOnline(user.clone()));
        }
    }

    fn held_elsewhere(&mut self, held: &Element, user: BareJid, now: Instant) {
        let why = match held.attr("reason") {
            Some("offline") => Unreachable::Offline,
            Some("hibernating") => Unreachable::Hibernating,
            Some("unacked") => Unreachable::Unacked,
            Some("unreceipted") => Unreachable::Unreceipted,
            Some(_) | None => return debug!("hand-over for an unknown reason dropped"),
        };
        let inner = held
            .get_child("forwarded", ns::FORWARD)
            .and_then(|forwarded| forwarded.get_child("message", ns::CLIENT));
        let Some(message) = inner.map(as_ours) else {
            return debug!("hand-over without a message dropped");
        };
        let Some(from) = stanza::from(&message) else { return };
        // A message that we passed on bears the sender's gateway address.
        let sender = if from.domain().as_str() == self.component {
            let Some(person) = address::person(&from, &self.component) else { return };
            Jid::from(person)
        } else {
            from
        };
        if sender.to_bare() == user {
            return;
        }
        let calls = self
            .people
            .person(&user)
            .is_some_and(|person| person.offline == WhenOffline::Phone && person.number.is_some());
        // The server keeps the message; without a call we have nothing to add.
        if !calls || !self.within_rate_limit(&sender.to_bare(), now) {
            return;
        }
        // Presence may not tell when they are back: we may not see it, or it never went away.
        self.unreachable.insert(user.clone());
        let change = self.presence.left(&Jid::from(user.clone()), now);
        self.report(user.clone(), change);
        let from_contact = held.attr("contact") == Some("true");
        let how =
            Circumstances { handed_over: Some(why), from_contact, ..Circumstances::default() };
        match intake::read(&message) {
            Intake::Text(text) => self.hold_or_correct(&message, sender, user, text, how, now),
            Intake::Retraction(id) => {
                let draft = Draft { how, ..intake::retraction(&message, sender, user) };
                self.outputs.push_back(Output::Retract { id, draft });
            }
            Intake::Signal | Intake::Error | Intake::Ignored(_) => {}
        }
    }
}

/// The message as a stanza of our own stream: `jabber:client` becomes `jabber:component:accept`.
fn as_ours(message: &Element) -> Element {
    // The parser has bounded the depth (`guard`).
    let xml = stanza::to_xml(message).replace("'jabber:client'", "'jabber:component:accept'");
    let xml = xml.replace("\"jabber:client\"", "\"jabber:component:accept\"");
    xml.parse().unwrap_or_else(|_| stanza::stanza("message", &[]))
}
