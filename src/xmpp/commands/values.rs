//! Values as people type them, in commands and in forms.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use xmpp_parsers::jid::BareJid;

use super::{SettingChange, UserCommand};
use crate::notification::verification::NumberSlot;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{NotASetting, Setting};

/// Why a message is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// There is no such command.
    Command,
    /// The value is no value of that setting.
    Value(NotASetting),
    /// The value is no telephone number.
    Number,
    /// The value is no code.
    Code,
}

impl From<NotASetting> for CommandError {
    fn from(value: NotASetting) -> Self {
        Self::Value(value)
    }
}

/// Reads a setting whose empty value means the operator's, which is typed as "default".
pub(super) fn setting(
    written: &str,
    read: fn(&str) -> Result<Setting, NotASetting>,
) -> Result<UserCommand, CommandError> {
    Ok(read(if written.is_empty() { "?" } else { written })?.into())
}

pub(super) fn pin(digits: &str) -> Result<UserCommand, CommandError> {
    if digits.is_empty() {
        return Err(NotASetting::Pin.into());
    }
    Ok(SettingChange::pin(digits).into())
}

pub(super) fn first_number(written: &str) -> Result<UserCommand, CommandError> {
    number(written, NumberSlot::First)
}

pub(super) fn second_number(written: &str) -> Result<UserCommand, CommandError> {
    number(written, NumberSlot::Second)
}

fn number(written: &str, slot: NumberSlot) -> Result<UserCommand, CommandError> {
    let number: PhoneNumber = written.parse().map_err(|_| CommandError::Number)?;
    Ok(SettingChange::number(number, slot).into())
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
