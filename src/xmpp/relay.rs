//! Messages passed on between two people, and remembered until they are known to have arrived.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::xmpp::{address, ns, stanza};

/// Makes the copy of a message that goes to `recipient`, as if it came from the sender's gateway address.
///
/// Contract: what a sender may not say on behalf of a server is left out; everything else stays, `id` and thread too.
/// Source:   XEP-0359 §5, XEP-0203 §5, XEP-0280 §11, XEP-0461 §3 (`to` names an author by the address its reader knows).
pub fn readdressed(message: &Element, from: &str, recipient: &BareJid, component: &str) -> Element {
    let mut copy = message.clone();
    stanza::strip(&mut copy, untrusted);
    if !matches!(message.attr("type"), None | Some("chat" | "normal")) {
        // COMPAT(Prosody, 0.12): it passes types that do not exist, which count as normal (RFC 6121 §5.2.2).
        stanza::set(&mut copy, "type", "normal");
    }
    stanza::set(&mut copy, "from", from);
    stanza::set(&mut copy, "to", recipient.as_str());
    if let Some(reply) = copy.get_child_mut("reply", ns::REPLY)
        && let Some(author) = reply.attr("to").and_then(|to| Jid::new(to).ok())
    {
        let seen_as = address::person(&author, component)
            .or_else(|| address::contact(&author.to_bare(), component));
        if let Some(seen_as) = seen_as {
            stanza::set(reply, "to", seen_as.as_str());
        }
    }
    copy
}

fn untrusted(child: &Element) -> bool {
    child.is("stanza-id", ns::STANZA_ID)
        || [ns::DELAY, ns::DELAY_LEGACY, ns::CARBONS, ns::FORWARD, ns::PRIVILEGE, ns::NOTICE]
            .iter()
            .any(|namespace| child.has_ns(*namespace))
}

/// The messages passed on of late.
#[derive(Debug, Default)]
pub struct Forwards {
    kept: VecDeque<Forward>,
    bytes: usize,
    ping: Option<String>,
}

/// A message passed on.
#[derive(Debug)]
pub struct Forward {
    /// Who it went to.
    pub recipient: BareJid,
    /// The gateway address it went out from.
    pub from: BareJid,
    /// The message as it came.
    pub original: Element,
    phase: Phase,
    bytes: usize,
}

/// How sure it is that the server has the copy.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Sent,
    /// A ping went after it.
    Pinged,
    /// The ping came back; it may still bounce until then.
    Read(Instant),
}

impl Forwards {
    /// Whether one more can be remembered; without that, nothing may be passed on.
    pub fn has_room(&self, now: Instant) -> bool {
        let held_up = self.kept.iter().filter(|it| !it.is_over(now)).count();
        held_up < FORWARDS_MAX && self.bytes < BYTES_MAX
    }

    /// Remembers a message that goes out now.
    ///
    /// Contract: `original` bears an `id`, by which its bounce is known.
    pub fn keep(&mut self, from: BareJid, recipient: BareJid, original: Element, now: Instant) {
        self.forget_old(now);
        let bytes = stanza::to_xml(&original).len();
        self.bytes += bytes;
        self.kept.push_back(Forward { recipient, from, original, phase: Phase::Sent, bytes });
    }

    /// Whether a ping is due, to learn whether the server has read what went out; it then bears `id`.
    pub fn pings(&mut self, id: &str) -> bool {
        let due = self.ping.is_none() && self.kept.iter().any(|it| it.phase == Phase::Sent);
        if due {
            self.ping = Some(id.to_owned());
            for forward in &mut self.kept {
                if forward.phase == Phase::Sent {
                    forward.phase = Phase::Pinged;
                }
            }
        }
        due
    }

    /// Takes the answer to a ping; `false` if it answers another.
    pub fn pong(&mut self, id: &str, now: Instant) -> bool {
        if self.ping.as_deref() != Some(id) {
            return false;
        }
        self.ping = None;
        for forward in &mut self.kept {
            if forward.phase == Phase::Pinged {
                forward.phase = Phase::Read(now + BOUNCES_WITHIN);
            }
        }
        self.forget_old(now);
        true
    }

    /// The message that this bounce is about, now forgotten here.
    pub fn bounced(&mut self, id: &str, recipient: &BareJid, from: &BareJid) -> Option<Forward> {
        let is_it = |it: &Forward| {
            it.original.attr("id") == Some(id) && it.recipient == *recipient && it.from == *from
        };
        let at = self.kept.iter().position(is_it)?;
        let forward = self.kept.remove(at)?;
        self.bytes -= forward.bytes;
        Some(forward)
    }

    /// The link is lost: gives what the server may never have read, in the order it came.
    pub fn lost(&mut self) -> Vec<Forward> {
        self.ping = None;
        self.bytes = 0;
        self.kept.drain(..).filter(|it| !matches!(it.phase, Phase::Read(_))).collect()
    }

    fn forget_old(&mut self, now: Instant) {
        while self.kept.front().is_some_and(|oldest| oldest.is_over(now)) {
            let Some(oldest) = self.kept.pop_front() else { unreachable!("it was just looked at") };
            self.bytes -= oldest.bytes;
        }
    }
}

impl Forward {
    fn is_over(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Read(until) if until <= now)
    }
}

const FORWARDS_MAX: usize = 1000;
const BYTES_MAX: usize = 16 * 1024 * 1024;
const BOUNCES_WITHIN: Duration = Duration::from_secs(60);
