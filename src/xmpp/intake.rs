//! What a message is, before anybody decides where it goes.

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::notification::{Circumstances, Draft};
use crate::wording::worded_in;
use crate::xmpp::text::text;
use crate::xmpp::{ns, stanza, wording};

/// A message, by what may be done with it.
#[derive(Debug, PartialEq)]
pub enum Intake {
    /// Something a person has written.
    Text(Text),
    /// The message of this `id` is taken back.
    Retraction(String),
    /// Something between clients: who is typing, what was received. Worth passing on, never worth a call.
    Signal,
    /// A bounce of something sent before. It is never answered.
    Error,
    /// Nothing for us, and why. It is never answered.
    Nothing(&'static str),
}

/// What a person has written.
#[derive(Debug, PartialEq)]
pub struct Text {
    /// To be spoken.
    pub body: String,
    /// The language it is marked with.
    pub language: Option<String>,
    /// Whether the sender lets it be stored (XEP-0334).
    pub may_be_stored: bool,
    /// The `id` of the message that it words anew (XEP-0308).
    pub corrects: Option<String>,
}

/// Reads what a message is.
///
/// Source: RFC 6121 §5.2.2 (types; an unknown one is `normal`), XEP-0085 §5.5, XEP-0280 §11, XEP-0334 §4, XEP-0380 §4.
pub fn read(message: &Element) -> Intake {
    match message.attr("type") {
        Some("error") => return Intake::Error,
        Some("groupchat") => return Intake::Nothing("from a room"),
        Some("headline") => return Intake::Nothing("a headline"),
        Some(_) | None => {}
    }
    let has = |namespace: &str| message.children().any(|child| child.has_ns(namespace));
    if has(ns::NOTICE) {
        return Intake::Nothing("said by a program like this one");
    }
    if [ns::CARBONS, ns::FORWARD].into_iter().chain(ns::PRIVILEGES).any(has) {
        return Intake::Nothing("in somebody else's name");
    }
    if let Some(id) = retracted(message) {
        return Intake::Retraction(id);
    }
    let corrects = message.get_child("replace", ns::CORRECT).and_then(|it| it.attr("id"));
    let corrects = corrects.filter(|id| !id.is_empty()).map(str::to_owned);
    let hint = |name: &str| message.has_child(name, ns::HINTS);
    let may_be_stored = !hint("no-store") && !hint("no-permanent-store");
    if let Some(encrypted) = encrypted(message) {
        // Without a payload it only carries keys.
        return if encrypted.name() == "encrypted" && !has_payload(encrypted) {
            Intake::Signal
        } else {
            let language = stanza::language(message);
            let (body, language) = (wording::encrypted(language), worded_in(language));
            Intake::Text(Text {
                body,
                language: Some(language.to_owned()),
                may_be_stored,
                corrects,
            })
        };
    }
    match text(message) {
        Some((body, language)) => Intake::Text(Text { body, language, may_be_stored, corrects }),
        None => Intake::Signal,
    }
}

/// The message that is taken back, in the present form of XEP-0424 §3 or in the one before.
fn retracted(message: &Element) -> Option<String> {
    let id = |element: &Element| element.attr("id").filter(|id| !id.is_empty()).map(str::to_owned);
    let retract = |parent: &Element| {
        parent
            .children()
            .find(|child| child.name() == "retract" && ns::RETRACT.contains(&child.ns().as_str()))
            .cloned()
    };
    if let Some(retract) = retract(message) {
        return Some(id(&retract).unwrap_or_default());
    }
    let fastened = message.get_child("apply-to", ns::FASTEN)?;
    retract(fastened).map(|_| id(fastened).unwrap_or_default())
}

/// Makes of a message what the store takes.
pub fn draft(message: &Element, sender: Jid, recipient: BareJid, text: Text) -> Draft {
    Draft {
        stanza_id: message.attr("id").filter(|id| !id.is_empty()).map(str::to_owned),
        sender,
        recipient,
        body: text.body,
        language: text.language,
        wants_receipt: message.has_child("request", ns::RECEIPTS)
            || message.has_child("markable", ns::MARKERS),
        stanza: stanza::to_xml(message),
        how: Circumstances::default(),
    }
}

/// Whether only its recipient can read what a message says.
///
/// Contract: its [`Draft`] then holds words of ours in place of the text.
pub fn is_encrypted(message: &Element) -> bool {
    encrypted(message).is_some()
}

/// The element that says that only the recipient can read this.
fn encrypted(message: &Element) -> Option<&Element> {
    let carrier = message.children().find(|child| {
        child.name() == "encrypted" || child.has_ns(ns::OPENPGP) || child.has_ns(ns::PGP_LEGACY)
    });
    carrier.or_else(|| message.get_child("encryption", ns::ENCRYPTION))
}

fn has_payload(encrypted: &Element) -> bool {
    encrypted.children().any(|child| child.name() == "payload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_wrote_is_worth_a_call() {
        let hello = "<body>Hello</body>";
        let cases = [
            ("a chat message", "chat", hello, "Hello"),
            ("a message without type", "", hello, "Hello"),
            ("a message of no known type", "foo", hello, "Hello"),
            ("a bounce", "error", hello, "error"),
            ("a room", "groupchat", hello, "nothing"),
            ("a headline", "headline", hello, "nothing"),
            ("a blank text", "chat", "<body> \n</body>", "signal"),
            (
                "no text",
                "chat",
                "<active xmlns='http://jabber.org/protocol/chatstates'/>",
                "signal",
            ),
            ("a receipt", "chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", "signal"),
            (
                "a retraction",
                "chat",
                "<retract xmlns='urn:xmpp:message-retract:1' id='1'/><body>/me retracted</body>",
                "takes back 1",
            ),
            (
                "a carbon copy",
                "chat",
                "<sent xmlns='urn:xmpp:carbons:2'/><body>x</body>",
                "nothing",
            ),
            (
                "a status of another Offhook",
                "chat",
                "<notice xmlns='urn:offhook:notice:0'/><body>x</body>",
                "nothing",
            ),
            (
                "not to be stored",
                "chat",
                "<no-store xmlns='urn:xmpp:hints'/><body>x</body>",
                "x, not to be stored",
            ),
            (
                "two languages",
                "chat",
                "<body xml:lang='de'>Hallo</body><body>Hello</body>",
                "Hello",
            ),
            ("one language", "chat", "<body xml:lang='de'>Hallo</body>", "Hallo in de"),
            (
                "OMEMO",
                "chat",
                "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>x</payload></encrypted>\
                 <body>I sent you an OMEMO encrypted message</body>",
                "The message is encrypted and cannot be read aloud. in en",
            ),
            (
                "keys of OMEMO",
                "chat",
                "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>",
                "signal",
            ),
            (
                "something encrypted",
                "chat",
                "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/><body>fallback</body>",
                "The message is encrypted and cannot be read aloud. in en",
            ),
            (
                "OpenPGP",
                "chat",
                "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
                "The message is encrypted and cannot be read aloud. in en",
            ),
        ];
        for (what, kind, payload, expected) in cases {
            let kind = if kind.is_empty() { String::new() } else { format!("type='{kind}'") };
            let message: Element =
                format!("<message xmlns='jabber:component:accept' {kind}>{payload}</message>")
                    .parse()
                    .unwrap();
            let told = match read(&message) {
                Intake::Text(Text { body, language, may_be_stored, .. }) => {
                    let language = language.map(|tag| format!(" in {tag}")).unwrap_or_default();
                    let stored = if may_be_stored { "" } else { ", not to be stored" };
                    format!("{body}{language}{stored}")
                }
                Intake::Retraction(id) => format!("takes back {id}"),
                Intake::Signal => "signal".into(),
                Intake::Error => "error".into(),
                Intake::Nothing(_) => "nothing".into(),
            };
            assert_eq!(told, expected, "{what}");
        }
    }

    #[test]
    fn that_a_message_is_encrypted_is_told_in_a_language_that_has_words_for_it() {
        let german = "Die Nachricht ist verschlüsselt und kann nicht vorgelesen werden.";
        let english = "The message is encrypted and cannot be read aloud.";
        for (tag, words, language) in [("de-CH", german, "de"), ("ja", english, "en")] {
            let message: Element = format!(
                "<message xmlns='jabber:component:accept' xml:lang='{tag}'>\
                 <encryption xmlns='urn:xmpp:eme:0' namespace='x'/></message>"
            )
            .parse()
            .unwrap();
            assert!(is_encrypted(&message));
            let Intake::Text(text) = read(&message) else { panic!("it is a text") };
            assert_eq!((text.body.as_str(), text.language.as_deref()), (words, Some(language)));
        }
    }

    #[test]
    fn a_draft_keeps_the_whole_stanza() {
        let xml = "<message xmlns='jabber:component:accept' xml:lang='de' id='m1' \
            from='alice@example.org/a'><body>Grüße &amp; mehr</body><x xmlns='urn:x'/>\
            <request xmlns='urn:xmpp:receipts'/></message>";
        let message: Element = xml.parse().unwrap();
        let Intake::Text(text) = read(&message) else { panic!("it is a text") };
        let alice = Jid::new("alice@example.org/a").unwrap();
        let draft = draft(&message, alice, BareJid::new("bob@example.org").unwrap(), text);
        assert_eq!(draft.language.as_deref(), Some("de"));
        assert_eq!(draft.body, "Grüße & mehr");
        assert!(draft.wants_receipt);
        assert_eq!(draft.stanza.parse::<Element>().unwrap(), message);
    }
}
