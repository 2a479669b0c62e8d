//! Presences: who is online, and who wants to see our contacts.

use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::Gateway;
use crate::xmpp::presence::Standing;
use crate::xmpp::{address, disco, ns, stanza, wording};

impl Gateway {
    /// Source: RFC 6121 §3 (subscriptions), §4.3 (probes).
    pub(super) fn presence(&mut self, presence: &Element, from: &Jid, to: &Jid, now: Instant) {
        let kind = presence.attr("type");
        let language = self.language(presence, from);
        match kind {
            Some("subscribe") => self.subscribed_to(language.as_deref(), from, to, now),
            Some("unsubscribe") => {
                self.reply_presence(from, to, Some("unavailable"));
                self.reply_presence(from, to, Some("unsubscribed"));
            }
            Some("probe") => self.show(language.as_deref(), from, to),
            // What clients tell the contacts in their roster; only what comes to the component was asked for.
            Some(_) | None if to.node().is_some() => {}
            Some(_) | None => {
                let person = from.to_bare();
                let change = self.presence.handle(from, presence);
                if kind.is_none() && self.presence.standing(&person) == Standing::Online {
                    self.shows_life(&person);
                }
                if kind == Some("subscribed") && self.people.person(&person).is_some() {
                    // COMPAT(ejabberd, 23.01): approving a request that was turned down before sends no presence.
                    self.probe(&person);
                }
                self.tell(person, change);
            }
        }
    }

    fn subscribed_to(&mut self, language: Option<&str>, from: &Jid, to: &Jid, now: Instant) {
        if self.status_of(language, from, to).is_none() {
            return self.reply_presence(from, to, Some("unsubscribed"));
        }
        self.reply_presence(from, to, Some("subscribed"));
        self.show(language, from, to);
        let person = from.to_bare();
        // Whoever adds us is ready to be asked, even if he was today.
        if to.node().is_none() && self.presence.asks(&person, now, ASK_BACK) {
            self.ask_for_presence(&person);
        }
    }

    /// Asks whether this person is online.
    pub(super) fn probe(&mut self, person: &BareJid) {
        let attributes =
            [("from", self.component.as_str()), ("to", person.as_str()), ("type", "probe")];
        self.send(stanza::stanza("presence", &attributes));
    }

    /// Asks for a look at this person's presence.
    pub(super) fn ask_for_presence(&mut self, person: &BareJid) {
        let attributes =
            [("from", self.component.as_str()), ("to", person.as_str()), ("type", "subscribe")];
        let mut request = stanza::stanza("presence", &attributes);
        let words =
            wording::subscribe(self.people.person(person).and_then(|it| it.language.as_deref()));
        request.append_child(stanza::text("status", ns::COMPONENT, &words));
        // What a client puts in the roster, where it would put the domain (XEP-0172 §4.1).
        request.append_child(stanza::text("nick", ns::NICK, disco::NAME));
        self.send(request);
    }

    /// Shows a contact as it is: a person who can be reached, or nobody.
    fn show(&mut self, language: Option<&str>, from: &Jid, to: &Jid) {
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

    /// What stands beside a contact that `from` may see; `None` if it is nobody's.
    fn status_of(&self, language: Option<&str>, from: &Jid, to: &Jid) -> Option<String> {
        if to.node().is_none() {
            return Some(wording::component(language));
        }
        self.contact_name(from, to)?;
        let person = address::person(to, &self.component)?;
        Some(match self.people.person(&person) {
            Some(person) => wording::reachability(language, person),
            None => wording::elsewhere(language),
        })
    }
}

/// Between two contact requests that answer one.
const ASK_BACK: Duration = Duration::from_secs(60);
