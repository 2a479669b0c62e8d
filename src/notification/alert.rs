//! What operators and people are told in the chat without having asked.

use xmpp_parsers::jid::BareJid;

/// Something to tell, once in a span.
///
/// Contract: it names no number and no text; of a number at most the first digits, which its neighbours share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// So much of a limit of a day is used up.
    Limit {
        /// Which.
        limit: DayLimit,
        /// 50, 80 or 100.
        percent: u32,
        /// What the limit is.
        max: u32,
    },
    /// So many codes were asked for in an hour, and none of them was sent back.
    CodesNotEntered(u32),
    /// Several accounts have asked for a code at the same number.
    NumberAskedFor {
        /// Its first digits.
        area: String,
        /// How many.
        accounts: u32,
    },
    /// To operators: too many wrong PINs were entered for this person.
    PinLocked(BareJid),
    /// To the owner: a wrong PIN was entered.
    WrongPin,
    /// To the owner: too many were.
    YourPinLocked,
    /// This trunk is passed over.
    TrunkFailed(String),
    /// It carries calls again.
    TrunkWorks(String),
    /// Somebody reports a sender.
    Reported {
        /// Who has written.
        sender: BareJid,
        /// Who reports it.
        by: BareJid,
    },
}

/// A limit that holds for any 24 hours: of all calls, or of those to numbers that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayLimit {
    /// `calls_per_day_max`.
    Calls(String),
    /// `minutes_per_day_max`.
    Minutes(String),
}

/// One alert and its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTo {
    /// `None`: the operators.
    pub reader: Option<BareJid>,
    /// What they read.
    pub alert: Alert,
}

/// The shares of a limit that are told, in percent.
pub const SHARES: [u32; 3] = [100, 80, 50];
