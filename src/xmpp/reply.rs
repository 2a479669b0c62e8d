//! Owed replies as stanzas.

use minidom::Element;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::message::Id;
use xmpp_parsers::message_correct::Replace;
use xmpp_parsers::receipts::Received;

use crate::notification::{Draft, Owed, Reply, StatusKind};
use crate::xmpp::intake::{Intake, Kept};
use crate::xmpp::notice::{notice, quoting_reply};
use crate::xmpp::privilege::Grants;
use crate::xmpp::relay::readdressed;
use crate::xmpp::stanza::{self, element};
use crate::xmpp::{address, intake, invitation, ns, voice, wording};

/// The stanza of an owed reply, sent in the callee's own name where that is allowed: an answer to a message that was
/// written to the callee's own address comes from that address, if the callee's server grants it.
pub fn delivered(owed: &Owed, component: &str, grants: &Grants) -> Element {
    let message = stanza(owed, component);
    let draft = &owed.message.draft;
    let is_from_callee =
        matches!(owed.content, Reply::Answer(_) | Reply::Voice(_) | Reply::Receipt);
    let was_to_callee = draft.how.handed_over.is_some() && {
        let original: Option<Element> = draft.stanza.parse().ok();
        let from = original.as_ref().and_then(stanza::from);
        from.is_some_and(|from| from.domain().as_str() != component)
    };
    if is_from_callee && was_to_callee {
        grants.in_the_name_of(&draft.recipient, message, component)
    } else {
        message
    }
}

/// The stanza of an owed reply.
///
/// Contract: the same `owed` gives the same stanza with the same `id`, so that a client recognises a repetition.
/// Source:   XEP-0308 §3 (status), XEP-0461 §3 and XEP-0428 §3 (answer), XEP-0184 §5 (receipt), XEP-0203 §3 (delivery).
pub fn stanza(owed: &Owed, component: &str) -> Element {
    let draft = &owed.message.draft;
    let language = owed.language.as_deref();
    let callee =
        written_to(draft, component).unwrap_or_else(|| address_of(&draft.recipient, component));
    let sender = draft.sender.to_bare();
    match &owed.content {
        Reply::Status(status) => {
            let words = wording::status(language, *status, owed);
            // Beside the conversation in which the message was written, nothing else tells which one is meant.
            let is_apart = draft.how.handed_over.is_some();
            let mut message = if is_apart || status.kind() == StatusKind::News {
                quoting_reply(owed, &callee, &sender, &words)
            } else {
                notice(&callee, sender.as_str(), &owed.stanza_id, &words)
            };
            if let Some(corrected) = &owed.replaces {
                message.append_child(Replace { id: Id(corrected.clone()) }.into());
            }
            let hint = match status.kind() {
                StatusKind::Step => "no-permanent-store",
                StatusKind::Outcome | StatusKind::News => "store",
            };
            message.append_child(Element::bare(hint, ns::HINTS));
            in_conversation(message, owed)
        }
        Reply::Answer(answer) => {
            let words = wording::answer(language, &answer.words, &owed.callee_name);
            in_conversation(quoting_reply(owed, &callee, &sender, &words), owed)
        }
        Reply::Voice(news) => in_conversation(voice::stanza(news, owed, &callee, &sender), owed),
        Reply::Receipt => receipt(owed, &callee, &sender),
        Reply::Delivery => delivery(owed, component),
        Reply::CallsSwitchedOff => notice(
            component,
            draft.recipient.as_str(),
            &owed.stanza_id,
            &wording::calls_switched_off(language),
        ),
    }
}

/// Source: XEP-0184 §5, XEP-0333 §4.
fn receipt(owed: &Owed, callee: &str, sender: &BareJid) -> Element {
    let draft = &owed.message.draft;
    let mut message = stanza::stanza(
        "message",
        &[("from", callee), ("to", sender.as_str()), ("id", &owed.stanza_id), ("type", "chat")],
    );
    let of = owed.message.last_id().unwrap_or_default();
    let asked: Option<Element> = draft.stanza.parse().ok();
    let asks = |name: &str, namespace: &str| {
        asked.as_ref().is_some_and(|asked| asked.has_child(name, namespace))
    };
    if asks("request", ns::RECEIPTS) || asked.is_none() {
        message.append_child(Received { id: of.to_owned() }.into());
    }
    // The message was heard to its end, which is what "displayed" means on a screen.
    if asks("markable", ns::MARKERS) {
        message.append_child(element("displayed", ns::MARKERS, &[("id", of)]));
    }
    // Without a body, only this hint makes a server keep it for a sender who is offline by now.
    message.append_child(Element::bare("store", ns::HINTS));
    message
}

fn delivery(owed: &Owed, component: &str) -> Element {
    let draft = &owed.message.draft;
    let original =
        original(draft).unwrap_or_else(|| stanza::chat("", "", &owed.stanza_id, &draft.body));
    let sender = draft.sender.to_bare();
    let original = shown_kept(&original, owed).unwrap_or(original);
    let mut message =
        readdressed(&original, &address_of(&sender, component), &draft.recipient, component);
    let id = draft.stanza_id.as_ref().unwrap_or(&owed.stanza_id);
    stanza::set(&mut message, "id", id);
    name_as_known(&mut message, owed.message.chain.replaces.as_deref());
    let stamp = owed.message.received.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    message.append_child(element("delay", ns::DELAY, &[("from", component), ("stamp", &stamp)]));
    message
}

/// What was kept in a form that its recipient can use later.
fn shown_kept(original: &Element, owed: &Owed) -> Option<Element> {
    if intake::read(original) != Intake::Kept(Kept::CallProposal) {
        return invitation::shown(original, owed.language.as_deref());
    }
    let sender = owed.message.draft.sender.node().map(|it| it.to_string()).unwrap_or_default();
    let at = owed.message.received.to_zoned(owed.zone.clone());
    let words = wording::call_missed(owed.language.as_deref(), &sender, &at);
    Some(invitation::in_words(original, &words))
}

/// Lets a correction or a retraction name the `id` under which its reader has the message. Where they have none, its
/// first wording has never been read, and it corrects nothing.
fn name_as_known(message: &mut Element, known: Option<&str>) {
    let is_retraction = intake::retraction_mut(message).map(|retraction| {
        if let Some(id) = known {
            stanza::set(retraction, "id", id);
        }
    });
    let replaced = message.has_child("replace", ns::CORRECT);
    stanza::strip(message, |child| child.is("replace", ns::CORRECT));
    if let Some(id) = known
        && (replaced || is_retraction.is_none())
    {
        message.append_child(Replace { id: Id(id.to_owned()) }.into());
    }
}

/// Adds the thread, and what the person is called to whom the message was written.
fn in_conversation(mut message: Element, owed: &Owed) -> Element {
    let thread = original(&owed.message.draft)
        .and_then(|it| it.get_child("thread", ns::COMPONENT).map(Element::text));
    if let Some(thread) = thread.filter(|thread| !thread.is_empty()) {
        message.append_child(stanza::text("thread", ns::COMPONENT, &thread));
    }
    // What the component was asked to try, it tells in its own name.
    if message.attr("from").is_some_and(|from| from.contains('@')) {
        message.append_child(stanza::nick(&owed.callee_name));
    }
    message
}

fn original(draft: &Draft) -> Option<Element> {
    draft.stanza.parse().ok()
}

/// The address of ours to which the message was written: what answers it comes from there.
fn written_to(draft: &Draft, component: &str) -> Option<String> {
    let to = stanza::to(&original(draft)?)?;
    (to.domain().as_str() == component).then(|| to.to_bare().to_string())
}

fn address_of(person: &BareJid, component: &str) -> String {
    // A JID too long for a node has no gateway address; the component takes its place.
    address::contact(person, component).map_or_else(|| component.to_owned(), |jid| jid.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::notification::{
        Answer, Circumstances, CorrectionChain, Lines, Message, MessageId, Outcome, ReplyId,
        Status, ZoneOf,
    };

    #[test]
    fn one_status_message_is_corrected_in_place() {
        let first = stanza(&owed("s1", Reply::Status(Status::Calling)), "phone.example.org");
        assert_eq!(first.attr("to"), Some("alice@example.org"));
        assert_eq!(first.attr("from"), Some("bob\\40example.org@phone.example.org"));
        assert!(!first.has_child("replace", ns::CORRECT));
        assert_eq!(first.get_child("thread", ns::COMPONENT).unwrap().text(), "t1");
        assert_eq!(first.get_child("nick", ns::NICK).unwrap().text(), "Bob");

        let ringing = owed("s2", Reply::Status(Status::Ringing));
        let ringing = Owed { replaces: Some("s1".into()), ..ringing };
        let second = stanza(&ringing, "phone.example.org");
        assert!(second.has_child("no-permanent-store", ns::HINTS), "a step is not archived");
        let replace = second.get_child("replace", ns::CORRECT).unwrap();
        assert_eq!(replace.attr("id"), Some("s1"));
        assert_eq!(second.attr("id"), Some("s2"));
    }

    #[test]
    fn what_is_told_comes_from_the_address_that_was_written_to() {
        let mut owed = owed("s1", Reply::Status(Status::Ringing));
        owed.message.draft.stanza =
            owed.message.draft.stanza.replace("bob\\40example.org@phone", "bob@phone");
        let message = stanza(&owed, "phone.example.org");
        assert_eq!(message.attr("from"), Some("bob@phone.example.org"));
        // A test was asked of the component.
        let asked = owed.message.draft.stanza.replace("bob@phone.example.org", "phone.example.org");
        let asked = Draft { stanza: asked, ..owed.message.draft.clone() };
        let mut test = owed.clone();
        test.message.draft = asked;
        let message = stanza(&test, "phone.example.org");
        assert_eq!(message.attr("from"), Some("phone.example.org"));
        assert!(!message.has_child("nick", ns::NICK));
        // The server's own copy was written to the person.
        owed.message.draft.stanza =
            owed.message.draft.stanza.replace("bob@phone.example.org", "bob@example.org");
        let message = stanza(&owed, "phone.example.org");
        assert_eq!(message.attr("from"), Some("bob\\40example.org@phone.example.org"));
    }

    #[test]
    fn what_must_not_be_overlooked_is_a_message_of_its_own_that_replies() {
        let declined = Status::NotReached { outcome: Outcome::Declined, next: None };
        let news = stanza(&owed("s3", Reply::Status(declined)), "phone.example.org");
        assert_eq!(news.get_child("reply", ns::REPLY).unwrap().attr("id"), Some("m1"));
        assert!(!news.has_child("replace", ns::CORRECT) && news.has_child("store", ns::HINTS));
        let body = news.get_child("body", ns::COMPONENT).unwrap().text();
        assert!(body.starts_with("> Grüße 🙂\n> & more\n☎ Bob declined the call."), "{body}");
    }

    #[test]
    fn a_status_is_in_the_language_of_its_reader() {
        let status = Reply::Status(Status::NotReached { outcome: Outcome::Busy, next: None });
        let told = |language: &str| {
            let owed = Owed { language: Some(language.into()), ..owed("s1", status.clone()) };
            let message = stanza(&owed, "phone.example.org");
            let body = message.get_child("body", ns::COMPONENT).unwrap().text();
            body.lines().last().unwrap().to_owned()
        };
        assert_eq!(
            told("de-AT"),
            "☎ Der Anschluss von Bob ist besetzt. Ein weiterer Anruf ist nicht geplant; Ihre Nachricht bleibt aufbewahrt."
        );
        assert_eq!(
            told("ja"),
            "☎ Bob's line is busy. No further call is planned; your message stays held."
        );
    }

    #[test]
    fn an_answer_is_read_in_the_readers_language_unless_the_operator_worded_it() {
        let cases = [
            ("Bob ruft zurück.", None, "Bob will phone you back."),
            ("Bob will phone you back.", Some("de"), "Bob ruft zurück."),
            ("Bob will shout.", Some("de"), "Bob will shout."),
        ];
        for (words, language, read) in cases {
            let answer = Answer { message: MessageId(1), key: '2', words: words.into() };
            let owed = owed("a1", Reply::Answer(answer));
            let owed = Owed { language: language.map(str::to_owned), ..owed };
            let message = stanza(&owed, "phone.example.org");
            let body = message.get_child("body", ns::COMPONENT).unwrap().text();
            assert_eq!(body.lines().last(), Some(read));
        }
    }

    #[test]
    fn an_encrypted_message_is_not_quoted() {
        let answer = Answer { message: MessageId(1), key: '2', words: "Bob will call.".into() };
        let mut owed = owed("a1", Reply::Answer(answer));
        // Earlier versions stored these words in English only.
        for body in ["The message is encrypted and cannot be read aloud.", "Verschlüsselt."] {
            owed.message.draft.body = body.into();
            owed.message.draft.stanza = "<message xmlns='jabber:component:accept'><body>x</body>\
                <encryption xmlns='urn:xmpp:eme:0' namespace='x'/></message>"
                .into();
            let message = stanza(&owed, "phone.example.org");
            assert_eq!(message.get_child("body", ns::COMPONENT).unwrap().text(), "Bob will call.");
            assert!(!message.has_child("fallback", ns::FALLBACK));
        }
    }

    #[test]
    fn an_answer_points_to_the_message_and_quotes_it() {
        let words = "Bob will call you back.".to_owned();
        let answer = Answer { message: MessageId(1), key: '2', words };
        let message = stanza(&owed("a1", Reply::Answer(answer)), "phone.example.org");
        let body = message.get_child("body", ns::COMPONENT).unwrap().text();
        assert_eq!(body, "> Grüße 🙂\n> & more\nBob will call you back.");
        let reply = message.get_child("reply", ns::REPLY).unwrap();
        assert_eq!((reply.attr("to"), reply.attr("id")), (Some("alice@example.org"), Some("m1")));
        let range = message.get_child("fallback", ns::FALLBACK).unwrap();
        let range = range.get_child("body", ns::FALLBACK).unwrap();
        let end: usize = range.attr("end").unwrap().parse().unwrap();
        assert_eq!(body.chars().skip(end).collect::<String>(), "Bob will call you back.");
    }

    #[test]
    fn a_held_message_arrives_as_it_was_sent_with_its_delay() {
        let message = stanza(&owed("d1", Reply::Delivery), "phone.example.org");
        assert_eq!(message.attr("from"), Some("alice\\40example.org@phone.example.org"));
        assert_eq!(message.attr("to"), Some("bob@example.org"));
        assert_eq!(message.attr("id"), Some("m1"));
        let delays: Vec<_> = message.children().filter(|child| child.name() == "delay").collect();
        assert_eq!(delays.len(), 1, "the sender's own delay is gone");
        assert_eq!(delays[0].attr("from"), Some("phone.example.org"));
        assert_eq!(delays[0].attr("stamp"), Some("2026-11-23T09:41:00Z"));
        assert!(message.has_child("request", ns::RECEIPTS));
        assert!(!message.has_child("stanza-id", ns::STANZA_ID));
    }

    #[test]
    fn a_correction_or_retraction_names_the_id_that_its_reader_knows() {
        let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='k2'/>";
        let retract = "<retract xmlns='urn:xmpp:message-retract:1' id='k2'/>";
        let fastened = "<apply-to xmlns='urn:xmpp:fasten:0' id='k2'>\
                        <retract xmlns='urn:xmpp:message-retract:0'/></apply-to>";
        for (what, payload, known, names) in [
            ("a correction of what was never delivered", replace, None, vec![]),
            ("a correction of what the reader has", replace, Some("k1"), vec!["replace k1"]),
            ("a wording that followed a correction", "", Some("k1"), vec!["replace k1"]),
            ("a retraction", retract, Some("k1"), vec!["retract k1"]),
            ("an older retraction", fastened, Some("k1"), vec!["apply-to k1"]),
            ("a correction to nothing", replace, Some("k1"), vec!["replace k1"]),
        ] {
            let mut owed = owed("d1", Reply::Delivery);
            owed.message.draft.stanza = format!(
                "<message xmlns='jabber:component:accept' id='k3'><body>x</body>{payload}</message>"
            );
            owed.message.chain.replaces = known.map(str::to_owned);
            let message = stanza(&owed, "phone.example.org");
            let kinds = ["replace", "retract", "apply-to"];
            let named = message.children().filter(|it| kinds.contains(&it.name()));
            let named: Vec<_> = named
                .map(|it| format!("{} {}", it.name(), it.attr("id").unwrap_or_default()))
                .collect();
            assert_eq!(named, names, "{what}");
        }
    }

    #[test]
    fn a_call_that_nobody_took_and_an_invitation_are_told_at_the_next_log_in() {
        let mut owed = owed("d1", Reply::Delivery);
        let told = |owed: &Owed, payload: &str| {
            let mut owed = owed.clone();
            owed.message.draft.stanza = format!(
                "<message xmlns='jabber:component:accept' from='war@muc.example' id='k3'>{payload}</message>"
            );
            let message = stanza(&owed, "phone.example.org");
            (message.get_child("body", ns::COMPONENT).map(Element::text), message)
        };
        let propose = "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>";
        let (body, _) = told(&owed, propose);
        assert_eq!(body.as_deref(), Some("Alice tried to call you at 09:41."));
        let invite = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='carol@example.org/x'/></x>\
                      <body>You have been invited</body>";
        owed.language = Some("de".into());
        let (body, message) = told(&owed, invite);
        let words = "carol@example.org lädt Sie in den Raum war@muc.example ein.";
        assert_eq!(body.as_deref(), Some(words));
        let room = message.get_child("x", ns::CONFERENCE).unwrap().attr("jid");
        assert_eq!(room, Some("war@muc.example"));
    }

    #[test]
    fn an_answer_and_a_receipt_name_the_last_correction() {
        let answer = Answer { message: MessageId(1), key: '2', words: "Bob will call.".into() };
        let mut owed = owed("a1", Reply::Answer(answer));
        owed.message.chain.last_id = Some("k3".into());
        let message = stanza(&owed, "phone.example.org");
        assert_eq!(message.get_child("reply", ns::REPLY).unwrap().attr("id"), Some("k3"));
        owed.content = Reply::Receipt;
        let message = stanza(&owed, "phone.example.org");
        assert_eq!(message.get_child("received", ns::RECEIPTS).unwrap().attr("id"), Some("k3"));
    }

    #[test]
    fn a_receipt_names_the_message_and_is_kept_for_an_offline_sender() {
        let message = stanza(&owed("r1", Reply::Receipt), "phone.example.org");
        assert_eq!(message.get_child("received", ns::RECEIPTS).unwrap().attr("id"), Some("m1"));
        assert!(message.has_child("store", ns::HINTS));
        assert!(!message.has_child("request", ns::RECEIPTS));
    }

    pub(in crate::xmpp) fn owed(id: &str, content: Reply) -> Owed {
        let xml = "<message xmlns='jabber:component:accept' from='alice@example.org/phone' id='m1' \
            type='chat' to='bob\\40example.org@phone.example.org'><body>Grüße 🙂\n&amp; more</body>\
            <thread>t1</thread><request xmlns='urn:xmpp:receipts'/>\
            <delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/>\
            <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='forged'/></message>";
        let draft = Draft {
            stanza_id: Some("m1".into()),
            sender: "alice@example.org/phone".parse().unwrap(),
            recipient: "bob@example.org".parse().unwrap(),
            body: "Grüße 🙂\n& more".into(),
            language: None,
            wants_receipt: true,
            stanza: xml.into(),
            how: Circumstances::default(),
        };
        Owed {
            id: ReplyId(1),
            stanza_id: id.into(),
            message: Message {
                id: MessageId(1),
                received: "2026-11-23T09:41:00Z".parse().unwrap(),
                draft,
                status_stanza_id: "s1".into(),
                chain: CorrectionChain::default(),
            },
            callee_name: "Bob".into(),
            since: "2026-11-23T09:42:00Z".parse().unwrap(),
            language: None,
            zone: TimeZone::UTC,
            zone_of: ZoneOf::Reader,
            replaces: None,
            lines: Lines::ONE,
            content,
        }
    }
}
