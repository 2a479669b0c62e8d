//! Grants what people ask of the component, as far as that takes the store or a call.

use std::sync::Arc;
use std::thread;

use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::{info, warn};
use xmpp_parsers::jid::{BareJid, Jid};

use crate::clock;
use crate::dialer;
use crate::notification::verification::{Code, Place, Told, Verdict};
use crate::notification::{Circumstances, Draft};
use crate::phone_number::PhoneNumber;
use crate::redaction::Pii;
use crate::script::prompt::Prompts;
use crate::seed::Seed;
use crate::store::{Store, StoreError};
use crate::subscriber::{NotASetting, Setting, Subscriber};
use crate::wording::phrase;
use crate::xmpp::desk::words::{self, Language};
use crate::xmpp::desk::{Order, Outcome, Petition, Wanted, Wish};
use crate::xmpp::stanza;

/// Where petitions are granted. Cloning gives another handle.
#[derive(Clone)]
pub(super) struct FrontDesk {
    pub(super) store: Store,
    pub(super) orders: mpsc::Sender<dialer::Order>,
    pub(super) news: mpsc::Sender<News>,
    /// The component's domain.
    pub(super) component: String,
    /// Zone of those who have chosen none.
    pub(super) zone: TimeZone,
    /// Language of those of whom nothing better is known.
    pub(super) language: String,
    /// Turns for hashing a PIN.
    pub(super) hashing: Arc<Semaphore>,
}

/// What the gateway must learn because of a petition.
#[derive(Debug)]
pub(super) enum News {
    /// A person has other settings, or is new.
    Person(Box<Subscriber>),
    /// A person was forgotten, but for what the operator has set.
    Forgotten(BareJid, Option<Box<Subscriber>>),
    /// Something to tell a person.
    Say(BareJid, String),
}

type Granted = Result<Outcome, StoreError>;

impl FrontDesk {
    /// Does what is asked for, and words what came of it.
    pub(super) async fn grant(&self, petition: &Petition) -> Outcome {
        let (jid, language) = (petition.from.to_bare(), petition.language.as_deref());
        let granted = match &petition.wish {
            Wish::Set(wanted) => self.set(&jid, wanted, language).await,
            Wish::Code(digits) => self.try_code(&jid, digits, language).await,
            Wish::Test => self.test(&jid, &jid, language).await,
            Wish::Calls => self.calls(Some(&jid), language).await,
            Wish::Forget(_) => self.forget(&jid, language).await,
            Wish::Operator(order) => self.obey(&jid, order, language).await,
            Wish::Help | Wish::HelpMore | Wish::Show => Ok(refused(language, "odd-command")),
        };
        granted.unwrap_or_else(|error| {
            warn!(%error, "a petition was not granted");
            refused(language, "not-stored")
        })
    }

    /// Puts off what is asked for while too much else is.
    pub(super) fn puts_off(&self, petition: &Petition) -> Outcome {
        refused(petition.language.as_deref(), "error-too-many")
    }

    async fn set(&self, jid: &BareJid, wanted: &Wanted, language: Language<'_>) -> Granted {
        let mut settings = wanted.settings.clone();
        if let Some(digits) = &wanted.pin {
            let digits = digits.clone();
            let pin = self.hash(digits).await;
            match pin {
                Some(Ok(setting)) => settings.push(setting),
                Some(Err(odd)) => {
                    return Ok(Outcome { words: words::odd_value(language, odd), granted: false });
                }
                None => return Ok(refused(language, "not-stored")),
            }
        }
        let mut said = vec![];
        let mut granted = true;
        if !settings.is_empty() {
            match self.store.set(jid, settings, clock::timestamp()).await? {
                Some(person) => {
                    let language = person.language.clone().or(language.map(str::to_owned));
                    said.push(words::changed(language.as_deref(), &person));
                    self.tell(News::Person(Box::new(person))).await;
                }
                None if wanted.number.is_some() => {}
                None => return Ok(refused(language, "number-first")),
            }
        }
        if let Some((number, place)) = &wanted.number {
            let outcome = self.prove(jid, number, *place, language).await?;
            said.push(outcome.words);
            granted = outcome.granted;
        }
        Ok(Outcome { words: said.join("\n"), granted })
    }

    /// Hashes a PIN, one after the other.
    ///
    /// A thread of its own each time leaves the memory to the next: those of a pool would keep 8 MB each.
    async fn hash(&self, digits: String) -> Option<Result<Setting, NotASetting>> {
        let turn = self.hashing.clone().acquire_owned().await.ok()?;
        let (hashed, pin) = oneshot::channel();
        thread::spawn(move || {
            let _ = hashed.send(Setting::pin(&digits, &mut Seed::fresh()));
            drop(turn);
        });
        pin.await.ok()
    }

    /// Phones a number with a code, if that may be.
    async fn prove(
        &self,
        jid: &BareJid,
        number: &PhoneNumber,
        place: Place,
        language: Language<'_>,
    ) -> Granted {
        let asked = self.store.ask_code(jid, number.clone(), place, clock::timestamp()).await?;
        let code = match asked {
            Ok(code) => code,
            Err(refusal) => {
                return Ok(Outcome { words: words::refused(language, refusal), granted: false });
            }
        };
        info!(person = %Pii(jid), verification = code.id.0, "a number is to be verified");
        tokio::spawn(self.clone().speak(jid.clone(), code, language.map(str::to_owned)));
        Ok(Outcome { words: words::calling(language, number), granted: true })
    }

    async fn speak(self, jid: BareJid, code: Code, language: Option<String>) {
        let house = self.component.split_once('.').map_or(&*self.component, |(_, house)| house);
        let prompts = Prompts::new(language.as_deref().unwrap_or(&self.language));
        let house = house.to_owned();
        let (went, outcome) = oneshot::channel();
        let id = code.id;
        if self.orders.send(dialer::Order::Speak { code, prompts, house, went }).await.is_err() {
            return;
        }
        let Ok(outcome) = outcome.await else { return };
        let heard = self.store.code_was_spoken(id).await.unwrap_or_default();
        let words = words::code_call(language.as_deref(), outcome, heard);
        self.tell(News::Say(jid, words)).await;
    }

    async fn try_code(&self, jid: &BareJid, digits: &str, language: Language<'_>) -> Granted {
        let verdict = self.store.try_code(jid, digits.to_owned(), clock::timestamp()).await?;
        Ok(match verdict {
            Verdict::NoCode => Outcome { words: words::no_code(language), granted: false },
            Verdict::Wrong { left } => {
                Outcome { words: words::wrong_code(language, left), granted: false }
            }
            Verdict::Right(told) => {
                info!(person = %Pii(jid), "a number was verified");
                self.verified(*told, language).await
            }
        })
    }

    async fn verified(&self, told: Told, language: Language<'_>) -> Outcome {
        let Told { person, place, is_new, had_other, others } = told;
        let number = match place {
            Place::First => person.number.clone(),
            Place::Second => person.second.clone(),
        };
        for other in others {
            if let Ok(Some(loser)) = self.store.subscriber(&other).await {
                let words = words::number_lost(loser.language.as_deref());
                self.tell(News::Person(Box::new(loser))).await;
                self.tell(News::Say(other, words)).await;
            }
        }
        if had_other {
            let words = words::number_changed(language);
            self.tell(News::Say(person.jid.clone(), words)).await;
        }
        self.tell(News::Person(Box::new(person))).await;
        let mut words = number.map_or_else(String::new, |it| words::verified(language, place, &it));
        if is_new {
            words = format!("{words}\n{}", words::simple(language, "welcome"));
        }
        Outcome { words, granted: true }
    }

    /// Holds a message for a person as somebody's, so that it rings as any other would.
    async fn test(&self, from: &BareJid, to: &BareJid, language: Language<'_>) -> Granted {
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
            stanza: stanza::to_xml(&stanza::chat(from.as_str(), to.as_str(), &id, &body)),
            stanza_id: Some(id),
            sender: Jid::from(from.clone()),
            recipient: to.clone(),
            body,
            language: spoken,
            wants_receipt: false,
            how: Circumstances { from_contact: true, ..Circumstances::default() },
        };
        self.store.hold(draft, clock::timestamp(), 0).await?;
        Ok(Outcome { words: words::simple(language, "test-coming"), granted: true })
    }

    async fn calls(&self, of: Option<&BareJid>, language: Language<'_>) -> Granted {
        let calls = self.store.recent_calls(of.cloned(), CALLS_SHOWN).await?;
        let zone = match of {
            Some(jid) => self.store.subscriber(jid).await?.and_then(|person| person.time_zone),
            None => None,
        };
        let zone = zone.unwrap_or_else(|| self.zone.clone());
        let lines = calls.iter().map(|call| {
            let line = words::call(language, call.started, &zone, call.outcome, call.talked);
            if of.is_some() { line } else { format!("{} {line}", call.recipient) }
        });
        let lines: Vec<String> = lines.collect();
        let words =
            if lines.is_empty() { words::simple(language, "no-calls") } else { lines.join("\n") };
        Ok(Outcome { words, granted: true })
    }

    async fn forget(&self, jid: &BareJid, language: Language<'_>) -> Granted {
        if !self.store.erase(jid, clock::timestamp()).await? {
            return Ok(refused(language, "forget-later"));
        }
        info!("a person was forgotten at his own request");
        let still_there = self.store.subscriber(jid).await?;
        let id = if still_there.is_some() { "forgotten-but-configured" } else { "forgotten" };
        self.tell(News::Forgotten(jid.clone(), still_there.map(Box::new))).await;
        Ok(Outcome { words: words::simple(language, id), granted: true })
    }

    async fn obey(&self, operator: &BareJid, order: &Order, language: Language<'_>) -> Granted {
        match order {
            Order::People => {
                let people = self.store.subscribers().await?;
                let shown = people.iter().take(PEOPLE_SHOWN).map(|person| {
                    let calls = words::simple(
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
                    words::simple(language, "nobody-known")
                } else {
                    lines.join("\n")
                };
                Ok(Outcome { words, granted: true })
            }
            Order::Calls => self.calls(None, language).await,
            Order::TestCall(jid) => self.test(operator, jid, language).await,
            Order::Suspend(suspended) => {
                self.store.suspend(*suspended, clock::timestamp()).await?;
                warn!(suspended, by = %Pii(operator), "calls were stopped, or go on, by command");
                let id = if *suspended { "suspended" } else { "resumed" };
                Ok(Outcome { words: words::simple(language, id), granted: true })
            }
        }
    }

    async fn tell(&self, news: News) {
        // Nobody to tell is a program that ends.
        let _ = self.news.send(news).await;
    }
}

fn refused(language: Language<'_>, id: &'static str) -> Outcome {
    Outcome { words: words::simple(language, id), granted: false }
}

const CALLS_SHOWN: i64 = 6;
const PEOPLE_SHOWN: usize = 100;
