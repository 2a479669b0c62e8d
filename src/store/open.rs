//! Opening the file: settings that are read back, migrations, and what is refused.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock, fstatfs};

use super::StoreError;

/// Opens the file as its one writer.
///
/// The second value is the lock that keeps another daemon away; it belongs to whoever owns the connection.
pub(super) fn for_writing(path: &Path) -> Result<(Connection, File), StoreError> {
    let unusable = |why: String| StoreError::Unusable { path: path.to_owned(), why };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| unusable(format!("cannot be opened: {error}")))?;
    refuse_network(&file).map_err(unusable)?;
    let lock = lock(path).map_err(unusable)?;
    let private = std::fs::Permissions::from_mode(0o600);
    file.set_permissions(private)
        .map_err(|error| unusable(format!("cannot be made private: {error}")))?;

    let mut db = Connection::open(path)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    for (setting, value, reads) in SETTINGS {
        db.pragma_update(None, setting, value)?;
        let read: String = db.pragma_query_value(None, setting, |row| {
            row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => format!("{other:?}"),
            })
        })?;
        if read != *reads {
            return Err(unusable(format!(
                "SQLite does not take {setting} = {value} (it says {read})"
            )));
        }
    }
    let check: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if check != "ok" {
        return Err(unusable(format!("is damaged ({check}); restore a backup")));
    }
    migrate(&mut db, path)?;
    Ok((db, lock))
}

/// Opens the file to look at it, beside a running daemon.
pub(super) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let unusable = |why: String| StoreError::Unusable { path: path.to_owned(), why };
    if !path.exists() {
        return Err(unusable("does not exist yet; offhook run makes it".into()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.pragma_update(None, "query_only", true)?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != newest() {
        return Err(unusable(format!("has schema {version}, this program reads {}", newest())));
    }
    Ok(db)
}

fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > newest() {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            why: format!(
                "was made by a newer Offhook (schema {version}, this one knows {}); run that one",
                newest()
            ),
        });
    }
    for (number, sql) in (1..).zip(MIGRATIONS) {
        if number > version {
            let transaction = db.transaction()?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Keeps a second daemon away for as long as the file stays open. Readers are not concerned.
fn lock(path: &Path) -> Result<File, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
    let file = file.map_err(|error| format!("its lock file cannot be made: {error}"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| "is in use by another offhook run; stop that one first".to_owned())?;
    Ok(file)
}

/// Locks and shared memory of WAL do not work over a network.
fn refuse_network(file: &File) -> Result<(), String> {
    let system =
        fstatfs(file).map_err(|error| format!("its file system cannot be asked: {error}"))?;
    match system.f_type {
        NFS | SMB | SMB2 | CIFS | CEPH => {
            Err("lies on a network file system; put it on a local disk".into())
        }
        _ => Ok(()),
    }
}

/// Setting, value, and what SQLite says when it has taken it. FULL is what makes "held" true after a power cut.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("secure_delete", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
];
const MIGRATIONS: &[&str] = &[include_str!("sqlite/0001.sql")];
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

// From linux/magic.h.
const NFS: i64 = 0x6969;
const SMB: i64 = 0x517b;
const SMB2: i64 = 0xfe53_4d42;
const CIFS: i64 = 0xff53_4d42;
const CEPH: i64 = 0x00c3_6400;
