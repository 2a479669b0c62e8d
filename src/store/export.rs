//! Everything stored about a person, shown; and the one list of where that is.

use std::path::Path;

use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use xmpp_parsers::jid::BareJid;

use super::{StoreError, sqlite};

/// Everything that is stored about a person.
pub fn export(path: &Path, jid: &BareJid) -> Result<Value, StoreError> {
    let conn = sqlite::open_to_read(path)?;
    conn.execute_batch("BEGIN")?;
    let mut all = Map::new();
    for PersonalTable { name, whose, .. } in PERSONAL_TABLES {
        let mut find = conn.prepare(&format!("SELECT * FROM {name} WHERE {whose}"))?;
        let columns: Vec<String> =
            find.column_names().iter().map(|name| (*name).to_owned()).collect();
        let rows = find.query_map([jid.as_str()], |row| {
            let mut shown = Map::new();
            for (place, column) in columns.iter().enumerate() {
                shown.insert(column.clone(), plain(row.get_ref(place)?));
            }
            Ok(Value::Object(shown))
        })?;
        all.insert((*name).to_owned(), Value::Array(rows.collect::<Result<_, _>>()?));
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

/// A table that can hold something about a person.
pub(super) struct PersonalTable {
    pub(super) name: &'static str,
    /// Which rows are about the person `?1`.
    pub(super) whose: &'static str,
    /// How they go when the person is erased.
    pub(super) erased: Erased,
}

/// How rows about a person go.
#[derive(PartialEq, Eq)]
pub(super) enum Erased {
    /// They are deleted.
    Deleted,
    /// They go with the message that they belong to: by its foreign key, or by a trigger.
    WithMessage,
    /// They stay, as limits are counted in them or they are the audit; the JIDs go by this.
    Unnamed(&'static str),
    /// A row of somebody whom the operator has configured keeps what is configured.
    OwnSettings,
}

/// Every table that can hold something about a person, in the order in which it is erased. A test holds this list to the
/// schema.
pub(super) const PERSONAL_TABLES: &[PersonalTable] = {
    use Erased::{Deleted, OwnSettings, Unnamed, WithMessage};
    const fn of(name: &'static str, whose: &'static str, erased: Erased) -> PersonalTable {
        PersonalTable { name, whose, erased }
    }
    &[
        of("recordings", "recipient = ?1 OR sender = ?1", Deleted),
        of("replies", OF_THEIR_MESSAGES, WithMessage),
        of("events", OF_THEIR_MESSAGES, WithMessage),
        of("message_ids", OF_THEIR_MESSAGES, WithMessage),
        of("attempt_messages", OF_THEIR_MESSAGES, WithMessage),
        of("tallies", "kind <> 'all' AND jid = ?1", WithMessage),
        of("messages", "recipient = ?1 OR sender_bare = ?1", Deleted),
        of("attempts", "recipient = ?1", Deleted),
        of("notifications", "recipient = ?1", Deleted),
        of("begun_deliveries", "recipient = ?1", Deleted),
        of("ring_askers", OF_THEIR_RINGS, Unnamed("asker_jid = NULL")),
        of("rings", "callee_jid = ?1", Unnamed("callee_jid = NULL")),
        of("audit", "who_jid = ?1 OR about_jid = ?1", Unnamed(OUT_OF_THE_AUDIT)),
        of("alerts", "reader = ?1 OR person = ?1 OR sender = ?1", Deleted),
        of("consents", "jid = ?1", Deleted),
        of("subscribers", "jid = ?1", OwnSettings),
        of("sender_rules", "person = ?1 OR sender = ?1", Deleted),
        of("verifications", "jid = ?1", Deleted),
        of("wrong_pins", "jid = ?1", Deleted),
        of("erasures", "jid = ?1", Deleted),
    ]
};
const OUT_OF_THE_AUDIT: &str =
    "resource = iif(who_jid = ?1, NULL, resource), who_jid = nullif(who_jid, ?1),
    about_jid = nullif(about_jid, ?1)";
const OF_THEIR_MESSAGES: &str =
    "message IN (SELECT id FROM messages WHERE recipient = ?1 OR sender_bare = ?1)";
/// Who has made a person's phone ring is told of that person, too.
const OF_THEIR_RINGS: &str = "asker_jid = ?1 OR (asker_jid IS NOT NULL AND ring IN (SELECT id FROM rings WHERE callee_jid = ?1))";
