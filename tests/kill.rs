//! SIGKILL at random moments: what Alice was told is held is delivered, phoned or reported, and no answer comes twice.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test stops where it fails.

#[path = "support/auto_phone.rs"]
mod auto_phone;
#[allow(dead_code)] // Other tests have use for more of it.
#[path = "support/chat.rs"]
mod chat;
#[allow(dead_code)] // Other tests have use for more of it.
#[path = "support/phone.rs"]
mod phone;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use auto_phone::{AutoPhone, Manner};
use chat::{Chat, LONG};
use offhook::clock;
use offhook::demo::chat_client::{ChatMessage, ChatUpdate};
use offhook::demo::child_process::{ChildProcess, Folder};
use offhook::demo::prosody::Prosody;
use offhook::seed::Seed;
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Together they make [`ROUNDS`] times as many kills.
const WORLDS: u64 = 7;
const ROUNDS: usize = 8;
/// A server that is there answers within this; one that is not there any more never does.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
const VOICE_WORLDS: usize = 4;
const VOICE_ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_alice_was_told_is_held_is_lost_by_fifty_kills() {
    let seed = match std::env::var("OFFHOOK_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => Seed::fresh().below(1_000_000),
    };
    println!("OFFHOOK_SEED={seed} replays the moments of the kills");
    let mut worlds = tokio::task::JoinSet::new();
    for world in 0..WORLDS {
        worlds.spawn(live_through(Seed::fixed(seed + world)));
    }
    let mut outcomes = Outcomes::default();
    while let Some(world) = worlds.join_next().await {
        let world = world.unwrap();
        outcomes.told_held += world.told_held;
        outcomes.answered += world.answered;
        outcomes.reported += world.reported;
    }
    println!("{} kills: {outcomes:?}", WORLDS as usize * ROUNDS);
    assert!(
        outcomes.answered > 10,
        "too few calls came through for the test to mean anything: {outcomes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_answer_survives_twenty_kills_and_arrives_once() {
    let mut seed = Seed::fresh();
    let mut worlds = tokio::task::JoinSet::new();
    for _ in 0..VOICE_WORLDS {
        worlds.spawn(speak_and_be_killed(seed.split()));
    }
    while let Some(world) = worlds.join_next().await {
        world.unwrap();
    }
}

/// Each person speaks an answer; the program is killed at any moment after 8 was pressed.
async fn speak_and_be_killed(mut seed: Seed) {
    let (told, mut spoken) = mpsc::channel(1);
    let mut world = World::build(Manner::Voice(told)).await;
    let mut offhook = start(&world.home);
    meets_offhook(&mut world.alice).await;
    for person in 0..VOICE_ROUNDS {
        let to = format!("p{person}\\40localhost@phone.localhost");
        write(&mut world.alice, &world.prosody, &to, &format!("m{person}")).await;
        let number = number(person);
        let speaks = async { while spoken.recv().await.is_some_and(|called| called != number) {} };
        let speaks = timeout(LONG, speaks).await;
        assert!(speaks.is_ok(), "p{person} never speaks\n{}", offhook.last_lines(30));
        // The recording is on the disk a few milliseconds after the key. Killed before that, the person is phoned again.
        sleep(Duration::from_millis(60 + seed.below(2500))).await;
        offhook.kill();
        drop(offhook);
        offhook = start(&world.home);
        meets_offhook(&mut world.alice).await;
        let (files, notes) = world.voice_of(person).await;
        assert_eq!((files, notes), (1, 1), "p{person}\n{}", offhook.last_lines(30));
    }
    offhook.stop().await;
}

#[derive(Debug, Default)]
struct Outcomes {
    told_held: usize,
    answered: usize,
    reported: usize,
}

/// A chat server, a phone, Alice, and a configuration; all but Offhook itself.
struct World {
    alice: Chat,
    home: PathBuf,
    prosody: Prosody,
    _phone: AutoPhone,
    _folder: Folder,
}

impl World {
    async fn build(manner: Manner) -> Self {
        let folder = Folder::make().unwrap();
        let prosody =
            Prosody::start(&folder.room("prosody").unwrap(), &[("alice@localhost", "a")], "secret")
                .await
                .unwrap();
        let phone = AutoPhone::start(Duration::from_millis(150), manner).await;
        let home = folder.room("offhook").unwrap();
        fs::write(home.join("component.toml"), component_toml(&prosody, &phone)).unwrap();
        let room = folder.room("alice").unwrap();
        let mut alice =
            Chat::log_in("alice", prosody.clients, "alice@localhost/desk", "a", &room).await;
        alice.comes_online(0).await;
        Self { alice, home, prosody, _phone: phone, _folder: folder }
    }

    /// Waits for what this person has said, and for all else that is owed: how many files and notes there are, by their ids.
    async fn voice_of(&mut self, person: usize) -> (usize, usize) {
        let from = format!("p{person}\\");
        let is_file =
            |it: &ChatMessage| it.from.starts_with(&from) && it.xml.contains("urn:xmpp:sfs:0");
        let is_note = |it: &ChatMessage| {
            let text = it.text.as_deref().unwrap_or_default();
            it.from.starts_with(&from) && text.starts_with("Voice answer")
        };
        let what = format!("the file of p{person}");
        self.alice.until(&what, is_file).await;
        if !self.alice.read.iter().any(is_note) {
            self.alice.until(&format!("the note of p{person}"), is_note).await;
        }
        until_nothing_is_owed(&self.home, &mut self.alice).await;
        let ids = |wanted: &dyn Fn(&ChatMessage) -> bool| {
            let wanted = self.alice.read.iter().filter(|it| wanted(it));
            wanted.map(|it| it.id.clone()).collect::<HashSet<_>>().len()
        };
        (ids(&is_file), ids(&is_note))
    }
}

/// Waits until Offhook is there: what is written before that bounces, or goes to the one that was killed.
async fn meets_offhook(alice: &mut Chat) {
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    let met = async {
        loop {
            let answer = alice.asks("get", "phone.localhost", ping);
            if timeout(ANSWER_WAIT, answer).await.is_ok_and(|it| it.contains("result")) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, met).await.expect("Offhook never comes");
}

/// Waits until Offhook has sent all that it owes, and Alice has read it.
async fn until_nothing_is_owed(home: &Path, alice: &mut Chat) {
    let owed = || {
        let store = Connection::open(home.join("offhook.db")).unwrap();
        let sql = "SELECT count(*) FROM replies WHERE sent IS NULL";
        store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let sent = async {
        while owed() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, sent).await.unwrap();
    // All that was sent before the answer is read with it.
    meets_offhook(alice).await;
}

async fn live_through(mut seed: Seed) -> Outcomes {
    let World { mut alice, home, prosody, _phone, _folder } = World::build(Manner::Key).await;
    let mut read = Read::default();
    let mut offhook = start(&home);
    for round in 0..ROUNDS {
        // Half the kills fall while messages are taken in, half while calls are made (which begin after 5 s).
        let (from, span) = if seed.below(2) == 0 { (100, 4_900) } else { (5_000, 2_500) };
        let kill_at = clock::now() + Duration::from_millis(from + seed.below(span));
        sleep(Duration::from_millis(300 + seed.below(300))).await;
        for message in 0..2 {
            let person = round * 2 + message;
            let to = format!("p{person}\\40localhost@phone.localhost");
            write(&mut alice, &prosody, &to, &format!("m{person}")).await;
        }
        read.until(&mut alice, kill_at.saturating_duration_since(clock::now())).await;
        offhook.kill();
        drop(offhook);
        offhook = start(&home);
    }
    // A call that was cut off is made again after a minute, and after two if it was cut off again.
    let patience = clock::now() + Duration::from_secs(400);
    while clock::now() < patience && !read.open().is_empty() {
        read.until(&mut alice, Duration::from_secs(1)).await;
    }
    until_nothing_is_owed(&home, &mut alice).await;
    alice.read.drain(..).for_each(|message| read.take(message));
    assert!(
        read.open().is_empty(),
        "told to be held, then never heard of again: {:?}",
        read.open()
    );
    for (person, ids) in &read.answers {
        assert_eq!(ids.len(), 1, "{person} answered once, but Alice got it under several ids");
    }
    let outcomes = Outcomes {
        told_held: read.held.len(),
        answered: read.answers.len(),
        reported: read.over.difference(&read.answers.keys().cloned().collect()).count(),
    };
    offhook.stop().await;
    outcomes
}

async fn write(alice: &mut Chat, prosody: &Prosody, to: &str, id: &str) {
    if let Err(error) = alice.client.send(to, id, "Can you come?").await {
        let (client, server) = (alice.client.part.last_lines(30), prosody.part.last_lines(30));
        panic!("Alice's client: {error}\n{client}\nthe server:\n{server}");
    }
}

/// What Alice has read, by the person it was written to: each gets one message, so that all can be told apart.
#[derive(Default)]
struct Read {
    held: HashSet<String>,
    over: HashSet<String>,
    answers: HashMap<String, HashSet<String>>,
}

impl Read {
    async fn until(&mut self, alice: &mut Chat, time: Duration) {
        let end = clock::now() + time;
        loop {
            let left = end.saturating_duration_since(clock::now());
            if left.is_zero() {
                return;
            }
            if let Ok(ChatUpdate::Message(message)) = alice.client.next(left).await {
                self.take(*message);
            }
        }
    }

    fn take(&mut self, message: ChatMessage) {
        let person = message.from.split('\\').next().unwrap().to_owned();
        if message.kind == "error" {
            return; // The component was away: Alice knows that the message did not get there.
        }
        if message.reply_to.is_some() {
            self.answers.entry(person.clone()).or_default().insert(message.id.unwrap_or_default());
            self.over.insert(person);
            return;
        }
        let body = message.body.unwrap_or_default();
        if body.contains("held") {
            self.held.insert(person.clone());
        }
        // The ends of the ladder: answered by key comes as a reply, these as a status.
        let ends = ["No further call", "has expired", "is online"];
        if ends.iter().any(|end| body.contains(end)) {
            self.over.insert(person);
        }
    }

    fn open(&self) -> Vec<&String> {
        self.held.difference(&self.over).collect()
    }
}

fn start(home: &Path) -> ChildProcess {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_offhook"));
    ChildProcess::start("offhook", &program, &["--config", "component.toml", "run"], home).unwrap()
}

fn number(person: usize) -> String {
    format!("+99955501{person:02}")
}

fn component_toml(prosody: &Prosody, phone: &AutoPhone) -> String {
    let (server, sip) = (prosody.components, phone.sip);
    let mut text = format!(
        "[component]\njid = \"phone.localhost\"\nserver = \"{server}\"\nsecret = \"secret\"\n\
         [[trunk]]\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\ncalls_per_s_max = 100\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 0\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\nattempts = 20\nno_answer_retry_s = [1]\n\
         [speech]\nsettle_ms = 0\n"
    );
    for person in 0..ROUNDS * 2 {
        text += &format!(
            "[[subscriber]]\njid = \"p{person}@localhost\"\nnumber = \"{}\"\n",
            number(person)
        );
    }
    text
}
