//! The number that each commit leaves in the tables, by which it is found again when its `COMMIT` has failed.

use rusqlite::Connection;

use super::StoreError;

/// Numbers a commit; each one that changes something has the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CommitNumber(i64);

impl CommitNumber {
    #[cfg(test)]
    pub(super) fn of(number: i64) -> Self {
        Self(number)
    }

    /// Gives the open transaction its number, and its counted time, at which the next run goes on.
    pub(super) fn raise(conn: &Connection, seen: i64) -> Result<Self, StoreError> {
        conn.prepare_cached("UPDATE clocks SET seen = ?")?.execute([seen])?;
        let mut raise =
            conn.prepare_cached("UPDATE commits SET number = number + 1 RETURNING number")?;
        Ok(Self(raise.query_row([], |row| row.get(0))?))
    }

    /// Tells whether the commit is in the file, and if so makes it durable.
    ///
    /// A failed fsync leaves frames in the write-ahead log that recovery takes for a commit, though the disk may not have
    /// them. The checkpoint writes their pages anew and syncs them.
    ///
    /// Contract: the connection was opened after the `COMMIT` had failed.
    /// Errors:   the disk still fails; nothing is known yet.
    pub(super) fn has_landed(self, conn: &Connection) -> Result<bool, StoreError> {
        let last = conn.query_row("SELECT number FROM commits", [], |row| row.get(0).map(Self))?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy = conn.query_row(checkpoint, [], |row| row.get::<_, bool>(0));
        match (last >= self, is_busy) {
            (false, _) => Ok(false),
            (true, Ok(false)) => Ok(true),
            (true, Ok(true)) => Err(StoreError::Reading),
            (true, Err(error)) => Err(error.into()),
        }
    }
}
