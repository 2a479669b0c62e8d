//! Answers to questions (IQ): what Offhook is and can, and a polite no to everything else.

use minidom::Element;

use crate::xmpp::ns;
use crate::xmpp::stanza::{self, element};

/// Whom an IQ is addressed to.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'n> {
    /// The component itself.
    Component,
    /// A gateway address that stands for the person of this name.
    Contact(&'n str),
    /// An address that stands for nobody.
    Nobody,
}

/// Answers an IQ; `None` for results and errors, which are answers themselves.
///
/// Contract: every `get` and `set` is answered (RFC 6120 §8.2.3), also one that says nothing sensible.
/// Source:   XEP-0030 §3 and §4, XEP-0092 §2, XEP-0199 §4.
pub fn answer(iq: &Element, asked: Asked<'_>) -> Option<Element> {
    let kind = iq.attr("type");
    if matches!(kind, Some("result" | "error")) {
        return None;
    }
    let mut payloads = iq.children();
    let (Some(payload), None, Some("get" | "set"), Some(_)) =
        (payloads.next(), payloads.next(), kind, iq.attr("id"))
    else {
        return Some(stanza::error(iq, "modify", "bad-request", ""));
    };
    let answer = match asked {
        Asked::Nobody => Err("item-not-found"),
        Asked::Component | Asked::Contact(_) if kind == Some("set") => Err("service-unavailable"),
        Asked::Component => about_component(payload),
        Asked::Contact(name) => about_contact(payload, name),
    };
    Some(match answer {
        Ok(payload) => stanza::result(iq, payload),
        Err(condition) => stanza::error(iq, "cancel", condition, ""),
    })
}

type Answer = Result<Option<Element>, &'static str>;

fn about_component(payload: &Element) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        let identity = [("category", "gateway"), ("type", "pstn"), ("name", "Offhook")];
        info(payload, &identity, &FEATURES)
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("query", ns::VERSION) {
        let mut version = Element::bare("query", ns::VERSION);
        version.append_child(stanza::text("name", ns::VERSION, "Offhook"));
        version.append_child(stanza::text("version", ns::VERSION, env!("CARGO_PKG_VERSION")));
        Ok(Some(version))
    } else {
        Err("service-unavailable")
    }
}

fn about_contact(payload: &Element, name: &str) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        let identity = [("category", "account"), ("type", "registered"), ("name", name)];
        info(payload, &identity, &CONTACT_FEATURES)
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else {
        Err("service-unavailable")
    }
}

fn info(payload: &Element, identity: &[(&'static str, &str)], features: &[&str]) -> Answer {
    if payload.attr("node").is_some() {
        return Err("item-not-found");
    }
    let mut query = Element::bare("query", ns::DISCO_INFO);
    query.append_child(element("identity", ns::DISCO_INFO, identity));
    for feature in features {
        query.append_child(element("feature", ns::DISCO_INFO, &[("var", feature)]));
    }
    Ok(Some(query))
}

fn items(payload: &Element) -> Answer {
    if payload.attr("node").is_some() {
        return Err("item-not-found");
    }
    Ok(Some(Element::bare("query", ns::DISCO_ITEMS)))
}

const FEATURES: [&str; 5] =
    [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::JID_ESCAPING, ns::PING, ns::VERSION];
/// What a client may send to a person through us and see passed on.
const CONTACT_FEATURES: [&str; 5] =
    [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::CORRECT, ns::PING, ns::RECEIPTS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_answered_and_no_answer_is() {
        let (component, contact) = (Asked::Component, Asked::Contact("Bob"));
        let cases = [
            ("a ping", "get", "<ping xmlns='urn:xmpp:ping'/>", component, "ok"),
            ("a ping to Bob", "get", "<ping xmlns='urn:xmpp:ping'/>", contact, "ok"),
            (
                "disco",
                "get",
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                component,
                "pstn",
            ),
            (
                "disco of Bob",
                "get",
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                contact,
                "registered",
            ),
            (
                "disco of a node",
                "get",
                "<query node='x' xmlns='http://jabber.org/protocol/disco#info'/>",
                component,
                "item-not-found",
            ),
            (
                "disco of nobody",
                "get",
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                Asked::Nobody,
                "item-not-found",
            ),
            (
                "items",
                "get",
                "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                component,
                "ok",
            ),
            ("a version", "get", "<query xmlns='jabber:iq:version'/>", component, "Offhook"),
            ("a vCard", "get", "<vCard xmlns='vcard-temp'/>", contact, "service-unavailable"),
            ("a setting", "set", "<ping xmlns='urn:xmpp:ping'/>", component, "service-unavailable"),
            ("nothing", "get", "", component, "bad-request"),
            ("two things", "get", "<a xmlns='a'/><b xmlns='b'/>", component, "bad-request"),
            ("an unknown type", "put", "<a xmlns='a'/>", component, "bad-request"),
            ("a result", "result", "", component, "silence"),
            ("an error", "error", "", component, "silence"),
        ];
        for (what, kind, payload, asked, expected) in cases {
            let iq: Element = format!(
                "<iq xmlns='jabber:component:accept' from='a@example.org/x' to='phone.example.org' \
                 id='1' type='{kind}'>{payload}</iq>"
            )
            .parse()
            .unwrap();
            let answer = answer(&iq, asked);
            let told = match &answer {
                None => "silence".to_owned(),
                Some(answer) if answer.attr("type") == Some("result") => {
                    assert_eq!(answer.attr("to"), Some("a@example.org/x"));
                    format!("ok {}", stanza::to_xml(answer))
                }
                Some(answer) => stanza::condition(answer).unwrap().to_owned(),
            };
            assert!(told.contains(expected), "{what}: {told}");
        }
    }
}
