//! What the policy must know about earlier calls.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::ledger::Ledger;
use super::words::{Columns, misfit, ms};
use crate::notification::lifecycle::Notification;
use crate::notification::policy::History;
use crate::notification::{Outcome, Throttle};

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

impl Ledger<'_> {
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
    pub(super) fn history(
        &self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<History, StoreError> {
        let recipient = notification.recipient.as_str();
        let person = self.subscriber(&notification.recipient)?;
        let (quiet, zone) = person.map(|p| (p.quiet, p.time_zone)).unwrap_or_default();
        let policy = &*self.policy;
        let span = longest(&policy.throttle);
        let mut calls = vec![];
        if !policy.throttle.is_empty() {
            calls = self.times(
                "SELECT started AS at FROM attempts WHERE number = ?1 AND started > ?2 AND invited = 1
                 ORDER BY started DESC LIMIT ?3",
                params![notification.number.as_str(), before(now, span), CALLS_MAX],
            )?;
        }
        let filled_by = i64::from(policy.calls_per_day_max.max(1)) - 1;
        // Where there have never been so many calls, nobody need count those of the day. Asked apart, since SQLite would
        // ask it anew for each of them.
        let sql = "SELECT coalesce((SELECT max(id) FROM attempts) - (SELECT min(id) FROM attempts), 0) >= ?";
        let many: bool = self.conn.prepare_cached(sql)?.query_row([filled_by], |row| row.get(0))?;
        let mut day_filled_at = None;
        if many {
            let filled = self.times(
                "SELECT started AS at FROM attempts
                 WHERE started > ?1 AND started <= ?2 AND invited = 1
                 ORDER BY started DESC LIMIT 1 OFFSET ?3",
                params![before(now, DAY), after(now, DAY), filled_by],
            )?;
            day_filled_at = filled.first().copied();
        }
        // What an earlier notification left over does not hurry this one.
        let gathering_since = self
            .times(
                "SELECT max(received, (SELECT opened FROM notifications WHERE id = ?2)) AS at
                 FROM messages WHERE recipient = ?1
                     AND ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND parked = 0
                 ORDER BY id LIMIT 1",
                params![recipient, notification.id.0],
            )?
            .first()
            .copied()
            .unwrap_or(now);
        Ok(History {
            number: Some(notification.number.clone()),
            gathering_since,
            quiet,
            zone,
            calls,
            calls_by_sender: self.calls_by_sender(recipient, now)?,
            day_filled_at,
        })
    }

    fn calls_by_sender(
        &self,
        recipient: &str,
        now: Timestamp,
    ) -> Result<Vec<Vec<Timestamp>>, StoreError> {
        if self.policy.sender_throttle.is_empty() {
            return Ok(vec![]);
        }
        let mut find = self.conn.prepare_cached(
            "SELECT DISTINCT sender_bare FROM messages WHERE recipient = ?1
                 AND ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND parked = 0
             LIMIT ?2",
        )?;
        let senders = find.query_map(params![recipient, SENDERS_MAX], |row| row.get(0))?;
        let mut calls: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for sender in senders {
            calls.insert(sender?, vec![]);
        }
        let mut find = self.conn.prepare_cached(
            "SELECT DISTINCT attempts.id, sender_bare, started FROM attempts
                 JOIN attempt_messages ON attempt = attempts.id JOIN messages ON messages.id = message
             WHERE attempts.recipient = ?1 AND started > ?2 AND invited = 1
             ORDER BY started",
        )?;
        let span = longest(&self.policy.sender_throttle);
        let mut rows = find.query(params![recipient, before(now, span)])?;
        while let Some(row) = rows.next()? {
            let at = row.time("started")?;
            calls.entry(row.get("sender_bare")?).and_modify(|known| known.push(at));
        }
        Ok(calls.into_values().collect())
    }

    fn times(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_map(values, |row| row.maybe_time("at"))?;
        let mut times =
            found.map(|at| at?.ok_or_else(|| misfit("started"))).collect::<Result<Vec<_>, _>>()?;
        times.sort_unstable();
        Ok(times)
    }
}

fn longest(throttles: &[Throttle]) -> Duration {
    throttles.iter().map(|throttle| throttle.span).max().unwrap_or_default()
}

fn before(now: Timestamp, span: Duration) -> i64 {
    ms(now.checked_sub(span).unwrap_or(Timestamp::MIN))
}

fn after(now: Timestamp, span: Duration) -> i64 {
    ms(now.checked_add(span).unwrap_or(Timestamp::MAX))
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// A throttle of more calls than this to one number throttles nothing a phone could ring.
const CALLS_MAX: i64 = 100_000;
const SENDERS_MAX: i64 = 100;
