//! Stanzas that have left and are not settled: an error may still come for them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use minidom::Element;
use xmpp_parsers::jid::BareJid;

use crate::notification::ReplyId;
use crate::notification::returned::Returned;
use crate::xmpp::gateway::Bounce;
use crate::xmpp::stanza;

/// Where each stanza is on its way from its batch to its settlement.
///
/// Contract: a row is in here from its batch on until it is settled in the store, or owed again.
#[derive(Debug, Default)]
pub(super) struct SentStanzas {
    rows: BTreeMap<ReplyId, Sent>,
    /// By what an error names: in most cases one.
    by_key: BTreeMap<Key, Vec<ReplyId>>,
    /// Marked rows, by the end of their grace.
    grace: BTreeSet<(Instant, ReplyId)>,
    /// All others: the store may still show them as owed.
    unmarked: BTreeSet<ReplyId>,
    /// How often a row went again because its stream was lost in its grace.
    copies: BTreeMap<ReplyId, u32>,
}

#[derive(Debug)]
struct Sent {
    key: Key,
    is_delivery: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The pong of its batch is waited for.
    InBatch,
    /// The server has it, and the store does not know that yet. What comes meanwhile waits.
    Ponged { returned: Option<Returned>, stream_lost: bool },
    /// An error may come until then.
    Grace(Instant),
    /// The store is asked to settle it, or to take it back.
    InStore,
}

impl Phase {
    fn lose_stream(&mut self) {
        if let Self::Ponged { stream_lost, .. } = self {
            *stream_lost = true;
        }
    }
}

/// What has happened to rows before they were marked.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) came_back: Vec<(ReplyId, Returned)>,
    pub(super) stream_lost: Vec<ReplyId>,
}

/// What an error for a stanza names: its `id`, whom it went to, and from which address.
type Key = (String, Option<BareJid>, Option<BareJid>);

impl SentStanzas {
    pub(super) fn insert(&mut self, id: ReplyId, stanza: &Element, is_delivery: bool) {
        let bare = |jid: Option<xmpp_parsers::jid::Jid>| jid.map(|jid| jid.to_bare());
        let name = stanza.attr("id").unwrap_or_default().to_owned();
        let key = (name, bare(stanza::to(stanza)), bare(stanza::from(stanza)));
        self.by_key.entry(key.clone()).or_default().push(id);
        self.unmarked.insert(id);
        self.rows.insert(id, Sent { key, is_delivery, phase: Phase::InBatch });
    }

    pub(super) fn contains(&self, id: ReplyId) -> bool {
        self.rows.contains_key(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows that the store may still show as owed.
    pub(super) fn unmarked(&self) -> &BTreeSet<ReplyId> {
        &self.unmarked
    }

    pub(super) fn ponged(&mut self, ids: &[ReplyId]) {
        for id in ids {
            if let Some(sent) = self.rows.get_mut(id) {
                sent.phase = Phase::Ponged { returned: None, stream_lost: false };
            }
        }
    }

    /// The store has marked these: their grace begins. Gives those that came back meanwhile, and those whose stream was
    /// lost meanwhile.
    pub(super) fn marked(&mut self, ids: &[ReplyId], now: Instant) -> Marked {
        let mut marked = Marked::default();
        for id in ids {
            let Some(sent) = self.rows.get_mut(id) else { continue };
            let Phase::Ponged { returned, stream_lost } = &mut sent.phase else { continue };
            let (returned, stream_lost) = (returned.take(), *stream_lost);
            sent.phase = Phase::InStore;
            match returned {
                Some(returned) => marked.came_back.push((*id, returned)),
                None if stream_lost => marked.stream_lost.push(*id),
                None => {
                    sent.phase = Phase::Grace(now + GRACE);
                    self.grace.insert((now + GRACE, *id));
                    self.unmarked.remove(id);
                }
            }
        }
        marked
    }

    /// The stanza that an error is for, and whether it was a held message.
    pub(super) fn find(&self, bounce: &Bounce) -> Option<(ReplyId, bool)> {
        let key = (bounce.id.clone(), Some(bounce.to.clone()), Some(bounce.from.clone()));
        let known = |id: &ReplyId| {
            let sent = self.rows.get(id)?;
            let awaited = match &sent.phase {
                Phase::InBatch | Phase::Grace(_) => true,
                Phase::Ponged { returned, .. } => returned.is_none(),
                Phase::InStore => false,
            };
            awaited.then_some((*id, sent.is_delivery))
        };
        self.by_key.get(&key)?.iter().find_map(known)
    }

    /// A stanza came back. Tells whether the store can be told now; else it is when the row is marked.
    pub(super) fn came_back(&mut self, id: ReplyId, returned: Returned) -> Option<Returned> {
        let sent = self.rows.get_mut(&id)?;
        match &mut sent.phase {
            Phase::Ponged { returned: waits, .. } => {
                *waits = Some(returned);
                return None;
            }
            Phase::Grace(until) => {
                self.grace.remove(&(*until, id));
                self.unmarked.insert(id);
            }
            Phase::InBatch | Phase::InStore => {}
        }
        sent.phase = Phase::InStore;
        Some(returned)
    }

    /// It is settled, or owed again.
    pub(super) fn remove(&mut self, id: ReplyId) {
        let Some(Sent { key, phase, .. }) = self.rows.remove(&id) else { return };
        self.unmarked.remove(&id);
        if let Phase::Grace(until) = phase {
            self.grace.remove(&(until, id));
        }
        if let Some(ids) = self.by_key.get_mut(&key) {
            ids.retain(|it| *it != id);
            if ids.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// A new stream: what came back while there was none is lost. Gives the rows that are to be owed again; one that
    /// went so often already only waits once more.
    pub(super) fn stream_lost(&mut self, now: Instant) -> Vec<ReplyId> {
        let mut again = vec![];
        self.grace.clear();
        for (id, sent) in &mut self.rows {
            let phase = match &sent.phase {
                Phase::Grace(_) => &mut sent.phase,
                Phase::Ponged { stream_lost: false, .. } => {
                    sent.phase.lose_stream();
                    continue;
                }
                Phase::InBatch | Phase::Ponged { .. } | Phase::InStore => continue,
            };
            let copies = self.copies.entry(*id).or_default();
            if *copies < COPIES_MAX {
                *copies += 1;
                *phase = Phase::InStore;
                self.unmarked.insert(*id);
                again.push(*id);
            } else {
                *phase = Phase::Grace(now + GRACE);
                self.grace.insert((now + GRACE, *id));
            }
        }
        again
    }

    /// It is settled: nothing is remembered of it.
    pub(super) fn settled(&mut self, id: ReplyId) {
        self.copies.remove(&id);
        self.remove(id);
    }

    /// Up to `limit` rows for which no error came in time.
    pub(super) fn settle(&mut self, now: Instant, limit: usize) -> Vec<ReplyId> {
        let mut arrived = vec![];
        while arrived.len() < limit
            && let Some((until, id)) = self.grace.first().copied()
            && until <= now
        {
            self.grace.pop_first();
            self.unmarked.insert(id);
            if let Some(sent) = self.rows.get_mut(&id) {
                sent.phase = Phase::InStore;
                arrived.push(id);
            }
        }
        arrived
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.grace.first().map(|(until, _)| *until)
    }
}

/// A stream that is lost again and again does not multiply what was sent without end.
const COPIES_MAX: u32 = 2;
/// An error of a server far away comes within it.
pub(super) const GRACE: Duration = Duration::from_secs(60);
