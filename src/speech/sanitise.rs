//! A stranger's text made harmless for the engine, and changed no more than that needs.

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
    // A later step can make what an earlier one removes. One pass is nearly always enough.
    for _ in 0..ROUNDS_MAX {
        let again = once(&cleaned, voice);
        if again == cleaned {
            break;
        }
        cleaned = again;
    }
    if cleaned.chars().any(char::is_alphanumeric) { Ok(cleaned) } else { Err(Unreadable) }
}

/// A text for a program that speaks, which is locked in and may know any script: one line, no longer than [`CHARS_MAX`],
/// without what nobody sees.
pub(crate) fn one_line(text: &str) -> Result<String, Unreadable> {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let visible: String = visible.filter(|c| !is_invisible(*c)).take(INPUT_CHARS_MAX).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(CHARS_MAX).collect();
    if line.chars().any(char::is_alphanumeric) { Ok(line) } else { Err(Unreadable) }
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
        // Not near the start: the pieces would be too small.
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
    for letter in composed(text.chars(), text.is_ascii()).filter(|c| c.is_alphabetic()) {
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
    let short = break_repetitions(&tidy_punctuation(&allowed));
    let spaced = break_long_words(&space_digits(&short));
    let mut shown: String = break_repetitions(&spaced).into_iter().collect();
    if let Some((end, _)) = shown.char_indices().nth(CHARS_MAX) {
        let cut = shown[..end].rfind(' ').unwrap_or(end);
        shown.truncate(cut);
    }
    shown.trim().to_owned()
}

/// Letters the voice knows, digits, and punctuation it makes something of; a space for anything else.
fn allow(text: &str, voice: &Voice) -> Vec<char> {
    let mut allowed: Vec<char> = Vec::with_capacity(text.len().min(INPUT_CHARS_MAX));
    let mut marks = 0;
    let visible = text.chars().filter(|c| !is_invisible(*c));
    for c in composed(visible, text.is_ascii()) {
        let c = plain(c);
        marks = if !c.is_ascii() && is_combining_mark(c) { marks + 1 } else { 0 };
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

/// The characters in their plainest form; most texts are in it already.
fn composed<'t>(
    chars: impl Iterator<Item = char> + 't,
    ascii: bool,
) -> Box<dyn Iterator<Item = char> + 't> {
    if ascii {
        return Box::new(chars.take(INPUT_CHARS_MAX));
    }
    Box::new(chars.nfkc().filter(|c| !is_invisible(*c)).take(INPUT_CHARS_MAX))
}

fn is_known(letter: char, voice: &Voice) -> bool {
    if letter.is_ascii() {
        return voice.scripts.contains(&Script::Latin);
    }
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

/// One space between words and none before a stop, one mark at a time, apostrophes and hyphens only within words.
fn tidy_punctuation(chars: &[char]) -> Vec<char> {
    let mut tidy: Vec<char> = Vec::new();
    for (at, &c) in chars.iter().enumerate() {
        let before_word = chars.get(at + 1).is_some_and(|next| next.is_alphanumeric());
        if STOPS.contains(c) && !before_word && tidy.len() > 1 {
            tidy.pop_if(|last| *last == ' ');
        }
        let last = tidy.last().copied().unwrap_or(' ');
        let within_word = (last.is_alphanumeric() || is_combining_mark(last)) && before_word;
        match c {
            // A minus, or a point of a list?
            '-' if last == ' ' && chars.get(at + 1).is_some_and(char::is_ascii_digit) => {
                tidy.push(c)
            }
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

/// A number of ten digits or more is spoken in groups of three.
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
/// Numbers stay whole: without some zeros the sum would be another, and digits have crashed nothing.
fn break_repetitions(chars: &[char]) -> Vec<char> {
    let mut kept: Vec<char> = Vec::new();
    for &c in chars {
        kept.push(c);
        let written: &[char] = &kept;
        let repeats = |unit: &usize| {
            let Some(start) = written.len().checked_sub(unit * (REPEATS_MAX + 1)) else {
                return false;
            };
            // Mostly this one comparison tells.
            if !same(c, written[written.len() - 1 - unit]) {
                return false;
            }
            let run = &written[start..];
            let first = &run[..*unit];
            run.chunks(*unit).skip(1).all(|next| next.iter().zip(first).all(|(a, b)| same(*a, *b)))
                && !first.iter().all(|c| c.is_ascii_digit() || " ,.:".contains(*c))
        };
        if let Some(unit) = (1..=UNIT_CHARS_MAX).find(repeats) {
            kept.truncate(kept.len() - unit);
        }
    }
    kept
}

fn same(a: char, b: char) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(&b);
    }
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// The longest clean text, in characters.
pub const CHARS_MAX: usize = 1_000;

/// The longest piece that is given to the engine at once, in characters.
pub(crate) const PIECE_CHARS_MAX: usize = 180;

const INPUT_CHARS_MAX: usize = 4 * CHARS_MAX;
const PUNCTUATION: &str = ".,!?:;'-%&+@€$£°";
const STOPS: &str = ".,!?;:";
const DIGITS_MAX: usize = 10;
const WORD_CHARS_MAX: usize = 30;
const UNIT_CHARS_MAX: usize = 6;
const REPEATS_MAX: usize = 3;
const MARKS_MAX: usize = 2;
const ROUNDS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn voice(language: &str) -> &'static Voice {
        Voice::for_language(language).unwrap()
    }

    #[test]
    fn ordinary_text_is_left_as_it_was_written() {
        let texts = [
            (
                "en",
                "Hello, Bob! Don't forget: 10:30 at Anna's place, it costs $5.50 (about 10% more)?",
            ),
            ("de", "Grüße aus Köln. Die Straße ist gesperrt - 1000000 Menschen waren da."),
            ("fr", "J'ai reçu l'œuvre aujourd'hui, c'est très bien."),
            ("es", "Mañana llegaré a las 9:15."),
            ("ru", "Привет, Боб! Письмо от Alice."),
            ("el", "Καλημέρα, τι κάνεις;"),
            ("ja", "アリスからのメッセージです."),
            ("hi", "नमस्ते, आप कैसे हैं?"),
            ("vi", "Xin chào, bạn có khỏe không?"),
        ];
        for (language, text) in texts {
            let expected = text.replace(['(', ')'], "").replace(" - ", " ");
            assert_eq!(clean(text, voice(language)), Ok(expected.nfkc().collect()), "{language}");
        }
    }

    #[test]
    fn what_is_written_to_do_harm_becomes_words() {
        let s = |unit: &str, times: usize| unit.repeat(times);
        let cases = [
            ("the known crasher", s("s'", 220), "s's's's"),
            ("its relatives", s(".s.s", 100), ".s.s.s"),
            ("abbreviations", s("e.g.", 60), "e.g.e.g.e.g."),
            ("mixed case", s("S's'", 60), "S's'S's"),
            ("laughter", s("ha", 400), "hahaha"),
            ("a command to the engine", "\u{1}s450 hello\u{1}v".into(), "s450 hello v"),
            ("markup", "<audio src=\"/etc/passwd\"/>hello".into(), "audio src etc passwd hello"),
            ("phonemes", "[[h@loU]] hello".into(), "h@loU hello"),
            ("marks of direction", "ab\u{202e}cd\u{200f}ef".into(), "abcdef"),
            ("piled up marks", format!("a{}b", "\u{301}\u{302}".repeat(50)), "á\u{302}\u{301} b"),
            (
                "one long word",
                s("abcdefghijklmnopqrstuvwxyz", 2),
                "abcdefghijklmnopqrstuvwxyzabcd efghijklmnopqrstuvwxyz",
            ),
            ("a long number", "81312345678".into(), "813 123 456 78"),
            ("a large sum", "1000000000".into(), "100 000 000 0"),
            ("a trillion", "1,000,000,000,000".into(), "1,000,000,000,000"),
            ("frost", "- it is -5 here".into(), "it is -5 here"),
            ("a sum", "100000000 euro".into(), "100000000 euro"),
            ("excitement", "what?!?!?! no!!!!! well....".into(), "what? no! well."),
            ("disguise", "ｈｅｌｌｏ ﬁne ①".into(), "hello fine 1"),
            ("soft hyphens", "infor\u{ad}mation".into(), "information"),
            ("another script among words", "see Привет there".into(), "see there"),
        ];
        for (what, text, expected) in cases {
            assert_eq!(clean(&text, voice("en")).as_deref(), Ok(expected), "{what}");
        }
    }

    #[test]
    fn what_the_voice_cannot_read_is_not_read_in_part() {
        let cases = [
            ("en", "Привет, как дела? ok"),
            ("ru", "こんにちは"),
            ("ja", "会議は10時です"),
            ("ja", "よろしく、田中"),
            ("en", "🎉🎉🎉"),
            ("en", "?!... --- ()"),
            ("en", ""),
            ("en", "\u{0}\u{1}\u{feff}"),
        ];
        for (language, text) in cases {
            assert_eq!(clean(text, voice(language)), Err(Unreadable), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_a_speaker_would_pause() {
        let text = "One two three, four five six. Seven eight nine ten eleven twelve thirteen.";
        assert_eq!(
            pieces(text, 40),
            ["One two three, four five six.", "Seven eight nine ten eleven twelve", "thirteen."]
        );
        assert_eq!(
            pieces("One two three four, five six seven", 30),
            ["One two three four,", "five six seven"]
        );
        assert_eq!(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(pieces("", 4), Vec::<&str>::new());
    }

    /// Texts as strangers write them: units that repeat, scripts that mix, characters that do not belong in a text.
    fn hostile() -> impl Strategy<Value = String> {
        let unit = prop_oneof![
            "[a-zA-Z'.]{1,6}",
            "[0-9 ,.:+-]{1,6}",
            "\\PC{1,4}",
            any::<String>(),
            select(vec![
                "s'",
                "a.b.c.",
                "e.g.",
                "\u{1}s450 ",
                "[[h@l",
                "<break time=\"50s\"/>",
                "ﷺ",
                "e\u{301}",
                "\u{315}\u{300}",
                "한",
                "ᄒ",
                "ᅡ",
                "ᆫ",
                "が",
                "か\u{3099}",
                "漢",
                "ж",
                "\u{202e}",
                "👨\u{200d}👩",
                "  ",
                "?!",
                "''",
                "--",
                "ſ",
                "İ",
            ])
            .prop_map(String::from),
        ];
        let run = (unit, prop_oneof![3 => Just(1usize), 1 => 2usize..400])
            .prop_map(|(unit, times)| unit.repeat(times));
        vec(run, 0..12).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left_of_any_text(text in hostile(), language in select(vec!["en", "de", "ja", "ru", "ko", "ar", "hi"])) {
            let voice = voice(language);
            let Ok(cleaned) = clean(&text, voice) else { return Ok(()) };
            let chars: Vec<char> = cleaned.chars().collect();
            prop_assert!(chars.len() <= CHARS_MAX);
            prop_assert!(chars.iter().all(|c| !c.is_control()));
            prop_assert!(chars.iter().all(|c| *c == ' ' || PUNCTUATION.contains(*c) || c.is_alphanumeric() || is_combining_mark(*c)));
            prop_assert!(cleaned.split(' ').all(|word| !word.is_empty()));
            prop_assert!(cleaned.split(' ').all(|word| word.chars().filter(|c| !is_combining_mark(*c)).count() <= WORD_CHARS_MAX));
            prop_assert!(cleaned.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() < DIGITS_MAX));
            for unit in 1..=UNIT_CHARS_MAX {
                for run in chars.windows(unit * (REPEATS_MAX + 1)) {
                    let only_digits = run[..unit].iter().all(|c| c.is_ascii_digit() || " ,.:".contains(*c));
                    prop_assert!(only_digits || run.chunks(unit).any(|next| next != &run[..unit]));
                }
            }
            prop_assert_eq!(clean(&cleaned, voice), Ok(cleaned.clone()));
            let pieces = pieces(&cleaned, PIECE_CHARS_MAX);
            prop_assert!(pieces.iter().all(|piece| (1..=PIECE_CHARS_MAX).contains(&piece.chars().count())));
            prop_assert_eq!(pieces.join(" "), cleaned);
        }
    }
}
