//! What people type, without what makes no difference to a command.

use unicode_normalization::UnicodeNormalization;

/// The text in one spelling: full-width signs as plain ones, one kind of dash and quotation mark, single blanks; without marks
/// that are not seen, and without quotation marks, a slash and punctuation around it.
///
/// Source: UAX 15 (NFKC).
pub(super) fn plain(text: &str) -> String {
    let signs =
        text.chars().take(CHARS_MAX).nfkc().filter(|it| !is_unseen(*it)).map(|it| match it {
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
            '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '「' | '」' | '`' => {
                '"'
            }
            '‘' | '’' | '‚' | '´' => '\'',
            '。' | '、' => '.',
            other => other,
        });
    let signs: String = signs.collect();
    let words: Vec<&str> = signs.split_whitespace().collect();
    let joined = words.join(" ");
    let text = joined.trim_matches(['"', '\'', '*', '_', ' ']);
    if text == "?" {
        return text.to_owned();
    }
    let text = text.trim_start_matches(['/', '!', '"']);
    let text = text.trim_end_matches(['.', '!', '?', ',', ';', ':', '"', '\'', ' ']);
    text.to_owned()
}

/// The text without words that are only polite.
pub(super) fn without_courtesy(text: &str) -> &str {
    let mut rest = text;
    loop {
        let before = rest;
        for word in COURTESY {
            let first = rest.get(..word.len()).filter(|it| it.eq_ignore_ascii_case(word));
            if first.is_some() && rest[word.len()..].starts_with([' ', ',']) {
                rest = rest[word.len()..].trim_start_matches([' ', ',']);
            }
            let start = rest.len().saturating_sub(word.len());
            let last = rest.get(start..).filter(|it| it.eq_ignore_ascii_case(word));
            if last.is_some() && rest[..start].ends_with([' ', ',']) {
                rest = rest[..start].trim_end_matches([' ', ',']);
            }
        }
        if rest == before {
            return rest;
        }
    }
}

/// Marks of direction and width, which come along when numbers are copied.
fn is_unseen(it: char) -> bool {
    let is_invisible = matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    is_invisible || matches!(it, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{fe0f}')
}

/// No command is longer.
const CHARS_MAX: usize = 1000;
const COURTESY: [&str; 8] = ["please", "pls", "bitte", "ok", "okay", "hey", "thanks", "danke"];
