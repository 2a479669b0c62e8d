//! Why a message would ring now, or would not, and why a held one does not: the rules asked beside the daemon.
//! Nothing is changed.

pub mod day;

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};
use xmpp_parsers::jid::BareJid;

use super::columns::Columns;
use super::counted_time::{Ahead, CountedTime};
use super::subscriber_cache::SubscriberCache;
use super::transaction::Transaction;
use super::{StoreError, sqlite};
use crate::notification::lifecycle::{Closing, State};
use crate::notification::policy::Policy;
use crate::notification::rules::{
    Call, Decision, Judgement, Past, Plan, Rule, Ruling, Sender, Verdict,
};
use crate::notification::{MessageId, Wait};
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::subscriber::Subscriber;

/// One rule, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruled {
    /// The rule.
    pub rule: String,
    /// What decided.
    pub because: String,
    /// Whether it lets the phone ring now.
    pub rings: bool,
}

/// What the rules say about a message that would come this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Each rule in order, and last what follows.
    pub rules: Vec<Ruled>,
    /// What follows.
    pub call: Call,
    /// The rule that would keep the phone from ringing now.
    pub kept_by: Option<Ruling>,
    /// What was taken to be true of the sender.
    pub sender: KnownSender,
}

/// What the store knows of a sender from the messages that it has.
///
/// The server and the sender's client tell this with each message, so that the next one may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownSender {
    /// The last message whose sender was asked said that it is a program; `None` if the store has none.
    pub is_program: Option<bool>,
    /// The last message to this recipient came from a contact; `None` if the store has none.
    pub is_contact: Option<bool>,
}

/// Asks each rule in order about a message that came this moment.
///
/// `configured` are the people of the configuration: a store that no daemon has opened yet does not know them.
/// Without a store there is no history, which is what the rules are told.
pub fn explain(
    path: &Path,
    policy: &Policy,
    configured: &[Subscriber],
    from: &BareJid,
    to: &BareJid,
    now: Timestamp,
) -> Result<Explanation, StoreError> {
    look(path, policy, |transaction| transaction.explain(configured, from, to, now))
}

/// For each message, the rule that keeps the phone from ringing for it now; `None` where no call is to be made any more
/// or the phone may ring.
pub fn kept_by(
    path: &Path,
    policy: &Policy,
    messages: &[MessageId],
    now: Timestamp,
) -> Result<Vec<Option<String>>, StoreError> {
    look(path, policy, |transaction| {
        messages.iter().map(|message| transaction.keeper_of(*message, now)).collect()
    })
}

/// The rule of time that keeps a call to this number from being made now, whoever causes it.
pub fn call_kept_by(
    path: &Path,
    policy: &Policy,
    number: &PhoneNumber,
    now: Timestamp,
) -> Result<Option<Rule>, StoreError> {
    look(path, policy, |transaction| {
        let history = transaction.calls_to(number, now)?;
        Ok(match policy.next_call(&Past::default(), &history, now) {
            Decision::Call { at, by } => (at > now).then_some(by),
            Decision::Never(never) => Some(Rule::Never(never)),
        })
    })
}

/// Lends the tables as they are at one moment.
fn look<T>(
    path: &Path,
    policy: &Policy,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let conn: Connection = match sqlite::open_to_read(path) {
        Err(StoreError::Missing(_)) => sqlite::empty()?,
        opened => opened?,
    };
    conn.execute_batch("BEGIN")?;
    let (mut policy, mut seed) = (policy.clone(), Seed::fresh());
    let cache = SubscriberCache::default();
    let mut time = CountedTime::default();
    let mut transaction = Transaction::new(&conn, &mut policy, &mut seed, &cache, &mut time);
    transaction.ahead = Ahead::read(&conn)?;
    transaction.policy.suspended = transaction.is_suspended()?;
    work(&transaction)
}

impl Transaction<'_> {
    fn explain(
        &self,
        configured: &[Subscriber],
        from: &BareJid,
        to: &BareJid,
        now: Timestamp,
    ) -> Result<Explanation, StoreError> {
        let known = self.subscriber(to)?;
        let callee = known.or_else(|| configured.iter().find(|person| person.jid == *to).cloned());
        let zone = callee.as_ref().and_then(|callee| callee.time_zone.clone());
        let zone = zone.unwrap_or_else(|| self.policy.zone.clone());
        let known = self.known_sender(from, to)?;
        let sender = Sender {
            jid: from,
            recipient: to,
            is_contact: known.is_contact.unwrap_or(false),
            is_program: Some(known.is_program.unwrap_or(false)),
            rule: self.rule_for(to, from)?,
        };
        let open = self.open_notification(to)?;
        let judged = self.judge_message(sender, None, callee, open.as_ref(), now)?;
        let kept_by = judged.judgement.keeper(now);
        let rules = rows(&judged.judgement, known, to, &zone, now);
        Ok(Explanation { rules, call: judged.judgement.call, kept_by, sender: known })
    }

    fn known_sender(&self, from: &BareJid, to: &BareJid) -> Result<KnownSender, StoreError> {
        let sql =
            "SELECT from_program FROM messages WHERE sender_bare = ? AND awaiting_sender_check = 0
                   ORDER BY id DESC LIMIT 1";
        let is_program =
            self.conn.prepare_cached(sql)?.query_row([from.as_str()], |row| row.get(0));
        let sql = "SELECT from_contact FROM messages WHERE recipient = ? AND sender_bare = ?
                   ORDER BY id DESC LIMIT 1";
        let values = [to.as_str(), from.as_str()];
        let is_contact = self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0));
        Ok(KnownSender { is_program: is_program.optional()?, is_contact: is_contact.optional()? })
    }

    fn keeper_of(&self, message: MessageId, now: Timestamp) -> Result<Option<String>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT recipient, sender_bare, from_contact, from_program, awaiting_sender_check, declined IS NOT NULL AS declined,
                 ended IS NOT NULL OR heard IS NOT NULL OR answered IS NOT NULL AS done,
                 EXISTS (SELECT 1 FROM attempt_messages WHERE message = messages.id) AS called
             FROM messages WHERE id = ?",
        )?;
        let found = find.query_row([message.0], |row| {
            let people =
                (row.parsed::<BareJid>("recipient")?, row.parsed::<BareJid>("sender_bare")?);
            let asked: bool = row.get("awaiting_sender_check")?;
            let is_program: bool = row.get("from_program")?;
            let known = (row.get("from_contact")?, (!asked).then_some(is_program));
            Ok((people, known, row.get("declined")?, row.get("done")?, row.get("called")?))
        });
        let Some(((to, from), known, declined, done, called)) = found.optional()? else {
            return Ok(None);
        };
        let (is_contact, is_program): (bool, Option<bool>) = known;
        let (declined, done, called): (bool, bool, bool) = (declined, done, called);
        if done {
            return Ok(None);
        }
        let callee = self.subscriber(&to)?;
        if declined && called {
            return Ok(Some(
                "last call: the callee declined or passed the message over".to_owned(),
            ));
        }
        let rule = self.rule_for(&to, &from)?;
        let sender = Sender { jid: &from, recipient: &to, is_contact, is_program, rule };
        let open = self.open_notification(&to)?;
        let plan = match open.as_ref().map(|open| open.state) {
            Some(State::Calling { .. }) => Plan::Calling,
            Some(State::Waiting { due, why }) => Plan::Call { due, why },
            Some(State::Closed(_)) | None => Plan::Open,
        };
        let judged = self.judge(&to, Some(sender), callee, open.as_ref(), plan, now)?;
        let judgement = judged.judgement;
        if declined && !judgement.refuses_sender() {
            return Ok(Some("senders: as they were set when the message came".to_owned()));
        }
        match judgement.keeper(now) {
            // Nothing is planned although the rules would let the phone ring: the calls are over.
            kept if open.is_none() && is_program.is_some() && !declined => {
                let closed = self.last_closing(&to)?;
                Ok(closed.map(closing_words).or(kept.map(|kept| kept.to_string())))
            }
            kept => Ok(kept.map(|kept| kept.to_string())),
        }
    }

    /// Why the last notification of a person was closed.
    fn last_closing(&self, recipient: &BareJid) -> Result<Option<Closing>, StoreError> {
        let sql = "SELECT closing FROM notifications WHERE recipient = ? ORDER BY id DESC LIMIT 1";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_row(params![recipient.as_str()], |row| row.maybe_word("closing"));
        Ok(found.optional()?.flatten())
    }
}

fn closing_words(closing: Closing) -> String {
    match closing {
        Closing::GaveUp => "dial.attempts: used up",
        Closing::Declined => "last call: the callee declined",
        Closing::WrongNumber => "last call: nobody is at this number",
        Closing::SwitchedOff => "offline: store",
        Closing::Unreachable => "number: none is set, or it may not be dialled",
        Closing::Done | Closing::Online => "no call is planned until a further message comes",
    }
    .to_owned()
}

fn rows(
    judgement: &Judgement,
    known: KnownSender,
    to: &BareJid,
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Ruled> {
    let mut rows = vec![];
    for Ruling { rule, verdict } in &judgement.rulings {
        if matches!(rule, Rule::Sender(_)) {
            let (rule, because) = ("sender".to_owned(), known.words());
            rows.push(Ruled { rule, because, rings: true });
        }
        let (because, rings) = match (verdict, rule.value()) {
            (Verdict::Until(until), value) if *until > now => {
                let until = format!("until {}", local(*until, zone));
                (value.map_or(until.clone(), |value| format!("{value}, {until}")), false)
            }
            (verdict, value) => {
                let passes = matches!(verdict, Verdict::Pass | Verdict::Until(_));
                (value.unwrap_or_else(|| "no wait".to_owned()), passes)
            }
        };
        rows.push(Ruled { rule: rule.to_string(), because, rings });
    }
    let kept_by = judgement.keeper(now);
    let (follows, rings) = match (judgement.call, kept_by) {
        (Call::Refused(rule), _) => (format!("no call is made for it, by the rule: {rule}"), false),
        (Call::Joins, _) => ("the call that is being made may read it".to_owned(), true),
        (Call::At { .. }, Some(Ruling { rule, verdict: Verdict::Stopped })) => {
            (format!("it does not ring for now, by the rule: {rule}"), false)
        }
        (Call::At { at, by }, Some(_)) => {
            let gathers = by.wait() == Wait::Gathering;
            (format!("it rings at {}, by the rule: {by}", local(at, zone)), gathers)
        }
        (Call::At { .. }, None) => ("it rings now".to_owned(), true),
    };
    let because = format!("if {to} cannot be reached in chat, {follows}");
    rows.push(Ruled { rule: "so".to_owned(), because, rings });
    rows
}

impl KnownSender {
    fn words(self) -> String {
        let program = match self.is_program {
            Some(true) => "said with the last message to be a program",
            Some(false) => "has not said with the last message to be a program",
            None => {
                "no message of theirs is in the store: whether they are a program is asked when they write"
            }
        };
        let contact = match self.is_contact {
            Some(true) => "the last message here came from a contact",
            Some(false) => "the last message here was not marked as a contact's",
            None => "whether they are a contact is told by the server with a message it hands over",
        };
        format!("{program}; {contact}")
    }
}

/// A time with its zone, such as `2026-11-24 08:00:00 Asia/Tokyo`.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Q").to_string()
}

#[cfg(test)]
mod tests;
