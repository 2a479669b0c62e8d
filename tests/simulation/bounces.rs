//! What the server does not take: it answers with errors, at once or late, or ends the stream.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use minidom::Element;

use crate::phones::Fate;
use crate::server::message;
use crate::world::{CALLEES, SENDERS, World};

const NS: &str = "jabber:component:accept";
const BOB: &str = CALLEES[0];
const ALICE: &str = SENDERS[0];

/// Conditions of RFC 6120 §8.3.3 that servers bounce messages with, and the types that go with them.
const CONDITIONS: [(&str, &str); 9] = [
    ("cancel", "service-unavailable"),
    ("wait", "resource-constraint"),
    ("wait", "policy-violation"),
    ("modify", "not-acceptable"),
    ("wait", "remote-server-timeout"),
    ("cancel", "remote-server-not-found"),
    ("cancel", "gone"),
    ("auth", "forbidden"),
    ("cancel", "not-allowed"),
];

/// Which messages of the component come back.
#[derive(Debug, Default)]
pub(crate) struct Bounces {
    /// What comes back to these accounts' correspondents, and how late.
    to: BTreeMap<String, (&'static str, &'static str, Duration)>,
    /// Of so many messages one comes back, but none more than twice.
    one_in: Option<u64>,
    /// By `id`, how often it came back.
    pub(crate) returned: BTreeMap<String, u32>,
    /// The server ends the stream over what holds one of these.
    poison: BTreeSet<&'static str>,
}

impl Bounces {
    pub(crate) fn at_random(one_in: u64) -> Self {
        Self { one_in: Some(one_in), ..Self::default() }
    }

    pub(crate) fn stop(&mut self) {
        (self.one_in, self.to) = (None, BTreeMap::new());
    }

    /// The error for a message that is not taken, and how late it comes.
    pub(crate) fn of(
        &mut self,
        stanza: &Element,
        mut below: impl FnMut(u64) -> u64,
    ) -> Option<(Duration, Element)> {
        if stanza.name() != "message" || stanza.attr("type") == Some("error") {
            return None;
        }
        let [id, to, from] = ["id", "to", "from"].map(|it| stanza.attr(it).unwrap_or_default());
        let account = to.split('/').next().unwrap_or_default();
        let times = self.returned.get(id).copied().unwrap_or_default();
        let chosen = self.one_in.is_some_and(|one_in| below(one_in) == 0) && times < 2;
        let (kind, condition, pause) = match self.to.get(account) {
            Some(known) => *known,
            None if chosen => {
                let (kind, condition) = CONDITIONS[below(CONDITIONS.len() as u64) as usize];
                let late = [0, 200, 50_000][below(3) as usize];
                (kind, condition, Duration::from_millis(below(late + 40)))
            }
            None => return None,
        };
        *self.returned.entry(id.to_owned()).or_default() += 1;
        let error = format!(
            "<message xmlns='{NS}' type='error' id='{id}' from='{account}' to='{from}'>\
             <error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        );
        Some((pause, error.parse().unwrap()))
    }

    /// Whether the server ends the stream over this stanza.
    pub(crate) fn ends_stream(&self, stanza: &Element) -> bool {
        let xml = String::from(stanza);
        self.poison.iter().any(|poison| xml.contains(poison))
    }
}

impl World {
    /// "Delivered" is true only of what a client or the server's own store has.
    pub(crate) fn check_delivered(&self) {
        let tables = self.disk.tables();
        let mut find = tables
            .prepare_cached("SELECT stanza_id, recipient FROM messages WHERE ending = 'delivered'")
            .unwrap();
        let mut rows = find.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (id, recipient): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            let fate = if self.nature.trunk_is_silent { "I20" } else { "I1" };
            let has = self.server.has(&recipient, &id);
            assert!(has, "{fate}: {id} counts as delivered and is not");
        }
    }

    fn bounces(&mut self, account: &str, (kind, condition): (&'static str, &'static str), s: u64) {
        let bounce = (kind, condition, Duration::from_secs(s));
        self.server.bounces.to.insert(account.to_owned(), bounce);
    }

    fn has_read(&self, account: &str, words: &str) -> bool {
        self.server.has_seen(account).iter().any(|it| it.body.contains(words))
    }
}

/// A world in which it is known who is online and one message of Alice's is held for Bob.
fn with_a_message() -> (World, String) {
    with_a_message_that_waits(3600)
}

fn with_a_message_that_waits(s: u64) -> (World, String) {
    let mut world = World::without_limits(Duration::from_secs(s));
    let id = world.writes(ALICE, BOB);
    world.run_for(2);
    (world, id)
}

const DELIVERED: &str = "has your message";

#[test]
fn what_bounces_at_the_log_in_stays_held_and_comes_at_the_next_one() {
    for condition in CONDITIONS {
        for late_s in [0, 30] {
            let (mut world, id) = with_a_message();
            world.bounces(BOB, condition, late_s);
            world.logs_in(BOB);
            world.run_for(100);
            assert!(!world.has_read(ALICE, DELIVERED), "{condition:?} after {late_s} s");
            assert!(world.has_read(ALICE, "held"), "{condition:?}");
            world.logs_out(BOB);
            world.run_for(10);
            world.server.bounces.stop();
            world.logs_in(BOB);
            world.run_for(30);
            // An error that was under way when Bob came may have put it off once more.
            if late_s == 0 {
                assert!(world.has_read(BOB, &format!("[{id}]")), "{condition:?}");
                assert!(!world.has_read(ALICE, DELIVERED), "a bounce may come yet");
            }
            world.run_for(200);
            assert!(world.has_read(BOB, &format!("[{id}]")), "{condition:?} after {late_s} s");
            assert!(world.has_read(ALICE, DELIVERED), "{condition:?}: {:#?}", world.last_steps());
        }
    }
}

#[test]
fn what_cannot_be_taken_now_goes_again_by_itself() {
    let (mut world, id) = with_a_message();
    world.bounces(BOB, ("wait", "resource-constraint"), 0);
    world.logs_in(BOB);
    world.run_for(20);
    world.server.bounces.stop();
    world.run_for(100);
    assert!(world.has_read(BOB, &format!("[{id}]")), "{:#?}", world.last_steps());
}

#[test]
fn blocking_somebody_or_the_component_rings_no_phone() {
    for (kind, condition) in CONDITIONS {
        if condition.starts_with("remote-server") {
            continue;
        }
        let (mut world, _) = with_a_message();
        world.bounces(BOB, (kind, condition), 0);
        world.logs_in(BOB);
        world.run_for(30);
        world.writes(SENDERS[1], BOB);
        world.run_for(2 * 3600);
        assert_eq!(world.lines.calls(), 0, "{condition}: {:#?}", world.last_steps());
        assert!(!world.has_read(ALICE, DELIVERED), "{condition}");
    }
}

#[test]
fn a_message_whose_recipients_server_is_away_is_phoned_about_as_before() {
    let (mut world, _) = with_a_message();
    world.bounces(BOB, ("cancel", "remote-server-not-found"), 0);
    world.logs_in(BOB);
    world.run_for(3700);
    assert!(world.lines.calls() > 0, "{:#?}", world.last_steps());
}

#[test]
fn an_answer_that_bounces_is_sent_again_until_the_sender_has_it() {
    let (mut world, id) = with_a_message();
    world.run_for(3590);
    while world.calls.is_empty() {
        world.run_for(1);
    }
    for call in world.calls.values_mut() {
        (call.fate, call.answers, call.patience) = (Fate::Answers, true, u64::MAX);
    }
    world.bounces(ALICE, ("cancel", "remote-server-not-found"), 0);
    world.run_for(60);
    assert!(!world.has_read(ALICE, "answer #"), "all that goes to Alice comes back");
    world.server.bounces.stop();
    world.run_for(300);
    let answers = world.server.has_seen(ALICE).iter().filter(|it| it.body.contains("answer #"));
    assert_eq!(answers.count(), 1, "{id}: {:#?}", world.last_steps());
}

#[test]
fn a_crash_before_a_delivery_is_settled_promises_nothing_and_loses_nothing() {
    let (mut world, id) = with_a_message();
    world.bounces(BOB, ("wait", "remote-server-timeout"), 30);
    world.logs_in(BOB);
    world.run_for(10);
    // The error comes while the program is away.
    world.kill();
    world.server.bounces.stop();
    world.run_for(30);
    assert!(world.has_read(BOB, &format!("[{id}]")), "{:#?}", world.last_steps());
    world.run_for(60);
    assert!(world.has_read(ALICE, DELIVERED));
}

#[test]
fn when_its_time_is_up_a_message_goes_to_the_recipients_server() {
    for taken in [true, false] {
        let (mut world, id) = with_a_message_that_waits(100 * 3600);
        if !taken {
            world.bounces(BOB, ("cancel", "service-unavailable"), 0);
        }
        world.run_for(73 * 3600);
        assert_eq!(world.server.has(BOB, &id), taken, "{:#?}", world.last_steps());
        assert_eq!(world.has_read(ALICE, "was passed to bob's server"), taken);
        assert_eq!(world.has_read(ALICE, "Your message is no longer held."), !taken);
        assert!(!world.has_read(ALICE, DELIVERED));
    }
}

#[test]
fn a_stanza_over_which_the_server_ends_the_stream_holds_up_no_other() {
    for poison in ["<odd ", "poisonous"] {
        let (mut world, _) = with_a_message();
        let more = "<body>[p] poisonous</body><odd xmlns='urn:example:odd'/>";
        world.promises.is_written("p", ALICE, BOB, Duration::ZERO);
        world.arrives(message(ALICE, BOB, "p", more));
        let later: Vec<_> = (0..5).map(|_| world.writes(SENDERS[1], BOB)).collect();
        world.run_for(2);
        world.server.bounces.poison.insert(poison);
        world.logs_in(BOB);
        // Lost twice with the others, twice alone; the link comes back after some seconds each time.
        for _ in 0..20 {
            world.run_for(30);
            world.logs_in(BOB);
        }
        for id in later {
            assert!(world.has_read(BOB, &format!("[{id}]")), "{poison}: {:#?}", world.last_steps());
        }
        let as_text = poison != "poisonous";
        assert_eq!(world.has_read(BOB, "[p] poisonous"), as_text, "{poison}");
        assert_eq!(world.server.has(BOB, "p"), as_text, "{poison}");
        let copies = world.server.copies("m1");
        assert!(copies <= 5, "no copy at each new stream: {copies}");
        if !as_text {
            assert!(world.has_read(ALICE, "could not be delivered yet"), "she is told");
        }
    }
}
