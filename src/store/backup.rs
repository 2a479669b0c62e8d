//! `offhook backup`: the whole store in a new file.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::{StoreError, sqlite};

/// Copies the store, of whatever earlier version it is, beside a running daemon or without one.
///
/// Contract: `target` appears when the copy is complete, looked through and on the disk; only its owner can read it. It
///           holds one moment of the store, and nothing that was erased.
/// Errors:   `target` exists, or its disk or the store fails. Then there is no file.
pub fn backup(path: &Path, target: &Path) -> Result<(), BackupError> {
    let refused = |error| BackupError::Target { path: target.to_owned(), error };
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let (conn, _) = sqlite::open_to_copy(path)?;
    let folder = folder_of(target);
    let copy = tempfile::Builder::new()
        .prefix(".offhook-backup-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(refused)?;
    conn.execute("VACUUM INTO ?", [FileName(copy.path())]).map_err(StoreError::from)?;
    sqlite::inspect(copy.path(), target)?;
    copy.as_file().sync_all().map_err(refused)?;
    copy.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => refused(error.error),
    })?;
    sync(folder).map_err(refused)
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A backup is never written over what is there.
    #[error("{0} is there already; name a new file")]
    Exists(PathBuf),
    /// The new file.
    #[error("{path} cannot be written: {error}")]
    Target {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder in which a file lies.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}

/// A file's name as SQLite takes it, which need not be UTF-8.
struct FileName<'a>(&'a Path);

impl ToSql for FileName<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_os_str().as_bytes())))
    }
}
