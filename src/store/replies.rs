//! Stanzas that are owed: written in the transaction that makes them due, kept until they are known to have arrived.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::columns::{Columns, ms};
use super::messages::message;
use super::reply_columns::{ReplyColumns, content};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::holding::Happened;
use crate::notification::{Lines, MessageId, Owed, Reply, ReplyId, Status, ZoneOf};

impl Store {
    /// Up to `limit` stanzas that are owed, also those that came back and wait for their next try: news first, then what is
    /// owed to many at once, each in the order in which they became owed. A status that is not true any more is worded anew at
    /// its place.
    ///
    /// Contract: they are given again until they are marked as sent, with the same `id`s.
    pub async fn owed(&self, limit: usize) -> Result<Vec<Owed>, StoreError> {
        let room = OwedRoom { limit, bulk: true, on_their_way: BTreeSet::new() };
        Ok(self.ask(move |transaction| transaction.owed(&room, Timestamp::MAX)).await?.stanzas)
    }

    /// The server has these.
    pub async fn mark_sent(
        &self,
        replies: &[ReplyId],
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let replies = replies.to_vec();
        self.ask_at(now, move |transaction, now| transaction.mark_sent(&replies, now)).await
    }
}

/// Which of the owed stanzas are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedRoom {
    /// How many at most.
    pub limit: usize,
    /// Also those that are owed to many at once.
    pub bulk: bool,
    /// But for these, of which it is known that they were sent.
    pub on_their_way: BTreeSet<ReplyId>,
}

/// Stanzas that are owed, in the order in which they are to go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwedStanzas {
    /// The stanzas.
    pub stanzas: Vec<Owed>,
    /// Some of them are owed to many at once.
    pub has_bulk: bool,
    /// There was no room for all that may be sent.
    pub more: bool,
    /// When the next of those that wait for their time may go.
    pub next: Option<Duration>,
}

impl Transaction<'_> {
    /// Writes down that a stanza is owed. A newer status takes the place of older ones that never left.
    // Long: each kind of reply has its way into the one table.
    pub(super) fn owe(
        &mut self,
        id: MessageId,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Reply::Status(status) = reply
            && !status.is_for_programs()
            && self.is_from_program(id)?
        {
            return Ok(());
        }
        let reply = &match reply {
            Reply::Status(status) => Reply::Status(self.as_told(id, *status)?),
            other => other.clone(),
        };
        let columns = ReplyColumns::from(reply);
        if !self.in_bulk {
            // What is told of a message keeps its order.
            let sql = "UPDATE replies SET bulk = 0 WHERE message = ? AND sent IS NULL AND bulk = 1";
            self.conn.prepare_cached(sql)?.execute([id.0])?;
        }
        let mut place =
            StatusPlace { message: id, stanza_id: String::new(), replaces: None, due: None };
        match reply {
            Reply::Delivery if self.is_under_way(id)? => {
                self.wake_outbox = true;
                return Ok(());
            }
            Reply::Delivery if self.ends_stream(id)? => {
                return self.happen(id, Happened::Returned { goes_again: false }, now);
            }
            Reply::Status(Status::NotTaken) if self.is_last_told(id, &columns)? => return Ok(()),
            Reply::Status(status) => match self.place_status(id, *status, now)? {
                Some(found) => place = found,
                None => return Ok(()),
            },
            _ => place.stanza_id = self.seed.token(),
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO replies (message, stanza_id, content, status, call_at, why, outcome, key, words, owed, bulk,
                 replaces, due)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            place.message.0,
            place.stanza_id,
            columns.content,
            columns.status,
            columns.call_at,
            columns.why,
            columns.outcome,
            columns.key,
            columns.words,
            ms(now),
            self.in_bulk,
            place.replaces,
            place.due,
        ])?;
        drop(insert);
        if matches!(reply, Reply::Status(_) | Reply::Answer(_)) {
            self.overtake(place.message, now)?;
        }
        self.wake_outbox = true;
        self.note(id, now, &columns.told())
    }

    fn is_from_program(&self, id: MessageId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM messages WHERE id = ? AND from_program = 1";
        Ok(self.conn.prepare_cached(sql)?.exists([id.0])?)
    }

    /// Tells which `id` a newer status bears, where the way for it is clear: that of the status message if nothing of it
    /// has been said, which the reader knows it by from then on.
    pub(super) fn status_stanza_id(&mut self, id: MessageId) -> Result<String, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT status_stanza_id FROM messages WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM replies WHERE stanza_id = status_stanza_id)",
        )?;
        let mut unused = find.query([id.0])?;
        match unused.next()? {
            Some(row) => Ok(row.get(0)?),
            None => Ok(self.seed.token()),
        }
    }

    /// What is owed at `due`. What is owed to many at once gets the room that is left by all else, and a quarter of it in
    /// any case.
    pub(super) fn owed(&self, room: &OwedRoom, due: Timestamp) -> Result<OwedStanzas, StoreError> {
        loop {
            let found = self.readable_of_owed(room, due)?;
            // Each turn leaves out what the one before could not read.
            if !found.stanzas.is_empty() || !found.more || room.limit == 0 {
                return Ok(found);
            }
        }
    }

    fn readable_of_owed(&self, room: &OwedRoom, due: Timestamp) -> Result<OwedStanzas, StoreError> {
        let limit = room.limit;
        let mut bulk = if room.bulk { self.owed_ids(true, room, due)? } else { vec![] };
        let mut ids = self.owed_ids(false, room, due)?;
        let all = ids.len() + bulk.len();
        ids.truncate(limit - bulk.len().min(limit / 4));
        let news = ids.len();
        bulk.truncate(limit - news);
        ids.append(&mut bulk);
        let mut found = OwedStanzas { has_bulk: ids.len() > news, ..Default::default() };
        for id in &ids {
            match self.owed_stanza(*id) {
                Err(error) if error.is_unreadable_row() => self.skip_reply(*id, &error)?,
                reply => found.stanzas.extend(reply?),
            }
        }
        // There may be others behind those that cannot be read.
        found.more = all > ids.len() || found.stanzas.len() < ids.len();
        found.next = self.next_due_reply(due)?;
        let mut hand = self.conn.prepare_cached("INSERT OR IGNORE INTO handed VALUES (?)")?;
        for reply in &found.stanzas {
            self.changed_temporary(hand.execute([reply.id.0])?);
        }
        Ok(found)
    }

    /// How long until another stanza may go.
    fn next_due_reply(&self, now: Timestamp) -> Result<Option<Duration>, StoreError> {
        let now = self.ahead.counted(now);
        let sql = "SELECT min(due) FROM replies WHERE sent IS NULL AND due > ?";
        let next: Option<i64> =
            self.conn.prepare_cached(sql)?.query_row([now], |row| row.get(0))?;
        Ok(next.map(|at| Duration::from_millis(at.saturating_sub(now).unsigned_abs())))
    }

    /// Of one kind, one more than there is room for.
    fn owed_ids(
        &self,
        bulk: bool,
        room: &OwedRoom,
        due: Timestamp,
    ) -> Result<Vec<ReplyId>, StoreError> {
        let mut find = self.conn.prepare_cached(OWED_IDS)?;
        let found =
            find.query_map(params![bulk, self.ahead.counted(due)], |row| row.get(0).map(ReplyId))?;
        let left = |id: &rusqlite::Result<ReplyId>| {
            id.as_ref().map_or(true, |id| !room.on_their_way.contains(id))
        };
        Ok(found.filter(left).take(room.limit + 1).collect::<Result<_, _>>()?)
    }

    fn owed_stanza(&self, id: ReplyId) -> Result<Option<Owed>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT replies.id AS reply, replies.stanza_id AS reply_stanza_id, content, status, call_at, owed,
                 replies.replaces AS corrected_stanza_id,
                 why, outcome, key, words, news, length_ms, cut, url, file_name, media_type, octets, transcript,
                 note_stanza_id, messages.*
             FROM replies JOIN messages ON messages.id = replies.message
                 LEFT JOIN recordings ON recordings.id = recording
             WHERE replies.id = ?",
        )?;
        let mut rows = find.query([id.0])?;
        rows.next()?.map(|row| self.read_owed(row)).transpose()
    }

    fn read_owed(&self, row: &Row<'_>) -> Result<Owed, StoreError> {
        let mut message = message(row)?;
        let content = content(row, message.id)?;
        let forms_lost: u32 = row.get("ends_stream")?;
        if forms_lost > 0 {
            message.draft.stanza.clear();
        }
        if forms_lost > 1 && content.is_for_sender() {
            // A quotation would end the stream like the message itself.
            message.draft.body.clear();
        }
        let recipient = &message.draft.recipient;
        let callee = self.subscriber(recipient)?;
        let node = || recipient.node().map_or_else(|| recipient.to_string(), |n| n.to_string());
        let callee_name = callee.as_ref().map_or_else(node, |callee| callee.name.clone());
        let to_sender = content.is_for_sender();
        let callees_zone = callee.as_ref().and_then(|callee| callee.time_zone.clone());
        let reader =
            if to_sender { self.subscriber(&message.draft.sender.to_bare())? } else { callee };
        let (own_language, own_zone) =
            reader.map(|reader| (reader.language, reader.time_zone)).unwrap_or_default();
        let lines = match content {
            Reply::Status(status) => self.lines(message.id, status)?,
            _ => Lines::ONE,
        };
        let written_in = message.draft.language.clone().filter(|_| to_sender);
        Ok(Owed {
            id: ReplyId(row.get("reply")?),
            stanza_id: row.get("reply_stanza_id")?,
            callee_name,
            language: own_language.or(written_in),
            zone_of: if own_zone.is_some() { ZoneOf::Reader } else { ZoneOf::Recipient },
            zone: own_zone.or(callees_zone).unwrap_or_else(|| self.policy.zone.clone()),
            since: row.time("owed")?,
            replaces: row.get("corrected_stanza_id")?,
            lines,
            content,
            message,
        })
    }

    pub(super) fn mark_sent(&self, replies: &[ReplyId], now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE replies SET sent = ? WHERE id = ? AND sent IS NULL RETURNING message, stanza_id";
        let mut mark = self.conn.prepare_cached(sql)?;
        let mut forget = self.conn.prepare_cached("DELETE FROM handed WHERE reply = ?")?;
        for reply in replies {
            let mut rows = mark.query(params![ms(now), reply.0])?;
            if let Some(row) = rows.next()? {
                let stanza_id: String = row.get(1)?;
                self.note(MessageId(row.get(0)?), now, &format!("sent: stanza {stanza_id}"))?;
            }
            self.changed_temporary(forget.execute([reply.0])?);
        }
        Ok(())
    }
}

/// Of one kind, in the order in which they became owed. Those that cannot be read are left out.
pub(super) const OWED_IDS: &str =
    "SELECT id FROM replies WHERE sent IS NULL AND bulk = ? AND (due IS NULL OR due <= ?)
    AND id NOT IN (SELECT reply FROM unreadable) ORDER BY id";

/// Where a status stands.
pub(super) struct StatusPlace {
    /// The message to which it belongs.
    pub(super) message: MessageId,
    pub(super) stanza_id: String,
    /// The `id` of the stanza that it corrects.
    pub(super) replaces: Option<String>,
    /// Not before, in counted time.
    pub(super) due: Option<i64>,
}
