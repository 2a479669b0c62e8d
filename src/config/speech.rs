//! `[speech]` and `[[key]]`.

use std::path::Path;
use std::time::Duration;

use super::section::Section;
use super::voice::{self, VoiceChoice};
use crate::script::menu::{Choice, Menu};
use crate::script::{ScriptSettings, keys};

/// `[speech]`: what the callee hears.
#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// Language of prompts and messages when nothing better is known.
    pub language: String,
    /// Longer messages are cut.
    pub body_chars_max: usize,
}

/// Reads the table, and what it says of the course of a call.
pub(super) fn read(
    mut section: Section<'_>,
    file: &Path,
) -> Option<(Speech, ScriptSettings, Vec<VoiceChoice>)> {
    let language = section.text("language").map(|language| language.unwrap_or_else(|| "en".into()));
    let hear_first = section.flag("hear_first", true);
    let body_chars_max = section.number("body_chars_max", 40..=2000, 400, "characters");
    let settle = section.number("settle_ms", 0..=5000, 700, "ms").map(Duration::from_millis);
    let voices = voice::read(&mut section, file);
    section.refuse_unknown_keys();
    let (hear_first, preroll) = (hear_first?, settle?);
    let script = ScriptSettings { hear_first, preroll, ..ScriptSettings::default() };
    Some((Speech { language: language?, body_chars_max: body_chars_max? }, script, voices?))
}

pub(super) fn menu(top: &mut Section<'_>) -> Option<Menu> {
    if !top.is_written("key") {
        top.sections("key");
        return Some(Menu::default());
    }
    let sections = top.sections("key");
    let places: Vec<_> = sections.iter().map(|section| section.at("press")).collect();
    let read: Vec<Option<Choice>> = sections.into_iter().map(key).collect();
    let choices: Vec<Choice> = read.into_iter().collect::<Option<_>>()?;
    let pressed: Vec<_> = choices.iter().map(|choice| choice.key).zip(places).collect();
    let is_double = top.has_doubles(&pressed, |key| format!("two keys are press = \"{key}\""));
    (!is_double).then(|| Menu::new(choices))
}

fn key(mut section: Section<'_>) -> Option<Choice> {
    let press = section.required_text("press").and_then(|press| {
        let mut letters = press.chars();
        match (letters.next(), letters.next()) {
            (Some(key), None) if keys::free().any(|free| free == key) => Some(key),
            _ => {
                let free: Vec<_> = keys::free().map(String::from).collect();
                let (first, last) = free.split_at(free.len() - 1);
                let says = format!(
                    "press must be {} or {}; the other keys have a meaning of their own",
                    first.join(", "),
                    last.concat()
                );
                section.mistake("press", &says);
                None
            }
        }
    });
    let (say, reply) = (section.required_text("say"), section.required_text("reply"));
    section.refuse_unknown_keys();
    Some(Choice { key: press?, say: say?, reply: reply? })
}
