//! What the rules must know about earlier calls.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::columns::{Columns, misfit};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::notification::budget::{CountryCalls, Spent};
use crate::notification::lifecycle::Notification;
use crate::notification::rules::History;
use crate::notification::{NotificationId, Outcome, SenderCalls, Throttle};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// One call, for those who ask what was called.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentCall {
    /// Who was phoned.
    pub recipient: BareJid,
    /// When.
    pub started: Timestamp,
    /// How it went; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// How long was talked.
    pub talked: Duration,
}

/// A call that may come, and the message that may cause it.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub(super) recipient: &'a BareJid,
    /// The same person, with settings, where they are known.
    pub(super) callee: Option<&'a Subscriber>,
    pub(super) number: &'a PhoneNumber,
    /// What is open for the person already.
    pub(super) notification: Option<NotificationId>,
    /// Who sends the message that is judged.
    pub(super) newest_sender: Option<&'a BareJid>,
}

impl Store {
    /// The last calls, to one person or to all, the latest first.
    pub async fn recent_calls(
        &self,
        of: Option<BareJid>,
        limit: i64,
    ) -> Result<Vec<RecentCall>, StoreError> {
        self.ask(move |transaction| transaction.recent_calls(of.as_ref(), limit)).await
    }
}

impl Transaction<'_> {
    /// The last calls, to one person or to all, the latest first.
    pub(super) fn recent_calls(
        &self,
        of: Option<&BareJid>,
        limit: i64,
    ) -> Result<Vec<RecentCall>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT recipient, started, outcome, talked_ms FROM attempts
             WHERE ?1 IS NULL OR recipient = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let found = find.query_map(params![of.map(|jid| jid.as_str()), limit], |row| {
            Ok(RecentCall {
                recipient: row.parsed("recipient")?,
                started: row.time("started")?,
                outcome: row.maybe_word("outcome")?,
                talked: row.maybe_span("talked_ms")?.unwrap_or_default(),
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Gathers what bears on the next call of a notification.
    pub(super) fn history_of(
        &self,
        notification: &Notification,
        callee: Option<&Subscriber>,
        now: Timestamp,
    ) -> Result<History, StoreError> {
        let Notification { recipient, number, id, .. } = notification;
        let notification = Some(*id);
        self.history(&Ahead { recipient, callee, number, notification, newest_sender: None }, now)
    }

    /// Gathers what bears on the next call to a person.
    pub(super) fn history(&self, ahead: &Ahead<'_>, now: Timestamp) -> Result<History, StoreError> {
        let recipient = ahead.recipient.as_str();
        // What an earlier notification left over does not hurry this one.
        let gathering_since = self
            .times(
                "SELECT max(counted, coalesce((SELECT opened FROM notifications WHERE id = ?2), ?3)) AS at
                 FROM waiting_messages WHERE recipient = ?1 ORDER BY id LIMIT 1",
                params![recipient, ahead.notification.map(|it| it.0), self.ahead.counted(now)],
            )?
            .first()
            .copied()
            .unwrap_or(now);
        Ok(History {
            gathering_since,
            quiet: ahead.callee.and_then(|callee| callee.quiet),
            zone: ahead.callee.and_then(|callee| callee.time_zone.clone()),
            senders: self.senders(ahead, now)?,
            ..self.calls_to(ahead.number, now)?
        })
    }

    /// The calls to a number, to its country and in all, as far as limits count them.
    pub(super) fn calls_to(
        &self,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<History, StoreError> {
        let policy = &*self.policy;
        let span = longest(&policy.throttle);
        let mut calls = vec![];
        if !policy.throttle.is_empty() {
            calls = self.times(
                "SELECT counted AS at FROM rings WHERE number = ?1 AND counted > ?2 AND invited = 1
                 ORDER BY counted DESC LIMIT ?3",
                params![self.ring_tag(number.as_str())?, self.before(now, span), CALLS_MAX],
            )?;
        }
        let filled_by = i64::from(policy.calls_per_day_max.max(1)) - 1;
        // Where there have never been so many calls, those of the day need no count. Asked apart, since SQLite would
        // ask it anew for each of them.
        let sql =
            "SELECT coalesce((SELECT max(id) FROM rings) - (SELECT min(id) FROM rings) + 1, 0)";
        let ever: i64 = self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        let mut day_filled_at = None;
        if ever > filled_by {
            let filled = self.times(
                "SELECT counted AS at FROM rings
                 WHERE counted > ?1 AND counted <= ?2 AND invited = 1
                 ORDER BY counted DESC LIMIT 1 OFFSET ?3",
                params![self.before(now, DAY), self.after(now, DAY), filled_by],
            )?;
            day_filled_at = filled.first().copied();
        }
        let mut spent = vec![];
        let longest_all = u128::from(ever.unsigned_abs()) * policy.call_max.as_millis();
        if longest_all + policy.call_max.as_millis()
            > u128::from(policy.minutes_per_day_max) * 60_000
        {
            spent = self.spent("", now)?;
        }
        let mut countries = vec![];
        for country in policy.countries_of(number) {
            let digits = country.prefix.trim_start_matches('+');
            let (calls, spent) = (self.calls_in(digits, now)?, self.spent(digits, now)?);
            countries.push(CountryCalls { calls, spent });
        }
        let number = Some(number.clone());
        Ok(History { number, calls, day_filled_at, spent, countries, ..History::default() })
    }

    /// The calls of a day to numbers with these first digits.
    fn calls_in(&self, digits: &str, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let sql = format!(
            "SELECT counted AS at FROM rings WHERE counted > ?1 AND invited = 1 AND {IN_AREA}
             ORDER BY counted DESC LIMIT ?3"
        );
        self.times(&sql, params![self.before(now, DAY), digits, CALLS_MAX])
    }

    /// The calls of a day to numbers with these first digits that count against the minutes, oldest first.
    pub(super) fn spent(&self, digits: &str, now: Timestamp) -> Result<Vec<Spent>, StoreError> {
        let sql = format!(
            "SELECT counted, talked_ms, ended IS NULL AS runs, ended IS NULL OR outcome = 'interrupted' AS unclear
             FROM rings WHERE counted > ?1 AND invited = 1
                 AND (ended IS NULL OR outcome = 'interrupted' OR talked_ms > 0) AND {IN_AREA}
             ORDER BY counted LIMIT ?3"
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        let found = find.query_map(params![self.before(now, DAY), digits, CALLS_MAX], |row| {
            let talked = row.maybe_span("talked_ms")?.unwrap_or_default();
            let unclear: bool = row.get("unclear")?;
            Ok(Spent {
                started: self.ahead.wall(row.time("counted")?),
                talked: if unclear { talked.max(self.policy.call_max) } else { talked },
                runs: row.get("runs")?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// What each sender of what waits has caused.
    fn senders(&self, ahead: &Ahead<'_>, now: Timestamp) -> Result<Vec<SenderCalls>, StoreError> {
        let recipient = ahead.recipient.as_str();
        let mut find = self.conn.prepare_cached(
            "SELECT DISTINCT sender_bare FROM waiting_messages WHERE recipient = ?1 LIMIT ?2",
        )?;
        let found = find.query_map(params![recipient, SENDERS_MAX], |row| row.get(0))?;
        let mut senders: BTreeSet<String> = found.collect::<Result<_, _>>()?;
        senders.extend(ahead.newest_sender.map(|sender| sender.as_str().to_owned()));
        senders.iter().map(|it| self.caused_by(it, Some(ahead.recipient), now)).collect()
    }

    /// What one sender has caused, to this person and to all.
    pub(super) fn caused_by(
        &self,
        sender: &str,
        callee: Option<&BareJid>,
        now: Timestamp,
    ) -> Result<SenderCalls, StoreError> {
        let policy = &*self.policy;
        let span = longest(&policy.sender_throttle).max(longest(&policy.sender_calls)).max(DAY);
        let callee = callee.map(|jid| self.ring_tag(jid.as_str())).transpose()?;
        let mut find = self.conn.prepare_cached(
            "SELECT ring_askers.counted AS at, callee IS NOT NULL AND callee = ?2
             FROM ring_askers JOIN rings ON rings.id = ring
             WHERE asker = ?1 AND ring_askers.counted > ?3 AND invited = 1
             ORDER BY ring_askers.counted DESC LIMIT ?4",
        )?;
        let values = params![self.ring_tag(sender)?, callee, self.before(now, span), CALLS_MAX];
        let mut rows = find.query(values)?;
        let mut caused = SenderCalls::default();
        while let Some(row) = rows.next()? {
            let at = self.ahead.wall(row.time("at")?);
            caused.to_all.push(at);
            if row.get::<_, Option<bool>>(1)? == Some(true) {
                caused.to_callee.push(at);
            }
        }
        self.first_calls(sender, callee.as_deref(), &mut caused, now)?;
        caused.to_all.sort_unstable();
        caused.to_callee.sort_unstable();
        Ok(caused)
    }

    /// Whom this sender has made ring for the first time, and since when they cause calls.
    fn first_calls(
        &self,
        sender: &str,
        callee: Option<&str>,
        caused: &mut SenderCalls,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT min(ring_askers.counted) AS at, callee FROM ring_askers JOIN rings ON rings.id = ring
             WHERE asker = ?1 AND invited = 1 AND callee IS NOT NULL GROUP BY callee ORDER BY at",
        )?;
        let mut rows = find.query([self.ring_tag(sender)?])?;
        let (mut is_known, day_ago) = (callee.is_none(), self.before(now, DAY));
        while let Some(row) = rows.next()? {
            let (counted, at) = (row.get::<_, i64>("at")?, self.ahead.wall(row.time("at")?));
            is_known |= row.get::<_, Option<String>>("callee")?.as_deref() == callee;
            caused.is_settled |= counted <= self.before(now, WEEK);
            if counted > day_ago {
                caused.first.push(at);
            }
        }
        if is_known {
            caused.first.clear();
        }
        Ok(())
    }

    fn before(&self, now: Timestamp, span: Duration) -> i64 {
        self.ahead.counted(now.checked_sub(span).unwrap_or(Timestamp::MIN))
    }

    fn after(&self, now: Timestamp, span: Duration) -> i64 {
        self.ahead.counted(now.checked_add(span).unwrap_or(Timestamp::MAX))
    }

    fn times(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(values, |row| row.maybe_time("at"))?;
        let mut times = found
            .map(|at| at?.map(|at| self.ahead.wall(at)).ok_or_else(|| misfit("at")))
            .collect::<Result<Vec<_>, _>>()?;
        times.sort_unstable();
        Ok(times)
    }
}

fn longest(throttles: &[Throttle]) -> Duration {
    throttles.iter().map(|throttle| throttle.span).max().unwrap_or_default()
}

/// A ring's area is cut off before its last digits; one that is shorter than the prefix counts, too, lest one be missed.
const IN_AREA: &str = "(?2 = '' OR substr(area, 1, length(?2)) = ?2
    OR (length(area) < length(?2) AND substr(?2, 1, length(area)) = area))";
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A throttle of more calls than this to one number throttles nothing a phone could ring.
const CALLS_MAX: i64 = 100_000;
const SENDERS_MAX: i64 = 100;
