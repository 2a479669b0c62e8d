//! What a person's own server tells: that it could not reach him, and that he is there again.

use std::time::Instant;

use minidom::Element;
use tracing::debug;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::notification::{Circumstances, Unreachable};
use crate::subscriber::WhenOffline;
use crate::xmpp::intake::{self, Intake};
use crate::xmpp::{address, ns, stanza};

impl Gateway {
    /// Takes what the module `mod_offhook` of a server sends; `false` if it is something else.
    ///
    /// Contract: it counts only from the host itself, and only about people of that host.
    /// Source:   `docs/hand-over.md`.
    pub(super) fn handed_over(
        &mut self,
        message: &Element,
        from: &Jid,
        to: &Jid,
        now: Instant,
    ) -> bool {
        let Some(told) = message.children().find(|child| child.has_ns(ns::HELD)) else {
            return false;
        };
        let user = told.attr("user").and_then(|user| BareJid::new(user).ok());
        let Some(user) = user.filter(|user| {
            to.node().is_none()
                && from.node().is_none()
                && from.resource().is_none()
                && user.domain() == from.domain()
        }) else {
            debug!("hand-over from somebody else dropped");
            return true;
        };
        if self.people.person(&user).is_none() {
            return true;
        }
        match told.name() {
            "awake" => self.shows_life(&user),
            "held" => self.held_elsewhere(told, user, now),
            _ => debug!("unknown news of a server dropped"),
        }
        true
    }

    /// A sign of life of a person whom his server could not reach before.
    pub(super) fn shows_life(&mut self, user: &BareJid) {
        if self.asleep.remove(user) {
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
        // What we passed on comes back under the sender's gateway address.
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
        // His server keeps it; without a call there is nothing to add to that.
        if !calls || !self.may_write(&sender.to_bare(), now) {
            return;
        }
        // Presence may not say when he is back: it may not be shown to us, or it never went away.
        self.asleep.insert(user.clone());
        let from_contact = held.attr("contact") == Some("true");
        let how =
            Circumstances { handed_over: Some(why), from_contact, ..Circumstances::default() };
        match intake::read(&message) {
            Intake::Text(text) => self.take_in(&message, sender, user, text, how, now),
            Intake::Retraction(id) => {
                let sender = sender.to_bare();
                self.outputs.push_back(Output::Retract { sender, recipient: user, id });
            }
            Intake::Signal | Intake::Error | Intake::Nothing(_) => {}
        }
    }
}

/// The message as a stanza of our own stream: what was `jabber:client` becomes `jabber:component:accept`.
fn as_ours(message: &Element) -> Element {
    // The parser has bounded the depth (`guard`).
    let xml = stanza::to_xml(message).replace("'jabber:client'", "'jabber:component:accept'");
    let xml = xml.replace("\"jabber:client\"", "\"jabber:component:accept\"");
    xml.parse().unwrap_or_else(|_| stanza::stanza("message", &[]))
}
