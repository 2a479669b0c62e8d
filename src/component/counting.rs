//! What is counted of calls and of what the store said.

use crate::notification::{Attempt, Outcome, Wait};
use crate::numbers::{Numbers, PacketFate};
use crate::store::{Held, JobDone, JobResult, StoreError};

/// Counts a call that is over.
pub(super) fn count_call(numbers: &Numbers, attempt: &Attempt) {
    numbers.call_ended(word(attempt.outcome), &attempt.trunk, attempt.talked);
    let Some(quality) = &attempt.quality else { return };
    numbers.packets(PacketFate::Sent, quality.sent);
    numbers.packets(PacketFate::Received, quality.received);
    numbers.packets(PacketFate::Lost, quality.lost);
    if let Some((lost, _)) = quality.far {
        numbers.packets(PacketFate::LostAtFarEnd, lost);
    }
}

/// Counts the limit that was met, if one was.
pub(super) fn count_limits(numbers: &Numbers, result: &JobResult) {
    let kept_by = match result {
        Ok(JobDone::Held(Held { kept_by, .. }) | JobDone::Identified { kept_by, .. }) => kept_by,
        Err(StoreError::RecipientFull | StoreError::SenderFull) => {
            return numbers.limit_reached("store.person_held_max, store.person_held_mb_max");
        }
        Err(StoreError::Full) => {
            return numbers.limit_reached("store.held_max, store.held_mb_max");
        }
        Ok(_) | Err(_) => return,
    };
    if let Some(ruling) = kept_by.filter(|ruling| ruling.rule.wait() == Wait::Throttled) {
        numbers.limit_reached(ruling.rule);
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Machine => "machine",
        Outcome::NoAnswer => "no_answer",
        Outcome::Busy => "busy",
        Outcome::Declined => "declined",
        Outcome::WrongNumber => "wrong_number",
        Outcome::TrunkFailed => "trunk_failed",
        Outcome::NotEncrypted => "not_encrypted",
        Outcome::NoSound => "no_sound",
        Outcome::Cancelled => "cancelled",
        Outcome::Interrupted => "interrupted",
    }
}
