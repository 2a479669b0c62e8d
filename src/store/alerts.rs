//! What operators and people are to be told: written down with what has caused it, once in a span, and told once.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use xmpp_parsers::jid::BareJid;

use super::columns::{Columns, misfit};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::alert::{Alert, AlertTo, DayLimit};

impl Store {
    /// Gives what is to be told now, and counts it as told.
    pub async fn take_alerts(&self, now: impl Into<Moment>) -> Result<Vec<AlertTo>, StoreError> {
        self.ask_at(now, |transaction, now| transaction.take_alerts(now)).await
    }

    /// A trunk is passed over, or carries calls again.
    pub async fn trunk_changed(
        &self,
        trunk: String,
        works: bool,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.trunk_changed(&trunk, works, now))
            .await
    }
}

impl Transaction<'_> {
    /// Tells the operators, unless they were told the same, or of more, in this span. Tells whether it does.
    pub(super) fn alert(
        &self,
        alert: &Alert,
        span: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.alert_once(None, alert, "", span, now)
    }

    /// Tells one person in the same way.
    pub(super) fn alert_person(
        &self,
        reader: &BareJid,
        alert: &Alert,
        span: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.alert_once(Some(reader), alert, "", span, now)
    }

    /// As [`Transaction::alert`] about a number, by its keyed hash.
    pub(super) fn alert_once(
        &self,
        reader: Option<&BareJid>,
        alert: &Alert,
        number: &str,
        span: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = AlertRow::of(alert);
        let since = self.ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN));
        let sql =
            "SELECT 1 FROM alerts WHERE kind = ? AND subject = ? AND counted > ? AND number = ?
                       AND reader IS ? AND person IS ? AND sender IS ? AND amount >= ?";
        let reader = reader.map(|it| it.as_str());
        let values = params![
            row.kind,
            row.subject,
            since,
            number,
            reader,
            row.person,
            row.sender,
            row.share()
        ];
        if self.conn.prepare_cached(sql)?.exists(values)? {
            return Ok(false);
        }
        self.write_alert(reader, &row, number, now, now)?;
        Ok(true)
    }

    fn write_alert(
        &self,
        reader: Option<&str>,
        row: &AlertRow<'_>,
        number: &str,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO alerts (reader, kind, subject, number, person, sender, amount, most, counted, due)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let AlertRow { kind, subject, person, sender, amount, most } = *row;
        let (counted, due) = (self.ahead.counted(now), self.ahead.counted(due));
        insert.execute(params![
            reader, kind, subject, number, person, sender, amount, most, counted, due
        ])?;
        Ok(())
    }

    /// One that fails again within the hour is told of at its end, if it still fails then.
    pub(super) fn trunk_changed(
        &self,
        trunk: &str,
        works: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "SELECT kind, told FROM alerts WHERE kind IN ('trunk_failed', 'trunk_works')
                       AND subject = ? ORDER BY id DESC LIMIT 1";
        let mut find = self.conn.prepare_cached(sql)?;
        let last: Option<(String, Option<i64>)> =
            find.query_row([trunk], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let is_failed = last.as_ref().is_some_and(|(kind, _)| kind == "trunk_failed");
        if works != is_failed {
            return Ok(());
        }
        if works && last.is_some_and(|(_, told)| told.is_none()) {
            let sql =
                "DELETE FROM alerts WHERE kind = 'trunk_failed' AND subject = ? AND told IS NULL";
            self.conn.prepare_cached(sql)?.execute([trunk])?;
            return Ok(());
        }
        let alert = match works {
            true => Alert::TrunkWorks(trunk.to_owned()),
            false => Alert::TrunkFailed(trunk.to_owned()),
        };
        let sql =
            "SELECT max(counted) AS at FROM alerts WHERE kind = 'trunk_failed' AND subject = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let before = find.query_row([trunk], |row| row.maybe_time("at"))?;
        let due = before
            .filter(|_| !works)
            .and_then(|at| self.ahead.wall(at).checked_add(HOUR).ok())
            .map_or(now, |at| at.max(now));
        self.write_alert(None, &AlertRow::of(&alert), "", due, now)
    }

    /// Gives what is to be told now, and counts it as told.
    pub(super) fn take_alerts(&self, now: Timestamp) -> Result<Vec<AlertTo>, StoreError> {
        let counted = self.ahead.counted(now);
        let sql = "SELECT * FROM alerts WHERE told IS NULL AND due <= ? ORDER BY id LIMIT ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(params![counted, ALERTS_AT_ONCE_MAX], |row| {
            Ok((row.get::<_, i64>("id")?, alert_to(row)?))
        })?;
        let found: Vec<(i64, AlertTo)> = found.collect::<Result<_, _>>()?;
        let mut told = self.conn.prepare_cached("UPDATE alerts SET told = ? WHERE id = ?")?;
        for (id, _) in &found {
            told.execute([counted, *id])?;
        }
        Ok(found.into_iter().map(|(_, alert)| alert).collect())
    }

    /// A PIN that is new was guessed at by nobody.
    pub(super) fn forget_alerts_of_pin(&self, jid: &BareJid) -> Result<(), StoreError> {
        let sql = "DELETE FROM alerts WHERE told IS NOT NULL AND (
                       kind IN ('wrong_pin', 'your_pin_locked') AND reader = ?1
                       OR kind = 'pin_locked' AND person = ?1)";
        self.conn.prepare_cached(sql)?.execute([jid.as_str()])?;
        Ok(())
    }

    /// Erases alerts that no span counts any more.
    pub(super) fn forget_alerts(&self, before: i64, limit: i64) -> Result<(), StoreError> {
        self.conn.execute(
            "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE told IS NOT NULL AND counted <= ? LIMIT ?)",
            [before, limit],
        )?;
        Ok(())
    }
}

/// An alert as its row has it.
struct AlertRow<'a> {
    kind: &'static str,
    subject: &'a str,
    person: Option<&'a str>,
    sender: Option<&'a str>,
    amount: u32,
    most: u32,
}

impl<'a> AlertRow<'a> {
    fn of(alert: &'a Alert) -> Self {
        let plain =
            |kind| Self { kind, subject: "", person: None, sender: None, amount: 0, most: 0 };
        match alert {
            Alert::Limit { limit, percent, max } => {
                let (kind, subject) = match limit {
                    DayLimit::Calls(prefix) => ("calls", prefix),
                    DayLimit::Minutes(prefix) => ("minutes", prefix),
                };
                Self { subject, amount: *percent, most: *max, ..plain(kind) }
            }
            Alert::CodesNotEntered(codes) => Self { amount: *codes, ..plain("codes") },
            Alert::NumberAskedFor { area, accounts } => {
                Self { subject: area, amount: *accounts, ..plain("number") }
            }
            Alert::PinLocked(person) => {
                Self { person: Some(person.as_str()), ..plain("pin_locked") }
            }
            Alert::WrongPin => plain("wrong_pin"),
            Alert::YourPinLocked => plain("your_pin_locked"),
            Alert::TrunkFailed(trunk) => Self { subject: trunk, ..plain("trunk_failed") },
            Alert::TrunkWorks(trunk) => Self { subject: trunk, ..plain("trunk_works") },
            Alert::Reported { sender, by } => Self {
                person: Some(by.as_str()),
                sender: Some(sender.as_str()),
                ..plain("reported")
            },
        }
    }

    /// Only more of a limit is news; of the rest it is told that it happens.
    fn share(&self) -> u32 {
        if matches!(self.kind, "calls" | "minutes") { self.amount } else { 0 }
    }
}

fn alert_to(row: &Row<'_>) -> rusqlite::Result<AlertTo> {
    let (kind, subject): (String, String) = (row.get("kind")?, row.get("subject")?);
    let (amount, most): (u32, u32) = (row.get("amount")?, row.get("most")?);
    let person = || row.parsed::<BareJid>("person");
    let alert = match kind.as_str() {
        "calls" => Alert::Limit { limit: DayLimit::Calls(subject), percent: amount, max: most },
        "minutes" => Alert::Limit { limit: DayLimit::Minutes(subject), percent: amount, max: most },
        "codes" => Alert::CodesNotEntered(amount),
        "number" => Alert::NumberAskedFor { area: subject, accounts: amount },
        "pin_locked" => Alert::PinLocked(person()?),
        "wrong_pin" => Alert::WrongPin,
        "your_pin_locked" => Alert::YourPinLocked,
        "trunk_failed" => Alert::TrunkFailed(subject),
        "trunk_works" => Alert::TrunkWorks(subject),
        "reported" => Alert::Reported { sender: row.parsed("sender")?, by: person()? },
        _ => return Err(misfit("kind")),
    };
    Ok(AlertTo { reader: row.maybe_parsed("reader")?, alert })
}

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
/// The rest follows with the next look.
const ALERTS_AT_ONCE_MAX: i64 = 20;
