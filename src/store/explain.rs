//! Why a message would ring now, or would not: each rule with what decided it, and nothing is changed.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use xmpp_parsers::jid::BareJid;

use super::ledger::Ledger;
use super::subscribers::Acquaintances;
use super::{StoreError, sqlite};
use crate::notification::lifecycle::Notification;
use crate::notification::policy::{Decision, Policy, Sender};
use crate::notification::{NotificationId, Wait};
use crate::seed::Seed;
use crate::subscriber::{Senders, Subscriber, WhenOffline};

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

/// Asks each rule in order about a message that came this moment.
///
/// `configured` are the people of the configuration: a store that no daemon has opened yet does not know them.
pub fn explain(
    path: &Path,
    policy: &Policy,
    configured: &[Subscriber],
    from: &BareJid,
    to: &BareJid,
    now: Timestamp,
) -> Result<Vec<Ruled>, StoreError> {
    let conn = sqlite::open_to_read(path)?;
    let (mut policy, mut seed) = (policy.clone(), Seed::fresh());
    let known = Acquaintances::default();
    let ledger = Ledger::new(&conn, &mut policy, &mut seed, &known);
    ledger.policy.suspended = ledger.is_suspended()?;
    let mut told = vec![];
    let mut tell = |rule: &str, because: String, rings: bool| {
        told.push(Ruled { rule: rule.to_owned(), because, rings });
    };
    let known = ledger.subscriber(to)?;
    let known = known.or_else(|| configured.iter().find(|person| person.jid == *to).cloned());
    let Some(person) = known else {
        tell("person", format!("{to} is unknown here"), false);
        return Ok(told);
    };
    tell("person", format!("{to} is known"), true);
    let is_phone = person.offline == WhenOffline::Phone;
    tell("offline", (if is_phone { "phone" } else { "store" }).into(), is_phone);
    let Some(number) = person.number.clone() else {
        tell("number", "none is set".into(), false);
        return Ok(told);
    };
    tell("number", "one is set".into(), true);
    let dialled = ledger.policy.may_dial(&number);
    tell(
        "dial.allow, dial.deny",
        (if dialled { "allowed" } else { "not allowed" }).into(),
        dialled,
    );
    let suspended = ledger.policy.suspended;
    tell(
        "suspend",
        (if suspended { "all calls are stopped" } else { "calls go on" }).into(),
        !suspended,
    );
    let rule = ledger.rule_for(to, from)?;
    let wanted = person.senders.unwrap_or(ledger.policy.senders);
    let sender =
        Sender { jid: from, is_contact: false, is_program: false, rule, wanted: person.senders };
    let may = from == to || ledger.policy.may_ring(&sender, to);
    let because = match (rule, wanted) {
        (Some(rule), _) => format!("{rule:?} for {from}").to_lowercase(),
        (None, Senders::Domain) => "people of the person's own domain".into(),
        (None, Senders::Contacts) => {
            "contacts only; whether this is one is told by the server with each message it hands over".into()
        }
        (None, Senders::Everyone) => "everyone".into(),
    };
    tell("senders", because, may);
    let open = ledger.open_notification(to)?;
    let fresh = Notification::open(NotificationId(0), to.clone(), number, now);
    let notification = open.unwrap_or(fresh);
    let history = ledger.history(&notification, now)?;
    let (rulings, decision) = ledger.policy.rulings(&notification.past, &history, now);
    let zone = person.time_zone.as_ref().unwrap_or(&ledger.policy.zone);
    for ruling in rulings {
        let later = ruling.until.filter(|until| *until > now);
        let because =
            later.map_or("no wait".into(), |until| format!("until {}", local(until, zone)));
        tell(&ruling.rule.to_string(), because, later.is_none());
    }
    let (because, rings) = match decision {
        Decision::Call { at, why: Wait::Gathering } if at > now => {
            (format!("it rings at {}, after dial.wait_s", local(at, zone)), true)
        }
        Decision::Call { at, .. } if at > now => {
            (format!("it rings at {}", local(at, zone)), false)
        }
        Decision::Call { .. } => ("it rings now".into(), true),
        Decision::Never(_) => ("it does not ring".into(), false),
    };
    let all = told.iter().all(|ruled| ruled.rings || ruled.rule.starts_with("dial.wait_s"));
    told.push(Ruled {
        rule: "so".into(),
        because: if all {
            format!("if {to} cannot be reached in chat, {because}")
        } else {
            "it does not ring now".into()
        },
        rings: rings && all,
    });
    Ok(told)
}

/// Everything that is stored about a person.
pub fn export(path: &Path, jid: &BareJid) -> Result<Value, StoreError> {
    let conn = sqlite::open_to_read(path)?;
    let mut all = Map::new();
    for (table, whose) in TABLES {
        let mut find = conn.prepare(&format!("SELECT * FROM {table} WHERE {whose}"))?;
        let columns: Vec<String> =
            find.column_names().iter().map(|name| (*name).to_owned()).collect();
        let rows = find.query_map([jid.as_str()], |row| {
            let mut shown = Map::new();
            for (place, column) in columns.iter().enumerate() {
                shown.insert(column.clone(), plain(row.get_ref(place)?));
            }
            Ok(Value::Object(shown))
        })?;
        all.insert(table.to_owned(), Value::Array(rows.collect::<Result<_, _>>()?));
    }
    Ok(json!({ "jid": jid.as_str(), "stored": all }))
}

fn plain(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => json!({ "octets": bytes.len() }),
    }
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Every table that names people, and which rows are about one.
const TABLES: [(&str, &str); 8] = [
    ("subscribers", "jid = ?1"),
    ("sender_rules", "person = ?1 OR sender = ?1"),
    ("verifications", "jid = ?1"),
    ("messages", "recipient = ?1 OR sender_bare = ?1"),
    ("notifications", "recipient = ?1"),
    ("attempts", "recipient = ?1"),
    ("recordings", "recipient = ?1 OR sender = ?1"),
    ("replies", "message IN (SELECT id FROM messages WHERE recipient = ?1 OR sender_bare = ?1)"),
];
