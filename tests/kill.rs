//! SIGKILL at random moments: what Alice was told is held is delivered, phoned or reported, and no answer comes twice.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

#[path = "peers/auto_phone.rs"]
mod auto_phone;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use auto_phone::{AutoPhone, Manner};
use offhook::cli::demo::chat_client::{ChatClient, ChatMessage, Told};
use offhook::cli::demo::part::{Folder, Part};
use offhook::cli::demo::prosody::Prosody;
use offhook::clock;
use offhook::seed::Seed;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Together they make [`ROUNDS`] times as many kills.
const WORLDS: u64 = 7;
const ROUNDS: usize = 8;
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
    for person in 0..VOICE_ROUNDS {
        let to = format!("p{person}\\40localhost@phone.localhost");
        let mut looks = 0;
        while spoken.try_recv().is_err() {
            // A message that met no component has bounced; another follows after a while.
            if looks % 200 == 0 {
                let id = format!("m{person}-{looks}");
                write(&mut world.alice, &world.prosody, &to, &id).await;
            }
            looks += 1;
            assert!(looks < 900, "p{person} never speaks\n{}", offhook.last_lines(30));
            sleep(Duration::from_millis(50)).await;
        }
        // The recording is on the disk a few milliseconds after the key. Killed before that, the person is phoned again.
        sleep(Duration::from_millis(60 + seed.below(2500))).await;
        offhook.kill();
        drop(offhook);
        offhook = start(&world.home);
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
    alice: ChatClient,
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
            ChatClient::start("alice", prosody.clients, "alice@localhost/desk", "a", &room)
                .await
                .unwrap();
        alice.online(0).await.unwrap();
        Self { alice, home, prosody, _phone: phone, _folder: folder }
    }

    /// Waits for what this person has said, and a little longer: how many files and notes there are, by their ids.
    async fn voice_of(&mut self, person: usize) -> (usize, usize) {
        let from = format!("p{person}\\");
        let (mut files, mut notes) = (HashSet::new(), HashSet::new());
        let patience = clock::now() + Duration::from_secs(130);
        let mut quiet = 0;
        while quiet < 6 && clock::now() < patience {
            match self.alice.next(Duration::from_millis(500)).await {
                Ok(Told::Message(message)) if message.from.starts_with(&from) => {
                    if message.xml.contains("urn:xmpp:sfs:0") {
                        files.insert(message.id);
                    } else if message.text.is_some_and(|text| text.starts_with("Voice answer")) {
                        notes.insert(message.id);
                    }
                }
                _ if !files.is_empty() && !notes.is_empty() => quiet += 1,
                _ => {}
            }
        }
        (files.len(), notes.len())
    }
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
    read.until(&mut alice, Duration::from_secs(3)).await;
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

async fn write(alice: &mut ChatClient, prosody: &Prosody, to: &str, id: &str) {
    if let Err(error) = alice.send(to, id, "Can you come?").await {
        let (client, server) = (alice.part.last_lines(30), prosody.part.last_lines(30));
        panic!("Alice's client: {error}\n{client}\nthe server:\n{server}");
    }
}

/// What Alice has read, by the person she wrote to: each gets one message, so that all can be told apart.
#[derive(Default)]
struct Read {
    held: HashSet<String>,
    over: HashSet<String>,
    answers: HashMap<String, HashSet<String>>,
}

impl Read {
    async fn until(&mut self, alice: &mut ChatClient, time: Duration) {
        let end = clock::now() + time;
        loop {
            let left = end.saturating_duration_since(clock::now());
            if left.is_zero() {
                return;
            }
            if let Ok(Told::Message(message)) = alice.next(left).await {
                self.take(*message);
            }
        }
    }

    fn take(&mut self, message: ChatMessage) {
        let person = message.from.split('\\').next().unwrap().to_owned();
        if message.kind == "error" {
            return; // The component was away: Alice knows that her message did not get there.
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
        let ends =
            ["No further call", "set aside", "could not be handled", "has expired", "is online"];
        if ends.iter().any(|end| body.contains(end)) {
            self.over.insert(person);
        }
    }

    fn open(&self) -> Vec<&String> {
        self.held.difference(&self.over).collect()
    }
}

fn start(home: &Path) -> Part {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_offhook"));
    Part::start("offhook", &program, &["--config", "component.toml", "run"], home).unwrap()
}

fn component_toml(prosody: &Prosody, phone: &AutoPhone) -> String {
    let (server, sip) = (prosody.components, phone.sip);
    let mut text = format!(
        "[component]\njid = \"phone.localhost\"\nserver = \"{server}\"\nsecret = \"secret\"\n\
         [[trunk]]\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\ncalls_per_s_max = 100\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 0\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nattempts = 20\nno_answer_retry_s = [1]\n\
         [speech]\nsettle_ms = 0\n"
    );
    for person in 0..ROUNDS * 2 {
        text += &format!(
            "[[subscriber]]\njid = \"p{person}@localhost\"\nnumber = \"+99955501{person:02}\"\n"
        );
    }
    text
}
