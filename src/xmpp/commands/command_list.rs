//! Every command of the component: where clients list it, and the form that it shows.

use super::forms::{self, Form};
use super::typed_words::{self, Typed};
use super::{Access, AdminCommand, UserCommand};

/// One command, or several that clients show as one form.
pub(super) struct Command {
    /// As a chat message.
    pub(super) typed: &'static [Typed],
    /// As an ad-hoc command (XEP-0050); `None` if it is only typed.
    pub(super) listed: Option<Listed>,
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

/// In the order in which clients list them.
pub(super) static COMMANDS: [Command; 14] = [
    only_typed(typed_words::HELP),
    shows_form(
        "settings",
        "command-settings",
        "instructions-settings",
        Access::ServedDomains,
        &forms::SETTINGS,
        typed_words::SETTINGS,
    ),
    shows_form(
        "number",
        "command-number",
        "instructions-number",
        Access::ServedDomains,
        &forms::NUMBER,
        typed_words::NUMBER,
    ),
    shows_form(
        "code",
        "command-code",
        "instructions-code",
        Access::ServedDomains,
        &forms::CODE,
        typed_words::CODE,
    ),
    runs("show", "command-show", typed_words::SHOW, || UserCommand::Show),
    shows_form(
        "sender",
        "command-sender",
        "instructions-sender",
        Access::Subscribers,
        &forms::SENDER,
        typed_words::SENDER,
    ),
    runs("rules", "command-rules", typed_words::RULES, || UserCommand::Rules),
    runs("test", "command-test", typed_words::TEST, || UserCommand::Test),
    runs("calls", "command-calls", typed_words::CALLS, || UserCommand::Calls),
    shows_form(
        "forget",
        "command-forget",
        "instructions-forget",
        Access::ServedDomains,
        &forms::FORGET,
        typed_words::FORGET,
    ),
    runs("people", "command-people", typed_words::PEOPLE, || AdminCommand::People.into()),
    runs("all-calls", "command-all-calls", typed_words::ALL_CALLS, || AdminCommand::Calls.into()),
    shows_form(
        "test-call",
        "command-test-call",
        "instructions-test-call",
        Access::Operators,
        &forms::TEST_CALL,
        typed_words::TEST_CALL,
    ),
    shows_form(
        "suspend",
        "command-suspend",
        "instructions-suspend",
        Access::Operators,
        &forms::SUSPEND,
        typed_words::SUSPEND,
    ),
];
