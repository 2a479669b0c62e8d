//! Wishes as commands and forms.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::form::{Field, Kind, Submitted, form};
use super::words::Language;
use super::{Back, Order, Outcome, Petition, Wanted, Wish, words};
use crate::notification::verification::Place;
use crate::seed::Seed;
use crate::subscriber::{NotASetting, Quiet, Rule, Senders, Setting, Subscriber, WhenOffline};
use crate::wording::phrase;
use crate::xmpp::ns;
use crate::xmpp::stanza::{self, element, text};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// His full JID, to which a session belongs.
    pub from: &'a Jid,
    /// His settings, if he is known.
    pub person: Option<&'a Subscriber>,
    /// Whether he may see and change everything.
    pub is_operator: bool,
    /// The language he reads.
    pub language: Language<'a>,
}

/// What is to be done about a command.
#[derive(Debug)]
pub enum Handled {
    /// Send this.
    Answer(Element),
    /// Grant this, then answer with [`answered`].
    Petition(Petition),
}

/// The forms that are being filled in.
///
/// Contract: a session belongs to one full JID and one form, is of use once, and for ten minutes. Where many are open,
///           those of strangers are forgotten first, the oldest before the others, so that no crowd keeps our people out.
/// Source:   XEP-0050 §3.
#[derive(Debug, Default)]
pub struct Sessions {
    open: BTreeMap<String, Session>,
}

#[derive(Debug)]
struct Session {
    whose: Jid,
    /// Whether he is a person of ours, or the operator.
    is_known: bool,
    node: &'static str,
    until: Instant,
}

/// The commands that somebody may execute: node and name.
pub fn list(asker: Asker<'_>) -> Vec<(&'static str, String)> {
    let may = |command: &&Command| match command.whose {
        Whose::Anybody => true,
        Whose::Known => asker.person.is_some(),
        Whose::Operator => asker.is_operator,
    };
    let named = |command: &Command| (command.node, phrase(asker.language, command.name, &[]));
    COMMANDS.iter().filter(may).map(named).collect()
}

impl Sessions {
    /// Takes an IQ `set` with a `command` in it.
    pub fn handle(
        &mut self,
        iq: &Element,
        asker: Asker<'_>,
        seed: &mut Seed,
        now: Instant,
    ) -> Handled {
        let Some(asked) = iq.get_child("command", ns::COMMANDS) else {
            return Handled::Answer(stanza::error(iq, "modify", "bad-request", ""));
        };
        let node = asked.attr("node").unwrap_or_default();
        let offered = list(asker);
        let known = COMMANDS.iter().find(|command| command.node == node);
        let Some(command) = known else {
            return Handled::Answer(stanza::error(iq, "cancel", "item-not-found", ""));
        };
        if !offered.iter().any(|(offered, _)| *offered == node) {
            return Handled::Answer(stanza::error(iq, "auth", "forbidden", ""));
        }
        let action = asked.attr("action").unwrap_or("execute");
        let refusal = |condition| Handled::Answer(refusal(iq, condition));
        match asked.attr("sessionid") {
            None if action == "execute" => self.begin(iq, command, asker, seed, now),
            None => refusal("bad-action"),
            Some(id) => {
                let is_his =
                    |session: &Session| session.whose == *asker.from && session.node == node;
                if !self.open.get(id).is_some_and(is_his) {
                    return refusal("bad-sessionid");
                }
                let Some(session) = self.open.remove(id) else { return refusal("bad-sessionid") };
                match action {
                    _ if session.until <= now => refusal("session-expired"),
                    "cancel" => Handled::Answer(state(iq, node, id, "canceled", None)),
                    "execute" | "complete" | "next" => self.submit(iq, asked, command, id, asker),
                    _ => refusal("bad-action"),
                }
            }
        }
    }

    fn begin(
        &mut self,
        iq: &Element,
        command: &Command,
        asker: Asker<'_>,
        seed: &mut Seed,
        now: Instant,
    ) -> Handled {
        let id = seed.token();
        if let Some(wish) = command.at_once.clone() {
            return petition(iq, wish, &id, asker);
        }
        self.open.retain(|_, session| session.until > now);
        let his = asker.from.to_bare();
        let of_his = |session: &&Session| session.whose.to_bare() == his;
        if self.open.values().filter(of_his).count() >= OPEN_OF_ONE_MAX || !self.has_room() {
            return Handled::Answer(stanza::error(iq, "wait", "resource-constraint", ""));
        }
        let title = phrase(asker.language, command.name, &[]);
        let instructions = phrase(asker.language, command.instructions, &[]);
        let fields = fields(command.node, asker);
        let shown = form(&title, &instructions, &form_type(command.node), &fields);
        let mut answer = state(iq, command.node, &id, "executing", None);
        if let Some(command) = answer.get_child_mut("command", ns::COMMANDS) {
            let mut actions = element("actions", ns::COMMANDS, &[("execute", "complete")]);
            actions.append_child(Element::bare("complete", ns::COMMANDS));
            command.append_child(actions);
            command.append_child(shown);
        }
        let session = Session {
            whose: asker.from.clone(),
            is_known: asker.person.is_some() || asker.is_operator,
            node: command.node,
            until: now + SESSION,
        };
        self.open.insert(id, session);
        Handled::Answer(answer)
    }

    /// Whether one more form can be open, once the oldest of a stranger is forgotten where need be.
    fn has_room(&mut self) -> bool {
        if self.open.len() < OPEN_MAX {
            return true;
        }
        let strangers = self.open.iter().filter(|(_, session)| !session.is_known);
        let oldest = strangers.min_by_key(|(_, session)| session.until).map(|(id, _)| id.clone());
        oldest.is_some_and(|id| self.open.remove(&id).is_some())
    }

    fn submit(
        &self,
        iq: &Element,
        asked: &Element,
        command: &Command,
        session: &str,
        asker: Asker<'_>,
    ) -> Handled {
        let Some(submitted) = Submitted::within(asked) else {
            return Handled::Answer(refusal(iq, "bad-payload"));
        };
        match wish(command.node, &submitted, asker.person) {
            Ok(wish) => petition(iq, wish, session, asker),
            Err(odd) => {
                let outcome = Outcome { words: words::odd(asker.language, odd), granted: false };
                Handled::Answer(answered(iq, session, &outcome))
            }
        }
    }
}

/// The end of a command.
pub fn answered(iq: &Element, session: &str, outcome: &Outcome) -> Element {
    let asked = iq.get_child("command", ns::COMMANDS);
    let node = asked.and_then(|asked| asked.attr("node")).unwrap_or_default();
    let kind = if outcome.granted { "info" } else { "error" };
    let mut note = text("note", ns::COMMANDS, &outcome.words);
    stanza::set(&mut note, "type", kind);
    state(iq, node, session, "completed", Some(note))
}

fn state(
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

fn petition(iq: &Element, wish: Wish, session: &str, asker: Asker<'_>) -> Handled {
    Handled::Petition(Petition {
        from: asker.from.clone(),
        wish,
        language: asker.language.map(str::to_owned),
        back: Back::Command { iq: Box::new(iq.clone()), session: session.to_owned() },
    })
}

fn fields(node: &str, asker: Asker<'_>) -> Vec<Field> {
    let label = |id: &str| phrase(asker.language, id, &[]);
    let field = |var, label_id: &str, kind, value: String| Field {
        var,
        label: label(label_id),
        kind,
        value,
    };
    let person = asker.person;
    match node {
        "settings" => {
            let offline = match person.map(|person| person.offline) {
                Some(WhenOffline::Store) => "store",
                Some(WhenOffline::Phone) | None => "phone",
            };
            let choices = [("phone", "field-phone"), ("store", "field-store")];
            let choices = choices.map(|(value, id)| (value, label(id))).to_vec();
            let of =
                |get: fn(&Subscriber) -> Option<String>| person.and_then(get).unwrap_or_default();
            let number =
                of(|person| person.number.as_ref().map(|number| number.as_str().to_owned()));
            let quiet = of(|person| person.quiet.map(written));
            let zone = of(|person| person.time_zone.as_ref()?.iana_name().map(str::to_owned));
            let pin =
                if person.is_some_and(|person| person.pin.is_some()) { UNCHANGED } else { "" };
            vec![
                field("number", "field-number", Kind::Line, number),
                field("offline", "field-offline", Kind::Choice(choices), offline.into()),
                field("quiet", "field-quiet", Kind::Line, quiet),
                field("timezone", "field-timezone", Kind::Line, zone),
                field(
                    "language",
                    "field-language",
                    Kind::Line,
                    of(|person| person.language.clone()),
                ),
                field("pin", "field-pin", Kind::Private, pin.into()),
            ]
        }
        "number" => vec![field("number", "field-number", Kind::Line, String::new())],
        "code" => vec![field("code", "field-code", Kind::Line, String::new())],
        "sender" => {
            let choices = [
                ("allow", "field-allow"),
                ("block", "field-block"),
                ("everyone", "field-everyone"),
                ("contacts", "field-contacts"),
            ];
            let choices = choices.map(|(value, id)| (value, label(id))).to_vec();
            vec![
                field("rule", "field-rule", Kind::Choice(choices), "allow".into()),
                field("jid", "field-jid", Kind::Jid, String::new()),
            ]
        }
        "forget" => {
            let choices = [("no", "field-no"), ("yes", "field-yes")];
            let choices = choices.map(|(value, id)| (value, label(id))).to_vec();
            vec![field("sure", "field-sure", Kind::Choice(choices), "no".into())]
        }
        "test-call" => vec![field("jid", "field-jid", Kind::Jid, String::new())],
        "suspend" => {
            let choices = [("yes", "field-suspend"), ("no", "field-resume")];
            let choices = choices.map(|(value, id)| (value, label(id))).to_vec();
            vec![field("suspended", "field-suspended", Kind::Choice(choices), "yes".into())]
        }
        _ => vec![],
    }
}

/// What a form that was filled in asks for; fields left as they were ask for nothing.
fn wish(
    node: &str,
    form: &Submitted,
    person: Option<&Subscriber>,
) -> Result<Wish, super::chat::Odd> {
    use super::chat::Odd;
    let jid = || -> Result<BareJid, NotASetting> {
        let written = form.get("jid").unwrap_or_default();
        let jid = BareJid::new(written).map_err(|_| NotASetting::Jid)?;
        if jid.node().is_some() { Ok(jid) } else { Err(NotASetting::Jid) }
    };
    match node {
        "settings" => wanted(form, person).map(Wish::Set),
        "number" => super::chat::read(&format!("phone {}", form.get("number").unwrap_or_default())),
        "code" => super::chat::read(&format!("code {}", form.get("code").unwrap_or_default())),
        "sender" => {
            let setting = match form.get("rule") {
                Some("allow") => Setting::Sender(jid()?, Rule::Allow),
                Some("block") => Setting::Sender(jid()?, Rule::Block),
                Some("everyone") => Setting::Senders(Senders::Everyone),
                Some("contacts") => Setting::Senders(Senders::Contacts),
                Some(_) | None => return Err(Odd::Command),
            };
            Ok(Wish::Set(Wanted { settings: vec![setting], ..Wanted::default() }))
        }
        "forget" => Ok(Wish::Forget(form.get("sure") == Some("yes"))),
        "test-call" => Ok(Wish::Operator(Order::TestCall(jid()?))),
        "suspend" => Ok(Wish::Operator(Order::Suspend(form.get("suspended") == Some("yes")))),
        _ => Err(Odd::Command),
    }
}

fn wanted(form: &Submitted, person: Option<&Subscriber>) -> Result<Wanted, super::chat::Odd> {
    use super::chat::Odd;
    let mut wanted = Wanted::default();
    let has = |number: &str| {
        person.and_then(|it| it.number.as_ref()).is_some_and(|it| it.as_str() == number)
    };
    match form.get("number") {
        None => {}
        Some("") => wanted.settings.push(Setting::NoNumber),
        Some(number) if has(number) => {}
        Some(number) => {
            let number = number.parse().map_err(|_| Odd::Number)?;
            wanted.number = Some((number, Place::First));
        }
    }
    match form.get("offline") {
        Some("phone") => wanted.settings.push(Setting::Offline(WhenOffline::Phone)),
        Some("store") => wanted.settings.push(Setting::Offline(WhenOffline::Store)),
        Some(_) => return Err(Odd::Command),
        None => {}
    }
    if let Some(quiet) = form.get("quiet") {
        wanted.settings.push(Setting::quiet(quiet)?);
    }
    if let Some(zone) = form.get("timezone") {
        wanted.settings.push(Setting::time_zone(zone)?);
    }
    if let Some(language) = form.get("language") {
        wanted.settings.push(Setting::language(language)?);
    }
    wanted.pin = form.get("pin").filter(|pin| *pin != UNCHANGED).map(str::to_owned);
    Ok(wanted)
}

fn written(quiet: Quiet) -> String {
    match quiet {
        Quiet::Never => "off".into(),
        Quiet::Daily(hours) => hours.to_string(),
    }
}

fn form_type(node: &str) -> String {
    format!("urn:offhook:{node}:0")
}

/// A command, and who may execute it.
struct Command {
    node: &'static str,
    name: &'static str,
    instructions: &'static str,
    whose: Whose,
    /// What it asks for where no form is needed.
    at_once: Option<Wish>,
}

#[derive(Clone, Copy)]
enum Whose {
    Anybody,
    Known,
    Operator,
}

const fn asks(
    node: &'static str,
    name: &'static str,
    instructions: &'static str,
    whose: Whose,
) -> Command {
    Command { node, name, instructions, whose, at_once: None }
}

const fn does(node: &'static str, name: &'static str, whose: Whose, wish: Wish) -> Command {
    Command { node, name, instructions: "", whose, at_once: Some(wish) }
}

static COMMANDS: [Command; 12] = [
    asks("settings", "command-settings", "instructions-settings", Whose::Anybody),
    asks("number", "command-number", "instructions-number", Whose::Anybody),
    asks("code", "command-code", "instructions-code", Whose::Anybody),
    does("show", "command-show", Whose::Known, Wish::Show),
    asks("sender", "command-sender", "instructions-sender", Whose::Known),
    does("test", "command-test", Whose::Known, Wish::Test),
    does("calls", "command-calls", Whose::Known, Wish::Calls),
    asks("forget", "command-forget", "instructions-forget", Whose::Known),
    does("people", "command-people", Whose::Operator, Wish::Operator(Order::People)),
    does("all-calls", "command-all-calls", Whose::Operator, Wish::Operator(Order::Calls)),
    asks("test-call", "command-test-call", "instructions-test-call", Whose::Operator),
    asks("suspend", "command-suspend", "instructions-suspend", Whose::Operator),
];
const SESSION: Duration = Duration::from_secs(600);
/// Forms that are open at once: more than a house fills in within ten minutes, and few enough to be looked through.
const OPEN_MAX: usize = 1000;
const OPEN_OF_ONE_MAX: usize = 10;
/// Stands in the field of a PIN that is set, since only its hash is known.
const UNCHANGED: &str = "****";

#[cfg(test)]
mod tests;
