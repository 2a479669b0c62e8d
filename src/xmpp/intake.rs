//! Reading messages: what kind each is, before it is routed.

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::notification::{Circumstances, Draft};
use crate::wording::worded_in;
use crate::xmpp::body::{self, text};
use crate::xmpp::{ns, stanza, wording};

/// Whether the text of a message is our own sentence, in this language, for a file that was sent.
pub fn is_name_of_a_file(text: &str, language: &str) -> bool {
    body::is_name_of_a_file(text, language)
}

/// The kinds of messages.
#[derive(Debug, PartialEq)]
pub enum Intake {
    /// A text that a person has written.
    Text(Text),
    /// The message of this `id` is retracted.
    Retraction(String),
    /// Nothing to read aloud, but meant to be kept: a reaction, an invitation, a call that nobody took. It is delivered at the
    /// next log-in, without a call.
    Kept(Kept),
    /// A signal between clients, such as a chat state or a receipt: passed on, never a reason for a call.
    Signal,
    /// A bounce. It is never answered.
    Error,
    /// To be ignored, for this reason. It is never answered.
    Ignored(&'static str),
}

/// What is kept for the next log-in.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// As it is.
    Stanza,
    /// An invitation to a room.
    Invitation,
    /// Somebody tried to call.
    CallProposal,
}

/// What a person has written.
#[derive(Debug, Default, PartialEq)]
pub struct Text {
    /// The text to be spoken.
    pub body: String,
    /// Its `xml:lang`.
    pub language: Option<String>,
    /// Whether the sender lets it be stored (XEP-0334).
    pub may_be_stored: bool,
    /// The `id` of the message that it corrects (XEP-0308).
    pub corrects: Option<String>,
}

/// Reads a message.
///
/// Source: RFC 6121 §5.2.2 (types; an unknown one is `normal`), XEP-0085 §5.5, XEP-0280 §11, XEP-0334 §4, XEP-0380 §4.
pub fn read(message: &Element) -> Intake {
    read_for(message, None)
}

/// Reads a message for somebody who reads this language.
pub fn read_for(message: &Element, reader: Option<&str>) -> Intake {
    match message.attr("type") {
        Some("error") => return Intake::Error,
        Some("groupchat") => return Intake::Ignored("from a room"),
        // It is of use only to who is there (RFC 6121 §8.5.2.1.1).
        Some("headline") => return Intake::Signal,
        Some(_) | None => {}
    }
    let has = |namespace: &str| message.children().any(|child| child.has_ns(namespace));
    if has(ns::NOTICE) {
        return Intake::Ignored("said by a program like this one");
    }
    let is_forwarded = has(ns::FORWARD) && !message.has_child("body", ns::COMPONENT);
    if is_forwarded || [ns::CARBONS].into_iter().chain(ns::PRIVILEGES).any(has) {
        return Intake::Ignored("in another account's name");
    }
    if let Some(id) = retracted(message) {
        return Intake::Retraction(id);
    }
    let corrects = message.get_child("replace", ns::CORRECT).and_then(|it| it.attr("id"));
    let corrects = corrects.filter(|id| !id.is_empty()).map(str::to_owned);
    // `no-permanent-store` forbids archives only: what is held is erased after its delivery.
    let may_be_stored = !message.has_child("no-store", ns::HINTS);
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
    if let Some(kept) = kept(message) {
        return Intake::Kept(kept);
    }
    match (text(message, reader), corrects) {
        (Some((body, language)), corrects) => {
            Intake::Text(Text { body, language, may_be_stored, corrects })
        }
        // Nothing is left of the message.
        (None, Some(id)) if message.has_child("body", ns::COMPONENT) => Intake::Retraction(id),
        (None, _) if message.has_child("store", ns::HINTS) => Intake::Kept(Kept::Stanza),
        (None, _) => Intake::Signal,
    }
}

/// What is kept without being read aloud, whatever body it has for clients that do not know it.
///
/// Source: XEP-0045 §7.8.2, XEP-0249 §2, XEP-0353 §3.1, XEP-0444 §3.
fn kept(message: &Element) -> Option<Kept> {
    if message.has_child("reactions", ns::REACTIONS) {
        return Some(Kept::Stanza);
    }
    if message.has_child("propose", ns::JINGLE_MESSAGE) {
        return Some(Kept::CallProposal);
    }
    invitation(message).map(|_| Kept::Invitation)
}

/// An invitation to a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The room.
    pub room: String,
    /// Who invites, if the room says so.
    pub by: Option<BareJid>,
}

/// Reads an invitation, from the room itself or from who invites.
///
/// Source: XEP-0045 §7.8.2, XEP-0249 §2.
pub fn invitation(message: &Element) -> Option<Invitation> {
    if let Some(mediated) = message.get_child("x", ns::MUC_USER) {
        let by = mediated.get_child("invite", ns::MUC_USER)?.attr("from");
        let by = by.and_then(|it| Jid::new(it).ok()).map(|it| it.to_bare());
        return Some(Invitation { room: stanza::from(message)?.to_bare().to_string(), by });
    }
    let room = message.get_child("x", ns::CONFERENCE)?.attr("jid")?.to_owned();
    Some(Invitation { room, by: None })
}

/// The `id` of the retracted message, by the present version of XEP-0424 §3 or the one before.
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

/// The element that names the message which this one takes back, by its `id`.
pub(super) fn retraction_mut(message: &mut Element) -> Option<&mut Element> {
    let is_retract =
        |child: &Element| child.name() == "retract" && ns::RETRACT.contains(&child.ns().as_str());
    let names = |child: &Element| {
        let fastens = child.is("apply-to", ns::FASTEN) && child.children().any(is_retract);
        is_retract(child) || fastens
    };
    message.children_mut().find(|child| names(child))
}

/// A retraction as it is stored, to be delivered to who has the message.
pub fn retraction(message: &Element, sender: Jid, recipient: BareJid) -> Draft {
    let nothing = Text { body: String::new(), language: None, may_be_stored: true, corrects: None };
    let draft = draft(message, sender, recipient, nothing);
    Draft { wants_receipt: false, how: Circumstances { silent: true, ..draft.how }, ..draft }
}

/// The message as it is stored.
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

/// Whether the message is encrypted end to end.
///
/// Contract: its [`Draft`] then holds a sentence of ours in place of the text.
pub fn is_encrypted(message: &Element) -> bool {
    encrypted(message).is_some()
}

/// The element that marks an encrypted message.
fn encrypted(message: &Element) -> Option<&Element> {
    let payload = message.children().find(|child| {
        child.name() == "encrypted" || child.has_ns(ns::OPENPGP) || child.has_ns(ns::PGP_LEGACY)
    });
    payload.or_else(|| message.get_child("encryption", ns::ENCRYPTION))
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
            ("a headline", "headline", hello, "signal"),
            ("a blank text", "chat", "<body> \n</body>", "signal"),
            (
                "a reaction",
                "chat",
                "<reactions xmlns='urn:xmpp:reactions:0' id='1'/><body>&gt; Down\n👍</body>",
                "kept Stanza",
            ),
            (
                "a marker",
                "chat",
                "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/><store xmlns='urn:xmpp:hints'/>",
                "kept Stanza",
            ),
            (
                "a call",
                "chat",
                "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>",
                "kept CallProposal",
            ),
            (
                "an invitation",
                "",
                "<x xmlns='jabber:x:conference' jid='war@muc.example'/><body>join</body>",
                "kept Invitation",
            ),
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
                "a correction to nothing",
                "chat",
                "<replace xmlns='urn:xmpp:message-correct:0' id='1'/><body> </body>",
                "takes back 1",
            ),
            (
                "a correction that is taken back at once",
                "chat",
                "<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>\
                 <retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
                "takes back 1",
            ),
            (
                "a state that corrects",
                "chat",
                "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
                "signal",
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
                "not to be archived",
                "chat",
                "<no-permanent-store xmlns='urn:xmpp:hints'/><body>x</body>",
                "x",
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
                Intake::Kept(kept) => format!("kept {kept:?}"),
                Intake::Signal => "signal".into(),
                Intake::Error => "error".into(),
                Intake::Ignored(_) => "nothing".into(),
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
