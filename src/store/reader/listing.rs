//! Which records are listed, a page at a time.

use jiff::Timestamp;
use rusqlite::types::Value;

/// Which records are listed: the newest of those that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Who wrote, or who has caused the call: a bare JID, or what stands before its `@`.
    pub from: Option<String>,
    /// For whom, likewise.
    pub to: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// Only those that are not older.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

impl Listing {
    /// The newest of all.
    pub fn newest(limit: usize) -> Self {
        Self { from: None, to: None, before: None, since: None, limit }
    }
}

/// The end of a query: what is asked for, the order, and how much.
pub(super) struct Conditions {
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<Value>,
    order: &'static str,
}

impl Conditions {
    /// `id` names the records in order; `time` says when each began.
    pub(super) fn new(listing: &Listing, id: &'static str, time: &str) -> Self {
        // The limit stands first among the values, so that it is known by its number.
        let limit = i64::try_from(listing.limit).unwrap_or(i64::MAX);
        let mut sql = Self { conditions: vec![], values: vec![limit.into()], order: id };
        if let Some(before) = listing.before {
            let place = sql.value(before.into());
            sql.conditions.push(format!("{id} < {place}"));
        }
        if let Some(since) = listing.since {
            let place = sql.value(since.as_millisecond().into());
            sql.conditions.push(format!("{time} >= {place}"));
        }
        sql
    }

    /// Asks for one person. `whole` is given the condition for a column, and puts it in its place.
    pub(super) fn person(
        &mut self,
        name: Option<&str>,
        whole: impl Fn(&dyn Fn(&str) -> String) -> String,
    ) {
        let Some(name) = name else { return };
        let place = self.value(name.to_lowercase().into());
        let condition = if name.contains('@') {
            whole(&|column| format!("{column} = {place}"))
        } else {
            whole(&|column| format!("substr({column}, 1, length({place}) + 1) = {place} || '@'"))
        };
        self.conditions.push(condition);
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    pub(super) fn written(&self) -> String {
        let conditions = if self.conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.conditions.join(" AND "))
        };
        format!("{conditions} ORDER BY {} DESC LIMIT ?1", self.order)
    }
}

pub(super) const MESSAGES: &str =
    "SELECT messages.*, due + (SELECT ahead FROM clocks) AS due, why, coalesce(state = 'calling', 0) AS calling,
         (SELECT count(*) FROM attempt_messages WHERE message = messages.id) AS calls
     FROM messages LEFT JOIN notifications
         ON notifications.recipient = messages.recipient AND state <> 'closed'
         AND EXISTS (SELECT 1 FROM waiting_messages WHERE waiting_messages.id = messages.id)";
pub(super) const RINGS: &str =
    "SELECT *, (SELECT group_concat(coalesce(asker_jid, 'erased-' || substr(asker, 1, 8)), ' ')
         FROM ring_askers WHERE ring = rings.id) AS askers FROM rings";
