//! The XMPP server and everybody's clients, as far as the component meets them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use minidom::Element;

use crate::bounces::Bounces;
use crate::world::SENDERS;

pub(crate) const COMPONENT: &str = "phone.example.org";
const NS: &str = "jabber:component:accept";

/// What a client has seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) body: String,
    /// The message that it is a reply to.
    pub(crate) reply_to: Option<String>,
}

/// Routes, keeps for those who are offline, and answers as servers do.
#[derive(Debug, Default)]
pub(crate) struct Server {
    /// Who has a client that takes messages.
    pub(crate) online: BTreeSet<String>,
    /// By account, in the order of arrival.
    pub(crate) seen: BTreeMap<String, Vec<Seen>>,
    /// Kept for the next log-in.
    kept: BTreeMap<String, Vec<Seen>>,
    /// Which message stanzas have come on which stream.
    pub(crate) ids: BTreeSet<(u64, String)>,
    /// What it does not take.
    pub(crate) bounces: Bounces,
    /// Every `id` that has come on any stream.
    pub(crate) came: BTreeSet<String>,
    /// Since when people have switched calls off.
    off: BTreeMap<String, Duration>,
}

impl Server {
    pub(crate) fn log_in(&mut self, account: &str) -> Element {
        self.online.insert(account.to_owned());
        let kept = self.kept.remove(account).unwrap_or_default();
        self.seen.entry(account.to_owned()).or_default().extend(kept);
        parsed(&format!("<presence xmlns='{NS}' from='{account}/x' to='{COMPONENT}'/>"))
    }

    pub(crate) fn log_out(&mut self, account: &str) -> Element {
        self.online.remove(account);
        parsed(&format!(
            "<presence xmlns='{NS}' type='unavailable' from='{account}/x' to='{COMPONENT}'/>"
        ))
    }

    /// Takes a stanza of the component; gives what goes back to it.
    pub(crate) fn takes(&mut self, stream: u64, stanza: &Element) -> Vec<Element> {
        let to = stanza.attr("to").unwrap_or_default();
        let account = to.split('/').next().unwrap_or_default().to_owned();
        match (stanza.name(), stanza.attr("type")) {
            ("iq", Some("get")) => {
                let id = stanza.attr("id").unwrap_or_default();
                vec![parsed(&format!(
                    "<iq xmlns='{NS}' type='result' id='{id}' from='{to}' to='{COMPONENT}'/>"
                ))]
            }
            ("presence", Some("probe" | "subscribe")) => {
                let agreed = stanza.attr("type") == Some("subscribe");
                let agreed = agreed.then(|| presence(&account, Some("subscribed")));
                let state = if self.online.contains(&account) {
                    presence(&format!("{account}/x"), None)
                } else {
                    presence(&account, Some("unavailable"))
                };
                agreed.into_iter().chain([state]).collect()
            }
            ("message", kind) => {
                let id = stanza.attr("id").unwrap_or_default().to_owned();
                let twice = !self.ids.insert((stream, id.clone()));
                assert!(!twice, "N1: stanza {id} was sent twice on one stream");
                self.came.insert(id.clone());
                let body = stanza.get_child("body", NS).map(Element::text).unwrap_or_default();
                let reply_to = stanza.get_child("reply", "urn:xmpp:reply:0");
                let reply_to = reply_to.and_then(|it| it.attr("id")).map(str::to_owned);
                let kind = kind.unwrap_or_default().to_owned();
                let seen = Seen { id, kind, body, reply_to };
                let place =
                    if self.online.contains(&account) { &mut self.seen } else { &mut self.kept };
                place.entry(account).or_default().push(seen);
                vec![]
            }
            _ => vec![],
        }
    }

    /// Whether a client of this account, or what is kept for it, has the stanza of that `id`.
    pub(crate) fn has(&self, account: &str, id: &str) -> bool {
        self.all_for(account).any(|it| it.id == id)
    }

    /// On how many streams a stanza came.
    pub(crate) fn copies(&self, id: &str) -> usize {
        self.ids.iter().filter(|(_, known)| known == id).count()
    }

    /// Everybody's sessions end.
    pub(crate) fn everybody_goes(&mut self) {
        self.online.retain(|account| SENDERS.contains(&&**account));
    }

    /// What waits for somebody who is offline, after what they have seen.
    pub(crate) fn all_for(&self, account: &str) -> impl Iterator<Item = &Seen> {
        self.has_seen(account).iter().chain(self.kept.get(account).into_iter().flatten())
    }

    /// The person has switched calls off, and that is durable.
    pub(crate) fn calls_are_off(&mut self, account: &str, at: Duration) {
        self.off.entry(account.to_owned()).or_insert(at);
    }

    /// The person has asked for something by which calls may be on again.
    pub(crate) fn calls_may_be_on(&mut self, account: &str) {
        self.off.remove(account);
    }

    pub(crate) fn off_since(&self, account: &str) -> Option<Duration> {
        self.off.get(account).copied()
    }

    pub(crate) fn has_seen(&self, account: &str) -> &[Seen] {
        self.seen.get(account).map_or(&[], Vec::as_slice)
    }
}

fn presence(from: &str, kind: Option<&str>) -> Element {
    let kind = kind.map(|kind| format!("type='{kind}'")).unwrap_or_default();
    parsed(&format!("<presence xmlns='{NS}' {kind} from='{from}' to='{COMPONENT}'/>"))
}

/// What `sender` writes to `recipient` through the component, with `more` beside the text.
pub(crate) fn message(sender: &str, recipient: &str, id: &str, more: &str) -> Element {
    let to = format!("{}@{COMPONENT}", recipient.replace('@', "\\40"));
    parsed(&format!(
        "<message xmlns='{NS}' type='chat' id='{id}' from='{sender}/x' to='{to}'>{more}</message>"
    ))
}

/// What a person types to the component itself.
pub(crate) fn command(person: &str, id: &str, typed: &str) -> Element {
    parsed(&format!(
        "<message xmlns='{NS}' type='chat' id='{id}' from='{person}/x' to='{COMPONENT}'><body>{typed}</body></message>"
    ))
}

fn parsed(xml: &str) -> Element {
    xml.parse().unwrap()
}
