//! What the command line shows: held messages, calls, and one message step by step.

mod listing;
mod records;

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use xmpp_parsers::jid::BareJid;

use self::listing::{Conditions, MESSAGES, RINGS};
use self::records::{CALLS, audit_record, call_record, held_message, reply_record, ring_record};
use super::columns::Columns;
use super::subscribers::{PERSON, subscriber};
use super::{StoreError, sqlite};
use crate::notification::AttemptId;
use crate::subscriber::Subscriber;

pub use self::listing::Listing;
pub use self::records::{
    AuditRecord, CallRecord, HeldMessage, ReplyRecord, RingRecord, Step, Trace,
};

/// A look at the file, beside a running daemon or without one. It changes nothing.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
}

impl Reader {
    /// Opens the file to read.
    ///
    /// Errors: [`StoreError::Missing`], and what else makes a file unreadable.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { conn: sqlite::open_to_read(path)? })
    }

    /// What is held, the newest first.
    pub fn held_list(&self, listing: &Listing) -> Result<Vec<HeldMessage>, StoreError> {
        self.message_list(listing, Some("messages.ended IS NULL"))
    }

    /// All messages that the store has, also those that have ended, the newest first.
    pub fn messages(&self, listing: &Listing) -> Result<Vec<HeldMessage>, StoreError> {
        self.message_list(listing, None)
    }

    fn message_list(
        &self,
        listing: &Listing,
        only: Option<&str>,
    ) -> Result<Vec<HeldMessage>, StoreError> {
        let mut sql = Conditions::new(listing, "messages.id", "received");
        sql.person(listing.from.as_deref(), |is_it| is_it("sender_bare"));
        sql.person(listing.to.as_deref(), |is_it| is_it("messages.recipient"));
        sql.conditions.extend(only.map(str::to_owned));
        self.select(&format!("{MESSAGES} {}", sql.written()), sql.values, held_message)
    }

    /// The last calls, newest first.
    pub fn call_list(&self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        let sql = format!("{CALLS} ORDER BY attempts.id DESC LIMIT ?");
        self.list(&sql, [limit as i64], call_record)
    }

    /// Everything that rang, newest first.
    pub fn ring_list(&self, listing: &Listing) -> Result<Vec<RingRecord>, StoreError> {
        let mut sql = Conditions::new(listing, "rings.id", "started");
        sql.person(listing.from.as_deref(), |is_it| {
            format!(
                "EXISTS (SELECT 1 FROM ring_askers WHERE ring = rings.id AND {})",
                is_it("asker_jid")
            )
        });
        sql.person(listing.to.as_deref(), |is_it| is_it("callee_jid"));
        let rings = self.select(&format!("{RINGS} {}", sql.written()), sql.values, ring_record)?;
        self.with_calls(rings)
    }

    /// One ring by its number.
    pub fn ring(&self, id: i64) -> Result<Option<RingRecord>, StoreError> {
        let found = self.list(&format!("{RINGS} WHERE rings.id = ?"), [id], ring_record)?;
        Ok(self.with_calls(found)?.pop())
    }

    /// What was done and by whom, newest first.
    pub fn audit_list(&self, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        let sql = "SELECT *, coalesce(who_jid, 'erased-' || substr(who, 1, 8)) AS actor,
                       coalesce(about_jid, 'erased-' || substr(about, 1, 8)) AS other
                   FROM audit ORDER BY id DESC LIMIT ?";
        self.list(sql, [limit as i64], audit_record)
    }

    /// What rings or talks now, newest first.
    pub fn running_rings(&self, limit: usize) -> Result<Vec<RingRecord>, StoreError> {
        let sql = format!("{RINGS} WHERE rings.ended IS NULL ORDER BY rings.id DESC LIMIT ?");
        self.with_calls(self.list(&sql, [limit as i64], ring_record)?)
    }

    /// Somebody who may be phoned, as they and the operator have set them up.
    pub fn person(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        let sql = format!("{PERSON} WHERE jid = ? AND (known = 1 OR registered = 1)");
        Ok(self.conn.query_row(&sql, [jid.as_str()], subscriber).optional()?)
    }

    /// The languages that people have set for themselves.
    pub fn languages(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT own_language FROM subscribers
                   WHERE own_language IS NOT NULL AND (known = 1 OR registered = 1) ORDER BY 1";
        self.list(sql, [], |row| row.get(0))
    }

    /// People in the order of their JIDs, from one place in the list on; of those that are named so, if a name is given.
    pub fn people(
        &self,
        name: Option<&str>,
        from: usize,
        limit: usize,
    ) -> Result<Vec<Subscriber>, StoreError> {
        let sql = format!(
            "{PERSON} WHERE (known = 1 OR registered = 1)
                 AND (?1 IS NULL OR instr(jid, lower(?1)) > 0 OR instr(lower(name), lower(?1)) > 0)
             ORDER BY jid LIMIT ?2 OFFSET ?3"
        );
        self.list(&sql, params![name, limit as i64, from as i64], subscriber)
    }

    fn with_calls(&self, mut rings: Vec<RingRecord>) -> Result<Vec<RingRecord>, StoreError> {
        let calls = format!("{CALLS} WHERE attempts.id = ?");
        let mut find = self.conn.prepare(&calls)?;
        for ring in &mut rings {
            let Some(AttemptId(attempt)) = ring.attempt else { continue };
            ring.call = find.query_map([attempt], call_record)?.next().transpose()?;
        }
        Ok(rings)
    }

    fn select<T>(
        &self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.list(sql, params_from_iter(values), read)
    }

    /// One message from stanza to key press. `name` is its number here, or the `id` of the sender's
    /// stanza or of any stanza that was sent about it; the newest that fits is meant.
    pub fn trace(&self, name: &str) -> Result<Option<Trace>, StoreError> {
        let found = self.conn.query_row(
            "SELECT id FROM messages WHERE id = ?1 OR stanza_id = ?2 OR status_stanza_id = ?2
                 OR id IN (SELECT message FROM replies WHERE stanza_id = ?2)
                 OR id IN (SELECT message FROM message_ids WHERE stanza_id = ?2)
             ORDER BY id = ?1 DESC, id DESC LIMIT 1",
            params![name.parse::<i64>().ok(), name],
            |row| row.get::<_, i64>(0),
        );
        let Some(id) = found.optional()? else { return Ok(None) };
        let message = format!("{MESSAGES} WHERE messages.id = ?");
        let message = self.conn.query_row(&message, [id], held_message)?;
        let calls = format!(
            "{CALLS} WHERE attempts.id IN (SELECT attempt FROM attempt_messages WHERE message = ?)
             ORDER BY attempts.id"
        );
        Ok(Some(Trace {
            message,
            calls: self.list(&calls, [id], call_record)?,
            replies: self.list(
                "SELECT * FROM replies WHERE message = ? ORDER BY id",
                [id],
                reply_record,
            )?,
            steps: self.list(
                "SELECT at, what FROM events WHERE message = ? ORDER BY id",
                [id],
                |row| Ok(Step { at: row.time("at")?, what: row.get("what")? }),
            )?,
        }))
    }

    fn list<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut find = self.conn.prepare(sql)?;
        Ok(find.query_map(values, read)?.collect::<Result<_, _>>()?)
    }
}
