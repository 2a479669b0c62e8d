use std::collections::BTreeSet;

use super::*;
use crate::notification::{Answer, Attempt, Claim, Outcome, Owed, Progress};
use crate::store::test_tables::{Tables, draft, jid};
use crate::store::{LiveCalls, OwedRoom};

/// One sender who writes to one person, and reads what is told.
struct World {
    tables: Tables,
    written: usize,
    read: Vec<Owed>,
}

impl World {
    fn new() -> Self {
        let mut tables = Tables::with_people(1);
        tables.policy.wait = Duration::from_secs(60);
        Self { tables, written: 0, read: vec![] }
    }

    fn writes(&mut self) -> MessageId {
        self.written += 1;
        let draft =
            Draft { sender: "alice@example.org/x".parse().unwrap(), ..draft(0, self.written) };
        let now = self.tables.now;
        self.tables.work(|it| it.hold(draft, now, 0).unwrap().message)
    }

    /// Time passes; what is due arrives.
    fn passes(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.tables.now += Duration::from_secs(1);
            let now = self.tables.now;
            let owed = self.tables.work(|it| {
                let room = OwedRoom { limit: 100, bulk: true, on_their_way: BTreeSet::new() };
                let owed = it.owed(&room, now).unwrap().stanzas;
                let ids: Vec<_> = owed.iter().map(|owed| owed.id).collect();
                it.mark_sent(&ids, now).unwrap();
                it.settle_sent(&ids, now).unwrap();
                owed
            });
            self.read.extend(owed.into_iter().filter(|it| it.content.is_for_sender()));
        }
    }

    fn call(&mut self) -> Claim {
        let now = self.tables.now;
        self.tables.work(|it| it.claim_due(now, 8, &LiveCalls::default()).unwrap().pop().unwrap())
    }

    fn progress(&mut self, claim: &Claim, progress: Progress) {
        let now = self.tables.now;
        self.tables.work(|it| it.progress(claim.attempt, progress, now).unwrap());
    }

    fn hears(&mut self, claim: &Claim, message: MessageId) {
        let now = self.tables.now;
        self.tables.work(|it| it.spoken(claim.attempt, message, now).unwrap());
    }

    fn ends(&mut self, claim: &Claim, outcome: Outcome) {
        let attempt =
            Attempt { sip_call_id: "a@192.0.2.1".into(), ..Attempt::without_invite(outcome) };
        let now = self.tables.now;
        self.tables.work(|it| it.settle(claim.attempt, &attempt, false, now).unwrap());
    }

    /// What was read: status or answer, and whether it corrects something.
    fn told(&self) -> Vec<(String, bool)> {
        let told = self.read.iter().map(|owed| {
            let what = match &owed.content {
                Reply::Status(Status::Waiting { .. }) => "waiting".to_owned(),
                Reply::Status(Status::NotReached { .. }) => "not reached".to_owned(),
                Reply::Status(status) => {
                    format!("{status:?} {}/{}", owed.lines.told, owed.lines.all)
                }
                other => format!("{other:?}"),
            };
            (what, owed.replaces.is_some())
        });
        told.collect()
    }
}

fn told(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
    expected.iter().map(|(what, corrects)| ((*what).to_owned(), *corrects)).collect()
}

#[test]
fn one_message_is_told_of_in_three_steps() {
    let mut world = World::new();
    let message = world.writes();
    let now = world.tables.now;
    let room = OwedRoom { limit: 1, bulk: true, on_their_way: BTreeSet::new() };
    let soon = world.tables.work(|it| it.owed(&room, now).unwrap());
    assert!(soon.stanzas.is_empty());
    assert_eq!(soon.next, Some(STEP), "the outbox looks again then");
    world.passes(60);
    let claim = world.call();
    world.passes(3);
    world.progress(&claim, Progress::Ringing);
    world.passes(5);
    world.progress(&claim, Progress::Answered);
    world.passes(20);
    world.hears(&claim, message);
    world.ends(&claim, Outcome::Answered);
    world.passes(700);
    let steps = [("waiting", false), ("Ringing 1/1", true), ("Heard 1/1", true)];
    assert_eq!(world.told(), told(&steps));
}

#[test]
fn a_step_that_is_overtaken_within_two_seconds_is_not_told() {
    let mut world = World::new();
    world.tables.policy.wait = Duration::ZERO;
    let message = world.writes();
    let claim = world.call();
    world.passes(1);
    world.progress(&claim, Progress::Ringing);
    world.passes(1);
    world.progress(&claim, Progress::Answered);
    world.passes(1);
    world.hears(&claim, message);
    world.passes(10);
    assert_eq!(world.told(), told(&[("Heard 1/1", false)]));
}

#[test]
fn what_must_not_be_overlooked_is_a_message_of_its_own_and_what_follows_corrects_it() {
    let mut world = World::new();
    let message = world.writes();
    world.passes(60);
    let claim = world.call();
    world.progress(&claim, Progress::Ringing);
    world.passes(30);
    world.ends(&claim, Outcome::NoAnswer);
    world.passes(700);
    let claim = world.call();
    world.progress(&claim, Progress::Ringing);
    world.passes(5);
    world.hears(&claim, message);
    world.passes(5);
    let steps = [
        ("waiting", false),
        ("Ringing 1/1", true),
        ("not reached", false),
        ("Ringing 1/1", true),
        ("Heard 1/1", true),
    ];
    assert_eq!(world.told(), told(&steps));
    let ids: Vec<_> = world.read.iter().map(|it| Some(it.stanza_id.clone())).collect();
    let replaced: Vec<_> = world.read.iter().map(|it| it.replaces.clone()).collect();
    assert_eq!(replaced, [None, ids[0].clone(), None, ids[2].clone(), ids[2].clone()]);
}

#[test]
fn a_line_after_bad_news_has_a_status_of_its_own() {
    let mut world = World::new();
    world.tables.policy.wait = Duration::ZERO;
    world.writes();
    world.passes(3);
    let claim = world.call();
    world.progress(&claim, Progress::Ringing);
    world.passes(5);
    world.ends(&claim, Outcome::Declined);
    world.passes(3);
    let second = world.writes();
    world.passes(5);
    let news = &world.read[2];
    assert!(matches!(news.content, Reply::Status(Status::NotReached { .. })), "{news:?}");
    let next = &world.read[3];
    assert_eq!((next.message.id, &next.replaces), (second, &None));
}

#[test]
fn bad_news_that_has_not_left_is_neither_overwritten_nor_taken_back_by_a_step() {
    let mut world = World::new();
    world.writes();
    world.passes(60);
    let claim = world.call();
    world.ends(&claim, Outcome::NoAnswer);
    // The link is down meanwhile.
    world.tables.now += Duration::from_secs(700);
    let claim = world.call();
    world.progress(&claim, Progress::Ringing);
    world.passes(5);
    let steps = [("waiting", false), ("not reached", false), ("Ringing 1/1", true)];
    assert_eq!(world.told(), told(&steps));
    assert_eq!(world.read[2].replaces.as_ref(), Some(&world.read[1].stanza_id));
}

#[test]
fn bad_news_that_has_not_left_gives_way_to_the_outcome() {
    let mut world = World::new();
    let message = world.writes();
    world.passes(60);
    let claim = world.call();
    world.ends(&claim, Outcome::NoAnswer);
    world.tables.now += Duration::from_secs(700);
    let claim = world.call();
    world.hears(&claim, message);
    world.passes(5);
    let steps = [("waiting", false), ("Heard 1/1", false)];
    assert_eq!(world.told(), told(&steps));
}

#[test]
fn the_words_of_a_kind_are_those_of_its_statuses() {
    let at = Timestamp::UNIX_EPOCH;
    let statuses = [
        Status::Held,
        Status::Waiting { call_at: at, why: crate::notification::Wait::Quiet },
        Status::Calling,
        Status::Ringing,
        Status::Answered,
        Status::Heard,
        Status::NotReadAloud,
        Status::Passed,
        Status::NotReached { outcome: Outcome::Busy, next: None },
        Status::HeardInPart { next: None },
        Status::Delivered,
        Status::CallsSwitchedOff,
        Status::NotTaken,
        Status::LeftWithServer,
        Status::Expired,
        Status::SetAside,
        Status::TakenBack,
        Status::TakenBackUnheard,
        Status::HeardBeforeCorrection,
        Status::HeardBeforeRetraction,
    ];
    for status in statuses {
        let reply = Reply::Status(status);
        let word = format!("'{}'", ReplyColumns::from(&reply).status.unwrap());
        let is_among = |words: &str| words.split(", ").any(|it| it == word);
        let kind = status.kind();
        assert_eq!(is_among(STEPS), kind == StatusKind::Step, "{status:?}");
        assert_eq!(is_among(OUTCOMES), kind == StatusKind::Outcome, "{status:?}");
    }
}

#[test]
fn five_lines_within_twenty_seconds_are_told_of_as_one() {
    let mut world = World::new();
    for _ in 0..5 {
        world.writes();
        world.passes(4);
    }
    world.passes(45);
    let claim = world.call();
    world.progress(&claim, Progress::Ringing);
    world.passes(6);
    world.progress(&claim, Progress::Answered);
    for message in &claim.messages {
        world.passes(8);
        world.hears(&claim, message.id);
    }
    let answer = Answer { message: claim.messages[4].id, key: '1', words: "Later.".into() };
    let now = world.tables.now;
    world.tables.work(|it| it.commit_answer(claim.attempt, answer, now).unwrap());
    world.ends(&claim, Outcome::Answered);
    world.passes(700);
    let told: Vec<_> = world.told().into_iter().map(|(what, _)| what).collect();
    assert_eq!(told[..3], ["waiting", "Ringing 5/5", "Heard 5/5"]);
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn of_two_lines_of_which_one_was_heard_both_are_told() {
    let mut world = World::new();
    let first = world.writes();
    let second = world.writes();
    world.passes(60);
    let claim = world.call();
    world.progress(&claim, Progress::Answered);
    world.passes(5);
    world.hears(&claim, first);
    world.passes(5);
    world.ends(&claim, Outcome::Answered);
    world.passes(5);
    let steps =
        [("waiting", false), ("Answered 2/2", true), ("Heard 1/2", true), ("not reached", false)];
    assert_eq!(world.told(), told(&steps));
    assert_eq!(world.read[3].message.id, second, "the reply names the one that was not heard");
    assert_eq!(jid(0), world.read[3].message.draft.recipient);
}

#[test]
fn an_encrypted_message_is_never_told_as_heard() {
    let mut world = World::new();
    let message = world.writes();
    let stanza = "<message xmlns='jabber:component:accept'><encryption xmlns='urn:xmpp:eme:0' namespace='x'/></message>";
    world.tables.conn.execute("UPDATE messages SET stanza = ?", [stanza]).unwrap();
    world.passes(60);
    let claim = world.call();
    world.hears(&claim, message);
    world.passes(5);
    assert_eq!(world.told(), told(&[("waiting", false), ("NotReadAloud 1/1", false)]));
}
