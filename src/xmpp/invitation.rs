//! Invitations to rooms and calls that nobody took, as their recipient sees them.

use minidom::Element;

use crate::wording::phrase;
use crate::xmpp::stanza::{self, element};
use crate::xmpp::{intake, ns};

/// The invitation in the form that names the room: a room's own invitation is from the room, which a gateway address hides.
/// `None` if this is none.
///
/// Source: XEP-0249 §2, XEP-0045 §7.8.2.
pub(super) fn shown(message: &Element, language: Option<&str>) -> Option<Element> {
    let intake::Invitation { room, by } = intake::invitation(message)?;
    let sender = by.map(|it| it.to_string());
    let sender = sender.or_else(|| stanza::from(message).map(|it| it.to_bare().to_string()));
    let sender = sender.unwrap_or_default();
    let values = [("sender", (&sender).into()), ("room", (&room).into())];
    let words = phrase(language, "invited", &values);
    let mut shown = in_words(message, &words);
    shown.append_child(element("x", ns::CONFERENCE, &[("jid", &room)]));
    Some(shown)
}

/// A chat message with these words, from and to the same addresses as this one, under the same `id`.
pub(super) fn in_words(message: &Element, words: &str) -> Element {
    let attribute = |name| message.attr(name).unwrap_or_default();
    stanza::chat(attribute("from"), attribute("to"), attribute("id"), words)
}
