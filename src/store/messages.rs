//! Held messages: heard, answered, passed over, delivered.

use jiff::Timestamp;
use rusqlite::{Row, params};
use xmpp_parsers::jid::BareJid;

use super::columns::{ColumnValue, Columns, ms};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::holding::{Happened, Holding, HoldingEnd, MessageTraits};
use crate::notification::lifecycle::{LifecycleEvent, Notification, State};
use crate::notification::{
    Answer, AttemptId, Circumstances, CorrectionChain, Draft, Message, MessageId,
};

impl Store {
    /// A message was heard to its end. No later call reads it again.
    ///
    /// Errors: [`StoreError::NotInCall`].
    pub async fn spoken(
        &self,
        attempt: AttemptId,
        message: MessageId,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.spoken(attempt, message, now)).await
    }

    /// The callee was told of a message but did not listen to it. No later call is about it, and its sender reads that.
    pub async fn passed(
        &self,
        message: MessageId,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| {
            transaction.happen(message, Happened::Passed, now).map(drop)
        })
        .await
    }

    /// The callee's answer to a message, and the reply owed for it, in one transaction. After `Ok` the callee may be thanked.
    ///
    /// Contract: the first answer to a message counts; asking again is harmless.
    /// Errors:   [`StoreError::NotInCall`].
    pub async fn commit_answer(
        &self,
        attempt: AttemptId,
        answer: Answer,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.commit_answer(attempt, answer, now))
            .await
    }
}

impl Transaction<'_> {
    pub(super) fn message(&self, id: MessageId) -> Result<Message, StoreError> {
        let mut find = self.conn.prepare_cached("SELECT * FROM messages WHERE id = ?")?;
        Ok(find.query_row([id.0], message)?)
    }

    /// Hands an event to a message, saves what has become of it, and writes down what is owed.
    pub(super) fn happen(
        &mut self,
        id: MessageId,
        happened: Happened,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT heard, answered, declined, delivering, coalesce(withdrawn, ending) AS ending, wants_receipt, handed_over,
                 silent FROM messages WHERE id = ?",
        )?;
        let (before, nature) = find.query_row([id.0], |row| {
            let handed_over: Option<String> = row.get("handed_over")?;
            let nature = MessageTraits {
                wants_receipt: row.get("wants_receipt")?,
                handed_over: handed_over.is_some(),
                silent: row.get("silent")?,
            };
            Ok((holding(row)?, nature))
        })?;
        let mut holding = before;
        let owed = holding.apply(happened, nature);
        let mut update = self.conn.prepare_cached(
            "UPDATE messages SET heard = iif(?2, coalesce(heard, ?6), NULL),
                 answered = iif(?3, coalesce(answered, ?6), NULL),
                 declined = iif(?4, coalesce(declined, ?6), NULL),
                 ending = iif(?7 IS NULL, ?5, 'set_aside'), withdrawn = ?7,
                 ended = iif(?5 IS NULL AND ?7 IS NULL, NULL, coalesce(ended, ?6)),
                 counted_end = iif(?5 IS NULL AND ?7 IS NULL, NULL, coalesce(counted_end, ?8)), delivering = ?9
             WHERE id = ?1",
        )?;
        if holding != before {
            let Holding { heard, answered, declined, delivering, ending } = holding;
            let delivering = delivering.map(ColumnValue::word);
            let is_withdrawn =
                matches!(ending, Some(HoldingEnd::Corrected | HoldingEnd::Retracted));
            let word = ending.map(ColumnValue::word);
            let (ending, withdrawn) = if is_withdrawn { (None, word) } else { (word, None) };
            let (at, counted) = (ms(now), self.ahead.counted(now));
            let values = params![
                id.0, heard, answered, declined, ending, at, withdrawn, counted, delivering
            ];
            update.execute(values)?;
        }
        if let (None, Some(ending)) = (before.ending, holding.ending) {
            self.note(id, now, ending.word())?;
        }
        owed.iter().try_for_each(|reply| self.owe(id, reply, now))
    }

    pub(super) fn spoken(
        &mut self,
        attempt: AttemptId,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        let mut mark = self.conn.prepare_cached(
            "UPDATE attempt_messages SET spoken = coalesce(spoken, ?) WHERE attempt = ? AND message = ?",
        )?;
        if mark.execute(params![ms(now), attempt.0, message.0])? == 0 {
            return Err(StoreError::NotInCall);
        }
        let mut prove =
            self.conn.prepare_cached("UPDATE messages SET crash_suspect = 0 WHERE id = ?")?;
        prove.execute([message.0])?;
        self.note(message, now, "spoken")?;
        self.happen(message, Happened::Spoken, now)
    }

    pub(super) fn commit_answer(
        &mut self,
        attempt: AttemptId,
        answer: Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        self.must_be_in_call(attempt, answer.message)?;
        self.note(answer.message, now, "answered by key")?;
        self.happen(answer.message, Happened::Answered(answer), now)
    }

    pub(super) fn must_be_in_call(
        &self,
        attempt: AttemptId,
        message: MessageId,
    ) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM attempt_messages WHERE attempt = ? AND message = ?";
        if self.conn.prepare_cached(sql)?.exists([attempt.0, message.0])? {
            Ok(())
        } else {
            Err(StoreError::NotInCall)
        }
    }

    /// Closes the notification of a message's recipient when that was the last one that waited.
    pub(super) fn close_if_empty(
        &mut self,
        message: MessageId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "SELECT recipient FROM messages WHERE id = ?";
        let recipient: BareJid =
            self.conn.prepare_cached(sql)?.query_row([message.0], |row| row.parsed("recipient"))?;
        let Some(mut notification) = self.open_notification(&recipient)? else { return Ok(()) };
        let waits = matches!(notification.state, State::Waiting { .. });
        let mut others =
            self.conn.prepare_cached("SELECT 1 FROM waiting_messages WHERE recipient = ?")?;
        if waits && !others.exists([recipient.as_str()])? {
            self.change(&mut notification, LifecycleEvent::Emptied, now)?;
        }
        Ok(())
    }

    /// The messages that a closed call's decline speaks about.
    pub(super) fn decline(
        &mut self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for pending in self.waiting(&notification.recipient, None)? {
            self.happen(pending.id, Happened::Declined, now)?;
        }
        Ok(())
    }

    pub(super) fn ids(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<MessageId>, StoreError> {
        Ok(self.numbers(sql, values)?.into_iter().map(MessageId).collect())
    }

    pub(super) fn numbers(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<i64>, StoreError> {
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(values, |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Reads what has become of a message, from a row whose `ending` is the one of `withdrawn` where there is one.
pub(super) fn holding(row: &Row<'_>) -> rusqlite::Result<Holding> {
    Ok(Holding {
        heard: row.get::<_, Option<i64>>("heard")?.is_some(),
        answered: row.get::<_, Option<i64>>("answered")?.is_some(),
        declined: row.get::<_, Option<i64>>("declined")?.is_some(),
        delivering: row.maybe_word("delivering")?,
        ending: row.maybe_word("ending")?,
    })
}

/// Reads a message from a row that has all columns of `messages`.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: MessageId(row.get("id")?),
        received: row.time("received")?,
        draft: Draft {
            stanza_id: row.get("stanza_id")?,
            sender: row.parsed("sender")?,
            recipient: row.parsed("recipient")?,
            body: row.get("body")?,
            language: row.get("language")?,
            wants_receipt: row.get("wants_receipt")?,
            stanza: row.get("stanza")?,
            how: Circumstances {
                handed_over: row.maybe_word("handed_over")?,
                from_contact: row.get("from_contact")?,
                sender_unknown: row.get("awaiting_sender_check")?,
                // It was for the plan only.
                refused: false,
                silent: row.get("silent")?,
            },
        },
        status_stanza_id: row.get("status_stanza_id")?,
        chain: CorrectionChain { last_id: row.get("last_id")?, replaces: row.get("replaces")? },
    })
}
