//! The characters of a text in the form that the rules know, and words in other scripts by their sound.

use any_ascii::any_ascii_char;
use unicode_script::{Script, UnicodeScript};

/// Plain spaces, dashes and quotation marks; single words of another alphabet in Latin letters.
///
/// A text that is mostly in another script is left alone: its own voice reads it, or none does.
pub(super) fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let (mut latin, mut foreign) = (0, 0);
    for letter in text.chars().filter(|c| c.is_alphabetic()) {
        if letter.script() == Script::Latin { latin += 1 } else { foreign += 1 }
    }
    let few = foreign < latin;
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                plain.push(' ')
            }
            '\u{2212}' | '\u{2010}' | '\u{2011}' => plain.push('-'),
            '\u{2018}' | '\u{2019}' | '\u{2bc}' => plain.push('\''),
            '\u{2026}' => plain.push_str("..."),
            '\u{ff10}'..='\u{ff19}' => plain.push(char::from(b'0' + (u32::from(c) - 0xff10) as u8)),
            _ if few && c.is_alphabetic() && SPELLABLE.contains(&c.script()) => {
                plain.push_str(any_ascii_char(c));
            }
            _ => plain.push(c),
        }
    }
    plain
}

/// Alphabets whose letters stand for sounds.
const SPELLABLE: [Script; 7] = [
    Script::Cyrillic,
    Script::Greek,
    Script::Hiragana,
    Script::Katakana,
    Script::Hangul,
    Script::Georgian,
    Script::Armenian,
];
