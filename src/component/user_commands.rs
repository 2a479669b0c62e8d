//! Runs the commands that people send to the component and that need the store or a call.

use std::sync::Arc;
use std::thread;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tracing::{info, warn};
use xmpp_parsers::jid::{BareJid, Jid};

use super::events::{GatewayUpdate, Input, VerificationOrder};
use crate::clock;
use crate::config::Live;
use crate::notification::verification::{CodeCheck, NumberSlot, VerificationNotice};
use crate::notification::{Attempt, Circumstances, Draft};
use crate::phone_number::PhoneNumber;
use crate::redaction::Pii;
use crate::script;
use crate::script::prompt::Prompts;
use crate::seed::Seed;
use crate::store::{Store, StoreError};
use crate::subscriber::{NotASetting, Pin, Setting};
use crate::wording::{phrase, worded_in};
use crate::xmpp::commands::confirmations::changed;
use crate::xmpp::commands::replies::{self, Language};
use crate::xmpp::commands::{
    AdminCommand, CommandRequest, CommandResult, SettingChange, UserCommand,
};
use crate::xmpp::stanza;

/// Runs commands. Cloning gives another handle.
#[derive(Clone)]
pub struct UserCommands {
    /// Where settings live.
    pub store: Store,
    /// To the component. What a command has changed goes there before its result.
    pub inputs: mpsc::UnboundedSender<Input>,
    /// The component's domain.
    pub component: String,
    /// The time zone and the language of those who have chosen none.
    pub live: watch::Receiver<Arc<Live>>,
    /// One PIN is hashed at a time.
    pub hashing: Arc<Semaphore>,
}

type Outcome = Result<CommandResult, StoreError>;

impl UserCommands {
    /// Runs a command; the result says in words how it went.
    pub async fn run(&self, request: &CommandRequest) -> CommandResult {
        let (jid, language) = (request.from.to_bare(), request.language.as_deref());
        let result = match &request.command {
            UserCommand::Set(change) => self.set(&request.from, change, language).await,
            UserCommand::Code(digits) => self.try_code(&jid, digits, language).await,
            UserCommand::Test => self.test(&jid, &jid, language).await,
            UserCommand::Calls => self.calls(Some(&jid), language).await,
            UserCommand::Report(sender) => self.report(&request.from, sender, language).await,
            UserCommand::Rules => self.rules(&jid, language).await,
            UserCommand::Forget { .. } => self.forget(&jid, language).await,
            UserCommand::Operator(command) => {
                self.run_admin(&request.from, command, language).await
            }
            // The gateway answers these itself.
            UserCommand::Help | UserCommand::HelpMore | UserCommand::Show => {
                Ok(refused(language, "invalid-command"))
            }
        };
        result.unwrap_or_else(|error| {
            warn!(%error, "command failed");
            refused(language, "not-stored")
        })
    }

    async fn set(&self, from: &Jid, change: &SettingChange, language: Language<'_>) -> Outcome {
        let jid = &from.to_bare();
        let mut settings = change.settings.clone();
        if let Some(digits) = &change.pin {
            let person = self.store.subscriber(jid).await?;
            let numbers = person.iter().flat_map(|it| [it.number.as_ref(), it.second.as_ref()]);
            let numbers = numbers.flatten().map(PhoneNumber::as_str);
            if Pin::is_trivial(digits, numbers) {
                return Ok(failed(replies::invalid_value(language, NotASetting::TrivialPin)));
            }
            let digits = digits.clone();
            let pin = self.hash(digits).await;
            match pin {
                Some(Ok(setting)) => settings.push(setting),
                Some(Err(error)) => {
                    return Ok(failed(replies::invalid_value(language, error)));
                }
                None => return Ok(refused(language, "not-stored")),
            }
        }
        let mut said = vec![];
        let mut is_done = true;
        if !settings.is_empty() {
            match self.store.set_by(from, settings.clone(), clock::moment()).await? {
                Some(person) => {
                    info!(person = %Pii(jid), "settings changed by command");
                    let language = person.language.clone().or(language.map(str::to_owned));
                    let policy = &self.live.borrow().policy;
                    let now = clock::moment().wall;
                    said.push(changed(language.as_deref(), &person, &settings, policy, now));
                    self.tell(GatewayUpdate::Person(Box::new(person)));
                }
                None if change.number.is_some() => {}
                None => return Ok(refused(language, "number-first")),
            }
        }
        if let Some((number, slot)) = &change.number {
            let result = self.verify(jid, number, *slot, language).await?;
            said.push(result.words);
            is_done = result.done;
        }
        Ok(CommandResult { words: said.join("\n"), done: is_done })
    }

    /// Blocks a sender and tells the operators.
    async fn report(&self, from: &Jid, sender: &BareJid, language: Language<'_>) -> Outcome {
        match self.store.report(from, sender.clone(), clock::moment()).await? {
            Some(_) => Ok(done(replies::reported(language, sender))),
            None => Ok(refused(language, "number-first")),
        }
    }

    /// Hashes a PIN, one at a time.
    ///
    /// Each hash has a thread of its own: the threads of a pool would keep 8 MB each.
    async fn hash(&self, digits: String) -> Option<Result<Setting, NotASetting>> {
        let permit = self.hashing.clone().acquire_owned().await.ok()?;
        let (hashed, pin) = oneshot::channel();
        thread::spawn(move || {
            let _ = hashed.send(Setting::pin(&digits, &mut Seed::fresh()));
            drop(permit);
        });
        pin.await.ok()
    }

    /// Begins the verification of a number: a call that speaks a code.
    async fn verify(
        &self,
        jid: &BareJid,
        number: &PhoneNumber,
        slot: NumberSlot,
        language: Language<'_>,
    ) -> Outcome {
        let asked = self.store.ask_code(jid, number.clone(), slot, clock::moment()).await?;
        let code = match asked {
            Ok(code) => code,
            Err(refusal) => {
                return Ok(failed(replies::refused(language, refusal)));
            }
        };
        info!(person = %Pii(jid), verification = code.id.0, "number verification started");
        let (person, written_in) = (jid.clone(), language.map(str::to_owned));
        let order = VerificationOrder { code, person, language: written_in };
        self.send(Input::VerificationWanted(Box::new(order)));
        Ok(done(replies::calling(language, number)))
    }

    /// What a verification call says, and in whose name.
    pub fn verification_prompts(&self, order: &VerificationOrder) -> (Prompts, String) {
        let domain = self.component.split_once('.').map_or(&*self.component, |(_, domain)| domain);
        (Prompts::new(&self.spoken_in(order)), domain.to_owned())
    }

    fn spoken_in(&self, order: &VerificationOrder) -> String {
        let default = || self.live.borrow().speech.language.clone();
        order.language.clone().unwrap_or_else(default)
    }

    /// Whether the phone may still ring, now that a channel is free. What the call says is written down first.
    pub async fn code_may_ring(&self, order: &VerificationOrder) -> bool {
        match self.store.code_may_ring(&order.code, clock::moment()).await {
            Ok(false) => false,
            Ok(true) => {
                let language = worded_in(Some(&self.spoken_in(order)));
                let words = script::words_version(language);
                let kept = self.store.code_words(order.code.id, words, language.to_owned()).await;
                if let Err(error) = &kept {
                    warn!(verification = order.code.id.0, %error, "words of a call with a code not stored; it is not made");
                }
                kept.is_ok()
            }
            Err(error) => {
                warn!(verification = order.code.id.0, %error, "code not spoken, the rules could not be asked");
                false
            }
        }
    }

    /// Tells the person how the call with their code went.
    pub async fn verification_ended(&self, order: VerificationOrder, ended: Attempt) {
        let (id, outcome) = (order.code.id, ended.outcome);
        if let Err(error) = self.store.code_call_ended(id, ended, clock::moment()).await {
            warn!(verification = id.0, %error, "end of a call with a code not stored");
        }
        let heard = self.store.code_was_spoken(order.code.id).await.unwrap_or_default();
        let words = replies::verification_call(order.language.as_deref(), outcome, heard);
        self.tell(GatewayUpdate::Say(order.person, words));
    }

    async fn try_code(&self, jid: &BareJid, digits: &str, language: Language<'_>) -> Outcome {
        let verdict = self.store.try_code(jid, digits.to_owned(), clock::moment()).await?;
        Ok(match verdict {
            CodeCheck::NoCode => failed(replies::no_code(language)),
            CodeCheck::Wrong { left } => failed(replies::wrong_code(language, left)),
            CodeCheck::Right(told) => {
                info!(person = %Pii(jid), "number verified");
                self.verified(*told, language).await
            }
        })
    }

    async fn verified(&self, told: VerificationNotice, language: Language<'_>) -> CommandResult {
        let VerificationNotice { person, place, is_new, had_other, others } = told;
        let number = match place {
            NumberSlot::First => person.number.clone(),
            NumberSlot::Second => person.second.clone(),
        };
        for other in others {
            if let Ok(Some(loser)) = self.store.subscriber(&other).await {
                let words = replies::number_lost(loser.language.as_deref());
                self.tell(GatewayUpdate::Person(Box::new(loser)));
                self.tell(GatewayUpdate::Say(other, words));
            }
        }
        if had_other {
            let words = replies::number_changed(language);
            self.tell(GatewayUpdate::Say(person.jid.clone(), words));
        }
        self.tell(GatewayUpdate::Person(Box::new(person)));
        let mut words =
            number.map_or_else(String::new, |it| replies::verified(language, place, &it));
        if is_new {
            words = format!("{words}\n{}", replies::simple(language, "welcome"));
        }
        done(words)
    }

    /// Holds a test message from one account to another, so that the phone rings as for any other message.
    async fn test(&self, from: &BareJid, to: &BareJid, language: Language<'_>) -> Outcome {
        let Some(person) = self.store.subscriber(to).await? else {
            return Ok(refused(language, "nobody-known"));
        };
        if person.number.is_none() {
            return Ok(refused(language, "number-first"));
        }
        let spoken = person.language.clone();
        let body = phrase(spoken.as_deref(), "test-message", &[]);
        let id = Seed::fresh().token();
        let draft = Draft {
            // What becomes of it is told where it was asked.
            stanza: stanza::to_xml(&stanza::chat(from.as_str(), &self.component, &id, &body)),
            stanza_id: Some(id),
            sender: Jid::from(from.clone()),
            recipient: to.clone(),
            body,
            language: spoken,
            wants_receipt: false,
            how: Circumstances { from_contact: true, ..Circumstances::default() },
        };
        self.store.hold(draft, clock::moment(), 0).await?;
        Ok(done(replies::simple(language, "test-coming")))
    }

    async fn calls(&self, of: Option<&BareJid>, language: Language<'_>) -> Outcome {
        let calls = self.store.recent_calls(of.cloned(), CALLS_SHOWN).await?;
        let zone = match of {
            Some(jid) => self.store.subscriber(jid).await?.and_then(|person| person.time_zone),
            None => None,
        };
        let zone = zone.unwrap_or_else(|| self.live.borrow().policy.zone.clone());
        let lines = calls.iter().map(|call| {
            let line = replies::call(language, call.started, &zone, call.outcome, call.talked);
            if of.is_some() { line } else { format!("{} {line}", call.recipient) }
        });
        let lines: Vec<String> = lines.collect();
        let words =
            if lines.is_empty() { replies::simple(language, "no-calls") } else { lines.join("\n") };
        Ok(done(words))
    }

    /// The rules for single senders.
    async fn rules(&self, jid: &BareJid, language: Language<'_>) -> Outcome {
        let rules = self.store.sender_rules(jid, RULES_SHOWN).await?;
        let lines: Vec<String> =
            rules.iter().map(|(sender, rule)| replies::rule(language, sender, *rule)).collect();
        let words =
            if lines.is_empty() { replies::simple(language, "no-rules") } else { lines.join("\n") };
        Ok(done(words))
    }

    async fn forget(&self, jid: &BareJid, language: Language<'_>) -> Outcome {
        if !self.store.forget(jid, clock::moment()).await? {
            return Ok(refused(language, "forget-later"));
        }
        info!("everything about a person was removed at their own request");
        let configured = self.store.subscriber(jid).await?;
        let id = if configured.is_some() { "forgotten-but-configured" } else { "forgotten" };
        self.tell(GatewayUpdate::Erased(jid.clone(), configured.map(Box::new)));
        Ok(done(replies::simple(language, id)))
    }

    async fn run_admin(
        &self,
        from: &Jid,
        command: &AdminCommand,
        language: Language<'_>,
    ) -> Outcome {
        let operator = &from.to_bare();
        // Before it is done: what shows numbers or stops calls is not done without its row.
        let (name, about) = named(command);
        self.store.audit_command(from, name, about, clock::moment()).await?;
        match command {
            AdminCommand::People => {
                let people = self.store.subscribers().await?;
                let shown = people.iter().take(PEOPLE_SHOWN).map(|person| {
                    let calls = replies::simple(
                        language,
                        match person.offline {
                            crate::subscriber::WhenOffline::Phone => "show-on",
                            crate::subscriber::WhenOffline::Store => "show-off",
                        },
                    );
                    let number = person.number.as_ref().map_or("-", |number| number.as_str());
                    format!("{} {number} {calls}", person.jid)
                });
                let mut lines: Vec<String> = shown.collect();
                if people.len() > PEOPLE_SHOWN {
                    lines.push(format!("… {}", people.len()));
                }
                let words = if lines.is_empty() {
                    replies::simple(language, "nobody-known")
                } else {
                    lines.join("\n")
                };
                Ok(done(words))
            }
            AdminCommand::Calls => self.calls(None, language).await,
            AdminCommand::TestCall(jid) => self.test(operator, jid, language).await,
            AdminCommand::Suspend(suspended) => {
                self.store.suspend(*suspended).await?;
                warn!(suspended, by = %Pii(operator), "calls suspended or resumed by command");
                let id = if *suspended { "suspended" } else { "resumed" };
                Ok(done(replies::simple(language, id)))
            }
        }
    }

    fn tell(&self, update: GatewayUpdate) {
        self.send(Input::Update(update));
    }

    fn send(&self, input: Input) {
        // A component that is gone is a program that ends.
        let _ = self.inputs.send(input);
    }
}

/// What the audit calls a command, and whom it is about.
fn named(command: &AdminCommand) -> (&'static str, Option<BareJid>) {
    match command {
        AdminCommand::People => ("people", None),
        AdminCommand::Calls => ("all calls", None),
        AdminCommand::TestCall(jid) => ("test call", Some(jid.clone())),
        AdminCommand::Suspend(true) => ("suspend", None),
        AdminCommand::Suspend(false) => ("resume", None),
    }
}

fn refused(language: Language<'_>, id: &'static str) -> CommandResult {
    failed(replies::simple(language, id))
}

fn done(words: String) -> CommandResult {
    CommandResult { words, done: true }
}

fn failed(words: String) -> CommandResult {
    CommandResult { words, done: false }
}

const CALLS_SHOWN: i64 = 6;
const RULES_SHOWN: i64 = 50;
const PEOPLE_SHOWN: usize = 100;
