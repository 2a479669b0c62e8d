//! Wishes as people type them.

use xmpp_parsers::jid::BareJid;

use super::{Order, Wanted, Wish};
use crate::notification::verification::Place;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{NotASetting, Rule, Senders, Setting, WhenOffline};

/// Reads a command; case and blanks around it do not matter.
///
/// Errors: what is odd about it.
pub fn read(text: &str) -> Result<Wish, Odd> {
    let text = text.trim();
    let (command, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = value.trim();
    let command = command.trim_start_matches('/').to_lowercase();
    // A code is often sent as it was heard.
    if let Ok(wish) = code(text) {
        return Ok(wish);
    }
    let lower = value.to_lowercase();
    let set = |setting: Result<Setting, NotASetting>| {
        Ok(Wish::Set(Wanted { settings: vec![setting?], ..Wanted::default() }))
    };
    let offline = |offline| set(Ok(Setting::Offline(offline)));
    match (command.as_str(), lower.as_str()) {
        ("help" | "?", "") => Ok(Wish::Help),
        ("help" | "?", _) => Ok(Wish::HelpMore),
        ("show", "") => Ok(Wish::Show),
        ("on", "") => offline(WhenOffline::Phone),
        ("off", "") => offline(WhenOffline::Store),
        ("second", "off") => set(Ok(Setting::NoSecondNumber)),
        ("phone" | "number", _) => number(value, Place::First),
        ("second", _) => number(value, Place::Second),
        ("code", digits) => code(digits),
        ("quiet", "default") => set(Setting::quiet("")),
        ("quiet", hours) => set(Setting::quiet(if hours.is_empty() { "?" } else { hours })),
        ("timezone", "default") => set(Setting::time_zone("")),
        ("timezone", _) => set(Setting::time_zone(if value.is_empty() { "?" } else { value })),
        ("language", "default") => set(Setting::language("")),
        ("language", _) => set(Setting::language(if value.is_empty() { "?" } else { value })),
        ("pin", "off") => Ok(Wish::Set(Wanted { pin: Some(String::new()), ..Wanted::default() })),
        ("pin", "") => Err(Odd::Value(NotASetting::Pin)),
        ("pin", _) => Ok(Wish::Set(Wanted { pin: Some(value.to_owned()), ..Wanted::default() })),
        ("allow", _) => set(person(value).map(|jid| Setting::Sender(jid, Rule::Allow))),
        ("block", _) => set(person(value).map(|jid| Setting::Sender(jid, Rule::Block))),
        ("everyone", "") => set(Ok(Setting::Senders(Senders::Everyone))),
        ("contacts", "") => set(Ok(Setting::Senders(Senders::Contacts))),
        ("test", "") => Ok(Wish::Test),
        ("calls", "") => Ok(Wish::Calls),
        ("forget", "me") => Ok(Wish::Forget(false)),
        ("forget", "me now") => Ok(Wish::Forget(true)),
        ("people", "") => Ok(Wish::Operator(Order::People)),
        ("all", "calls") => Ok(Wish::Operator(Order::Calls)),
        ("test-call", _) => Ok(Wish::Operator(Order::TestCall(person(value)?))),
        ("suspend", "") => Ok(Wish::Operator(Order::Suspend(true))),
        ("resume", "") => Ok(Wish::Operator(Order::Suspend(false))),
        _ => Err(Odd::Command),
    }
}

/// Why a message is no wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// There is no such command.
    Command,
    /// There is, but not with this value.
    Value(NotASetting),
    /// No telephone number.
    Number,
    /// No code.
    Code,
}

impl From<NotASetting> for Odd {
    fn from(value: NotASetting) -> Self {
        Self::Value(value)
    }
}

fn number(written: &str, place: Place) -> Result<Wish, Odd> {
    let number: PhoneNumber = written.parse().map_err(|_| Odd::Number)?;
    Ok(Wish::Set(Wanted { number: Some((number, place)), ..Wanted::default() }))
}

/// Six digits, with whatever people put between them.
fn code(written: &str) -> Result<Wish, Odd> {
    let digits: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | ',')).collect();
    if is_code(&digits) { Ok(Wish::Code(digits)) } else { Err(Odd::Code) }
}

fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|it| it.is_ascii_digit())
}

fn person(written: &str) -> Result<BareJid, NotASetting> {
    let jid = BareJid::new(written.trim_start_matches("xmpp:")).map_err(|_| NotASetting::Jid)?;
    if jid.node().is_some() { Ok(jid) } else { Err(NotASetting::Jid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_however_it_is_typed() {
        let number: PhoneNumber = "+81378901111".parse().unwrap();
        let first = Wanted { number: Some((number, Place::First)), ..Wanted::default() };
        let set = |setting| Ok(Wish::Set(Wanted { settings: vec![setting], ..Wanted::default() }));
        let eve: BareJid = "eve@example.org".parse().unwrap();
        let cases = [
            ("help", Ok(Wish::Help)),
            (" HELP\n", Ok(Wish::Help)),
            ("help more", Ok(Wish::HelpMore)),
            ("On", set(Setting::Offline(WhenOffline::Phone))),
            ("off", set(Setting::Offline(WhenOffline::Store))),
            ("on please", Err(Odd::Command)),
            ("", Err(Odd::Command)),
            ("Phone +81 3 7890-1111", Ok(Wish::Set(first))),
            ("phone 0378901111", Err(Odd::Number)),
            ("code 012 345", Ok(Wish::Code("012345".into()))),
            ("012345", Ok(Wish::Code("012345".into()))),
            ("0 1 2-3. 4 5", Ok(Wish::Code("012345".into()))),
            ("code 01234", Err(Odd::Code)),
            ("block xmpp:eve@example.org", set(Setting::Sender(eve, Rule::Block))),
            ("block example.org", Err(Odd::Value(NotASetting::Jid))),
            ("pin", Err(Odd::Value(NotASetting::Pin))),
            ("quiet", Err(Odd::Value(NotASetting::Quiet))),
            ("forget me", Ok(Wish::Forget(false))),
            ("suspend", Ok(Wish::Operator(Order::Suspend(true)))),
        ];
        for (text, wish) in cases {
            assert!(read(text) == wish, "{text:?}: {:?}", read(text).err());
        }
    }
}
