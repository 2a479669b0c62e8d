//! How English words are pronounced: two dictionaries, and the endings that words take.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::de::Deserializer;

/// A word's role in its sentence, as far as its sound depends on it ("a record", "to record").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing is known of it.
    Any,
    /// A verb in its plain form.
    Verb,
    /// A verb in the past, or after "have" and "be".
    Past,
}

/// The dictionaries, in one block of text.
pub(super) struct Lexicon {
    text: String,
    /// Sorted by word: where each stands in `text`.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    word: u16,
    said: u16,
}

impl Lexicon {
    /// Reads dictionaries: JSON objects from a word to its phonemes, or to an object of these by role. Where several
    /// know a word the first one counts. `None` if a file cannot be read.
    pub(super) fn load(files: [PathBuf; 2]) -> Option<Self> {
        let mut lexicon = Self { text: String::new(), entries: Vec::new() };
        for file in files {
            let json = std::fs::read(file).ok()?;
            serde::de::Deserializer::deserialize_map(
                &mut Deserializer::from_slice(&json),
                Words(&mut lexicon),
            )
            .ok()?;
            // Stable: of two that are alike the earlier stays first.
            let Self { text, entries } = &mut lexicon;
            entries.sort_by(|a, b| word_of(text, a).cmp(word_of(text, b)));
            entries.dedup_by(|later, earlier| word_of(text, later) == word_of(text, earlier));
        }
        lexicon.text.shrink_to_fit();
        lexicon.entries.shrink_to_fit();
        Some(lexicon)
    }

    fn add(&mut self, word: &str, said: &str) {
        let at = self.text.len() as u32;
        let (Ok(length), Ok(said_length)) = (word.len().try_into(), said.len().try_into()) else {
            return;
        };
        self.text.push_str(word);
        self.text.push_str(said);
        self.entries.push(Entry { at, word: length, said: said_length });
    }

    /// The phonemes of a word as it stands in a dictionary, for its role.
    fn listed(&self, word: &str, role: Role) -> Option<&str> {
        let at = self.entries.binary_search_by(|it| word_of(&self.text, it).cmp(word)).ok()?;
        let entry = self.entries[at];
        let start = entry.at as usize + usize::from(entry.word);
        let said = &self.text[start..start + usize::from(entry.said)];
        let mut choices = said.split('|');
        let usual = choices.next()?;
        let wanted: &[&str] = match role {
            Role::Any => &[],
            Role::Verb => &["VBP", "VB", "VERB"],
            Role::Past => &["VBN", "VBD", "VERB"],
        };
        let named = choices.filter_map(|choice| choice.split_once('='));
        let named: Vec<(&str, &str)> = named.collect();
        let found = wanted.iter().find_map(|tag| named.iter().find(|(name, _)| name == tag));
        Some(found.map_or(usual, |(_, said)| said))
    }

    /// The phonemes of a word in any of its forms: as listed, in lower case, with an ending, or letter by letter where it
    /// is written in capitals. `None` if it is unknown.
    pub(super) fn word(&self, word: &str, role: Role) -> Option<String> {
        let word = word.replace('’', "'");
        if let Some(said) = self.listed(&word, role) {
            return Some(said.to_owned());
        }
        let lower = word.to_lowercase();
        let all_capitals = word.len() > 1 && word.chars().all(|c| c.is_uppercase() || c == '\'');
        if all_capitals && word.len() <= SPELLED_MAX && self.listed(&lower, role).is_none() {
            return self.spelled(&word);
        }
        let mut capital = lower.clone();
        if let Some(first) = capital.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        [&lower, &capital]
            .into_iter()
            .find_map(|form| self.listed(form, role).map(str::to_owned))
            .or_else(|| {
                [&lower, &capital].into_iter().find_map(|form| self.with_ending(form, role))
            })
    }

    /// Letter by letter, the last one loudest.
    pub(super) fn spelled(&self, word: &str) -> Option<String> {
        let letters: Option<Vec<&str>> = word
            .chars()
            .filter(|c| c.is_alphabetic())
            .map(|c| self.listed(c.to_uppercase().to_string().as_str(), Role::Any))
            .collect();
        let mut letters: Vec<String> =
            letters?.into_iter().map(|said| said.replace(['ˈ', 'ˌ'], "")).collect();
        let last = letters.pop()?;
        let softly = letters.iter().map(|said| stressed(said, 'ˌ'));
        Some(softly.chain([stressed(&last, 'ˈ')]).collect())
    }

    fn with_ending(&self, word: &str, role: Role) -> Option<String> {
        let known = |stem: &str, role| self.listed(stem, role);
        if let Some(stem) = word.strip_suffix("'s").or(word.strip_suffix("s'")) {
            return known(stem, Role::Any).map(plural);
        }
        if let Some(stem) = word.strip_suffix('s').filter(|stem| stem.len() > 1) {
            let es = word.strip_suffix("es").filter(|stem| stem.len() > 2);
            let ies = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
            let stem = known(stem, role)
                .or_else(|| es.and_then(|stem| known(stem, role)))
                .or_else(|| ies.and_then(|stem| known(&stem, role)));
            if let Some(stem) = stem {
                return Some(plural(stem));
            }
        }
        if let Some(stem) = word.strip_suffix("ed").filter(|stem| stem.len() > 1) {
            let stem = known(&word[..word.len() - 1], Role::Verb)
                .or_else(|| known(stem, Role::Verb))
                .or_else(|| known(undoubled(stem)?, Role::Verb))
                .or_else(|| known(&format!("{}y", stem.strip_suffix('i')?), Role::Verb));
            if let Some(stem) = stem {
                return Some(past(stem));
            }
        }
        let stem = word.strip_suffix("ing").filter(|stem| stem.len() > 1)?;
        known(stem, Role::Verb)
            .or_else(|| known(&format!("{stem}e"), Role::Verb))
            .or_else(|| known(undoubled(stem)?, Role::Verb))
            .map(|stem| format!("{}ɪŋ", flapped(stem)))
    }
}

/// "stopp" of "stopped" is "stop".
fn undoubled(stem: &str) -> Option<&str> {
    let mut letters = stem.chars().rev();
    let (last, before) = (letters.next()?, letters.next()?);
    (last == before && !"aeiou".contains(last)).then(|| &stem[..stem.len() - last.len_utf8()])
}

fn plural(stem: &str) -> String {
    match stem.chars().last() {
        Some('p' | 't' | 'k' | 'f' | 'θ') => format!("{stem}s"),
        Some('s' | 'z' | 'ʃ' | 'ʒ' | 'ʧ' | 'ʤ') => format!("{stem}ᵻz"),
        _ => format!("{stem}z"),
    }
}

fn past(stem: &str) -> String {
    match stem.chars().last() {
        Some('p' | 'k' | 'f' | 'θ' | 'ʃ' | 's' | 'ʧ') => format!("{stem}t"),
        Some('t' | 'd') => format!("{}ᵻd", flapped(stem)),
        _ => format!("{stem}d"),
    }
}

/// An American t between vowels is a tap.
fn flapped(stem: &str) -> String {
    let Some(before) = stem.strip_suffix('t') else { return stem.to_owned() };
    let follows_vowel = before.chars().last().is_some_and(|last| "AIOWYiuæɑəɛɪɹʊʌ".contains(last));
    if follows_vowel { format!("{before}T") } else { stem.to_owned() }
}

/// Puts a stress before the first vowel.
fn stressed(said: &str, mark: char) -> String {
    let at = said.find(is_vowel).unwrap_or(said.len());
    format!("{}{mark}{}", &said[..at], &said[at..])
}

/// Whether a phoneme is a vowel.
pub(super) fn is_vowel(phoneme: char) -> bool {
    "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻɐ".contains(phoneme)
}

fn word_of<'t>(text: &'t str, entry: &Entry) -> &'t str {
    &text[entry.at as usize..entry.at as usize + usize::from(entry.word)]
}

/// Takes one dictionary in, entry by entry.
struct Words<'l>(&'l mut Lexicon);

impl<'de> serde::de::Visitor<'de> for Words<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("words with their phonemes")
    }

    fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(word) = map.next_key::<String>()? {
            match map.next_value::<serde_json::Value>()? {
                serde_json::Value::String(said) => self.0.add(&word, &said),
                serde_json::Value::Object(roles) => {
                    let text = |role: &serde_json::Value| role.as_str().map(str::to_owned);
                    let roles: HashMap<&str, String> = roles
                        .iter()
                        .filter_map(|(role, said)| Some((role.as_str(), text(said)?)))
                        .collect();
                    let Some(usual) = roles.get("DEFAULT") else { continue };
                    let mut said = usual.clone();
                    for (role, other) in roles.iter().filter(|(role, _)| **role != "DEFAULT") {
                        said.push_str(&format!("|{role}={other}"));
                    }
                    self.0.add(&word, &said);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Longer words in capitals are shouted, not spelled.
const SPELLED_MAX: usize = 5;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::speech::hibari) fn example() -> Lexicon {
        let folder = tempfile::tempdir().unwrap();
        let files = ["gold", "silver"].map(|name| folder.path().join(name));
        let gold = r#"{"message": "mˈɛsɪʤ", "read": {"DEFAULT": "ɹˈid", "VBD": "ɹˈɛd", "VBN": "ɹˈɛd", "VBP": "ɹˈid"},
            "wait": "wˈAt", "stop": "stˈɑp", "C": "sˈi", "P": "pˈi", "U": "jˈu", "try": "tɹˈI", "Alice": "ˈælɪs",
            "the": "ði", "to": "tu", "apple": "ˈæpᵊl", "pear": "pˈɛɹ", "arrive": "əɹˈIv", "have": "hæv", "a": "A"}"#;
        std::fs::write(&files[0], gold).unwrap();
        std::fs::write(&files[1], r#"{"message": "wrong", "bob": "bˈɑb"}"#).unwrap();
        Lexicon::load(files).unwrap()
    }

    #[test]
    fn words_are_found_in_all_their_forms() {
        let lexicon = example();
        for (word, role, said) in [
            ("message", Role::Any, Some("mˈɛsɪʤ")),
            ("Messages", Role::Any, Some("mˈɛsɪʤᵻz")),
            ("Bob's", Role::Any, Some("bˈɑbz")),
            ("alice", Role::Any, Some("ˈælɪs")),
            ("read", Role::Any, Some("ɹˈid")),
            ("read", Role::Past, Some("ɹˈɛd")),
            ("reading", Role::Any, Some("ɹˈidɪŋ")),
            ("waited", Role::Any, Some("wˈATᵻd")),
            ("stopped", Role::Any, Some("stˈɑpt")),
            ("arrived", Role::Any, Some("əɹˈIvd")),
            ("tries", Role::Any, Some("tɹˈIz")),
            ("CPU", Role::Any, Some("sˌipˌijˈu")),
            ("STOP", Role::Any, Some("stˈɑp")),
            ("xyzzy", Role::Any, None),
        ] {
            assert_eq!(lexicon.word(word, role).as_deref(), said, "{word}");
        }
    }
}
