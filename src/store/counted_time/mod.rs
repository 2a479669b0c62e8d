//! Counted time: by which ages, pauses and leases go, so that no setting of the wall clock touches them.
//!
//! Within the store `now` is wall time. Columns that count hold counted time, and are converted on their way in and out, so
//! that every rule compares times of one clock: the wall clock as it stands at that moment.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::columns::ms;
use super::{StoreError, whole_ms};
use crate::clock::{MachineTime, Moment};

/// How far the wall clock is ahead of counted time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ahead(i64);

impl Ahead {
    /// A wall time as a column that counts holds it.
    pub(super) fn counted(self, wall: Timestamp) -> i64 {
        ms(wall).saturating_sub(self.0)
    }

    /// What a column that counts holds, on the wall clock as it stands now.
    pub(super) fn wall(self, counted: Timestamp) -> Timestamp {
        let wall = Timestamp::from_millisecond(ms(counted).saturating_add(self.0));
        wall.unwrap_or(if self.0 > 0 { Timestamp::MAX } else { Timestamp::MIN })
    }

    /// What the file knows, for a command that reads beside the daemon.
    pub(super) fn read(conn: &Connection) -> Result<Self, StoreError> {
        Ok(conn.query_row("SELECT ahead FROM clocks", [], |row| row.get(0).map(Self))?)
    }
}

/// Counted time of one file in one run of the program. Pure.
///
/// Contract: within a run it goes on evenly. From one run to the next it goes on by the machine's own count, and where the
///           machine was started anew, by the wall clock: at once after a short pause, and after a longer one when that
///           clock has stood for some time. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CountedTime {
    /// How far the wall clock would be ahead if nobody had set it in this run.
    ahead: i64,
    /// By how much it was set when the calls were last planned.
    planned_at: i64,
    /// The latest counted time that was asked for.
    seen: i64,
    /// Set while a gap between two starts of the machine waits for the clock to prove itself.
    unproved: Option<i64>,
}

/// What an earlier run has left in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Remembered {
    ahead: i64,
    seen: Option<i64>,
    /// Which start of the machine, and the counted time of that start.
    boot: Option<(u128, i64)>,
    unproved: Option<i64>,
}

impl Remembered {
    pub(super) fn read(conn: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT ahead, seen, boot, boot_began, unproved FROM clocks";
        Ok(conn.query_row(sql, [], |row| {
            let boot: Option<String> = row.get("boot")?;
            let boot = boot.and_then(|boot| u128::from_str_radix(&boot, 16).ok());
            let began: Option<i64> = row.get("boot_began")?;
            let (ahead, seen) = (row.get("ahead")?, row.get("seen")?);
            Ok(Self { ahead, seen, boot: boot.zip(began), unproved: row.get("unproved")? })
        })?)
    }

    pub(super) fn write(self, conn: &Connection) -> Result<(), StoreError> {
        let (boot, began) = self.boot.unzip();
        let boot = boot.map(|boot| format!("{boot:032x}"));
        let sql = "UPDATE clocks SET ahead = ?, seen = ?, boot = ?, boot_began = ?, unproved = ?";
        let values = params![self.ahead, self.seen, boot, began, self.unproved];
        conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

impl CountedTime {
    pub(super) fn resume(before: Remembered, now: Moment) -> Self {
        let (wall, stepped) = (ms(whole_ms(now.wall)), millis(now.stepped));
        let by_wall = wall - before.ahead;
        let seen = before.seen.unwrap_or(by_wall);
        let (counted, unproved) = match (now.machine, before.boot) {
            (Some(machine), Some((boot, began))) if machine.boot == boot => {
                let counted = began + up(machine);
                let same = (counted - by_wall).abs() < SAME_WITHIN;
                (if same { by_wall } else { counted }, before.unproved)
            }
            (Some(_), Some(_)) => match by_wall - seen {
                gap if gap > GAP_BELIEVED => (seen, Some(gap)),
                gap => (seen + gap.max(0), Some(0)),
            },
            _ => (by_wall.max(seen), None),
        };
        Self { ahead: wall - counted - stepped, planned_at: stepped, seen: counted, unproved }
    }

    /// Tells how far the wall clock is ahead at this moment.
    pub(super) fn look(&mut self, now: Moment) -> Ahead {
        let ahead = Ahead(self.ahead + millis(now.stepped));
        self.seen = self.seen.max(ahead.counted(whole_ms(now.wall)));
        ahead
    }

    /// Tells by how much the wall clock was set since the calls were planned last.
    ///
    /// While a gap is not proved the clock that showed it was wrong, and the step is part of the gap.
    pub(super) fn step(&mut self, now: Moment) -> i64 {
        let by = millis(now.stepped) - self.planned_at;
        self.planned_at += by;
        self.unproved = self.unproved.map(|gap| (gap + by).max(0));
        by
    }

    /// The wall clock has stood for long enough: what passed while the machine was off is counted.
    ///
    /// Tells whether anything waited for that.
    pub(super) fn prove(&mut self) -> bool {
        let Some(gap) = self.unproved.take() else { return false };
        self.ahead -= gap;
        self.seen += gap;
        true
    }

    /// The latest counted time that was asked for, for the next run.
    pub(super) fn seen(&self) -> i64 {
        self.seen
    }

    /// What the next run must know, as of this moment.
    pub(super) fn to_remember(self, now: Moment) -> Remembered {
        let ahead = Ahead(self.ahead + millis(now.stepped));
        let counted = ahead.counted(whole_ms(now.wall));
        let boot = now.machine.map(|machine| (machine.boot, counted - up(machine)));
        let seen = Some(self.seen.max(counted));
        Remembered { ahead: ahead.0, seen, boot, unproved: self.unproved }
    }
}

fn millis(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn up(machine: MachineTime) -> i64 {
    i64::try_from(machine.up.as_millis()).unwrap_or(i64::MAX)
}

/// How long until `at`; nothing where it has passed.
pub(super) fn left(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// Two clocks that differ by less show the same time.
const SAME_WITHIN: i64 = 1000;
/// Between two starts of the machine the wall clock is believed at once about so much: it brings nobody much nearer to the
/// end of what is held.
const GAP_BELIEVED: i64 = 600_000;

#[cfg(test)]
mod tests;
