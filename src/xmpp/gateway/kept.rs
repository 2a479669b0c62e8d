//! What is not read aloud but kept for the next log-in: reactions, invitations to rooms, calls that nobody took.

use std::borrow::Cow;
use std::time::Instant;

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::notification::{Circumstances, Draft};
use crate::xmpp::intake::{self, Kept};
use crate::xmpp::presence::Availability;
use crate::xmpp::{invitation, ns, stanza, wording};

impl Gateway {
    /// Passes on what is kept, or holds it without a call and without a status.
    pub(super) fn keep(
        &mut self,
        message: &Element,
        from: &Jid,
        person: BareJid,
        kept: &Kept,
        now: Instant,
    ) {
        let is_callee = self.people.person(&person).is_some();
        if !is_callee || self.presence.availability(&person, now) == Availability::Online {
            let language = self.people.person(&person).and_then(|it| it.language.clone());
            let shown = match kept {
                Kept::Invitation => invitation::shown(message, language.as_deref()),
                Kept::Stanza | Kept::CallProposal => None,
            };
            let shown = shown.map_or(Cow::Borrowed(message), Cow::Owned);
            self.pass_on(&shown, from, &person, false, now);
            return;
        }
        if message.has_child("no-store", ns::HINTS) {
            return;
        }
        if !self.within_rate_limit(&from.to_bare(), now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        if stanza::to_xml(message).len() > super::messages::MESSAGE_BYTES_MAX {
            return self.error(message, "modify", "policy-violation", wording::too_large);
        }
        let nothing = intake::Text { body: String::new(), ..intake::Text::default() };
        let draft = intake::draft(message, from.clone(), person, nothing);
        let how = Circumstances { silent: true, ..draft.how };
        self.outputs.push_back(Output::Hold(Draft { wants_receipt: false, how, ..draft }));
    }

    /// The message without tags `en` that nobody has chosen.
    ///
    /// COMPAT(Conversations, 2.18): it tags whatever is written as English. Where the house speaks another language, such a
    /// tag counts as none.
    pub(super) fn as_believed<'m>(&self, message: &'m Element) -> Cow<'m, Element> {
        match self.believed(stanza::language(message)) {
            Some(believed) if Some(believed) != stanza::language(message) => {
                let mut copy = message.clone();
                stanza::set_language(&mut copy, believed);
                Cow::Owned(copy)
            }
            _ => Cow::Borrowed(message),
        }
    }

    /// The language that is believed of a tag.
    pub(super) fn believed<'t>(&'t self, tag: Option<&'t str>) -> Option<&'t str> {
        let house = self.served.language.as_deref();
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        match (tag, house) {
            (Some(tag), Some(house)) if primary(tag) == "en" && primary(house) != "en" => {
                Some(house)
            }
            (tag, _) => tag,
        }
    }
}
