//! Every command of the component: how it is typed, where clients list it, and the form that it shows.

use super::forms::{self, Form};
use super::values::{self, CommandError};
use super::{Access, AdminCommand, SettingChange, UserCommand};
use crate::subscriber::{SenderRule, Senders, Setting, WhenOffline};

/// One command, or several that clients show as one form.
pub(super) struct Command {
    /// As a chat message.
    pub(super) typed: &'static [Typed],
    /// As an ad-hoc command (XEP-0050); `None` if it is only typed.
    pub(super) listed: Option<Listed>,
}

/// How a command is typed. Alternative words are separated by `|`.
pub(super) enum Typed {
    /// These words and nothing else.
    Words(&'static str, fn() -> UserCommand),
    /// This word and a value.
    Value(&'static str, fn(&str) -> Result<UserCommand, CommandError>),
}

/// How clients list a command.
pub(super) struct Listed {
    pub(super) node: &'static str,
    /// The sentence that names it.
    pub(super) name: &'static str,
    pub(super) action: Action,
}

/// What executing a listed command does.
pub(super) enum Action {
    /// Runs this.
    Run(fn() -> UserCommand),
    /// Shows a form first.
    Form {
        access: Access,
        /// The sentence above the form.
        instructions: &'static str,
        form: &'static Form,
    },
}

impl Listed {
    /// Who sees the command, and may execute it.
    pub(super) fn access(&self) -> Access {
        match &self.action {
            Action::Run(command) => command().access(),
            Action::Form { access, .. } => *access,
        }
    }
}

const fn only_typed(typed: &'static [Typed]) -> Command {
    Command { typed, listed: None }
}

const fn runs(
    node: &'static str,
    name: &'static str,
    typed: &'static [Typed],
    command: fn() -> UserCommand,
) -> Command {
    Command { typed, listed: Some(Listed { node, name, action: Action::Run(command) }) }
}

const fn shows_form(
    node: &'static str,
    name: &'static str,
    instructions: &'static str,
    access: Access,
    form: &'static Form,
    typed: &'static [Typed],
) -> Command {
    let action = Action::Form { access, instructions, form };
    Command { typed, listed: Some(Listed { node, name, action }) }
}

use Typed::{Value, Words};

/// In the order in which clients list them.
pub(super) static COMMANDS: [Command; 13] = [
    only_typed(&[
        Words("help|?", || UserCommand::Help),
        Value("help|?", |_| Ok(UserCommand::HelpMore)),
    ]),
    shows_form(
        "settings",
        "command-settings",
        "instructions-settings",
        Access::ServedDomains,
        &forms::SETTINGS,
        &[
            Words("on", || Setting::Offline(WhenOffline::Phone).into()),
            Words("off", || Setting::Offline(WhenOffline::Store).into()),
            Words("second off", || Setting::NoSecondNumber.into()),
            Value("second", values::second_number),
            Words("quiet default", || Setting::Quiet(None).into()),
            Value("quiet", |hours| values::setting(&hours.to_lowercase(), Setting::quiet)),
            Words("timezone default", || Setting::TimeZone(None).into()),
            Value("timezone", |zone| values::setting(zone, Setting::time_zone)),
            Words("language default", || Setting::Language(None).into()),
            Value("language", |tag| values::setting(tag, Setting::language)),
            Words("pin off", || SettingChange::pin("").into()),
            Value("pin", values::pin),
        ],
    ),
    shows_form(
        "number",
        "command-number",
        "instructions-number",
        Access::ServedDomains,
        &forms::NUMBER,
        &[Value("phone|number", values::first_number)],
    ),
    shows_form(
        "code",
        "command-code",
        "instructions-code",
        Access::ServedDomains,
        &forms::CODE,
        &[Value("code", values::code)],
    ),
    runs("show", "command-show", &[Words("show", || UserCommand::Show)], || UserCommand::Show),
    shows_form(
        "sender",
        "command-sender",
        "instructions-sender",
        Access::Subscribers,
        &forms::SENDER,
        &[
            Value("allow", |jid| {
                Ok(Setting::Sender(values::person(jid)?, SenderRule::Allow).into())
            }),
            Value("block", |jid| {
                Ok(Setting::Sender(values::person(jid)?, SenderRule::Block).into())
            }),
            Words("everyone", || Setting::Senders(Senders::Everyone).into()),
            Words("contacts", || Setting::Senders(Senders::Contacts).into()),
        ],
    ),
    runs("test", "command-test", &[Words("test", || UserCommand::Test)], || UserCommand::Test),
    runs("calls", "command-calls", &[Words("calls", || UserCommand::Calls)], || UserCommand::Calls),
    shows_form(
        "forget",
        "command-forget",
        "instructions-forget",
        Access::Subscribers,
        &forms::FORGET,
        &[
            Words("forget me", || UserCommand::Forget { confirmed: false }),
            Words("forget me now", || UserCommand::Forget { confirmed: true }),
        ],
    ),
    runs("people", "command-people", &[Words("people", || AdminCommand::People.into())], || {
        AdminCommand::People.into()
    }),
    runs(
        "all-calls",
        "command-all-calls",
        &[Words("all calls", || AdminCommand::Calls.into())],
        || AdminCommand::Calls.into(),
    ),
    shows_form(
        "test-call",
        "command-test-call",
        "instructions-test-call",
        Access::Operators,
        &forms::TEST_CALL,
        &[Value("test-call", |jid| Ok(AdminCommand::TestCall(values::person(jid)?).into()))],
    ),
    shows_form(
        "suspend",
        "command-suspend",
        "instructions-suspend",
        Access::Operators,
        &forms::SUSPEND,
        &[
            Words("suspend", || AdminCommand::Suspend(true).into()),
            Words("resume", || AdminCommand::Suspend(false).into()),
        ],
    ),
];
