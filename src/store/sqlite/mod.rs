//! The database file: opened with care, or refused with a reason.

mod integrity_check;
mod migrations;
mod opened_file;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock, statfs};

pub(super) use self::integrity_check::IntegrityCheck;
use self::migrations::MIGRATIONS;
pub(super) use self::opened_file::OpenedFile;
use super::StoreError;

/// The daemon's hold on the file: no second daemon can have it.
///
/// The lock is on a file of its own, as closing any descriptor of the database would drop SQLite's own locks
/// (POSIX locks belong to the whole program).
#[derive(Debug)]
pub(super) struct Lock {
    _held: File,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let file = private_file(&lock_file(path)).map_err(|error| refused(path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _held: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(path.to_owned())),
            Err(error) => Err(refused(path, error.into())),
        }
    }

    /// Whether somebody has it.
    pub(super) fn is_taken(path: &Path) -> Result<bool, StoreError> {
        let file = match File::open(lock_file(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(refused(path, error)),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(refused(path, error.into())),
        }
    }
}

pub(super) fn lock_file(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    beside.into()
}

/// When the whole file is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// Before anything is done with it.
    First,
    /// Beside the work.
    Later,
}

/// Opens the file for the daemon, creates or raises it as needed, and checks all that durability hangs on.
///
/// Contract: the caller has the [`Lock`].
pub(super) fn open(path: &Path, checked: Checked) -> Result<Connection, StoreError> {
    private_file(path).map_err(|error| refused(path, error))?;
    refuse_network(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    recognise(&conn, path)?;
    set(&conn, path, "journal_mode", "WAL", "wal")?;
    set(&conn, path, "synchronous", "FULL", "2")?;
    set(&conn, path, "foreign_keys", "ON", "1")?;
    set(&conn, path, "secure_delete", "ON", "1")?;
    set(&conn, path, "trusted_schema", "OFF", "0")?;
    set(&conn, path, "temp_store", "MEMORY", "2")?;
    conn.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    conn.pragma_update(None, "cache_size", CACHE_PAGES)?;
    if checked == Checked::First {
        check(&conn, path)?;
    }
    migrate(&mut conn, path)?;
    begin(&conn)?;
    Ok(conn)
}

/// Opens a database in memory, which is gone with its connection.
pub(super) fn open_in_memory() -> Result<Connection, StoreError> {
    let mut conn = Connection::open_in_memory()?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    migrate(&mut conn, Path::new(":memory:"))?;
    begin(&conn)?;
    Ok(conn)
}

/// What each run of the program begins with, on a connection that may have served another.
pub(super) fn begin(conn: &Connection) -> Result<(), StoreError> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // What is still owed at start may have left before a crash: its `id` must not be given to another text.
    conn.execute_batch(
        "DROP TABLE IF EXISTS temp.handed;
         CREATE TEMP TABLE handed (reply INTEGER PRIMARY KEY);
         INSERT INTO handed SELECT id FROM replies WHERE settled IS NULL;
         DROP TABLE IF EXISTS temp.unreadable;
         CREATE TEMP TABLE unreadable (reply INTEGER PRIMARY KEY);",
    )?;
    Ok(())
}

/// Opens the file for a command that only looks, beside a running daemon or without one.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let (conn, version) = open_to_copy(path)?;
    if version < latest_schema() {
        return Err(StoreError::Older(path.to_owned()));
    }
    Ok(conn)
}

/// As [`open_to_read`], also a file of an earlier version; tells its schema.
pub(super) fn open_to_copy(path: &Path) -> Result<(Connection, u32), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    let version = recognise(&conn, path)?;
    Ok((conn, version))
}

/// The schema of this version.
pub(super) fn latest_schema() -> u32 {
    MIGRATIONS.len() as u32
}

/// What a copy of a store has turned out to be.
pub(super) struct Inspected {
    pub(super) schema: u32,
    pub(super) held: i64,
}

/// Looks through a copy that nobody else has open: every page, every index and every reference.
///
/// Errors: with the path `named`, under which the operator knows it.
pub(super) fn inspect(copy: &Path, named: &Path) -> Result<Inspected, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(copy, flags)?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    let schema = recognise(&conn, named)?;
    if schema == 0 {
        return Err(StoreError::Foreign(named.to_owned()));
    }
    let damaged = |found| StoreError::Damaged { path: named.to_owned(), found };
    let found: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(damaged(found));
    }
    if conn.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(damaged("a row belongs to one that is not there".into()));
    }
    let held = "SELECT count(*) FROM messages WHERE ended IS NULL";
    Ok(Inspected { schema, held: conn.query_row(held, [], |row| row.get(0))? })
}

/// An empty store that is gone when it is closed, for a command that looks before there is a file.
pub(super) fn empty() -> Result<Connection, StoreError> {
    let mut conn = Connection::open_in_memory()?;
    migrate(&mut conn, Path::new(":memory:"))?;
    begin(&conn)?;
    Ok(conn)
}

/// Opens the file to write beside the daemon that has it.
pub(super) fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    drop(open_to_read(path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    set(&conn, path, "synchronous", "FULL", "2")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(conn)
}

/// Tells the schema version; 0 is an empty file.
fn recognise(conn: &Connection, path: &Path) -> Result<u32, StoreError> {
    let number = |pragma: &str| conn.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign(path.to_owned()),
        _ => error.into(),
    };
    let found = number("user_version").map_err(foreign)?;
    let known = MIGRATIONS.len() as u32;
    let empty = found == 0 && number("schema_version")? == 0;
    if !empty && number("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Sets a pragma and reads it back, since SQLite keeps silent about what it cannot do.
fn set(
    conn: &Connection,
    path: &Path,
    setting: &'static str,
    wanted: &str,
    shown: &str,
) -> Result<(), StoreError> {
    conn.execute_batch(&format!("PRAGMA {setting} = {wanted}"))?;
    let found = conn.pragma_query_value(None, setting, |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => other.as_str()?.to_owned(),
        })
    })?;
    if found == shown {
        Ok(())
    } else {
        Err(StoreError::NotDurable { path: path.to_owned(), setting, found })
    }
}

/// Whether the last program that had the file has closed it: nothing is left in the write-ahead log.
pub(super) fn is_closed(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).map_or(true, |log| log.len() == 0)
}

fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), found }) }
}

/// Raises the schema step by step, each in one transaction with its number.
fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = recognise(conn, path)?;
    for (version, sql) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let step = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", version)?;
        step.commit()?;
    }
    Ok(())
}

/// Opens or creates a file that only its owner can read. SQLite gives its side files the same mode.
fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(file)
}

fn refuse_network(path: &Path) -> Result<(), StoreError> {
    let found = statfs(path).map_err(|error| refused(path, error.into()))?;
    // The width of the field differs between machines; the numbers are 32 bits.
    let kind = found.f_type as u32;
    if NETWORK_FILE_SYSTEMS.contains(&kind) {
        Err(StoreError::Network(path.to_owned()))
    } else {
        Ok(())
    }
}

fn refused(path: &Path, error: io::Error) -> StoreError {
    StoreError::File { path: PathBuf::from(path), error: Arc::new(error) }
}

/// `Offh` in ASCII, by which the file is known as ours.
const APPLICATION_ID: u32 = 0x4f66_6668;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const WAL_BYTES_KEPT: u32 = 64 << 20;
/// A page that changes many times goes into the tables once.
const WAL_PAGES: u32 = 4000;
/// Of 4 KB: what the calls of a busy minute touch.
const CACHE_PAGES: u32 = 2000;
const STATEMENTS_CACHED: usize = 128;
/// NFS, SMB, CIFS, SMB2, Coda, AFS, 9P, Ceph, Lustre, OCFS2, GFS2.
const NETWORK_FILE_SYSTEMS: [u32; 11] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x7375_7245,
    0x5346_414f,
    0x0102_1997,
    0x00c3_6400,
    0x0bd0_0bd0,
    0x7461_636f,
    0x0116_1970,
];
