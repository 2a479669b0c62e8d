//! What the store refuses, and why.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why the store did not do what it was asked.
///
/// Contract: an operation that returns one of these has changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More is held for this person than one person may have waiting.
    #[error(
        "as many messages are held for this person as store.person_held_max and store.person_held_mb_max allow"
    )]
    RecipientFull,
    /// More is held from this sender than one sender may have waiting.
    #[error(
        "as many messages of this sender are held as store.person_held_max and store.person_held_mb_max allow"
    )]
    SenderFull,
    /// The store holds as much as it may, or the disk is full.
    #[error(
        "the store is full; free disk space, raise store.held_max and store.held_mb_max, or lower dial.keep_h"
    )]
    Full,
    /// The disk or the file failed.
    #[error("the store could not be read or written: {0}")]
    Failed(#[source] Arc<rusqlite::Error>),
    /// The message is not part of the call.
    #[error("the message is not part of this call")]
    NotInCall,
    /// A row was changed by someone else in between.
    #[error("the notification was changed at the same time")]
    Conflict,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// There is no such file.
    #[error("there is no store at {0}; start the component once, or set store.path")]
    Missing(PathBuf),
    /// The file cannot be opened or created.
    #[error("the store {path} cannot be opened: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: Arc<std::io::Error>,
    },
    /// Another program reads the file for so long that what was written cannot be synced.
    #[error("another program keeps the store from syncing; end what reads it")]
    Reading,
    /// The file or its write-ahead log was deleted or replaced while it was open.
    #[error(
        "the store {0} or its -wal file was deleted or replaced while it was open; put both back as they were, or restart to go on with what is there"
    )]
    Replaced(PathBuf),
    /// Another daemon has it open.
    #[error("the store {0} is in use by another offhook; stop that one, or set another store.path")]
    InUse(PathBuf),
    /// A database on a network file system can lose what it promised.
    #[error("the store {0} is on a network file system; set store.path to a local disk")]
    Network(PathBuf),
    /// The file belongs to a later version of the program.
    #[error(
        "the store {path} has schema {found}, this offhook knows {known}; install the version that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file is of an earlier version, which only the daemon may raise.
    #[error("the store {0} is of an earlier version; start `offhook run` once to raise it")]
    Older(PathBuf),
    /// The file is some other program's.
    #[error("{0} is not an offhook store; set store.path to a file of its own")]
    Foreign(PathBuf),
    /// SQLite does not give the durability that we ask for.
    #[error(
        "the store {path} cannot be made durable: {setting} stays {found}; set store.path to a local disk"
    )]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// The pragma.
        setting: &'static str,
        /// What it says.
        found: String,
    },
    /// The file is damaged.
    #[error(
        "the store {path} is damaged ({found}); restore a backup, or move it away to start anew"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first finding of SQLite's quick_check.
        found: String,
    },
}

impl StoreError {
    /// Tells whether the connection can no longer be trusted: after a failed fsync the page cache may
    /// call written what is not.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Failed(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::SystemIoFailure
                        | ErrorCode::DatabaseCorrupt
                        | ErrorCode::NotADatabase
                        | ErrorCode::CannotOpen
                )
            ),
            _ => false,
        }
    }

    /// Tells whether a row holds what it must not. The row is at fault then, not the disk, and other rows can be read.
    pub(super) fn is_unreadable_row(&self) -> bool {
        use rusqlite::Error::*;
        match self {
            Self::Failed(error) => matches!(
                **error,
                FromSqlConversionFailure(..) | InvalidColumnType(..) | IntegralValueOutOfRange(..)
            ),
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(Arc::new(error)),
        }
    }
}
