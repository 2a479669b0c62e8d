//! What is owed, as a stanza.

use minidom::Element;
use xmpp_parsers::jid::BareJid;

use crate::notification::{Draft, Owed, Reply};
use crate::xmpp::privilege::Grants;
use crate::xmpp::relay::readdressed;
use crate::xmpp::stanza::{self, element};
use crate::xmpp::{address, intake, ns, voice, wording};

/// The stanza that pays what is owed, by the way that serves its reader best: an answer to what was written to the
/// callee himself comes from him, where his server lets us.
pub fn delivered(owed: &Owed, component: &str, grants: &Grants) -> Element {
    let message = stanza(owed, component);
    let draft = &owed.message.draft;
    let is_his = matches!(owed.content, Reply::Answer(_) | Reply::Voice(_) | Reply::Receipt);
    let was_to_him = draft.how.handed_over.is_some() && {
        let original: Option<Element> = draft.stanza.parse().ok();
        let from = original.as_ref().and_then(stanza::from);
        from.is_some_and(|from| from.domain().as_str() != component)
    };
    if is_his && was_to_him {
        grants.in_the_name_of(&draft.recipient, message, component)
    } else {
        message
    }
}

/// Makes the stanza that pays what is owed.
///
/// Contract: the same `owed` gives the same stanza with the same `id`, so that paying twice is seen to be the same.
/// Source:   XEP-0308 §3 (status), XEP-0461 §3 and XEP-0428 §3 (answer), XEP-0184 §5 (receipt), XEP-0203 §3 (delivery).
pub fn stanza(owed: &Owed, component: &str) -> Element {
    let draft = &owed.message.draft;
    let language = owed.language.as_deref();
    let callee = address_of(&draft.recipient, component);
    let sender = draft.sender.to_bare();
    match &owed.content {
        Reply::Status(status) => {
            let words = wording::status(language, *status, owed);
            let mut message = notice(&callee, sender.as_str(), &owed.stanza_id, &words);
            let first = &owed.message.status_stanza_id;
            if *first != owed.stanza_id {
                message.append_child(element("replace", ns::CORRECT, &[("id", first)]));
            }
            in_thread(message, owed)
        }
        Reply::Answer(answer) => {
            let words = wording::answer(language, &answer.words, &owed.callee_name);
            in_thread(answered(owed, &callee, &sender, &words), owed)
        }
        Reply::Voice(news) => in_thread(voice::stanza(news, owed, &callee, &sender), owed),
        Reply::Receipt => {
            let mut message = stanza::stanza(
                "message",
                &[
                    ("from", &callee),
                    ("to", sender.as_str()),
                    ("id", &owed.stanza_id),
                    ("type", "chat"),
                ],
            );
            let of = draft.stanza_id.as_deref().unwrap_or_default();
            let asked: Option<Element> = draft.stanza.parse().ok();
            let asks = |name: &str, namespace: &str| {
                asked.as_ref().is_some_and(|asked| asked.has_child(name, namespace))
            };
            if asks("request", ns::RECEIPTS) || asked.is_none() {
                message.append_child(element("received", ns::RECEIPTS, &[("id", of)]));
            }
            // Somebody has heard it to its end, which is what "displayed" means on a screen.
            if asks("markable", ns::MARKERS) {
                message.append_child(element("displayed", ns::MARKERS, &[("id", of)]));
            }
            // Without a body, only this hint makes a server keep it for a sender who is offline by now.
            message.append_child(Element::bare("store", ns::HINTS));
            message
        }
        Reply::Delivery => delivery(owed, component),
        Reply::CallsSwitchedOff => notice(
            component,
            draft.recipient.as_str(),
            &owed.stanza_id,
            &wording::calls_switched_off(language),
        ),
        Reply::SetAside => notice(
            component,
            draft.recipient.as_str(),
            &owed.stanza_id,
            &wording::set_aside(language, sender.as_str()),
        ),
    }
}

/// A message in which Offhook itself speaks, marked as such.
pub fn notice(from: &str, to: &str, id: &str, words: &str) -> Element {
    let mut message = stanza::chat(from, to, id, words);
    message.append_child(Element::bare("notice", ns::NOTICE));
    message
}

pub(super) fn answered(owed: &Owed, callee: &str, sender: &BareJid, words: &str) -> Element {
    let draft = &owed.message.draft;
    let Some(of) = &draft.stanza_id else {
        return notice(callee, sender.as_str(), &owed.stanza_id, words);
    };
    // What only its recipient can read is not quoted; the body is ours then.
    let original = original(draft);
    let is_encrypted = original.is_some_and(|message| intake::is_encrypted(&message));
    let quote = if is_encrypted { String::new() } else { quoted(&draft.body) };
    let mut message = notice(callee, sender.as_str(), &owed.stanza_id, &format!("{quote}{words}"));
    message.append_child(element("reply", ns::REPLY, &[("to", sender.as_str()), ("id", of)]));
    if !quote.is_empty() {
        let mut fallback = element("fallback", ns::FALLBACK, &[("for", ns::REPLY)]);
        // Counted in code points, from the start of the body (XEP-0426 §4.1).
        let end = quote.chars().count().to_string();
        fallback.append_child(element("body", ns::FALLBACK, &[("start", "0"), ("end", &end)]));
        message.append_child(fallback);
    }
    message
}

fn delivery(owed: &Owed, component: &str) -> Element {
    let draft = &owed.message.draft;
    let original =
        original(draft).unwrap_or_else(|| stanza::chat("", "", &owed.stanza_id, &draft.body));
    let sender = draft.sender.to_bare();
    let mut message =
        readdressed(&original, &address_of(&sender, component), &draft.recipient, component);
    let id = draft.stanza_id.as_ref().unwrap_or(&owed.stanza_id);
    stanza::set(&mut message, "id", id);
    // A message that was corrected before it was delivered has never been read in its first wording.
    stanza::strip(&mut message, |child| child.is("replace", ns::CORRECT));
    let stamp = owed.message.received.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    message.append_child(element("delay", ns::DELAY, &[("from", component), ("stamp", &stamp)]));
    message
}

fn in_thread(mut message: Element, owed: &Owed) -> Element {
    let thread = original(&owed.message.draft)
        .and_then(|it| it.get_child("thread", ns::COMPONENT).map(Element::text));
    if let Some(thread) = thread.filter(|thread| !thread.is_empty()) {
        message.append_child(stanza::text("thread", ns::COMPONENT, &thread));
    }
    message
}

fn original(draft: &Draft) -> Option<Element> {
    draft.stanza.parse().ok()
}

/// The message as a quotation, each line marked.
fn quoted(body: &str) -> String {
    let cut = body.char_indices().nth(QUOTE_CHARS_MAX).map_or(body.len(), |(at, _)| at);
    let (shown, more) = body.split_at(cut);
    let mut quote = String::new();
    for line in shown.lines() {
        quote.push_str("> ");
        quote.push_str(&stanza::printable(line));
        quote.push('\n');
    }
    if !more.is_empty() && quote.pop().is_some() {
        quote.push_str("…\n");
    }
    quote
}

fn address_of(person: &BareJid, component: &str) -> String {
    // A JID too long for a node cannot be written to; the component speaks in its place.
    address::contact(person, component).map_or_else(|| component.to_owned(), |jid| jid.to_string())
}

const QUOTE_CHARS_MAX: usize = 300;

#[cfg(test)]
pub(super) mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::notification::{
        Answer, Circumstances, Message, MessageId, Outcome, ReplyId, Status,
    };

    #[test]
    fn one_status_message_is_corrected_in_place() {
        let first = stanza(&owed("s1", Reply::Status(Status::Calling)), "phone.example.org");
        assert_eq!(first.attr("to"), Some("alice@example.org"));
        assert_eq!(first.attr("from"), Some("bob\\40example.org@phone.example.org"));
        assert!(!first.has_child("replace", ns::CORRECT));
        assert_eq!(first.get_child("thread", ns::COMPONENT).unwrap().text(), "t1");

        let second = stanza(&owed("s2", Reply::Status(Status::Ringing)), "phone.example.org");
        let replace = second.get_child("replace", ns::CORRECT).unwrap();
        assert_eq!(replace.attr("id"), Some("s1"));
        assert_eq!(second.attr("id"), Some("s2"));
    }

    #[test]
    fn whoever_reads_german_is_told_in_german() {
        let status = Reply::Status(Status::NotReached { outcome: Outcome::Busy, next: None });
        let told = |language: &str| {
            let owed = Owed { language: Some(language.into()), ..owed("s1", status.clone()) };
            let message = stanza(&owed, "phone.example.org");
            message.get_child("body", ns::COMPONENT).unwrap().text()
        };
        assert_eq!(
            told("de-AT"),
            "Der Anschluss von Bob ist besetzt. Ein weiterer Anruf ist nicht geplant; Ihre Nachricht bleibt aufbewahrt."
        );
        assert_eq!(
            told("ja"),
            "Bob's line is busy. No further call is planned; your message stays held."
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
    fn what_could_not_be_read_is_not_quoted() {
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
    fn a_receipt_names_the_message_and_is_kept_for_an_offline_sender() {
        let message = stanza(&owed("r1", Reply::Receipt), "phone.example.org");
        assert_eq!(message.get_child("received", ns::RECEIPTS).unwrap().attr("id"), Some("m1"));
        assert!(message.has_child("store", ns::HINTS));
        assert!(!message.has_child("request", ns::RECEIPTS));
    }

    #[test]
    fn a_long_quotation_is_cut() {
        let quote = quoted(&"a".repeat(1000));
        assert!(quote.ends_with("a…\n"));
        assert_eq!(quote.chars().count(), 2 + QUOTE_CHARS_MAX + 2);
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
            },
            callee_name: "Bob".into(),
            since: "2026-11-23T09:42:00Z".parse().unwrap(),
            language: None,
            zone: TimeZone::UTC,
            content,
        }
    }
}
