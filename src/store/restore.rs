//! `offhook restore`: a backup put in the place of the store.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Gid, RenameFlags, Uid, chown, renameat_with};

use super::backup::{folder_of, sync};
use super::sqlite::{Inspected, Lock, lock_file};
use super::{StoreError, sqlite};

/// Puts a backup where the store is to be. It stays where it is, too.
///
/// Contract: the store appears whole, looked through and on the disk, and belongs to the user who runs Offhook.
/// Errors:   [`RestoreError`], whatever would lose or mix something; nothing is changed then.
pub fn restore(backup: &Path, path: &Path) -> Result<Restored, RestoreError> {
    let owner = Owner::of_store(path)?;
    let lock = Lock::take(path)?;
    let refused = |error| RestoreError::File { path: path.to_owned(), error };
    for (file, rest) in [(backup, Rest::OfBackup), (path, Rest::OfStore)] {
        nothing_beside(file, rest)?;
    }
    if fs::metadata(path).is_ok_and(|there| there.len() > 0) {
        return Err(RestoreError::StoreThere(path.to_owned()));
    }
    let beside = tempfile::Builder::new()
        .prefix(".offhook-restore-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder_of(path))
        .map_err(refused)?;
    let copy = beside.path().join("offhook.db");
    // What is looked through is what will be the store, whatever happens to the backup meanwhile.
    copy_file(backup, &copy)
        .map_err(|error| RestoreError::File { path: backup.to_owned(), error })?;
    let found = sqlite::inspect(&copy, backup).map_err(|error| match error {
        StoreError::Damaged { found, .. } => {
            RestoreError::Damaged { backup: backup.to_owned(), found }
        }
        StoreError::Foreign(_) => RestoreError::Foreign(backup.to_owned()),
        other => other.into(),
    })?;
    remove_empty(path).map_err(refused)?;
    for file in [copy.as_path(), lock_file(path).as_path()] {
        owner.take(file).map_err(refused)?;
    }
    renameat_with(CWD, &copy, CWD, path, RenameFlags::NOREPLACE)
        .map_err(|error| refused(error.into()))?;
    sync(folder_of(path)).map_err(refused)?;
    drop(lock);
    let Inspected { schema, held } = found;
    Ok(Restored { held, is_of_earlier_version: schema < sqlite::latest_schema() })
}

/// What was put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// How many messages are held in it.
    pub held: i64,
    /// The next start raises it to this version.
    pub is_of_earlier_version: bool,
}

/// Why a backup was not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store is in use, or the backup is of a later version.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it holds would be lost.
    #[error(
        "{0} is there and would be lost; move it away first, together with its -wal file if there is one"
    )]
    StoreThere(PathBuf),
    /// The write-ahead log of a store that is gone would be mixed into the backup.
    #[error(
        "{0} belongs to a store that was not closed, and would be mixed with the backup; move it away"
    )]
    LogLeft(PathBuf),
    /// The backup is a bare copy of a file in use, and what is in its log would be lost.
    #[error(
        "{0} holds what the backup lacks; make one with offhook backup, or open this once with sqlite3 and close it"
    )]
    LogOfBackup(PathBuf),
    /// Not a store of ours.
    #[error("{0} is not a backup of an offhook store")]
    Foreign(PathBuf),
    /// It cannot be trusted.
    #[error("the backup {backup} is damaged ({found}); take an earlier one")]
    Damaged {
        /// The file.
        backup: PathBuf,
        /// The first finding of SQLite's check.
        found: String,
    },
    /// Offhook could not open what this user would make.
    #[error("the store belongs to user {0}; run this as that user, or as root")]
    OtherUser(u32),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Who runs Offhook: the owner of the lock that each run leaves, else of the folder.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    fn of_store(path: &Path) -> Result<Self, RestoreError> {
        let lock = fs::metadata(lock_file(path)).ok();
        let us = rustix::process::geteuid();
        let other = lock.as_ref().map(MetadataExt::uid).filter(|user| *user != us.as_raw());
        if let Some(other) = other.filter(|_| !us.is_root()) {
            return Err(RestoreError::OtherUser(other));
        }
        let folder = || fs::metadata(folder_of(path));
        let found = lock.map_or_else(folder, Ok);
        let found = found.map_err(|error| RestoreError::File { path: path.to_owned(), error })?;
        Ok(Self { user: found.uid(), group: found.gid() })
    }

    /// Only root can give a file away; another user's files are theirs already.
    fn take(self, file: &Path) -> io::Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        Ok(chown(file, Some(user), Some(group))?)
    }
}

#[derive(Clone, Copy)]
enum Rest {
    OfBackup,
    OfStore,
}

/// Refuses a log with something in it beside a file.
fn nothing_beside(file: &Path, rest: Rest) -> Result<(), RestoreError> {
    for log in ["-wal", "-journal"].map(|ending| beside(file, ending)) {
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(match rest {
                Rest::OfBackup => RestoreError::LogOfBackup(log),
                Rest::OfStore => RestoreError::LogLeft(log),
            });
        }
    }
    Ok(())
}

/// Removes what an earlier store has left and what holds nothing.
fn remove_empty(path: &Path) -> io::Result<()> {
    for file in [path.to_owned()].into_iter().chain(SIDE_FILES.map(|ending| beside(path, ending))) {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = fs::File::open(from)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

/// The index of a log without content is of no use.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];
