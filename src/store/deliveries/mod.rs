//! What is held for somebody who has come online becomes owed to them, in slices.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::MessageId;
use crate::notification::holding::Happened;
use crate::notification::lifecycle::LifecycleEvent;

/// How much was held for somebody who has come online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivering {
    /// Messages. All of them become owed, whatever happens to the person or the program meanwhile.
    pub messages: usize,
    /// Some of them become owed only by [`Store::deliver_more`].
    pub more: bool,
}

impl Store {
    /// The person is online: what is held for them becomes owed in order of arrival, and no call is needed any more.
    ///
    /// A call that rings goes on until the dialer cancels it.
    pub async fn came_online(
        &self,
        jid: &BareJid,
        now: impl Into<Moment>,
    ) -> Result<Delivering, StoreError> {
        let jid = jid.clone();
        self.ask_at(now, move |transaction, now| transaction.came_online(&jid, now)).await
    }

    /// Goes on with what [`Store::came_online`] has begun. Tells whether there may be more.
    pub async fn deliver_more(&self, now: impl Into<Moment>) -> Result<bool, StoreError> {
        self.ask_at(now, |transaction, now| transaction.deliver_more(now)).await
    }
}

impl Transaction<'_> {
    pub(super) fn came_online(
        &mut self,
        recipient: &BareJid,
        now: Timestamp,
    ) -> Result<Delivering, StoreError> {
        // First of all, so that no call is made about what becomes owed later.
        if let Some(mut notification) = self.open_notification(recipient)? {
            self.change(&mut notification, LifecycleEvent::CameOnline, now)?;
        }
        let sql = "SELECT count(*), max(id) FROM messages
                   WHERE recipient = ? AND ended IS NULL AND delivering IS NOT 'online'";
        let mut count = self.conn.prepare_cached(sql)?;
        let (messages, last): (i64, Option<i64>) =
            count.query_row([recipient.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let messages = messages.unsigned_abs() as usize;
        drop(count);
        let Some(last) = last else { return Ok(Delivering { messages, more: false }) };
        let behind = self.deliver_slice(recipient, 0, last, now)?;
        if let Some(behind) = behind {
            let sql = "INSERT OR REPLACE INTO begun_deliveries VALUES (?, ?, ?)";
            let values = params![recipient.as_str(), behind, last];
            self.conn.prepare_cached(sql)?.execute(values)?;
        }
        Ok(Delivering { messages, more: behind.is_some() })
    }

    pub(super) fn deliver_more(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT recipient, behind, upto FROM begun_deliveries LIMIT 1";
        let mut find = self.conn.prepare_cached(sql)?;
        let begun =
            find.query_row([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)));
        let Some((recipient, behind, upto)) = begun.optional()? else { return Ok(false) };
        drop(find);
        // A row that is damaged names nobody.
        let more = match BareJid::new(&recipient) {
            Ok(jid) => self.deliver_slice(&jid, behind, upto, now)?,
            Err(_) => None,
        };
        if let Some(behind) = more {
            let sql = "UPDATE begun_deliveries SET behind = ? WHERE recipient = ?";
            self.conn.prepare_cached(sql)?.execute(params![behind, recipient])?;
        } else {
            let sql = "DELETE FROM begun_deliveries WHERE recipient = ?";
            self.conn.prepare_cached(sql)?.execute([recipient])?;
        }
        Ok(true)
    }

    /// The oldest messages held for a person become owed, of those behind this one and up to that one. Tells how far, if
    /// there may be more.
    fn deliver_slice(
        &mut self,
        recipient: &BareJid,
        behind: i64,
        upto: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let held = self.ids(
            "SELECT id FROM messages WHERE recipient = ? AND ended IS NULL AND delivering IS NOT 'online'
                 AND id > ? AND id <= ? ORDER BY id LIMIT ?",
            params![recipient.as_str(), behind, upto, DELIVERED_AT_ONCE_MAX as i64],
        )?;
        self.in_bulk(|it| {
            let owe = |message: &MessageId| it.happen(*message, Happened::CameOnline, now);
            held.iter().try_for_each(owe)
        })?;
        let is_full = held.len() == DELIVERED_AT_ONCE_MAX;
        Ok(held.last().map(|last| last.0).filter(|_| is_full))
    }
}

/// Bounds how long one slice keeps other operations waiting: each message makes two stanzas owed.
const DELIVERED_AT_ONCE_MAX: usize = 100;

#[cfg(test)]
mod tests;
