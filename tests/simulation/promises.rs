//! The story of each message, as its people know it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use offhook::notification::MessageId;
use rusqlite::Connection;

use crate::lines::CallId;
use crate::nature::NUMBERS;
use crate::world::CALLEES;

#[derive(Debug, Default)]
pub(crate) struct Promises {
    pub(crate) written: BTreeMap<String, Written>,
    /// Rows that were seen in the store, by the `id` of the stanza, in the order of their rows.
    pub(crate) held: Vec<String>,
    rows: BTreeMap<i64, String>,
    last_row: i64,
    spoken: Vec<String>,
    /// In which call each message was heard, once that is durable.
    heard: BTreeMap<MessageId, CallId>,
    /// Taken back, or corrected by another: no call begins to read it.
    gone: BTreeSet<MessageId>,
    /// Since when the component can know that somebody is online.
    online: BTreeMap<String, Duration>,
    /// What the component has read since it started.
    read: BTreeSet<String>,
    /// Raised whenever something goes wrong that may make an answer late.
    disturbances: u64,
    /// The numbers that each person has had.
    numbers: BTreeMap<String, BTreeSet<String>>,
    /// Codes that were heard on the phone, by the person who asked for them.
    codes: BTreeMap<String, String>,
    /// Since when a person has blocked a sender.
    blocked: BTreeMap<(String, String), Duration>,
    /// By message, since when its sender is being asked whether it is a program.
    pub(crate) asked: BTreeMap<i64, (Duration, u64)>,
    /// The `id`s of all that was ever owed.
    owed: BTreeSet<String>,
    last_owed: i64,
    /// Changes of the tables that were looked at.
    pub(crate) changes: u64,
    /// Which ending each message has.
    pub(crate) endings: BTreeMap<i64, String>,
}

#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) at: Duration,
    /// `id`s of its corrections.
    pub(crate) corrections: Vec<String>,
    pub(crate) retracted: bool,
    /// The words of its answers, as they became durable.
    pub(crate) answers: Vec<String>,
    /// A kill or a lost stream may have taken it before it was durable.
    pub(crate) swallowed: bool,
    /// One end has had everything about them erased.
    pub(crate) forgotten: bool,
}

impl Promises {
    pub(crate) fn is_written(&mut self, id: &str, sender: &str, recipient: &str, at: Duration) {
        let (sender, recipient) = (sender.to_owned(), recipient.to_owned());
        let written = Written { sender, recipient, at, ..Written::default() };
        self.written.insert(id.to_owned(), written);
    }

    pub(crate) fn people_of(&self, id: &str) -> (String, String) {
        let written = &self.written[id];
        (written.sender.clone(), written.recipient.clone())
    }

    pub(crate) fn is_known(&self, id: &str) -> bool {
        self.written.contains_key(id)
    }

    fn written(&mut self, id: &str) -> &mut Written {
        self.written.get_mut(id).unwrap()
    }

    pub(crate) fn is_retracted(&mut self, id: &str) {
        self.written(id).retracted = true;
    }

    pub(crate) fn is_corrected(&mut self, id: &str, new: &str) {
        self.written(id).corrections.push(new.to_owned());
    }

    /// Its sender has an error from the server.
    pub(crate) fn is_bounced(&mut self, id: &str) {
        if let Some(written) = self.written.get_mut(id) {
            written.swallowed = true;
        }
    }

    /// What is under way may be lost, as XEP-0114 acknowledges nothing.
    pub(crate) fn may_swallow(&mut self) {
        let held: BTreeSet<&String> = self.held.iter().collect();
        for (id, written) in &mut self.written {
            written.swallowed |= !held.contains(id);
        }
        self.read.clear();
    }

    pub(crate) fn is_read(&mut self, id: &str) {
        self.read.insert(id.to_owned());
    }

    /// What the component has read of people's messages since it started.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&String, &Written)> {
        self.read.iter().filter_map(|id| Some((id, self.written.get(id)?)))
    }

    /// Something went wrong.
    pub(crate) fn is_disturbed(&mut self) {
        self.disturbances += 1;
    }

    pub(crate) fn disturbances(&self) -> u64 {
        self.disturbances
    }

    /// I4: what was heard and is durable is not spoken again in another call.
    pub(crate) fn is_spoken(&mut self, call: CallId, message: MessageId, id: &str) {
        let heard = self.heard.get(&message);
        let again = heard.is_some_and(|before| *before != call);
        assert!(!again, "I4: {id} is spoken in {call:?} although it was heard in {heard:?}");
        assert!(!self.gone.contains(&message), "N4: {id} is spoken in a wording that is withdrawn");
        self.spoken.push(id.to_owned());
    }

    pub(crate) fn is_gone(&mut self, message: MessageId) {
        self.gone.insert(message);
    }

    /// I4: nobody is phoned about what they have heard.
    pub(crate) fn is_phoned_about(&self, message: MessageId) {
        let heard = self.heard.get(&message);
        assert!(heard.is_none(), "I4: phoned about {message:?}, which was heard in {heard:?}");
    }

    /// What was spoken, in order.
    pub(crate) fn spoken(&self) -> &[String] {
        &self.spoken
    }

    pub(crate) fn is_heard(&mut self, call: CallId, message: MessageId) {
        self.heard.entry(message).or_insert(call);
    }

    /// An answer to a message, or to its correction, is durable.
    pub(crate) fn is_answered(&mut self, id: &str, words: &str) {
        let is_it = |(known, written): &(&String, &mut Written)| {
            *known == id || written.corrections.iter().any(|it| it == id)
        };
        if let Some((_, written)) = self.written.iter_mut().find(is_it) {
            written.answers.push(words.to_owned());
        }
    }

    pub(crate) fn is_seen_online(&mut self, account: &str, at: Duration) {
        self.online.entry(account.to_owned()).or_insert(at);
    }

    pub(crate) fn is_seen_offline(&mut self, account: &str) {
        self.online.remove(account);
    }

    pub(crate) fn all_are_seen_offline(&mut self) {
        self.online.clear();
    }

    pub(crate) fn online_for(&self, account: &str, at: Duration) -> Option<Duration> {
        self.online.get(account).map(|since| at - *since)
    }

    /// The operator has written these numbers for the callees.
    pub(crate) fn are_configured(&mut self, numbers: [&str; 2]) {
        for (callee, number) in CALLEES.iter().zip(numbers) {
            self.has_number(callee, number);
        }
    }

    pub(crate) fn has_number(&mut self, callee: &str, number: &str) {
        self.numbers.entry(callee.to_owned()).or_default().insert(number.to_owned());
    }

    /// Whether this number is, or was, a number of theirs.
    pub(crate) fn reaches(&self, callee: &str, number: &str) -> bool {
        let first = CALLEES.iter().position(|it| *it == callee).map(|at| NUMBERS[at]);
        let had = self.numbers.get(callee).is_some_and(|numbers| numbers.contains(number));
        had || first == Some(number)
    }

    /// The senders of these messages that stand as they were written.
    pub(crate) fn standing_senders(&self, ids: impl Iterator<Item = String>) -> BTreeSet<&String> {
        let written = ids.filter_map(|id| self.written.get(&id));
        let standing = written.filter(|it| !it.retracted && it.corrections.is_empty());
        standing.map(|it| &it.sender).collect()
    }

    pub(crate) fn code_is_heard(&mut self, person: &str, digits: &str) {
        self.codes.insert(person.to_owned(), digits.to_owned());
    }

    /// A code that this person may type, once.
    pub(crate) fn heard_code(&mut self, person: &str) -> Option<String> {
        self.codes.remove(person)
    }

    pub(crate) fn is_blocked(&mut self, person: &str, sender: &str, at: Duration) {
        self.blocked.insert((person.to_owned(), sender.to_owned()), at);
    }

    /// The person has asked for something by which a sender may ring again.
    pub(crate) fn is_allowed_again(&mut self, person: &str) {
        self.blocked.retain(|(of, _), _| of != person);
    }

    /// Whether this message was written after its sender had been blocked.
    pub(crate) fn is_from_blocked(&self, id: &str, person: &str, sender: &str) -> bool {
        let since = self.blocked.get(&(person.to_owned(), sender.to_owned()));
        let written = self.written.get(id).map(|it| it.at);
        since.zip(written).is_some_and(|(since, written)| written > *since)
    }

    pub(crate) fn last_row(&self) -> i64 {
        self.last_row
    }

    /// Whether the store has ever owed a stanza with this `id`.
    pub(crate) fn was_owed(&self, id: &str) -> bool {
        self.owed.contains(id)
    }

    /// Whether a message ended without its recipient coming online: it was kept for as long as it may be.
    pub(crate) fn is_expired(&self, written: &str) -> bool {
        let corrections = self.written.get(written).map_or(&[][..], |it| &it.corrections);
        let is_it = |id: &String| id == written || corrections.contains(id);
        let rows = self.rows.iter().filter(|(_, id)| is_it(id));
        rows.filter_map(|(row, _)| self.endings.get(row)).any(|it| it == "expired" || it == "heard")
    }

    /// The store is thought to owe this.
    pub(crate) fn is_owed(&mut self, id: &str) {
        self.owed.insert(id.to_owned());
    }

    /// Notes which messages have become rows, and what has become owed.
    pub(crate) fn look_into(&mut self, tables: &Connection) {
        let sql = "SELECT id, stanza_id FROM replies WHERE id > ? ORDER BY id";
        let mut find = tables.prepare_cached(sql).unwrap();
        let mut rows = find.query([self.last_owed]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            self.last_owed = row.get(0).unwrap();
            self.owed.insert(row.get(1).unwrap());
        }
        let mut find = tables
            .prepare_cached("SELECT id, stanza_id FROM messages WHERE id > ? ORDER BY id")
            .unwrap();
        let mut rows = find.query([self.last_row]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            self.last_row = row.get(0).unwrap();
            let id: String = row.get(1).unwrap();
            self.rows.insert(self.last_row, id.clone());
            self.held.push(id);
        }
    }
}
