//! The settings table.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use crate::subscriber::{Quiet, Subscriber, WhenOffline};

pub(super) fn find(db: &Connection, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE jid = ?1 AND configured");
    db.prepare_cached(&sql)?.query_row([jid.as_str()], |row| Ok(read(row))).optional()?.transpose()
}

/// Anyone who has ever had a message held, also those whom `component.toml` no longer names.
pub(super) fn find_past(db: &Connection, jid: &BareJid) -> Result<Subscriber, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE jid = ?1");
    db.prepare_cached(&sql)?.query_row([jid.as_str()], |row| Ok(read(row)))?
}

pub(super) fn all(db: &Connection) -> Result<Vec<Subscriber>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE configured ORDER BY jid");
    db.prepare_cached(&sql)?.query_map([], |row| Ok(read(row)))?.map(|row| row?).collect()
}

pub(super) fn configure(db: &Connection, people: &[Subscriber]) -> Result<(), StoreError> {
    db.execute("UPDATE people SET configured = 0", [])?;
    let mut put = db.prepare_cached(
        "INSERT INTO people (jid, name, number, offline, language, quiet, time_zone, configured) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1) \
         ON CONFLICT (jid) DO UPDATE SET name = excluded.name, number = excluded.number, offline = excluded.offline, \
         language = excluded.language, quiet = excluded.quiet, time_zone = excluded.time_zone, configured = 1",
    )?;
    for person in people {
        put.execute(params![
            person.jid.as_str(),
            person.name,
            person.number.as_ref().map(|number| number.as_str()),
            offline_word(person.offline),
            person.language,
            person.quiet.map(|quiet| match quiet {
                Quiet::Never => String::new(),
                Quiet::Daily(hours) => hours.to_string(),
            }),
            person.time_zone.as_ref().and_then(|zone| zone.iana_name().map(str::to_owned)),
        ])?;
    }
    Ok(())
}

pub(super) fn switch(
    db: &Connection,
    jid: &BareJid,
    offline: WhenOffline,
) -> Result<(), StoreError> {
    db.execute(
        "UPDATE people SET switched = ?2 WHERE jid = ?1",
        params![jid.as_str(), offline_word(offline)],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Subscriber, StoreError> {
    let maybe = |at: usize| row.get::<_, Option<String>>(at);
    Ok(Subscriber {
        jid: row.get::<_, String>(0)?.parse().or(Err(StoreError::Damaged("person's JID")))?,
        name: row.get(1)?,
        number: maybe(2)?.map(|n| n.parse()).transpose().or(Err(StoreError::Damaged("number")))?,
        offline: match row.get::<_, String>(3)?.as_str() {
            "phone" => WhenOffline::Phone,
            _ => WhenOffline::Store,
        },
        language: maybe(4)?,
        quiet: match maybe(5)? {
            None => None,
            Some(none) if none.is_empty() => Some(Quiet::Never),
            Some(hours) => {
                Some(Quiet::Daily(hours.parse().or(Err(StoreError::Damaged("quiet hours")))?))
            }
        },
        time_zone: match maybe(6)? {
            None => None,
            Some(name) => Some(TimeZone::get(&name).or(Err(StoreError::Damaged("time zone")))?),
        },
    })
}

fn offline_word(offline: WhenOffline) -> &'static str {
    match offline {
        WhenOffline::Phone => "phone",
        WhenOffline::Store => "store",
    }
}

const COLUMNS: &str = "jid, name, number, coalesce(switched, offline), language, quiet, time_zone";
