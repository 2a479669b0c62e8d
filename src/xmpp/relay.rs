//! Messages passed on between two people, and remembered until the server has confirmed them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::xmpp::{address, ns, stanza};

/// Makes the copy of a message that goes to `recipient`, as if it came from the sender's gateway address.
///
/// Contract: elements that only a server may add are left out; everything else stays, `id` and thread too.
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
        let is_address = author.domain().as_str() == component;
        let seen_as = match address::person(&author, component) {
            // The short address of the one who reads it.
            None if is_address => Some(recipient.clone()),
            None => address::contact(&author.to_bare(), component),
            person => person,
        };
        if let Some(seen_as) = seen_as {
            stanza::set(reply, "to", seen_as.as_str());
        }
    }
    copy
}

fn untrusted(child: &Element) -> bool {
    child.is("stanza-id", ns::STANZA_ID)
        || [ns::DELAY, ns::DELAY_LEGACY, ns::CARBONS, ns::FORWARD, ns::NOTICE]
            .iter()
            .chain(&ns::PRIVILEGES)
            .any(|namespace| child.has_ns(*namespace))
}

/// The messages passed on recently.
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

/// Whether the server has the copy.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Sent,
    /// A ping went after it.
    Pinged,
    /// The ping came back; a bounce may still come until then.
    Read(Instant),
}

impl Forwards {
    /// Whether one more message can be remembered; without that, none may be passed on.
    pub fn has_room(&self) -> bool {
        let unread = self.kept.iter().rev().take_while(|it| !it.is_read()).take(UNREAD_MAX);
        let (count, bytes) =
            unread.fold((0, 0), |(count, bytes), it| (count + 1, bytes + it.bytes));
        count < UNREAD_MAX && bytes < BYTES_MAX
    }

    /// Remembers a message that goes out now.
    ///
    /// Contract: `original` bears an `id`, by which its bounce is known.
    pub fn keep(&mut self, from: BareJid, recipient: BareJid, original: Element, now: Instant) {
        let bytes = stanza::to_xml(&original).len();
        self.bytes += bytes;
        self.kept.push_back(Forward { recipient, from, original, phase: Phase::Sent, bytes });
        self.forget_old(now);
    }

    /// Whether a ping with this `id` is to be sent now.
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

    /// Handles the answer to a ping; `false` if it is another ping's.
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

    /// Removes and gives the message that has bounced.
    pub fn bounced(&mut self, id: &str, recipient: &BareJid, from: &BareJid) -> Option<Forward> {
        let is_it = |it: &Forward| {
            it.original.attr("id") == Some(id) && it.recipient == *recipient && it.from == *from
        };
        let at = self.kept.iter().position(is_it)?;
        let forward = self.kept.remove(at)?;
        self.bytes -= forward.bytes;
        Some(forward)
    }

    /// The link is lost: the messages that the server may not have read, in their order.
    pub fn lost(&mut self) -> Vec<Forward> {
        self.ping = None;
        self.bytes = 0;
        self.kept.drain(..).filter(|it| !matches!(it.phase, Phase::Read(_))).collect()
    }

    /// Forgets messages that can hardly bounce any more, and without room also those that only might.
    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.kept.front() {
            let over = matches!(oldest.phase, Phase::Read(until) if until <= now);
            let pressed = self.kept.len() > KEPT_MAX || self.bytes > BYTES_MAX;
            if !(over || pressed && oldest.is_read()) {
                return;
            }
            self.bytes -= oldest.bytes;
            self.kept.pop_front();
        }
    }
}

impl Forward {
    fn is_read(&self) -> bool {
        matches!(self.phase, Phase::Read(_))
    }
}

/// Messages that the server may not have read. A server that reads so slowly is as good as down.
const UNREAD_MAX: usize = 1000;
/// Messages whose bounce would still be understood.
const KEPT_MAX: usize = 4000;
/// Of all messages, and of those that the server may not have read: these cannot be forgotten.
const BYTES_MAX: usize = 16 * 1024 * 1024;
const BOUNCES_WITHIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_says_only_what_its_sender_may_say() {
        let message: Element = "<message xmlns='jabber:component:accept' type='foo' id='m1' \
            from='alice@example.org/a' to='bob\\40example.org@phone.example.org'><body>Hello</body>\
            <thread>t1</thread><delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/>\
            <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='1'/>\
            <origin-id xmlns='urn:xmpp:sid:0' id='m1'/>\
            <reply xmlns='urn:xmpp:reply:0' to='bob\\40example.org@phone.example.org' id='b1'/></message>"
            .parse()
            .unwrap();
        let from = "alice\\40example.org@phone.example.org";
        let copy = readdressed(&message, from, &jid("bob@example.org"), "phone.example.org");
        assert_eq!(
            stanza::to_xml(&copy),
            "<message xmlns='jabber:component:accept' from='alice\\40example.org@phone.example.org' id='m1' \
             to='bob@example.org' type='normal'><body>Hello</body><thread>t1</thread>\
             <origin-id xmlns='urn:xmpp:sid:0' id='m1'/>\
             <reply xmlns='urn:xmpp:reply:0' id='b1' to='bob@example.org'/></message>"
        );
    }

    #[test]
    fn the_room_for_messages_is_bounded_and_given_back() {
        let (mut forwards, now) = (Forwards::default(), crate::clock::now());
        let pass = |forwards: &mut Forwards, now| {
            let message = stanza::stanza("message", &[("id", "m1")]);
            forwards.keep(jid("a@phone.example.org"), jid("bob@example.org"), message, now);
        };
        for _ in 0..UNREAD_MAX {
            assert!(forwards.has_room());
            pass(&mut forwards, now);
        }
        assert!(!forwards.has_room(), "the server reads nothing");
        for round in 0..10 {
            let ping = round.to_string();
            assert!(forwards.pings(&ping));
            assert!(!forwards.pings("another"), "one ping at a time");
            assert!(forwards.pong(&ping, now));
            assert!(forwards.has_room());
            for _ in 0..UNREAD_MAX {
                pass(&mut forwards, now);
            }
        }
        assert!(forwards.kept.len() <= KEPT_MAX + UNREAD_MAX);
        assert!(forwards.pings("last") && forwards.pong("last", now));
        pass(&mut forwards, now + BOUNCES_WITHIN);
        assert_eq!(forwards.kept.len(), 1);
        assert_eq!(forwards.bytes, forwards.kept[0].bytes);
    }

    #[test]
    fn large_messages_take_the_room_of_many() {
        let (mut forwards, now) = (Forwards::default(), crate::clock::now());
        let large = stanza::chat("a@example.org", "b@example.org", "m1", &"x".repeat(250_000));
        let mut passed = 0;
        while forwards.has_room() {
            forwards.keep(jid("a@phone.example.org"), jid("b@example.org"), large.clone(), now);
            passed += 1;
        }
        assert_eq!(passed, BYTES_MAX / 250_000 + 1);
    }

    fn jid(jid: &str) -> BareJid {
        BareJid::new(jid).unwrap()
    }
}
