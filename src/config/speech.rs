//! `[speech]` and `[[key]]`.

use std::time::Duration;

use super::source::Section;
use crate::script::menu::{Choice, Menu, RESERVED};

/// `[speech]`: what the callee hears.
#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// Voice of messages when nothing better is known.
    pub language: String,
    /// Whether 5 is asked for before a message is read aloud.
    pub hear_first: bool,
    /// Longer messages are cut.
    pub body_chars_max: usize,
    /// Silence between the answer and the first word.
    pub settle: Duration,
}

pub(super) fn read(mut section: Section<'_>) -> Option<Speech> {
    let language = section.text("language").map(|language| language.unwrap_or_else(|| "en".into()));
    let hear_first = section.flag("hear_first", true);
    let body_chars_max = section.number("body_chars_max", 40..=2000, 400, "characters");
    let settle = section.number("settle_ms", 0..=5000, 700, "ms").map(Duration::from_millis);
    section.refuse_unknown_keys();
    Some(Speech {
        language: language?,
        hear_first: hear_first?,
        body_chars_max: body_chars_max?,
        settle: settle?,
    })
}

pub(super) fn menu(top: &mut Section<'_>) -> Option<Menu> {
    if !top.is_written("key") {
        top.sections("key");
        return Some(Menu::default());
    }
    let read: Vec<Option<Choice>> = top.sections("key").into_iter().map(key).collect();
    let choices: Vec<Choice> = read.into_iter().collect::<Option<_>>()?;
    for (place, choice) in choices.iter().enumerate() {
        if choices[..place].iter().any(|other| other.key == choice.key) {
            top.mistake("key", &format!("two keys are press = \"{}\"", choice.key));
            return None;
        }
    }
    Some(Menu::new(choices))
}

fn key(mut section: Section<'_>) -> Option<Choice> {
    let press = section.required_text("press").and_then(|press| {
        let mut letters = press.chars();
        match (letters.next(), letters.next()) {
            (Some(key), None) if key.is_ascii_digit() && !RESERVED.contains(key) => Some(key),
            _ => {
                section.mistake(
                    "press",
                    "press must be 1, 2, 3, 4 or 6; the other keys have a meaning of their own",
                );
                None
            }
        }
    });
    let (say, reply) = (section.required_text("say"), section.required_text("reply"));
    section.refuse_unknown_keys();
    Some(Choice { key: press?, say: say?, reply: reply? })
}
