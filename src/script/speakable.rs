//! Chat text as a person would read it aloud.

use linkify::{LinkFinder, LinkKind};

use crate::speech::spoken_text::{EmojiNames, Written, line_kind, spoken, without_list_mark};
use crate::wording::{phrase, worded_in};

/// Turns the body of a chat message into what is said on the phone, at most `chars_max` characters of it.
///
/// Links are named by their host, quotes, code and lines of a log are not read, marks of styling are removed, emoji are
/// named once. What stands for the rest is said in `language`.
///
/// Contract: the result is still the text of a remote party; `speech` makes it harmless.
/// Errors:   `None` if nothing in it can be said.
/// Source:   XEP-0393 §3 (blocks, spans), XEP-0245 §3 (`/me`).
pub fn speakable(body: &str, chars_max: usize, language: Option<&str>) -> Option<String> {
    let start = body
        .char_indices()
        .nth(INPUT_FACTOR * chars_max.max(100))
        .map_or(body, |(end, _)| &body[..end]);
    let start = start.strip_prefix("/me ").unwrap_or(start);
    let sayable = |text: &String| text.chars().any(char::is_alphanumeric);
    let said = Some(written(start, language))
        .filter(sayable)
        .or_else(|| Some(quoted(start, language)).filter(sayable))?;
    Some(cut_as_spoken(said, chars_max, language))
}

/// The sender's own words.
fn written(body: &str, language: Option<&str>) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut emoji = EmojiNames::new(language);
    let mut in_code = false;
    for line in body.lines() {
        let named = if line.starts_with("```") {
            in_code = !in_code;
            if in_code { "spoken-code" } else { continue }
        } else if in_code || line.starts_with('>') {
            continue;
        } else {
            match line_kind(line) {
                Written::ForPeople => {
                    said.push(say_line(without_list_mark(line), &mut emoji, language));
                    continue;
                }
                Written::AsCode => "spoken-code",
                Written::AsLog => "spoken-log",
            }
        };
        let instead = phrase(language, named, &[]);
        // Said once for all lines in a row.
        if said.last() != Some(&instead) {
            said.push(instead);
        }
    }
    join(said)
}

/// The words that the sender quotes, for a message without own words.
fn quoted(body: &str, language: Option<&str>) -> String {
    let quotes = body.lines().filter_map(|line| line.strip_prefix('>'));
    let mut emoji = EmojiNames::new(language);
    let said =
        quotes.map(|line| say_line(line.trim_start_matches(['>', ' ']), &mut emoji, language));
    join(said.collect())
}

/// Lines are read as sentences, so that a list does not run together.
fn join(lines: Vec<String>) -> String {
    let mut joined = String::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if !joined.is_empty() && !joined.ends_with(['.', '!', '?', ':', ';', ',']) {
            joined.push('.');
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
    }
    joined
}

fn say_line(line: &str, emoji: &mut EmojiNames<'_>, language: Option<&str>) -> String {
    let mut said = String::new();
    for span in LinkFinder::new().spans(line) {
        match span.kind() {
            Some(LinkKind::Url) => said.push_str(&say_link(span.as_str(), language)),
            Some(LinkKind::Email) => said.push_str(span.as_str()),
            Some(_) | None => said.push_str(&without_marks(&emoji.named(span.as_str()))),
        }
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn say_link(url: &str, language: Option<&str>) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host =
        host.split(':').next().unwrap_or_default().trim_start_matches("www.").trim_end_matches('.');
    let readable =
        !host.is_empty() && !host.contains("xn--") && host.chars().count() <= HOST_CHARS_MAX;
    if readable {
        let host = spoken_domain(host, language);
        phrase(language, "spoken-link-to", &[("host", (&host).into())])
    } else {
        phrase(language, "spoken-link", &[])
    }
}

/// A domain as one says it: "example dot org".
pub(super) fn spoken_domain(domain: &str, language: Option<&str>) -> String {
    domain.replace('.', &format!(" {} ", phrase(language, "spoken-dot", &[])))
}

/// Takes away the marks of *strong*, _emphasis_, ~strike~ and `code` where they come in pairs around words.
fn without_marks(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut dropped = vec![false; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let mark = chars[at];
        let at_word_start = at == 0 || dropped[at - 1] || !chars[at - 1].is_alphanumeric();
        let opens = MARKS.contains(&mark)
            && at_word_start
            && chars.get(at + 1).is_some_and(|next| !next.is_whitespace());
        let closing = (at + 2..chars.len())
            .find(|&end| chars[end] == mark && !chars[end - 1].is_whitespace());
        if let (true, Some(end)) = (opens && !dropped[at], closing) {
            (dropped[at], dropped[end]) = (true, true);
            if mark == '`' {
                at = end;
            }
        }
        at += 1;
    }
    chars.iter().zip(dropped).filter(|(_, dropped)| !dropped).map(|(c, _)| c).collect()
}

/// Ends a long text after a whole word, and says so.
fn cut(mut said: String, chars_max: usize, language: Option<&str>) -> String {
    if let Some((end, _)) = said.char_indices().nth(chars_max) {
        // The word that the limit falls in goes, unless it is all there is.
        let after_word = said[end..].starts_with(' ');
        let end = if after_word { end } else { said[..end].rfind(' ').unwrap_or(end) };
        said.truncate(end);
        let kept = said.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
        said.truncate(kept);
        said.push_str(". ");
        said.push_str(&phrase(language, "spoken-rest", &[]));
    }
    said
}

/// What is said may be longer than what was written: "0171" is four words. What the voice would leave out is not read.
fn cut_as_spoken(said: String, chars_max: usize, language: Option<&str>) -> String {
    let length = |text: &str| spoken(text, worded_in(language)).chars().count();
    let mut cut_at = chars_max;
    let mut whole = cut(said.clone(), cut_at, language);
    while length(&whole) > SPOKEN_CHARS_MAX && cut_at > 1 {
        cut_at = cut_at.min(said.chars().count()) * 4 / 5;
        whole = cut(said.clone(), cut_at, language);
    }
    whole
}

/// How much of the body is looked at, in limits of what is said: links and quotes shrink.
const INPUT_FACTOR: usize = 8;
const HOST_CHARS_MAX: usize = 50;
/// A little less than the voice takes at once.
const SPOKEN_CHARS_MAX: usize = 950;
const MARKS: [char; 4] = ['*', '_', '~', '`'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_message_is_told_as_one_would_tell_it() {
        let cases = [
            ("words", "Hello Bob, are you there?", Some("Hello Bob, are you there?")),
            ("lines", "Please bring:\nmilk\n\nbread", Some("Please bring: milk. bread")),
            (
                "a link",
                "look https://www.example.org:443/a/b?c=d#e!",
                Some("look a link to example dot org!"),
            ),
            (
                "a link with a name in it",
                "http://bob:secret@example.org/",
                Some("a link to example dot org"),
            ),
            ("a link in an unreadable script", "https://xn--bcher-kva.example/", Some("a link")),
            ("an address", "write to alice@example.org", Some("write to alice@example.org")),
            (
                "emoji among words",
                "see you 👋🏽 soon 🎉",
                Some("see you, waving hand, soon, party popper"),
            ),
            ("only emoji", "🎉🎉 👍", Some("party popper, thumbs up")),
            ("a family", "👨‍👩‍👧", Some("family: man, woman, girl")),
            ("a keycap among words", "press 1️⃣ now", Some("press 1 now")),
            ("digits and marks are no emoji", "10 * 3 # 4", Some("10 * 3 # 4")),
            (
                "styling",
                "this is *very* _important_, ~not~ `x = 1`",
                Some("this is very important, not x = 1"),
            ),
            ("styling within styling", "*_both_*", Some("both")),
            (
                "marks that style nothing",
                "2 * 3 * 4 snake_case_name *",
                Some("2 * 3 * 4 snake_case_name *"),
            ),
            ("an answer to a quote", "> are you there?\nyes", Some("yes")),
            ("only a quote", "> are you there?\n>> no", Some("are you there? no")),
            (
                "code",
                "try this\n```sh\nrm -rf x\n```\ngood luck",
                Some("try this. Some code. good luck"),
            ),
            ("an action", "/me is late", Some("is late")),
            ("marks only", "?!...", None),
            ("nothing", " \n\t", None),
        ];
        for (what, body, expected) in cases {
            assert_eq!(speakable(body, 400, None).as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn a_long_message_ends_after_a_whole_word_and_says_so() {
        let cases = [
            ("one two three", 13, "one two three"),
            ("one two three", 12, "one two. The rest is in your chat."),
            ("one two three", 7, "one two. The rest is in your chat."),
            ("one, two", 6, "one. The rest is in your chat."),
            ("Donaudampfschiff", 5, "Donau. The rest is in your chat."),
        ];
        for (body, chars_max, expected) in cases {
            assert_eq!(
                speakable(body, chars_max, None).as_deref(),
                Some(expected),
                "{body}, {chars_max}"
            );
        }
    }

    #[test]
    fn a_huge_message_costs_no_more_than_a_long_one() {
        for unit in ["*a ", "https://example.org/ ", "👨‍👩‍👧", "> q\n", "`", "é"] {
            let said = speakable(&unit.repeat(100_000), 400, None).unwrap_or_default();
            assert!(said.chars().count() <= 430, "{unit}");
        }
    }
}
