//! Wishes as a registration: the thinnest way, for clients that know no commands.

use minidom::Element;
use xmpp_parsers::jid::Jid;

use super::words::Language;
use super::{Back, Outcome, Petition, Wanted, Wish};
use crate::notification::verification::Place;
use crate::subscriber::Subscriber;
use crate::wording::phrase;
use crate::xmpp::ns;
use crate::xmpp::stanza::{self, text};

/// What can be registered, and what is.
///
/// Source: XEP-0077 §3.1.
pub fn form(person: Option<&Subscriber>, language: Language<'_>) -> Element {
    let mut query = Element::bare("query", ns::REGISTER);
    let number = person.and_then(|person| person.number.as_ref());
    if person.is_some() {
        query.append_child(Element::bare("registered", ns::REGISTER));
    }
    let instructions = phrase(language, "instructions-number", &[]);
    query.append_child(text("instructions", ns::REGISTER, &instructions));
    query.append_child(text("phone", ns::REGISTER, number.map_or("", |number| number.as_str())));
    query
}

/// Reads what somebody registers; `None` if it is nothing that can be.
///
/// Source: XEP-0077 §3.1 and §3.2 (`remove`).
pub fn read(iq: &Element, from: &Jid, language: Language<'_>) -> Option<Petition> {
    let query = iq.get_child("query", ns::REGISTER)?;
    let wish = if query.has_child("remove", ns::REGISTER) {
        Wish::Forget(true)
    } else {
        let number = query.get_child("phone", ns::REGISTER)?.text().parse().ok()?;
        Wish::Set(Wanted { number: Some((number, Place::First)), ..Wanted::default() })
    };
    Some(Petition {
        from: from.clone(),
        wish,
        language: language.map(str::to_owned),
        back: Back::Register(Box::new(iq.clone())),
    })
}

/// The answer; what there is to say beside "done" goes as a chat message.
pub fn answered(iq: &Element, outcome: &Outcome) -> Element {
    if outcome.granted {
        stanza::result(iq, None)
    } else {
        stanza::error(iq, "modify", "not-acceptable", &outcome.words)
    }
}
