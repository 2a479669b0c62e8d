//! What is owed: written with the event that owes it, gone when it is known to have arrived.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::rows::{self, instant, ms};
use super::writer::Room;
use super::{StoreError, people};
use crate::notification::policy::Policy;
use crate::notification::{Answer, MessageId, Owed, Reply, ReplyId, Status};
use crate::seed::Seed;

/// Owes one stanza about a message.
///
/// A status that has not been handed out yet is overtaken by a newer one of the same message. The first status
/// a sender sees bears the message's own status id, to which later ones refer.
pub(super) fn owe(
    tx: &Room<'_>,
    message: MessageId,
    reply: &Reply,
    now: Timestamp,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let mut stanza_id = seed.token();
    let mut columns = Columns::default();
    match reply {
        Reply::Status(status) => {
            tx.db
                .prepare_cached("DELETE FROM replies WHERE message = ?1 AND kind = 'status' AND sent IS NULL AND handed_out = 0")?
                .execute([message.0])?;
            let first: Option<String> = tx
                .db
                .prepare_cached(
                    "SELECT status_stanza_id FROM messages WHERE id = ?1 \
                     AND NOT EXISTS (SELECT 1 FROM replies WHERE message = ?1 AND kind = 'status')",
                )?
                .query_row([message.0], |row| row.get(0))
                .optional()?;
            stanza_id = first.unwrap_or(stanza_id);
            columns = status_columns(*status);
        }
        Reply::Answer(answer) => {
            columns.key = Some(answer.key.to_string());
            columns.words = Some(answer.words.clone());
        }
        Reply::Receipt | Reply::Delivery | Reply::CallsSwitchedOff | Reply::SetAside => {}
    }
    let mut put = tx.db.prepare_cached(
        "INSERT INTO replies (message, stanza_id, kind, status, why, outcome, at, key, words, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let Columns { status, why, outcome, at, key, words } = columns;
    put.execute(params![
        message.0,
        stanza_id,
        kind(reply),
        status,
        why,
        outcome,
        at,
        key,
        words,
        ms(now)
    ])?;
    tx.wake_outbox();
    Ok(())
}

pub(super) fn owed(tx: &Room<'_>, limit: usize, policy: &Policy) -> Result<Vec<Owed>, StoreError> {
    let sql = format!(
        "SELECT r.id, r.stanza_id, r.kind, r.status, r.why, r.outcome, r.at, r.key, r.words, {} \
         FROM replies r JOIN messages m ON m.id = r.message WHERE r.sent IS NULL ORDER BY r.id LIMIT ?1",
        rows::MESSAGE
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let owed: Vec<Owed> = tx
        .db
        .prepare_cached(&sql)?
        .query_map([limit], |row| Ok(read(tx, row, policy)))?
        .map(|row| row?)
        .collect::<Result<_, StoreError>>()?;
    let mut hand_out = tx
        .db
        .prepare_cached("UPDATE replies SET handed_out = 1 WHERE id = ?1 AND handed_out = 0")?;
    for row in &owed {
        hand_out.execute([row.id.0])?;
    }
    Ok(owed)
}

pub(super) fn mark_sent(tx: &Room<'_>, ids: &[ReplyId], now: Timestamp) -> Result<(), StoreError> {
    let mut mark =
        tx.db.prepare_cached("UPDATE replies SET sent = ?2 WHERE id = ?1 AND sent IS NULL")?;
    let mut forget = tx.db.prepare_cached(
        "UPDATE messages SET body = '', stanza = '' WHERE id = (SELECT message FROM replies WHERE id = ?1 AND kind = 'delivery')",
    )?;
    for id in ids {
        mark.execute(params![id.0, ms(now)])?;
        // The text is the recipient's now; nothing here needs it any more.
        forget.execute([id.0])?;
    }
    Ok(())
}

#[derive(Default)]
struct Columns {
    status: Option<&'static str>,
    why: Option<&'static str>,
    outcome: Option<&'static str>,
    at: Option<i64>,
    key: Option<String>,
    words: Option<String>,
}

fn kind(reply: &Reply) -> &'static str {
    match reply {
        Reply::Status(_) => "status",
        Reply::Answer(_) => "answer",
        Reply::Receipt => "receipt",
        Reply::Delivery => "delivery",
        Reply::CallsSwitchedOff => "calls_off",
        Reply::SetAside => "set_aside",
    }
}

fn status_columns(status: Status) -> Columns {
    let plain = |word| Columns { status: Some(word), ..Columns::default() };
    match status {
        Status::Held => plain("held"),
        Status::Waiting { call_at, why } => {
            Columns { why: Some(rows::wait_word(why)), at: Some(ms(call_at)), ..plain("waiting") }
        }
        Status::Calling => plain("calling"),
        Status::Ringing => plain("ringing"),
        Status::Answered => plain("answered"),
        Status::Heard => plain("heard"),
        Status::Passed => plain("passed"),
        Status::NotReached { outcome, next } => Columns {
            outcome: Some(rows::outcome_word(outcome)),
            at: next.map(ms),
            ..plain("not_reached")
        },
        Status::Delivered => plain("delivered"),
        Status::CallsSwitchedOff => plain("calls_off"),
        Status::Expired => plain("expired"),
        Status::SetAside => plain("set_aside"),
    }
}

fn read(tx: &Room<'_>, row: &Row<'_>, policy: &Policy) -> Result<Owed, StoreError> {
    let message = rows::message(row, 9)?;
    let person = people::find_past(tx.db, &message.draft.recipient)?;
    let kind: String = row.get(2)?;
    let content = match kind.as_str() {
        "status" => Reply::Status(read_status(row)?),
        "answer" => Reply::Answer(Answer {
            message: message.id,
            key: row.get::<_, String>(7)?.chars().next().ok_or(StoreError::Damaged("key"))?,
            words: row.get(8)?,
        }),
        "receipt" => Reply::Receipt,
        "delivery" => Reply::Delivery,
        "calls_off" => Reply::CallsSwitchedOff,
        "set_aside" => Reply::SetAside,
        _ => return Err(StoreError::Damaged("reply")),
    };
    Ok(Owed {
        id: ReplyId(row.get(0)?),
        stanza_id: row.get(1)?,
        language: message.draft.language.clone(),
        callee_name: person.name,
        zone: person.time_zone.unwrap_or_else(|| policy.time_zone.clone()),
        message,
        content,
    })
}

fn read_status(row: &Row<'_>) -> Result<Status, StoreError> {
    let at = row.get::<_, Option<i64>>(6)?.map(instant);
    let status = match row.get::<_, String>(3)?.as_str() {
        "held" => Status::Held,
        "waiting" => Status::Waiting {
            call_at: at.ok_or(StoreError::Damaged("status"))?,
            why: rows::wait(&row.get::<_, String>(4)?)?,
        },
        "calling" => Status::Calling,
        "ringing" => Status::Ringing,
        "answered" => Status::Answered,
        "heard" => Status::Heard,
        "passed" => Status::Passed,
        "not_reached" => {
            Status::NotReached { outcome: rows::outcome(&row.get::<_, String>(5)?)?, next: at }
        }
        "delivered" => Status::Delivered,
        "calls_off" => Status::CallsSwitchedOff,
        "expired" => Status::Expired,
        "set_aside" => Status::SetAside,
        _ => return Err(StoreError::Damaged("status")),
    };
    Ok(status)
}
