//! Messages: held, delivered, let go.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::rows::ms;
use super::writer::Room;
use super::{Held, StoreError, calling, people, replies};
use crate::notification::lifecycle::{Event, Notice, Notification, State};
use crate::notification::policy::{History, Policy};
use crate::notification::{Draft, MessageId, NotificationId, Reply, Status};
use crate::seed::Seed;
use crate::subscriber::WhenOffline;

pub(super) fn hold(
    tx: &Room<'_>,
    draft: Draft,
    now: Timestamp,
    room: usize,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<Held, StoreError> {
    let (sender, recipient) = (draft.sender.to_bare(), draft.recipient.clone());
    if let Some(id) = &draft.stanza_id
        && let Some(known) = repeated(tx, &sender, &recipient, id)?
    {
        return Ok(Held { message: known, duplicate: true, claim: None });
    }
    bounded(tx, &sender, &recipient)?;
    let may_ring = policy.may_ring(&sender, &recipient);
    tx.db
        .prepare_cached(
            "INSERT INTO messages (received, sender, sender_bare, recipient, stanza_id, body, language, wants_receipt, may_ring, stanza, status_stanza_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            ms(now),
            draft.sender.as_str(),
            sender.as_str(),
            recipient.as_str(),
            draft.stanza_id,
            draft.body,
            draft.language,
            draft.wants_receipt,
            may_ring,
            draft.stanza,
            seed.token(),
        ])?;
    let message = MessageId(tx.db.last_insert_rowid());
    let person = people::find_past(tx.db, &recipient)?;
    let number = match (&person.number, person.offline) {
        (Some(number), WhenOffline::Phone) if may_ring => number.clone(),
        _ => {
            replies::owe(tx, message, &Reply::Status(Status::Held), now, seed)?;
            return Ok(Held { message, duplicate: false, claim: None });
        }
    };
    let id = match calling::open_notification(tx, &recipient)? {
        Some(open) => {
            let id = open.id;
            calling::apply(tx, open, Event::MessageHeld, now, policy, Some(message), seed)?;
            id
        }
        None => {
            let history = calling::history(tx, &recipient, number.as_str(), now)?;
            let (notification, notices) = open(tx, number, now, policy, &person, &history)?;
            calling::tell(tx, &notification, &notices, Some(message), now, seed)?;
            notification.id
        }
    };
    tx.wake_due();
    let claim = if room > 0 { calling::claim(tx, id, now, policy, seed)? } else { None };
    Ok(Held { message, duplicate: false, claim })
}

fn open(
    tx: &Room<'_>,
    number: crate::phone_number::PhoneNumber,
    now: Timestamp,
    policy: &Policy,
    person: &crate::subscriber::Subscriber,
    history: &History,
) -> Result<(Notification, Vec<Notice>), StoreError> {
    let rules = crate::notification::lifecycle::Rules { policy, person, history };
    let (mut notification, notices) = Notification::open(NotificationId(0), number, now, &rules);
    let State::Waiting(slot) = notification.state else { unreachable!("a new notification waits") };
    tx.db
        .prepare_cached(
            "INSERT INTO notifications (recipient, number, state, due, why) VALUES (?1, ?2, 'waiting', ?3, ?4)",
        )?
        .execute(params![
            notification.recipient.as_str(),
            notification.number.as_str(),
            ms(slot.at),
            super::rows::wait_word(slot.why)
        ])?;
    notification.id = NotificationId(tx.db.last_insert_rowid());
    Ok((notification, notices))
}

fn repeated(
    tx: &Room<'_>,
    sender: &BareJid,
    recipient: &BareJid,
    id: &str,
) -> Result<Option<MessageId>, StoreError> {
    let mut find = tx.db.prepare_cached(
        "SELECT id FROM messages WHERE sender_bare = ?1 AND recipient = ?2 AND stanza_id = ?3",
    )?;
    let known =
        find.query_row([sender.as_str(), recipient.as_str(), id], |row| row.get(0).map(MessageId));
    Ok(known.optional()?)
}

/// Nobody fills the disk: neither one sender, nor all of them for one person.
fn bounded(tx: &Room<'_>, sender: &BareJid, recipient: &BareJid) -> Result<(), StoreError> {
    let mut count = tx.db.prepare_cached(
        "SELECT count(*), coalesce(sum(sender_bare = ?2), 0) FROM messages WHERE recipient = ?1 AND delivered IS NULL AND gone IS NULL",
    )?;
    let (all, of_sender): (u32, u32) = count
        .query_row([recipient.as_str(), sender.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if all >= HELD_PER_RECIPIENT_MAX || of_sender >= HELD_PER_SENDER_MAX {
        Err(StoreError::Full)
    } else {
        Ok(())
    }
}

pub(super) fn came_online(
    tx: &Room<'_>,
    recipient: &BareJid,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<usize, StoreError> {
    if let Some(open) = calling::open_notification(tx, recipient)? {
        calling::apply(tx, open, Event::CameOnline, now, policy, None, seed)?;
    }
    let held: Vec<(i64, bool)> = tx
        .db
        .prepare_cached(
            "SELECT id, heard IS NULL FROM messages WHERE recipient = ?1 AND delivered IS NULL AND gone IS NULL ORDER BY id",
        )?
        .query_map([recipient.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut delivered = tx.db.prepare_cached("UPDATE messages SET delivered = ?2 WHERE id = ?1")?;
    for &(id, unheard) in &held {
        delivered.execute(params![id, ms(now)])?;
        replies::owe(tx, MessageId(id), &Reply::Delivery, now, seed)?;
        if unheard {
            replies::owe(tx, MessageId(id), &Reply::Status(Status::Delivered), now, seed)?;
        }
    }
    Ok(held.len())
}

pub(super) fn switch(
    tx: &Room<'_>,
    jid: &BareJid,
    offline: WhenOffline,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<(), StoreError> {
    people::switch(tx.db, jid, offline)?;
    if offline == WhenOffline::Store
        && let Some(open) = calling::open_notification(tx, jid)?
    {
        calling::apply(tx, open, Event::SwitchedOff, now, policy, None, seed)?;
    }
    Ok(())
}

pub(super) fn expire(
    tx: &Room<'_>,
    now: Timestamp,
    policy: &Policy,
    seed: &mut Seed,
) -> Result<usize, StoreError> {
    let oldest = now.saturating_sub(policy.keep).unwrap_or(Timestamp::MIN);
    let old: Vec<(i64, String, bool)> = tx
        .db
        .prepare_cached(
            "SELECT id, recipient, heard IS NULL FROM messages WHERE received < ?1 AND delivered IS NULL AND gone IS NULL ORDER BY id LIMIT 1000",
        )?
        .query_map([ms(oldest)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (id, recipient, unheard) in &old {
        let_go(tx, MessageId(*id), "expired", now)?;
        if *unheard {
            replies::owe(tx, MessageId(*id), &Reply::Status(Status::Expired), now, seed)?;
        }
        let recipient = recipient.parse().or(Err(StoreError::Damaged("recipient")))?;
        calling::close_if_nothing_left(tx, &recipient, now, policy, seed)?;
    }
    Ok(old.len())
}

/// Ends the holding of a message and forgets its text.
pub(super) fn let_go(
    tx: &Room<'_>,
    id: MessageId,
    fate: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.db
        .prepare_cached(
            "UPDATE messages SET gone = ?2, fate = ?3, body = '', stanza = '' WHERE id = ?1",
        )?
        .execute(params![id.0, ms(now), fate])?;
    Ok(())
}

const HELD_PER_RECIPIENT_MAX: u32 = 10_000;
const HELD_PER_SENDER_MAX: u32 = 1_000;
