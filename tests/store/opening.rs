//! Which files are opened, and which are refused with a reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use offhook::notification::{Outcome, Progress};
use offhook::store::{Reader, Store, StoreError};
use rusqlite::Connection;

use crate::world::{Folder, World, policy};

#[tokio::test]
async fn one_daemon_has_the_file_and_a_reader_may_look() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let file = world.folder.file();
    let second = Store::open(&file, policy());
    assert!(matches!(second, Err(StoreError::InUse(_))), "{second:?}");
    let reader = Reader::open(&file).unwrap();
    assert_eq!(reader.held_list().unwrap().len(), 1);
    world.alice_writes("Hello again").await;
    assert_eq!(reader.held_list().unwrap().len(), 2);
    world.stop().await;
    assert_eq!(Reader::open(&file).unwrap().held_list().unwrap().len(), 2);
    assert!(Store::open(&file, policy()).is_ok());
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&folder.file(), policy()).unwrap();
    store.recover(crate::world::start()).await.unwrap();
    for entry in fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.close().await;
}

#[test]
fn a_file_that_cannot_be_trusted_is_refused_with_what_to_do() {
    let made = || {
        let folder = Folder::new();
        drop(Store::open(&folder.file(), policy()).unwrap());
        // The writer closes the file a moment after its last handle is gone.
        while matches!(Store::open(&folder.file(), policy()), Err(StoreError::InUse(_))) {}
        folder
    };
    let spoil = |folder: &Folder, sql: &str| {
        Connection::open(folder.file()).unwrap().execute_batch(sql).unwrap();
    };
    let newer = made();
    spoil(&newer, "PRAGMA user_version = 99");
    let foreign = Folder::new();
    spoil(&foreign, "CREATE TABLE notes (text)");
    let text = Folder::new();
    fs::write(
        text.file(),
        "This is not a database, but it is long enough to be taken for one.".repeat(20),
    )
    .unwrap();
    let folder_instead = Folder::new();
    fs::create_dir(folder_instead.file()).unwrap();
    let cases = [
        (&newer, "has schema 99, this offhook knows 8; install the version that wrote it"),
        (&foreign, "is not an offhook store; set store.path to a file of its own"),
        (&text, "is not an offhook store; set store.path to a file of its own"),
        (&folder_instead, "cannot be opened"),
    ];
    for (folder, expected) in cases {
        let said = Store::open(&folder.file(), policy()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
        assert!(Reader::open(&folder.file()).is_err(), "{expected}");
    }
    let said = Reader::open(&Folder::new().file()).unwrap_err().to_string();
    assert!(said.contains("there is no store at"), "{said}");
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let mut world = World::new().await;
    for _ in 0..50 {
        world.alice_writes(&"Hello ".repeat(100)).await;
    }
    let file = world.folder.file();
    world.stop().await;
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let opened = Store::open(&file, policy());
    assert!(matches!(opened, Err(StoreError::Damaged { .. })), "{opened:?}");
}

#[tokio::test]
async fn a_message_can_be_traced_by_any_name_it_has() {
    let mut world = World::new().await;
    let message = world.alice_writes("Hello").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Ringing).await;
    world.progress(&claim, Progress::Answered).await;
    world.spoken(&claim, message).await;
    world.answers(&claim, message, '1').await;
    world.at(80);
    world.settle(&claim, Outcome::Answered).await;
    let answer = world.owed().await.pop().unwrap().stanza_id;
    world.send_all().await;
    let reader = Reader::open(&world.folder.file()).unwrap();
    for name in [&message.0.to_string(), "alice-1", &answer] {
        let trace = reader.trace(name).unwrap().unwrap();
        assert_eq!(trace.message.id, message, "{name}");
        let call = &trace.calls[0];
        assert_eq!((call.outcome, call.messages, call.heard), (Some(Outcome::Answered), 1, 1));
        assert_eq!(call.sip_call_id.as_deref(), Some("a84b4c76e66710@192.0.2.1"));
        assert_eq!(call.ended, Some(world.time(80)));
        let key = trace.replies.iter().find_map(|reply| reply.key.clone());
        assert_eq!(key.as_deref(), Some("1"));
        let told: Vec<_> = trace.steps.iter().map(|step| step.what.as_str()).collect();
        let expected = [
            "held",
            "owed: waiting, gathering, call at 2026-11-23T10:01:00Z",
            "call claimed",
            "owed: calling",
            "ringing",
            "owed: ringing",
            "answered",
            "owed: answered",
            "spoken",
            "owed: heard",
            "answered by key",
            "owed: answer",
            "call ended: answered",
        ];
        assert_eq!(told[..expected.len()], expected);
        assert!(told[expected.len()..].iter().all(|what| what.starts_with("sent: stanza ")));
    }
    assert_eq!(reader.trace("unheard of").unwrap(), None);
    let calls = reader.call_list(10).unwrap();
    let lines: Vec<_> = calls.iter().map(|call| call.line.as_deref().unwrap_or_default()).collect();
    assert_eq!(lines, ["500 sent, 498 heard, 2 lost, jitter 3 ms; round trip 40 ms"]);
    assert_eq!(calls[0].cause, Some(16));
}
