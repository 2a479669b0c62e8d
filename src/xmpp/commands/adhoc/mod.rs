//! Ad-hoc commands and their sessions (XEP-0050).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::data_forms::{DataForm, DataFormType};
use xmpp_parsers::jid::Jid;

use super::command_list::{Action, COMMANDS, Listed};
use super::data_form::Submitted;
use super::forms::Form;
use super::replies;
use super::{Access, Asker, CommandRequest, CommandResult, ReplyTo, UserCommand};
use crate::seed::Seed;
use crate::wording::phrase;
use crate::xmpp::ns;
use crate::xmpp::stanza::{self, element, text};

/// What follows from a command's IQ.
#[derive(Debug)]
pub enum Handled {
    /// Send this.
    Answer(Element),
    /// Run this, then answer with [`completed`].
    CommandRequest(CommandRequest),
}

/// The forms that are being filled in.
///
/// Contract: a session belongs to one full JID and one form, serves once, and expires after ten minutes. When too many
///           are open, those of strangers end first, the oldest before the others, so that no flood of strangers keeps
///           subscribers out.
/// Source:   XEP-0050 §3.
#[derive(Debug, Default)]
pub struct Sessions {
    open: BTreeMap<String, Session>,
}

#[derive(Debug)]
struct Session {
    owner: Jid,
    /// Whether the owner is a subscriber or an operator.
    is_known: bool,
    node: &'static str,
    expires: Instant,
}

/// The commands that the sender may execute: node and name.
pub fn list(asker: Asker<'_>) -> Vec<(&'static str, String)> {
    let allowed = COMMANDS
        .iter()
        .filter_map(|command| command.listed.as_ref())
        .filter(|listed| may_execute(asker, listed));
    allowed.map(|listed| (listed.node, phrase(asker.language, listed.name, &[]))).collect()
}

fn may_execute(asker: Asker<'_>, listed: &Listed) -> bool {
    match listed.access() {
        Access::ServedDomains => true,
        Access::Subscribers => asker.person.is_some(),
        Access::Operators => asker.is_operator,
    }
}

impl Sessions {
    /// Handles an IQ `set` with a `command` payload.
    pub fn handle(
        &mut self,
        iq: &Element,
        asker: Asker<'_>,
        seed: &mut Seed,
        now: Instant,
    ) -> Handled {
        let Some(payload) = iq.get_child("command", ns::COMMANDS) else {
            return Handled::Answer(stanza::error(iq, "modify", "bad-request", ""));
        };
        let node = payload.attr("node").unwrap_or_default();
        let mut listed = COMMANDS.iter().filter_map(|command| command.listed.as_ref());
        let Some(listed) = listed.find(|listed| listed.node == node) else {
            return Handled::Answer(stanza::error(iq, "cancel", "item-not-found", ""));
        };
        if !may_execute(asker, listed) {
            return Handled::Answer(stanza::error(iq, "auth", "forbidden", ""));
        }
        let action = payload.attr("action").unwrap_or("execute");
        let refusal = |condition| Handled::Answer(refusal(iq, condition));
        let Some(id) = payload.attr("sessionid") else {
            return match (action, &listed.action) {
                ("execute", Action::Run(command)) => request(iq, command(), &seed.token(), asker),
                ("execute", Action::Form { instructions, form, .. }) => {
                    self.open(iq, listed, (instructions, form), asker, (seed.token(), now))
                }
                _ => refusal("bad-action"),
            };
        };
        let owns = |session: &Session| session.owner == *asker.from && session.node == node;
        if !self.open.get(id).is_some_and(owns) {
            return refusal("bad-sessionid");
        }
        let (Some(session), Action::Form { form, .. }) = (self.open.remove(id), &listed.action)
        else {
            return refusal("bad-sessionid");
        };
        match action {
            _ if session.expires <= now => refusal("session-expired"),
            "cancel" => Handled::Answer(command(iq, node, id, "canceled", None)),
            "execute" | "complete" | "next" => submit(iq, payload, form, id, asker),
            _ => refusal("bad-action"),
        }
    }

    /// Opens a session and shows its form.
    fn open(
        &mut self,
        iq: &Element,
        listed: &Listed,
        (instructions, form): (&str, &Form),
        asker: Asker<'_>,
        (id, now): (String, Instant),
    ) -> Handled {
        self.open.retain(|_, session| session.expires > now);
        let account = asker.from.to_bare();
        let of_account = |session: &&Session| session.owner.to_bare() == account;
        if self.open.values().filter(of_account).count() >= OPEN_OF_ONE_MAX || !self.make_room() {
            return Handled::Answer(stanza::error(iq, "wait", "resource-constraint", ""));
        }
        let form_type = format!("urn:offhook:{}:0", listed.node);
        let form = DataForm {
            title: Some(phrase(asker.language, listed.name, &[])),
            instructions: Some(phrase(asker.language, instructions, &[])),
            ..DataForm::new(DataFormType::Form, &form_type, (form.fields)(asker))
        };
        let mut answer = command(iq, listed.node, &id, "executing", None);
        if let Some(command) = answer.get_child_mut("command", ns::COMMANDS) {
            let mut actions = element("actions", ns::COMMANDS, &[("execute", "complete")]);
            actions.append_child(Element::bare("complete", ns::COMMANDS));
            command.append_child(actions);
            command.append_child(form.into());
        }
        let session = Session {
            owner: asker.from.clone(),
            is_known: asker.person.is_some() || asker.is_operator,
            node: listed.node,
            expires: now + SESSION,
        };
        self.open.insert(id, session);
        Handled::Answer(answer)
    }

    /// Whether one more session can be open; ends the oldest of a stranger where need be.
    fn make_room(&mut self) -> bool {
        if self.open.len() < OPEN_MAX {
            return true;
        }
        let strangers = self.open.iter().filter(|(_, session)| !session.is_known);
        let oldest = strangers.min_by_key(|(_, session)| session.expires).map(|(id, _)| id.clone());
        oldest.is_some_and(|id| self.open.remove(&id).is_some())
    }
}

fn submit(
    iq: &Element,
    payload: &Element,
    form: &Form,
    session: &str,
    asker: Asker<'_>,
) -> Handled {
    let Some(submitted) = Submitted::within(payload) else {
        return Handled::Answer(refusal(iq, "bad-payload"));
    };
    match (form.read)(&submitted, asker.person) {
        Ok(command) => request(iq, command, session, asker),
        Err(error) => {
            let words = replies::not_understood(asker.language, &error, asker.country);
            Handled::Answer(completed(iq, session, &CommandResult { words, done: false }))
        }
    }
}

/// The answer that ends a command.
pub fn completed(iq: &Element, session: &str, result: &CommandResult) -> Element {
    let payload = iq.get_child("command", ns::COMMANDS);
    let node = payload.and_then(|payload| payload.attr("node")).unwrap_or_default();
    let mut note = text("note", ns::COMMANDS, &result.words);
    stanza::set(&mut note, "type", if result.done { "info" } else { "error" });
    command(iq, node, session, "completed", Some(note))
}

fn command(
    iq: &Element,
    node: &str,
    session: &str,
    status: &str,
    payload: Option<Element>,
) -> Element {
    let attributes = [("node", node), ("sessionid", session), ("status", status)];
    let mut command = element("command", ns::COMMANDS, &attributes);
    if let Some(payload) = payload {
        command.append_child(payload);
    }
    stanza::result(iq, Some(command))
}

/// Source: XEP-0050 §4.4.
fn refusal(iq: &Element, condition: &'static str) -> Element {
    let general = if condition == "session-expired" { "not-allowed" } else { "bad-request" };
    let kind = if condition == "session-expired" { "cancel" } else { "modify" };
    let mut error = stanza::error(iq, kind, general, "");
    if let Some(error) = error.get_child_mut("error", ns::COMPONENT) {
        error.append_child(Element::bare(condition, ns::COMMANDS));
    }
    error
}

fn request(iq: &Element, command: UserCommand, session: &str, asker: Asker<'_>) -> Handled {
    Handled::CommandRequest(CommandRequest {
        from: asker.from.clone(),
        command,
        language: asker.language.map(str::to_owned),
        reply_to: ReplyTo::Command { iq: Box::new(iq.clone()), session: session.to_owned() },
    })
}

const SESSION: Duration = Duration::from_secs(600);
/// Sessions open at once: more than any domain fills in within ten minutes, and few enough to be searched one by one.
const OPEN_MAX: usize = 1000;
const OPEN_OF_ONE_MAX: usize = 10;

#[cfg(test)]
mod tests;
