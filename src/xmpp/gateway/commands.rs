//! Commands to the component: answered here where that needs neither the store nor a call, else handed out.

use std::slice;
use std::time::Instant;

use minidom::Element;
use tracing::debug;
use xmpp_parsers::disco::{DiscoItemsResult, Item};
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::notification::alert::AlertTo;
use crate::subscriber::{Setting, Subscriber};
use crate::xmpp::commands::adhoc::{self, Handled};
use crate::xmpp::commands::chat;
use crate::xmpp::commands::replies::{self, ShownState};
use crate::xmpp::commands::{
    Access, AdminCommand, Asker, CommandRequest, CommandResult, ReplyTo, UserCommand, registration,
};
use crate::xmpp::presence::Availability;
use crate::xmpp::{address, alert_words, disco, ns, stanza, wording};

impl Gateway {
    /// A chat message to the component itself.
    pub(super) fn chat_command(&mut self, message: &Element, from: &Jid, text: &str, now: Instant) {
        let sender = from.to_bare();
        if !self.within_rate_limit(&sender, now) {
            return self.error(message, "wait", "resource-constraint", wording::too_many);
        }
        let language = self.language(message, from);
        if !self.may_command(&sender) {
            return self.say(&sender, &replies::simple(language.as_deref(), "stranger"));
        }
        match chat::read(text) {
            Ok(command) => {
                let (from, reply_to) = (from.clone(), ReplyTo::Chat);
                self.run(CommandRequest { from, command, language, reply_to }, now);
            }
            Err(error) => {
                let country = self.served.country.as_deref();
                let words = replies::not_understood(language.as_deref(), &error, country);
                self.say(&sender, &words);
            }
        }
    }

    /// Handles an IQ that belongs to commands or registration; `false` if it belongs to neither.
    pub(super) fn command_iq(&mut self, iq: &Element, from: &Jid, to: &Jid, now: Instant) -> bool {
        let kind = iq.attr("type").unwrap_or_default();
        if to.node().is_some() || !matches!(kind, "get" | "set") || iq.attr("id").is_none() {
            return false;
        }
        let sender = from.to_bare();
        let language = self.language(iq, from);
        let person = self.people.person(&sender).cloned();
        let is_operator = self.served.operators.contains(&sender);
        let language = language.as_deref();
        let country = self.served.country.clone();
        let country = country.as_deref();
        let asker = Asker { from, person: person.as_ref(), is_operator, language, country };
        let has = |name: &str, namespace: &str| iq.has_child(name, namespace);
        if kind == "set" && has("command", ns::COMMANDS) {
            self.adhoc_command(iq, asker, now);
        } else if has("query", ns::REGISTER) {
            self.registration(iq, asker, now);
        } else if kind == "get" {
            let Some(answer) = self.command_disco(iq, asker) else { return false };
            self.send(answer);
        } else {
            return false;
        }
        true
    }

    fn adhoc_command(&mut self, iq: &Element, asker: Asker<'_>, now: Instant) {
        let sender = asker.from.to_bare();
        if !self.within_rate_limit(&sender, now) {
            return self.send(stanza::error(iq, "wait", "resource-constraint", ""));
        }
        if !self.may_command(&sender) {
            return self.send(stanza::error(iq, "auth", "forbidden", ""));
        }
        match self.sessions.handle(iq, asker, &mut self.seed, now) {
            Handled::Answer(answer) => self.send(answer),
            Handled::CommandRequest(request) => self.run(request, now),
        }
    }

    /// Source: XEP-0077 §3.1.
    fn registration(&mut self, iq: &Element, asker: Asker<'_>, now: Instant) {
        let sender = asker.from.to_bare();
        if !self.may_command(&sender) {
            self.send(stanza::error(iq, "auth", "registration-required", ""));
        } else if iq.attr("type") == Some("get") {
            let form = registration::form(asker.person, asker.language);
            self.send(stanza::result(iq, Some(form)));
        } else if !self.within_rate_limit(&sender, now) {
            self.send(stanza::error(iq, "wait", "resource-constraint", ""));
        } else {
            let error = match registration::read(iq, asker.from, asker.language) {
                Ok(request) => return self.run(request, now),
                Err(error) => error,
            };
            let words = replies::not_understood(asker.language, &error, asker.country);
            self.send(stanza::error(iq, "modify", "not-acceptable", &words));
        }
    }

    /// The list of commands, or what one of them is; `None` for another query.
    ///
    /// Source: XEP-0050 §2.2 and §2.3.
    fn command_disco(&self, iq: &Element, asker: Asker<'_>) -> Option<Element> {
        let node = iq.children().next().and_then(|query| query.attr("node"))?;
        let may_command = self.may_command(&asker.from.to_bare());
        let listed = if may_command { adhoc::list(asker) } else { vec![] };
        if node == ns::COMMANDS && iq.has_child("query", ns::DISCO_ITEMS) {
            let jid = Jid::new(&self.component).ok()?;
            let item = |(node, name): (&str, String)| Item {
                jid: jid.clone(),
                node: Some(node.to_owned()),
                name: Some(name),
            };
            let items = listed.into_iter().map(item).collect();
            let items = DiscoItemsResult { node: Some(node.to_owned()), items, rsm: None };
            return Some(stanza::result(iq, Some(items.into())));
        }
        let (node, name) = listed.into_iter().find(|(known, _)| *known == node)?;
        iq.has_child("query", ns::DISCO_INFO).then(|| {
            let identity = ("automation", "command-node", name.as_str());
            let info = disco::info(Some(node), identity, &[ns::COMMANDS, ns::DATA_FORMS]);
            stanza::result(iq, Some(info))
        })
    }

    /// Answers the commands that need neither the store nor a call, and hands out the others.
    fn run(&mut self, mut request: CommandRequest, now: Instant) {
        self.name_the_person(&mut request.command);
        let sender = request.from.to_bare();
        let person = self.people.person(&sender);
        let is_operator = self.served.operators.contains(&sender);
        let language = request.language.as_deref();
        let done = |words| CommandResult { words, done: true };
        let refused = |id| CommandResult { words: replies::simple(language, id), done: false };
        let result = match (request.command.access(), &request.command, person) {
            (Access::Operators, _, _) if !is_operator => refused("operator-only"),
            (Access::Subscribers, _, None) => refused("number-first"),
            (_, UserCommand::Help, _) => done(replies::help(language, is_operator)),
            (_, UserCommand::HelpMore, _) => done(replies::help_more(language)),
            (_, UserCommand::Show, Some(person)) => done(self.settings(person, language, now)),
            (_, UserCommand::Forget { confirmed: false }, _) => {
                done(replies::simple(language, "forget-sure"))
            }
            _ => return self.outputs.push_back(Output::CommandRequest(request)),
        };
        self.answer(&request, &result);
    }

    /// Clients show gateway addresses: a command that names one means the person whom it stands for.
    fn name_the_person(&self, command: &mut UserCommand) {
        let named = match command {
            UserCommand::Set(change) => change.settings.iter_mut().find_map(|it| match it {
                Setting::Sender(jid, _) | Setting::NoSenderRule(jid) => Some(jid),
                _ => None,
            }),
            UserCommand::Report(jid) | UserCommand::Operator(AdminCommand::TestCall(jid)) => {
                Some(jid)
            }
            _ => None,
        };
        let Some(named) = named else { return };
        let person = address::person(&Jid::from(named.clone()), &self.component);
        if let Some(person) = person.filter(|it| it.node().is_some()) {
            *named = person;
        }
    }

    /// Sends the result of a command the way the command came.
    pub(super) fn answer(&mut self, request: &CommandRequest, result: &CommandResult) {
        let person = request.from.to_bare();
        match &request.reply_to {
            ReplyTo::Chat => self.say(&person, &result.words),
            ReplyTo::Command { iq, session } => self.send(adhoc::completed(iq, session, result)),
            ReplyTo::Register(iq) => {
                self.send(registration::result(iq, result));
                if result.done {
                    self.say(&person, &result.words);
                }
            }
        }
    }

    /// Tells the operators, or one person, each in their language.
    pub(super) fn alert(&mut self, AlertTo { reader, alert }: &AlertTo) {
        let readers = reader.as_ref().map_or(&*self.served.operators, slice::from_ref).to_vec();
        for reader in readers {
            let person = self.people.person(&reader);
            let words = alert_words::words(person.and_then(|it| it.language.as_deref()), alert);
            self.say(&reader, &words);
        }
    }

    fn settings(&self, person: &Subscriber, language: Option<&str>, now: Instant) -> String {
        let state = ShownState {
            sees_presence: self.presence.is_subscribed(&person.jid),
            online: self.presence.availability(&person.jid, now) == Availability::Online,
            policy: &self.served.policy,
        };
        replies::settings(language, person, state)
    }

    /// A person has new settings, or has become a subscriber.
    pub(super) fn person(&mut self, person: &Subscriber, now: Instant) {
        let is_new = self.people.person(&person.jid).is_none();
        self.people.set(person);
        if is_new {
            let new = self.presence.watch(self.people.subscribers());
            if self.presence_sync.is_up() {
                self.sync_presence(&new, now);
            }
        }
    }

    /// A person is no longer a subscriber, or has only the settings from the configuration left.
    pub(super) fn forgotten(&mut self, jid: &BareJid, configured: Option<&Subscriber>) {
        match configured {
            Some(person) => self.people.set(person),
            None => {
                self.people.remove(jid);
                self.presence.watch(self.people.subscribers());
                debug!("subscriber removed");
            }
        }
    }

    /// Whether this account may send commands: a subscriber, an operator, or an account that may become a subscriber.
    fn may_command(&self, jid: &BareJid) -> bool {
        self.is_known(jid) || self.is_of_served_domain(jid)
    }
}
