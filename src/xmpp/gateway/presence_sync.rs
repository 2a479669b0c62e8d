//! When all presences are known after the link came up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use xmpp_parsers::jid::{BareJid, Jid};

/// The wait after the probes: first for the server to have read them, then for its answers, then for other servers'.
///
/// ejabberd does not answer the probe of a person who is offline, so that only a wait tells who is. Our own server
/// answers at once or not at all, so that a short wait is enough for its people. For another server the pong of ours
/// says nothing: each is sent a ping after its probes, and is waited for until it has answered that, or every probe.
///
/// A server that says nothing for [`SILENCE_MAX`] takes no message either: its people cannot be reached in chat
/// now, wherever they are, and the phone is what is left. They count as offline like those whom an error reports.
/// A presence that comes later ends a call that rings.
#[derive(Debug, Default)]
pub(super) struct PresenceSync {
    phase: Phase,
    /// The other servers that have not answered yet, by their domains.
    silent: BTreeMap<String, Silent>,
}

/// A server whose answer is awaited.
#[derive(Debug)]
struct Silent {
    /// The id of the ping that went after the probes.
    ping: String,
    /// Those whose probes are not answered.
    people: BTreeSet<BareJid>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The link is down.
    #[default]
    Down,
    /// The probes are on their way; the ping with this id went after them.
    Probing { ping: String, until: Instant },
    /// Our server has read the probes; it answers until `until`, and silent servers are waited for until `at_most`.
    Waiting { until: Instant, at_most: Instant },
    /// Everybody who has not been seen by now is offline.
    Settled,
}

impl PresenceSync {
    /// The probes are sent, and a ping with this id after them.
    pub(super) fn probing(&mut self, ping: String, now: Instant) {
        self.phase = Phase::Probing { ping, until: now + PONG_MAX };
    }

    /// These people of one other server are probed, and a ping with this id is sent to it after that.
    pub(super) fn await_server(&mut self, domain: String, ping: String, people: Vec<BareJid>) {
        let silent = self
            .silent
            .entry(domain)
            .or_insert(Silent { ping: String::new(), people: BTreeSet::new() });
        silent.ping = ping;
        silent.people.extend(people);
    }

    /// The link is lost.
    pub(super) fn link_down(&mut self) {
        *self = Self::default();
    }

    /// Handles the answer to the ping to ourselves; `false` if it is another ping's.
    pub(super) fn pong(&mut self, id: &str, now: Instant) -> bool {
        let is_it = matches!(&self.phase, Phase::Probing { ping, .. } if ping == id);
        if is_it {
            self.phase = Phase::Waiting { until: now + ANSWERS_WITHIN, at_most: now + SILENCE_MAX };
        }
        is_it
    }

    /// Handles the answer of another server to its ping, an error among them; `false` if it is none.
    pub(super) fn answered(&mut self, from: &Jid, id: &str, now: Instant) -> bool {
        let domain = from.domain().as_str();
        let is_host = from.node().is_none() && from.resource().is_none();
        if !is_host || self.silent.get(domain).is_none_or(|silent| silent.ping != id) {
            return false;
        }
        self.silent.remove(domain);
        // What it has to say of those who are there is on its way.
        if let Phase::Waiting { until, .. } = &mut self.phase {
            *until = (*until).max(now + ANSWERS_WITHIN);
        }
        true
    }

    /// The presence of this person is known.
    pub(super) fn known(&mut self, jid: &BareJid) {
        let domain = jid.domain().as_str();
        let Some(silent) = self.silent.get_mut(domain) else { return };
        silent.people.remove(jid);
        if silent.people.is_empty() {
            self.silent.remove(domain);
        }
    }

    /// Whether the link is up.
    pub(super) fn is_up(&self) -> bool {
        self.phase != Phase::Down
    }

    /// Whether all presences are known.
    pub(super) fn is_settled(&self) -> bool {
        self.phase == Phase::Settled
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Probing { until, .. } => Some(until),
            Phase::Waiting { until, .. } if self.silent.is_empty() => Some(until),
            Phase::Waiting { at_most, .. } => Some(at_most),
            Phase::Down | Phase::Settled => None,
        }
    }

    /// Whether the wait is over now; it is over once.
    pub(super) fn settles(&mut self, now: Instant) -> bool {
        let is_waiting = matches!(self.phase, Phase::Waiting { .. });
        let is_over = is_waiting && self.deadline().is_some_and(|until| until <= now);
        if is_over {
            self.phase = Phase::Settled;
            self.silent.clear();
        }
        is_over
    }

    /// Whether our own server has not answered the ping: nothing is known then, and the probes are sent again.
    pub(super) fn is_pong_missing(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Probing { until, .. } if until <= now)
    }
}

const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// So long another server is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// A server that takes longer has lost the ping.
const PONG_MAX: Duration = Duration::from_secs(60);
