//! Backups: whole, private, and put back only where nothing is lost or mixed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use offhook::store::backup::{BackupError, backup};
use offhook::store::restore::{RestoreError, restore};
use offhook::store::{Reader, Store, StoreError};
use rusqlite::Connection;

use crate::world::{Folder, World, bob, policy, start};

#[tokio::test]
async fn a_backup_beside_the_work_holds_everything_and_is_its_owners_alone() {
    let mut world = World::new().await;
    world.alice_writes("The first").await;
    let apart = Folder::new();
    let copy = apart.0.join("copy.db");
    backup(&world.folder.file(), &copy).unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().mode() & 0o777, 0o600);
    assert_eq!(names(&apart.0), ["copy.db"]);
    world.alice_writes("The second").await;

    let again = backup(&world.folder.file(), &copy);
    assert!(matches!(again, Err(BackupError::Exists(_))), "{again:?}");
    assert_eq!(held(&copy), 1, "what is there stays as it is");
    world.stop().await;

    let home = Folder::new();
    assert_eq!(restore(&copy, &home.file()).unwrap().held, 1);
    assert_eq!(names(&home.0), ["offhook.db", "offhook.db.lock"]);
    assert_eq!(fs::metadata(home.file()).unwrap().mode() & 0o777, 0o600);
    let store = Store::open(&home.file(), policy()).unwrap();
    store.recover(start()).await.unwrap();
    assert_eq!(store.came_online(&bob().jid, start()).await.unwrap().messages, 1);
    store.close().await;
}

#[tokio::test]
async fn what_was_erased_is_in_no_backup() {
    let mut world = World::new().await;
    world.alice_writes("The secret of the pyramid").await;
    assert!(world.store().erase(&"alice@example.org".parse().unwrap(), world.now).await.unwrap());
    let copy = world.folder.0.join("copy.db");
    backup(&world.folder.file(), &copy).unwrap();
    let octets = fs::read(copy).unwrap();
    assert!(!octets.windows(7).any(|it| it == b"pyramid" || it == b"alice@e"));
}

#[tokio::test]
async fn a_backup_that_fails_leaves_no_file() {
    let folder = Folder::new();
    let copy = folder.0.join("copy.db");
    let missing = backup(&folder.file(), &copy);
    assert!(matches!(missing, Err(BackupError::Store(StoreError::Missing(_)))), "{missing:?}");
    let nowhere = folder.0.join("nowhere/copy.db");
    Store::open(&folder.file(), policy()).unwrap().close().await;
    let said = backup(&folder.file(), &nowhere).unwrap_err().to_string();
    assert!(said.contains("nowhere/copy.db cannot be written: No such file"), "{said}");
    spoil(&folder.file());
    assert!(backup(&folder.file(), &copy).is_err());
    assert_eq!(names(&folder.0).iter().filter(|it| it.contains("copy")).count(), 0);
}

#[tokio::test]
async fn the_store_of_each_version_is_backed_up_put_back_and_raised() {
    let latest = schemas().len();
    for version in 1..=latest {
        let folder = Folder::new();
        let (old, copy) = (folder.0.join("old.db"), folder.0.join("copy.db"));
        make_store_of_version(&old, version);
        backup(&old, &copy).unwrap();
        let restored = restore(&copy, &folder.file()).unwrap();
        let is_earlier = version < latest;
        assert_eq!((restored.held, restored.is_of_earlier_version), (1, is_earlier), "{version}");
        let store = Store::open(&folder.file(), policy()).unwrap();
        store.recover(start()).await.unwrap();
        store.close().await;
        let reader = Reader::open(&folder.file()).unwrap();
        let messages = reader.held_list().unwrap();
        assert_eq!(messages[0].stanza_id.as_deref(), Some("alice-1"), "{version}");
        assert_eq!(messages.len(), 1, "{version}");
        // The way back: the backup that was made before is as it was.
        assert_eq!(version_of(&copy), version, "{version}");
    }
}

#[tokio::test]
async fn a_restore_that_would_lose_or_mix_something_is_refused_with_the_reason() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let apart = Folder::new();
    let copy = apart.0.join("copy.db");
    backup(&world.folder.file(), &copy).unwrap();
    let running = restore(&copy, &world.folder.file());
    let in_use = matches!(running, Err(RestoreError::Store(StoreError::InUse(_))));
    assert!(in_use, "{running:?}");
    world.stop().await;
    let stopped = restore(&copy, &world.folder.file());
    assert!(matches!(stopped, Err(RestoreError::StoreThere(_))), "{stopped:?}");

    let log = |file: &Path| PathBuf::from(format!("{}-wal", file.display()));
    type Prepare = Box<dyn Fn(&Path, &Path)>;
    let cases: [(&str, Prepare); 6] = [
        ("belongs to a store that was not closed", {
            Box::new(move |_, store| fs::write(log(store), "frames").unwrap())
        }),
        ("copy.db-wal holds what the backup lacks", {
            Box::new(move |copy, _| fs::write(log(copy), "frames").unwrap())
        }),
        ("is damaged (", Box::new(|copy, _| spoil(copy))),
        ("has schema 99, this offhook knows", {
            Box::new(|copy, _| {
                let conn = Connection::open(copy).unwrap();
                conn.pragma_update(None, "user_version", 99).unwrap();
            })
        }),
        ("is not a backup of an offhook store", {
            Box::new(|copy, _| fs::write(copy, "no database".repeat(200)).unwrap())
        }),
        ("copy.db: No such file", Box::new(|copy, _| fs::remove_file(copy).unwrap())),
    ];
    for (expected, prepare) in cases {
        let home = Folder::new();
        let mine = home.0.join("copy.db");
        fs::copy(&copy, &mine).unwrap();
        prepare(&mine, &home.file());
        let before = names(&home.0);
        let said = restore(&mine, &home.file()).unwrap_err().to_string();
        assert!(said.contains(expected), "{expected}: {said}");
        let after = names(&home.0);
        let after: Vec<_> = after.into_iter().filter(|it| it != "offhook.db.lock").collect();
        assert_eq!(after, before, "{expected}");
    }
}

#[tokio::test]
async fn what_an_earlier_store_left_empty_does_not_hinder_a_restore() {
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let apart = Folder::new();
    let copy = apart.0.join("copy.db");
    backup(&world.folder.file(), &copy).unwrap();
    world.stop().await;
    for (name, content) in [("offhook.db", ""), ("offhook.db-wal", ""), ("offhook.db-shm", "x")] {
        fs::write(apart.0.join(name), content).unwrap();
    }
    assert_eq!(restore(&copy, &apart.file()).unwrap().held, 1);
    assert_eq!(names(&apart.0), ["copy.db", "offhook.db", "offhook.db.lock"]);
}

#[tokio::test]
async fn what_root_restores_belongs_to_the_user_who_runs_offhook() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut world = World::new().await;
    world.alice_writes("Hello").await;
    let home = Folder::new();
    let copy = world.folder.0.join("copy.db");
    backup(&world.folder.file(), &copy).unwrap();
    std::os::unix::fs::chown(&home.0, Some(54_321), Some(54_322)).unwrap();
    restore(&copy, &home.file()).unwrap();
    for name in ["offhook.db", "offhook.db.lock"] {
        let about = fs::metadata(home.0.join(name)).unwrap();
        assert_eq!((about.uid(), about.gid()), (54_321, 54_322), "{name}");
    }
    fs::remove_file(home.file()).unwrap();
    std::os::unix::fs::chown(home.0.join("offhook.db.lock"), Some(54_323), None).unwrap();
    restore(&copy, &home.file()).unwrap();
    assert_eq!(fs::metadata(home.file()).unwrap().uid(), 54_323, "the lock's owner ran it last");
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn held(file: &Path) -> i64 {
    let conn = Connection::open(file).unwrap();
    conn.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap()
}

fn version_of(file: &Path) -> usize {
    let conn = Connection::open(file).unwrap();
    conn.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap() as usize
}

/// The steps of the schema, in order.
fn schemas() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|it| it.extension().is_some_and(|it| it == "sql")).collect();
    files.sort();
    files
}

/// A store as that version has left it, with a message in it.
fn make_store_of_version(file: &Path, version: usize) {
    let conn = Connection::open(file).unwrap();
    let insert = "INSERT INTO messages (recipient, sender, sender_bare, stanza_id, body, wants_receipt, stanza,
                 status_stanza_id, received)
             VALUES ('bob@example.org', 'alice@x.org/x', 'alice@x.org', 'alice-1', 'Hello', 0, '', 's1', 1)";
    for (number, schema) in (1..=version).zip(schemas()) {
        conn.execute_batch(&fs::read_to_string(schema).unwrap()).unwrap();
        if number == 1 {
            conn.execute(insert, []).unwrap();
        }
    }
    conn.pragma_update(None, "application_id", 0x4f66_6668).unwrap();
    conn.pragma_update(None, "user_version", version as i64).unwrap();
    drop(conn);
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Damages a table that nothing reads before the whole file is looked through.
fn spoil(file: &Path) {
    let conn = Connection::open(file).unwrap();
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'sender_rules'";
    let page: u32 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    drop(conn);
    let mut octets = fs::read(file).unwrap();
    let end = page as usize * 4096;
    octets[end - 4096..end].fill(0x5a);
    fs::write(file, octets).unwrap();
}
