//! Who can receive a message now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::xmpp::ns;

/// What the presences seen so far say about each person.
///
/// Contract: after [`Presence::link_down`] nothing is known until presences come in, or [`Presence::settle`]
///           tells that whoever was silent is offline (ejabberd answers no probe of someone offline).
/// Source:   RFC 6121 §4 and §8.5.3 (a resource below priority 0 gets no messages).
#[derive(Debug, Default)]
pub struct Presence {
    people: BTreeMap<BareJid, Seen>,
}

/// Whether a message would reach a person at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A resource is there and takes messages.
    Online,
    /// There is none.
    Offline,
    /// The link is too young to tell.
    Unknown,
}

/// What has become different for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Now there is a resource that takes messages.
    CameOnline,
    /// The last one is gone.
    WentOffline,
}

impl Presence {
    /// Starts to watch these people and forgets all others; gives those who are new.
    pub fn watch<'p>(&mut self, people: impl IntoIterator<Item = &'p BareJid>) -> Vec<BareJid> {
        let mut before = std::mem::take(&mut self.people);
        let mut new = Vec::new();
        for jid in people {
            let seen = before.remove(jid).unwrap_or_else(|| {
                new.push(jid.clone());
                Seen::default()
            });
            self.people.insert(jid.clone(), seen);
        }
        new
    }

    /// Takes a presence that came to the component.
    pub fn handle(&mut self, from: &Jid, presence: &Element) -> Option<Change> {
        let seen = self.people.get_mut(&from.to_bare())?;
        let was_online = !seen.resources.is_empty();
        let resource = from.resource().map(|it| it.as_str().to_owned()).unwrap_or_default();
        match presence.attr("type") {
            None => {
                seen.subscription = Subscription::Granted;
                seen.known = true;
                // Who is known already may speak again although there is no room for others.
                let room =
                    seen.resources.len() < RESOURCES_MAX || seen.resources.contains(&resource);
                if takes_messages(presence) && room {
                    seen.resources.insert(resource);
                } else {
                    seen.resources.remove(&resource);
                }
            }
            Some("unavailable" | "error") => {
                seen.known = true;
                // From the bare JID it stands for all resources.
                if from.resource().is_some() {
                    seen.resources.remove(&resource);
                } else {
                    seen.resources.clear();
                }
            }
            Some("subscribed") => seen.subscription = Subscription::Granted,
            Some("unsubscribed") => {
                seen.subscription = Subscription::Refused;
                seen.resources.clear();
            }
            Some(_) => {}
        }
        match (was_online, !seen.resources.is_empty()) {
            (false, true) => Some(Change::CameOnline),
            (true, false) => Some(Change::WentOffline),
            (true, true) | (false, false) => None,
        }
    }

    /// Whether a message would reach this person at once.
    pub fn standing(&self, jid: &BareJid) -> Standing {
        match self.people.get(jid) {
            Some(seen) if !seen.resources.is_empty() => Standing::Online,
            Some(Seen { known: false, .. }) => Standing::Unknown,
            Some(_) | None => Standing::Offline,
        }
    }

    /// Whether this person lets us see when he is online.
    pub fn is_seen(&self, jid: &BareJid) -> bool {
        self.people.get(jid).is_some_and(|seen| seen.subscription == Subscription::Granted)
    }

    /// Whether to ask for a look at this person's presence, and notes that it is done.
    pub fn asks(&mut self, jid: &BareJid, now: Instant, again_after: Duration) -> bool {
        let Some(seen) = self.people.get_mut(jid) else { return false };
        let recently = seen.asked.is_some_and(|asked| now.duration_since(asked) < again_after);
        let asks = seen.subscription != Subscription::Granted && !recently;
        if asks {
            seen.asked = Some(now);
        }
        asks
    }

    /// A message bounced: whatever the presences said, this person cannot receive.
    pub fn proved_wrong(&mut self, jid: &BareJid) -> Option<Change> {
        let seen = self.people.get_mut(jid)?;
        let was_online = !seen.resources.is_empty();
        seen.resources.clear();
        was_online.then_some(Change::WentOffline)
    }

    /// The link is lost, and with it all knowledge.
    pub fn link_down(&mut self) {
        for seen in self.people.values_mut() {
            seen.known = false;
            seen.resources.clear();
            if seen.subscription == Subscription::Unanswered {
                // He may have agreed while nobody listened; asking again brings that answer again.
                seen.asked = None;
            }
        }
    }

    /// All answers to the probes are in.
    pub fn settle(&mut self) {
        for seen in self.people.values_mut() {
            seen.known = true;
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    subscription: Subscription,
    asked: Option<Instant>,
    resources: BTreeSet<String>,
    known: bool,
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
    // What is no priority counts as none, which is 0.
    priority.and_then(|it| it.trim().parse::<i8>().ok()).unwrap_or(0) >= 0
}

/// Resources of one person that are told apart.
const RESOURCES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bob_can_receive_while_a_resource_of_his_takes_messages() {
        use Standing::*;
        let cases = [
            ("nothing is heard", "", Unknown),
            ("the fence is passed", "fence", Offline),
            ("bob is there", "a", Online),
            ("with a priority below 0", "a=-1", Offline),
            ("with a priority that is none", "a=999", Online),
            ("one of two left", "a b -a", Online),
            ("both left", "a b -a -b", Offline),
            ("the server says all left", "a b -", Offline),
            ("a priority sinks", "a a=-1", Offline),
            ("he took the subscription back", "a unsubscribed", Offline),
            ("the link is lost", "a down", Unknown),
            ("the link is back", "a down a", Online),
            ("the link is back without him", "a down fence", Offline),
            ("a message bounced", "a bounce", Offline),
            ("his server is away", "a error", Offline),
        ];
        for (situation, timeline, expected) in cases {
            let mut presence = watching();
            play(&mut presence, timeline);
            assert_eq!(presence.standing(&bob()), expected, "{situation}");
        }
    }

    #[test]
    fn only_turning_points_are_told() {
        use Change::*;
        let told = play(&mut watching(), "a b -a -b down a=-1 fence a down a");
        assert_eq!(told, [CameOnline, WentOffline, CameOnline, CameOnline]);
    }

    #[test]
    fn strangers_and_floods_of_resources_take_no_memory() {
        let mut presence = watching();
        let stranger = Jid::new("eve@example.org/x").unwrap();
        assert_eq!(presence.handle(&stranger, &available(None)), None);
        for resource in 0..1000 {
            let from = Jid::new(&format!("bob@example.org/{resource}")).unwrap();
            presence.handle(&from, &available(None));
        }
        assert_eq!(presence.people.len(), 1);
        assert_eq!(presence.people[&bob()].resources.len(), RESOURCES_MAX);
        for resource in 0..1000 {
            let from = Jid::new(&format!("bob@example.org/{resource}")).unwrap();
            presence.handle(&from, &available(None));
        }
        assert_eq!(presence.people[&bob()].resources.len(), RESOURCES_MAX, "said twice");
    }

    #[test]
    fn bob_is_asked_once_a_day_until_he_agrees() {
        let (mut presence, start) = (watching(), crate::clock::now());
        let day = Duration::from_secs(86_400);
        let hour = Duration::from_secs(3600);
        assert!(presence.asks(&bob(), start, day));
        assert!(!presence.asks(&bob(), start + hour, day));
        assert!(presence.asks(&bob(), start + day, day));
        play(&mut presence, "down");
        assert!(presence.asks(&bob(), start + day, day), "the answer may have been missed");
        play(&mut presence, "unsubscribed down");
        assert!(!presence.asks(&bob(), start + day + hour, day), "he has answered");
        play(&mut presence, "subscribed");
        assert!(!presence.asks(&bob(), start + day * 3, day));
        assert!(presence.is_seen(&bob()));
    }

    fn play(presence: &mut Presence, timeline: &str) -> Vec<Change> {
        let mut told = vec![];
        for step in timeline.split_whitespace() {
            let (kind, resource) = match step {
                "fence" => {
                    presence.settle();
                    continue;
                }
                "down" => {
                    presence.link_down();
                    continue;
                }
                "bounce" => {
                    told.extend(presence.proved_wrong(&bob()));
                    continue;
                }
                "subscribed" | "unsubscribed" | "error" => (Some(step), ""),
                "-" => (Some("unavailable"), ""),
                left if left.starts_with('-') => (Some("unavailable"), &left[1..]),
                there => (None, there),
            };
            let (resource, priority) = resource.split_once('=').unwrap_or((resource, ""));
            let mut stanza = available((!priority.is_empty()).then_some(priority));
            if let Some(kind) = kind {
                crate::xmpp::stanza::set(&mut stanza, "type", kind);
            }
            let slash = if resource.is_empty() { "" } else { "/" };
            let from = Jid::new(&format!("bob@example.org{slash}{resource}")).unwrap();
            told.extend(presence.handle(&from, &stanza));
        }
        told
    }

    fn watching() -> Presence {
        let mut presence = Presence::default();
        presence.watch([&bob()]);
        presence
    }

    fn bob() -> BareJid {
        BareJid::new("bob@example.org").unwrap()
    }

    fn available(priority: Option<&str>) -> Element {
        let mut presence = crate::xmpp::stanza::stanza("presence", &[]);
        if let Some(priority) = priority {
            presence.append_child(crate::xmpp::stanza::text("priority", ns::COMPONENT, priority));
        }
        presence
    }
}
