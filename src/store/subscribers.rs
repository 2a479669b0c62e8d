//! Who can be phoned, as configured and as the person has switched it.

use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, Row, params};
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::Ledger;
use super::words::{Columns, Word, misfit, ms};
use crate::notification::lifecycle::Event;
use crate::subscriber::{Quiet, Subscriber, WhenOffline};

impl Ledger<'_> {
    pub(super) fn subscriber(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        let sql = "SELECT * FROM subscribers WHERE jid = ? AND known = 1";
        let mut find = self.conn.prepare_cached(sql)?;
        Ok(find.query_row([jid.as_str()], subscriber).optional()?)
    }

    pub(super) fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        let sql = "SELECT * FROM subscribers WHERE known = 1 ORDER BY jid";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map([], subscriber)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    pub(super) fn configure_subscribers(
        &mut self,
        subscribers: &[Subscriber],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.conn.execute("UPDATE subscribers SET known = 0", [])?;
        let mut write = self.conn.prepare_cached(
            "INSERT INTO subscribers (jid, name, number, offline, language, quiet, time_zone, known)
             VALUES (?, ?, ?, ?, ?, ?, ?, 1)
             ON CONFLICT (jid) DO UPDATE SET name = excluded.name, number = excluded.number,
                 offline = excluded.offline, language = excluded.language, quiet = excluded.quiet,
                 time_zone = excluded.time_zone, known = 1",
        )?;
        for person in subscribers {
            let quiet = person.quiet.map(|quiet| match quiet {
                Quiet::Never => NEVER_QUIET.to_owned(),
                Quiet::Daily(hours) => hours.to_string(),
            });
            write.execute(params![
                person.jid.as_str(),
                person.name,
                person.number.as_ref().map(|number| number.as_str()),
                person.offline.word(),
                person.language,
                quiet,
                person.time_zone.as_ref().and_then(zone_name),
            ])?;
        }
        self.replan(now)
    }

    /// Remembers the person's own choice, and ends what it forbids. Tells whether anything changed.
    pub(super) fn switch(
        &mut self,
        jid: &BareJid,
        offline: WhenOffline,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut update = self.conn.prepare_cached(
            "UPDATE subscribers SET switched = ?1, switched_at = ?2
             WHERE jid = ?3 AND coalesce(switched, offline) <> ?1",
        )?;
        let changed = update.execute(params![offline.word(), ms(now), jid.as_str()])? > 0;
        if offline == WhenOffline::Store
            && let Some(mut notification) = self.open_notification(jid)?
        {
            self.change(&mut notification, Event::SwitchedOff, now)?;
        }
        Ok(changed)
    }
}

fn subscriber(row: &Row<'_>) -> rusqlite::Result<Subscriber> {
    let quiet: Option<String> = row.get("quiet")?;
    let zone: Option<String> = row.get("time_zone")?;
    let offline = row.word("offline")?;
    Ok(Subscriber {
        jid: row.parsed("jid")?,
        name: row.get("name")?,
        number: row.maybe_parsed("number")?,
        offline: row.maybe_word("switched")?.unwrap_or(offline),
        language: row.get("language")?,
        quiet: match quiet.as_deref() {
            None => None,
            Some(NEVER_QUIET) => Some(Quiet::Never),
            Some(hours) => Some(Quiet::Daily(hours.parse().map_err(|_| misfit("quiet"))?)),
        },
        time_zone: zone
            .map(|zone| ZONES.parse_time_zone(&zone).map_err(|_| misfit("time_zone")))
            .transpose()?,
    })
}

/// An IANA name where there is one, else an offset or a POSIX rule.
fn zone_name(zone: &TimeZone) -> Option<String> {
    let mut name = String::new();
    DateTimePrinter::new().print_time_zone(zone, &mut name).ok()?;
    Some(name)
}

const ZONES: DateTimeParser = DateTimeParser::new();
const NEVER_QUIET: &str = "never";
