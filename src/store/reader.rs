//! What the command line shows: held messages, calls, and one message step by step.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use xmpp_parsers::jid::{BareJid, Jid};

use super::columns::Columns;
use super::{AuditAction, StoreError, sqlite};
use crate::media::answering_machine::PickedUp;
use crate::notification::holding::HoldingEnd;
use crate::notification::{AttemptId, MessageId, Outcome, ReplyId, RingKind, Wait};
use crate::phone_number::PhoneNumber;

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

    /// Everything that is held, oldest first.
    pub fn held_list(&self) -> Result<Vec<HeldMessage>, StoreError> {
        self.list(
            "SELECT messages.*, due + (SELECT ahead FROM clocks) AS due, why, coalesce(state = 'calling', 0) AS calling,
                 (SELECT count(*) FROM attempt_messages WHERE message = messages.id) AS calls
             FROM messages LEFT JOIN notifications
                 ON notifications.recipient = messages.recipient AND state <> 'closed'
                 AND EXISTS (SELECT 1 FROM waiting_messages WHERE waiting_messages.id = messages.id)
             WHERE messages.ended IS NULL ORDER BY messages.id",
            [],
            held_message,
        )
    }

    /// The last calls, newest first.
    pub fn call_list(&self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        let sql = format!("{CALLS} ORDER BY attempts.id DESC LIMIT ?");
        self.list(&sql, [limit as i64], call_record)
    }

    /// Everything that rang, newest first.
    pub fn ring_list(&self, limit: usize) -> Result<Vec<RingRecord>, StoreError> {
        let sql = "SELECT *, (SELECT group_concat(coalesce(asker_jid, 'erased-' || substr(asker, 1, 8)), ' ')
                       FROM ring_askers WHERE ring = rings.id) AS askers
                   FROM rings ORDER BY id DESC LIMIT ?";
        let mut rings = self.list(sql, [limit as i64], ring_record)?;
        for ring in &mut rings {
            let Some(AttemptId(attempt)) = ring.attempt else { continue };
            let sql = format!("{CALLS} WHERE attempts.id = ?");
            ring.call = self.list(&sql, [attempt], call_record)?.pop();
        }
        Ok(rings)
    }

    /// What was done and by whom, newest first.
    pub fn audit_list(&self, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        let sql = "SELECT *, coalesce(who_jid, 'erased-' || substr(who, 1, 8)) AS actor,
                       coalesce(about_jid, 'erased-' || substr(about, 1, 8)) AS other
                   FROM audit ORDER BY id DESC LIMIT ?";
        self.list(sql, [limit as i64], |row| {
            Ok(AuditRecord {
                at: row.time("at")?,
                action: row.word("action")?,
                what: row.get("what")?,
                who: row.get("actor")?,
                resource: row.get("resource")?,
                about: row.get("other")?,
                before: row.get("value_before")?,
                after: row.get("value_after")?,
            })
        })
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
        let message = self.conn.query_row(
            "SELECT *, NULL AS due, NULL AS why, 0 AS calling,
                 (SELECT count(*) FROM attempt_messages WHERE message = messages.id) AS calls
             FROM messages WHERE id = ?",
            [id],
            held_message,
        )?;
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

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Of what kind it is.
    pub action: AuditAction,
    /// Which setting, command or limit.
    pub what: String,
    /// Who did it: a JID, or `erased-` and the beginning of its hash; `None`: the operator on the machine, or nobody.
    pub who: Option<String>,
    /// With which client.
    pub resource: Option<String>,
    /// Whom else it was about.
    pub about: Option<String>,
    /// Keyed hashes of the value before and after, where there was one.
    pub before: Option<String>,
    /// See `before`.
    pub after: Option<String>,
}

/// A held message as the operator sees it: everything but its text.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldMessage {
    /// Its name in the store.
    pub id: MessageId,
    /// The sender's `id` of the stanza.
    pub stanza_id: Option<String>,
    /// The `id` of the first status message about it.
    pub status_stanza_id: String,
    /// Who wrote it.
    pub sender: Jid,
    /// For whom.
    pub recipient: BareJid,
    /// How long the text is, in characters; 0 once it has been erased.
    pub body_chars: usize,
    /// When it was received.
    pub received: Timestamp,
    /// When it was heard to its end.
    pub heard: Option<Timestamp>,
    /// When it was answered by key.
    pub answered: Option<Timestamp>,
    /// When the callee declined a call about it.
    pub declined: Option<Timestamp>,
    /// When and how it ended.
    pub ended: Option<(Timestamp, HoldingEnd)>,
    /// A call about it is on the line.
    pub calling: bool,
    /// When the next call is due, and what it waits for.
    pub next_call: Option<(Timestamp, Wait)>,
    /// How many calls there were about it.
    pub calls: u32,
}

/// One ring, of whatever kind.
#[derive(Clone, Debug, PartialEq)]
pub struct RingRecord {
    /// Its name.
    pub id: i64,
    /// Why it rang.
    pub kind: RingKind,
    /// The call that it was, which may be forgotten.
    pub attempt: Option<AttemptId>,
    /// The same with what is known of it.
    pub call: Option<CallRecord>,
    /// The first digits of the number, without +.
    pub area: String,
    /// Who was phoned or called in: a JID, or a name that stands for an erased one; `None` where it is not known whose number it is.
    pub callee: Option<String>,
    /// Who has caused it, likewise.
    pub askers: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How; `None` while it lasts.
    pub outcome: Option<Outcome>,
    /// Name of the trunk.
    pub trunk: Option<String>,
    /// How long it lasted from the answer on.
    pub talked: Option<Duration>,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// Its name.
    pub id: AttemptId,
    /// Who was phoned, or called in.
    pub recipient: BareJid,
    /// They called us.
    pub incoming: bool,
    /// Where, or from where.
    pub number: PhoneNumber,
    /// When it was claimed.
    pub started: Timestamp,
    /// When the phone began to ring.
    pub rung: Option<Timestamp>,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// When it was over; `None` while it is on the line.
    pub ended: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// Final SIP status.
    pub status: Option<u16>,
    /// What the telephone network said of the end, as a cause of Q.850.
    pub cause: Option<u8>,
    /// How long it rang.
    pub rang: Option<Duration>,
    /// How long it lasted from the answer on.
    pub talked: Option<Duration>,
    /// SIP Call-ID; `None` when a crash took it along.
    pub sip_call_id: Option<String>,
    /// Name of the trunk.
    pub trunk: Option<String>,
    /// Who picked up, if anybody did.
    pub picked_up: Option<PickedUp>,
    /// How good the line was, in words.
    pub quality: Option<String>,
    /// Its messages and keys, a line each.
    pub ladder: Option<String>,
    /// The callee asked for no more calls.
    pub stop_calls: bool,
    /// How many messages it was about.
    pub messages: u32,
    /// How many were heard to their end.
    pub heard: u32,
}

/// One stanza that is owed or was sent about a message.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyRecord {
    /// Its row.
    pub id: ReplyId,
    /// The `id` it bears.
    pub stanza_id: String,
    /// `status`, `answer`, `receipt`, `delivery`, or `calls_switched_off`.
    pub content: String,
    /// Which status: `waiting`, `calling`, `heard` and so on.
    pub status: Option<String>,
    /// The key pressed.
    pub key: Option<String>,
    /// When it became owed.
    pub owed: Timestamp,
    /// When the server had it.
    pub sent: Option<Timestamp>,
}

/// One message from stanza to key press.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The message.
    pub message: HeldMessage,
    /// The calls about it.
    pub calls: Vec<CallRecord>,
    /// The stanzas about it, without those that a newer status replaced before they left.
    pub replies: Vec<ReplyRecord>,
    /// What happened, in order, with each decision of the rules.
    pub steps: Vec<Step>,
}

/// One step in the life of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What, such as `owed: waiting, quiet, call at 2026-11-24T08:00:00Z`.
    pub what: String,
}

fn held_message(row: &Row<'_>) -> rusqlite::Result<HeldMessage> {
    Ok(HeldMessage {
        id: MessageId(row.get("id")?),
        stanza_id: row.get("stanza_id")?,
        status_stanza_id: row.get("status_stanza_id")?,
        sender: row.parsed("sender")?,
        recipient: row.parsed("recipient")?,
        body_chars: row.get::<_, String>("body")?.chars().count(),
        received: row.time("received")?,
        heard: row.maybe_time("heard")?,
        answered: row.maybe_time("answered")?,
        declined: row.maybe_time("declined")?,
        ended: row.maybe_time("ended")?.zip(match row.maybe_word("withdrawn")? {
            None => row.maybe_word("ending")?,
            withdrawn => withdrawn,
        }),
        calling: row.get("calling")?,
        next_call: row.maybe_time("due")?.zip(row.maybe_word("why")?),
        calls: row.get("calls")?,
    })
}

fn ring_record(row: &Row<'_>) -> rusqlite::Result<RingRecord> {
    let askers: Option<String> = row.get("askers")?;
    let tag: Option<String> = row.get("callee")?;
    let unnamed = tag.map(|tag| format!("erased-{}", tag.get(..8).unwrap_or_default()));
    Ok(RingRecord {
        id: row.get("id")?,
        kind: row.word("kind")?,
        attempt: row.get::<_, Option<i64>>("attempt")?.map(AttemptId),
        call: None,
        area: row.get("area")?,
        callee: row.get::<_, Option<String>>("callee_jid")?.or(unnamed),
        askers: askers.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        started: row.time("started")?,
        ended: row.maybe_time("ended")?,
        outcome: row.maybe_word("outcome")?,
        trunk: row.get("trunk")?,
        talked: row.maybe_span("talked_ms")?,
    })
}

fn call_record(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    let named = |column| -> rusqlite::Result<_> {
        Ok(row.get::<_, Option<String>>(column)?.filter(|name| !name.is_empty()))
    };
    Ok(CallRecord {
        id: AttemptId(row.get("id")?),
        recipient: row.parsed("recipient")?,
        incoming: row.get("incoming")?,
        number: row.parsed("number")?,
        started: row.time("started")?,
        rung: row.maybe_time("rung")?,
        answered: row.maybe_time("answered")?,
        ended: row.maybe_time("ended")?,
        outcome: row.maybe_word("outcome")?,
        status: row.get("status")?,
        cause: row.get("cause")?,
        rang: row.maybe_span("rang_ms")?,
        talked: row.maybe_span("talked_ms")?,
        sip_call_id: named("sip_call_id")?,
        trunk: named("trunk")?,
        picked_up: row.maybe_word("picked_up")?,
        quality: row.get("quality")?,
        ladder: row.get("ladder")?,
        stop_calls: row.get::<_, Option<bool>>("stop_calls")?.unwrap_or_default(),
        messages: row.get("messages")?,
        heard: row.get("heard")?,
    })
}

fn reply_record(row: &Row<'_>) -> rusqlite::Result<ReplyRecord> {
    Ok(ReplyRecord {
        id: ReplyId(row.get("id")?),
        stanza_id: row.get("stanza_id")?,
        content: row.get("content")?,
        status: row.get("status")?,
        key: row.get("key")?,
        owed: row.time("owed")?,
        sent: row.maybe_time("sent")?,
    })
}

const CALLS: &str = "SELECT attempts.*,
         (SELECT count(*) FROM attempt_messages WHERE attempt = attempts.id) AS messages,
         (SELECT count(spoken) FROM attempt_messages WHERE attempt = attempts.id) AS heard
     FROM attempts";
