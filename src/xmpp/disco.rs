//! Answers to IQs: what the component and its contacts are and can, and an error for everything else.

use minidom::Element;
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult, Identity};
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::version::VersionResult;

use crate::wording::phrase;
use crate::xmpp::stanza;
use crate::xmpp::{address, ns, vcard};

/// The addressee of an IQ.
#[derive(Clone, Copy, Debug)]
pub enum Target<'n> {
    /// The component itself, and the number that people see when it calls.
    Component(Option<&'n str>),
    /// A gateway address that stands for the person of this name.
    Contact(&'n str),
    /// An address that stands for nobody.
    Unknown,
}

/// Answers an IQ; `None` for results and errors, which are answers themselves.
///
/// Contract: every `get` and `set` is answered (RFC 6120 §8.2.3), also a malformed one.
/// Source:   XEP-0030 §3 and §4, XEP-0092 §2, XEP-0199 §4.
pub fn answer(iq: &Element, target: Target<'_>) -> Option<Element> {
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
    let answer = match target {
        Target::Unknown => Err("item-not-found"),
        Target::Component(_) if payload.is("query", ns::GATEWAY) => gateway(iq, payload),
        Target::Component(_) | Target::Contact(_) if kind == Some("set") => {
            Err("service-unavailable")
        }
        Target::Component(caller_id) => about_component(payload, caller_id),
        Target::Contact(name) => about_contact(payload, name),
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
        info_of(payload, ("gateway", "pstn", NAME), &FEATURES)
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("query", ns::VERSION) {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Some(VersionResult { name: NAME.to_owned(), version, os: None }.into()))
    } else if payload.is("vCard", ns::VCARD) {
        Ok(Some(vcard::vcard(NAME, caller_id, true)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(vcard::vcard4(NAME, caller_id)))
    } else {
        Err("service-unavailable")
    }
}

fn about_contact(payload: &Element, name: &str) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        info_of(payload, ("account", "registered", name), &CONTACT_FEATURES)
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("vCard", ns::VCARD) {
        // Only the name: a contact's number is private.
        Ok(Some(vcard::vcard(name, None, false)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(vcard::vcard4(name, None)))
    } else {
        Err("service-unavailable")
    }
}

/// The gateway address of a person, for clients that add a contact.
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

fn info_of(payload: &Element, identity: (&str, &str, &str), features: &[&str]) -> Answer {
    if payload.attr("node").is_some() {
        return Err("item-not-found");
    }
    Ok(Some(info(None, identity, features)))
}

/// What an entity is, `(category, type, name)`, and can.
///
/// Source: XEP-0030 §3.1.
pub(super) fn info(
    node: Option<&str>,
    (category, kind, name): (&str, &str, &str),
    features: &[&str],
) -> Element {
    let identity = Identity {
        name: Some(stanza::printable(name)),
        ..Identity::new_anonymous::<_, _, &str, &str>(category, kind)
    };
    DiscoInfoResult {
        node: node.map(str::to_owned),
        identities: vec![identity],
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        extensions: vec![],
    }
    .into()
}

fn items(payload: &Element) -> Answer {
    if payload.attr("node").is_some() {
        return Err("item-not-found");
    }
    Ok(Some(DiscoItemsResult { node: None, items: vec![], rsm: None }.into()))
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
/// Extensions that we pass on between people.
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

/// The component's name.
pub(super) const NAME: &str = "Offhook";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_answered_and_no_answer_is() {
        let (component, contact) =
            (Target::Component(Some("+81312345678")), Target::Contact("Bob"));
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
                Target::Unknown,
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
        for (what, kind, payload, target, expected) in cases {
            let iq: Element = format!(
                "<iq xmlns='jabber:component:accept' from='a@example.org/x' to='phone.example.org' \
                 id='1' type='{kind}'>{payload}</iq>"
            )
            .parse()
            .unwrap();
            let answer = answer(&iq, target);
            let got = match &answer {
                None => "silence".to_owned(),
                Some(answer) if answer.attr("type") == Some("result") => {
                    assert_eq!(answer.attr("to"), Some("a@example.org/x"));
                    format!("ok {}", stanza::to_xml(answer))
                }
                Some(answer) => stanza::condition(answer).unwrap().to_owned(),
            };
            assert!(got.contains(expected), "{what}: {got}");
        }
    }
}
