//! The spoken text of a message: without quotations that clients repeat, and files named by their kind.

use minidom::Element;

use crate::wording::{phrase, worded_in};
use crate::xmpp::{ns, stanza};

/// The text and its language; of several bodies, the one without a language of its own.
///
/// Source: RFC 6121 §5.2.3 (languages), XEP-0428 §3 with XEP-0426 §4.1 (what only repeats a message that is replied to),
///         XEP-0066 §3, XEP-0385 §3 and XEP-0447 §3 (files).
pub(super) fn text(message: &Element) -> Option<(String, Option<String>)> {
    let bodies = || message.children().filter(|child| child.is("body", ns::COMPONENT));
    let plain = bodies().find(|body| stanza::language(body).is_none());
    let body = plain.or_else(|| bodies().next())?;
    let text = without_repetition(message, &body.text());
    let language = stanza::language(body).or_else(|| stanza::language(message));
    if let Some(kind) = attachment(message, text.trim()) {
        let words = phrase(language, kind, &[]);
        return Some((words, Some(worded_in(language).to_owned())));
    }
    if text.trim().is_empty() {
        return None;
    }
    Some((text, language.map(str::to_owned)))
}

/// The text without the quotation for clients that know no replies.
fn without_repetition(message: &Element, text: &str) -> String {
    let fallback = message
        .children()
        .find(|child| child.is("fallback", ns::FALLBACK) && child.attr("for") == Some(ns::REPLY));
    let range = fallback.and_then(|it| it.get_child("body", ns::FALLBACK)).and_then(|body| {
        let number = |name| body.attr(name).and_then(|it: &str| it.parse::<usize>().ok());
        Some((number("start")?, number("end")?))
    });
    let Some((start, end)) = range.filter(|(start, end)| start < end) else {
        return text.to_owned();
    };
    // Counted in code points. A range that leaves nothing is a mistake and is ignored.
    let kept: String = text
        .chars()
        .enumerate()
        .filter(|(at, _)| *at < start || *at >= end)
        .map(|(_, c)| c)
        .collect();
    if kept.trim().is_empty() { text.to_owned() } else { kept }
}

/// Whether the text of a message is our own sentence, in this language, for a file that was sent.
pub(super) fn is_name_of_a_file(text: &str, language: &str) -> bool {
    FILES.iter().any(|id| phrase(Some(language), id, &[]) == text)
}

const FILES: [&str; 4] =
    ["attachment-audio", "attachment-image", "attachment-video", "attachment-file"];

/// The sentence for a message that is only a file.
fn attachment(message: &Element, text: &str) -> Option<&'static str> {
    let oob = message.get_child("x", ns::OOB).and_then(|oob| oob.get_child("url", ns::OOB));
    let url = oob.map(Element::text).unwrap_or_default();
    let sharing = message.get_child("file-sharing", ns::FILE_SHARING);
    let is_file = !url.is_empty() && (text.is_empty() || text == url.trim())
        || sharing.is_some()
            && (text.is_empty() || text.starts_with("https://") && !text.contains(' '));
    if !is_file {
        return None;
    }
    let declared = sharing
        .and_then(|sharing| sharing.get_child("file", ns::FILE_METADATA))
        .and_then(|file| file.get_child("media-type", ns::FILE_METADATA))
        .map(Element::text);
    let path = if url.is_empty() { text } else { url.trim() };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let extension =
        path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let kind =
        declared.as_deref().and_then(|it| it.split('/').next()).unwrap_or(match &*extension {
            "mp3" | "m4a" | "ogg" | "oga" | "opus" | "wav" | "flac" | "aac" => "audio",
            "jpg" | "jpeg" | "png" | "gif" | "webp" | "heic" | "avif" | "svg" => "image",
            "mp4" | "webm" | "mov" | "mkv" | "3gp" => "video",
            _ => "",
        });
    Some(match kind {
        "audio" => "attachment-audio",
        "image" => "attachment-image",
        "video" => "attachment-video",
        _ => "attachment-file",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_and_quotations_left_out() {
        let oob =
            |url: &str| format!("<body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>");
        let sharing = "<body>https://u.example/x</body><file-sharing xmlns='urn:xmpp:sfs:0'>\
                       <file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type></file></file-sharing>";
        let reply = |range: &str| {
            format!(
                "<body>&gt; Grüße 🙂\n&gt; Bis dann\nYes, at ten.</body><reply xmlns='urn:xmpp:reply:0' id='1'/>\
                 <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body {range}/></fallback>"
            )
        };
        let cases = [
            (oob("https://u.example/a/voice.m4a"), "A voice message or another sound."),
            (oob("https://u.example/a/Photo.JPG?x=1"), "A picture."),
            (oob("https://u.example/a/clip.webm"), "A video."),
            (oob("https://u.example/a/list"), "A file."),
            (sharing.to_owned(), "A picture."),
            ("<body>See https://u.example/a.jpg</body>".into(), "See https://u.example/a.jpg"),
            (reply("start='0' end='21'"), "Yes, at ten."),
            (reply("start='0' end='999'"), "> Grüße 🙂\n> Bis dann\nYes, at ten."),
            (reply("start='9' end='1'"), "> Grüße 🙂\n> Bis dann\nYes, at ten."),
            (reply("start='x'"), "> Grüße 🙂\n> Bis dann\nYes, at ten."),
            ("<body> </body>".into(), ""),
            (String::new(), ""),
        ];
        for (payload, said) in cases {
            let message: Element =
                format!("<message xmlns='jabber:component:accept'>{payload}</message>")
                    .parse()
                    .unwrap();
            let spoken = text(&message).map(|(text, _)| text).unwrap_or_default();
            assert_eq!(spoken, said, "{payload}");
        }
    }
}
