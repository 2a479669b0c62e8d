//! Presence: who can receive a message now, by what their server says and by what they do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::subscriber::Subscriber;
use crate::xmpp::ns;

/// What is known of each person: the presence that their server tells, and signs of life.
///
/// A stanza of a client is a sign of life, whether or not the person lets us see their presence: for
/// [`SIGN_COUNTS`] they count as able to receive at that address. What their server says of that client later counts
/// more.
///
/// Contract: after [`Presence::link_down`] nothing is known until presences arrive, or [`Presence::settle`] declares
///           everybody else offline (ejabberd does not answer the probe of a person who is offline).
/// Source:   RFC 6121 §4 and §8.5.3 (a resource below priority 0 gets no messages).
#[derive(Debug, Default)]
pub struct Presence {
    people: BTreeMap<BareJid, Observed>,
}

/// Whether a message would reach a person at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// A resource is available and takes messages.
    Online,
    /// No resource is.
    Offline,
    /// Not known yet after the link came up.
    Unknown,
}

/// A change of one person's availability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first resource that takes messages came.
    CameOnline,
    /// The last one went.
    WentOffline,
}

impl Presence {
    /// Watches these people and no others; gives those who are new.
    pub fn watch<'p>(&mut self, people: impl IntoIterator<Item = &'p Subscriber>) -> Vec<BareJid> {
        let mut before = std::mem::take(&mut self.people);
        let mut new = Vec::new();
        for Subscriber { jid, refuses_presence, .. } in people {
            let observed = before.remove(jid).unwrap_or_else(|| {
                new.push(jid.clone());
                let subscription = if *refuses_presence {
                    Subscription::Refused
                } else {
                    Subscription::Unanswered
                };
                Observed { subscription, ..Observed::default() }
            });
            self.people.insert(jid.clone(), observed);
        }
        new
    }

    /// Handles a presence sent to the component.
    pub fn handle(&mut self, from: &Jid, presence: &Element, now: Instant) -> Option<Change> {
        let observed = self.people.get_mut(&from.to_bare())?;
        let was_online = observed.is_online(now);
        let resource = from.resource().map(|it| it.as_str().to_owned()).unwrap_or_default();
        match presence.attr("type") {
            None => {
                observed.subscription = Subscription::Granted;
                observed.known = true;
                observed.signs.remove(&resource);
                // A known resource may change although there is no room for new ones.
                let room = observed.resources.len() < RESOURCES_MAX
                    || observed.resources.contains(&resource);
                if takes_messages(presence) && room {
                    observed.resources.insert(resource);
                } else {
                    observed.resources.remove(&resource);
                }
            }
            Some("unavailable" | "error") => {
                observed.known = true;
                // A presence of the bare JID counts for all resources.
                if from.resource().is_some() {
                    observed.resources.remove(&resource);
                    observed.signs.remove(&resource);
                } else {
                    observed.resources.clear();
                    // COMPAT(Prosody, 0.12.3): without a subscription, a request for one is answered so, whoever is there.
                    if observed.subscription == Subscription::Granted {
                        observed.signs.clear();
                    }
                }
            }
            Some("subscribed") => observed.subscription = Subscription::Granted,
            Some("unsubscribed") => {
                observed.subscription = Subscription::Refused;
                observed.resources.clear();
            }
            Some(_) => {}
        }
        observed.change_since(was_online, now)
    }

    /// A client of this person has sent something: a sign of life.
    pub fn seen(&mut self, from: &Jid, now: Instant) -> Option<Change> {
        let resource = from.resource()?.as_str();
        let observed = self.people.get_mut(&from.to_bare())?;
        if observed.resources.contains(resource) {
            return None;
        }
        let was_online = observed.is_online(now);
        observed.signs.retain(|_, until| *until > now);
        if observed.signs.len() >= SIGNS_MAX && !observed.signs.contains_key(resource) {
            let oldest = observed.signs.iter().min_by_key(|(_, until)| **until);
            if let Some(oldest) = oldest.map(|(resource, _)| resource.clone()) {
                observed.signs.remove(&oldest);
            }
        }
        observed.signs.insert(resource.to_owned(), now + SIGN_COUNTS);
        observed.change_since(was_online, now)
    }

    /// A client of this person has gone, or their server says that none of them takes messages (a bare JID): what they
    /// have sent is no sign of life any more.
    pub fn left(&mut self, from: &Jid, now: Instant) -> Option<Change> {
        let observed = self.people.get_mut(&from.to_bare())?;
        let was_online = observed.is_online(now);
        match from.resource() {
            Some(resource) => drop(observed.signs.remove(resource.as_str())),
            None => observed.signs.clear(),
        }
        observed.change_since(was_online, now)
    }

    /// Whether a message would reach this person at once.
    pub fn availability(&self, jid: &BareJid, now: Instant) -> Availability {
        match self.people.get(jid) {
            Some(observed) if observed.is_online(now) => Availability::Online,
            Some(Observed { known: false, .. }) => Availability::Unknown,
            Some(_) | None => Availability::Offline,
        }
    }

    /// Whether this person's server says that they are available. A sign of life says less.
    pub fn says_available(&self, jid: &BareJid) -> bool {
        self.people.get(jid).is_some_and(|observed| !observed.resources.is_empty())
    }

    /// The client to write to, where only a sign of life tells that the person can receive.
    pub fn seen_at(&self, jid: &BareJid, now: Instant) -> Option<Jid> {
        let observed = self.people.get(jid).filter(|it| it.resources.is_empty())?;
        let (resource, until) = observed.signs.iter().max_by_key(|(_, until)| **until)?;
        if *until <= now {
            return None;
        }
        jid.with_resource_str(resource).ok().map(Jid::from)
    }

    /// Whether we are subscribed to this person's presence.
    pub fn is_subscribed(&self, jid: &BareJid) -> bool {
        self.people.get(jid).is_some_and(|observed| observed.subscription == Subscription::Granted)
    }

    /// Whether this person has turned down our request for a subscription.
    pub fn is_refused(&self, jid: &BareJid) -> bool {
        self.people.get(jid).is_some_and(|observed| observed.subscription == Subscription::Refused)
    }

    /// Whether to ask for a subscription now; counts as asked if so.
    pub fn may_ask(&mut self, jid: &BareJid, now: Instant, again_after: Duration) -> bool {
        let Some(observed) = self.people.get_mut(jid) else { return false };
        let recently = observed.asked.is_some_and(|asked| now.duration_since(asked) < again_after);
        let asks = observed.subscription != Subscription::Granted && !recently;
        if asks {
            observed.asked = Some(now);
        }
        asks
    }

    /// This person cannot receive now, whatever was known.
    pub fn unreachable(&mut self, jid: &BareJid, now: Instant) -> Option<Change> {
        let observed = self.people.get_mut(jid)?;
        let was_online = observed.is_online(now);
        observed.resources.clear();
        observed.signs.clear();
        observed.change_since(was_online, now)
    }

    /// The link is lost: no presence is known any more.
    pub fn link_down(&mut self) {
        for observed in self.people.values_mut() {
            observed.known = false;
            observed.resources.clear();
            observed.signs.clear();
            if observed.subscription == Subscription::Unanswered {
                // The person may have agreed while the link was down; asking again brings the answer again.
                observed.asked = None;
            }
        }
    }

    /// All answers to the probes are in.
    pub fn settle(&mut self) {
        for observed in self.people.values_mut() {
            observed.known = true;
        }
    }
}

#[derive(Debug, Default)]
struct Observed {
    subscription: Subscription,
    asked: Option<Instant>,
    resources: BTreeSet<String>,
    /// Clients that have sent something, and until when that counts.
    signs: BTreeMap<String, Instant>,
    known: bool,
}

impl Observed {
    fn is_online(&self, now: Instant) -> bool {
        !self.resources.is_empty() || self.signs.values().any(|until| *until > now)
    }

    fn change_since(&self, was_online: bool, now: Instant) -> Option<Change> {
        match (was_online, self.is_online(now)) {
            (false, true) => Some(Change::CameOnline),
            (true, false) => Some(Change::WentOffline),
            (true, true) | (false, false) => None,
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Subscription {
    #[default]
    Unanswered,
    Granted,
    Refused,
}

fn takes_messages(presence: &Element) -> bool {
    let priority = presence.get_child("priority", ns::COMPONENT).map(Element::text);
    // An invalid priority counts as 0.
    priority.and_then(|it| it.trim().parse::<i8>().ok()).unwrap_or(0) >= 0
}

/// Resources of one person that are counted.
const RESOURCES_MAX: usize = 64;
/// Signs of life of one person that are counted: the latest.
const SIGNS_MAX: usize = 8;
/// So long a client that has sent something counts as able to receive.
pub const SIGN_COUNTS: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
