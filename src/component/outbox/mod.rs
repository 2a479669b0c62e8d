//! Sends what is owed, and counts it as arrived when the server has it and no error came for it.

use std::collections::BTreeMap;
use std::mem;
use std::time::{Duration, Instant};

use super::events::{BatchId, Now, Outgoing, Timer};
use super::jobs::Effects;
use super::sent::SentStanzas;
use crate::notification::returned::{ReturnReason, Returned};
use crate::notification::{Reply, ReplyId};
use crate::store::{AfterReturn, OwedRoom, OwedStanzas, StoreJob};
use crate::xmpp::gateway::Bounce;
use crate::xmpp::privilege::Grants;
use crate::xmpp::{reply, stanza};

/// The way of a stanza that is owed: in a batch, answered for by a pong, marked in the store, settled there when no error
/// came for a minute. One that comes back is owed again, or held, as the store decides.
///
/// Contract: a batch belongs to a stream. While that stream stands its pong is waited for, however late; when the
///           stream is lost, what was not answered for goes again under the same `id`s, and so does what was not
///           settled, as an error may be lost with the stream. Else what was answered for is not sent again unless it
///           comes back, even while the store cannot mark it.
///           Stanzas over which the stream was lost twice go one by one, and one that was alone at two more losses is
///           set aside.
///           Several batches are on their way at once. What is owed to many at once never takes all of their places, so
///           that what one person waits for goes next.
#[derive(Debug)]
pub(super) struct Outbox {
    component: String,
    link_is_up: bool,
    /// Rows may be owed that no read has seen.
    wanted: bool,
    /// Whether a read is under way, and of what.
    reading: Option<Reading>,
    /// A read has left bulk out, for which there was no place.
    left_out: bool,
    /// After a failure, nothing is read before.
    not_before: Instant,
    /// When to look although nothing has become owed.
    idle_until: Instant,
    /// When something that came back goes again, at the earliest.
    again_at: Option<Instant>,
    batches: Vec<Batch>,
    next_batch: u64,
    sent: SentStanzas,
    /// The store settles what has arrived, a slice at a time.
    settling: bool,
    /// Rows that are to be owed again, as their stream was lost, and whether the store does that with a slice of them.
    unsettled: Vec<ReplyId>,
    owing_again: bool,
    /// How often the stream was lost soon after a row had left.
    losses: BTreeMap<ReplyId, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    All,
    /// Only what is not owed to many at once.
    NoBulk,
}

#[derive(Debug)]
struct Batch {
    id: BatchId,
    rows: Vec<ReplyId>,
    has_bulk: bool,
    left: Instant,
}

impl Outbox {
    pub(super) fn new(component: String, now: Now) -> Self {
        Self {
            component,
            link_is_up: false,
            wanted: true,
            reading: None,
            left_out: false,
            not_before: now.mono,
            idle_until: now.mono,
            again_at: None,
            batches: vec![],
            next_batch: 0,
            sent: SentStanzas::default(),
            settling: false,
            unsettled: vec![],
            owing_again: false,
            losses: BTreeMap::new(),
        }
    }

    pub(super) fn link(&mut self, is_up: bool, now: Now, effects: &mut Effects) {
        self.link_is_up = is_up;
        if is_up {
            (self.wanted, self.not_before) = (true, now.mono);
            let lost = self.sent.stream_lost(now.mono);
            self.owe_again(lost, now, effects);
        }
    }

    /// A stanza has become owed.
    pub(super) fn wake(&mut self) {
        self.wanted = true;
    }

    /// Settles what has arrived, and reads what is owed, if it is time and nothing is on its way.
    pub(super) fn step(&mut self, now: Now, effects: &mut Effects) {
        if self.link_is_up && !self.settling {
            let arrived = self.sent.settle(now.mono, SETTLED_AT_ONCE_MAX);
            if !arrived.is_empty() {
                self.settling = true;
                effects.store(StoreJob::SettleSent(arrived), now);
            }
        }
        if self.may_read() && self.read_at() <= now.mono {
            let bulk = self.batches.iter().filter(|batch| batch.has_bulk).count() < BULK_MAX;
            self.reading = Some(if bulk { Reading::All } else { Reading::NoBulk });
            self.wanted = false;
            self.idle_until = now.mono + IDLE;
            self.again_at = self.again_at.filter(|at| *at > now.mono);
            // They come again until they are marked.
            let on_their_way = self.sent.unmarked().clone();
            effects.store(StoreJob::Owed(OwedRoom { limit: BATCH, bulk, on_their_way }), now);
        }
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let read = self.may_read().then(|| (self.read_at(), Timer::Outbox));
        let grace = self.sent.deadline().filter(|_| self.link_is_up && !self.settling);
        let grace = grace.map(|at| (at, Timer::BounceGrace));
        [read, grace].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn may_read(&self) -> bool {
        let has_room = self.sent.len() < SENT_MAX;
        // While a server ends streams, one batch alone shows what it objects to.
        let at_once = if self.losses.is_empty() { BATCHES_MAX } else { 1 };
        let has_place = self.batches.len() < at_once;
        self.link_is_up && self.reading.is_none() && has_place && has_room
    }

    fn read_at(&self) -> Instant {
        if self.wanted {
            return self.not_before;
        }
        let next = self.again_at.map_or(self.idle_until, |at| at.min(self.idle_until));
        next.max(self.not_before)
    }

    /// What is owed has been read: `None` if the store failed. Gives the batch that is to go.
    pub(super) fn read(
        &mut self,
        owed: Option<OwedStanzas>,
        grants: &Grants,
        now: Now,
        effects: &mut Effects,
    ) -> Option<Outgoing> {
        let reading = self.reading.take();
        let Some(OwedStanzas { stanzas: mut owed, has_bulk, more, next }) = owed else {
            (self.wanted, self.not_before) = (true, now.mono + RETRY);
            return None;
        };
        self.wanted |= more;
        self.again_at = self.again_at.into_iter().chain(next.map(|it| now.mono + it)).min();
        self.left_out |= reading == Some(Reading::NoBulk);
        if owed.is_empty() && self.batches.is_empty() {
            self.losses.clear();
        }
        owed.retain(|row| !self.sent.contains(row.id));
        let together = owed.iter().take_while(|row| !self.is_suspect(row.id)).count();
        self.wanted |= owed.len() > together.max(1);
        owed.truncate(together.max(1));
        let (mut rows, mut stanzas) = (vec![], vec![]);
        for row in &owed {
            let stanza = reply::delivered(row, &self.component, grants);
            self.sent.insert(row.id, &stanza, row.content == Reply::Delivery);
            if stanza::may_be_sent(&stanza, &self.component) {
                rows.push(row.id);
                stanzas.push(stanza);
            } else {
                self.set_aside(row.id, now, effects);
            }
        }
        if rows.is_empty() {
            return None;
        }
        let id = BatchId(self.next_batch);
        self.next_batch += 1;
        self.batches.push(Batch { id, rows, has_bulk, left: now.mono });
        Some(Outgoing::Batch(id, stanzas))
    }

    /// The pong of a batch, or the loss of its stream.
    pub(super) fn batch(&mut self, id: BatchId, answered: bool, now: Now, effects: &mut Effects) {
        let Some(at) = self.batches.iter().position(|batch| batch.id == id) else { return };
        let batch = self.batches.remove(at);
        if batch.has_bulk {
            self.wanted |= mem::take(&mut self.left_out);
        }
        if answered {
            self.losses.retain(|row, _| !batch.rows.contains(row));
            self.sent.ponged(&batch.rows);
            if !batch.rows.is_empty() {
                effects.store(StoreJob::MarkSent(batch.rows), now);
            }
        } else {
            (self.wanted, self.not_before) = (true, now.mono + RETRY);
            self.lost(&batch, now, effects);
        }
    }

    fn lost(&mut self, batch: &Batch, now: Now, effects: &mut Effects) {
        // A server ends the stream over a stanza at once; one that only hangs blames none.
        let at_once = now.mono.duration_since(batch.left) < BLAMED_WITHIN;
        let alone = batch.rows.len() == 1;
        for row in &batch.rows {
            let losses = self.losses.entry(*row).or_default();
            // Among others it comes under suspicion and no further.
            let most = if alone { u32::MAX } else { LOST_TOGETHER_MAX };
            *losses = (*losses + u32::from(at_once)).min(most);
            if *losses >= LOST_TOGETHER_MAX + LOST_ALONE_MAX {
                // Another form of it may be taken; that, too, goes alone.
                *losses = LOST_TOGETHER_MAX;
                self.set_aside(*row, now, effects);
            } else {
                self.sent.remove(*row);
            }
        }
    }

    fn is_suspect(&self, row: ReplyId) -> bool {
        self.losses.get(&row).is_some_and(|losses| *losses >= LOST_TOGETHER_MAX)
    }

    /// The store has marked these, or never will.
    pub(super) fn marked(&mut self, rows: &[ReplyId], now: Now, effects: &mut Effects) {
        let marked = self.sent.marked(rows, now.mono);
        for (reply, returned) in marked.came_back {
            effects.store(StoreJob::Returned { reply, returned }, now);
        }
        self.owe_again(marked.stream_lost, now, effects);
    }

    /// Has the store owe these again, a slice at a time.
    fn owe_again(&mut self, rows: Vec<ReplyId>, now: Now, effects: &mut Effects) {
        self.unsettled.extend(rows);
        if !self.owing_again && !self.unsettled.is_empty() {
            self.owing_again = true;
            let rest = self.unsettled.split_off(self.unsettled.len().min(OWED_AGAIN_AT_ONCE_MAX));
            let slice = mem::replace(&mut self.unsettled, rest);
            effects.store(StoreJob::OweUnsettled(slice), now);
        }
    }

    /// The store owes these again.
    pub(super) fn owed_again(&mut self, rows: &[ReplyId], now: Now, effects: &mut Effects) {
        rows.iter().for_each(|row| self.sent.remove(*row));
        (self.wanted, self.owing_again) = (true, false);
        self.owe_again(vec![], now, effects);
    }

    /// The store has settled these.
    pub(super) fn settled(&mut self, rows: &[ReplyId]) {
        self.settling = false;
        rows.iter().for_each(|row| self.sent.settled(*row));
    }

    /// The stanza that an error is for, and whether it was a held message.
    pub(super) fn sent_as(&self, bounce: &Bounce) -> Option<(ReplyId, bool)> {
        self.sent.find(bounce)
    }

    /// A stanza came back.
    pub(super) fn came_back(
        &mut self,
        reply: ReplyId,
        returned: Returned,
        now: Now,
        effects: &mut Effects,
    ) {
        for batch in &mut self.batches {
            batch.rows.retain(|row| *row != reply);
        }
        if let Some(returned) = self.sent.came_back(reply, returned) {
            effects.store(StoreJob::Returned { reply, returned }, now);
        }
    }

    fn set_aside(&mut self, reply: ReplyId, now: Now, effects: &mut Effects) {
        let condition = "the server ends the stream over it".to_owned();
        let why = ReturnReason::EndsStream;
        let returned = Returned { why, is_temporary: false, may_ring: false, condition };
        self.came_back(reply, returned, now, effects);
    }

    /// The store has decided about a stanza that came back.
    pub(super) fn taken_back(&mut self, reply: ReplyId, after: AfterReturn, now: Now) {
        self.sent.settled(reply);
        if let AfterReturn::Again(pause) = after {
            let at = now.mono + pause;
            self.again_at = Some(self.again_at.map_or(at, |before| before.min(at)));
        }
    }

    /// Whether there is nothing left that could be sent now.
    pub(super) fn is_idle(&self) -> bool {
        !self.link_is_up
            || !self.wanted
                && !self.left_out
                && self.reading.is_none()
                && self.batches.is_empty()
                && self.sent.unmarked().is_empty()
    }
}

const BATCH: usize = 64;
/// Batches on their way at once.
const BATCHES_MAX: usize = 8;
/// Of these, batches with what is owed to many at once: as much as a server takes in a part of a second, which is how long
/// news then waits behind them.
const BULK_MAX: usize = 4;
/// Each slice keeps other operations waiting.
const SETTLED_AT_ONCE_MAX: usize = 100;
const OWED_AGAIN_AT_ONCE_MAX: usize = 500;
/// Stanzas that have left and are not settled. Beyond, what is owed waits.
const SENT_MAX: usize = 50_000;
const IDLE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(2);
/// After so many losses of their stream the stanzas of a batch go one by one.
const LOST_TOGETHER_MAX: u32 = 2;
/// One that was alone at so many losses is set aside.
const LOST_ALONE_MAX: u32 = 2;
/// The link gives up a stream whose server hangs only after this.
const BLAMED_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
