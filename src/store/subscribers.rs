//! Who can be phoned, as configured and as the person has switched it.

use std::collections::BTreeMap;
use std::slice::from_ref;

use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, Row, params};
use xmpp_parsers::jid::{BareJid, Jid};

use super::columns::{ColumnValue, Columns, misfit, ms};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::lifecycle::LifecycleEvent;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Pin, Quiet, SenderRule, Setting, Subscriber, WhenOffline};

/// A row of a person, and when they agreed to calls last.
macro_rules! person {
    () => {
        "SELECT *, (SELECT max(at) FROM consents WHERE consents.jid = subscribers.jid) AS agreed FROM subscribers"
    };
}

/// The same, to be followed by a condition.
pub(super) const PERSON: &str = person!();

impl Store {
    /// A person who can be phoned, as they or the operator have set it.
    pub async fn subscriber(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        let jid = jid.clone();
        self.ask(move |transaction| transaction.subscriber(&jid)).await
    }

    /// Everyone who can be phoned, by JID.
    pub async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        self.ask(|transaction| transaction.subscribers()).await
    }

    /// Takes over what the operator has configured. A person who is not among them is no longer phoned.
    ///
    /// Contract: what a person has switched stays as they switched it. Only people whose settings differ are written, and
    ///           only their calls planned anew; of many at once by [`Store::replan_wanted`].
    pub async fn configure_subscribers(
        &self,
        subscribers: Vec<Subscriber>,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| {
            transaction.configure_subscribers(&subscribers, now)
        })
        .await
    }

    /// Takes over what a person has set, all of it or nothing; `None` if they are unknown. What is planned changes with it.
    pub async fn set(
        &self,
        jid: &BareJid,
        settings: Vec<Setting>,
        now: impl Into<Moment>,
    ) -> Result<Option<Subscriber>, StoreError> {
        let jid = jid.clone();
        self.set_by(&Jid::from(jid), settings, now).await
    }

    /// As [`Store::set`], with the client by which it was set, for the audit.
    pub async fn set_by(
        &self,
        who: &Jid,
        settings: Vec<Setting>,
        now: impl Into<Moment>,
    ) -> Result<Option<Subscriber>, StoreError> {
        let who = who.clone();
        self.ask_at(now, move |transaction, now| transaction.set_by(&who, &settings, now)).await
    }

    /// Blocks a sender who is reported, and tells the operators; `None` if the person is unknown.
    pub async fn report(
        &self,
        who: &Jid,
        sender: BareJid,
        now: impl Into<Moment>,
    ) -> Result<Option<Subscriber>, StoreError> {
        let who = who.clone();
        self.ask_at(now, move |transaction, now| transaction.report(&who, &sender, now)).await
    }

    /// Up to `limit` of the rules that a person has set for single senders, by sender.
    pub async fn sender_rules(
        &self,
        person: &BareJid,
        limit: i64,
    ) -> Result<Vec<(BareJid, SenderRule)>, StoreError> {
        let person = person.clone();
        self.ask(move |transaction| transaction.sender_rules(&person, limit)).await
    }

    /// Remembers how a person has answered the request to see their presence.
    pub async fn presence_refused(&self, jid: &BareJid, refused: bool) -> Result<(), StoreError> {
        let jid = jid.clone();
        self.ask(move |transaction| transaction.presence_refused(&jid, refused)).await
    }

    /// Stops all calls, or lets them go on; that outlives a restart.
    pub async fn suspend(&self, suspended: bool) -> Result<(), StoreError> {
        self.ask(move |transaction| transaction.suspend(suspended)).await
    }
}

impl Transaction<'_> {
    pub(super) fn subscriber(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        if let Some(known) = self.subscriber_cache.get(jid) {
            return Ok(known);
        }
        let sql = concat!(person!(), " WHERE jid = ? AND (known = 1 OR registered = 1)");
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_row([jid.as_str()], subscriber).optional()?;
        self.subscriber_cache.put(jid.clone(), found.clone());
        Ok(found)
    }

    /// Runs a statement that changes the table of people; tells how many rows.
    pub(super) fn write_people(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        self.subscriber_cache.forget();
        Ok(self.conn.prepare_cached(sql)?.execute(values)?)
    }

    pub(super) fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        let sql = concat!(person!(), " WHERE known = 1 OR registered = 1 ORDER BY jid");
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map([], subscriber)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Those whom this number reaches.
    pub(super) fn people_at(&self, number: &PhoneNumber) -> Result<Vec<Subscriber>, StoreError> {
        let sql = concat!(
            person!(),
            " WHERE (known = 1 OR registered = 1)
                  AND (coalesce(own_number, number) = ?1 OR own_second = ?1)
              ORDER BY jid LIMIT ?2"
        );
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(params![number.as_str(), PEOPLE_AT_A_PHONE_MAX], subscriber)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    pub(super) fn configure_subscribers(
        &mut self,
        subscribers: &[Subscriber],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut before = self.configured()?;
        let mut changed = vec![];
        let write =
            "INSERT INTO subscribers (jid, name, number, offline, language, quiet, time_zone, slow, known)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
             ON CONFLICT (jid) DO UPDATE SET name = excluded.name, number = excluded.number,
                 offline = excluded.offline, language = excluded.language, quiet = excluded.quiet,
                 time_zone = excluded.time_zone, slow = excluded.slow, known = 1";
        for person in subscribers {
            let row = ConfiguredRow::of(person);
            if before.remove(person.jid.as_str()).as_ref() == Some(&row) {
                continue;
            }
            let ConfiguredRow { name, number, offline, language, quiet, time_zone, slow } = row;
            let jid = person.jid.as_str();
            let values = params![jid, name, number, offline, language, quiet, time_zone, slow];
            self.write_people(write, values)?;
            changed.push(person.jid.clone());
        }
        for jid in before.into_keys() {
            self.write_people("UPDATE subscribers SET known = 0 WHERE jid = ?", [&jid])?;
            changed.extend(BareJid::new(&jid));
        }
        self.replan_people(&changed, now)
    }

    /// What the operator has configured about each person who is known.
    fn configured(&self) -> Result<BTreeMap<String, ConfiguredRow>, StoreError> {
        let sql = "SELECT jid, name, number, offline, language, quiet, time_zone, slow
                   FROM subscribers WHERE known = 1";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map([], |row| {
            let configured = ConfiguredRow {
                name: row.get(1)?,
                number: row.get(2)?,
                offline: row.get(3)?,
                language: row.get(4)?,
                quiet: row.get(5)?,
                time_zone: row.get(6)?,
                slow: row.get(7)?,
            };
            Ok((row.get(0)?, configured))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Remembers the person's own choice, and ends what it forbids. Tells whether anything changed.
    pub(super) fn switch(
        &mut self,
        jid: &BareJid,
        offline: WhenOffline,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.write_people(
            "UPDATE subscribers SET switched = ?1, switched_at = ?2
             WHERE jid = ?3 AND coalesce(switched, offline) <> ?1",
            params![offline.word(), ms(now), jid.as_str()],
        )? > 0;
        if offline == WhenOffline::Store
            && let Some(mut notification) = self.open_notification(jid)?
        {
            self.change(&mut notification, LifecycleEvent::SwitchedOff, now)?;
        }
        Ok(changed)
    }

    /// Takes over what a person has set, all of it or nothing.
    pub(super) fn set(
        &mut self,
        jid: &BareJid,
        settings: &[Setting],
        now: Timestamp,
    ) -> Result<Option<Subscriber>, StoreError> {
        if self.subscriber(jid)?.is_none() {
            return Ok(None);
        }
        for setting in settings {
            let (column, value) = match setting {
                Setting::Offline(offline) => {
                    self.switch(jid, *offline, now)?;
                    continue;
                }
                Setting::Sender(sender, rule) => {
                    let sql = "INSERT OR REPLACE INTO sender_rules VALUES (?, ?, ?)";
                    let values = params![jid.as_str(), sender.as_str(), rule.word()];
                    self.conn.prepare_cached(sql)?.execute(values)?;
                    continue;
                }
                Setting::NoSenderRule(sender) => {
                    let sql = "DELETE FROM sender_rules WHERE person = ? AND sender = ?";
                    self.conn.prepare_cached(sql)?.execute([jid.as_str(), sender.as_str()])?;
                    continue;
                }
                Setting::Quiet(quiet) => ("own_quiet", quiet.map(quiet_word)),
                Setting::TimeZone(zone) => ("own_time_zone", zone.as_ref().and_then(zone_name)),
                Setting::Language(language) => ("own_language", language.clone()),
                Setting::Slow(slow) => ("own_slow", slow.map(|slow| u8::from(slow).to_string())),
                Setting::Pin(pin) => {
                    // What was guessed at is another PIN; whoever sets one in the chat is its owner.
                    let sql = "DELETE FROM wrong_pins WHERE jid = ?";
                    self.conn.prepare_cached(sql)?.execute([jid.as_str()])?;
                    self.forget_alerts_of_pin(jid)?;
                    ("pin", pin.as_ref().map(Pin::stored))
                }
                Setting::Senders(senders) => ("senders", senders.map(|it| it.word().to_owned())),
                Setting::NoNumber => ("own_number", None),
                Setting::NoSecondNumber => ("own_second", None),
            };
            let sql = format!("UPDATE subscribers SET {column} = ? WHERE jid = ?");
            self.write_people(&sql, params![value, jid.as_str()])?;
        }
        self.replan_people(from_ref(jid), now)?;
        self.subscriber(jid)
    }

    /// Remembers how a person has answered the request to see their presence.
    pub(super) fn presence_refused(&self, jid: &BareJid, refused: bool) -> Result<(), StoreError> {
        let sql = "UPDATE subscribers SET refuses_presence = ? WHERE jid = ?";
        self.write_people(sql, params![refused, jid.as_str()])?;
        Ok(())
    }

    /// What a person has set for one sender.
    pub(super) fn rule_for(
        &self,
        person: &BareJid,
        sender: &BareJid,
    ) -> Result<Option<SenderRule>, StoreError> {
        let sql = "SELECT rule FROM sender_rules WHERE person = ? AND sender = ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_row([person.as_str(), sender.as_str()], |row| row.word("rule"));
        Ok(found.optional()?)
    }

    fn sender_rules(
        &self,
        person: &BareJid,
        limit: i64,
    ) -> Result<Vec<(BareJid, SenderRule)>, StoreError> {
        let sql = "SELECT sender, rule FROM sender_rules WHERE person = ? ORDER BY sender LIMIT ?";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(params![person.as_str(), limit], |row| {
            Ok((row.parsed("sender")?, row.word("rule")?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Whether the operator has stopped all calls.
    pub(super) fn is_suspended(&self) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM component_settings WHERE what = 'suspended'")?
            .exists([])?)
    }

    /// Stops all calls, or lets them go on.
    pub(super) fn suspend(&mut self, suspended: bool) -> Result<(), StoreError> {
        let sql = if suspended {
            "INSERT OR IGNORE INTO component_settings VALUES ('suspended')"
        } else {
            "DELETE FROM component_settings WHERE what = 'suspended'"
        };
        self.conn.execute(sql, [])?;
        self.policy.suspended = suspended;
        self.wake_due = true;
        self.wake_replan = true;
        Ok(())
    }
}

/// What the operator has configured about a person, as the table has it.
#[derive(PartialEq, Eq)]
struct ConfiguredRow {
    name: String,
    number: Option<String>,
    offline: String,
    language: Option<String>,
    quiet: Option<String>,
    time_zone: Option<String>,
    slow: bool,
}

impl ConfiguredRow {
    fn of(person: &Subscriber) -> Self {
        Self {
            name: person.name.clone(),
            number: person.number.as_ref().map(|number| number.as_str().to_owned()),
            offline: person.offline.word().to_owned(),
            language: person.language.clone(),
            quiet: person.quiet.map(quiet_word),
            time_zone: person.time_zone.as_ref().and_then(zone_name),
            slow: person.slow,
        }
    }
}

pub(super) fn quiet_word(quiet: Quiet) -> String {
    match quiet {
        Quiet::Never => NEVER_QUIET.to_owned(),
        Quiet::Daily(hours) => hours.to_string(),
    }
}

/// Reads a person.
pub(super) fn subscriber(row: &Row<'_>) -> rusqlite::Result<Subscriber> {
    // What a person has set goes before what the operator has.
    let own = |own: &str, configured: &str| -> rusqlite::Result<Option<String>> {
        let own: Option<String> = row.get(own)?;
        own.map_or_else(|| row.get(configured), |own| Ok(Some(own)))
    };
    let quiet = own("own_quiet", "quiet")?;
    let zone = own("own_time_zone", "time_zone")?;
    let pin: Option<String> = row.get("pin")?;
    let number = row.maybe_parsed("own_number")?;
    let offline = row.word("offline")?;
    Ok(Subscriber {
        jid: row.parsed("jid")?,
        name: row.get("name")?,
        number: number.map_or_else(|| row.maybe_parsed("number"), |number| Ok(Some(number)))?,
        second: row.maybe_parsed("own_second")?,
        offline: row.maybe_word("switched")?.unwrap_or(offline),
        language: own("own_language", "language")?,
        slow: row.get::<_, Option<bool>>("own_slow")?.map_or_else(|| row.get("slow"), Ok)?,
        quiet: match quiet.as_deref() {
            None => None,
            Some(NEVER_QUIET) => Some(Quiet::Never),
            Some(hours) => Some(Quiet::Daily(hours.parse().map_err(|_| misfit("quiet"))?)),
        },
        time_zone: zone
            .map(|zone| ZONES.parse_time_zone(&zone).map_err(|_| misfit("time_zone")))
            .transpose()?,
        pin: pin.map(|pin| Pin::from_stored(&pin).ok_or_else(|| misfit("pin"))).transpose()?,
        senders: row.maybe_word("senders")?,
        refuses_presence: row.get("refuses_presence")?,
        agreed: row.maybe_time("agreed")?,
    })
}

/// An IANA name where there is one, else an offset or a POSIX rule.
pub(super) fn zone_name(zone: &TimeZone) -> Option<String> {
    let mut name = String::new();
    DateTimePrinter::new().print_time_zone(zone, &mut name).ok()?;
    Some(name)
}

/// So many people share a phone.
const PEOPLE_AT_A_PHONE_MAX: i64 = 16;
const ZONES: DateTimeParser = DateTimeParser::new();
const NEVER_QUIET: &str = "never";
