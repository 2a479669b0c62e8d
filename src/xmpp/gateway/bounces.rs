//! Messages that did not arrive: bounced, or lost with the link.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{Gateway, Output};
use crate::notification::Circumstances;
use crate::notification::returned::{ReturnReason, Returned};
use crate::xmpp::intake::{self, Intake};
use crate::xmpp::presence::Availability;
use crate::xmpp::relay::Forward;
use crate::xmpp::stanza;

/// An error for a stanza that the gateway does not remember: one that was owed, it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// The `id` of that stanza.
    pub id: String,
    /// Whom it went to.
    pub to: BareJid,
    /// The address that it went out from.
    pub from: BareJid,
    /// The error says that the same may succeed later.
    pub is_temporary: bool,
    /// The condition that the error names.
    pub condition: String,
    /// It denies the privilege by which the stanza was sent.
    pub denies_privilege: bool,
}

impl Bounce {
    pub(super) fn read(error: &Element, from: &Jid, to: &Jid, denies_privilege: bool) -> Self {
        let is_condition = |it: &&str| {
            it.len() <= CONDITION_CHARS_MAX
                && it.bytes().all(|c| c == b'-' || c.is_ascii_lowercase())
        };
        let condition = stanza::condition(error).filter(is_condition);
        Self {
            id: error.attr("id").unwrap_or_default().to_owned(),
            to: from.to_bare(),
            from: to.to_bare(),
            is_temporary: stanza::is_temporary(error),
            condition: condition.unwrap_or("undefined-condition").to_owned(),
            denies_privilege,
        }
    }

    /// What follows for a stanza that went to the sender of a held message.
    pub fn of_news(&self) -> Returned {
        let Self { is_temporary, ref condition, .. } = *self;
        let why = match self.denies_privilege {
            true => ReturnReason::PrivilegeGone,
            false => ReturnReason::NotTaken,
        };
        Returned { why, is_temporary, may_ring: false, condition: condition.clone() }
    }
}

impl Gateway {
    /// A message that was passed on has bounced: it is held after all, or its sender gets the error.
    pub(super) fn bounce(&mut self, error: &Element, from: &Jid, to: &Jid, now: Instant) {
        let id = error.attr("id").unwrap_or_default();
        let Some(forward) = self.forwards.bounced(id, &from.to_bare(), &to.to_bare()) else {
            let bounce = Bounce::read(error, from, to, false);
            return self.outputs.push_back(Output::Bounced(bounce));
        };
        let condition = stanza::condition(error);
        if self.people.person(&forward.recipient).is_none() {
            let told = BOUNCES.into_iter().find(|known| condition == Some(*known));
            let told = told.unwrap_or("service-unavailable");
            return self.send(stanza::error(&forward.original, "cancel", told, ""));
        }
        let sender = stanza::from(&forward.original).map(|from| from.to_bare());
        let why = self.learn(sender, &forward.recipient, condition, now);
        self.hold(&forward, why != ReturnReason::Unreachable, now);
    }

    /// A held message came back when it was delivered.
    pub fn delivery_bounced(&mut self, bounce: &Bounce, now: Instant) -> Returned {
        let sender = self.person_at(&Jid::from(bounce.from.clone()));
        let why = self.learn(sender, &bounce.to, Some(&bounce.condition), now);
        let is_online = self.presence.availability(&bounce.to, now) == Availability::Online;
        let may_ring = why != ReturnReason::Refused && !is_online;
        Returned { why, may_ring, ..bounce.of_news() }
    }

    /// Learns from a bounce who cannot be reached, or whom a recipient's server refuses.
    fn learn(
        &mut self,
        sender: Option<BareJid>,
        recipient: &BareJid,
        condition: Option<&str>,
        now: Instant,
    ) -> ReturnReason {
        let why = ReturnReason::of(condition, self.presence.says_available(recipient));
        match (why, sender) {
            (ReturnReason::Unreachable, _) => {
                let change = self.presence.unreachable(recipient, now);
                self.report(recipient.clone(), change);
            }
            (ReturnReason::Refused, Some(sender)) => {
                self.refused_pairs.add(sender, recipient.clone(), now);
            }
            _ => {}
        }
        why
    }

    /// Holds a message that did not arrive; without a call if the recipient's server has `refused` it.
    fn hold(&mut self, forward: &Forward, refused: bool, now: Instant) {
        let (Some(sender), Intake::Text(text)) =
            (stanza::from(&forward.original), intake::read(&forward.original))
        else {
            unreachable!("it was a text with an address when it was passed on");
        };
        let recipient = forward.recipient.clone();
        let how = Circumstances { refused, ..Circumstances::default() };
        self.hold_or_refuse(&forward.original, &sender, recipient, text, how, now);
    }

    /// The link broke before the server confirmed these messages.
    pub(super) fn hold_unconfirmed(&mut self, now: Instant) {
        for forward in self.forwards.lost() {
            if self.people.person(&forward.recipient).is_some() {
                self.hold(&forward, false, now);
            } else {
                self.to_resend.push(forward);
            }
        }
    }

    /// The link is back: unconfirmed messages to people elsewhere go out again, under the same `id`.
    pub(super) fn resend_unconfirmed(&mut self, now: Instant) {
        for forward in std::mem::take(&mut self.to_resend) {
            if let Some(sender) = stanza::from(&forward.original) {
                self.pass_on(&forward.original, &sender, &forward.recipient, true, now);
            }
        }
    }
}

/// Senders whom a recipient's server has refused although the recipient was online, as it does where the recipient has
/// blocked them. Their messages are held without a call until one is passed on again, or the recipient writes to them.
#[derive(Debug, Default)]
pub(super) struct RefusedPairs {
    /// By sender and recipient, until when it counts.
    pairs: BTreeMap<(BareJid, BareJid), Instant>,
}

impl RefusedPairs {
    pub(super) fn add(&mut self, sender: BareJid, recipient: BareJid, now: Instant) {
        if self.pairs.len() >= PAIRS_MAX {
            self.pairs.retain(|_, until| *until > now);
        }
        if self.pairs.len() >= PAIRS_MAX {
            let oldest = self.pairs.iter().min_by_key(|(_, until)| **until);
            if let Some(oldest) = oldest.map(|(pair, _)| pair.clone()) {
                self.pairs.remove(&oldest);
            }
        }
        self.pairs.insert((sender, recipient), now + REFUSAL_COUNTS);
    }

    pub(super) fn lift(&mut self, sender: &BareJid, recipient: &BareJid) {
        if !self.pairs.is_empty() {
            self.pairs.remove(&(sender.clone(), recipient.clone()));
        }
    }

    pub(super) fn contains(&self, sender: &BareJid, recipient: &BareJid, now: Instant) -> bool {
        !self.pairs.is_empty()
            && self.pairs.get(&(sender.clone(), recipient.clone())).is_some_and(|it| *it > now)
    }
}

/// Conditions that a sender is told when their message bounces.
const BOUNCES: [&str; 8] = [
    "forbidden",
    "gone",
    "item-not-found",
    "not-acceptable",
    "recipient-unavailable",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
];
/// The names of RFC 6120 §8.3.3 are shorter.
const CONDITION_CHARS_MAX: usize = 40;
const PAIRS_MAX: usize = 4096;
/// A block that was lifted while the recipient was offline is found out by then.
const REFUSAL_COUNTS: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_take_bounded_room_and_wear_off() {
        let (mut pairs, now) = (RefusedPairs::default(), crate::clock::now());
        let jid = |name: String| BareJid::new(&format!("{name}@example.org")).unwrap();
        let bob = jid("bob".into());
        for number in 0..PAIRS_MAX + 10 {
            pairs.add(jid(format!("a{number}")), bob.clone(), now);
        }
        assert_eq!(pairs.pairs.len(), PAIRS_MAX);
        let last = jid(format!("a{}", PAIRS_MAX + 9));
        assert!(pairs.contains(&last, &bob, now));
        assert!(!pairs.contains(&bob, &last, now), "the other way round is another pair");
        assert!(!pairs.contains(&last, &bob, now + REFUSAL_COUNTS));
        pairs.lift(&last, &bob);
        assert!(!pairs.contains(&last, &bob, now));
    }
}
