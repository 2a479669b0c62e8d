//! How much is held, owed and due, for those who watch the program.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{StoreError, sqlite};
use crate::numbers::StoreCondition;

/// Reads the totals of the store beside the running program.
///
/// Contract: takes a time that does not grow with what was held once.
pub fn totals(path: &Path, now: Timestamp) -> Result<StoreCondition, StoreError> {
    let conn = sqlite::open_to_read(path)?;
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let due: Option<i64> = conn.query_row(DUE, [], |row| row.get(0))?;
    let waited = due.map_or(0, |due| now.as_millisecond().saturating_sub(due)).max(0);
    let side_files = ["", "-wal"].map(|ending| format!("{}{ending}", path.display()));
    let octets = side_files.iter().filter_map(|file| fs::metadata(file).ok());
    Ok(StoreCondition {
        held: number("SELECT coalesce(sum(held), 0) FROM tallies WHERE kind = 'all'")?,
        owed: number("SELECT count(*) FROM replies WHERE settled IS NULL")?,
        queue_age: Duration::from_millis(waited.cast_unsigned()),
        octets: octets.map(|file| file.len()).sum(),
    })
}

const DUE: &str =
    "SELECT min(due) + (SELECT ahead FROM clocks) FROM notifications WHERE state = 'waiting'";
