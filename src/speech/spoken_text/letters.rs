//! The letters of words: stretched ones, and words from elsewhere as the voice needs them.

use super::language::Language;
use super::rule::Rule;

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    Rule::new(r"[^\W\d_]{4,}", |found, _| shortened(found.get(0))).into_iter().collect()
}

/// "sooooo" is "so", "Suuuper" is "Super".
fn shortened(word: &str) -> Option<String> {
    let chars: Vec<char> = word.chars().collect();
    let same = |a: &char, b: &char| a.to_lowercase().eq(b.to_lowercase());
    let stretched = chars.chunk_by(same).any(|run| run.len() > 2);
    // "AAA" and "III" are names.
    let shouted = chars.iter().all(|c| c.is_uppercase());
    if !stretched || (shouted && chars.chunk_by(same).count() < 2) {
        return None;
    }
    let kept = |most: usize| -> String {
        let runs = chars.chunk_by(same);
        runs.flat_map(|run| run.iter().take(if run.len() > 2 { most } else { run.len() })).collect()
    };
    let double = kept(2);
    Some(if DOUBLED.contains(&double.to_lowercase().as_str()) { double } else { kept(1) })
}

/// Words as the voice of this language says them best.
pub(super) fn respelled(text: &str, language: &Language) -> String {
    if language.respelled.is_empty() {
        return text.to_owned();
    }
    let mut said = String::new();
    for run in text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '-')) {
        let word = run.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '-'));
        let other = language.respelled.iter().find(|(written, _)| *written == word);
        said.push_str(other.map_or(word, |(_, as_said)| as_said));
        said.push_str(&run[word.len()..]);
    }
    said
}

/// Words that have a double letter where they are stretched.
const DOUBLED: [&str; 26] = [
    "good", "soon", "cool", "too", "see", "all", "hmm", "noon", "three", "free", "bye bye", "well",
    "hell", "miss", "feel", "need", "sweet", "week", "toll", "null", "alle", "bitte", "schnell",
    "hallo", "doof", "meer",
];
