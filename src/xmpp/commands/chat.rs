//! Commands as people type them.

use super::UserCommand;
use super::command_list::{COMMANDS, Typed};
use super::values::{CommandError, code};

/// Reads a command; case and blanks around it do not matter.
///
/// Errors: [`CommandError`].
pub fn read(text: &str) -> Result<UserCommand, CommandError> {
    let text = text.trim();
    // People often send a code as they heard it.
    if let Ok(command) = code(text) {
        return Ok(command);
    }
    let (word, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (word, value) = (word.trim_start_matches('/').to_lowercase(), value.trim());
    let words = format!("{word} {}", value.to_lowercase());
    let is = |alternatives: &str, typed: &str| alternatives.split('|').any(|it| it == typed);
    let typed = || COMMANDS.iter().flat_map(|command| command.typed);
    let without_value = typed().find_map(|it| match it {
        Typed::Words(known, command) if is(known, words.trim_end()) => Some(command()),
        Typed::Words(..) | Typed::Value(..) => None,
    });
    let with_value = || {
        typed().find_map(|it| match it {
            Typed::Value(known, read) if is(known, &word) => Some(read(value)),
            Typed::Value(..) | Typed::Words(..) => None,
        })
    };
    without_value.map(Ok).or_else(with_value).unwrap_or(Err(CommandError::Command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::verification::NumberSlot;
    use crate::phone_number::PhoneNumber;
    use crate::subscriber::{NotASetting, SenderRule, Setting, WhenOffline};
    use crate::xmpp::commands::{AdminCommand, SettingChange};

    #[test]
    fn a_command_is_known_however_it_is_typed() {
        let number: PhoneNumber = "+81378901111".parse().unwrap();
        let number = |slot| Ok(SettingChange::number(number.clone(), slot).into());
        let set = |setting: Setting| Ok(setting.into());
        let blocks = |jid: &str| set(Setting::Sender(jid.parse().unwrap(), SenderRule::Block));
        let cases = [
            ("help", Ok(UserCommand::Help)),
            (" HELP\n", Ok(UserCommand::Help)),
            ("?", Ok(UserCommand::Help)),
            ("help more", Ok(UserCommand::HelpMore)),
            ("On", set(Setting::Offline(WhenOffline::Phone))),
            ("/off", set(Setting::Offline(WhenOffline::Store))),
            ("on please", Err(CommandError::Command)),
            ("", Err(CommandError::Command)),
            ("Phone +81 3 7890-1111", number(NumberSlot::First)),
            ("number +81378901111", number(NumberSlot::First)),
            ("second +81378901111", number(NumberSlot::Second)),
            ("second Off", set(Setting::NoSecondNumber)),
            ("phone 0378901111", Err(CommandError::Number)),
            ("phone", Err(CommandError::Number)),
            ("code 012 345", Ok(UserCommand::Code("012345".into()))),
            ("012345", Ok(UserCommand::Code("012345".into()))),
            ("0 1 2-3. 4 5", Ok(UserCommand::Code("012345".into()))),
            ("code 01234", Err(CommandError::Code)),
            ("block xmpp:eve@example.org", blocks("eve@example.org")),
            ("block XMPP:eve@example.org?message", blocks("eve@example.org")),
            ("block eve@example.org/desk", blocks("eve@example.org")),
            (
                "block xmpp:eve%5C40x.org@phone.example.org/a%20b",
                blocks("eve\\40x.org@phone.example.org"),
            ),
            ("block xmpp:example.org", Err(CommandError::Value(NotASetting::Jid))),
            ("block example.org", Err(CommandError::Value(NotASetting::Jid))),
            ("pin", Err(CommandError::Value(NotASetting::Pin))),
            ("pin 4821", Ok(SettingChange::pin("4821").into())),
            ("PIN off", Ok(SettingChange::pin("").into())),
            ("quiet", Err(CommandError::Value(NotASetting::Quiet))),
            ("quiet default", set(Setting::Quiet(None))),
            ("quiet OFF", set(Setting::quiet("off").unwrap())),
            ("timezone", Err(CommandError::Value(NotASetting::TimeZone))),
            ("timezone Asia/Tokyo", set(Setting::time_zone("Asia/Tokyo").unwrap())),
            ("language DE", set(Setting::Language(Some("de".into())))),
            ("forget me", Ok(UserCommand::Forget { confirmed: false })),
            ("forget me now", Ok(UserCommand::Forget { confirmed: true })),
            ("forget", Err(CommandError::Command)),
            ("all calls", Ok(AdminCommand::Calls.into())),
            ("suspend", Ok(AdminCommand::Suspend(true).into())),
        ];
        for (text, command) in cases {
            assert!(read(text) == command, "{text:?}: {:?}", read(text).err());
        }
    }
}
