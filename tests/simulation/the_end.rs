//! What must be true when everybody is online and nothing is under way.

use std::collections::BTreeSet;

use crate::promises::Written;
use crate::world::{CALLEES, SENDERS, World};

impl World {
    /// I1, I8, I10, I11, I20.
    pub(crate) fn check_the_end(&self) {
        self.check_rows();
        self.check_sent();
        let held: BTreeSet<&String> = self.promises.held.iter().collect();
        for (id, written) in &self.promises.written {
            self.check_arrival(id, written, held.contains(id));
            for words in written.answers.iter().filter(|_| !written.forgotten) {
                self.check_answer(id, words, written);
            }
        }
        self.check_order();
        self.check_replies_are_theirs();
    }

    fn check_rows(&self) {
        let tables = self.disk.tables();
        for (what, sql) in [
            (
                "I1: its sender is asked for ever",
                "messages WHERE awaiting_sender_check = 1 AND ended IS NULL",
            ),
            ("I1: held although their recipient is online", "messages WHERE ended IS NULL"),
            ("I1: owed although the link is up", "replies WHERE sent IS NULL"),
            ("I8: a call without an end", "attempts WHERE ended IS NULL"),
        ] {
            let sql = format!("SELECT count(*) FROM {sql}");
            let left: i64 = tables.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{what}");
        }
        let calls = self.calls.len() + self.real_calls.len();
        assert_eq!(calls, 0, "I8: a call goes on and on");
    }

    /// I1: what counts as sent has come to the server.
    fn check_sent(&self) {
        let sql =
            "SELECT stanza_id FROM replies WHERE sent IS NOT NULL AND content NOT IN ('delivery')";
        let mut find = self.disk.tables().prepare_cached(sql).unwrap();
        let mut rows = find.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let id: String = row.get(0).unwrap();
            assert!(self.server.came.contains(&id), "I1: {id} counts as sent and never came");
        }
    }

    fn check_arrival(&self, id: &str, written: &Written, held: bool) {
        let token = format!("[{id}]");
        let seen = self.server.has_seen(&written.recipient);
        let delivered = seen.iter().any(|it| it.body.contains(&token));
        let errors = self.server.has_seen(&written.sender);
        let refused = errors.iter().any(|it| it.id == id && it.kind == "error");
        let fate = if self.nature.trunk_is_silent { "I20" } else { "I1" };
        assert!(
            delivered
                || refused
                || written.retracted
                || written.forgotten
                || self.promises.is_expired(id)
                || written.swallowed && !held,
            "{fate}: {id} was neither delivered nor refused: {written:?}"
        );
    }

    /// I10: an answer goes to the one who wrote, under one `id`.
    fn check_answer(&self, id: &str, words: &str, written: &Written) {
        let ours = |of: &String| of == id || written.corrections.contains(of);
        for account in SENDERS.iter().chain(&CALLEES) {
            let seen = self.server.has_seen(account).iter();
            let answers =
                seen.filter(|it| it.reply_to.as_ref().is_some_and(ours) && it.body.contains(words));
            let ids: BTreeSet<_> = answers.map(|it| &it.id).collect();
            // Who hears a message and its correction may answer both.
            let same = written.answers.iter().filter(|it| *it == words).count();
            let expected = if *account == written.sender { same } else { 0 };
            assert_eq!(ids.len(), expected, "I10: answers to {id} that {account} has seen");
        }
    }

    /// I10: nobody reads an answer to a message of somebody else.
    fn check_replies_are_theirs(&self) {
        for account in SENDERS {
            for seen in self.server.has_seen(account) {
                let Some(of) = &seen.reply_to else { continue };
                let Some(written) = self.promises.written.get(of) else { continue };
                assert_eq!(written.sender, account, "I10: {account} reads an answer to {of}");
            }
        }
    }

    /// I11: what was held of one sender for one person arrives in the order in which it was held. What was on its way
    /// when a stream broke may have been seen before, and a correction has an `id` of its own.
    fn check_order(&self) {
        for recipient in CALLEES {
            for sender in SENDERS {
                let seen = self.server.has_seen(recipient);
                let first_seen = |id: &String| seen.iter().position(|it| it.id == *id);
                let of_them = |id: &&String| {
                    let written = self.promises.written.get(*id);
                    written.is_some_and(|it| {
                        let theirs = it.sender == sender && it.recipient == recipient;
                        let came_back = self.server.bounces.returned.contains_key(*id);
                        theirs && !it.swallowed && it.corrections.is_empty() && !came_back
                    })
                };
                let places: Vec<_> =
                    self.promises.held.iter().filter(of_them).filter_map(first_seen).collect();
                assert!(places.is_sorted(), "I11: {sender} to {recipient}: {places:?}");
            }
        }
    }
}
