//! Stanzas that are owed: written in the transaction that makes them due, kept until they are known to have arrived.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::StoreError;
use super::ledger::Ledger;
use super::messages::message;
use super::words::{Columns, Word, misfit, ms};
use crate::notification::{
    Answer, MessageId, Outcome, Owed, Reply, ReplyId, Status, VoiceFile, VoiceNews, Wait,
};

impl Ledger<'_> {
    /// Writes down that a stanza is owed. A newer status takes the place of older ones that never left.
    pub(super) fn owe(
        &mut self,
        id: MessageId,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let columns = ReplyColumns::from(reply);
        let stanza_id = match reply {
            Reply::Status(_) if self.reword(id, &columns, now)? => {
                self.wake_outbox = true;
                return self.note(id, now, &columns.told());
            }
            Reply::Status(_) => self.status_stanza_id(id)?,
            _ => self.seed.token(),
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO replies (message, stanza_id, content, status, call_at, why, outcome, key, words, owed)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            id.0,
            stanza_id,
            columns.content,
            columns.status,
            columns.call_at,
            columns.why,
            columns.outcome,
            columns.key,
            columns.words,
            ms(now),
        ])?;
        self.wake_outbox = true;
        self.note(id, now, &columns.told())
    }

    /// Lets a status that has not been handed out say what is true now, if nothing has become owed about the message
    /// since. Tells whether there was one.
    fn reword(
        &self,
        id: MessageId,
        columns: &ReplyColumns<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut update = self.conn.prepare_cached(
            "UPDATE replies SET status = ?2, call_at = ?3, why = ?4, outcome = ?5, owed = ?6
             WHERE message = ?1 AND content = 'status' AND sent IS NULL AND id NOT IN (SELECT reply FROM handed)
                 AND NOT EXISTS (SELECT 1 FROM replies AS later WHERE later.message = ?1 AND later.id > replies.id)",
        )?;
        let ReplyColumns { status, call_at, why, outcome, .. } = columns;
        Ok(update.execute(params![id.0, status, call_at, why, outcome, ms(now)])? > 0)
    }

    /// Clears the way for a newer status and tells which `id` it bears.
    ///
    /// The first status must have reached the sender before another can refer to it (XEP-0308 §3), so
    /// one that has been handed out stays, and one that has not gives its `id` away.
    fn status_stanza_id(&mut self, id: MessageId) -> Result<String, StoreError> {
        let mut supersede = self.conn.prepare_cached(
            "DELETE FROM replies WHERE message = ?1 AND content = 'status' AND sent IS NULL AND NOT (
                 id IN (SELECT reply FROM handed)
                 AND stanza_id = (SELECT status_stanza_id FROM messages WHERE id = ?1))",
        )?;
        supersede.execute([id.0])?;
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

    pub(super) fn owed(&self, limit: usize) -> Result<Vec<Owed>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT replies.id AS reply, replies.stanza_id AS reply_stanza_id, content, status, call_at, owed,
                 why, outcome, key, words, news, length_ms, cut, url, file_name, media_type, octets, transcript,
                 note_stanza_id, messages.*
             FROM replies JOIN messages ON messages.id = replies.message
                 LEFT JOIN recordings ON recordings.id = recording
             WHERE sent IS NULL ORDER BY replies.id LIMIT ?",
        )?;
        let mut rows = find.query([limit as i64])?;
        let mut owed = vec![];
        while let Some(row) = rows.next()? {
            owed.push(self.read_owed(row)?);
        }
        let mut hand = self.conn.prepare_cached("INSERT OR IGNORE INTO handed VALUES (?)")?;
        for reply in &owed {
            hand.execute([reply.id.0])?;
        }
        Ok(owed)
    }

    fn read_owed(&self, row: &Row<'_>) -> Result<Owed, StoreError> {
        let message = message(row)?;
        let content = content(row, message.id)?;
        let recipient = &message.draft.recipient;
        let callee = self.subscriber(recipient)?;
        let node = || recipient.node().map_or_else(|| recipient.to_string(), |n| n.to_string());
        let callee_name = callee.as_ref().map_or_else(node, |callee| callee.name.clone());
        let to_sender = matches!(
            content,
            Reply::Status(_) | Reply::Answer(_) | Reply::Voice(_) | Reply::Receipt
        );
        let reader =
            if to_sender { self.subscriber(&message.draft.sender.to_bare())? } else { callee };
        let (own_language, own_zone) =
            reader.map(|reader| (reader.language, reader.time_zone)).unwrap_or_default();
        let written_in = message.draft.language.clone().filter(|_| to_sender);
        Ok(Owed {
            id: ReplyId(row.get("reply")?),
            stanza_id: row.get("reply_stanza_id")?,
            callee_name,
            language: own_language.or(written_in),
            zone: own_zone.unwrap_or_else(|| self.policy.zone.clone()),
            since: row.time("owed")?,
            content,
            message,
        })
    }

    pub(super) fn owe_again(&mut self, stanza_id: &str) -> Result<(), StoreError> {
        let sql = "UPDATE replies SET sent = NULL WHERE stanza_id = ?";
        if self.conn.prepare_cached(sql)?.execute([stanza_id])? > 0 {
            self.wake_outbox = true;
        }
        Ok(())
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
            forget.execute([reply.0])?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct ReplyColumns<'a> {
    content: &'static str,
    status: Option<&'static str>,
    call_at: Option<i64>,
    why: Option<&'static str>,
    outcome: Option<&'static str>,
    key: Option<String>,
    words: Option<&'a str>,
}

impl<'a> From<&'a Reply> for ReplyColumns<'a> {
    fn from(reply: &'a Reply) -> Self {
        let only = |content| Self { content, ..Self::default() };
        match reply {
            Reply::Status(status) => Self { content: "status", ..Self::status(*status) },
            Reply::Answer(Answer { key, words, .. }) => {
                Self { key: Some(key.to_string()), words: Some(words), ..only("answer") }
            }
            Reply::Voice(_) => unreachable!("written with its recording"),
            Reply::Receipt => only("receipt"),
            Reply::Delivery => only("delivery"),
            Reply::CallsSwitchedOff => only("calls_switched_off"),
            Reply::SetAside => only("set_aside"),
        }
    }
}

impl ReplyColumns<'_> {
    /// The step as `offhook trace` shows it: `owed: waiting, quiet, call at 2026-11-24T08:00:00Z`.
    fn told(&self) -> String {
        let mut told = format!("owed: {}", self.status.unwrap_or(self.content));
        for reason in self.why.iter().chain(&self.outcome) {
            told = told + ", " + reason;
        }
        match self.call_at.and_then(|at| Timestamp::from_millisecond(at).ok()) {
            Some(at) => format!("{told}, call at {at}"),
            None => told,
        }
    }

    fn status(status: Status) -> Self {
        let plain = |word| Self { status: Some(word), ..Self::default() };
        match status {
            Status::Waiting { call_at, why } => {
                Self { call_at: Some(ms(call_at)), why: Some(why.word()), ..plain("waiting") }
            }
            Status::NotReached { outcome, next } => Self {
                call_at: next.map(ms),
                outcome: Some(outcome.word()),
                ..plain("not_reached")
            },
            Status::Held => plain("held"),
            Status::Calling => plain("calling"),
            Status::Ringing => plain("ringing"),
            Status::Answered => plain("answered"),
            Status::Heard => plain("heard"),
            Status::Passed => plain("passed"),
            Status::Delivered => plain("delivered"),
            Status::CallsSwitchedOff => plain("calls_switched_off"),
            Status::Expired => plain("expired"),
            Status::SetAside => plain("set_aside"),
        }
    }
}

fn content(row: &Row<'_>, message: MessageId) -> rusqlite::Result<Reply> {
    let content: String = row.get("content")?;
    Ok(match content.as_str() {
        "status" => Reply::Status(status(row)?),
        "answer" => {
            let key: String = row.get("key")?;
            let key = key.chars().next().ok_or_else(|| misfit("key"))?;
            Reply::Answer(Answer { message, key, words: row.get("words")? })
        }
        "voice" => Reply::Voice(voice_news(row)?),
        "receipt" => Reply::Receipt,
        "delivery" => Reply::Delivery,
        "calls_switched_off" => Reply::CallsSwitchedOff,
        "set_aside" => Reply::SetAside,
        _ => return Err(misfit("content")),
    })
}

fn voice_news(row: &Row<'_>) -> rusqlite::Result<VoiceNews> {
    let length = row.maybe_span("length_ms")?.ok_or_else(|| misfit("length_ms"))?;
    let news: String = row.get("news")?;
    Ok(match news.as_str() {
        "file" => VoiceNews::File(VoiceFile {
            url: row.get("url")?,
            file_name: row.get("file_name")?,
            media_type: row.get("media_type")?,
            octets: row.get::<_, i64>("octets")?.unsigned_abs(),
            length,
        }),
        "note" => VoiceNews::Note { length, cut: row.get("cut")? },
        "transcript" => VoiceNews::Transcript {
            length,
            cut: row.get("cut")?,
            text: row.get("transcript")?,
            of: row.get("note_stanza_id")?,
        },
        "late" => VoiceNews::Late(length),
        "no_way" => VoiceNews::NoWay(length),
        _ => return Err(misfit("news")),
    })
}

fn status(row: &Row<'_>) -> rusqlite::Result<Status> {
    let status: String = row.get("status")?;
    Ok(match status.as_str() {
        "waiting" => {
            Status::Waiting { call_at: row.time("call_at")?, why: row.word::<Wait>("why")? }
        }
        "not_reached" => Status::NotReached {
            outcome: row.word::<Outcome>("outcome")?,
            next: row.maybe_time("call_at")?,
        },
        "held" => Status::Held,
        "calling" => Status::Calling,
        "ringing" => Status::Ringing,
        "answered" => Status::Answered,
        "heard" => Status::Heard,
        "passed" => Status::Passed,
        "delivered" => Status::Delivered,
        "calls_switched_off" => Status::CallsSwitchedOff,
        "expired" => Status::Expired,
        "set_aside" => Status::SetAside,
        _ => return Err(misfit("status")),
    })
}
