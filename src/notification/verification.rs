//! Proving that a telephone number is its owner's: a code is spoken there and comes back in the chat.

use std::fmt;
use std::time::Duration;

use xmpp_parsers::jid::BareJid;

use crate::phone_number::{NumberType, PhoneNumber};
use crate::subscriber::Subscriber;

/// Names one request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerificationId(pub i64);

/// Which of a person's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberSlot {
    /// The one that is phoned.
    First,
    /// The one that is phoned when nobody answers at the first.
    Second,
}

/// A code to be spoken.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// The request.
    pub id: VerificationId,
    /// Where it is spoken.
    pub number: PhoneNumber,
    /// Six.
    pub digits: String,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why no call is made for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The operator does not let this number be dialled.
    NotAllowed,
    /// Numbers of this type are not dialled.
    NumberType(NumberType),
    /// The operator has stopped all calls for now.
    Suspended,
    /// The last request was less than [`PAUSE`] ago.
    TooSoon,
    /// There were too many requests for this person, this number, its neighbours or in all.
    TooMany,
    /// It is night at the number.
    Quiet,
    /// The number, the asker or the component has had all the calls that it may have for now.
    Throttled,
}

/// What a code sent back turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum CodeCheck {
    /// The right one; the number is theirs.
    Right(Box<VerificationNotice>),
    /// Another one; they may try so often again.
    Wrong {
        /// How often.
        left: u64,
    },
    /// No code is waited for: none was heard, it is too old, or too many wrong ones came.
    NoCode,
}

/// Who is to be told that a number has a new owner.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationNotice {
    /// The owner, with the number.
    pub person: Subscriber,
    /// Which of their numbers it is.
    pub place: NumberSlot,
    /// The owner was unknown before.
    pub is_new: bool,
    /// The owner had another number there.
    pub had_other: bool,
    /// Whose number it was before; they have it no longer.
    pub others: Vec<BareJid>,
}

/// How long a code opens anything once it was heard.
pub const CODE_VALID: Duration = Duration::from_secs(15 * 60);
/// Between two requests of one person.
pub const PAUSE: Duration = Duration::from_secs(60);
/// The span in which the limits below hold.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Requests of one person.
pub const REQUESTS_MAX: i64 = 5;
/// Calls to one number, whoever asks.
pub const CALLS_TO_NUMBER_MAX: i64 = 3;
/// Calls to numbers of one beginning whose codes did not come back.
pub const CALLS_TO_AREA_MAX: i64 = 5;
/// Calls in all.
pub const CALLS_MAX: i64 = 100;
/// Wrong codes until the right one is worthless: with a million of them, 3 in 1,000,000 guesses at one code can hit.
pub const WRONG_MAX: i64 = 3;
