//! What people ask of the component: answered at once where that can be, else handed out as a petition.

use std::time::Instant;

use minidom::Element;
use tracing::debug;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::subscriber::Subscriber;
use crate::xmpp::desk::commands::{self, Asker, Handled};
use crate::xmpp::desk::words::{self, Seen};
use crate::xmpp::desk::{Back, Outcome, Petition, Wanted, Wish, chat, register};
use crate::xmpp::presence::Standing;
use crate::xmpp::{ns, stanza, wording};

impl Gateway {
    /// A chat message to the component itself.
    pub(super) fn command(&mut self, message: &Element, from: &Jid, text: &str, now: Instant) {
        let sender = from.to_bare();
        if !self.may_write(&sender, now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        let language = self.language(message, from);
        if !self.may_ask(&sender) {
            return self.say(&sender, &words::simple(language.as_deref(), "stranger"));
        }
        match chat::read(text) {
            Ok(wish) => {
                self.wish(Petition { from: from.clone(), wish, language, back: Back::Chat });
            }
            Err(odd) => self.say(&sender, &words::odd(language.as_deref(), odd)),
        }
    }

    /// An IQ that belongs to the desk; `false` if it is none.
    pub(super) fn desk(&mut self, iq: &Element, from: &Jid, to: &Jid, now: Instant) -> bool {
        let kind = iq.attr("type").unwrap_or_default();
        if to.node().is_some() || !matches!(kind, "get" | "set") || iq.attr("id").is_none() {
            return false;
        }
        let sender = from.to_bare();
        let language = self.language(iq, from);
        let language = language.as_deref();
        let person = self.people.person(&sender).cloned();
        let is_operator = self.house.operators.contains(&sender);
        let asker = Asker { from, person: person.as_ref(), is_operator, language };
        let allowed = self.may_ask(&sender);
        let asks = |name: &str, namespace: &str| iq.has_child(name, namespace);
        if kind == "set" && asks("command", ns::COMMANDS) {
            let handled = if !self.may_write(&sender, now) {
                Handled::Answer(stanza::error(iq, "wait", "resource-constraint", ""))
            } else if allowed {
                self.sessions.handle(iq, asker, &mut self.seed, now)
            } else {
                Handled::Answer(stanza::error(iq, "auth", "forbidden", ""))
            };
            match handled {
                Handled::Answer(answer) => self.send(answer),
                Handled::Petition(petition) => self.wish(petition),
            }
            return true;
        }
        if asks("query", ns::REGISTER) {
            if !allowed {
                self.send(stanza::error(iq, "auth", "registration-required", ""));
            } else if kind == "get" {
                let form = register::form(person.as_ref(), language);
                self.send(stanza::result(iq, Some(form)));
            } else if !self.may_write(&sender, now) {
                self.send(stanza::error(iq, "wait", "resource-constraint", ""));
            } else if let Some(petition) = register::read(iq, from, language) {
                self.wish(petition);
            } else {
                let says = words::odd(language, chat::Odd::Number);
                self.send(stanza::error(iq, "modify", "not-acceptable", &says));
            }
            return true;
        }
        let node = iq.children().next().and_then(|query| query.attr("node"));
        if kind == "get" && asks("query", ns::DISCO_ITEMS) && node == Some(ns::COMMANDS) {
            let offered = if allowed { commands::list(asker) } else { vec![] };
            let mut query = stanza::element("query", ns::DISCO_ITEMS, &[("node", ns::COMMANDS)]);
            for (node, name) in offered {
                let attributes =
                    [("jid", self.component.as_str()), ("node", node), ("name", &name)];
                query.append_child(stanza::element("item", ns::DISCO_ITEMS, &attributes));
            }
            self.send(stanza::result(iq, Some(query)));
            return true;
        }
        let named = commands::list(asker).into_iter().find(|(offered, _)| node == Some(*offered));
        if let Some((node, name)) = named
            && kind == "get"
            && asks("query", ns::DISCO_INFO)
            && allowed
        {
            let mut query = stanza::element("query", ns::DISCO_INFO, &[("node", node)]);
            let identity =
                [("category", "automation"), ("type", "command-node"), ("name", name.as_str())];
            query.append_child(stanza::element("identity", ns::DISCO_INFO, &identity));
            for feature in [ns::COMMANDS, ns::DATA_FORMS] {
                query.append_child(stanza::element("feature", ns::DISCO_INFO, &[("var", feature)]));
            }
            self.send(stanza::result(iq, Some(query)));
            return true;
        }
        false
    }

    /// Grants what can be granted here and now.
    fn wish(&mut self, petition: Petition) {
        let sender = petition.from.to_bare();
        let person = self.people.person(&sender).cloned();
        let is_operator = self.house.operators.contains(&sender);
        let language = petition.language.clone();
        let language = language.as_deref();
        let granted = |words| Outcome { words, granted: true };
        let refused = |id| Outcome { words: words::simple(language, id), granted: false };
        let outcome = match (&petition.wish, &person) {
            (Wish::Help, _) => granted(words::help(language, is_operator)),
            (Wish::HelpMore, _) => granted(words::help_more(language)),
            (Wish::Show, Some(person)) => granted(self.shown(person, language)),
            (Wish::Forget(false), Some(_)) => granted(words::simple(language, "forget-sure")),
            (Wish::Operator(_), _) if !is_operator => refused("operator-only"),
            (Wish::Operator(_), _) | (Wish::Code(_), _) | (_, Some(_)) => {
                return self.outputs.push_back(Output::Petition(petition));
            }
            (Wish::Set(Wanted { number: Some(_), .. }), None) => {
                return self.outputs.push_back(Output::Petition(petition));
            }
            (Wish::Forget(_), None) => granted(words::simple(language, "forgotten")),
            (_, None) => refused("number-first"),
        };
        self.answer(&petition, &outcome);
    }

    /// Tells what came of a wish, by the way it came.
    pub(super) fn answer(&mut self, petition: &Petition, outcome: &Outcome) {
        let person = petition.from.to_bare();
        match &petition.back {
            Back::Chat => self.say(&person, &outcome.words),
            Back::Command { iq, session } => {
                self.send(commands::answered(iq, session, outcome));
            }
            Back::Register(iq) => {
                self.send(register::answered(iq, outcome));
                if outcome.granted {
                    self.say(&person, &outcome.words);
                }
            }
        }
    }

    fn shown(&self, person: &Subscriber, language: Option<&str>) -> String {
        let seen = Seen {
            sees_presence: self.presence.is_seen(&person.jid),
            online: self.presence.standing(&person.jid) == Standing::Online,
            policy: &self.house.policy,
        };
        words::settings(language, person, seen)
    }

    /// A person has other settings, or is new.
    pub(super) fn person(&mut self, person: &Subscriber, now: Instant) {
        let is_new = self.people.person(&person.jid).is_none();
        self.people.set(person);
        if is_new {
            let new = self.presence.watch(self.people.jids());
            if self.fence.is_up() {
                self.look_at(&new, now);
            }
        }
    }

    /// A person is to be forgotten here, too.
    pub(super) fn forgotten(&mut self, jid: &BareJid, still_there: Option<&Subscriber>) {
        match still_there {
            Some(person) => self.people.set(person),
            None => {
                self.people.remove(jid);
                self.presence.watch(self.people.jids());
                debug!("a person was forgotten");
            }
        }
    }

    /// Whether somebody may ask anything: a person of ours, the operator, or one who may become a person of ours.
    fn may_ask(&self, jid: &BareJid) -> bool {
        self.is_known(jid) || self.is_of_the_house(jid)
    }
}
