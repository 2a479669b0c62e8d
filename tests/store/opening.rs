//! Which files are opened, and which are refused with a reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use offhook::notification::{Outcome, Progress};
use offhook::store::{Reader, Store, StoreError};
use rusqlite::Connection;

use crate::world::{Folder, World, bob, draft, policy, start};

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
async fn a_clean_stop_leaves_one_file_that_holds_everything() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let file = world.folder.file();
    let other_handle = world.store().clone();
    world.stop().await;
    let mut left: Vec<_> =
        fs::read_dir(&world.folder.0).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["offhook.db", "offhook.db.lock"]);
    let copy = Folder::new();
    fs::copy(&file, copy.file()).unwrap();
    assert_eq!(Reader::open(&copy.file()).unwrap().held_list().unwrap().len(), 1);
    let late = other_handle.next_due().await;
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
}

#[tokio::test]
async fn a_file_that_is_deleted_or_replaced_while_it_is_open_takes_nothing_more() {
    for name in ["offhook.db", "offhook.db-wal"] {
        for replaced in [false, true] {
            let mut world = World::new().await;
            world.alice_writes("Before").await;
            let (file, away) = (world.folder.0.join(name), world.folder.0.join("away"));
            fs::rename(&file, &away).unwrap();
            if replaced {
                fs::copy(&away, &file).unwrap();
            }
            for _ in 0..2 {
                let refused = world.hold(draft("x", "alice@example.org/x", "Hi"), 0).await;
                assert!(matches!(refused, Err(StoreError::Replaced(_))), "{name}: {refused:?}");
            }
            fs::rename(&away, &file).unwrap();
            world.alice_writes("After").await;
            world.stop().await;
            let held = Reader::open(&world.folder.file()).unwrap().held_list().unwrap();
            assert_eq!(held.len(), 2, "{name}");
        }
    }
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&folder.file(), policy()).unwrap();
    store.recover(start()).await.unwrap();
    for entry in fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_trusted_is_refused_with_what_to_do() {
    let newer = Folder::new();
    Store::open(&newer.file(), policy()).unwrap().close().await;
    let spoil = |folder: &Folder, sql: &str| {
        Connection::open(folder.file()).unwrap().execute_batch(sql).unwrap();
    };
    let known: u32 = Connection::open(newer.file())
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    let newer_says =
        format!("has schema 99, this offhook knows {known}; install the version that wrote it");
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
        (&newer, newer_says.as_str()),
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
async fn what_an_earlier_version_set_aside_is_delivered_and_what_it_called_twice_waits() {
    let folder = Folder::new();
    let conn = Connection::open(folder.file()).unwrap();
    for version in 1..=9 {
        let root = env!("CARGO_MANIFEST_DIR");
        let sql = fs::read_to_string(format!("{root}/src/store/sqlite/{version:04}.sql")).unwrap();
        conn.execute_batch(&sql).unwrap();
    }
    conn.execute_batch(
        "PRAGMA application_id = 0x4f666668;
         PRAGMA user_version = 9;
         INSERT INTO messages (recipient, sender, sender_bare, body, wants_receipt, stanza, status_stanza_id,
                 received, crash_suspect, ended, ending)
             VALUES ('bob@example.org', 'a@x.org/x', 'a@x.org', 'One', 0, '', 's1', 1, 2, 2, 'set_aside'),
                 ('bob@example.org', 'a@x.org/x', 'a@x.org', 'Two', 0, '', 's2', 1, 1, NULL, NULL);
         INSERT INTO replies (message, stanza_id, content, owed) VALUES (1, 'x', 'set_aside', 2);
         INSERT INTO notifications (recipient, number, state, attempt, lease_until, opened)
             VALUES ('bob@example.org', '+81378901111', 'calling', 1, 9, 1),
                 ('carol@example.org', '+81378901111', 'calling', 2, 9, 1);
         INSERT INTO attempts (notification, recipient, number, started, lease_until)
             VALUES (1, 'bob@example.org', '+81378901111', 2, 9),
                 (2, 'carol@example.org', '+81378901111', 3, 9);
         INSERT INTO attempt_messages VALUES (1, 2, 2, NULL);",
    )
    .unwrap();
    drop(conn);
    let store = Store::open(&folder.file(), policy()).unwrap();
    let conn = Connection::open(folder.file()).unwrap();
    let number = |sql: &str| -> i64 { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("SELECT count(*) FROM attempts WHERE ended IS NULL"), 1);
    assert_eq!(number("SELECT count(*) FROM notifications WHERE state = 'waiting'"), 1);
    assert_eq!(number("SELECT held FROM tallies WHERE kind = 'recipient'"), 2);
    assert_eq!(number("SELECT count(*) FROM replies WHERE content = 'set_aside'"), 0);
    assert_eq!(store.recover(start()).await.unwrap(), 1, "the call that was broken off");
    assert_eq!(store.came_online(&bob().jid, start()).await.unwrap().messages, 2);
    store.close().await;
}

#[tokio::test]
async fn a_damaged_file_is_found_beside_the_work_and_refused_after_a_kill() {
    let mut world = World::new().await;
    for _ in 0..200 {
        world.alice_writes(&"Hello ".repeat(100)).await;
    }
    let file = world.folder.file();
    world.stop().await;
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    assert!(!fs::exists(&log).unwrap());
    let mut bytes = fs::read(&file).unwrap();
    // Behind what is read to open it.
    let among_the_messages = bytes.len() / 4 * 3;
    bytes[among_the_messages..among_the_messages + 8192].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let opened = Store::open(&file, policy()).unwrap();
    let found = opened.damaged().await;
    assert!(matches!(found, StoreError::Damaged { .. }), "{found:?}");
    opened.close().await;
    assert!(!fs::exists(&log).unwrap(), "the check ends before the file is closed");
    // What a program leaves that was killed.
    fs::write(&log, [0x5a; 100]).unwrap();
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
    let lines: Vec<_> =
        calls.iter().map(|call| call.quality.as_deref().unwrap_or_default()).collect();
    assert_eq!(lines, ["500 sent, 498 heard, 2 lost, jitter 3 ms; round trip 40 ms"]);
    assert_eq!(calls[0].cause, Some(16));
}
