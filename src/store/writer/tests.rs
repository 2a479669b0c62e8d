use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::clock::Timestamp;
use crate::notification::{Draft, MessageId};
use crate::store::memory::MemoryWriter;
use crate::store::sqlite::Checked;
use crate::store::{OwedRoom, StoreJob};

type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

fn open(name: &str) -> (PathBuf, Writer) {
    let folder = std::env::temp_dir().join(format!("offhook-writer-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let writer = open_in(&folder);
    (folder, writer)
}

fn open_in(folder: &Path) -> Writer {
    let path = folder.join("offhook.db");
    let lock = Lock::take(&path).unwrap();
    let (file, conn) = OpenedFile::open(&path, Checked::First).unwrap();
    Writer {
        _lock: Some(lock),
        conn: Some(conn),
        file: Some(file),
        policy: Policy::default(),
        seed: Seed::fixed(1),
        subscriber_cache: SubscriberCache::default(),
        time: CountedTime::default(),
        wakes: Arc::default(),
        check: None,
    }
}

fn hold(number: u32) -> (Job, Answer<MessageId>) {
    let draft = draft(number);
    job(move |transaction| Ok(transaction.hold(draft, Timestamp::UNIX_EPOCH, 0)?.message))
}

fn draft(number: u32) -> Draft {
    Draft {
        stanza_id: Some(number.to_string()),
        sender: "alice@example.org/x".parse().unwrap(),
        recipient: "bob@example.org".parse().unwrap(),
        body: "x".repeat(20_000),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Default::default(),
    }
}

fn held(writer: &mut Writer) -> Vec<i64> {
    let (count, mut answer) =
        job(|transaction| transaction.ids("SELECT id FROM messages ORDER BY id", []));
    writer.commit(vec![count]);
    answer.try_recv().unwrap().unwrap().into_iter().map(|id| id.0).collect()
}

#[test]
fn a_commit_waits_for_company_only_under_load() {
    let begun = now();
    let pause = |before, operations, after_ms| {
        let mut pacing = GroupPacing::default();
        pacing.begun(before, begun);
        pacing.pause(operations, begun + Duration::from_millis(after_ms))
    };
    assert_eq!(GroupPacing::default().pause(1, begun), None, "the first of all");
    assert_eq!(pause(1, 1, 0), None, "one after the other");
    assert_eq!(pause(20, 6, 4), Some(GRAIN), "many");
    assert_eq!(pause(20, 6, 19), Some(Duration::from_millis(1)), "many, for long enough");
    assert_eq!(pause(20, 6, 21), None, "many, and late");
    assert_eq!(pause(64, 64, 1), None, "all at once");
}

#[test]
fn a_full_disk_is_told_to_those_it_hits_and_to_nobody_else() {
    let (folder, mut writer) = open("full");
    let pages = |writer: &Writer, wanted: u32| {
        let conn = writer.conn.as_ref().unwrap();
        conn.query_row(&format!("PRAGMA max_page_count = {wanted}"), [], |_| Ok(())).unwrap();
    };
    let taken = |writer: &Writer| {
        let conn = writer.conn.as_ref().unwrap();
        conn.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let empty = taken(&writer);
    pages(&writer, empty + 8);
    let mut acknowledged = vec![];
    for round in 0..5 {
        let (group, answers): (Vec<_>, Vec<_>) = (0..3).map(|n| hold(round * 3 + n)).unzip();
        writer.commit(group);
        for mut answer in answers {
            match answer.try_recv().unwrap() {
                Ok(id) => acknowledged.push(id.0),
                Err(error) => assert!(matches!(error, StoreError::Full), "{error}"),
            }
        }
        assert_eq!(held(&mut writer), acknowledged);
    }
    assert!((1..15).contains(&acknowledged.len()), "{acknowledged:?}");
    pages(&writer, 10_000);
    let (job, mut answer) = hold(99);
    writer.commit(vec![job]);
    acknowledged.push(answer.try_recv().unwrap().unwrap().0);
    assert_eq!(held(&mut writer), acknowledged);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nobody_is_told_yes_when_the_commit_fails() {
    let (folder, mut writer) = open("commit");
    let (first, mut told_first) = hold(1);
    let (dangling, mut told_dangling) = job(|transaction| {
        transaction.conn.execute_batch(
            "PRAGMA defer_foreign_keys = ON; INSERT INTO events (message, at, what) VALUES (99, 0, '')",
        )?;
        Ok(())
    });
    let (last, mut told_last) = hold(2);
    writer.commit(vec![first, dangling, last]);
    assert!(told_first.try_recv().unwrap().is_err());
    assert!(told_dangling.try_recv().unwrap().is_err());
    assert!(told_last.try_recv().unwrap().is_err());
    assert!(held(&mut writer).is_empty());
    let (again, mut told_again) = hold(1);
    writer.commit(vec![again]);
    assert!(told_again.try_recv().unwrap().is_ok());
    fs::remove_dir_all(folder).unwrap();
}

/// The files as a failed fsync leaves them: the write-ahead log has the commit of one message, less its last bytes.
fn after_a_failed_commit(name: &str, torn: usize) -> (PathBuf, Writer, CommitNumber) {
    let (folder, mut writer) = open(name);
    let conn = writer.conn.as_ref().unwrap();
    conn.execute_batch(CHECKPOINT).unwrap();
    let (job, mut answer) = hold(1);
    writer.commit(vec![job]);
    answer.try_recv().unwrap().unwrap();
    let conn = writer.conn.as_ref().unwrap();
    let number = conn.query_row("SELECT number FROM commits", [], |row| row.get(0)).unwrap();
    let image = folder.join("image");
    fs::create_dir(&image).unwrap();
    fs::copy(folder.join("offhook.db"), image.join("offhook.db")).unwrap();
    let mut log = fs::read(folder.join("offhook.db-wal")).unwrap();
    log.truncate(log.len() - torn);
    let mut other = open_in(&image);
    other.conn = None;
    fs::write(image.join("offhook.db-wal"), log).unwrap();
    (folder, other, CommitNumber::of(number))
}

#[test]
fn a_failed_commit_is_looked_up_before_anybody_is_answered() {
    for (name, torn, lands) in [("landed", 0, true), ("torn", 100, false)] {
        let (folder, mut writer, number) = after_a_failed_commit(name, torn);
        let fate = writer.look_up(number, StoreError::Full);
        assert_eq!(fate.is_ok(), lands, "{name}: {fate:?}");
        let there = if lands { vec![1] } else { vec![] };
        assert_eq!(held(&mut writer), there, "{name}");
        let log = folder.join("image/offhook.db-wal");
        assert_eq!(fs::metadata(log).unwrap().len(), 0, "{name}: it is in the file itself");
        drop(writer);
        assert_eq!(held(&mut open_in(&folder.join("image"))), there, "{name}, opened again");
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn what_only_reads_leaves_no_commit() {
    let (folder, mut writer) = open("reads");
    let number = |writer: &Writer| -> i64 {
        let conn = writer.conn.as_ref().unwrap();
        conn.query_row("SELECT number FROM commits", [], |row| row.get(0)).unwrap()
    };
    let (job, _) = hold(1);
    writer.commit(vec![job]);
    let after = number(&writer);
    let room = OwedRoom { limit: 10, bulk: true, on_their_way: Default::default() };
    let (job, mut owed) = super::job(move |transaction| transaction.owed(&room, Timestamp::MAX));
    writer.commit(vec![job]);
    assert!(!owed.try_recv().unwrap().unwrap().stanzas.is_empty());
    held(&mut writer);
    assert_eq!(number(&writer), after);
    fs::remove_dir_all(folder).unwrap();
}

/// Five hundred senders write for the first time in one moment, and their clients say what they are.
#[test]
fn first_contacts_share_their_commits() {
    let (store, mut writer) = MemoryWriter::open(Policy::default(), Seed::fixed(1)).unwrap();
    let submit = |job| {
        let (done, result) = oneshot::channel();
        store.submit(job, Timestamp::UNIX_EPOCH, |it| drop(done.send(it)));
        result
    };
    let senders = 0..500;
    let held: Vec<_> = senders
        .clone()
        .map(|number| {
            let mut draft = draft(number);
            draft.sender = format!("s{number}@example.org/x").parse().unwrap();
            draft.how.sender_unknown = true;
            submit(StoreJob::Hold { draft, room: 0 })
        })
        .collect();
    let commits = |writer: &MemoryWriter| -> i64 {
        let tables = writer.tables().unwrap();
        tables.query_row("SELECT number FROM commits", [], |row| row.get(0)).unwrap()
    };
    while writer.step(GROUP_MAX) > 0 {}
    assert_eq!(commits(&writer), 4);
    assert!(held.into_iter().all(|mut it| it.try_recv().unwrap().is_ok()));
    let identified: Vec<_> = senders
        .map(|number| {
            let message = MessageId(i64::from(number) + 1);
            submit(StoreJob::Identified { message, is_program: false, room: 0 })
        })
        .collect();
    while writer.step(GROUP_MAX) > 0 {}
    assert_eq!(commits(&writer), 8);
    assert!(identified.into_iter().all(|mut it| it.try_recv().unwrap().is_ok()));
    let told = "SELECT count(DISTINCT message) FROM replies WHERE bulk = 0";
    let told: i64 = writer.tables().unwrap().query_row(told, [], |row| row.get(0)).unwrap();
    assert_eq!(told, 500);
}
