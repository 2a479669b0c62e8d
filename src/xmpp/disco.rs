//! Answers to IQs: what the component and its contacts are and can, and an error for everything else.

use minidom::Element;
use xmpp_parsers::caps::{Caps, compute_disco, hash_caps};
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult, Identity};
use xmpp_parsers::hashes::Algo;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::version::VersionResult;

use crate::wording::phrase;
use crate::xmpp::stanza;
use crate::xmpp::{address, ns, vcard};

/// What the component tells of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'n> {
    /// Its name.
    pub name: &'n str,
    /// What it is for.
    pub description: &'n str,
    /// The number that people see when it calls.
    pub caller_id: Option<&'n str>,
}

/// The addressee of an IQ.
#[derive(Clone, Copy, Debug)]
pub enum Target<'n> {
    /// The component itself.
    Component(About<'n>),
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
        Target::Component(about) => about_component(payload, about),
        Target::Contact(name) => about_contact(payload, name),
    };
    Some(match answer {
        Ok(payload) => stanza::result(iq, payload),
        Err(condition) => stanza::error(iq, "cancel", condition, ""),
    })
}

type Answer = Result<Option<Element>, &'static str>;

fn about_component(payload: &Element, about: About<'_>) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        info_of(payload, &target_info(Target::Component(about)))
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("query", ns::VERSION) {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Some(VersionResult { name: NAME.to_owned(), version, os: None }.into()))
    } else if payload.is("vCard", ns::VCARD) {
        Ok(Some(vcard::vcard(about.name, Some(about.description), about.caller_id)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(vcard::vcard4(about.name, Some(about.description), about.caller_id)))
    } else {
        Err("service-unavailable")
    }
}

fn about_contact(payload: &Element, name: &str) -> Answer {
    if payload.is("ping", ns::PING) {
        Ok(None)
    } else if payload.is("query", ns::DISCO_INFO) {
        info_of(payload, &target_info(Target::Contact(name)))
    } else if payload.is("query", ns::DISCO_ITEMS) {
        items(payload)
    } else if payload.is("vCard", ns::VCARD) {
        // Only the name and our picture: a contact's number is private.
        Ok(Some(vcard::vcard(name, None, None)))
    } else if payload.is("vcard", ns::VCARD4) {
        Ok(Some(vcard::vcard4(name, None, None)))
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

/// The answer about the entity itself, also where it is asked for by the hash in its presence.
fn info_of(payload: &Element, info: &DiscoInfoResult) -> Answer {
    let node = payload.attr("node");
    if node.is_some_and(|node| Some(node) != caps_node(info).as_deref()) {
        return Err("item-not-found");
    }
    Ok(Some(DiscoInfoResult { node: node.map(str::to_owned), ..info.clone() }.into()))
}

fn caps_node(info: &DiscoInfoResult) -> Option<String> {
    let hash = hash_caps(&compute_disco(info), Algo::Sha_1).ok()?;
    Some(format!("{CAPS_NODE}#{}", hash.to_base64()))
}

/// What an entity can, as its presence tells: the hash of what it answers to disco.
///
/// Source: XEP-0115 §5.
pub(super) fn caps(target: Target<'_>) -> Option<Element> {
    let hash = hash_caps(&compute_disco(&target_info(target)), Algo::Sha_1).ok()?;
    Some(Caps::new(CAPS_NODE, hash).into())
}

fn target_info(target: Target<'_>) -> DiscoInfoResult {
    match target {
        Target::Component(about) => described("gateway", "pstn", about.name, &FEATURES),
        Target::Contact(name) => described("account", "registered", name, &CONTACT_FEATURES),
        Target::Unknown => described("account", "registered", "", &[]),
    }
}

/// What an entity is, `(category, type, name)`, and can.
///
/// Source: XEP-0030 §3.1.
pub(super) fn info(
    node: Option<&str>,
    (category, kind, name): (&str, &str, &str),
    features: &[&str],
) -> Element {
    let info = described(category, kind, name, features);
    DiscoInfoResult { node: node.map(str::to_owned), ..info }.into()
}

fn described(category: &str, kind: &str, name: &str, features: &[&str]) -> DiscoInfoResult {
    let identity = Identity {
        name: Some(stanza::printable(name)),
        ..Identity::new_anonymous::<_, _, &str, &str>(category, kind)
    };
    DiscoInfoResult {
        node: None,
        identities: vec![identity],
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        extensions: vec![],
    }
}

fn items(payload: &Element) -> Answer {
    if payload.attr("node").is_some() {
        return Err("item-not-found");
    }
    Ok(Some(DiscoItemsResult { node: None, items: vec![], rsm: None }.into()))
}

const FEATURES: [&str; 12] = [
    ns::CAPS,
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
const CONTACT_FEATURES: [&str; 9] = [
    ns::CAPS,
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::CORRECT,
    ns::MARKERS,
    ns::PING,
    ns::RECEIPTS,
    ns::RETRACT[0],
    ns::VCARD,
];

/// The program's name.
const NAME: &str = "Offhook";
/// Of what the hash in a presence tells.
const CAPS_NODE: &str = "urn:offhook:0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_answered_and_no_answer_is() {
        let about = About {
            name: "Offhook: calls",
            description: "Phones you.",
            caller_id: Some("+81312345678"),
        };
        let (component, contact) = (Target::Component(about), Target::Contact("Bob"));
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
                "their picture",
                "get",
                "<vCard xmlns='vcard-temp'/>",
                contact,
                "<TYPE>image/png</TYPE>",
            ),
            (
                "its name",
                "get",
                "<vCard xmlns='vcard-temp'/>",
                component,
                "<FN>Offhook: calls</FN>",
            ),
            (
                "what it is for",
                "get",
                "<vCard xmlns='vcard-temp'/>",
                component,
                "<DESC>Phones you.</DESC>",
            ),
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
    #[test]
    fn what_a_presence_tells_can_be_asked_for_by_its_hash() {
        let contact = Target::Contact("Bob");
        let caps = caps(contact).unwrap();
        let node = format!("{}#{}", caps.attr("node").unwrap(), caps.attr("ver").unwrap());
        let iq: Element = format!(
            "<iq xmlns='jabber:component:accept' from='a@example.org/x' to='b@phone.example.org/offhook' id='1' \
             type='get'><query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/></iq>"
        )
        .parse()
        .unwrap();
        let answer = answer(&iq, contact).unwrap();
        assert_eq!(answer.attr("type"), Some("result"));
        let query = answer.get_child("query", ns::DISCO_INFO).unwrap();
        assert_eq!(query.attr("node"), Some(node.as_str()));
        let info = DiscoInfoResult::try_from(query.clone()).unwrap();
        let hash = hash_caps(&compute_disco(&info), Algo::Sha_1).unwrap();
        assert_eq!(caps.attr("ver"), Some(hash.to_base64().as_str()));
    }
}
