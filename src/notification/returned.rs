//! What becomes of an owed stanza that came back as an error.

use std::time::Duration;

use crate::backoff::Backoff;

/// How an owed stanza came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// What that says.
    pub why: ReturnReason,
    /// The error says that the same may succeed later.
    pub is_temporary: bool,
    /// The recipient of a held message is not known to be online, and may be phoned about it.
    pub may_ring: bool,
    /// The condition that the error names, for the operator.
    pub condition: String,
}

/// What the return of a stanza says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnReason {
    /// The receiver cannot receive now, from anybody.
    Unreachable,
    /// The receiver's server refuses this sender. Others it may not refuse.
    Refused,
    /// The server did not take this stanza now. Nothing follows for the next one.
    NotTaken,
    /// The privilege by which it was sent is gone; it can go another way.
    PrivilegeGone,
    /// The server ends the stream over it.
    EndsStream,
}

impl ReturnReason {
    /// Only some errors say something about presence. One that a server also sends where the recipient has blocked the
    /// sender says so only where no presence contradicts it: blocking a person must not make one's own phone ring, nor
    /// make one count as offline for others.
    ///
    /// Source: XEP-0191 §3.4 (a blocked message bounces as service-unavailable), RFC 6120 §8.3.3.
    pub fn of(condition: Option<&str>, says_available: bool) -> Self {
        match condition.unwrap_or_default() {
            "remote-server-not-found" | "remote-server-timeout" => Self::Unreachable,
            "service-unavailable" | "recipient-unavailable" if !says_available => Self::Unreachable,
            "service-unavailable"
            | "not-acceptable"
            | "forbidden"
            | "not-allowed"
            | "policy-violation" => Self::Refused,
            _ => Self::NotTaken,
        }
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A held message, which stays held when it comes back.
    Delivery {
        /// It is the text alone, as the server has ended the stream over the whole stanza.
        as_text: bool,
    },
    /// What nobody would know of any more if it were dropped: a status, an answer, a receipt.
    News,
}

impl Returned {
    /// The pause before the stanza goes again by itself; `None` where it does not.
    ///
    /// Contract: `before` is how often it came back before this time.
    pub fn pause(&self, kind: Kind, before: u32) -> Option<Duration> {
        match (self.why, kind) {
            (ReturnReason::PrivilegeGone, _) => Some(Duration::ZERO),
            (ReturnReason::EndsStream, Kind::Delivery { as_text: false }) => Some(Duration::ZERO),
            (ReturnReason::EndsStream, _) => None,
            (_, Kind::Delivery { .. }) if !self.is_temporary => None,
            _ if before + 1 >= RETURNS_MAX => None,
            _ => Some(PAUSES.after(before)),
        }
    }
}

/// A stanza that came back so often is given up: after some twenty hours.
const RETURNS_MAX: u32 = 13;
const PAUSES: Backoff = Backoff::new(Duration::from_secs(15), Duration::from_secs(6 * 3600));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_something_about_presence_only_if_its_kind_does() {
        use ReturnReason::*;
        for (condition, while_available, without_presence) in [
            ("service-unavailable", Refused, Unreachable),
            ("recipient-unavailable", NotTaken, Unreachable),
            ("remote-server-not-found", Unreachable, Unreachable),
            ("remote-server-timeout", Unreachable, Unreachable),
            ("policy-violation", Refused, Refused),
            ("not-acceptable", Refused, Refused),
            ("forbidden", Refused, Refused),
            ("not-allowed", Refused, Refused),
            ("gone", NotTaken, NotTaken),
            ("resource-constraint", NotTaken, NotTaken),
            ("undefined-condition", NotTaken, NotTaken),
        ] {
            let meanings = [true, false].map(|it| ReturnReason::of(Some(condition), it));
            assert_eq!(meanings, [while_available, without_presence], "{condition}");
        }
    }

    #[test]
    fn what_comes_back_goes_again_with_growing_pauses_and_not_for_ever() {
        let returned = |why, is_temporary| Returned {
            why,
            is_temporary,
            may_ring: false,
            condition: String::new(),
        };
        let pauses = |returned: &Returned, kind| {
            let told = (0..20).map_while(|before| returned.pause(kind, before));
            told.map(|pause| pause.as_secs()).collect::<Vec<_>>()
        };
        let later = returned(ReturnReason::NotTaken, true);
        let delivery = Kind::Delivery { as_text: false };
        let growing: Vec<u64> = (0..12).map(|times| (15 << times).min(6 * 3600)).collect();
        assert_eq!(pauses(&later, delivery), growing);
        assert_eq!(pauses(&later, Kind::News), growing);
        let never = returned(ReturnReason::Refused, false);
        assert_eq!(pauses(&never, Kind::News), growing, "nobody else would tell the sender");
        assert_eq!(pauses(&never, delivery), [0_u64; 0], "it stays held for the next log-in");
        assert_eq!(
            returned(ReturnReason::PrivilegeGone, false).pause(Kind::News, 0).unwrap().as_secs(),
            0
        );
        let poison = returned(ReturnReason::EndsStream, false);
        assert_eq!(poison.pause(delivery, 0), Some(Duration::ZERO), "its text may be taken");
        assert_eq!(poison.pause(Kind::Delivery { as_text: true }, 1), None);
        assert_eq!(poison.pause(Kind::News, 0), None);
    }
}
