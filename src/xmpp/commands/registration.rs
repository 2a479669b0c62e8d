//! A number set or removed by registration (XEP-0077), for clients that know no ad-hoc commands.

use minidom::Element;
use xmpp_parsers::jid::Jid;

use super::replies::Language;
use super::values::{self, CommandError};
use super::{CommandRequest, CommandResult, ReplyTo, SettingChange, UserCommand};
use crate::notification::verification::NumberSlot;
use crate::subscriber::Subscriber;
use crate::wording::phrase;
use crate::xmpp::ns;
use crate::xmpp::stanza::{self, text};

/// The registration form, with the number that is set.
///
/// Source: XEP-0077 §3.1.
pub fn form(person: Option<&Subscriber>, language: Language<'_>) -> Element {
    let mut query = Element::bare("query", ns::REGISTER);
    let number = person.and_then(|person| person.number.as_ref());
    if person.is_some() {
        query.append_child(Element::bare("registered", ns::REGISTER));
    }
    let instructions = phrase(language, "instructions-number", &[]);
    query.append_child(text("instructions", ns::REGISTER, &instructions));
    query.append_child(text("phone", ns::REGISTER, number.map_or("", |number| number.as_str())));
    query
}

/// Reads a registration: a number or `remove`.
///
/// Source: XEP-0077 §3.1 and §3.2 (`remove`).
pub fn read(
    iq: &Element,
    from: &Jid,
    language: Language<'_>,
) -> Result<CommandRequest, CommandError> {
    let query = iq.get_child("query", ns::REGISTER).ok_or(CommandError::Number)?;
    let command = if query.has_child("remove", ns::REGISTER) {
        UserCommand::Forget { confirmed: true }
    } else {
        let phone = query.get_child("phone", ns::REGISTER).map(Element::text);
        let number = values::number(&phone.unwrap_or_default())?;
        SettingChange::number(number, NumberSlot::First).into()
    };
    Ok(CommandRequest {
        from: from.clone(),
        command,
        language: language.map(str::to_owned),
        reply_to: ReplyTo::Register(Box::new(iq.clone())),
    })
}

/// The answer. The words of a success go as a chat message, as a result has no place for them.
pub fn result(iq: &Element, result: &CommandResult) -> Element {
    if result.done {
        stanza::result(iq, None)
    } else {
        stanza::error(iq, "modify", "not-acceptable", &result.words)
    }
}
