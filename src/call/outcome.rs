//! How a call's end is judged: one table from SIP to outcome.

use super::trunks::Verdict;
use crate::notification::Outcome;
use crate::sip::invite::Ending;

/// What an ending means for the notification. `rang`: the phone was heard ringing before.
///
/// Source: RFC 3261 §21; RFC 8197 (607), RFC 8688 (608).
pub fn outcome(ending: &Ending, rang: bool) -> Outcome {
    match ending {
        Ending::NoResponse | Ending::TransportFailed => Outcome::TrunkFailed,
        Ending::NoAnswer => Outcome::NoAnswer,
        Ending::Cancelled => Outcome::Cancelled,
        Ending::ByUs | Ending::ByPeer => Outcome::Answered,
        Ending::Refused { status, .. } => refused(*status, rang),
    }
}

fn refused(status: u16, rang: bool) -> Outcome {
    match status {
        486 | 600 => Outcome::Busy,
        408 if rang => Outcome::NoAnswer,
        480 | 487 => Outcome::NoAnswer,
        603 | 607 | 608 => Outcome::Declined,
        301 | 404 | 410 | 414 | 416 | 484 | 485 | 604 => Outcome::WrongNumber,
        _ => Outcome::TrunkFailed,
    }
}

/// Whether the fault is the trunk's, so that the next one is tried with the same call.
///
/// Source: RFC 3261 §21.5.4 (whoever says 503 with Retry-After is left alone for so long).
pub fn verdict(ending: &Ending, rang: bool) -> Verdict {
    match ending {
        Ending::NoResponse | Ending::TransportFailed => Verdict::Fault(None),
        Ending::Refused { status: 503, retry_after } if !rang => Verdict::Fault(*retry_after),
        Ending::Refused { status: 408 | 500, .. } if !rang => Verdict::Fault(None),
        // Nothing may have come before we hung up.
        Ending::Cancelled if !rang => Verdict::Unknown,
        Ending::Refused { .. } => Verdict::Works,
        Ending::NoAnswer | Ending::Cancelled | Ending::ByUs | Ending::ByPeer => Verdict::Works,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Answered, Busy, Cancelled, Declined, NoAnswer, TrunkFailed, WrongNumber};

    #[test]
    fn every_ending_has_one_outcome() {
        let refused = |status| Ending::Refused { status, retry_after: None };
        let cases = [
            (Ending::NoResponse, false, TrunkFailed, true),
            (Ending::TransportFailed, false, TrunkFailed, true),
            (Ending::NoAnswer, true, NoAnswer, false),
            (Ending::Cancelled, true, Cancelled, false),
            (Ending::ByUs, true, Answered, false),
            (Ending::ByPeer, false, Answered, false),
            (refused(302), false, TrunkFailed, false),
            (refused(400), false, TrunkFailed, false),
            (refused(401), false, TrunkFailed, false),
            (refused(403), false, TrunkFailed, false),
            (refused(404), false, WrongNumber, false),
            (refused(407), false, TrunkFailed, false),
            (refused(408), false, TrunkFailed, true),
            (refused(408), true, NoAnswer, false),
            (refused(410), false, WrongNumber, false),
            (refused(480), false, NoAnswer, false),
            (refused(484), false, WrongNumber, false),
            (refused(486), true, Busy, false),
            (refused(487), true, NoAnswer, false),
            (refused(488), false, TrunkFailed, false),
            (refused(500), false, TrunkFailed, true),
            (refused(503), false, TrunkFailed, true),
            (refused(504), false, TrunkFailed, false),
            (refused(600), false, Busy, false),
            (refused(603), true, Declined, false),
            (refused(604), false, WrongNumber, false),
            (refused(608), false, Declined, false),
        ];
        for (ending, rang, expected, next) in cases {
            assert_eq!(outcome(&ending, rang), expected, "{ending:?} rang {rang}");
            let fault = matches!(verdict(&ending, rang), Verdict::Fault(_));
            assert_eq!(fault, next, "{ending:?} rang {rang}");
        }
    }
}
