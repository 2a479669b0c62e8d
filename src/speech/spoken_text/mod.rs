//! Text for the ear: numbers, dates, addresses and signs put into the words that a good reader would say.
//!
//! Each kind of thing has a file with its table of rules; a language brings its words. Pure, and in time that grows with
//! the text, of which only so much is looked at.

mod abbreviations;
mod addresses;
mod clocks;
mod dates;
mod emoji;
mod english;
mod english_words;
mod fractions;
mod german;
mod german_words;
mod labels;
mod language;
mod letters;
mod lines;
mod measures;
mod money;
mod names;
mod numbers;
mod ranges;
mod references;
mod rule;
mod scripts;
mod signs;

use std::borrow::Cow;
use std::sync::LazyLock;

use self::language::Language;
use self::rule::Rule;

pub use self::emoji::EmojiNames;
pub use self::lines::{Written, line_kind, without_list_mark};

/// Puts a text into the words in which it is said.
///
/// Where a language has no words here the text stays as it is. The result has no digits left, but for those that no rule
/// understands.
///
/// Contract: looks at the first [`CHARS_MAX`] characters only. What was put into words already stays so.
pub fn spoken<'t>(text: &'t str, language: &str) -> Cow<'t, str> {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let known = LANGUAGES.iter().zip(RULES.iter());
    let Some((language, rules)) =
        known.into_iter().find(|(it, _)| it.tag.eq_ignore_ascii_case(primary))
    else {
        return Cow::Borrowed(text);
    };
    Cow::Owned(letters::respelled(&in_words(text, language, rules), language))
}

/// As [`spoken`], before words from elsewhere are written as the voice needs them.
fn in_words(text: &str, language: &Language, rules: &[Rule]) -> String {
    let end = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(end, _)| end);
    let mut said = scripts::plain(&text[..end]);
    for rule in rules {
        if let Some(next) = rule.apply(&said, language) {
            said = next;
        }
    }
    said
}

/// The rules in the order in which they are tried: what is special before what is general.
fn rules(language: &Language) -> Vec<Rule> {
    let kinds: [fn(&Language) -> Vec<Rule>; 14] = [
        signs::faces,
        addresses::rules,
        references::rules,
        dates::rules,
        ranges::rules,
        clocks::rules,
        labels::rules,
        fractions::rules,
        money::rules,
        measures::rules,
        abbreviations::rules,
        signs::rules,
        names::rules,
        numbers::rules,
    ];
    let mut all: Vec<Rule> = kinds.iter().flat_map(|kind| kind(language)).collect();
    all.extend(letters::rules(language));
    all
}

static LANGUAGES: [&Language; 2] = [&english::ENGLISH, &german::GERMAN];
static RULES: LazyLock<Vec<Vec<Rule>>> =
    LazyLock::new(|| LANGUAGES.iter().map(|language| rules(language)).collect());

/// How much of a text is looked at.
pub const CHARS_MAX: usize = 2_000;

#[cfg(test)]
mod tests;
