//! Messages as people and programs write them, against what a good reader says.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use offhook::script::speakable::speakable;
use offhook::speech::sanitise::clean;
use offhook::speech::spoken_text::spoken;
use offhook::speech::voices::Voice;

#[test]
fn english_messages_are_said_as_a_good_reader_says_them() {
    compare("en", include_str!("data/spoken/en.tsv"));
}

#[test]
fn german_messages_are_said_as_a_good_reader_says_them() {
    compare("de", include_str!("data/spoken/de.tsv"));
}

#[test]
fn a_digit_said_many_times_is_said_so_many_times() {
    for (language, zero) in [("en", "zero"), ("de", "null")] {
        let voice = Voice::for_language(language).unwrap();
        for count in 2..=15 {
            let said = spoken(&format!("PIN 1{}1", "0".repeat(count)), language).into_owned();
            let said = clean(&said, voice).unwrap();
            let heard = said.split([' ', ',']).filter(|word| *word == zero).count();
            assert_eq!(heard, count, "{said}");
        }
    }
}

/// All the way from the message to the text that the engine gets.
fn compare(language: &str, table: &str) {
    let voice = Voice::for_language(language).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with("# ")).collect();
    let mut other = vec![];
    for row in &rows {
        let (written, expected) = row.split_once('\t').unwrap();
        assert!(!expected.contains(|c: char| c.is_ascii_digit()), "in words: {expected}");
        let told =
            speakable(&written.replace("\\n", "\n"), 400, Some(language)).unwrap_or_default();
        let said = clean(&spoken(&told, language), voice).unwrap_or_default();
        // Words from elsewhere are spelled for the voice in both.
        let expected = spoken(expected, language);
        if words(&said) != words(&expected) {
            other.push(format!("{written}\n    {said}\n    {expected}"));
        }
    }
    assert!(rows.len() >= 150, "{}", rows.len());
    assert!(other.is_empty(), "{} of {}:\n{}", other.len(), rows.len(), other.join("\n"));
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
