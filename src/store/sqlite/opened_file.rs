//! Whether the file that is written is still the one under its path.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tracing::error;

use super::{Checked, StoreError};

/// The path of the store, and which file and which write-ahead log were opened under it.
///
/// When one of them is deleted or replaced, the open connection keeps a file without a name: what is written there is
/// lost with the next start.
#[derive(Debug)]
pub(in crate::store) struct OpenedFile {
    path: PathBuf,
    file: Option<Inode>,
    /// `None` until the first commit, as SQLite makes it when it needs it.
    log: Option<Inode>,
    is_reported: bool,
}

impl OpenedFile {
    /// Opens the file as [`super::open`] does.
    pub(in crate::store) fn open(
        path: &Path,
        checked: Checked,
    ) -> Result<(Self, Connection), StoreError> {
        let conn = super::open(path, checked)?;
        let opened =
            Self { path: path.to_owned(), file: Inode::of(path), log: None, is_reported: false };
        Ok((opened, conn))
    }

    /// Opens the same file once more, after its connection was given up.
    pub(in crate::store) fn reopen(&mut self) -> Result<Connection, StoreError> {
        let is_same = Inode::of(&self.path) == self.file;
        self.accept(is_same)?;
        self.log = None;
        super::open(&self.path, Checked::First)
    }

    /// Refuses to go on where the file or its write-ahead log was deleted or replaced. That is reported once.
    ///
    /// Contract: a write transaction is open, so that there is a write-ahead log.
    pub(in crate::store) fn check(&mut self) -> Result<(), StoreError> {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let log = Inode::of(Path::new(&log));
        let is_same = Inode::of(&self.path) == self.file && (self.log.is_none() || log == self.log);
        self.accept(is_same)?;
        self.log = log;
        Ok(())
    }

    fn accept(&mut self, is_same: bool) -> Result<(), StoreError> {
        if is_same {
            self.is_reported = false;
            return Ok(());
        }
        let error = StoreError::Replaced(self.path.clone());
        if !self.is_reported {
            error!(%error, "nothing is stored");
        }
        self.is_reported = true;
        Err(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self { device: found.dev(), number: found.ino() })
    }
}
