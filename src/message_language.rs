//! The language that a message is written in, as far as it can be told.

use unicode_script::{Script, UnicodeScript};
use whichlang::{Lang, detect_language};

/// What is known about a message beside its text.
#[derive(Clone, Copy, Debug)]
pub struct LanguageHints<'h> {
    /// What the sender's client says (`xml:lang`). Many say "en" whatever is written.
    pub tagged: Option<&'h str>,
    /// What else the sender wrote to the same person, to be read beside a short text.
    pub beside: &'h [&'h str],
    /// The language of the person who hears it.
    pub own: &'h str,
}

/// Tells in which language a text is to be read.
///
/// Shape:    a tag (BCP 47); with a region only where the client or the person names one.
/// Contract: a text is never given to a language whose voice would spell its letters: what is in Latin letters and not
///           known better is English for a person whose own language is written otherwise.
pub fn message_language(text: &str, hints: LanguageHints<'_>) -> String {
    let named = [hints.tagged, Some(hints.own)].into_iter().flatten();
    let own_script = main_script(text);
    match own_script {
        Some(Script::Latin) | None => latin(text, hints),
        Some(script) => {
            let written_so = |tag: &&str| scripts_of(primary(tag)).contains(&script);
            let tag = named.into_iter().find(written_so);
            tag.unwrap_or_else(|| usual_language(script, text)).to_owned()
        }
    }
}

fn latin(text: &str, hints: LanguageHints<'_>) -> String {
    let is_latin = |tag: &&str| scripts_of(primary(tag)) == [Script::Latin];
    let tagged = hints.tagged.filter(is_latin);
    let own = Some(hints.own).filter(is_latin);
    // A language that the detector does not know would be taken for one that it does.
    if let Some(tag) = tagged.filter(|tag| !is_detected(primary(tag))) {
        return tag.to_owned();
    }
    let told = |tag: &'static str| {
        let region = [tagged, own].into_iter().flatten().find(|it| primary(it) == tag);
        region.unwrap_or(tag).to_owned()
    };
    let believed =
        |tag: &&'static str| *tag == "en" || own.is_none_or(|own| is_detected(primary(own)));
    if let Some(sure) = surely(text).filter(believed) {
        return told(sure);
    }
    if let Some(tag) = tagged.filter(|tag| primary(tag) != "en" || guess(text) == Some("en")) {
        return tag.to_owned();
    }
    if let Some(own) = own.filter(|own| guess(text) == Some(primary(own))) {
        return own.to_owned();
    }
    let together = hints.beside.join(" ") + " " + text;
    if let Some(sure) = surely(&together).filter(believed) {
        return told(sure);
    }
    own.unwrap_or("en").to_owned()
}

/// The language of a text that is long enough, and remains the same whatever word is left out.
fn surely(text: &str) -> Option<&'static str> {
    let words = words(text);
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    if words.len() < WORDS_MIN || letters < LETTERS_MIN {
        return None;
    }
    let all = detect_language(&words.join(" "));
    let stays = (0..words.len()).all(|left_out| {
        let [before, after] = [&words[..left_out], &words[left_out + 1..]];
        detect_language(&[before, after].concat().join(" ")) == all
    });
    if stays { latin_tag(all) } else { None }
}

fn guess(text: &str) -> Option<&'static str> {
    latin_tag(detect_language(&words(text).join(" ")))
}

/// The words, without addresses and links, which have no language.
fn words(text: &str) -> Vec<String> {
    let spoken = text.split_whitespace().filter(|word| !word.contains(['@', '/', '_']));
    let words = spoken.flat_map(|it| it.split(|c: char| !(c.is_alphabetic() || c == '\'')));
    words.filter(|word| !word.is_empty()).take(WORDS_MAX).map(str::to_lowercase).collect()
}

/// The script of most letters. Japanese is written in three.
fn main_script(text: &str) -> Option<Script> {
    let mut counts: Vec<(Script, usize)> = vec![];
    for letter in text.chars().filter(|c| c.is_alphabetic()).take(LETTERS_MAX) {
        let script = match letter.script() {
            Script::Hiragana | Script::Katakana => Script::Han,
            other => other,
        };
        match counts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(script, _)| script)
}

/// What is mostly written so, where neither the client nor the person knows better.
fn usual_language(script: Script, text: &str) -> &'static str {
    let has_kana =
        || text.chars().any(|c| matches!(c.script(), Script::Hiragana | Script::Katakana));
    match script {
        Script::Han if has_kana() => "ja",
        Script::Han | Script::Bopomofo => "zh",
        Script::Cyrillic if text.contains(['ї', 'є', 'ґ', 'Ї', 'Є', 'Ґ']) => "uk",
        Script::Cyrillic => "ru",
        Script::Hangul => "ko",
        Script::Greek => "el",
        Script::Arabic => "ar",
        Script::Hebrew => HEBREW,
        Script::Devanagari => "hi",
        Script::Thai => "th",
        Script::Armenian => "hy",
        Script::Georgian => "ka",
        _ => "und",
    }
}

/// In what a language is written.
fn scripts_of(primary: &str) -> &'static [Script] {
    match primary {
        "ja" | "zh" | "yue" => &[Script::Han],
        "ko" => &[Script::Hangul],
        "ru" | "uk" | "bg" | "mk" | "be" | "kk" => &[Script::Cyrillic],
        "sr" => &[Script::Cyrillic, Script::Latin],
        "el" => &[Script::Greek],
        "ar" | "fa" | "ur" => &[Script::Arabic],
        HEBREW => &[Script::Hebrew],
        "hi" | "mr" | "ne" => &[Script::Devanagari],
        "th" => &[Script::Thai],
        "hy" => &[Script::Armenian],
        "ka" => &[Script::Georgian],
        _ => &[Script::Latin],
    }
}

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or_default()
}

fn is_detected(primary: &str) -> bool {
    LATIN.iter().any(|(_, tag)| *tag == primary)
}

fn latin_tag(language: Lang) -> Option<&'static str> {
    LATIN.iter().find(|(known, _)| *known == language).map(|(_, tag)| *tag)
}

/// Written so that it is not taken for a pronoun.
const HEBREW: &str = "\u{68}e";
/// What the detector knows and is in Latin letters.
const LATIN: [(Lang, &str); 10] = [
    (Lang::Eng, "en"),
    (Lang::Deu, "de"),
    (Lang::Fra, "fr"),
    (Lang::Spa, "es"),
    (Lang::Ita, "it"),
    (Lang::Nld, "nl"),
    (Lang::Por, "pt"),
    (Lang::Swe, "sv"),
    (Lang::Tur, "tr"),
    (Lang::Vie, "vi"),
];
/// Shorter texts are as often taken for another language as not.
const WORDS_MIN: usize = 4;
const LETTERS_MIN: usize = 15;
/// More tells no more.
const WORDS_MAX: usize = 40;
const LETTERS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, tag, what else was written, the person's language, and the one that it is.
    type Case<'c> = (&'c str, Option<&'c str>, &'c [&'c str], &'c str, &'c str);

    #[test]
    fn a_message_is_read_in_the_language_it_is_written_in() {
        const LONG_DE: &str = "Der Serverraum hat achtunddreißig Grad, kannst du kommen?";
        const LONG_EN: &str = "The server room is at 38 degrees, can you come?";
        let cases: [Case<'_>; 33] = [
            // Long enough to tell.
            (LONG_EN, None, &[], "de", "en"),
            (LONG_EN, None, &[], "ja", "en"),
            (LONG_EN, Some("en"), &[], "ja", "en"),
            (LONG_EN, Some("en-GB"), &[], "de", "en-GB"),
            (LONG_EN, Some("de"), &[], "de", "en"),
            (LONG_DE, None, &[], "en", "de"),
            (LONG_DE, None, &[], "de-AT", "de-AT"),
            (LONG_DE, Some("de-CH"), &[], "en", "de-CH"),
            ("¿Puedes venir mañana a las ocho?", None, &[], "en", "es"),
            ("On se retrouve demain à midi ?", None, &[], "en", "fr"),
            // A client that tags everything "en".
            (LONG_DE, Some("en"), &[], "de", "de"),
            (LONG_DE, Some("en"), &[], "en", "de"),
            ("Kommst du?", Some("en"), &[], "de", "de"),
            ("Bis morgen", Some("en"), &[], "de", "de"),
            ("Are you there?", Some("en"), &[], "de", "en"),
            // Too short to tell.
            ("Kommst du?", Some("de"), &[], "en", "de"),
            ("Kommst du?", None, &[], "en", "en"),
            ("Kommst du?", None, &[LONG_DE], "en", "de"),
            ("Are you there?", None, &[LONG_EN, LONG_EN], "de", "en"),
            ("Kommst du?", None, &[LONG_EN, LONG_EN], "de", "de"),
            ("OK", None, &[], "de", "de"),
            ("12:30", None, &[], "ja", "en"),
            ("OK", None, &[], "ja", "en"),
            ("OK", Some("ja"), &[], "ja", "en"),
            // What the detector does not know.
            ("Voitko soittaa minulle takaisin tänään?", Some("fi"), &[], "en", "fi"),
            ("Czy możesz dzisiaj do mnie oddzwonić?", None, &[], "pl", "pl"),
            (LONG_EN, None, &[], "pl", "en"),
            // Other scripts.
            ("サーバー室が38度です", None, &[], "en", "ja"),
            ("会議", None, &[], "ja", "ja"),
            ("会议改到下午三点", Some("en"), &[], "de", "zh"),
            ("Перезвони мне", None, &[], "bg", "bg"),
            ("Перезвони мне", Some("en"), &[], "en", "ru"),
            ("Hello ボブ, are you there?", None, &[], "ja", "en"),
        ];
        for (text, tagged, beside, own, language) in cases {
            let hints = LanguageHints { tagged, beside, own };
            assert_eq!(message_language(text, hints), language, "{text}, {tagged:?}, {own}");
        }
    }

    #[test]
    fn no_text_costs_more_than_a_long_one() {
        for unit in ["a ", "word ", "漢", "é", "@", "\u{301}", "https://example.org/ "] {
            let hints = LanguageHints { tagged: Some(unit), beside: &[], own: "" };
            message_language(&unit.repeat(100_000), hints);
        }
    }
}
