//! What becomes of every stanza: passed on, held, answered, or let lie.

mod contacts;
mod fence;
mod hand_over;
mod kinds;
mod messages;
mod wishes;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use minidom::Element;
use tracing::debug;
use xmpp_parsers::jid::{BareJid, Jid};

use self::fence::Fence;
use self::kinds::Kinds;
use crate::notification::{Draft, MessageId};
use crate::seed::Seed;
use crate::subscriber::Subscriber;
use crate::xmpp::desk::commands::Sessions;
use crate::xmpp::desk::{Outcome, Petition};
use crate::xmpp::directory::{Directory, House};
use crate::xmpp::disco::{self, Asked};
use crate::xmpp::pace::{Crowd, Pace};
use crate::xmpp::presence::{Change, Presence};
use crate::xmpp::privilege::Grants;
use crate::xmpp::relay::{Forward, Forwards};
use crate::xmpp::reply::notice;
use crate::xmpp::{address, ns, stanza};

/// The component, seen from the stream: stanzas in, stanzas and decisions out.
///
/// Contract: call [`Gateway::handle`], then [`Gateway::poll`] until `None`, then wait until [`Gateway::deadline`].
/// Source:   RFC 6120 §8, RFC 6121 §3 to §5 and §8, XEP-0100 §5.
#[derive(Debug)]
pub struct Gateway {
    component: String,
    people: Directory,
    house: House,
    sessions: Sessions,
    kinds: Kinds,
    grants: Grants,
    /// Whom their servers could not reach although they have a presence.
    asleep: BTreeSet<BareJid>,
    presence: Presence,
    forwards: Forwards,
    /// Lost with the link, and not ours to hold.
    unsent: Vec<Forward>,
    pace: Pace,
    fence: Fence,
    seed: Seed,
    outputs: VecDeque<Output>,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'i> {
    /// The stream is up.
    LinkUp,
    /// The stream is lost.
    LinkDown,
    /// A stanza came.
    Stanza(&'i Element),
    /// Other people can be written to from now on, and other rules hold.
    People(Directory, Box<House>),
    /// One person has other settings, or is new.
    Person(&'i Subscriber),
    /// A person is to be forgotten, but for what the operator has set.
    Forgotten(&'i BareJid, Option<&'i Subscriber>),
    /// What came of a petition.
    Granted(&'i Petition, &'i Outcome),
    /// Something to tell a person.
    Say(&'i BareJid, &'i str),
    /// The message of [`Output::Hold`] is durable.
    Held(&'i Draft, MessageId),
    /// The store could not take the message of [`Output::Hold`], because of this.
    NotHeld(&'i Draft, NoRoom),
    /// Time passed.
    Tick,
}

/// Where there is no room for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Its recipient has too many waiting.
    Recipient,
    /// Its sender has.
    Sender,
    /// The store is full, or in trouble.
    Store,
}

/// What to do about it.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Send this.
    Send(Element),
    /// Make this message durable, and phone about it if that is wanted.
    Hold(Draft),
    /// It is known whether a program has sent this message.
    Identified(MessageId, bool),
    /// What was held under this `id` is worded anew; it is held as it is if there is nothing to correct.
    Correct {
        /// The `id` of what is corrected.
        id: String,
        /// The new wording.
        draft: Draft,
    },
    /// What was held under this `id` is taken back.
    Retract {
        /// By whom.
        sender: BareJid,
        /// For whom it was.
        recipient: BareJid,
        /// Which.
        id: String,
    },
    /// Servers let us speak for their people, or do not any more.
    Granted(Grants),
    /// The stanza of this `id` came back: it is to go another way.
    Unsent(String),
    /// This person can receive now: deliver what is held.
    CameOnline(BareJid),
    /// This person cannot receive any more.
    WentOffline(BareJid),
    /// Somebody wants something; tell by [`Input::Granted`] what came of it, once that is durable.
    Petition(Petition),
    /// It is known who is online: whoever is not may be phoned.
    Settled,
}

impl Gateway {
    /// Serves these people under the domain `component`.
    pub fn new(component: &str, people: Directory, house: House, seed: Seed) -> Self {
        let mut presence = Presence::default();
        presence.watch(people.jids());
        Self {
            component: component.to_owned(),
            people,
            house,
            sessions: Sessions::default(),
            kinds: Kinds::default(),
            grants: Grants::default(),
            asleep: BTreeSet::new(),
            presence,
            forwards: Forwards::default(),
            unsent: Vec::new(),
            pace: Pace::default(),
            fence: Fence::Down,
            seed,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::LinkUp => self.link_up(now),
            Input::LinkDown => self.link_down(now),
            Input::Stanza(stanza) => self.stanza(stanza, now),
            Input::People(people, house) => self.people(people, *house, now),
            Input::Person(person) => self.person(person, now),
            Input::Forgotten(jid, still_there) => self.forgotten(jid, still_there),
            Input::Granted(petition, outcome) => self.answer(petition, outcome),
            Input::Say(jid, words) => self.say(jid, words),
            Input::Held(draft, message) => self.held(draft, message, now),
            Input::NotHeld(draft, no_room) => self.not_held(draft, no_room),
            Input::Tick => {}
        }
        for message in self.kinds.overdue(now) {
            self.outputs.push_back(Output::Identified(message, false));
        }
        if self.fence.is_over(now) {
            self.fence = Fence::Settled;
            self.presence.settle();
            self.outputs.push_back(Output::Settled);
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        [self.fence.deadline(), self.kinds.deadline()].into_iter().flatten().min()
    }

    /// Whether it is known who is online. Before, nobody may be phoned on the ground that he is not.
    pub fn settled(&self) -> bool {
        self.fence == Fence::Settled
    }

    fn link_up(&mut self, now: Instant) {
        let people: Vec<_> = self.people.jids().cloned().collect();
        self.look_at(&people, now);
        self.resend_what_was_lost(now);
    }

    fn link_down(&mut self, now: Instant) {
        self.fence = Fence::Down;
        self.presence.link_down();
        if self.grants.forget() {
            self.outputs.push_back(Output::Granted(self.grants.clone()));
        }
        self.hold_what_was_lost(now);
    }

    fn people(&mut self, people: Directory, house: House, now: Instant) {
        (self.people, self.house) = (people, house);
        let new = self.presence.watch(self.people.jids());
        if !new.is_empty() && self.fence != Fence::Down {
            self.look_at(&new, now);
        }
    }

    /// Asks whether these people are online, and whether that may be known.
    fn look_at(&mut self, people: &[BareJid], now: Instant) {
        for jid in people {
            // COMPAT(Prosody, 0.12.3): a probe by someone who may not look throws his waiting request away.
            if self.presence.is_seen(jid) {
                self.probe(jid);
            } else if self.presence.asks(jid, now, ASK_AGAIN) {
                // Who has agreed before is answered for by his server, at once.
                self.ask_for_presence(jid);
            }
        }
        let id = format!("ping-{}", self.seed.token());
        self.send(self.ping(&id));
        self.fence = Fence::probing(id, now);
    }

    fn stanza(&mut self, stanza: &Element, now: Instant) {
        if stanza.name() == "iq" && self.is_pong(stanza, now) {
            return;
        }
        let Some(from) = stanza::from(stanza) else {
            return debug!("stanza of an unreadable sender dropped");
        };
        let Some(to) = stanza::to(stanza) else { return self.unreadable(stanza, &from) };
        if from.domain().as_str() == self.component || to.domain().as_str() != self.component {
            debug!("stanza from ourselves or to others dropped");
            return;
        }
        match stanza.name() {
            "message" => self.message(stanza, &from, &to, now),
            "presence" => self.presence(stanza, &from, &to, now),
            "iq" => {
                if let Some((messages, is_program)) = self.kinds.answered(stanza, &from, now) {
                    let told = messages.into_iter().map(|it| Output::Identified(it, is_program));
                    return self.outputs.extend(told);
                }
                if !self.desk(stanza, &from, &to, now) {
                    self.question(stanza, &from, &to);
                }
            }
            _ => debug!("element that is no stanza dropped"),
        }
    }

    fn question(&mut self, iq: &Element, from: &Jid, to: &Jid) {
        let name = self.contact_name(from, to);
        let asked = match &name {
            _ if to.node().is_none() => Asked::Component(self.house.caller_id.as_deref()),
            Some(name) => Asked::Contact(name),
            None => Asked::Nobody,
        };
        if let Some(answer) = disco::answer(iq, asked) {
            self.send(answer);
        }
    }

    /// Whom a contact stands for, as far as `from` may know: our people for everybody, and anybody for our people.
    fn contact_name(&self, from: &Jid, to: &Jid) -> Option<String> {
        let jid = address::person(to, &self.component)?;
        match self.people.person(&jid) {
            Some(person) => Some(person.name.clone()),
            None => self.people.person(&from.to_bare()).map(|_| jid.to_string()),
        }
    }

    /// Whether this sender may write one more message now.
    fn may_write(&mut self, sender: &BareJid, now: Instant) -> bool {
        let crowd = if self.is_known(sender) {
            Crowd::People
        } else if self.is_of_the_house(sender) {
            Crowd::House
        } else {
            Crowd::World
        };
        self.pace.allows(sender, crowd, now)
    }

    /// Whether this is a person of ours, or the operator.
    fn is_known(&self, jid: &BareJid) -> bool {
        self.people.person(jid).is_some() || self.house.operators.contains(jid)
    }

    /// Whether this is an account of the house's domains, which may become a person of ours.
    fn is_of_the_house(&self, jid: &BareJid) -> bool {
        jid.node().is_some() && self.house.domains.iter().any(|it| it == jid.domain().as_str())
    }

    /// The language in which `from` reads the answer to a stanza: his own, else the stanza's.
    fn language(&self, stanza: &Element, from: &Jid) -> Option<String> {
        let own = self.people.person(&from.to_bare()).and_then(|person| person.language.clone());
        own.or_else(|| stanza::language(stanza).map(str::to_owned))
    }

    /// A ping of ours that came back, itself or its answer: the server has read all that went before it.
    fn is_pong(&mut self, iq: &Element, now: Instant) -> bool {
        let id = iq.attr("id").unwrap_or_default();
        if self.fence.pong(id, now) {
            return true;
        }
        let is_pong = self.forwards.pong(id, now);
        if is_pong {
            self.ping_after_forwards();
        }
        is_pong
    }

    /// A ping to ourselves: the server reads it after all that went before and hands it back.
    fn ping(&self, id: &str) -> Element {
        let us = self.component.as_str();
        let mut ping =
            stanza::stanza("iq", &[("type", "get"), ("id", id), ("from", us), ("to", us)]);
        ping.append_child(Element::bare("ping", ns::PING));
        ping
    }

    fn tell(&mut self, jid: BareJid, change: Option<Change>) {
        match change {
            Some(Change::CameOnline) => self.outputs.push_back(Output::CameOnline(jid)),
            Some(Change::WentOffline) => self.outputs.push_back(Output::WentOffline(jid)),
            None => {}
        }
    }

    /// The component itself speaks to a person.
    fn say(&mut self, to: &BareJid, words: &str) {
        let id = self.seed.token();
        let message = notice(&self.component, to.as_str(), &id, words);
        self.send(message);
    }

    fn send(&mut self, stanza: Element) {
        self.outputs.push_back(Output::Send(stanza));
    }
}

/// Between two contact requests to the same person.
const ASK_AGAIN: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
