//! One kind of thing that is written otherwise than it is said: what it looks like, and what is said.

use regex::{Captures, Regex};

use super::language::Language;

/// A pattern, and the words for what it finds.
pub(super) struct Rule {
    pattern: Regex,
    say: Say,
}

/// Words what was found; `None` leaves it as it is written.
pub(super) type Say = fn(&Found<'_>, &Language) -> Option<String>;

/// What a pattern found, and what stands around it.
pub(super) struct Found<'t> {
    captures: Captures<'t>,
    pub(super) before: &'t str,
    pub(super) after: &'t str,
}

impl<'t> Found<'t> {
    /// What a group of the pattern holds; nothing if it took no part.
    pub(super) fn get(&self, group: usize) -> &'t str {
        self.captures.get(group).map_or("", |found| found.as_str())
    }

    /// A group as a number; `None` if it is none or takes more than 18 digits.
    pub(super) fn number(&self, group: usize) -> Option<u64> {
        self.get(group).parse().ok().filter(|number| *number < 1_000_000_000_000_000_000)
    }

    /// The words before it, the nearest first, in lower case and without marks.
    pub(super) fn words_before(&self) -> impl Iterator<Item = String> + use<'t> {
        let start = self.before.char_indices().rev().nth(LOOK_CHARS_MAX).map_or(0, |(at, _)| at);
        words(&self.before[start..]).rev()
    }

    /// The words after it, the nearest first, in lower case and without marks.
    pub(super) fn words_after(&self) -> impl Iterator<Item = String> + use<'t> {
        let end =
            self.after.char_indices().nth(LOOK_CHARS_MAX).map_or(self.after.len(), |(at, _)| at);
        words(&self.after[..end])
    }

    /// Whether the word before says that a number is a name: "PIN 4711", "the code is 4711".
    pub(super) fn is_named(&self, language: &Language) -> bool {
        let mut before = self.words_before();
        let nearest = before.next().unwrap_or_default();
        let named = |word: &str| language.references.contains(&word);
        named(&nearest)
            || (COPULAS.contains(&nearest.as_str()) && before.next().is_some_and(|it| named(&it)))
    }

    pub(super) fn last_before(&self) -> Option<char> {
        self.before.chars().next_back()
    }

    pub(super) fn first_after(&self) -> Option<char> {
        self.after.chars().next()
    }
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = String> + use<'_> {
    let bare =
        |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#').to_lowercase();
    text.split_whitespace().map(bare)
}

impl Rule {
    /// Contract: the pattern is ours and right, or the tests of this module fail.
    pub(super) fn new(pattern: &str, say: Say) -> Option<Self> {
        // The digits of other scripts are made plain before.
        let pattern = Regex::new(&pattern.replace(r"[\d", "[0-9").replace(r"\d", "[0-9]"));
        debug_assert!(pattern.is_ok(), "{pattern:?}");
        pattern.ok().map(|pattern| Self { pattern, say })
    }

    /// Puts words in the place of all that the pattern finds.
    pub(super) fn apply(&self, text: &str, language: &Language) -> Option<String> {
        let mut said = String::new();
        let mut done = 0;
        for captures in self.pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            let (start, end) = (whole.start(), whole.end());
            let found = Found { before: &text[..start], after: &text[end..], captures };
            let Some(words) = (self.say)(&found, language) else { continue };
            said.push_str(&text[done..start]);
            let found = &text[start..end];
            // Words do not run together; what stays as it was written does.
            if !words.starts_with(|first| found.starts_with(first)) && joins(&said, &words) {
                said.push(' ');
            }
            said.push_str(&words);
            if !words.ends_with(|last| found.ends_with(last)) && joins(&words, &text[end..]) {
                said.push(' ');
            }
            done = end;
        }
        if done == 0 {
            return None;
        }
        said.push_str(&text[done..]);
        Some(said)
    }
}

fn joins(before: &str, after: &str) -> bool {
    before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric)
}

/// Rules from patterns and what they say.
pub(super) fn rules<const N: usize>(table: [(&str, Say); N]) -> Vec<Rule> {
    table.into_iter().filter_map(|(pattern, say)| Rule::new(pattern, say)).collect()
}

/// Any one of these words, as a pattern, the longest first.
pub(super) fn any_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut words: Vec<String> = words.map(regex::escape).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words.join("|")
}

const COPULAS: [&str; 8] = ["is", "was", "are", "ist", "lautet", "war", "number", "nummer"];
/// How far around a find its meaning is looked for.
const LOOK_CHARS_MAX: usize = 48;
