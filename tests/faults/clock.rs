//! The wall clock is set while Offhook runs: libfaketime shows it another one, and leaves the monotonic clocks alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, Folder};
use offhook::demo::prosody::Prosody;
use tokio::time::{sleep, timeout};

use crate::auto_phone::{AutoPhone, Manner};
use crate::chat::{Chat, LONG};
use crate::world::room_for;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_by_days_costs_no_call_and_no_message() {
    let _room = room_for(1).await;
    let folder = Folder::make().unwrap();
    let people = [("alice@localhost", "a"), ("bob@localhost", "b")];
    let prosody = Prosody::start(&folder.room("prosody").unwrap(), &people, "secret").await;
    let prosody = prosody.unwrap();
    let phone = AutoPhone::start(Duration::from_millis(150), Manner::Key).await;
    let home = folder.room("offhook").unwrap();
    fs::write(home.join("component.toml"), component_toml(&prosody, &phone)).unwrap();
    let clock = Clock(home.join("clock"));
    clock.is_set("+0");
    let mut offhook = clock.start(&home);
    let room = folder.room("alice").unwrap();
    let mut alice =
        Chat::log_in("alice", prosody.clients, "alice@localhost/desk", "a", &room).await;
    alice.comes_online(0).await;
    until_it_says(&mut offhook, &home, "it is known who is online").await;

    // Bob is not phoned; his message waits for him.
    alice.write("bob\\40localhost@phone.localhost", "m1", "Hello, Bob").await;
    alice.reads("held").await;

    // A day back, while a call is due in some seconds: it is made.
    alice.write("p1\\40localhost@phone.localhost", "m2", "Can you come?").await;
    alice.reads("p1 is offline").await;
    clock.is_set("-1d");
    until_it_says(&mut offhook, &home, "wall clock was set").await;
    until_it_says(&mut offhook, &home, "call started notification=1").await;

    // Four days ahead, also over a restart, which begins with a look for what is old.
    clock.is_set("+4d");
    alice.write("p2\\40localhost@phone.localhost", "m3", "Can you come?").await;
    until_it_says(&mut offhook, &home, "call started notification=2").await;
    offhook.kill_and_wait().await;
    let mut offhook = clock.start(&home);
    until_it_says(&mut offhook, &home, "it is known who is online").await;
    alice.write("p3\\40localhost@phone.localhost", "m4", "Can you come?").await;
    alice.reads("p3 is offline").await;
    clock.is_set("+0");

    let room = folder.room("bob").unwrap();
    let mut bob = Chat::log_in("bob", prosody.clients, "bob@localhost/phone", "b", &room).await;
    bob.comes_online(0).await;
    bob.reads("Hello, Bob").await;
    assert!(
        !alice.texts().iter().any(|text| text.contains("no longer held")),
        "{:?}",
        alice.texts()
    );
    offhook.stop().await;
}

/// The file in which libfaketime reads how far the wall clock is off.
struct Clock(PathBuf);

impl Clock {
    fn is_set(&self, by: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, format!("{by}\n")).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    /// Starts Offhook with this clock.
    fn start(&self, home: &Path) -> ChildProcess {
        let library = LIBRARIES.iter().find(|path| Path::new(path).exists());
        let library = library.expect("libfaketime is not installed: sh .ci/install");
        let settings = [
            format!("LD_PRELOAD={library}"),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.0.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "FAKETIME_DISABLE_SHM=1".to_owned(),
        ];
        let program = env!("CARGO_BIN_EXE_offhook");
        let mut arguments: Vec<&str> = settings.iter().map(String::as_str).collect();
        arguments.extend([program, "--config", "component.toml", "--log", "debug", "run"]);
        ChildProcess::start("offhook", Path::new("/usr/bin/env"), &arguments, home).unwrap()
    }
}

async fn until_it_says(offhook: &mut ChildProcess, home: &Path, words: &str) {
    let said = async {
        loop {
            let log = fs::read(home.join("offhook.log")).unwrap_or_default();
            if String::from_utf8_lossy(&log).contains(words) {
                return;
            }
            assert!(offhook.is_running(), "{}", offhook.last_lines(30));
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, said).await.unwrap_or_else(|_| panic!("it never says \"{words}\""));
}

fn component_toml(prosody: &Prosody, phone: &AutoPhone) -> String {
    let (server, sip) = (prosody.components, phone.sip);
    let mut text = format!(
        "[component]\njid = \"phone.localhost\"\nserver = \"{server}\"\nsecret = \"secret\"\n\
         [[trunk]]\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 12\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\n\
         [speech]\nsettle_ms = 0\n\
         [[subscriber]]\njid = \"bob@localhost\"\nnumber = \"+9995550100\"\noffline = \"store\"\n"
    );
    for person in 1..=3 {
        text += &format!(
            "[[subscriber]]\njid = \"p{person}@localhost\"\nnumber = \"+99955501{person:02}\"\n"
        );
    }
    text
}

/// Where Debian and Ubuntu have it.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];
