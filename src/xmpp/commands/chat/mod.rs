//! Commands as people type them, in English and German.

mod plain;

use plain::{plain, without_courtesy};

use super::UserCommand;
use super::command_list::COMMANDS;
use super::typed_words::Typed;
use super::values::{self, CommandError, code};
use crate::subscriber::{is_language_name, is_zone_name};

/// Reads a command; case, punctuation and blanks around it do not matter.
///
/// Errors: [`CommandError`]; it names the nearest command where one is near.
pub fn read(text: &str) -> Result<UserCommand, CommandError> {
    let text = plain(text);
    // People often send a code as they heard it, and a number alone.
    if let Ok(command) = code(&text) {
        return Ok(command);
    }
    if values::is_like_number(&text) {
        return values::first_number(&text);
    }
    let text = without_courtesy(&text);
    known(text).or_else(|| value_alone(text)).unwrap_or_else(|| Err(nearest(text)))
}

fn known(text: &str) -> Option<Result<UserCommand, CommandError>> {
    let lower = text.to_lowercase();
    let typed = || COMMANDS.iter().flat_map(|command| command.typed);
    let without_value = typed().find_map(|it| match it {
        Typed::Words(known, command) if known.split('|').any(|it| it == lower) => Some(command()),
        Typed::Words(..) | Typed::Value(..) => None,
    });
    let with_value = || {
        let found = typed().flat_map(|it| match it {
            Typed::Value(known, read) => {
                let values = known.split('|').filter_map(|words| value_after(words, text, &lower));
                values.map(|value| (value, read)).collect()
            }
            Typed::Words(..) => vec![],
        });
        // Of "second" and "second number", the longer one is meant.
        let (value, read) = found.min_by_key(|(value, _)| value.len())?;
        Some(read(value))
    };
    without_value.map(Ok).or_else(with_value)
}

/// What follows these words: `None` if the text does not begin with them.
fn value_after<'t>(words: &str, text: &'t str, lower: &str) -> Option<&'t str> {
    let rest = lower.strip_prefix(words)?;
    if !(rest.is_empty() || rest.starts_with([' ', ':', '=', ','])) {
        return None;
    }
    // Lower case may have another length; then the value is not cut out of the text.
    let mut value = text.get(words.len()..)?.trim_start_matches([' ', ':', '=', ',']);
    for word in LINKS {
        if let Some(rest) = value.strip_prefix(word).and_then(|it| it.strip_prefix(' ')) {
            value = rest.trim_start();
        }
    }
    Some(value.trim_matches(['"', '\'', ' ']))
}

/// A value that can belong to one setting only.
fn value_alone(text: &str) -> Option<Result<UserCommand, CommandError>> {
    let is_hours = text.contains(|it: char| it.is_ascii_digit());
    let as_hours = is_hours.then(|| values::quiet(text));
    let as_language = || is_language_name(text).then(|| values::language(text));
    let as_zone = || is_zone_name(text).then(|| values::zone(text));
    let is_right = |read: &Result<_, _>| read.is_ok();
    as_hours
        .filter(is_right)
        .or_else(|| as_language().filter(is_right))
        .or_else(|| as_zone().filter(is_right))
}

/// The command that was probably meant: one slip of the pen away, or two in a long word, and one that would be understood.
fn nearest(text: &str) -> CommandError {
    let (first, value) = text.split_once(' ').unwrap_or((text, ""));
    let typed = first.to_lowercase();
    let slips_max = if typed.chars().count() > 4 { 2 } else { 1 };
    let words = COMMANDS.iter().flat_map(|command| command.typed).flat_map(|it| match it {
        Typed::Words(known, _) | Typed::Value(known, _) => known.split('|'),
    });
    let near = words.filter(|word| {
        let slips = strsim::osa_distance(&typed, word);
        (1..=slips_max).contains(&slips) && word.chars().count() > 2
    });
    let commands = near.map(|word| (word, format!("{word} {value}").trim_end().to_owned()));
    let understood = commands.filter(|(_, command)| matches!(known(command), Some(Ok(_))));
    let nearest = understood.min_by_key(|(word, _)| strsim::osa_distance(&typed, word));
    nearest.map_or(CommandError::Command, |(_, command)| CommandError::Near(command))
}

/// Words between a command and its value.
const LINKS: [&str; 12] =
    ["is", "to", "ist", "auf", "hours", "me", "=", "at", "unter", "number", "nummer", "for"];

#[cfg(test)]
mod tests;
