//! What people ask of the component itself: as a chat message, an ad-hoc command or a registration.

pub mod adhoc;
pub mod chat;
mod command_list;
pub mod confirmations;
pub mod data_form;
mod forms;
pub mod registration;
pub mod replies;
mod typed_words;
pub mod values;

use std::fmt;

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::notification::verification::NumberSlot;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Setting, Subscriber};
use replies::Language;

/// What somebody asks of the component.
#[derive(Clone, PartialEq)]
pub enum UserCommand {
    /// The most important commands, explained.
    Help,
    /// The other commands, explained.
    HelpMore,
    /// The sender's settings.
    Show,
    /// New settings.
    Set(SettingChange),
    /// The code of a verification call.
    Code(String),
    /// A test call to the sender.
    Test,
    /// The sender's last calls.
    Calls,
    /// The rules for single senders.
    Rules,
    /// A sender is blocked, and told to the operators.
    Report(BareJid),
    /// The deletion of all data about the sender.
    Forget {
        /// Whether the sender has been asked for confirmation.
        confirmed: bool,
    },
    /// A command for operators.
    Operator(AdminCommand),
}

/// A command for operators only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminCommand {
    /// The list of subscribers.
    People,
    /// Everybody's last calls.
    Calls,
    /// A test call to a subscriber.
    TestCall(BareJid),
    /// Stops all calls, or resumes them.
    Suspend(bool),
}

/// Who may run a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xmpp) enum Access {
    /// Every account of the served domains.
    ServedDomains,
    /// Subscribers.
    Subscribers,
    /// Operators.
    Operators,
}

impl UserCommand {
    /// Who may run this command.
    pub(in crate::xmpp) fn access(&self) -> Access {
        match self {
            Self::Help | Self::HelpMore | Self::Code(_) | Self::Forget { .. } => {
                Access::ServedDomains
            }
            // A verified number makes an account a subscriber.
            Self::Set(change) if change.number.is_some() => Access::ServedDomains,
            Self::Show | Self::Set(_) | Self::Test => Access::Subscribers,
            Self::Calls | Self::Rules | Self::Report(_) => Access::Subscribers,
            Self::Operator(_) => Access::Operators,
        }
    }
}

impl fmt::Debug for UserCommand {
    /// Never what was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCommand")
    }
}

impl From<Setting> for UserCommand {
    fn from(setting: Setting) -> Self {
        Self::Set(SettingChange { settings: vec![setting], ..SettingChange::default() })
    }
}

impl From<SettingChange> for UserCommand {
    fn from(change: SettingChange) -> Self {
        Self::Set(change)
    }
}

impl From<AdminCommand> for UserCommand {
    fn from(command: AdminCommand) -> Self {
        Self::Operator(command)
    }
}

/// Settings that change together.
#[derive(Clone, Default, PartialEq)]
pub struct SettingChange {
    /// Settings that take effect at once.
    pub settings: Vec<Setting>,
    /// The digits of a new PIN; empty removes the PIN.
    pub pin: Option<String>,
    /// A number to be verified.
    pub number: Option<(PhoneNumber, NumberSlot)>,
}

impl SettingChange {
    fn pin(digits: &str) -> Self {
        Self { pin: Some(digits.to_owned()), ..Self::default() }
    }

    fn number(number: PhoneNumber, slot: NumberSlot) -> Self {
        Self { number: Some((number, slot)), ..Self::default() }
    }
}

/// The sender of a command.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Their full JID, to which a session belongs.
    pub from: &'a Jid,
    /// Their settings, if they are a subscriber.
    pub person: Option<&'a Subscriber>,
    /// Whether they are an operator.
    pub is_operator: bool,
    /// Their language.
    pub language: Language<'a>,
    /// The country code that numbers without one belong to.
    pub country: Option<&'a str>,
}

/// A command, its sender, and the way its answer takes.
#[derive(Debug, PartialEq)]
pub struct CommandRequest {
    /// The sender.
    pub from: Jid,
    /// The command.
    pub command: UserCommand,
    /// The sender's language, where known.
    pub language: Option<String>,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
}

/// Where the answer to a command goes.
#[derive(Debug, PartialEq)]
pub enum ReplyTo {
    /// A chat message.
    Chat,
    /// The result of an ad-hoc command (XEP-0050), which ends the session.
    Command {
        /// The request.
        iq: Box<Element>,
        /// The session's identifier.
        session: String,
    },
    /// The result of a registration (XEP-0077): this IQ.
    Register(Box<Element>),
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandResult {
    /// In words.
    pub words: String,
    /// The command is done, or under way; else the words say why not.
    pub done: bool,
}
