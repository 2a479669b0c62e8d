//! Messages: passed on to those who are online, held for those who are not.

use std::time::Instant;

use minidom::Element;
use tracing::{debug, warn};
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, NoRoom, Output};
use crate::notification::{Circumstances, Draft, MessageId};
use crate::xmpp::intake::{self, Intake, Text};
use crate::xmpp::presence::Standing;
use crate::xmpp::relay::{Forward, readdressed};
use crate::xmpp::{address, ns, stanza, wording};

impl Gateway {
    /// Source: RFC 6121 §8.5, XEP-0334 §4.1 and §4.2.
    pub(super) fn message(&mut self, message: &Element, from: &Jid, to: &Jid, now: Instant) {
        if self.handed_over(message, from, to, now) {
            return;
        }
        if self.privileged(message, from) {
            return;
        }
        // Whoever writes is there.
        self.shows_life(&from.to_bare());
        let intake = intake::read(message);
        if let Intake::Nothing(why) = intake {
            return debug!(why, "message let lie");
        }
        if intake == Intake::Error {
            return self.bounce(message, from, to, now);
        }
        if to.node().is_none() {
            if let Intake::Text(text) = intake {
                self.command(message, from, &text.body, now);
            }
            return;
        }
        let Some(person) = address::person(to, &self.component) else {
            return self.refuse(message, &intake, "cancel", "item-not-found", wording::nobody);
        };
        let is_callee = self.people.person(&person).is_some();
        // One end must be a person of ours: this is no open relay, and no way to ourselves.
        let is_ours = is_callee || self.people.person(&from.to_bare()).is_some();
        if !is_ours || person.domain().as_str() == self.component {
            return self.refuse(message, &intake, "cancel", "item-not-found", wording::nobody);
        }
        if from.to_bare() == person {
            return self.refuse(message, &intake, "cancel", "not-allowed", wording::to_oneself);
        }
        let Intake::Text(text) = intake else {
            if !is_callee || self.presence.standing(&person) == Standing::Online {
                self.pass_on(message, from, &person, None);
            } else if let Intake::Retraction(id) = intake {
                let sender = from.to_bare();
                self.outputs.push_back(Output::Retract { sender, recipient: person, id });
            }
            return;
        };
        if !self.may_write(&from.to_bare(), now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        if stanza::to_xml(message).len() > MESSAGE_BYTES_MAX {
            return self.error(message, "modify", "policy-violation", wording::too_large);
        }
        let goes_on = !is_callee || self.presence.standing(&person) == Standing::Online;
        if goes_on && self.forwards.has_room() && self.pass_on(message, from, &person, Some(now)) {
            return;
        }
        if is_callee {
            self.hold_or_refuse(message, from, person, text, now);
        } else {
            self.error(message, "wait", "resource-constraint", wording::too_many);
        }
    }

    /// Passes a message on under the sender's gateway address; with `remembered`, until it is known to have arrived.
    fn pass_on(
        &mut self,
        message: &Element,
        sender: &Jid,
        recipient: &BareJid,
        remembered: Option<Instant>,
    ) -> bool {
        let Some(from) = address::contact(&sender.to_bare(), &self.component) else { return false };
        let mut message = message.clone();
        if message.attr("id").is_none_or(str::is_empty) {
            // Without one, a bounce could not be told to be about it.
            stanza::set(&mut message, "id", &self.seed.token());
        }
        self.send(readdressed(&message, from.as_str(), recipient, &self.component));
        if let Some(now) = remembered {
            self.forwards.keep(from, recipient.clone(), message, now);
        }
        self.ping_after_forwards();
        true
    }

    pub(super) fn ping_after_forwards(&mut self) {
        let id = format!("ping-{}", self.seed.token());
        if self.forwards.pings(&id) {
            self.send(self.ping(&id));
        }
    }

    fn hold_or_refuse(
        &mut self,
        message: &Element,
        from: &Jid,
        recipient: BareJid,
        text: Text,
        now: Instant,
    ) {
        if text.may_be_stored {
            self.take_in(message, from.clone(), recipient, text, Circumstances::default(), now);
        } else {
            self.error(message, "cancel", "service-unavailable", wording::not_stored);
        }
    }

    /// A server tells what it lets us do, or that it does not; `false` if the message is something else.
    fn privileged(&mut self, message: &Element, from: &Jid) -> bool {
        if let Some(granted) = self.grants.learn(message, from) {
            if !granted.unneeded.is_empty() {
                let unneeded = granted.unneeded.join(", ");
                warn!(
                    host = from.domain().as_str(),
                    unneeded, "the server grants more than is needed; take it back"
                );
            }
            self.outputs.push_back(Output::Granted(self.grants.clone()));
            return true;
        }
        let is_bounce = message.attr("type") == Some("error") && from.node().is_none();
        if is_bounce && self.grants.lose(from.domain().as_str()) {
            warn!(
                host = from.domain().as_str(),
                "the server does not let us speak for its people after all"
            );
            self.outputs.push_back(Output::Granted(self.grants.clone()));
            self.outputs
                .push_back(Output::Unsent(message.attr("id").unwrap_or_default().to_owned()));
            return true;
        }
        false
    }

    /// Has a message held, or what is held corrected.
    pub(super) fn take_in(
        &mut self,
        message: &Element,
        from: Jid,
        recipient: BareJid,
        text: Text,
        how: Circumstances,
        now: Instant,
    ) {
        let corrects = text.corrects.clone();
        let kind = self.kinds.of(&from, now);
        let how = Circumstances { sender_unknown: kind != Some(false), ..how };
        let draft = Draft { how, ..intake::draft(message, from, recipient, text) };
        self.outputs.push_back(match corrects {
            Some(id) => Output::Correct { id, draft },
            None => Output::Hold(draft),
        });
    }

    /// A message is durable; if its sender is unknown, he is asked what he is.
    pub(super) fn held(&mut self, draft: &Draft, message: MessageId, now: Instant) {
        if !draft.how.sender_unknown {
            return;
        }
        // Whoever cannot be asked counts as who does not answer.
        let nobody_asks = self.kinds.is_full().then_some(false);
        if let Some(is_program) = self.kinds.of(&draft.sender, now).or(nobody_asks) {
            return self.outputs.push_back(Output::Identified(message, is_program));
        }
        let id = format!("kind-{}", self.seed.token());
        if self.kinds.waits(&draft.sender, message, &id, now) {
            let us = self.component.clone();
            let attributes = [
                ("type", "get"),
                ("id", id.as_str()),
                ("from", us.as_str()),
                ("to", draft.sender.as_str()),
            ];
            let mut iq = stanza::stanza("iq", &attributes);
            iq.append_child(Element::bare("query", ns::DISCO_INFO));
            self.send(iq);
        }
    }

    /// Bounces what a person wrote; signals between clients are let lie.
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

    /// Answers a message with an error, in the language of whoever wrote it.
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

    /// A bounce of a message that was passed on: it is held after all, or its sender learns of it.
    fn bounce(&mut self, error: &Element, from: &Jid, to: &Jid, now: Instant) {
        let id = error.attr("id").unwrap_or_default();
        let Some(forward) = self.forwards.bounced(id, &from.to_bare(), &to.to_bare()) else {
            return debug!("bounce of something unknown let lie");
        };
        if self.people.person(&forward.recipient).is_some() {
            let change = self.presence.proved_wrong(&forward.recipient);
            self.tell(forward.recipient.clone(), change);
            return self.hold(&forward, now);
        }
        let named = stanza::condition(error);
        let condition = BOUNCES.into_iter().find(|known| named == Some(*known));
        let condition = condition.unwrap_or("service-unavailable");
        self.send(stanza::error(&forward.original, "cancel", condition, ""));
    }

    fn hold(&mut self, forward: &Forward, now: Instant) {
        let (Some(sender), Intake::Text(text)) =
            (stanza::from(&forward.original), intake::read(&forward.original))
        else {
            unreachable!("it was a text with an address when it was passed on");
        };
        self.hold_or_refuse(&forward.original, &sender, forward.recipient.clone(), text, now);
    }

    /// The link broke before the server was known to have read these.
    pub(super) fn hold_what_was_lost(&mut self, now: Instant) {
        for forward in self.forwards.lost() {
            if self.people.person(&forward.recipient).is_some() {
                self.hold(&forward, now);
            } else {
                self.unsent.push(forward);
            }
        }
    }

    /// The link is back: what was on its way to people elsewhere goes out again, under the same `id`.
    pub(super) fn resend_what_was_lost(&mut self, now: Instant) {
        for forward in std::mem::take(&mut self.unsent) {
            if let Some(sender) = stanza::from(&forward.original) {
                self.pass_on(&forward.original, &sender, &forward.recipient, Some(now));
            }
        }
    }

    pub(super) fn not_held(&mut self, draft: &Draft, no_room: NoRoom) {
        // What his server handed over it keeps, and delivers.
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

    /// A stanza to an address that is none: whoever waits for an answer gets one.
    ///
    /// Source: RFC 6120 §8.3.3.8.
    pub(super) fn unreadable(&mut self, stanza: &Element, from: &Jid) {
        let awaited = match stanza.name() {
            "iq" => matches!(stanza.attr("type"), Some("get" | "set")),
            "message" => matches!(intake::read(stanza), Intake::Text(_)),
            _ => false,
        };
        if !awaited || from.domain().as_str() == self.component {
            return debug!("stanza to an unreadable address dropped");
        }
        let mut answer = stanza::error(stanza, "modify", "jid-malformed", "");
        // Nobody can answer from an address that is none.
        stanza::set(&mut answer, "from", &self.component);
        self.send(answer);
    }
}

/// A sentence, in the language asked for.
type Words = fn(Option<&str>) -> String;

/// Larger messages are refused, so that what is held can always be delivered: Prosody ends a stream above 512 KiB.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// What a sender may learn about why his message came back.
const BOUNCES: [&str; 8] = [
    "forbidden",
    "gone",
    "item-not-found",
    "not-acceptable",
    "recipient-unavailable",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
];
