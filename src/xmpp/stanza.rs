//! Stanzas: addresses, answers, errors, and building elements.

use minidom::rxml::{Namespace, NcName};
use minidom::{Element, Node};
use xmpp_parsers::jid::Jid;
use xmpp_parsers::ping::Ping;

use crate::xmpp::ns;

/// Builds an element with attributes.
pub fn element(
    name: &'static str,
    namespace: &str,
    attributes: &[(&'static str, &str)],
) -> Element {
    let mut element = Element::bare(name, namespace);
    for (name, value) in attributes {
        set(&mut element, name, value);
    }
    element
}

/// Builds an element that holds a text.
pub fn text(name: &'static str, namespace: &str, text: &str) -> Element {
    let mut element = Element::bare(name, namespace);
    element.append_text_node(printable(text));
    element
}

/// What the sender is called, for clients that know no other name.
///
/// Source: XEP-0172 §4.
pub fn nick(name: &str) -> Element {
    text("nick", ns::NICK, name)
}

/// Builds a stanza `message`, `presence` or `iq`.
pub fn stanza(name: &'static str, attributes: &[(&'static str, &str)]) -> Element {
    element(name, ns::COMPONENT, attributes)
}

/// Builds a chat message with a body.
pub fn chat(from: &str, to: &str, id: &str, body: &str) -> Element {
    let mut message =
        stanza("message", &[("from", from), ("to", to), ("id", id), ("type", "chat")]);
    message.append_child(text("body", ns::COMPONENT, body));
    message
}

/// A ping of the component to itself: the server reads it after everything sent before and hands it back.
///
/// It goes to a resource: ejabberd from 24.10 on with mod_privilege drops the IQs of a component to a bare domain.
///
/// Source: XEP-0199 §4, RFC 6120 §10.1 (order).
pub fn ping_to_ourselves(component: &str, id: &str) -> Element {
    ping(component, &format!("{component}/{PING_RESOURCE}"), id)
}

/// A ping of the component.
///
/// Source: XEP-0199 §4.
pub fn ping(component: &str, to: &str, id: &str) -> Element {
    let attributes = [("type", "get"), ("id", id), ("from", component), ("to", to)];
    let mut ping = stanza("iq", &attributes);
    ping.append_child(Ping.into());
    ping
}

/// Sets an attribute that belongs to no namespace.
pub fn set(element: &mut Element, name: &'static str, value: &str) {
    let Ok(name) = NcName::try_from(name) else {
        unreachable!("attribute names are literals in this program");
    };
    element.attrs_mut().insert(Namespace::NONE, name, value.to_owned());
}

/// Removes the `unwanted` children; everything else keeps its place.
pub fn strip(element: &mut Element, unwanted: impl Fn(&Element) -> bool) {
    for node in element.take_nodes() {
        if !node.as_element().is_some_and(&unwanted) {
            element.append_node(node);
        }
    }
}

/// The sender; `None` if it is missing or malformed.
///
/// COMPAT(jid, 0.12): it refuses resources that RFC 7622 §3.4 allows, such as emoji; then the bare JID is taken.
pub fn from(stanza: &Element) -> Option<Jid> {
    address(stanza.attr("from")?)
}

/// The recipient, read as [`from`] is; `None` if it is missing or malformed.
pub fn to(stanza: &Element) -> Option<Jid> {
    address(stanza.attr("to")?)
}

fn address(written: &str) -> Option<Jid> {
    let bare = || Jid::new(written.split_once('/').map_or("", |(bare, _)| bare));
    Jid::new(written).or_else(|_| bare()).ok()
}

/// The language of a text, from its own `xml:lang`.
pub fn language(element: &Element) -> Option<&str> {
    element.attr_ns(ns::XML, "lang").filter(|tag| !tag.is_empty())
}

/// Sets the `xml:lang` of an element and of the texts in it that name another one.
pub fn set_language(element: &mut Element, tag: &str) {
    let Ok(name) = NcName::try_from("lang") else {
        unreachable!("the name is a literal in this program");
    };
    let namespace = Namespace::from(ns::XML.to_owned());
    element.attrs_mut().insert(namespace, name, tag.to_owned());
}

/// Answers an IQ with a result.
pub fn result(of: &Element, payload: Option<Element>) -> Element {
    let mut result = answer(of, "iq", "result");
    if let Some(payload) = payload {
        result.append_child(payload);
    }
    result
}

/// Answers a stanza with an error; the sender's payload is not sent back.
///
/// Source: RFC 6120 §8.3.
pub fn error(of: &Element, kind: &'static str, condition: &'static str, says: &str) -> Element {
    let name = if of.name() == "iq" {
        "iq"
    } else if of.name() == "presence" {
        "presence"
    } else {
        "message"
    };
    let mut answer = answer(of, name, "error");
    let mut error = element("error", ns::COMPONENT, &[("type", kind)]);
    error.append_child(Element::bare(condition, ns::STANZA_ERROR));
    if !says.is_empty() {
        error.append_child(text("text", ns::STANZA_ERROR, says));
    }
    answer.append_child(error);
    answer
}

/// The condition that an error stanza names.
pub fn condition(stanza: &Element) -> Option<&str> {
    let error = stanza.children().find(|child| child.name() == "error")?;
    error
        .children()
        .find(|child| child.has_ns(ns::STANZA_ERROR) && child.name() != "text")
        .map(Element::name)
}

/// Whether an error stanza says that the same may succeed later.
///
/// Source: RFC 6120 §8.3.2 (`wait`), §8.3.3.16 and §8.3.3.18.
pub fn is_temporary(stanza: &Element) -> bool {
    let error = stanza.children().find(|child| child.name() == "error");
    let waits = error.is_some_and(|error| error.attr("type") == Some("wait"));
    waits || matches!(condition(stanza), Some("remote-server-timeout" | "resource-constraint"))
}

/// Whether a server takes this stanza of the component; over others it ends the stream.
pub fn may_be_sent(stanza: &Element, component: &str) -> bool {
    let from = stanza.attr("from").unwrap_or_default();
    let domain = from.split_once('/').map_or(from, |(bare, _)| bare);
    let domain = domain.rsplit_once('@').map_or(domain, |(_, domain)| domain);
    domain == component && stanza.attr("to").is_some() && bytes_at_most(stanza) <= SENT_BYTES_MAX
}

/// The stanza as XML text, as it goes over the wire.
pub fn to_xml(stanza: &Element) -> String {
    String::from(stanza)
}

/// An upper bound of the stanza's length as XML; exact where it is near a server's limit.
pub fn bytes_at_most(stanza: &Element) -> usize {
    let bound = bound(stanza);
    if bound < 65_536 { bound } else { to_xml(stanza).len() }
}

/// A reference such as `&quot;` takes six bytes for one.
fn bound(element: &Element) -> usize {
    let tags = 2 * element.name().len() + element.ns().len() + 16;
    let attributes =
        element.attrs().iter().map(|((_, name), value)| name.len() + 6 * value.len() + 8);
    let nodes = element.nodes().map(|node| match node {
        Node::Element(child) => bound(child),
        Node::Text(text) => 6 * text.len(),
    });
    tags + attributes.sum::<usize>() + nodes.sum::<usize>()
}

/// Replaces characters that XML cannot carry; they would end the stream.
///
/// Source: XML 1.0 §2.2.
pub fn printable(text: &str) -> String {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}')
    };
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

fn answer(of: &Element, name: &'static str, kind: &'static str) -> Element {
    let mut answer = stanza(name, &[("type", kind)]);
    for (attribute, source) in [("from", "to"), ("to", "from"), ("id", "id")] {
        if let Some(value) = of.attr(source) {
            set(&mut answer, attribute, value);
        }
    }
    answer
}

const PING_RESOURCE: &str = "ping";

/// Prosody ends a stream over a stanza above 512 KiB.
const SENT_BYTES_MAX: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_goes_back_where_it_came_from_without_the_text() {
        let message: Element =
            "<message xmlns='jabber:component:accept' from='alice@example.org/a' \
            to='x@phone.example.org' id='m1'><body>secret</body></message>"
                .parse()
                .unwrap();
        let error = error(&message, "cancel", "item-not-found", "Nobody is known by that address.");
        let xml = to_xml(&error);
        assert!(!xml.contains("secret"));
        assert_eq!(error.attr("to"), Some("alice@example.org/a"));
        assert_eq!(error.attr("from"), Some("x@phone.example.org"));
        assert_eq!(condition(&error), Some("item-not-found"));
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_replaced() {
        assert_eq!(printable("a\u{0}b\u{1b}\n\u{ffff}"), "a\u{fffd}b\u{fffd}\n\u{fffd}");
    }
}
