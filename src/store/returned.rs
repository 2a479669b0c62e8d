//! What the server has and nobody has settled yet: stanzas that arrive, and those that come back.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::columns::{Columns, ms};
use super::reply_columns::ReplyColumns;
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::holding::Happened;
use crate::notification::returned::{Kind, ReturnReason, Returned};
use crate::notification::{MessageId, ReplyId};

/// What has become of a stanza that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterReturn {
    /// It goes again after this pause.
    Again(Duration),
    /// It was a held message, and that stays held.
    Held,
    /// It is not sent again: the operator is told.
    GivenUp,
    /// It is not owed any more, or something newer was said since.
    Overtaken,
}

impl Store {
    /// No error came for these within the time in which one is to be expected: a message that was delivered so ends, and
    /// its sender reads that.
    pub async fn settle_sent(&self, replies: &[ReplyId], now: Timestamp) -> Result<(), StoreError> {
        let replies = replies.to_vec();
        self.ask_at(now, move |transaction, now| transaction.settle_sent(&replies, now)).await
    }

    /// Nobody could see whether these came back: they are owed again under the same `id`s, but for statuses that were
    /// overtaken.
    pub async fn owe_unsettled(
        &self,
        replies: &[ReplyId],
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let replies = replies.to_vec();
        self.ask_at(now, move |transaction, now| transaction.owe_unsettled(&replies, now)).await
    }

    /// A stanza came back. A status that was overtaken meanwhile is not sent again; a message stays held and is phoned
    /// about if it may be; anything else goes again after a growing pause, and in the end is given up.
    pub async fn returned(
        &self,
        reply: ReplyId,
        returned: Returned,
        now: impl Into<Moment>,
    ) -> Result<AfterReturn, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.returned(reply, &returned, now)).await
    }
}

impl Transaction<'_> {
    pub(super) fn settle_sent(
        &mut self,
        replies: &[ReplyId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.in_bulk(|it| replies.iter().try_for_each(|reply| it.settle_one(*reply, now)))
    }

    fn settle_one(&mut self, reply: ReplyId, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "UPDATE replies SET settled = ? WHERE id = ? AND sent IS NOT NULL AND settled IS NULL
                       RETURNING message, content = 'delivery', sent";
        let mut settle = self.conn.prepare_cached(sql)?;
        let settled = settle.query_row(params![ms(now), reply.0], |row| {
            Ok((MessageId(row.get(0)?), row.get::<_, bool>(1)?, row.time("sent")?))
        });
        if let Some((message, true, sent)) = settled.optional()? {
            drop(settle);
            // What its sender reads is when the server took it, not when that was certain.
            self.happen(message, Happened::Arrived, sent)?;
            self.close_if_empty(message, now)?;
        }
        Ok(())
    }

    pub(super) fn returned(
        &mut self,
        reply: ReplyId,
        returned: &Returned,
        now: Timestamp,
    ) -> Result<AfterReturn, StoreError> {
        let Some(row) = self.sent_row(reply)? else { return Ok(AfterReturn::Overtaken) };
        let SentRow { message, ref stanza_id, before, kind, is_overtaken, is_first_return } = row;
        let Returned { why, condition, .. } = returned;
        self.note(message, now, &format!("came back: stanza {stanza_id}, {condition}"))?;
        let pause = returned.pause(kind, before).filter(|_| !is_overtaken);
        let is_delivery = matches!(kind, Kind::Delivery { .. });
        if is_delivery && *why == ReturnReason::EndsStream {
            let sql = "UPDATE messages SET ends_stream = ends_stream + 1 WHERE id = ? AND ends_stream < 2";
            self.conn.prepare_cached(sql)?.execute([message.0])?;
        }
        match pause {
            Some(pause) => {
                let due = self.ahead.counted(now.checked_add(pause).unwrap_or(Timestamp::MAX));
                let sql =
                    "UPDATE replies SET sent = NULL, due = ?, returns = returns + ? WHERE id = ?";
                let counts = *why != ReturnReason::PrivilegeGone;
                self.conn.prepare_cached(sql)?.execute(params![due, counts, reply.0])?;
                self.wake_outbox |= pause.is_zero();
            }
            None if is_delivery => {
                self.conn.prepare_cached("DELETE FROM replies WHERE id = ?")?.execute([reply.0])?;
            }
            None => self.settle_unsent("id = ?2", reply.0, now)?,
        }
        // A delivery that goes again at once is still on its way.
        if is_delivery && is_first_return && pause != Some(Duration::ZERO) {
            self.held_again(message, returned, pause.is_some(), now)?;
        }
        Ok(match pause {
            Some(pause) => AfterReturn::Again(pause),
            None if is_delivery => AfterReturn::Held,
            None if is_overtaken => AfterReturn::Overtaken,
            None => {
                self.note(message, now, "given up: it came back too often")?;
                AfterReturn::GivenUp
            }
        })
    }

    /// The delivery of a message came back: it is held as before, and phoned about unless that may not be.
    fn held_again(
        &mut self,
        message: MessageId,
        returned: &Returned,
        goes_again: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if returned.why == ReturnReason::Refused {
            self.happen(message, Happened::Declined, now)?;
        }
        self.happen(message, Happened::Returned { goes_again }, now)?;
        let sql = "SELECT from_program FROM waiting_messages WHERE id = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let waits = find.query_row([message.0], |row| row.get(0)).optional()?;
        drop(find);
        if let (true, Some(is_program)) = (returned.may_ring, waits) {
            let message = self.message(message)?;
            self.plan_call(message, is_program, now, 0)?;
        }
        Ok(())
    }

    /// Whether the delivery of a message is owed or on its way. One that waits for its next try is not put off longer.
    pub(super) fn is_under_way(&self, message: MessageId) -> Result<bool, StoreError> {
        let sql = "UPDATE replies SET due = NULL WHERE message = ? AND content = 'delivery' AND settled IS NULL";
        Ok(self.conn.prepare_cached(sql)?.execute([message.0])? > 0)
    }

    /// Whether the server has ended the stream over all forms of this message.
    pub(super) fn ends_stream(&self, message: MessageId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM messages WHERE id = ? AND ends_stream = 2";
        Ok(self.conn.prepare_cached(sql)?.exists([message.0])?)
    }

    /// Whether the sender has read this status as the last one.
    pub(super) fn is_last_told(
        &self,
        message: MessageId,
        columns: &ReplyColumns<'_>,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT status IS ?2 FROM replies WHERE message = ?1 AND content = 'status' ORDER BY id DESC LIMIT 1";
        let mut find = self.conn.prepare_cached(sql)?;
        let last = find.query_row(params![message.0, columns.status], |row| row.get(0));
        Ok(last.optional()?.unwrap_or(false))
    }

    /// Something newer is owed to the sender of a message: a status that came back is not sent again.
    pub(super) fn overtake(&self, message: MessageId, now: Timestamp) -> Result<(), StoreError> {
        self.settle_unsent(
            "message = ?2 AND content = 'status' AND sent IS NULL AND returns > 0
                 AND id < (SELECT max(id) FROM replies WHERE message = ?2)",
            message.0,
            now,
        )
    }

    fn settle_unsent(&self, which: &str, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE replies SET sent = coalesce(sent, ?1), settled = ?1, due = NULL WHERE {which}"
        );
        self.conn.prepare_cached(&sql)?.execute(params![ms(now), id])?;
        Ok(())
    }

    /// Nobody was there to see what came back after an earlier run.
    pub(super) fn owe_all_unsettled(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let overtaken = format!(
            "UPDATE replies SET settled = ? WHERE sent IS NOT NULL AND settled IS NULL AND {IS_OVERTAKEN}"
        );
        self.conn.execute(&overtaken, [ms(now)])?;
        let hand = "INSERT OR IGNORE INTO handed
                        SELECT id FROM replies WHERE sent IS NOT NULL AND settled IS NULL";
        self.changed_temporary(self.conn.execute(hand, [])?);
        let owe =
            "UPDATE replies SET sent = NULL, due = NULL WHERE sent IS NOT NULL AND settled IS NULL";
        self.wake_outbox |= self.conn.execute(owe, [])? > 0;
        Ok(())
    }

    pub(super) fn owe_unsettled(
        &mut self,
        replies: &[ReplyId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut settle = self.conn.prepare_cached(&format!(
            "UPDATE replies SET settled = ? WHERE id = ? AND sent IS NOT NULL AND settled IS NULL AND {IS_OVERTAKEN}"
        ))?;
        let mut owe = self.conn.prepare_cached(
            "UPDATE replies SET sent = NULL, due = NULL WHERE id = ? AND sent IS NOT NULL AND settled IS NULL",
        )?;
        // What may have been read under that `id` is not worded anew.
        let mut hand = self.conn.prepare_cached("INSERT OR IGNORE INTO handed VALUES (?)")?;
        for reply in replies {
            settle.execute(params![ms(now), reply.0])?;
            if owe.execute([reply.0])? > 0 {
                self.changed_temporary(hand.execute([reply.0])?);
                self.wake_outbox = true;
            }
        }
        Ok(())
    }

    /// A stanza that is not settled.
    fn sent_row(&self, reply: ReplyId) -> Result<Option<SentRow>, StoreError> {
        let mut find = self.conn.prepare_cached(&format!(
            "SELECT message, replies.stanza_id, returns, content = 'delivery', ends_stream > 0, {IS_OVERTAKEN},
                 delivering IS NOT NULL
             FROM replies JOIN messages ON messages.id = message
             WHERE replies.id = ? AND settled IS NULL"
        ))?;
        let found = find.query_row([reply.0], |row| {
            let is_delivery: bool = row.get(3)?;
            let as_text = row.get(4)?;
            Ok(SentRow {
                message: MessageId(row.get(0)?),
                stanza_id: row.get(1)?,
                before: row.get(2)?,
                kind: if is_delivery { Kind::Delivery { as_text } } else { Kind::News },
                is_overtaken: row.get(5)?,
                is_first_return: row.get(6)?,
            })
        });
        Ok(found.optional()?)
    }
}

struct SentRow {
    message: MessageId,
    stanza_id: String,
    /// How often it came back before.
    before: u32,
    kind: Kind,
    is_overtaken: bool,
    /// The message counted as on its way until now.
    is_first_return: bool,
}

/// A status after which something newer was said to the sender.
const IS_OVERTAKEN: &str = "(content = 'status' AND EXISTS (
    SELECT 1 FROM replies AS later WHERE later.message = replies.message AND later.id > replies.id
        AND later.content IN ('status', 'answer', 'voice')))";
