//! Notifications and calls: each change is load, apply, save, and what is owed, in one transaction.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::rows::{self, instant, ms};
use super::writer::Room;
use super::{Recovered, StoreError, holding, people, replies};
use crate::notification::lifecycle::{Event, Notice, Notification, Rules, State};
use crate::notification::policy::{History, Policy};
use crate::notification::{
    Answer, Attempt, AttemptId, Claim, Message, MessageId, NotificationId, Outcome, Progress,
    Reply, Status,
};
use crate::seed::Seed;

pub(super) fn open_notification(
    tx: &Room<'_>,
    recipient: &BareJid,
) -> Result<Option<Notification>, StoreError> {
    let sql = format!(
        "SELECT {} FROM notifications WHERE recipient = ?1 AND state <> 'closed'",
        rows::NOTIFICATION
    );
    let mut find = tx.db.prepare_cached(&sql)?;
    find.query_row([recipient.as_str()], |row| Ok(rows::notification(row))).optional()?.transpose()
}

fn find(tx: &Room<'_>, id: NotificationId) -> Result<Notification, StoreError> {
    let sql = format!("SELECT {} FROM notifications WHERE id = ?1", rows::NOTIFICATION);
    tx.db.prepare_cached(&sql)?.query_row([id.0], |row| Ok(rows::notification(row)))?
}

/// Applies one event, saves the row under its version, and owes what follows.
pub(super) fn apply(
    tx: &Room<'_>,
    mut notification: Notification,
    event: Event<'_>,
    now: Timestamp,
    policy: &Policy,
    new_message: Option<MessageId>,
    seed: &mut Seed,
) -> Result<Notification, StoreError> {
    let person = people::find_past(tx.db, &notification.recipient)?;
    let history = history(tx, &notification.recipient, notification.number.as_str(), now)?;
    let version = notification.version;
    let rules = Rules { policy, person: &person, history: &history };
    let notices = notification.apply(event, now, &rules);
    if notification.version != version {
        let (state, due, why, lease_until, attempt, closing) =
            rows::state_columns(notification.state);
        let saved = tx
            .db
            .prepare_cached(
                "UPDATE notifications SET state = ?3, due = ?4, why = ?5, lease_until = ?6, attempt = ?7, closing = ?8, \
                 attempts = ?9, troubles = ?10, version = ?11 WHERE id = ?1 AND version = ?2",
            )?
            .execute(params![
                notification.id.0,
                version.cast_signed(),
                state,
                due,
                why,
                lease_until,
                attempt,
                closing,
                notification.attempts,
                notification.troubles,
                notification.version.cast_signed(),
            ])?;
        if saved != 1 {
            return Err(StoreError::Damaged("notification version"));
        }
        tx.wake_due();
    }
    tell(tx, &notification, &notices, new_message, now, seed)?;
    Ok(notification)
}

/// Owes what an event gave rise to.
pub(super) fn tell(
    tx: &Room<'_>,
    notification: &Notification,
    notices: &[Notice],
    new_message: Option<MessageId>,
    now: Timestamp,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    for notice in notices {
        match notice {
            Notice::NewMessage(status) => {
                if let Some(message) = new_message {
                    replies::owe(tx, message, &Reply::Status(*status), now, seed)?;
                }
            }
            Notice::Unheard(status) => {
                for message in unheard(tx, &notification.recipient)? {
                    replies::owe(tx, message.id, &Reply::Status(*status), now, seed)?;
                }
            }
            Notice::Recipient(reply) => {
                let about = "SELECT max(id) FROM messages WHERE recipient = ?1";
                let about: Option<i64> =
                    tx.db.query_row(about, [notification.recipient.as_str()], |row| row.get(0))?;
                if let Some(message) = about {
                    replies::owe(tx, MessageId(message), reply, now, seed)?;
                }
            }
        }
    }
    Ok(())
}

/// What is still to be told to a person by phone, oldest first.
fn unheard(tx: &Room<'_>, recipient: &BareJid) -> Result<Vec<Message>, StoreError> {
    let sql = format!(
        "SELECT {} FROM messages m WHERE m.recipient = ?1 AND m.delivered IS NULL AND m.gone IS NULL AND m.heard IS NULL AND m.may_ring ORDER BY m.id LIMIT 1000",
        rows::MESSAGE
    );
    let mut find = tx.db.prepare_cached(&sql)?;
    find.query_map([recipient.as_str()], |row| Ok(rows::message(row, 0)))?.map(|row| row?).collect()
}

/// Calls that count for the limits: all that may have rung.
pub(super) fn history(
    tx: &Room<'_>,
    recipient: &BareJid,
    number: &str,
    now: Timestamp,
) -> Result<History, StoreError> {
    let since = ms(now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN));
    let starts = |sql: &str, who: &str| -> Result<Vec<Timestamp>, StoreError> {
        let mut find = tx.db.prepare_cached(sql)?;
        let found = find.query_map(params![who, since], |row| row.get(0).map(instant))?;
        Ok(found.collect::<Result<_, _>>()?)
    };
    let to_number = starts(
        "SELECT intended FROM attempts WHERE number = ?1 AND intended > ?2 AND outcome IS NOT 'trunk_failed' ORDER BY intended",
        number,
    )?;
    let all = starts(
        "SELECT intended FROM attempts WHERE ?1 = ?1 AND intended > ?2 ORDER BY intended",
        "",
    )?;
    // A call may be made as soon as one of the waiting senders may cause one.
    let senders: Vec<String> = tx
        .db
        .prepare_cached(
            "SELECT DISTINCT sender_bare FROM messages WHERE recipient = ?1 AND delivered IS NULL AND gone IS NULL AND heard IS NULL AND may_ring LIMIT 100",
        )?
        .query_map([recipient.as_str()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut by_sender = tx.db.prepare_cached(
        "SELECT DISTINCT a.intended FROM attempts a JOIN attempt_messages am ON am.attempt = a.id JOIN messages m ON m.id = am.message \
         WHERE a.recipient = ?1 AND m.sender_bare = ?2 AND a.intended > ?3 AND a.outcome IS NOT 'trunk_failed' ORDER BY a.intended",
    )?;
    let mut by_senders: Option<Vec<Timestamp>> = None;
    for sender in senders {
        let found = by_sender
            .query_map(params![recipient.as_str(), sender, since], |row| row.get(0).map(instant))?;
        let found: Vec<Timestamp> = found.collect::<Result<_, _>>()?;
        if by_senders.as_ref().is_none_or(|fewest| found.len() < fewest.len()) {
            by_senders = Some(found);
        }
    }
    Ok(History { to_number, by_senders: by_senders.unwrap_or_default(), all })
}

pub(super) fn claim_due(
    tx: &Room<'_>,
    now: Timestamp,
    room: usize,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<Vec<Claim>, StoreError> {
    let lapsed: Vec<i64> = tx
        .db
        .prepare_cached(
            "SELECT attempt FROM notifications WHERE state = 'calling' AND lease_until <= ?1",
        )?
        .query_map([ms(now)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for attempt in lapsed {
        settle(tx, AttemptId(attempt), &interrupted(), now, policy, seed)?;
    }
    let due: Vec<i64> = tx
        .db
        .prepare_cached("SELECT id FROM notifications WHERE state = 'waiting' AND due <= ?1 ORDER BY due LIMIT ?2")?
        .query_map(params![ms(now), i64::try_from(room).unwrap_or(i64::MAX)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut claims = vec![];
    for id in due {
        claims.extend(claim(tx, NotificationId(id), now, policy, seed)?);
    }
    Ok(claims)
}

/// Claims one notification if it is due and the rules allow a call in this instant.
pub(super) fn claim(
    tx: &Room<'_>,
    id: NotificationId,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<Option<Claim>, StoreError> {
    let notification = find(tx, id)?;
    match notification.state {
        State::Waiting(slot) if slot.at <= now => {}
        State::Waiting(_) | State::Calling { .. } | State::Closed(_) => return Ok(None),
    }
    let messages = unheard(tx, &notification.recipient)?;
    if messages.is_empty() {
        apply(tx, notification, Event::NothingLeft, now, policy, None, seed)?;
        return Ok(None);
    }
    let (recipient, number) = (notification.recipient.clone(), notification.number.clone());
    let attempt = AttemptId(
        tx.db
            .prepare_cached(
                "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'attempts'",
            )?
            .query_row([], |row| row.get(0))?,
    );
    let notification = apply(tx, notification, Event::Claimed(attempt), now, policy, None, seed)?;
    let State::Calling { lease_until, .. } = notification.state else { return Ok(None) };
    let continuing: bool = tx
        .db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM attempts a JOIN attempt_messages am ON am.attempt = a.id JOIN messages m ON m.id = am.message \
             WHERE a.notification = ?1 AND m.heard IS NOT NULL)",
        )?
        .query_row([id.0], |row| row.get(0))?;
    tx.db
        .prepare_cached("INSERT INTO attempts (id, notification, recipient, number, intended) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![attempt.0, id.0, recipient.as_str(), number.as_str(), ms(now)])?;
    for message in &messages {
        join(tx, attempt, message.id)?;
    }
    let callee = people::find_past(tx.db, &recipient)?;
    Ok(Some(Claim { notification: id, attempt, number, callee, messages, continuing, lease_until }))
}

/// Makes a message part of a call. Its handling is counted before anything looks at its text.
fn join(tx: &Room<'_>, attempt: AttemptId, message: MessageId) -> Result<(), StoreError> {
    tx.db
        .prepare_cached(
            "INSERT OR IGNORE INTO attempt_messages (attempt, message) VALUES (?1, ?2)",
        )?
        .execute([attempt.0, message.0])?;
    tx.db
        .prepare_cached("UPDATE messages SET handling = handling + 1 WHERE id = ?1")?
        .execute([message.0])?;
    Ok(())
}

pub(super) fn next_due(tx: &Room<'_>) -> Result<Option<Timestamp>, StoreError> {
    let mut find = tx.db.prepare_cached(
        "SELECT min(at) FROM (SELECT min(due) AS at FROM notifications WHERE state = 'waiting' \
         UNION ALL SELECT min(lease_until) FROM notifications WHERE state = 'calling')",
    )?;
    Ok(find.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(instant))
}

pub(super) fn progress(
    tx: &Room<'_>,
    attempt: AttemptId,
    progress: Progress,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let column = match progress {
        Progress::Ringing => "ringing",
        Progress::Answered => "answered",
    };
    let sql = format!("UPDATE attempts SET {column} = coalesce({column}, ?2) WHERE id = ?1");
    tx.db.prepare_cached(&sql)?.execute(params![attempt.0, ms(now)])?;
    survived(tx, attempt)?;
    if let Some(notification) = calling(tx, attempt)? {
        apply(tx, notification, Event::Progressed(attempt, progress), now, policy, None, seed)?;
    }
    Ok(())
}

/// A sign of life: the messages of this call have not crashed the program.
fn survived(tx: &Room<'_>, attempt: AttemptId) -> Result<(), StoreError> {
    tx.db
        .prepare_cached("UPDATE messages SET handling = 0 WHERE id IN (SELECT message FROM attempt_messages WHERE attempt = ?1)")?
        .execute([attempt.0])?;
    Ok(())
}

fn calling(tx: &Room<'_>, attempt: AttemptId) -> Result<Option<Notification>, StoreError> {
    let sql = format!(
        "SELECT {} FROM notifications WHERE state = 'calling' AND attempt = ?1",
        rows::NOTIFICATION
    );
    let mut find = tx.db.prepare_cached(&sql)?;
    find.query_row([attempt.0], |row| Ok(rows::notification(row))).optional()?.transpose()
}

pub(super) fn spoken(
    tx: &Room<'_>,
    attempt: AttemptId,
    message: MessageId,
    now: Timestamp,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let heard = tx
        .db
        .prepare_cached(
            "UPDATE messages SET heard = ?3 WHERE id = ?2 AND heard IS NULL AND gone IS NULL \
             AND EXISTS (SELECT 1 FROM attempt_messages WHERE attempt = ?1 AND message = ?2)",
        )?
        .execute(params![attempt.0, message.0, ms(now)])?;
    if heard == 1 {
        replies::owe(tx, message, &Reply::Status(Status::Heard), now, seed)?;
        let wants: bool = tx
            .db
            .prepare_cached(
                "SELECT wants_receipt AND stanza_id IS NOT NULL FROM messages WHERE id = ?1",
            )?
            .query_row([message.0], |row| row.get(0))?;
        if wants {
            replies::owe(tx, message, &Reply::Receipt, now, seed)?;
        }
    }
    Ok(())
}

pub(super) fn commit_answer(
    tx: &Room<'_>,
    attempt: AttemptId,
    answer: &Answer,
    now: Timestamp,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    spoken(tx, attempt, answer.message, now, seed)?;
    let first = tx
        .db
        .prepare_cached("UPDATE messages SET key = ?2 WHERE id = ?1 AND key IS NULL")?
        .execute(params![answer.message.0, answer.key.to_string()])?;
    if first == 1 {
        replies::owe(tx, answer.message, &Reply::Answer(answer.clone()), now, seed)?;
    }
    Ok(())
}

/// The callee goes on without listening: the message is not told by phone again.
pub(super) fn passed(
    tx: &Room<'_>,
    attempt: AttemptId,
    message: MessageId,
    now: Timestamp,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let passed = tx
        .db
        .prepare_cached(
            "UPDATE messages SET may_ring = 0 WHERE id = ?2 AND may_ring AND heard IS NULL AND gone IS NULL \
             AND EXISTS (SELECT 1 FROM attempt_messages WHERE attempt = ?1 AND message = ?2)",
        )?
        .execute([attempt.0, message.0])?;
    if passed == 1 {
        replies::owe(tx, message, &Reply::Status(Status::Passed), now, seed)?;
    }
    Ok(())
}

/// The callee wants no more calls: their own setting, the end of the notification, and word to both sides.
pub(super) fn stop_calls(
    tx: &Room<'_>,
    attempt: AttemptId,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let Some(recipient) = called(tx, attempt)? else { return Ok(()) };
    people::switch(tx.db, &recipient, crate::subscriber::WhenOffline::Store)?;
    if let Some(open) = open_notification(tx, &recipient)? {
        apply(tx, open, Event::StoppedByPhone, now, policy, None, seed)?;
    }
    Ok(())
}

pub(super) fn joined(tx: &Room<'_>, attempt: AttemptId) -> Result<Vec<Message>, StoreError> {
    let Some(notification) = calling(tx, attempt)? else { return Ok(vec![]) };
    let mut known = tx.db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM attempt_messages WHERE attempt = ?1 AND message = ?2)",
    )?;
    let mut new = vec![];
    for message in unheard(tx, &notification.recipient)? {
        if !known.query_row([attempt.0, message.id.0], |row| row.get::<_, bool>(0))? {
            join(tx, attempt, message.id)?;
            new.push(message);
        }
    }
    survived(tx, attempt)?;
    Ok(new)
}

pub(super) fn settle(
    tx: &Room<'_>,
    id: AttemptId,
    attempt: &Attempt,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    let recorded = tx
        .db
        .prepare_cached(
            "UPDATE attempts SET ended = ?2, outcome = ?3, status = ?4, ring_ms = ?5, talk_ms = ?6, trunk = ?7, sip_call_id = ?8 \
             WHERE id = ?1 AND ended IS NULL",
        )?
        .execute(params![
            id.0,
            ms(now),
            rows::outcome_word(attempt.outcome),
            attempt.status,
            i64::try_from(attempt.rang.as_millis()).unwrap_or(i64::MAX),
            i64::try_from(attempt.talked.as_millis()).unwrap_or(i64::MAX),
            attempt.trunk,
            attempt.sip_call_id,
        ])?;
    if recorded == 0 {
        return Ok(());
    }
    if attempt.outcome != Outcome::Interrupted {
        survived(tx, id)?;
    }
    let notification = calling(tx, id)?;
    if let Some(notification) = notification {
        let unheard = unheard(tx, &notification.recipient)?.len();
        apply(
            tx,
            notification,
            Event::CallEnded { id, attempt, unheard },
            now,
            policy,
            None,
            seed,
        )?;
    }
    Ok(())
}

fn called(tx: &Room<'_>, id: AttemptId) -> Result<Option<BareJid>, StoreError> {
    let mut find = tx.db.prepare_cached("SELECT recipient FROM attempts WHERE id = ?1")?;
    let jid: Option<String> = find.query_row([id.0], |row| row.get(0)).optional()?;
    jid.map(|jid| jid.parse().or(Err(StoreError::Damaged("recipient")))).transpose()
}

pub(super) fn close_if_nothing_left(
    tx: &Room<'_>,
    recipient: &BareJid,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    if unheard(tx, recipient)?.is_empty()
        && let Some(open) = open_notification(tx, recipient)?
        && matches!(open.state, State::Waiting(_))
    {
        apply(tx, open, Event::NothingLeft, now, policy, None, seed)?;
    }
    Ok(())
}

pub(super) fn recover(
    tx: &Room<'_>,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<Recovered, StoreError> {
    let mut recovered = Recovered::default();
    let suspects: Vec<(i64, String)> = tx
        .db
        .prepare_cached(
            "SELECT id, recipient FROM messages WHERE handling >= ?1 AND delivered IS NULL AND gone IS NULL AND heard IS NULL",
        )?
        .query_map([CRASHES_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, _) in &suspects {
        let id = MessageId(*id);
        holding::let_go(tx, id, "set_aside", now)?;
        replies::owe(tx, id, &Reply::Status(Status::SetAside), now, seed)?;
        replies::owe(tx, id, &Reply::SetAside, now, seed)?;
        recovered.set_aside += 1;
    }
    let cut_off: Vec<i64> = tx
        .db
        .prepare_cached("SELECT attempt FROM notifications WHERE state = 'calling'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for attempt in cut_off {
        settle(tx, AttemptId(attempt), &interrupted(), now, policy, seed)?;
        recovered.interrupted += 1;
    }
    for (_, recipient) in &suspects {
        let recipient = recipient.parse().or(Err(StoreError::Damaged("recipient")))?;
        close_if_nothing_left(tx, &recipient, now, policy, seed)?;
    }
    Ok(recovered)
}

fn interrupted() -> Attempt {
    Attempt {
        outcome: Outcome::Interrupted,
        status: None,
        rang: std::time::Duration::ZERO,
        talked: std::time::Duration::ZERO,
        sip_call_id: String::new(),
        trunk: String::new(),
        retry_after: None,
    }
}

/// As far back as a limit can reach.
const HISTORY: SignedDuration = SignedDuration::from_hours(24);
const CRASHES_MAX: u32 = 2;
