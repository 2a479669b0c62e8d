//! Voice replies as stanzas: a line of text that quotes the message, then a message with the file alone, which clients play
//! inline.

use minidom::Element;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::message::Id;
use xmpp_parsers::message_correct::Replace;
use xmpp_parsers::oob::Oob;

use crate::notification::{Owed, VoiceFile, VoiceNews};
use crate::xmpp::notice::{notice, quoting_reply};
use crate::xmpp::stanza::{element, text};
use crate::xmpp::{ns, wording};

/// The stanza for one event of a voice reply.
///
/// Source: XEP-0066 §3 (OOB), XEP-0447 §3 (SFS), XEP-0461 §3, XEP-0308 §3.
pub(super) fn stanza(news: &VoiceNews, owed: &Owed, callee: &str, sender: &BareJid) -> Element {
    let words = wording::voice(owed.language.as_deref(), news, &owed.callee_name);
    match news {
        VoiceNews::File(voice) => file(voice, owed, callee, sender),
        VoiceNews::Transcript { of, .. } => {
            let mut message = quoting_reply(owed, callee, sender, &words);
            message.append_child(Replace { id: Id(of.clone()) }.into());
            message
        }
        VoiceNews::Note { .. } | VoiceNews::Late(_) | VoiceNews::NoWay(_) => {
            quoting_reply(owed, callee, sender, &words)
        }
    }
}

/// The body is the link and nothing else: with any other word, clients show text instead of a player. No reference to it
/// (XEP-0385) either, which Converse.js takes for the name of a person.
fn file(file: &VoiceFile, owed: &Owed, callee: &str, sender: &BareJid) -> Element {
    let mut message = notice(callee, sender.as_str(), &owed.stanza_id, &file.url);
    message.append_child(Oob { url: file.url.clone(), desc: None }.into());

    let mut sharing = element("file-sharing", ns::FILE_SHARING, &[("disposition", "inline")]);
    sharing.append_child(metadata(file));
    let mut sources = Element::bare("sources", ns::FILE_SHARING);
    sources.append_child(element("url-data", ns::URL_DATA, &[("target", &file.url)]));
    sharing.append_child(sources);
    message.append_child(sharing);

    let mut fallback = element("fallback", ns::FALLBACK, &[("for", ns::FILE_SHARING)]);
    fallback.append_child(Element::bare("body", ns::FALLBACK));
    message.append_child(fallback);
    if let Some(of) = owed.message.last_id() {
        message.append_child(element("reply", ns::REPLY, &[("to", sender.as_str()), ("id", of)]));
    }
    message
}

fn metadata(file: &VoiceFile) -> Element {
    let mut about = Element::bare("file", ns::FILE_METADATA);
    let (size, length) = (file.octets.to_string(), file.length.as_millis().to_string());
    for (name, value) in [
        ("media-type", file.media_type.as_str()),
        ("name", file.file_name.as_str()),
        ("size", size.as_str()),
        ("length", length.as_str()),
    ] {
        about.append_child(text(name, ns::FILE_METADATA, value));
    }
    about
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::notification::Reply;
    use crate::xmpp::reply;
    use crate::xmpp::reply::tests::owed;

    const LENGTH: Duration = Duration::from_millis(14_020);

    #[test]
    fn the_file_stands_alone_and_points_to_the_message() {
        let url = "https://upload.example.org/a/voice.mp3".to_owned();
        let file = VoiceFile {
            url: url.clone(),
            file_name: "voice.mp3".into(),
            media_type: "audio/mpeg".into(),
            octets: 56_080,
            length: LENGTH,
        };
        let message = stanza_of(VoiceNews::File(file));
        assert_eq!(message.get_child("body", ns::COMPONENT).unwrap().text(), url);
        let oob = message.get_child("x", ns::OOB).unwrap();
        assert_eq!(oob.get_child("url", ns::OOB).unwrap().text(), url);
        let sharing = message.get_child("file-sharing", ns::FILE_SHARING).unwrap();
        assert_eq!(sharing.attr("disposition"), Some("inline"));
        let about = sharing.get_child("file", ns::FILE_METADATA).unwrap();
        let of = |name| about.get_child(name, ns::FILE_METADATA).unwrap().text();
        assert_eq!([of("media-type"), of("size"), of("length")], ["audio/mpeg", "56080", "14020"]);
        assert!(!message.has_child("reference", ns::REFERENCE), "shown as a name, not played");
        assert_eq!(message.get_child("reply", ns::REPLY).unwrap().attr("id"), Some("m1"));
        assert_eq!(message.get_child("thread", ns::COMPONENT).unwrap().text(), "t1");
    }

    #[test]
    fn the_note_is_an_answer_and_a_transcript_is_added_to_it() {
        let note = stanza_of(VoiceNews::Note { length: LENGTH, cut: true });
        let body = note.get_child("body", ns::COMPONENT).unwrap().text();
        assert!(body.ends_with("Voice answer from Bob, 14 s. The call broke off."), "{body}");
        assert!(note.has_child("reply", ns::REPLY));
        let text = "I am on my way.".to_owned();
        let of = "n1".to_owned();
        let transcript = stanza_of(VoiceNews::Transcript { length: LENGTH, cut: false, text, of });
        let body = transcript.get_child("body", ns::COMPONENT).unwrap().text();
        assert!(body.ends_with("Voice answer from Bob, 14 s. Probably: I am on my way."), "{body}");
        assert_eq!(transcript.get_child("replace", ns::CORRECT).unwrap().attr("id"), Some("n1"));
    }

    fn stanza_of(news: VoiceNews) -> Element {
        reply::stanza(&owed("v1", Reply::Voice(news)), "phone.example.org")
    }
}
