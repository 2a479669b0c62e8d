//! Messages in which Offhook itself speaks.

use minidom::Element;
use xmpp_parsers::jid::BareJid;

use crate::notification::Owed;
use crate::xmpp::stanza::{self, element};
use crate::xmpp::{intake, ns};

/// A chat message, marked as said by Offhook.
pub(super) fn notice(from: &str, to: &str, id: &str, words: &str) -> Element {
    let mut message = stanza::chat(from, to, id, words);
    message.append_child(Element::bare("notice", ns::NOTICE));
    message
}

/// A notice that replies to the sender's message and quotes it.
///
/// Source: XEP-0461 §3, XEP-0428 §3.
pub(super) fn quoting_reply(owed: &Owed, callee: &str, sender: &BareJid, words: &str) -> Element {
    let draft = &owed.message.draft;
    let Some(of) = owed.message.last_id() else {
        return notice(callee, sender.as_str(), &owed.stanza_id, words);
    };
    // The body of an encrypted message is a sentence of ours, and is not quoted.
    let original: Option<Element> = draft.stanza.parse().ok();
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

/// The text as a quotation, each line marked.
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

const QUOTE_CHARS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_quotation_is_cut() {
        let quote = quoted(&"a".repeat(1000));
        assert!(quote.ends_with("a…\n"));
        assert_eq!(quote.chars().count(), 2 + QUOTE_CHARS_MAX + 2);
    }
}
