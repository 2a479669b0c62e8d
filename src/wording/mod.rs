//! Every sentence that people read or hear, in their language: Fluent files, English complete.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use tracing::error;
use unic_langid::LanguageIdentifier;

/// Words a sentence, in the language asked for or else in English.
///
/// Shape:    `id` is a message of `en.ftl`; `values` fill its variables. Newlines in the file are newlines in the text.
/// Contract: all variables of the sentence must be filled. A value is never read as Fluent syntax. A language tag is matched by its first part: `de-AT` reads German.
/// Source:   Project Fluent, syntax 1.0.
pub fn phrase(language: Option<&str>, id: &str, values: &[(&str, Value<'_>)]) -> String {
    let mut arguments = FluentArgs::with_capacity(values.len());
    for (name, value) in values {
        let value = match value {
            Value::Text(text) => FluentValue::from(*text),
            Value::Count(count) => FluentValue::from(*count),
        };
        arguments.set(*name, value);
    }
    let bundles = [worded_in(language), ENGLISH].into_iter().filter_map(|tag| BUNDLES.get(tag));
    let said = bundles.into_iter().find_map(|bundle| {
        let (pattern, mut mistakes) = (bundle.get_message(id)?.value()?, vec![]);
        let said = bundle.format_pattern(pattern, Some(&arguments), &mut mistakes).into_owned();
        if !mistakes.is_empty() {
            error!(id, ?mistakes, "a sentence lacks a value");
            debug_assert!(mistakes.is_empty(), "{id} lacks a value: {mistakes:?}");
        }
        Some(said)
    });
    said.unwrap_or_else(|| {
        error!(id, "a sentence is missing in en.ftl");
        id.to_owned()
    })
}

/// What fills a variable.
#[derive(Clone, Copy, Debug)]
pub enum Value<'v> {
    /// As it is.
    Text(&'v str),
    /// A number, by which a sentence may choose its form.
    Count(u64),
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

/// The languages that have sentences of their own, as tags.
pub fn languages() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(tag, _)| *tag)
}

/// The language, of those that have sentences, in which people with this one are spoken to.
pub fn worded_in(language: Option<&str>) -> &'static str {
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    languages().find(|tag| tag.eq_ignore_ascii_case(primary)).unwrap_or(ENGLISH)
}

static BUNDLES: LazyLock<BTreeMap<&str, FluentBundle<FluentResource>>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| (*tag, bundle(tag, source))).collect());

fn bundle(tag: &str, source: &str) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks around what is filled in would be read aloud, and counted in quotations.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(rest, mistakes)| {
        error!(tag, ?mistakes, "sentences of a language cannot be read");
        rest
    });
    // Two sentences of one name are found by the tests.
    let _ = bundle.add_resource(resource);
    bundle
}

/// The menu, where the operator writes no other: what is said of a choice, what the sender reads, and what the callee
/// hears of themselves.
///
/// Source: promise C3 (2001-313666 ¶45-47).
pub const MENU: [(&str, &str, &str); 3] = [
    ("choice-message", "choice-message-reply", "choice-message-thanks"),
    ("choice-call-back", "choice-call-back-reply", "choice-call-back-thanks"),
    ("choice-later", "choice-later-reply", "choice-later-thanks"),
];

const ENGLISH: &str = "en";
const SOURCES: [(&str, &str); 4] = [
    (ENGLISH, include_str!("en.ftl")),
    ("de", include_str!("de.ftl")),
    ("fr", include_str!("fr.ftl")),
    ("es", include_str!("es.ftl")),
];

#[cfg(test)]
mod tests;
