//! All but Offhook itself, which comes and goes: a chat server, a phone that answers by itself, Alice, a configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, Folder};
use offhook::demo::prosody::Prosody;
use rusqlite::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use crate::auto_phone::{AutoPhone, Manner};
use crate::chat::{Chat, LONG};

/// A chat server, a phone, Alice, and a configuration; all but Offhook itself.
pub(crate) struct World {
    pub(crate) alice: Chat,
    pub(crate) home: PathBuf,
    pub(crate) prosody: Prosody,
    pub(crate) phone: AutoPhone,
    _folder: Folder,
}

impl World {
    /// With so many people who can be phoned, each of whom answers in this manner.
    pub(crate) async fn build(manner: Manner, people: usize) -> Self {
        let folder = Folder::make().unwrap();
        let prosody =
            Prosody::start(&folder.room("prosody").unwrap(), &[("alice@localhost", "a")], "secret")
                .await
                .unwrap();
        let phone = AutoPhone::start(Duration::from_millis(150), manner).await;
        let home = folder.room("offhook").unwrap();
        fs::write(home.join("component.toml"), component_toml(&prosody, &phone, people)).unwrap();
        let room = folder.room("alice").unwrap();
        let mut alice =
            Chat::log_in("alice", prosody.clients, "alice@localhost/desk", "a", &room).await;
        alice.comes_online(0).await;
        Self { alice, home, prosody, phone, _folder: folder }
    }
}

/// Waits until Offhook is there: what is written before that bounces, or goes to the one that was killed.
pub(crate) async fn meets_offhook(alice: &mut Chat) {
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

/// What a query of one number finds in the store.
pub(crate) fn count(home: &Path, sql: &str) -> i64 {
    let store = Connection::open(home.join("offhook.db")).unwrap();
    store.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until Offhook has sent all that it owes, and Alice has read it.
pub(crate) async fn until_nothing_is_owed(home: &Path, alice: &mut Chat) {
    let owed = || count(home, "SELECT count(*) FROM replies WHERE sent IS NULL");
    let sent = async {
        while owed() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, sent).await.unwrap();
    // All that was sent before the answer is read with it.
    meets_offhook(alice).await;
}

pub(crate) async fn write(alice: &mut Chat, prosody: &Prosody, to: &str, id: &str) {
    if let Err(error) = alice.client.send(to, id, "Can you come?").await {
        let (client, server) = (alice.client.part.last_lines(30), prosody.part.last_lines(30));
        panic!("Alice's client: {error}\n{client}\nthe server:\n{server}");
    }
}

pub(crate) fn start(home: &Path) -> ChildProcess {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_offhook"));
    ChildProcess::start("offhook", &program, &["--config", "component.toml", "run"], home).unwrap()
}

pub(crate) fn number(person: usize) -> String {
    format!("+999555{person:05}")
}

fn component_toml(prosody: &Prosody, phone: &AutoPhone, people: usize) -> String {
    let (server, sip) = (prosody.components, phone.sip);
    let mut text = format!(
        "[component]\njid = \"phone.localhost\"\nserver = \"{server}\"\nsecret = \"secret\"\n\
         [[trunk]]\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\ncalls_per_s_max = 100\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 0\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\nattempts = 20\nno_answer_retry_s = [1]\n\
         [speech]\nsettle_ms = 0\n"
    );
    for person in 0..people {
        text += &format!(
            "[[subscriber]]\njid = \"p{person}@localhost\"\nnumber = \"{}\"\n",
            number(person)
        );
    }
    text
}

/// A server that is there answers within this; one that is not there any more never does.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Whether as much is tried as takes an hour.
pub(crate) fn is_long() -> bool {
    std::env::var("OFFHOOK_FAULTS").is_ok_and(|it| it == "long")
}

/// Waits until there is room for so many worlds: each has a server, a client, a phone and voices of its own, and a machine
/// with too many of them shows its own troubles.
pub(crate) async fn room_for(worlds: usize) -> SemaphorePermit<'static> {
    static ROOM: Semaphore = Semaphore::const_new(WORLDS_MAX);
    ROOM.acquire_many(u32::try_from(worlds).unwrap()).await.unwrap()
}

const WORLDS_MAX: usize = 11;
