//! Rows as values and back. A word in a column is spelled here and nowhere else.

use jiff::Timestamp;
use rusqlite::Row;

use super::StoreError;
use crate::notification::lifecycle::{Closing, Notification, State};
use crate::notification::policy::Slot;
use crate::notification::{AttemptId, Draft, Message, MessageId, NotificationId, Outcome, Wait};

/// Milliseconds since 1970, as columns hold instants.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// An instant from its column.
pub(super) fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The columns that [`message`] reads, in its order.
pub(super) const MESSAGE: &str = "m.id, m.received, m.sender, m.recipient, m.stanza_id, m.body, m.language, m.wants_receipt, m.stanza, m.status_stanza_id";

/// Reads [`MESSAGE`] from column `first` on.
pub(super) fn message(row: &Row<'_>, first: usize) -> Result<Message, StoreError> {
    let text = |at: usize| row.get::<_, String>(first + at);
    let maybe = |at: usize| row.get::<_, Option<String>>(first + at);
    Ok(Message {
        id: MessageId(row.get(first)?),
        received: instant(row.get(first + 1)?),
        draft: Draft {
            sender: text(2)?.parse().or(Err(StoreError::Damaged("sender")))?,
            recipient: text(3)?.parse().or(Err(StoreError::Damaged("recipient")))?,
            stanza_id: maybe(4)?,
            body: text(5)?,
            language: maybe(6)?,
            wants_receipt: row.get(first + 7)?,
            stanza: text(8)?,
        },
        status_stanza_id: text(9)?,
    })
}

/// The columns that [`notification`] reads, in its order.
pub(super) const NOTIFICATION: &str = "id, recipient, number, state, due, why, lease_until, attempt, closing, attempts, troubles, version";

/// Reads [`NOTIFICATION`].
pub(super) fn notification(row: &Row<'_>) -> Result<Notification, StoreError> {
    let text = |at: usize| row.get::<_, String>(at);
    let state = match text(3)?.as_str() {
        "waiting" => State::Waiting(Slot { at: instant(row.get(4)?), why: wait(&text(5)?)? }),
        "calling" => {
            State::Calling { lease_until: instant(row.get(6)?), attempt: AttemptId(row.get(7)?) }
        }
        "closed" => State::Closed(closing(&text(8)?)?),
        _ => return Err(StoreError::Damaged("notification state")),
    };
    Ok(Notification {
        id: NotificationId(row.get(0)?),
        recipient: text(1)?.parse().or(Err(StoreError::Damaged("recipient")))?,
        number: text(2)?.parse().or(Err(StoreError::Damaged("number")))?,
        state,
        attempts: row.get(9)?,
        troubles: row.get(10)?,
        version: row.get::<_, i64>(11)?.cast_unsigned(),
    })
}

/// What each state writes: state, due, why, lease_until, attempt, closing.
pub(super) type StateColumns = (
    &'static str,
    Option<i64>,
    Option<&'static str>,
    Option<i64>,
    Option<i64>,
    Option<&'static str>,
);

/// The columns of a state.
pub(super) fn state_columns(state: State) -> StateColumns {
    match state {
        State::Waiting(slot) => {
            ("waiting", Some(ms(slot.at)), Some(wait_word(slot.why)), None, None, None)
        }
        State::Calling { attempt, lease_until } => {
            ("calling", None, None, Some(ms(lease_until)), Some(attempt.0), None)
        }
        State::Closed(closing) => ("closed", None, None, None, None, Some(closing_word(closing))),
    }
}

macro_rules! words {
    ($kind:ident, $to:ident, $from:ident, $what:literal, { $($word:literal = $variant:ident),+ $(,)? }) => {
        /// The word in the column.
        pub(super) fn $to(value: $kind) -> &'static str {
            match value { $($kind::$variant => $word),+ }
        }

        /// The value of a word.
        pub(super) fn $from(word: &str) -> Result<$kind, StoreError> {
            match word { $($word => Ok($kind::$variant),)+ _ => Err(StoreError::Damaged($what)) }
        }
    };
}

words!(Wait, wait_word, wait, "reason to wait", {
    "gathering" = Gathering, "quiet" = Quiet, "throttled" = Throttled, "retry" = Retry,
});
words!(Closing, closing_word, closing, "closing", {
    "heard" = Heard, "came_online" = CameOnline, "gave_up" = GaveUp, "switched_off" = SwitchedOff, "nothing_left" = NothingLeft,
});
words!(Outcome, outcome_word, outcome, "outcome", {
    "answered" = Answered, "no_answer" = NoAnswer, "busy" = Busy, "declined" = Declined, "wrong_number" = WrongNumber,
    "trunk_failed" = TrunkFailed, "cancelled" = Cancelled, "interrupted" = Interrupted,
});
