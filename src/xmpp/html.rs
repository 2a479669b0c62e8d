//! Bodies that old clients fill with HTML: read as the text that they show.

/// The text without its tags; `None` if it has none that clients write.
pub(super) fn without_tags(text: &str) -> Option<String> {
    let is_html = text.match_indices('<').any(|(at, _)| tag(&text[at..]).is_some());
    if !is_html {
        return None;
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        if let Some((name, length)) = tag(rest) {
            if BREAKS.contains(&name.as_str()) {
                plain.push('\n');
            }
            rest = &rest[length..];
        } else if let Some((code, sign)) = ENTITIES.iter().find(|(code, _)| rest.starts_with(code))
        {
            plain.push_str(sign);
            rest = &rest[code.len()..];
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(plain.trim().to_owned())
}

/// The name and the length of the known tag at the start of the text.
fn tag(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('<')?;
    let end = inner.char_indices().take(TAG_CHARS_MAX).find(|(_, c)| *c == '>')?.0;
    let name = inner[..end].trim_start_matches('/');
    let length = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let name = name[..length].to_ascii_lowercase();
    TAGS.contains(&name.as_str()).then_some((name, end + 2))
}

const TAG_CHARS_MAX: usize = 500;
const TAGS: [&str; 17] = [
    "a", "b", "body", "br", "div", "em", "font", "html", "i", "li", "ol", "p", "span", "strong",
    "u", "ul", "pre",
];
/// Tags that begin or end a line.
const BREAKS: [&str; 4] = ["br", "div", "li", "p"];
const ENTITIES: [(&str, &str); 7] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&nbsp;", " "),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_old_clients_are_left_out_and_other_texts_stay() {
        for (written, read) in [
            (
                "<FONT COLOR=\"#ff0000\"><B>Server down</B></FONT> &amp; disk full<BR>come",
                Some("Server down & disk full\ncome"),
            ),
            ("<p>Hello</p><p>Bob</p>", Some("Hello\n\nBob")),
            ("see <a href='https://x.example'>this</a>", Some("see this")),
            ("if a < b and b > c", None),
            ("I <3 you", None),
            ("<b", None),
            ("Vec<String> &amp; more", None),
            ("<bold move>", None),
        ] {
            assert_eq!(without_tags(written).as_deref(), read, "{written}");
        }
    }
}
