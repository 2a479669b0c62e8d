//! Routing of stanzas: each is passed on, held, answered, or ignored.

mod addresses;
mod automatic_answers;
mod bot_check;
mod bounces;
mod commands;
mod contacts;
mod hand_over;
mod kept;
mod messages;
mod presence_sync;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use minidom::Element;
use tracing::{debug, info, warn};
use xmpp_parsers::jid::{BareJid, Jid};

use self::addresses::UsedAddresses;
use self::automatic_answers::AutomaticAnswers;
use self::bot_check::BotCheck;
pub use self::bounces::Bounce;
use self::bounces::RefusedPairs;
use self::presence_sync::PresenceSync;
use crate::notification::alert::AlertTo;
use crate::notification::{Draft, MessageId};
use crate::rate_limit::RateLimit;
use crate::redaction::Pii;
use crate::seed::Seed;
use crate::subscriber::Subscriber;
use crate::xmpp::commands::adhoc::Sessions;
use crate::xmpp::commands::{CommandRequest, CommandResult};
use crate::xmpp::directory::{Directory, ServedDomains};
use crate::xmpp::notice::notice;
use crate::xmpp::presence::{Change, Presence};
use crate::xmpp::privilege::Grants;
use crate::xmpp::relay::{Forward, Forwards};
use crate::xmpp::sender_rate::{SenderRate, TrustClass};
use crate::xmpp::{ns, stanza};

/// The component, seen from the stream: stanzas in, stanzas and decisions out.
///
/// Contract: call [`Gateway::handle`], then [`Gateway::poll`] until `None`, then wait until [`Gateway::deadline`].
/// Source:   RFC 6120 §8, RFC 6121 §3 to §5 and §8, XEP-0100 §5.
#[derive(Debug)]
pub struct Gateway {
    component: String,
    people: Directory,
    served: ServedDomains,
    sessions: Sessions,
    bot_check: BotCheck,
    automatic_answers: AutomaticAnswers,
    used_addresses: UsedAddresses,
    grants: Grants,
    /// People whose servers reported them unreachable, although their presence may say otherwise.
    unreachable: BTreeSet<BareJid>,
    /// Domains whose module hands over, but does not keep blocked senders from gateway addresses.
    blind_to_blocking: BTreeSet<String>,
    presence: Presence,
    forwards: Forwards,
    /// Messages to people elsewhere that were lost with the link.
    to_resend: Vec<Forward>,
    sender_rate: SenderRate,
    presence_sync: PresenceSync,
    refused_pairs: RefusedPairs,
    /// Hosts of which the log has said something lately.
    told_of_hosts: RateLimit<String>,
    seed: Seed,
    outputs: VecDeque<Output>,
}

/// An event for the gateway.
#[derive(Debug)]
pub enum Input<'i> {
    /// The stream is up.
    LinkUp,
    /// The stream is lost.
    LinkDown,
    /// A stanza arrived.
    Stanza(&'i Element),
    /// The subscribers and the served domains have changed.
    People(Directory, Box<ServedDomains>),
    /// A person has new settings, or has become a subscriber.
    Person(&'i Subscriber),
    /// A person's data were deleted, but for the settings in the configuration.
    Forgotten(&'i BareJid, Option<&'i Subscriber>),
    /// The result of [`Output::CommandRequest`].
    CommandDone(&'i CommandRequest, &'i CommandResult),
    /// A text to send to a person.
    Say(&'i BareJid, &'i str),
    /// Something to tell operators, or one person.
    Alert(&'i AlertTo),
    /// The message of [`Output::Hold`] is durable.
    Held(&'i Draft, MessageId),
    /// Something is being told to the sender of a message for this recipient.
    Told {
        /// Who reads it.
        sender: &'i BareJid,
        /// Whom the message was for.
        recipient: &'i BareJid,
    },
    /// The message of [`Output::Hold`] could not be stored.
    NotHeld(&'i Draft, NoRoom),
    /// Time passed.
    Tick,
}

/// Why a message could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Too many messages wait for its recipient.
    Recipient,
    /// Too many messages of its sender wait.
    Sender,
    /// The store is full, or failed.
    Store,
}

/// An action of the gateway.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Send this.
    Send(Element),
    /// Make this message durable, and phone about it if that is wanted.
    Hold(Draft),
    /// Whether the sender of this message is a program.
    Identified(MessageId, bool),
    /// The message of this `id` is corrected; where that cannot be done in place, the correction is held as a message.
    Correct {
        /// The `id` of the corrected message.
        id: String,
        /// The new wording.
        draft: Draft,
    },
    /// The message of this `id` is taken back.
    Retract {
        /// Its `id`.
        id: String,
        /// The retraction, for a recipient who has the message.
        draft: Draft,
    },
    /// The servers' grants to send in their people's names have changed.
    Privileges(Grants),
    /// An error came for a stanza that the gateway does not remember.
    Bounced(Bounce),
    /// This person can receive now: deliver the held messages.
    CameOnline(BareJid),
    /// This person cannot receive any more.
    WentOffline(BareJid),
    /// This person has turned down the request to see their presence, or agrees now: remember that.
    PresenceRefused {
        /// The person.
        jid: BareJid,
        /// Whether they have turned it down.
        refused: bool,
    },
    /// Run this command, and report its result by [`Input::CommandDone`] once it is durable.
    CommandRequest(CommandRequest),
    /// All presences are known: people who are not online may be phoned.
    Settled,
}

impl Gateway {
    /// Serves these people under the domain `component`.
    pub fn new(component: &str, people: Directory, served: ServedDomains, seed: Seed) -> Self {
        let mut presence = Presence::default();
        presence.watch(people.subscribers());
        let mut sender_rate = SenderRate::default();
        sender_rate.set(served.message_rate);
        Self {
            component: component.to_owned(),
            people,
            served,
            sessions: Sessions::default(),
            bot_check: BotCheck::default(),
            automatic_answers: AutomaticAnswers::default(),
            used_addresses: UsedAddresses::default(),
            grants: Grants::default(),
            unreachable: BTreeSet::new(),
            blind_to_blocking: BTreeSet::new(),
            presence,
            forwards: Forwards::default(),
            to_resend: Vec::new(),
            sender_rate,
            presence_sync: PresenceSync::default(),
            refused_pairs: RefusedPairs::default(),
            told_of_hosts: RateLimit::new(1, TOLD_ONCE_IN, HOSTS_TOLD_MAX),
            seed,
            outputs: VecDeque::new(),
        }
    }

    /// Handles one event.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::LinkUp => self.link_up(now),
            Input::LinkDown => self.link_down(now),
            Input::Stanza(stanza) => self.stanza(stanza, now),
            Input::People(people, served) => self.people(people, *served, now),
            Input::Person(person) => self.person(person, now),
            Input::Forgotten(jid, configured) => self.forgotten(jid, configured),
            Input::CommandDone(request, result) => self.answer(request, result),
            Input::Say(jid, words) => self.say(jid, words),
            Input::Alert(alert) => self.alert(alert),
            Input::Held(draft, message) => self.held(draft, message, now),
            Input::Told { sender, recipient } => {
                self.automatic_answers.told(sender, recipient, now);
            }
            Input::NotHeld(draft, no_room) => self.not_held(draft, no_room),
            Input::Tick => {}
        }
        for message in self.bot_check.overdue(now) {
            self.outputs.push_back(Output::Identified(message, false));
        }
        if self.presence_sync.is_pong_missing(now) {
            warn!("server does not answer; it is asked again who is online");
            self.sync_presence_of_all(now);
        }
        if self.presence_sync.settles(now) {
            self.presence.settle();
            self.outputs.push_back(Output::Settled);
        }
    }

    /// The next action.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        [self.presence_sync.deadline(), self.bot_check.deadline()].into_iter().flatten().min()
    }

    /// Whether all presences are known. Before, a missing presence does not mean that a person is offline.
    pub fn settled(&self) -> bool {
        self.presence_sync.is_settled()
    }

    fn link_up(&mut self, now: Instant) {
        self.sync_presence_of_all(now);
        self.resend_unconfirmed(now);
    }

    fn sync_presence_of_all(&mut self, now: Instant) {
        let people: Vec<_> = self.people.jids().cloned().collect();
        self.sync_presence(&people, now);
    }

    fn link_down(&mut self, now: Instant) {
        self.presence_sync.link_down();
        self.presence.link_down();
        if self.grants.forget() {
            self.outputs.push_back(Output::Privileges(self.grants.clone()));
        }
        self.hold_unconfirmed(now);
    }

    fn people(&mut self, people: Directory, served: ServedDomains, now: Instant) {
        (self.people, self.served) = (people, served);
        self.sender_rate.set(self.served.message_rate);
        let new = self.presence.watch(self.people.subscribers());
        if !new.is_empty() && self.presence_sync.is_up() {
            self.sync_presence(&new, now);
        }
    }

    /// Probes the presence of these people, and asks for a subscription where there is none.
    fn sync_presence(&mut self, people: &[BareJid], now: Instant) {
        let mut elsewhere: BTreeMap<String, Vec<BareJid>> = BTreeMap::new();
        for jid in people {
            // COMPAT(Prosody, 0.12.3): a probe without a subscription discards our pending request for one.
            if self.presence.is_subscribed(jid) {
                self.probe(jid);
            } else if !self.presence.is_refused(jid) && self.presence.may_ask(jid, now, ASK_AGAIN) {
                // If the person has agreed before, their server answers at once.
                self.ask_for_presence(jid);
            } else {
                continue;
            }
            if !self.is_at_our_server(jid) {
                elsewhere.entry(jid.domain().to_string()).or_default().push(jid.clone());
            }
        }
        for (domain, people) in elsewhere {
            let id = format!("ping-{}", self.seed.token());
            self.send(stanza::ping(&self.component, &domain, &id));
            self.presence_sync.await_server(domain, id, people);
        }
        let id = format!("ping-{}", self.seed.token());
        self.send(stanza::ping_to_ourselves(&self.component, &id));
        self.presence_sync.probing(id, now);
    }

    /// Whether this person's presence is our own server's to tell.
    fn is_at_our_server(&self, jid: &BareJid) -> bool {
        let domain = jid.domain().as_str();
        let parent = self.component.strip_suffix(domain);
        self.is_of_served_domain(jid) || parent.is_some_and(|it| it.ends_with('.'))
    }

    fn stanza(&mut self, stanza: &Element, now: Instant) {
        if stanza.name() == "iq" && self.is_pong(stanza, now) {
            return;
        }
        let Some(from) = stanza::from(stanza) else {
            return debug!("stanza with a malformed from dropped");
        };
        let Some(to) = stanza::to(stanza) else { return self.malformed_address(stanza, &from) };
        if from.domain().as_str() == self.component || to.domain().as_str() != self.component {
            debug!("stanza from our own domain or to another domain dropped");
            return;
        }
        if shows_life(stanza) {
            self.sign_of_life(&from, now);
        }
        match stanza.name() {
            "message" => self.message(stanza, &from, &to, now),
            "presence" => self.presence(stanza, &from, &to, now),
            "iq" => {
                let id = stanza.attr("id").unwrap_or_default();
                if self.presence_sync.answered(&from, id, now) {
                    return;
                }
                if let Some((messages, is_program)) = self.bot_check.answered(stanza, &from, now) {
                    let identified =
                        messages.into_iter().map(|it| Output::Identified(it, is_program));
                    return self.outputs.extend(identified);
                }
                if !self.command_iq(stanza, &from, &to, now) {
                    self.answer_iq(stanza, &from, &to);
                }
            }
            _ => debug!("element that is no stanza dropped"),
        }
    }

    /// A person has sent something: they can receive now, whether or not they let us see their presence.
    fn sign_of_life(&mut self, from: &Jid, now: Instant) {
        let person = from.to_bare();
        match self.presence.seen(from, now) {
            Some(change) => {
                self.unreachable.remove(&person);
                self.report(person, Some(change));
            }
            None => self.reachable_again(&person),
        }
    }

    /// Whether this sender may write one more message now.
    fn within_rate_limit(&mut self, sender: &BareJid, now: Instant) -> bool {
        let class = if self.is_known(sender) {
            TrustClass::Known
        } else if self.is_of_served_domain(sender) {
            TrustClass::ServedDomains
        } else {
            TrustClass::Others
        };
        let allowed = self.sender_rate.allows(sender, class, now);
        if !allowed && self.sender_rate.is_news(sender, now) {
            info!(sender = %Pii(sender), "messages refused: they come faster than component.messages_per_min");
        }
        allowed
    }

    /// Whether this is a subscriber or an operator.
    fn is_known(&self, jid: &BareJid) -> bool {
        self.people.person(jid).is_some() || self.served.operators.contains(jid)
    }

    /// Whether this is an account of the served domains, which may become a subscriber.
    fn is_of_served_domain(&self, jid: &BareJid) -> bool {
        jid.node().is_some() && self.served.domains.iter().any(|it| it == jid.domain().as_str())
    }

    /// The language of an answer to `from`: their setting, else the stanza's.
    fn language(&self, stanza: &Element, from: &Jid) -> Option<String> {
        let own = self.people.person(&from.to_bare()).and_then(|person| person.language.clone());
        own.or_else(|| self.believed(stanza::language(stanza)).map(str::to_owned))
    }

    /// Whether this is a ping of ours that came back: the server has read everything sent before it.
    fn is_pong(&mut self, iq: &Element, now: Instant) -> bool {
        let id = iq.attr("id").unwrap_or_default();
        if self.presence_sync.pong(id, now) {
            return true;
        }
        let is_pong = self.forwards.pong(id, now);
        if is_pong {
            self.ping_after_forwards();
        }
        is_pong
    }

    fn report(&mut self, jid: BareJid, change: Option<Change>) {
        match change {
            Some(Change::CameOnline) => self.outputs.push_back(Output::CameOnline(jid)),
            Some(Change::WentOffline) => self.outputs.push_back(Output::WentOffline(jid)),
            None => {}
        }
    }

    /// Sends a text of the component itself.
    fn say(&mut self, to: &BareJid, words: &str) {
        let id = self.seed.token();
        let mut message = notice(&self.own_address(to), to.as_str(), &id, words);
        message.append_child(stanza::nick(&self.served.name));
        self.send(message);
    }

    fn send(&mut self, stanza: Element) {
        self.outputs.push_back(Output::Send(stanza));
    }
}

/// Whether a client of the sender has sent this just now: a server sends errors in its users' names, and what was kept
/// for a while bears a delay.
fn shows_life(stanza: &Element) -> bool {
    matches!(stanza.name(), "message" | "iq")
        && stanza.attr("type") != Some("error")
        && !stanza.has_child("delay", ns::DELAY)
}

/// So often the log says the same of one host.
const TOLD_ONCE_IN: Duration = Duration::from_secs(3600);
const HOSTS_TOLD_MAX: usize = 1000;
/// Between two contact requests to the same person.
const ASK_AGAIN: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
