//! Gateway addresses (XEP-0106): a person's JID as the node of a JID of the component.

use xmpp_parsers::jid::{BareJid, Jid};

/// The gateway address that stands for `person`.
///
/// Shape:    `bob\40example.org@phone.example.org`.
/// Contract: `None` for an address too long for a node (RFC 7622 §3.3: 1,023 octets).
/// Source:   XEP-0106 §4, XEP-0100 §5.3.
pub fn contact(person: &BareJid, component: &str) -> Option<BareJid> {
    BareJid::new(&format!("{}@{component}", escape(person.as_str()))).ok()
}

/// The person behind a gateway address; `None` for the component itself and for other addresses.
pub fn person(address: &Jid, component: &str) -> Option<BareJid> {
    if address.domain().as_str() != component {
        return None;
    }
    BareJid::new(&unescape(address.node()?.as_str())).ok().filter(|person| person.node().is_some())
}

/// Escapes a JID as a node.
///
/// Source: XEP-0106 §4.2: a backslash is escaped only where it would be read as an escape.
pub fn escape(jid: &str) -> String {
    let mut escaped = String::with_capacity(jid.len() + 6);
    for (at, c) in jid.char_indices() {
        match ESCAPES.iter().find(|(_, plain)| *plain == c) {
            Some((code, '\\')) if starts_with_escape(&jid[at..]) => escaped.push_str(code),
            Some((_, '\\')) | None => escaped.push(c),
            Some((code, _)) => escaped.push_str(code),
        }
    }
    escaped
}

/// Unescapes a node.
///
/// Source: XEP-0106 §4.3: one pass, so that an escaped backslash starts nothing.
pub fn unescape(node: &str) -> String {
    let mut plain = String::with_capacity(node.len());
    let mut rest = node;
    while let Some(c) = rest.chars().next() {
        match ESCAPES.iter().find(|(code, _)| rest.starts_with(code)) {
            Some((code, unescaped)) => {
                plain.push(*unescaped);
                rest = &rest[code.len()..];
            }
            None => {
                plain.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    plain
}

fn starts_with_escape(text: &str) -> bool {
    ESCAPES.iter().any(|(code, _)| text.starts_with(code))
}

const ESCAPES: [(&str, char); 10] = [
    ("\\20", ' '),
    ("\\22", '"'),
    ("\\26", '&'),
    ("\\27", '\''),
    ("\\2f", '/'),
    ("\\3a", ':'),
    ("\\3c", '<'),
    ("\\3e", '>'),
    ("\\40", '@'),
    ("\\5c", '\\'),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_jid_becomes_a_node_and_a_node_a_jid() {
        // The examples of XEP-0106 §6 among them.
        let cases = [
            ("bob@example.org", "bob\\40example.org"),
            ("d\\27artagnan@musketeers.lit", "d\\5c27artagnan\\40musketeers.lit"),
            ("c:\\net", "c\\3a\\net"),
            ("c:\\cool stuff", "c\\3a\\cool\\20stuff"),
            ("c:\\5commas", "c\\3a\\5c5commas"),
            ("so\\\\5cis", "so\\\\5c5cis"),
            ("müller@exämple.org", "müller\\40exämple.org"),
        ];
        for (jid, node) in cases {
            assert_eq!(escape(jid), node);
            assert_eq!(unescape(node), jid);
        }
    }

    #[test]
    fn a_contact_stands_for_one_person_only() {
        let component = "phone.example.org";
        let bob = BareJid::new("bob@example.org").unwrap();
        let contact = contact(&bob, component).unwrap();
        assert_eq!(contact.as_str(), "bob\\40example.org@phone.example.org");
        assert_eq!(person(&Jid::new(&format!("{contact}/tablet")).unwrap(), component), Some(bob));
        for stranger in ["phone.example.org", "bob\\40example.org@other.example.org"] {
            assert_eq!(person(&Jid::new(stranger).unwrap(), component), None, "{stranger}");
        }
    }

    proptest! {
        #[test]
        fn unescape_is_the_inverse_of_escape(jid in r#"[a-c \\"&'/:<>@02567acef]{0,40}"#) {
            let node = escape(&jid);
            prop_assert!(!node.contains([' ', '"', '&', '\'', '/', ':', '<', '>', '@']));
            prop_assert_eq!(unescape(&node), jid);
        }
    }
}
