//! The spoken text of a message: without quotations that clients repeat, and files named by their kind.

use minidom::Element;

use crate::wording::{phrase, worded_in};
use crate::xmpp::html::without_tags;
use crate::xmpp::{ns, stanza};

/// The text and its language; of several bodies, the one in the reader's language, else the one without a language of its
/// own. A subject goes before it, or stands for it.
///
/// Source: RFC 6121 §5.2.3 (languages) and §5.2.4 (subject), XEP-0428 §3 with XEP-0426 §4.1 (what only repeats a message
///         that is replied to), XEP-0066 §3, XEP-0385 §3 and XEP-0447 §3 (files).
pub(super) fn text(message: &Element, reader: Option<&str>) -> Option<(String, Option<String>)> {
    let body = chosen(message, "body", reader);
    let subject = chosen(message, "subject", reader).map(Element::text).unwrap_or_default();
    let subject = Some(subject.trim()).filter(|it| !is_blank(it));
    let Some(body) = body.filter(|body| !is_blank(&body.text())) else {
        let language = stanza::language(message).map(str::to_owned);
        let is_corrected = message.has_child("replace", ns::CORRECT);
        return subject.filter(|_| !is_corrected).map(|it| (it.to_owned(), language));
    };
    let language = stanza::language(body).or_else(|| stanza::language(message));
    let say = |id: &str| phrase(language, id, &[]);
    let own = Some(worded_in(language).to_owned());
    let whole = body.text();
    if is_stand_in(message) {
        return Some((say("message-of-another-kind"), own));
    }
    let text = without_fallback(message, &whole);
    if let Some(kind) = attachment(message, whole.trim()) {
        return Some((say(kind), own));
    }
    if text.trim().starts_with("geo:") && !text.trim().contains(char::is_whitespace) {
        return Some((say("attachment-location"), own));
    }
    let text = without_tags(&text).unwrap_or(text);
    let caption = file_kind(message).map(say);
    let before = subject.filter(|subject| !text.trim().starts_with(subject));
    let mut parts: Vec<&str> = before.into_iter().chain([text.as_str()]).collect();
    parts.extend(caption.as_deref());
    Some((parts.join("\n"), language.map(str::to_owned)))
}

/// Whether there is nothing to be seen in a text.
pub(super) fn is_blank(text: &str) -> bool {
    let is_unseen = |it: char| {
        it.is_whitespace()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().all(is_unseen)
}

fn chosen<'m>(message: &'m Element, name: &str, reader: Option<&str>) -> Option<&'m Element> {
    let all = || message.children().filter(|child| child.is(name, ns::COMPONENT));
    let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let of_reader = reader.and_then(|reader| {
        all().find(|it| stanza::language(it).is_some_and(|tag| primary(tag) == primary(reader)))
    });
    of_reader
        .or_else(|| all().find(|body| stanza::language(body).is_none()))
        .or_else(|| all().next())
}

/// Whether the whole body only stands in for something that is not known here.
fn is_stand_in(message: &Element) -> bool {
    message.children().any(|it| {
        let of_what = it.attr("for").unwrap_or_default();
        let is_whole =
            it.get_child("body", ns::FALLBACK).is_some_and(|it| it.attr("start").is_none());
        it.is("fallback", ns::FALLBACK) && is_whole && !REPEATED.contains(&of_what)
    })
}

/// The text without what it only repeats for clients that know no replies or no files.
fn without_fallback(message: &Element, text: &str) -> String {
    let ranges = message.children().filter(|child| {
        let of_what = child.attr("for").unwrap_or_default();
        child.is("fallback", ns::FALLBACK) && REPEATED.contains(&of_what)
    });
    let ranges = ranges.filter_map(|it| it.get_child("body", ns::FALLBACK)).filter_map(|body| {
        let number = |name| body.attr(name).and_then(|it: &str| it.parse::<usize>().ok());
        Some((number("start")?, number("end")?)).filter(|(start, end)| start < end)
    });
    let ranges: Vec<(usize, usize)> = ranges.collect();
    // Counted in code points. Ranges that leave nothing are a mistake and are ignored.
    let is_kept = |at: usize| ranges.iter().all(|(start, end)| at < *start || at >= *end);
    let kept: String =
        text.chars().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, c)| c).collect();
    if is_blank(&kept) { text.to_owned() } else { kept }
}

/// Whether the text of a message is our own sentence, in this language, for a file that was sent.
pub(super) fn is_name_of_a_file(text: &str, language: &str) -> bool {
    FILES.iter().any(|id| phrase(Some(language), id, &[]) == text)
}

const FILES: [&str; 4] =
    ["attachment-audio", "attachment-image", "attachment-video", "attachment-file"];

/// The sentence for a message that is only a file.
fn attachment(message: &Element, text: &str) -> Option<&'static str> {
    let url = shared_url(message);
    let is_file = !url.is_empty() && (text.is_empty() || text == url)
        || shared_file(message).is_some()
            && (text.is_empty()
                || text.starts_with("https://") && !text.contains(char::is_whitespace));
    is_file.then(|| kind_of(message, if url.is_empty() { text } else { &url }))
}

/// The sentence for the file that goes with a text.
fn file_kind(message: &Element) -> Option<&'static str> {
    shared_file(message)?;
    Some(kind_of(message, &shared_url(message)))
}

fn shared_url(message: &Element) -> String {
    let oob = message.get_child("x", ns::OOB).and_then(|oob| oob.get_child("url", ns::OOB));
    oob.map(Element::text).unwrap_or_default().trim().to_owned()
}

/// What is said of a file, in the newer form or in the one before.
fn shared_file(message: &Element) -> Option<&Element> {
    let shared = message.get_child("file-sharing", ns::FILE_SHARING);
    let older = message
        .children()
        .filter(|it| it.is("reference", ns::REFERENCE))
        .find_map(|it| it.get_child("media-sharing", ns::MEDIA_SHARING));
    shared.or(older)
}

fn kind_of(message: &Element, url: &str) -> &'static str {
    let file = shared_file(message).and_then(|it| it.children().find(|it| it.name() == "file"));
    let declared = file.and_then(|it| it.children().find(|it| it.name() == "media-type"));
    let declared = declared.map(Element::text);
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension =
        path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let kind =
        declared.as_deref().and_then(|it| it.split('/').next()).unwrap_or(match &*extension {
            "mp3" | "m4a" | "ogg" | "oga" | "opus" | "wav" | "flac" | "aac" => "audio",
            "jpg" | "jpeg" | "png" | "gif" | "webp" | "heic" | "avif" | "svg" => "image",
            "mp4" | "webm" | "mov" | "mkv" | "3gp" => "video",
            _ => "",
        });
    match kind {
        "audio" => "attachment-audio",
        "image" => "attachment-image",
        "video" => "attachment-video",
        _ => "attachment-file",
    }
}

/// Extensions whose part of a body repeats what stands elsewhere.
const REPEATED: [&str; 4] = [ns::REPLY, ns::FILE_SHARING, ns::MEDIA_SHARING, ns::OOB];

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
            ("<body>\u{200b}\u{feff}</body>".into(), ""),
            ("<body>geo:52.516275,13.377704;u=12</body>".into(), "A location."),
            ("<subject>Fire alarm in hall 3</subject><body>Call back.</body>".into(), "Fire alarm in hall 3\nCall back."),
            ("<subject>Fire</subject><body>Fire in hall 3</body>".into(), "Fire in hall 3"),
            ("<subject>Fire alarm in hall 3</subject>".into(), "Fire alarm in hall 3"),
            ("<body>&lt;b&gt;Down&lt;/b&gt;&lt;br&gt;now</body>".into(), "Down\nnow"),
            ("<body xml:lang='en'>The lift</body><body xml:lang='de'>Der Aufzug</body>".into(), "Der Aufzug"),
            (
                "<body>https://u.example/x</body><reference xmlns='urn:xmpp:reference:0' type='data'>\
                 <media-sharing xmlns='urn:xmpp:sims:1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:5'>\
                 <media-type>image/jpeg</media-type></file></media-sharing></reference>".into(),
                "A picture.",
            ),
            (
                "<body>The lift https://u.example/x</body><file-sharing xmlns='urn:xmpp:sfs:0'>\
                 <file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type></file></file-sharing>\
                 <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body start='8' end='29'/></fallback>".into(),
                "The lift\nA picture.",
            ),
            (
                "<body>Poll: 1, 2</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:x:poll'><body/></fallback>".into(),
                "A message of a kind that is only shown in the chat.",
            ),
            (String::new(), ""),
        ];
        for (payload, said) in cases {
            let message: Element =
                format!("<message xmlns='jabber:component:accept'>{payload}</message>")
                    .parse()
                    .unwrap();
            let spoken = text(&message, Some("de")).map(|(text, _)| text).unwrap_or_default();
            assert_eq!(spoken, said, "{payload}");
        }
    }
}
