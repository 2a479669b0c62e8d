//! Answers to questions (IQ): what Offhook is and can, and a polite no to everything else.

use minidom::Element;

use xmpp_parsers::jid::BareJid;

use crate::wording::phrase;
use crate::xmpp::stanza::{self, element};
use crate::xmpp::{address, card, ns};

/// Whom an IQ is addressed to.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'n> {
    /// The component itself, and the number that people see when it calls.
    Component(Option<&'n str>),
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
        Asked::Component(_) if payload.is("query", ns::GATEWAY) => gateway(iq, payload),
        Asked::Component(_) | Asked::Contact(_) if kind == Some("set") => {
            Err("service-unavailable")
        }
        Asked::Component(caller_id) => about_component(payload, caller_id),
        Asked::Contact(name) => about_contact(payload, name),
    };
    Some(match answer {
        Ok(payload) => stanza::result(iq, payload),
        Err(condition) => stanza::error(iq, "cancel", condition, ""),
    })
}

type Answer = Result<Option<Element>, &'static str>;

fn about_component(payload: &Element, caller_id: Option<&str>) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        let identity = [("category", "gateway"), ("type", "pstn"), ("name", NAME)];
        info(payload, &identity, &FEATURES)
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("query", ns::VERSION) {
        let mut version = Element::bare("query", ns::VERSION);
        version.append_child(stanza::text("name", ns::VERSION, NAME));
        version.append_child(stanza::text("version", ns::VERSION, env!("CARGO_PKG_VERSION")));
        Ok(Some(version))
    } else if payload.is("vCard", ns::VCARD) {
        Ok(Some(card::vcard(NAME, caller_id, true)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(card::vcard4(NAME, caller_id)))
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
    } else if payload.is("vCard", ns::VCARD) {
        // Nothing but the name: numbers are nobody's business.
        Ok(Some(card::vcard(name, None, false)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(card::vcard4(name, None)))
    } else {
        Err("service-unavailable")
    }
}

/// Which address stands for somebody: asked for by clients that add a contact.
///
/// Source: XEP-0100 §6.3.
fn gateway(iq: &Element, payload: &Element) -> Answer {
    let mut query = Element::bare("query", ns::GATEWAY);
    if iq.attr("type") == Some("get") {
        let language = stanza::language(iq);
        let desc = phrase(language, "gateway-description", &[]);
        query.append_child(stanza::text("desc", ns::GATEWAY, &desc));
        query.append_child(stanza::text(
            "prompt",
            ns::GATEWAY,
            &phrase(language, "field-jid", &[]),
        ));
        return Ok(Some(query));
    }
    let prompt = payload.get_child("prompt", ns::GATEWAY).map(Element::text).unwrap_or_default();
    let person = BareJid::new(prompt.trim()).ok().filter(|jid| jid.node().is_some());
    let us = stanza::to(iq).map(|us| us.domain().to_string()).unwrap_or_default();
    let contact =
        person.and_then(|person| address::contact(&person, &us)).ok_or("item-not-found")?;
    query.append_child(stanza::text("jid", ns::GATEWAY, contact.as_str()));
    // The older form, which some clients still read.
    query.append_child(stanza::text("prompt", ns::GATEWAY, contact.as_str()));
    Ok(Some(query))
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

const FEATURES: [&str; 11] = [
    ns::COMMANDS,
    ns::DATA_FORMS,
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::GATEWAY,
    ns::JID_ESCAPING,
    ns::PING,
    ns::REGISTER,
    ns::VCARD,
    ns::VCARD4,
    ns::VERSION,
];
/// What a client may send to a person through us and see passed on.
const CONTACT_FEATURES: [&str; 8] = [
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::CORRECT,
    ns::MARKERS,
    ns::PING,
    ns::RECEIPTS,
    ns::RETRACT[0],
    ns::VCARD,
];

/// What the component is called.
pub(super) const NAME: &str = "Offhook";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_answered_and_no_answer_is() {
        let (component, contact) = (Asked::Component(Some("+81312345678")), Asked::Contact("Bob"));
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
            ("a vCard", "get", "<vCard xmlns='vcard-temp'/>", contact, "<FN>Bob</FN>"),
            (
                "its own vCard",
                "get",
                "<vCard xmlns='vcard-temp'/>",
                component,
                "<NUMBER>+81312345678</NUMBER>",
            ),
            (
                "its avatar",
                "get",
                "<vCard xmlns='vcard-temp'/>",
                component,
                "<TYPE>image/png</TYPE>",
            ),
            (
                "a vCard 4",
                "get",
                "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>",
                component,
                "tel:+81312345678",
            ),
            (
                "a bookmark",
                "get",
                "<query xmlns='jabber:iq:private'/>",
                contact,
                "service-unavailable",
            ),
            (
                "the gateway's question",
                "get",
                "<query xmlns='jabber:iq:gateway'/>",
                component,
                "<prompt>Address</prompt>",
            ),
            (
                "somebody's address",
                "set",
                "<query xmlns='jabber:iq:gateway'><prompt>bob@example.org</prompt></query>",
                component,
                "<jid>bob\\40example.org@phone.example.org</jid>",
            ),
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
