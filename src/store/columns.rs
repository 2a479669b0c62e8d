//! The words that stand for our values in the tables.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};

use crate::media::answering_machine::PickedUp;
use crate::notification::holding::{Delivering, HoldingEnd};
use crate::notification::lifecycle::Closing;
use crate::notification::{Outcome, Unreachable, Wait};
use crate::subscriber::{SenderRule, Senders, WhenOffline};

/// A value that a column shows as a word.
pub(super) trait ColumnValue: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        let Some((_, word)) = Self::WORDS.iter().find(|(value, _)| *value == self) else {
            unreachable!("each list below names every value; a test holds it to that")
        };
        word
    }
}

impl ColumnValue for Outcome {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Answered, "answered"),
        (Self::Machine, "machine"),
        (Self::NoAnswer, "no_answer"),
        (Self::Busy, "busy"),
        (Self::Declined, "declined"),
        (Self::WrongNumber, "wrong_number"),
        (Self::TrunkFailed, "trunk_failed"),
        (Self::NotEncrypted, "not_encrypted"),
        (Self::NoSound, "no_sound"),
        (Self::Cancelled, "cancelled"),
        (Self::Interrupted, "interrupted"),
    ];
}

impl ColumnValue for PickedUp {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Human, "human"), (Self::Machine, "machine"), (Self::Unknown, "unknown")];
}

impl ColumnValue for Wait {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Gathering, "gathering"),
        (Self::Quiet, "quiet"),
        (Self::Throttled, "throttled"),
        (Self::Retry, "retry"),
    ];
}

impl ColumnValue for Closing {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Done, "done"),
        (Self::Online, "online"),
        (Self::GaveUp, "gave_up"),
        (Self::Declined, "declined"),
        (Self::WrongNumber, "wrong_number"),
        (Self::SwitchedOff, "switched_off"),
        (Self::Unreachable, "unreachable"),
    ];
}

impl ColumnValue for HoldingEnd {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Delivered, "delivered"),
        (Self::Heard, "heard"),
        (Self::Expired, "expired"),
        // In the column `withdrawn`.
        (Self::Corrected, "corrected"),
        (Self::Retracted, "retracted"),
    ];
}

impl ColumnValue for Delivering {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Online, "online"), (Self::TimeUp, "time_up")];
}

impl ColumnValue for WhenOffline {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Phone, "phone"), (Self::Store, "store")];
}

impl ColumnValue for Senders {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Domain, "domain"), (Self::Contacts, "contacts"), (Self::Everyone, "everyone")];
}

impl ColumnValue for SenderRule {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Allow, "allow"), (Self::Block, "block")];
}

impl ColumnValue for Unreachable {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Offline, "offline"),
        (Self::Hibernating, "hibernating"),
        (Self::Unacked, "unacked"),
        (Self::Unreceipted, "unreceipted"),
    ];
}

/// Reads columns as our values; what does not fit is a damaged row, never a guess.
pub(super) trait Columns {
    fn maybe_word<T: ColumnValue>(&self, column: &str) -> rusqlite::Result<Option<T>>;
    fn word<T: ColumnValue>(&self, column: &str) -> rusqlite::Result<T>;
    fn maybe_parsed<T: FromStr>(&self, column: &str) -> rusqlite::Result<Option<T>>;
    fn parsed<T: FromStr>(&self, column: &str) -> rusqlite::Result<T>;
    fn maybe_time(&self, column: &str) -> rusqlite::Result<Option<Timestamp>>;
    fn time(&self, column: &str) -> rusqlite::Result<Timestamp>;
    fn maybe_span(&self, column: &str) -> rusqlite::Result<Option<Duration>>;
}

impl Columns for Row<'_> {
    fn maybe_word<T: ColumnValue>(&self, column: &str) -> rusqlite::Result<Option<T>> {
        let word: Option<String> = self.get(column)?;
        let Some(word) = word else { return Ok(None) };
        match T::WORDS.iter().find(|(_, known)| *known == word) {
            Some((value, _)) => Ok(Some(*value)),
            None => Err(misfit(column)),
        }
    }

    fn word<T: ColumnValue>(&self, column: &str) -> rusqlite::Result<T> {
        self.maybe_word(column)?.ok_or_else(|| misfit(column))
    }

    fn maybe_parsed<T: FromStr>(&self, column: &str) -> rusqlite::Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse().map_err(|_| misfit(column))).transpose()
    }

    fn parsed<T: FromStr>(&self, column: &str) -> rusqlite::Result<T> {
        self.maybe_parsed(column)?.ok_or_else(|| misfit(column))
    }

    fn maybe_time(&self, column: &str) -> rusqlite::Result<Option<Timestamp>> {
        let ms: Option<i64> = self.get(column)?;
        ms.map(|ms| Timestamp::from_millisecond(ms).map_err(|_| misfit(column))).transpose()
    }

    fn time(&self, column: &str) -> rusqlite::Result<Timestamp> {
        self.maybe_time(column)?.ok_or_else(|| misfit(column))
    }

    fn maybe_span(&self, column: &str) -> rusqlite::Result<Option<Duration>> {
        let ms: Option<u32> = self.get(column)?;
        Ok(ms.map(|ms| Duration::from_millis(ms.into())))
    }
}

/// The time as a column holds it.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The span as a column holds it: at most seven weeks, which no call lasts.
pub(super) fn span_ms(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// An error that names the column but not what stands in it, which may be personal.
pub(super) fn misfit(column: &str) -> rusqlite::Error {
    let reason = FromSqlError::Other(format!("column {column} holds what it must not").into());
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(reason))
}
