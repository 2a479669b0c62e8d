mod steps;

use std::time::Duration;

use jiff::SignedDuration;
use proptest::prelude::*;
use rusqlite::OptionalExtension;

use self::steps::{Step, policies, steps};
use super::*;
use crate::notification::{Attempt, Circumstances, Claim, Draft, MessageId, Outcome};
use crate::store::{ExpiryStep, LiveCalls};
use crate::subscriber::{Quiet, SenderRule, Senders, Setting, WhenOffline};

/// A store in memory, and the time.
struct World<'w> {
    transaction: Transaction<'w>,
    now: Timestamp,
    calls: Vec<Claim>,
    written: u32,
    /// The clock was set back once: what was planned before may be dated after now.
    set_back: bool,
}

impl World<'_> {
    fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Write { from, to, asked, room } => {
                self.writes(SENDERS[from], PEOPLE[to].0, asked, room)
            }
            Step::Shows { from, to, program, contact } => {
                let known = KnownSender { is_program: Some(program), is_contact: Some(contact) };
                drop(self.holds(SENDERS[from], PEOPLE[to].0, known, true, 0));
            }
            Step::Wait(seconds) => {
                self.set_back |= seconds < 0;
                self.now += SignedDuration::from_secs(seconds);
            }
            Step::Set { who, setting, sender } => {
                let setting = match setting {
                    0 => Setting::Offline(WhenOffline::Store),
                    1 | 2 => Setting::Offline(WhenOffline::Phone),
                    3 => Setting::Senders(Some(Senders::Everyone)),
                    4 => Setting::Senders(Some(Senders::Contacts)),
                    5 => Setting::Sender(jid(SENDERS[sender]), SenderRule::Block),
                    6 => Setting::Sender(jid(SENDERS[sender]), SenderRule::Allow),
                    7 => Setting::Quiet("12:00-13:00".parse().ok().map(Quiet::Daily)),
                    _ => Setting::Quiet(None),
                };
                self.transaction.set(&jid(PEOPLE[who].0), &[setting], now).unwrap();
            }
            Step::Suspend(suspended) => {
                self.transaction.suspend(suspended).unwrap();
                self.transaction.replan_slice("", now).unwrap();
            }
            Step::Claim => {
                let claims = self.transaction.claim_due(now, 9, &LiveCalls::default()).unwrap();
                self.calls.extend(claims);
            }
            Step::End { call, outcome, heard } => {
                if self.calls.is_empty() {
                    return;
                }
                let claim = self.calls.remove(call % self.calls.len());
                for message in claim.messages.iter().filter(|_| heard) {
                    self.transaction.spoken(claim.attempt, message.id, now).unwrap();
                }
                let attempt =
                    Attempt { sip_call_id: "1".to_owned(), ..Attempt::without_invite(outcome) };
                self.transaction.settle(claim.attempt, &attempt, false, now).unwrap();
            }
            Step::ComeOnline(who) => {
                self.transaction.came_online(&jid(PEOPLE[who].0), now).unwrap();
            }
            Step::Expire => {
                let step = ExpiryStep::default();
                assert_eq!(self.transaction.expire_slice(step, now).unwrap().next, None);
            }
        }
    }

    /// Holds a message whose sender is what `known` says, or else no program and no contact.
    fn holds(
        &mut self,
        from: &str,
        to: &str,
        known: KnownSender,
        asked: bool,
        room: usize,
    ) -> (MessageId, Option<Claim>, Option<Ruling>) {
        self.written += 1;
        let is_program = known.is_program.unwrap_or(false);
        let sender_unknown = is_program || asked;
        let from_contact = known.is_contact.unwrap_or(false);
        let draft = Draft {
            stanza_id: Some(self.written.to_string()),
            sender: format!("{from}/x").parse().unwrap(),
            recipient: jid(to),
            body: "Hello".to_owned(),
            language: None,
            wants_receipt: false,
            stanza: String::new(),
            how: Circumstances { from_contact, sender_unknown, ..Circumstances::default() },
        };
        let held = self.transaction.hold(draft, self.now, room).unwrap();
        let (claim, kept_by) = match sender_unknown {
            false => (held.claim, held.kept_by),
            true => self.transaction.identified(held.message, is_program, self.now, room).unwrap(),
        };
        self.calls.extend(claim.clone());
        (held.message, claim, kept_by)
    }

    fn writes(&mut self, from: &str, to: &str, asked: bool, room: usize) {
        let now = self.now;
        // The daemon has taken note of calls whose lease ran out.
        self.transaction.claim_due(now, 0, &LiveCalls::default()).unwrap();
        let said = self.transaction.explain(&[], &jid(from), &jid(to), now).unwrap();
        let lines = self.lines();
        let (message, claim, kept_by) = self.holds(from, to, said.sender, asked, room);
        assert_eq!(kept_by, said.kept_by);
        // A program is told nothing of it.
        let status = self.last_status(message);
        assert_eq!(status.is_none(), said.sender.is_program == Some(true));
        let told = status.as_ref().map(|(status, ..)| status.as_str());
        let later = self.claims_at(now);
        let rings = later.iter().chain(&claim).find(|it| it.callee.jid == jid(to));
        // Another person who was phoned first takes the line, or a call of the day.
        let alone = lines == 0 && later.iter().all(|it| it.callee.jid == jid(to));
        match (said.call, said.kept_by) {
            (Call::Refused(rule), _) => {
                assert!(told.is_none_or(|it| it == "held"), "{told:?}, {rule:?}");
                let read = rings.iter().any(|it| it.messages.iter().any(|it| it.id == message));
                assert!(!read, "{rule:?}");
            }
            (Call::Joins, _) => {
                assert!(told.is_none_or(|it| it == "calling"), "{told:?}");
                assert!(rings.is_none());
            }
            (Call::At { .. }, None) => assert!(rings.is_some() || !alone, "{said:?}"),
            (Call::At { at, by }, Some(kept)) => {
                assert!(rings.is_none(), "{said:?}");
                if at > now
                    && let Some(status) = status
                {
                    let expected = ("waiting".to_owned(), Some(at), Some(by.wait()));
                    assert_eq!(status, expected, "{said:?}");
                }
                if kept.verdict != Verdict::Stopped {
                    self.rings_at_its_time(to, at, by, alone);
                }
            }
        }
    }

    /// A call rings at the time that was said, and not a moment before.
    fn rings_at_its_time(&mut self, to: &str, at: Timestamp, by: Rule, alone: bool) {
        let just_before = at - SignedDuration::from_millis(1);
        let of =
            |claims: Vec<Claim>| claims.into_iter().filter(|it| it.callee.jid == jid(to)).count();
        let early = self.claims_at(just_before.max(self.now));
        assert_eq!(of(early), 0, "before {at}, {by:?}");
        let others = self.count("SELECT count(*) FROM notifications WHERE state <> 'closed'") > 1;
        let live = self.lines() > 0;
        // An earlier plan is judged anew when it is due, and other calls may have come in between.
        if alone && !others && !live && !self.set_back && !matches!(by, Rule::Planned(_)) {
            assert_eq!(of(self.claims_at(at)), 1, "at {at}, {by:?}");
        }
    }

    /// Which calls would be made at a time; nothing is changed.
    fn claims_at(&mut self, at: Timestamp) -> Vec<Claim> {
        self.transaction.conn.execute_batch("SAVEPOINT probe").unwrap();
        let claims = self.transaction.claim_due(at, 99, &LiveCalls::default()).unwrap();
        self.transaction.conn.execute_batch("ROLLBACK TO probe; RELEASE probe").unwrap();
        claims
    }

    fn last_status(&self, message: MessageId) -> Option<(String, Option<Timestamp>, Option<Wait>)> {
        let sql = "SELECT status, call_at, why FROM replies WHERE content = 'status'
                   AND message = (SELECT iif(from_program = 1, id, coalesce(first_line, id)) FROM messages WHERE id = ?)
                   ORDER BY id DESC LIMIT 1";
        let conn = self.transaction.conn;
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get("status")?, row.maybe_time("call_at")?, row.maybe_word("why")?))
        };
        conn.prepare_cached(sql).unwrap().query_row([message.0], read).optional().unwrap()
    }

    fn lines(&self) -> i64 {
        self.count("SELECT count(*) FROM attempts WHERE ended IS NULL")
    }

    fn count(&self, sql: &str) -> i64 {
        self.transaction.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn jid(jid: &str) -> BareJid {
    jid.parse().unwrap()
}

fn people() -> Vec<Subscriber> {
    let person = |&(person, number): &(&str, &str)| Subscriber {
        number: number.parse().ok(),
        ..Subscriber::new(jid(person), "X".to_owned())
    };
    PEOPLE.iter().filter(|(_, number)| !number.is_empty()).map(person).collect()
}

/// Bob and Ann share a phone, Dora has one that may not be dialled, Fred has none, and Gil is unknown.
const PEOPLE: [(&str, &str); 5] = [
    ("bob@example.org", "+81378901111"),
    ("ann@example.org", "+81378901111"),
    ("dora@example.org", "+491711234567"),
    ("fred@example.org", "none"),
    ("gil@example.org", ""),
];
const SENDERS: [&str; 4] =
    ["alice@example.org", "carol@example.org", "eve@elsewhere.example", "bob@example.org"];

/// Lends a store in memory with some people in it. The schema is made once; each world is rolled back.
fn in_world(mut policy: Policy, play: impl FnOnce(&mut World<'_>)) {
    thread_local!(static STORE: Connection = sqlite::empty().unwrap());
    STORE.with(|conn| {
        // A world in which an assertion failed is still open.
        if !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK").unwrap();
        }
        conn.execute_batch("BEGIN").unwrap();
        let (mut seed, cache) = (Seed::fixed(1), SubscriberCache::default());
        let mut time = CountedTime::default();
        let mut transaction = Transaction::new(conn, &mut policy, &mut seed, &cache, &mut time);
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        transaction.configure_subscribers(&people(), now).unwrap();
        play(&mut World { transaction, now, calls: vec![], written: 0, set_back: false });
        conn.execute_batch("ROLLBACK").unwrap();
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_explain_says_is_what_then_happens(policy in policies(), steps in steps()) {
        in_world(policy, |world| {
            steps.into_iter().for_each(|step| world.step(step));
            for (from, (to, _)) in SENDERS.iter().flat_map(|from| PEOPLE.iter().map(move |to| (from, to))) {
                world.transaction.explain(&people(), &jid(from), &jid(to), world.now).unwrap();
            }
            for message in world.transaction.ids("SELECT id FROM messages", []).unwrap() {
                world.transaction.keeper_of(message, world.now).unwrap();
            }
        });
    }
}

#[test]
fn a_sender_who_has_caused_a_call_waits_as_explain_says() {
    let policy = Policy {
        wait: Duration::ZERO,
        throttle: vec![],
        sender_throttle: vec!["1/1h".parse().unwrap()],
        quiet: Quiet::Never,
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        ..Policy::default()
    };
    in_world(policy, |world| {
        let (alice, bob) = ("alice@example.org", "bob@example.org");
        world.step(Step::Write { from: 0, to: 0, asked: false, room: 1 });
        world.step(Step::End { call: 0, outcome: Outcome::Answered, heard: true });
        world.step(Step::Wait(10));
        let said = world.transaction.explain(&[], &jid(alice), &jid(bob), world.now).unwrap();
        let so = said.rules.last().unwrap();
        assert!(!so.rings, "{so:?}");
        assert_eq!(
            so.because,
            "if bob@example.org cannot be reached in chat, it rings at 2026-11-23 11:00:00 UTC, by the rule: \
             dial.sender_throttle 1/1h"
        );
        let (message, claim, kept_by) = world.holds(alice, bob, said.sender, false, 1);
        assert!(claim.is_none() && kept_by == said.kept_by);
        let rule = "dial.sender_throttle 1/1h until 2026-11-23T11:00:00Z";
        assert_eq!(kept_by.unwrap().to_string(), rule);
        let planned =
            "planned call: it waits for a throttle or the daily limit until 2026-11-23T11:00:00Z";
        assert_eq!(
            world.transaction.keeper_of(message, world.now).unwrap().as_deref(),
            Some(planned)
        );
    });
}

#[test]
fn a_held_message_names_the_rule_that_keeps_its_phone_from_ringing() {
    let attempts = Policy {
        wait: Duration::ZERO,
        attempts: 1,
        throttle: vec![],
        quiet: Quiet::Never,
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        ..Policy::default()
    };
    let unknown = KnownSender::default();
    let program = KnownSender { is_program: Some(true), is_contact: None };
    let cases: [(&str, &str, KnownSender, &[Step], &str); 6] = [
        (
            "is of a program",
            "alice@example.org",
            program,
            &[],
            "senders: the sender says that it is a program",
        ),
        (
            "is of a stranger",
            "eve@elsewhere.example",
            unknown,
            &[],
            "senders: people of the person's own domain; the sender is not",
        ),
        (
            "met a busy line once too often",
            "alice@example.org",
            unknown,
            &[Step::Claim, Step::End { call: 0, outcome: Outcome::Busy, heard: false }],
            "dial.attempts: used up",
        ),
        (
            "was declined",
            "alice@example.org",
            unknown,
            &[Step::Claim, Step::End { call: 0, outcome: Outcome::Declined, heard: false }],
            "last call: the callee declined or passed the message over",
        ),
        (
            "comes while calls are stopped",
            "alice@example.org",
            unknown,
            &[Step::Suspend(true)],
            "suspend: all calls are stopped",
        ),
        (
            "is for somebody who has switched calls off",
            "alice@example.org",
            unknown,
            &[Step::Set { who: 0, setting: 0, sender: 0 }],
            "offline: store",
        ),
    ];
    for (what, from, known, steps, rule) in cases {
        in_world(attempts.clone(), |world| {
            let (message, ..) = world.holds(from, "bob@example.org", known, false, 0);
            steps.iter().for_each(|step| world.step(step.clone()));
            let kept_by = world.transaction.keeper_of(message, world.now).unwrap();
            assert_eq!(kept_by.as_deref(), Some(rule), "a message that {what}");
            // Whatever has become of it, explain has an answer.
            let bob = jid("bob@example.org");
            let said = world.transaction.explain(&[], &jid(from), &bob, world.now);
            assert_eq!(said.unwrap().rules.last().unwrap().rule, "so");
        });
    }
}
