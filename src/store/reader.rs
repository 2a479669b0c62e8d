//! A look at the store beside a running daemon, for the command line.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::instant;
use super::{StoreError, open};

/// A connection that cannot change anything.
#[derive(Debug)]
pub struct Reader(Connection);

/// One held message.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldRow {
    /// Its number, as `trace` takes it.
    pub message: i64,
    /// When it was received.
    pub received: Timestamp,
    /// Who wrote it.
    pub sender: String,
    /// Whom it is for.
    pub recipient: String,
    /// When it was heard on the phone.
    pub heard: Option<Timestamp>,
    /// When the next call is due.
    pub due: Option<Timestamp>,
    /// What that call waits for, or that it is being made.
    pub state: Option<String>,
    /// Calls so far that count.
    pub attempts: Option<u32>,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow {
    /// Its number.
    pub attempt: i64,
    /// When it was decided on.
    pub intended: Timestamp,
    /// Whom it was for.
    pub recipient: String,
    /// The number dialled.
    pub number: String,
    /// What became of it; `None` while it lasts.
    pub outcome: Option<String>,
    /// Final SIP status.
    pub status: Option<u16>,
    /// How long it rang.
    pub ring_ms: Option<i64>,
    /// How long was talked.
    pub talk_ms: Option<i64>,
    /// The trunk that carried it.
    pub trunk: Option<String>,
    /// SIP Call-ID.
    pub sip_call_id: Option<String>,
}

/// One thing that happened to a message.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceLine {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

impl Reader {
    /// Opens an existing store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::for_reading(path).map(Self)
    }

    /// Everything that is held now, oldest first.
    pub fn held(&self) -> Result<Vec<HeldRow>, StoreError> {
        let mut find = self.0.prepare(
            "SELECT m.id, m.received, m.sender_bare, m.recipient, m.heard, n.due, \
             CASE n.state WHEN 'waiting' THEN n.why ELSE n.state END, n.attempts \
             FROM messages m LEFT JOIN notifications n ON n.recipient = m.recipient AND n.state <> 'closed' AND m.heard IS NULL \
             WHERE m.delivered IS NULL AND m.gone IS NULL ORDER BY m.id",
        )?;
        let found = find.query_map([], |row| {
            Ok(HeldRow {
                message: row.get(0)?,
                received: instant(row.get(1)?),
                sender: row.get(2)?,
                recipient: row.get(3)?,
                heard: row.get::<_, Option<i64>>(4)?.map(instant),
                due: row.get::<_, Option<i64>>(5)?.map(instant),
                state: row.get(6)?,
                attempts: row.get(7)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The latest calls, newest first.
    pub fn calls(&self, limit: usize) -> Result<Vec<CallRow>, StoreError> {
        let sql = format!("SELECT {CALL} FROM attempts ORDER BY id DESC LIMIT ?1");
        let mut find = self.0.prepare(&sql)?;
        let found = find.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], call)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// What happened to one message, in order. It is named by its number or by the `id` of its stanza; `None` if unknown.
    pub fn trace(&self, name: &str) -> Result<Option<Vec<TraceLine>>, StoreError> {
        let mut find = self.0.prepare(
            "SELECT id, received, sender_bare, recipient, heard, delivered, gone, fate FROM messages \
             WHERE CAST(id AS TEXT) = ?1 OR stanza_id = ?1 ORDER BY id DESC LIMIT 1",
        )?;
        let mut lines = vec![];
        let id: Option<i64> = find
            .query_row([name], |row| {
                let (from, to): (String, String) = (row.get(2)?, row.get(3)?);
                lines.push(line(row.get(1)?, format!("received from {from} for {to}, and held")));
                if let Some(at) = row.get(4)? {
                    lines.push(line(at, "heard on the phone".into()));
                }
                if let Some(at) = row.get(5)? {
                    lines.push(line(at, "the recipient came online; delivery owed".into()));
                }
                if let Some(at) = row.get(6)? {
                    lines.push(line(
                        at,
                        row.get::<_, Option<String>>(7)?.unwrap_or_default().replace('_', " "),
                    ));
                }
                row.get(0)
            })
            .optional()?;
        let Some(id) = id else { return Ok(None) };
        self.trace_calls(id, &mut lines)?;
        self.trace_replies(id, &mut lines)?;
        lines.sort_by_key(|line| line.at);
        Ok(Some(lines))
    }

    fn trace_calls(&self, id: i64, lines: &mut Vec<TraceLine>) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {CALL}, ringing, answered, ended FROM attempts WHERE id IN (SELECT attempt FROM attempt_messages WHERE message = ?1)"
        );
        let mut find = self.0.prepare(&sql)?;
        let mut found = find.query([id])?;
        while let Some(row) = found.next()? {
            let call = call(row)?;
            let number = call.attempt;
            lines.push(TraceLine { at: call.intended, what: format!("call {number} decided on") });
            if let Some(at) = row.get(10)? {
                lines.push(line(at, format!("call {number} rings")));
            }
            if let Some(at) = row.get(11)? {
                lines.push(line(at, format!("call {number} answered")));
            }
            if let Some(at) = row.get(12)? {
                let outcome = call.outcome.unwrap_or_default().replace('_', " ");
                let status =
                    call.status.map(|status| format!(", SIP status {status}")).unwrap_or_default();
                let trunk = call
                    .trunk
                    .filter(|t| !t.is_empty())
                    .map(|t| format!(", trunk {t}"))
                    .unwrap_or_default();
                let call_id = call
                    .sip_call_id
                    .filter(|c| !c.is_empty())
                    .map(|c| format!(", Call-ID {c}"))
                    .unwrap_or_default();
                lines.push(line(
                    at,
                    format!("call {number} ended: {outcome}{status}{trunk}{call_id}"),
                ));
            }
        }
        Ok(())
    }

    fn trace_replies(&self, id: i64, lines: &mut Vec<TraceLine>) -> Result<(), StoreError> {
        let mut find = self.0.prepare(
            "SELECT created, sent, kind, coalesce(status, ''), coalesce(why, outcome, ''), coalesce(key, ''), stanza_id FROM replies WHERE message = ?1",
        )?;
        let mut found = find.query(params![id])?;
        while let Some(row) = found.next()? {
            let text = |at: usize| row.get::<_, String>(at);
            let mut what = format!("{} {}", text(2)?, text(3)?).replace('_', " ").trim().to_owned();
            let why = text(4)?.replace('_', " ");
            if !why.is_empty() {
                what += &format!(" ({why})");
            }
            let key = text(5)?;
            if !key.is_empty() {
                what += &format!(", key {key}");
            }
            let stanza = text(6)?;
            lines.push(line(row.get(0)?, format!("{what} owed, stanza {stanza}")));
            if let Some(at) = row.get(1)? {
                lines.push(line(at, format!("{what} reached the server")));
            }
        }
        Ok(())
    }
}

fn line(ms: i64, what: String) -> TraceLine {
    TraceLine { at: instant(ms), what }
}

const CALL: &str =
    "id, intended, recipient, number, outcome, status, ring_ms, talk_ms, trunk, sip_call_id";

fn call(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        attempt: row.get(0)?,
        intended: instant(row.get(1)?),
        recipient: row.get(2)?,
        number: row.get(3)?,
        outcome: row.get(4)?,
        status: row.get(5)?,
        ring_ms: row.get(6)?,
        talk_ms: row.get(7)?,
        trunk: row.get(8)?,
        sip_call_id: row.get(9)?,
    })
}
