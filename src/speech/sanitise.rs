//! What may reach the engine: a stranger's text made harmless, and no less true than it must be.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use crate::speech::voices::Voice;

/// Makes a text safe for the engine to read with this voice.
///
/// Only letters of the voice's scripts, digits and a little punctuation are left; nothing in the result is a command to
/// the engine, repeats itself for long, or is longer than [`CHARS_MAX`].
///
/// Errors: [`Unreadable`] if the voice would not read what was written, or nothing is left to read.
pub fn clean(text: &str, voice: &Voice) -> Result<String, Unreadable> {
    let mut cleaned: String = text.chars().take(INPUT_CHARS_MAX).collect();
    check_letters(&cleaned, voice)?;
    // A later step can lay bare what an earlier one removes. Once is nearly always enough.
    for _ in 0..ROUNDS_MAX {
        let again = once(&cleaned, voice);
        if again == cleaned {
            break;
        }
        cleaned = again;
    }
    if cleaned.chars().any(char::is_alphanumeric) { Ok(cleaned) } else { Err(Unreadable) }
}

/// The voice cannot read this text: it is in another script, or holds nothing that has a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Cuts a clean text where a speaker would pause, into pieces of at most `chars_max`.
pub(crate) fn pieces(clean: &str, chars_max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = clean.trim();
    while let Some((end, _)) = rest.char_indices().nth(chars_max) {
        let window = &rest[..end];
        // Not so near the start that the pieces become crumbs.
        let far = |at: &usize| *at > window.len() / 3;
        let cut = [". ", "! ", "? "]
            .iter()
            .filter_map(|stop| window.rfind(stop))
            .max()
            .filter(far)
            .or_else(|| {
                [", ", "; ", ": "].iter().filter_map(|stop| window.rfind(stop)).max().filter(far)
            })
            .map(|at| at + 1)
            .or_else(|| window.rfind(' '))
            .unwrap_or(end);
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece.trim());
        rest = after.trim();
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Refuses a text that is mostly, or in Japanese partly, in letters which the voice does not know: what it would make of
/// the rest is not what was written.
fn check_letters(text: &str, voice: &Voice) -> Result<(), Unreadable> {
    let (mut known, mut unknown) = (0, 0);
    for letter in text.nfkc().take(INPUT_CHARS_MAX).filter(|c| c.is_alphabetic()) {
        if is_known(letter, voice) {
            known += 1;
        } else if letter.script() == Script::Han && voice.language == "ja" {
            return Err(Unreadable);
        } else {
            unknown += 1;
        }
    }
    if unknown > known { Err(Unreadable) } else { Ok(()) }
}

fn once(text: &str, voice: &Voice) -> String {
    let allowed = allow(text, voice);
    let spaced = break_long_words(&space_digits(&tidy_punctuation(&allowed)));
    let mut shown = break_repetitions(&spaced);
    if let Some((end, _)) = shown.char_indices().nth(CHARS_MAX) {
        let cut = shown[..end].rfind(' ').unwrap_or(end);
        shown.truncate(cut);
    }
    shown.trim().to_owned()
}

/// Letters the voice knows, digits, and punctuation it makes something of; a space for anything else.
fn allow(text: &str, voice: &Voice) -> Vec<char> {
    let mut allowed: Vec<char> = Vec::new();
    let mut marks = 0;
    let visible = text.chars().filter(|c| !is_invisible(*c));
    for c in visible.nfkc().filter(|c| !is_invisible(*c)).take(INPUT_CHARS_MAX) {
        let c = plain(c);
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        let follows_letter =
            allowed.last().is_some_and(|last| last.is_alphabetic() || is_combining_mark(*last));
        let fits = c.is_ascii_digit()
            || PUNCTUATION.contains(c)
            || (marks > 0 && marks <= MARKS_MAX && follows_letter)
            || (marks == 0 && c.is_alphabetic() && is_known(c, voice));
        allowed.push(if fits { c } else { ' ' });
    }
    allowed
}

fn is_known(letter: char, voice: &Voice) -> bool {
    // The Japanese long vowel mark and the like belong to several scripts.
    let script = letter.script();
    voice.scripts.contains(&script)
        || (matches!(script, Script::Common | Script::Inherited)
            && voice.scripts.iter().any(|known| letter.script_extension().contains_script(*known)))
}

/// Marks of direction, joiners and soft hyphens stand within words; they are dropped, not read as gaps.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}')
}

/// Punctuation of other scripts, and decimal digits of any, as the engine knows them.
fn plain(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
        '\u{2010}'..='\u{2015}' => '-',
        '。' | '।' | '։' => '.',
        '、' | '،' => ',',
        '؟' => '?',
        '؛' => ';',
        '٠'..='٩' => ascii_digit(c, '٠'),
        '۰'..='۹' => ascii_digit(c, '۰'),
        '०'..='९' => ascii_digit(c, '०'),
        other => other,
    }
}

fn ascii_digit(digit: char, zero: char) -> char {
    char::from_digit(u32::from(digit) - u32::from(zero), 10).unwrap_or(' ')
}

/// One space between words, one mark at a time, apostrophes and hyphens only within words.
fn tidy_punctuation(chars: &[char]) -> Vec<char> {
    let mut tidy: Vec<char> = Vec::new();
    for (at, &c) in chars.iter().enumerate() {
        let last = tidy.last().copied().unwrap_or(' ');
        let within_word = (last.is_alphanumeric() || is_combining_mark(last))
            && chars.get(at + 1).is_some_and(|next| next.is_alphanumeric());
        match c {
            '\'' | '-' if !within_word => {
                if last != ' ' {
                    tidy.push(' ');
                }
            }
            ' ' if last == ' ' => {}
            // Of "?!" the question is kept, of "..." one.
            '?' if PUNCTUATION.contains(last) => {
                tidy.pop();
                tidy.push('?');
            }
            _ if PUNCTUATION.contains(c) && PUNCTUATION.contains(last) => {}
            _ => tidy.push(c),
        }
    }
    tidy
}

/// A number of ten digits or more is no number to the ear: threes.
fn space_digits(chars: &[char]) -> Vec<char> {
    let mut spaced = Vec::new();
    for run in chars.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        if run.len() < DIGITS_MAX || !run[0].is_ascii_digit() {
            spaced.extend(run);
            continue;
        }
        for (group, digits) in run.chunks(3).enumerate() {
            if group > 0 {
                spaced.push(' ');
            }
            spaced.extend(digits);
        }
    }
    spaced
}

fn break_long_words(chars: &[char]) -> Vec<char> {
    let mut broken = Vec::new();
    let mut length = 0;
    for &c in chars {
        length = if c == ' ' { 0 } else { length + 1 };
        if length > WORD_CHARS_MAX && !is_combining_mark(c) {
            broken.push(' ');
            length = 1;
        }
        broken.push(c);
    }
    broken
}

/// Leaves at most [`REPEATS_MAX`] of a unit that repeats: such runs are what crashes espeak-ng (`s's's's'…`).
///
/// Numbers are let be: cutting zeros would tell another sum, and digits crash nothing.
fn break_repetitions(chars: &[char]) -> String {
    let mut kept: Vec<char> = Vec::new();
    for &c in chars {
        kept.push(c);
        let written: &[char] = &kept;
        let repeats = |unit: &usize| {
            let Some(start) = written.len().checked_sub(unit * (REPEATS_MAX + 1)) else {
                return false;
            };
            let run = &written[start..];
            let first = &run[..*unit];
            !first.iter().all(|c| c.is_ascii_digit() || *c == ' ')
                && run.chunks(*unit).all(|next| next.iter().zip(first).all(|(a, b)| same(*a, *b)))
        };
        if let Some(unit) = (1..=UNIT_CHARS_MAX).find(repeats) {
            kept.truncate(kept.len() - unit);
        }
    }
    kept.into_iter().collect()
}

fn same(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// The longest clean text, in characters.
pub const CHARS_MAX: usize = 1_000;

/// The longest piece that is given to the engine at once, in characters.
pub(crate) const PIECE_CHARS_MAX: usize = 180;

const INPUT_CHARS_MAX: usize = 4 * CHARS_MAX;
const PUNCTUATION: &str = ".,!?:;'-%&+@€$£°";
const DIGITS_MAX: usize = 10;
const WORD_CHARS_MAX: usize = 30;
const UNIT_CHARS_MAX: usize = 6;
const REPEATS_MAX: usize = 3;
const MARKS_MAX: usize = 2;
const ROUNDS_MAX: usize = 8;
