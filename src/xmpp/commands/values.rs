//! Values as people type them, in commands and in forms.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use xmpp_parsers::jid::BareJid;

use super::{SettingChange, UserCommand};
use crate::notification::verification::NumberSlot;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{NotASetting, Setting, nearest_zone};

/// Why a message is no command.
#[derive(Clone, PartialEq, Eq)]
pub enum CommandError {
    /// There is no such command.
    Command,
    /// There is no such command, but this one is near.
    Near(String),
    /// The value is no value of that setting.
    Value(NotASetting),
    /// There is no such zone, but this one is near.
    ZoneNear(String),
    /// The value is no telephone number.
    Number,
    /// The value is a number without its country code: its digits.
    NationalNumber(String),
    /// The value is no code.
    Code,
}

impl fmt::Debug for CommandError {
    /// Never what was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommandError")
    }
}

impl From<NotASetting> for CommandError {
    fn from(value: NotASetting) -> Self {
        Self::Value(value)
    }
}

/// Reads quiet hours.
pub(super) fn quiet(hours: &str) -> Result<UserCommand, CommandError> {
    given(hours, NotASetting::Quiet)?;
    Ok(Setting::quiet(hours)?.into())
}

/// Reads a zone, or offers the nearest.
pub(super) fn zone(name: &str) -> Result<UserCommand, CommandError> {
    given(name, NotASetting::TimeZone)?;
    Ok(zone_setting(name)?.into())
}

/// Reads a zone, or offers the nearest; nothing means the operator's.
pub(super) fn zone_setting(name: &str) -> Result<Setting, CommandError> {
    Setting::time_zone(name).map_err(|error| match nearest_zone(name) {
        Some(zone) => CommandError::ZoneNear(zone),
        None => error.into(),
    })
}

/// Reads a language.
pub(super) fn language(name: &str) -> Result<UserCommand, CommandError> {
    given(name, NotASetting::Language)?;
    Ok(Setting::language(name)?.into())
}

/// What is empty in a form means the operator's setting; in a command, something is missing.
fn given(value: &str, what: NotASetting) -> Result<(), NotASetting> {
    if value.is_empty() { Err(what) } else { Ok(()) }
}

pub(super) fn pin(digits: &str) -> Result<UserCommand, CommandError> {
    let digits: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(NotASetting::Pin.into());
    }
    Ok(SettingChange::pin(&digits).into())
}

pub(super) fn first_number(written: &str) -> Result<UserCommand, CommandError> {
    Ok(SettingChange::number(number(written)?, NumberSlot::First).into())
}

pub(super) fn second_number(written: &str) -> Result<UserCommand, CommandError> {
    Ok(SettingChange::number(number(written)?, NumberSlot::Second).into())
}

/// Reads a telephone number as people write it.
pub(super) fn number(written: &str) -> Result<PhoneNumber, CommandError> {
    written.parse::<PhoneNumber>().map_err(|_| {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        if is_like_number(written) && digits.starts_with('0') {
            CommandError::NationalNumber(digits)
        } else {
            CommandError::Number
        }
    })
}

/// Whether this can only be meant as a telephone number.
pub(super) fn is_like_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_part = |it: char| it.is_ascii_digit() || "+()-./ ".contains(it);
    let is_uri = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    digits >= 7 && (is_uri || text.chars().all(is_part))
}

/// Reads six digits, with blanks and punctuation between them.
pub(super) fn code(written: &str) -> Result<UserCommand, CommandError> {
    let digits: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | ',')).collect();
    if is_code(&digits) { Ok(UserCommand::Code(digits)) } else { Err(CommandError::Code) }
}

fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|it| it.is_ascii_digit())
}

/// Reads the address of an account as people come by it: with or without a resource, or as a URI. A domain alone is none.
///
/// Source: RFC 5122 §2.
pub(super) fn person(written: &str) -> Result<BareJid, NotASetting> {
    let written = written.trim_matches(['<', '>']);
    let is_uri = written.get(..SCHEME.len()).is_some_and(|it| it.eq_ignore_ascii_case(SCHEME));
    let address = if is_uri {
        let path = written[SCHEME.len()..].split(['?', '#']).next().unwrap_or_default();
        percent_decode_str(path).decode_utf8().map_err(|_| NotASetting::Jid)?
    } else {
        Cow::Borrowed(written)
    };
    let bare = address.split('/').next().unwrap_or_default();
    let jid = BareJid::new(bare).map_err(|_| NotASetting::Jid)?;
    if jid.node().is_some() { Ok(jid) } else { Err(NotASetting::Jid) }
}

const SCHEME: &str = "xmpp:";
