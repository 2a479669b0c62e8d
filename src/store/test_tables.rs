//! Tables in memory for the tests of single operations.

use jiff::Timestamp;
use rusqlite::Connection;
use xmpp_parsers::jid::BareJid;

use super::counted_time::CountedTime;
use super::sqlite;
use super::subscriber_cache::SubscriberCache;
use super::transaction::Transaction;
use crate::notification::policy::Policy;
use crate::notification::{Draft, MessageId, ReplyId};
use crate::seed::Seed;
use crate::subscriber::{Quiet, Subscriber};

/// The tables, and what their writer keeps.
pub(super) struct Tables {
    pub(super) conn: Connection,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
    seed: Seed,
    cache: SubscriberCache,
    time: CountedTime,
}

impl Tables {
    /// With so many subscribers, `p0@example.org` and on.
    pub(super) fn with_people(people: usize) -> Self {
        let policy = Policy {
            quiet: Quiet::Never,
            allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
            throttle: vec![],
            sender_throttle: vec![],
            ..Policy::default()
        };
        let mut tables = Self {
            conn: sqlite::open_in_memory().unwrap(),
            policy,
            now: "2026-11-30T10:00:00Z".parse().unwrap(),
            seed: Seed::fixed(1),
            cache: SubscriberCache::default(),
            time: CountedTime::default(),
        };
        let (everybody, now) = (self::people(people), tables.now);
        tables.work(|it| it.configure_subscribers(&everybody, now).unwrap());
        tables
    }

    pub(super) fn work<T>(&mut self, work: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let Self { conn, policy, seed, cache, time, .. } = self;
        work(&mut Transaction::new(conn, policy, seed, cache, time))
    }

    /// Somebody writes to a person.
    pub(super) fn hold(&mut self, to: usize, id: usize) -> MessageId {
        let (draft, now) = (draft(to, id), self.now);
        self.work(|it| it.hold(draft, now, 0).unwrap().message)
    }

    /// All that is owed leaves.
    pub(super) fn send_all(&self) {
        let arrive = "UPDATE replies SET sent = owed, settled = owed WHERE sent IS NULL";
        self.conn.execute(arrive, []).unwrap();
        self.conn.execute("DELETE FROM handed", []).unwrap();
    }

    /// All that is owed leaves, and no error comes for it.
    pub(super) fn settle_all(&mut self) {
        let now = self.now;
        self.work(|it| {
            let owed = it.numbers("SELECT id FROM replies WHERE settled IS NULL", []).unwrap();
            let owed: Vec<_> = owed.into_iter().map(ReplyId).collect();
            it.mark_sent(&owed, now).unwrap();
            it.settle_sent(&owed, now).unwrap();
        });
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        self.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// How SQLite finds the rows of a statement.
    pub(super) fn plan(&self, sql: &str) -> String {
        let mut explain = self.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut lines = vec![];
        let mut rows = explain.raw_query();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get::<_, String>("detail").unwrap());
        }
        lines.join("; ")
    }
}

pub(super) fn jid(person: usize) -> BareJid {
    format!("p{person}@example.org").parse().unwrap()
}

pub(super) fn people(people: usize) -> Vec<Subscriber> {
    let person = |n| Subscriber {
        number: format!("+8190{n:08}").parse().ok(),
        ..Subscriber::new(jid(n), format!("Person {n}"))
    };
    (0..people).map(person).collect()
}

pub(super) fn draft(to: usize, id: usize) -> Draft {
    Draft {
        stanza_id: Some(id.to_string()),
        sender: format!("a{id}@example.org/x").parse().unwrap(),
        recipient: jid(to),
        body: "Hello".to_owned(),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Default::default(),
    }
}
