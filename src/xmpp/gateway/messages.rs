//! Messages: passed on to recipients who are online, held for the others.

use std::time::Instant;

use minidom::Element;
use tracing::{debug, warn};
use xmpp_parsers::disco::DiscoInfoQuery;
use xmpp_parsers::jid::{BareJid, Jid};

use super::automatic_answers::Author;
use super::bounces::Bounce;
use super::{Gateway, NoRoom, Output};
use crate::notification::{Circumstances, Draft, MessageId};
use crate::xmpp::intake::{self, Intake, Text};
use crate::xmpp::presence::Availability;
use crate::xmpp::relay::readdressed;
use crate::xmpp::{address, stanza, wording};

impl Gateway {
    // Long: the checks stand in the order in which they count.
    /// Source: RFC 6121 §8.5, XEP-0334 §4.1 and §4.2.
    pub(super) fn message(&mut self, message: &Element, from: &Jid, to: &Jid, now: Instant) {
        if self.handed_over(message, from, to, now) || self.privileged(message, from, to, now) {
            return;
        }
        let intake = intake::read(message);
        if let Intake::Ignored(why) = intake {
            return debug!(why, "message ignored");
        }
        if intake == Intake::Error {
            return self.bounce(message, from, to, now);
        }
        if to.node().is_none() {
            if let Intake::Text(text) = intake {
                self.chat_command(message, from, &text.body, now);
            }
            return;
        }
        let Some(person) = address::person(to, &self.component) else {
            return self.refuse(message, &intake, "cancel", "item-not-found", wording::nobody);
        };
        let is_callee = self.people.person(&person).is_some();
        // One end must be a subscriber: this is no open relay. Nor is it a way to our own addresses.
        let is_ours = is_callee || self.people.person(&from.to_bare()).is_some();
        if !is_ours || person.domain().as_str() == self.component {
            return self.refuse(message, &intake, "cancel", "item-not-found", wording::nobody);
        }
        if from.to_bare() == person {
            return self.refuse(message, &intake, "cancel", "not-allowed", wording::to_oneself);
        }
        if is_callee && self.blind_to_blocking.contains(person.domain().as_str()) {
            // Whether the person has blocked this sender cannot be known here, and their server knows it.
            let Intake::Text(_) = intake else { return };
            let language = self.language(message, from);
            let words = wording::own_address(language.as_deref(), &person);
            return self.send(stanza::error(message, "cancel", "service-unavailable", &words));
        }
        // Nobody blocks a person whom they write to.
        self.refused_pairs.lift(&person, &from.to_bare());
        let Intake::Text(text) = intake else {
            if !is_callee || self.presence.availability(&person, now) == Availability::Online {
                self.pass_on(message, from, &person, false, now);
            } else if let Intake::Retraction(id) = intake {
                self.retract(message, from, person, id, now);
            }
            return;
        };
        if !self.within_rate_limit(&from.to_bare(), now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        if stanza::to_xml(message).len() > MESSAGE_BYTES_MAX {
            return self.error(message, "modify", "policy-violation", wording::too_large);
        }
        let goes_on =
            !is_callee || self.presence.availability(&person, now) == Availability::Online;
        if goes_on && self.forwards.has_room() && self.pass_on(message, from, &person, true, now) {
            return;
        }
        if is_callee {
            let sender = from.to_bare();
            let author = match text.corrects {
                Some(_) => Author::Person,
                None => self.automatic_answers.author(&sender, &person, &text.body, now),
            };
            if author == Author::ProgramAgain {
                return debug!("automatic answer dropped: its recipient has it already");
            }
            let refused = self.refused_pairs.contains(&sender, &person, now);
            let silent = author == Author::Program;
            let how = Circumstances { refused, silent, ..Circumstances::default() };
            self.hold_or_refuse(message, from, person, text, how, now);
        } else {
            self.error(message, "wait", "resource-constraint", wording::too_many);
        }
    }

    /// Takes back what may be held, or delivered before: then the retraction is held.
    fn retract(
        &mut self,
        message: &Element,
        from: &Jid,
        recipient: BareJid,
        id: String,
        now: Instant,
    ) {
        if !self.within_rate_limit(&from.to_bare(), now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        if stanza::to_xml(message).len() > MESSAGE_BYTES_MAX {
            return self.error(message, "modify", "policy-violation", wording::too_large);
        }
        let draft = intake::retraction(message, from.clone(), recipient);
        self.outputs.push_back(Output::Retract { id, draft });
    }

    /// Passes a message on under the sender's gateway address; with `remembered`, until it is known to have arrived.
    pub(super) fn pass_on(
        &mut self,
        message: &Element,
        sender: &Jid,
        recipient: &BareJid,
        remembered: bool,
        now: Instant,
    ) -> bool {
        let Some(from) = address::contact(&sender.to_bare(), &self.component) else { return false };
        let mut message = message.clone();
        if message.attr("id").is_none_or(str::is_empty) {
            // A bounce is matched by it.
            stanza::set(&mut message, "id", &self.seed.token());
        }
        let mut copy = readdressed(&message, from.as_str(), recipient, &self.component);
        if let Some(client) = self.presence.seen_at(recipient, now) {
            // The person may be seen nowhere else.
            stanza::set(&mut copy, "to", client.as_str());
        }
        self.send(copy);
        if remembered {
            // Whether the pair is still refused, the next bounce tells.
            self.refused_pairs.lift(&sender.to_bare(), recipient);
            self.forwards.keep(from, recipient.clone(), message, now);
        }
        self.ping_after_forwards();
        true
    }

    pub(super) fn ping_after_forwards(&mut self) {
        let id = format!("ping-{}", self.seed.token());
        if self.forwards.pings(&id) {
            self.send(stanza::ping_to_ourselves(&self.component, &id));
        }
    }

    /// Holds a message whose sender lets it be stored.
    pub(super) fn hold_or_refuse(
        &mut self,
        message: &Element,
        from: &Jid,
        recipient: BareJid,
        text: Text,
        how: Circumstances,
        now: Instant,
    ) {
        if text.may_be_stored {
            self.hold_or_correct(message, from.clone(), recipient, text, how, now);
        } else {
            self.error(message, "cancel", "service-unavailable", wording::not_stored);
        }
    }

    /// Handles a server's grant of privileges, or a bounce that denies it; `false` if the message is neither.
    fn privileged(&mut self, message: &Element, from: &Jid, to: &Jid, now: Instant) -> bool {
        // Any server may send one. What those say who have none of our people is nobody's business.
        let concerns_us = self.has_people_of(from.domain().as_str());
        if let Some(granted) = concerns_us.then(|| self.grants.learn(message, from)).flatten() {
            let host = from.domain().to_string();
            if !granted.unneeded.is_empty() && self.told_of_hosts.allows(&host, now) {
                let unneeded = granted.unneeded.join(", ");
                warn!(
                    host = from.domain().as_str(),
                    unneeded, "server grants more privileges than needed; revoke them"
                );
            }
            self.outputs.push_back(Output::Privileges(self.grants.clone()));
            return true;
        }
        let is_bounce = message.attr("type") == Some("error") && from.node().is_none();
        if is_bounce && self.grants.lose(from.domain().as_str()) {
            warn!(host = from.domain().as_str(), "server denies the privilege that it had granted");
            self.outputs.push_back(Output::Privileges(self.grants.clone()));
            self.outputs.push_back(Output::Bounced(Bounce::read(message, from, to, true)));
            return true;
        }
        false
    }

    /// Whether this host has subscribers, or accounts that may become some.
    fn has_people_of(&self, host: &str) -> bool {
        let is_it = |domain: &str| domain == host;
        self.served.domains.iter().any(|it| is_it(it))
            || self.people.jids().any(|it| is_it(it.domain().as_str()))
    }

    /// Holds a message, or corrects a held one.
    pub(super) fn hold_or_correct(
        &mut self,
        message: &Element,
        from: Jid,
        recipient: BareJid,
        text: Text,
        how: Circumstances,
        now: Instant,
    ) {
        let corrects = text.corrects.clone();
        // Where no call can follow, nobody needs to be asked.
        let is_asked =
            !how.refused && !how.silent && self.bot_check.is_bot(&from, now) != Some(false);
        let how = Circumstances { sender_unknown: is_asked, ..how };
        let draft = Draft { how, ..intake::draft(message, from, recipient, text) };
        self.outputs.push_back(match corrects {
            Some(id) => Output::Correct { id, draft },
            None => Output::Hold(draft),
        });
    }

    /// A message is durable; if its sender's client is unknown, it is asked whether it is a program.
    pub(super) fn held(&mut self, draft: &Draft, message: MessageId, now: Instant) {
        if !draft.how.sender_unknown {
            return;
        }
        // A client that cannot be asked counts like one that does not answer.
        let not_asked = self.bot_check.is_full().then_some(false);
        if let Some(is_program) = self.bot_check.is_bot(&draft.sender, now).or(not_asked) {
            return self.outputs.push_back(Output::Identified(message, is_program));
        }
        let id = format!("bot-check-{}", self.seed.token());
        if self.bot_check.wait_for(&draft.sender, message, &id, now) {
            let us = self.component.clone();
            let attributes = [
                ("type", "get"),
                ("id", id.as_str()),
                ("from", us.as_str()),
                ("to", draft.sender.as_str()),
            ];
            let mut iq = stanza::stanza("iq", &attributes);
            iq.append_child(DiscoInfoQuery { node: None }.into());
            self.send(iq);
        }
    }

    /// Bounces what a person wrote; signals between clients are ignored.
    fn refuse(
        &mut self,
        message: &Element,
        intake: &Intake,
        kind: &'static str,
        condition: &'static str,
        says: Words,
    ) {
        if matches!(intake, Intake::Text(_)) {
            self.error(message, kind, condition, says);
        }
    }

    /// Answers a message with an error in the sender's language.
    pub(super) fn error(
        &mut self,
        message: &Element,
        kind: &'static str,
        condition: &'static str,
        says: Words,
    ) {
        let language = stanza::from(message).and_then(|from| self.language(message, &from));
        self.send(stanza::error(message, kind, condition, &says(language.as_deref())));
    }

    pub(super) fn not_held(&mut self, draft: &Draft, no_room: NoRoom) {
        // The recipient's server keeps and delivers a message that it handed over.
        if draft.how.handed_over.is_some() {
            return;
        }
        let says: Words = match no_room {
            NoRoom::Recipient => wording::recipient_full,
            NoRoom::Sender => wording::sender_full,
            NoRoom::Store => wording::not_held,
        };
        if let Ok(message) = draft.stanza.parse::<Element>() {
            self.error(&message, "wait", "resource-constraint", says);
        }
    }

    /// A stanza to a malformed address: an IQ request or a text gets an error.
    ///
    /// Source: RFC 6120 §8.3.3.8.
    pub(super) fn malformed_address(&mut self, stanza: &Element, from: &Jid) {
        let awaited = match stanza.name() {
            "iq" => matches!(stanza.attr("type"), Some("get" | "set")),
            "message" => matches!(intake::read(stanza), Intake::Text(_)),
            _ => false,
        };
        if !awaited || from.domain().as_str() == self.component {
            return debug!("stanza to a malformed address dropped");
        }
        let mut answer = stanza::error(stanza, "modify", "jid-malformed", "");
        // The malformed address cannot be the sender of the error.
        stanza::set(&mut answer, "from", &self.component);
        self.send(answer);
    }
}

/// A sentence in a language.
type Words = fn(Option<&str>) -> String;

/// Larger messages are refused, so that what is held can always be delivered: Prosody ends a stream above 512 KiB.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
