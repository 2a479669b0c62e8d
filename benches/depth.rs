//! What it costs that much is held: the start, changes of rules and people, and how long one sender's first word takes while
//! thousands of others' stanzas are owed.
//!
//! Run with `cargo bench --bench depth -- HELD`, such as 100000; 10,000 people have a call that waits. The store is the real
//! one on this disk, the component is the real one; the server is a model that takes so many stanzas a second.

// The figures are the output, and a step that fails ends the run.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use minidom::Element;
use offhook::clock::{moment, now, timestamp};
use offhook::component::{BatchId, Component, Input, LinkInput, Now, Outgoing, Output, Wake};
use offhook::notification::Draft;
use offhook::notification::policy::Policy;
use offhook::seed::Seed;
use offhook::store::Store;
use offhook::subscriber::{Quiet, Setting, Subscriber};
use offhook::xmpp::directory::{Directory, ServedDomains};
use offhook::xmpp::gateway::Gateway;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let held = words.next_back().map_or(100_000, |word| word.parse().unwrap());
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("depth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(measure(&folder.join("offhook.db"), held));
    std::fs::remove_dir_all(folder).unwrap();
}

async fn measure(file: &Path, held: usize) {
    fill(file, held).await;
    let bytes = std::fs::metadata(file).unwrap().len() >> 20;
    println!("{held} held for {PEOPLE} people, {bytes} MB");
    let store = start(file).await;
    changes(&store).await;
    store.close().await;
    // What became owed by that is no part of what follows.
    all_is_sent(file);
    let store = Store::open(file, policy(80_000)).unwrap();
    store.recover(timestamp()).await.unwrap();
    let mut world = World::new(store).await;
    world.first_contacts().await;
    world.one_logs_in().await;
    world.expiry().await;
    world.store.close().await;
}

/// Ten for each person through the store, and the rest as copies of those.
async fn fill(file: &Path, held: usize) {
    let store = Store::open(file, policy(86_400)).unwrap();
    store.recover(timestamp()).await.unwrap();
    store.configure_subscribers((0..PEOPLE).map(person).collect(), timestamp()).await.unwrap();
    let numbers: Vec<usize> = (0..PEOPLE + LOGS_IN).collect();
    for slice in numbers.chunks(256) {
        let to = |n: usize| if n < PEOPLE { n } else { 0 };
        let hold = |n: &usize| store.hold(draft(*n, to(*n)), timestamp(), 0);
        join_all(slice.iter().map(hold)).await.into_iter().for_each(|held| drop(held.unwrap()));
    }
    store.close().await;
    let conn = all_is_sent(file);
    let mut there = PEOPLE + LOGS_IN;
    while there < held {
        let more = (held - there).min(PEOPLE - 1);
        conn.execute(
            "INSERT INTO messages (recipient, sender, sender_bare, stanza_id, body, wants_receipt, stanza,
                 status_stanza_id, received)
             SELECT recipient, sender, sender_bare, stanza_id, body, wants_receipt, stanza,
                 hex(randomblob(12)), received
             FROM messages WHERE id > 1 ORDER BY id LIMIT ?",
            [more as i64],
        )
        .unwrap();
        there += more;
    }
}

fn all_is_sent(file: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute("UPDATE replies SET sent = owed WHERE sent IS NULL", []).unwrap();
    conn
}

/// What lies between the start and the handshake.
async fn start(file: &Path) -> Store {
    let begun = now();
    let store = Store::open(file, policy(86_400)).unwrap();
    tell("opened", begun.elapsed());
    store.recover(timestamp()).await.unwrap();
    store.configure_subscribers((0..PEOPLE).map(person).collect(), timestamp()).await.unwrap();
    assert_eq!(store.subscribers().await.unwrap().len(), PEOPLE);
    tell("start to handshake", begun.elapsed());
    store
}

/// What keeps the next message waiting while rules and people change.
async fn changes(store: &Store) {
    let quiet = || vec![Setting::Quiet("22:00-07:00".parse().ok().map(Quiet::Daily))];
    let jid = person(1).jid;
    let (set, held) = beside(store, store.set(&jid, quiet(), timestamp())).await;
    set.unwrap();
    tell("hold beside one person's `quiet`, at most", held);
    let mut people: Vec<_> = (0..PEOPLE).map(person).collect();
    people[2].quiet = "22:00-07:00".parse().ok().map(Quiet::Daily);
    let (adopted, held) =
        beside(store, store.adopt(policy(86_400), people.clone(), timestamp())).await;
    adopted.unwrap();
    tell("hold beside SIGHUP with one person changed, at most", held);
    let begun = now();
    let (adopted, held) = beside(store, async {
        store.adopt(policy(80_000), people, timestamp()).await.unwrap();
        store.replan(timestamp()).await
    })
    .await;
    adopted.unwrap();
    tell("hold beside SIGHUP with another wait_s, at most", held);
    tell("  all calls planned anew after", begun.elapsed());
}

/// Does `work`, and gives with its result the longest that a message had to wait meanwhile until it was durable.
async fn beside<T>(store: &Store, work: impl Future<Output = T>) -> (T, Duration) {
    tokio::pin!(work);
    let (mut longest, mut number) = (Duration::ZERO, 50_000_000);
    let mut done = None;
    while done.is_none() {
        let begun = now();
        let hold = store.hold(draft(number, number % PEOPLE), timestamp(), 0);
        tokio::pin!(hold);
        loop {
            tokio::select! {
                result = &mut work, if done.is_none() => done = Some(result),
                held = &mut hold => {
                    held.unwrap();
                    break;
                }
            }
        }
        longest = longest.max(begun.elapsed());
        number += 1;
    }
    (done.unwrap(), longest)
}

/// The component with its store and a server.
struct World {
    component: Component,
    store: Store,
    inputs: mpsc::UnboundedReceiver<Input>,
    sender: mpsc::UnboundedSender<Input>,
    /// When the server has taken all that was sent.
    taken: Instant,
    pongs: BTreeMap<Instant, BatchId>,
    /// Stanzas that have arrived: when the server has taken each, by whom it is for.
    arrived: Vec<(Instant, String)>,
    /// Stanzas a second that the server takes.
    rate: u32,
}

impl World {
    async fn new(store: Store) -> Self {
        let people: Vec<_> = store.subscribers().await.unwrap();
        let served = ServedDomains {
            domains: vec!["example.org".to_owned()],
            policy: policy(80_000),
            ..ServedDomains::default()
        };
        let gateway = Gateway::new(COMPONENT, Directory::new(&people), served, Seed::fixed(1));
        let (sender, inputs) = mpsc::unbounded_channel();
        let component = Component::new(COMPONENT.to_owned(), gateway, 0, both_clocks());
        let mut world = Self {
            component,
            store,
            inputs,
            sender,
            taken: now(),
            pongs: BTreeMap::new(),
            arrived: vec![],
            rate: 1_000_000,
        };
        world.tell(Input::Link(LinkInput::Up));
        world.run_until(|world| world.pongs.is_empty(), Duration::from_secs(3)).await;
        world
    }

    fn tell(&mut self, input: Input) {
        self.component.handle(input, both_clocks());
        while let Some(output) = self.component.poll() {
            if let Output::Store { id, job, now } = output {
                let results = self.sender.clone();
                self.store.submit(job, now, move |result| {
                    let _ = results.send(Input::Stored(id, Box::new(result)));
                });
            }
        }
        while let Some(outgoing) = self.component.poll_outgoing() {
            match outgoing {
                Outgoing::Stanza(stanza) => self.takes(&stanza),
                Outgoing::Batch(id, stanzas) => {
                    stanzas.iter().for_each(|stanza| self.takes(stanza));
                    self.pongs.insert(self.taken, id);
                }
            }
        }
    }

    fn takes(&mut self, stanza: &Element) {
        self.taken = self.taken.max(now()) + Duration::from_secs(1) / self.rate;
        let to = stanza.attr("to").unwrap_or_default().to_owned();
        self.arrived.push((self.taken, to.clone()));
        if stanza.name() == "iq" && to.contains("/x") {
            let answer = format!(
                "<iq xmlns='jabber:component:accept' type='result' id='{}' from='{to}' to='{COMPONENT}'/>",
                stanza.attr("id").unwrap()
            );
            let answer = Input::Link(LinkInput::Stanza(answer.parse().unwrap()));
            let _ = self.sender.send(answer);
        }
    }

    /// Goes on until it is so, and then as long as there is something to do, or for so long.
    async fn run_until(&mut self, is_so: impl Fn(&Self) -> bool, at_most: Duration) {
        let end = now() + at_most;
        while !is_so(self) && now() < end {
            let pong = self.pongs.first_key_value().map(|(at, _)| *at);
            let timer = self.component.deadline().map(|(at, _)| at);
            let wake = [pong, timer, Some(end)].into_iter().flatten().min().unwrap();
            let input = tokio::select! {
                biased;
                Some(input) = self.inputs.recv() => input,
                () = self.store.due().notified() => Input::Wake(Wake::Due),
                () = self.store.outbox().notified() => Input::Wake(Wake::Outbox),
                () = self.store.replan_wanted().notified() => Input::Wake(Wake::Replan),
                () = sleep_until(wake.into()) => {
                    let due = self.pongs.first_entry().filter(|pong| *pong.key() <= now());
                    match due.map(|pong| pong.remove()) {
                        Some(id) => Input::Link(LinkInput::Batch(id, true)),
                        None => Input::Tick,
                    }
                }
            };
            self.tell(input);
        }
    }

    fn writes(&mut self, from: &str, to: usize, id: usize) {
        let to = format!("person{to}\\40example.org@{COMPONENT}");
        let message = format!(
            "<message xmlns='jabber:component:accept' type='chat' id='n{id}' from='{from}' to='{to}'>
                 <body>Hello</body></message>"
        );
        self.tell(Input::Link(LinkInput::Stanza(message.parse().unwrap())));
    }

    fn arrived_for(&self, who: &str) -> impl Iterator<Item = Instant> {
        let is_theirs = move |to: &&(Instant, String)| to.1.starts_with(who);
        self.arrived.iter().filter(is_theirs).map(|(at, _)| *at).collect::<Vec<_>>().into_iter()
    }

    /// 500 senders write for the first time in one moment.
    async fn first_contacts(&mut self) {
        let begun = now();
        for sender in 0..500 {
            self.writes(
                &format!("new{sender}@elsewhere.example/x"),
                10 + sender,
                1_000_000 + sender,
            );
        }
        let told = |world: &Self| world.arrived_for("new").count();
        self.run_until(|world| told(world) >= 1000, Duration::from_secs(60)).await;
        let last = self.arrived_for("new").max().unwrap();
        assert!(told(self) >= 1000, "all are asked what they are, and told");
        tell("500 first contacts: the last is told after", last.duration_since(begun));
    }

    /// One with thousands of messages logs in; another's first word goes beside them.
    async fn one_logs_in(&mut self) {
        let bob = person(0).jid.to_string();
        for rate in [1_000_000, 1_120] {
            self.rate = rate;
            self.arrived.clear();
            let begun = now();
            let presence = format!(
                "<presence xmlns='jabber:component:accept' from='{bob}/x' to='{COMPONENT}'/>"
            );
            self.tell(Input::Link(LinkInput::Stanza(presence.parse().unwrap())));
            let first = |world: &Self| world.arrived_for(&bob).count() >= 500;
            self.run_until(first, Duration::from_secs(60)).await;
            let asked = now();
            self.writes("eve@elsewhere.example/x", 600, 2_000_000 + rate as usize);
            let all = |world: &Self| world.arrived_for(&bob).count() >= LOGS_IN;
            self.run_until(all, Duration::from_secs(120)).await;
            let taken = self.arrived.len();
            let last = self.arrived_for(&bob).max().unwrap();
            println!("  the server takes {rate} stanzas a second; {taken} stanzas in all");
            tell("one logs in: all is there after", last.duration_since(begun));
            let word = self.arrived_for("eve@").max().unwrap_or(last);
            tell("  a first word to another takes", word.saturating_duration_since(asked));
            self.hold_again().await;
        }
        self.rate = 1_000_000;
    }

    /// As much as before is held for the one who logged in.
    async fn hold_again(&mut self) {
        let away = format!(
            "<presence xmlns='jabber:component:accept' type='unavailable' from='{}/x' to='{COMPONENT}'/>",
            person(0).jid
        );
        self.tell(Input::Link(LinkInput::Stanza(away.parse().unwrap())));
        for slice in (0..LOGS_IN).collect::<Vec<_>>().chunks(256) {
            let hold = |n: &usize| self.store.hold(draft(3_000_000 + n, 0), timestamp(), 0);
            join_all(slice.iter().map(hold)).await.into_iter().for_each(|held| drop(held.unwrap()));
        }
        self.run_until(|_| false, Duration::from_secs(5)).await;
    }

    /// All messages expire; another's first word goes beside them.
    async fn expiry(&self) {
        let begun = now();
        let later = timestamp() + Duration::from_secs(73 * 3600);
        let (found, held) = beside(&self.store, self.store.expire(later)).await;
        println!("  {} messages and recordings", found.unwrap());
        tell("expiry of all took", begun.elapsed());
        tell("  hold beside it, at most", held);
    }
}

fn both_clocks() -> Now {
    Now { mono: now(), at: moment() }
}

fn tell(what: &str, took: Duration) {
    println!("{what:<52} {:>9.1} ms", took.as_secs_f64() * 1000.0);
}

fn policy(wait_s: u64) -> Policy {
    Policy {
        wait: Duration::from_secs(wait_s),
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        quiet: Quiet::Never,
        throttle: vec![],
        sender_throttle: vec![],
        calls_per_day_max: u32::MAX,
        minutes_per_day_max: u32::MAX,
        ..Policy::default()
    }
}

fn person(number: usize) -> Subscriber {
    Subscriber {
        number: format!("+8190{number:08}").parse().ok(),
        ..Subscriber::new(
            format!("person{number}@example.org").parse().unwrap(),
            format!("Person {number}"),
        )
    }
}

fn draft(number: usize, to: usize) -> Draft {
    let body = "Where are you? The train leaves at ten.".to_owned();
    let stanza =
        format!("<message xmlns='jabber:component:accept' id='{number}'><body>{body}</body>");
    let filler = RECORD_BYTES.saturating_sub(stanza.len() + "</message>".len());
    Draft {
        stanza_id: Some(number.to_string()),
        sender: format!("sender{}@example.org/phone", number % 997).parse().unwrap(),
        recipient: format!("person{to}@example.org").parse().unwrap(),
        body,
        language: None,
        wants_receipt: false,
        stanza: format!("{stanza}{:filler$}</message>", ""),
        how: Default::default(),
    }
}

const COMPONENT: &str = "phone.example.org";
const PEOPLE: usize = 10_000;
/// Held for the one who logs in.
const LOGS_IN: usize = 6_000;
const RECORD_BYTES: usize = 300;
