//! How a call's end is judged: one table from SIP to outcome.

use super::trunks::Verdict;
use crate::notification::Outcome;
use crate::sip::invite::Ending;

/// What an ending means for the notification. `rang`: the phone was heard ringing before. `cause`: what the telephone
/// network said, which counts where the status itself says little.
///
/// Source: RFC 3261 §21; RFC 8197 (607), RFC 8688 (608).
pub fn outcome(ending: &Ending, rang: bool, cause: Option<u8>) -> Outcome {
    match ending {
        Ending::NoResponse | Ending::TransportFailed => Outcome::TrunkFailed,
        Ending::NoAnswer => Outcome::NoAnswer,
        Ending::Cancelled => Outcome::Cancelled,
        Ending::ByUs | Ending::ByPeer => Outcome::Answered,
        Ending::Refused { status, .. } => match refused(*status, rang) {
            plain @ (Outcome::TrunkFailed | Outcome::NoAnswer) if *status >= 400 => {
                caused(cause).unwrap_or(plain)
            }
            plain => plain,
        },
    }
}

/// A status that nobody has registered counts as the first of its class (RFC 3261 §8.1.3.2).
fn refused(status: u16, rang: bool) -> Outcome {
    match status {
        // The person is to be reached elsewhere, and we did not go there.
        301 => Outcome::WrongNumber,
        300..=399 => Outcome::NoAnswer,
        404 | 410 | 414 | 416 | 484 | 485 | 604 => Outcome::WrongNumber,
        408 if rang => Outcome::NoAnswer,
        480 | 487 => Outcome::NoAnswer,
        486 => Outcome::Busy,
        603 | 607 | 608 => Outcome::Declined,
        606 => Outcome::TrunkFailed,
        600..=699 => Outcome::Busy,
        _ => Outcome::TrunkFailed,
    }
}

/// What the network knows of the person or the number; `None` where it speaks of itself.
///
/// Source: ITU-T Q.850; RFC 3398 §7.2.4.1.
fn caused(cause: Option<u8>) -> Option<Outcome> {
    match cause? {
        1 | 22 | 28 => Some(Outcome::WrongNumber),
        17 => Some(Outcome::Busy),
        18..=20 => Some(Outcome::NoAnswer),
        21 => Some(Outcome::Declined),
        _ => None,
    }
}

/// Whether the fault is the trunk's, so that the next one is tried with the same call.
///
/// Source: RFC 3261 §21.5.4 (whoever says 503 with Retry-After is left alone for so long).
pub fn verdict(ending: &Ending, rang: bool, cause: Option<u8>) -> Verdict {
    match ending {
        Ending::Refused { .. } if caused(cause).is_some() => Verdict::Works,
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
        let cases = [
            (Ending::NoResponse, false, TrunkFailed, true),
            (Ending::TransportFailed, false, TrunkFailed, true),
            (Ending::NoAnswer, true, NoAnswer, false),
            (Ending::Cancelled, true, Cancelled, false),
            (Ending::ByUs, true, Answered, false),
            (Ending::ByPeer, false, Answered, false),
        ];
        for (ending, rang, expected, next) in cases {
            assert_eq!(outcome(&ending, rang, None), expected, "{ending:?} rang {rang}");
            let fault = matches!(verdict(&ending, rang, None), Verdict::Fault(_));
            assert_eq!(fault, next, "{ending:?} rang {rang}");
        }
    }

    #[test]
    fn every_status_has_one_outcome() {
        // Each registered final status; `>` behind it: the next trunk is tried.
        let table = [
            (WrongNumber, "301 404 410 414 416 484 485 604"),
            (NoAnswer, "300 302 305 380 480 487"),
            (Busy, "486 600"),
            (Declined, "603 607 608"),
            (
                TrunkFailed,
                "400 401 402 403 405 406 407 408> 412 413 415 417 420 421 422 423 424 425 428 429 430 433 436 437 438 \
                 439 440 469 470 481 482 483 488 489 491 493 494 500> 501 502 503> 504 505 513 555 580 606",
            ),
            // Nobody has registered these.
            (NoAnswer, "399"),
            (TrunkFailed, "499 599"),
            (Busy, "699"),
        ];
        let mut seen = 0;
        for (expected, statuses) in table {
            for status in statuses.split_ascii_whitespace() {
                let next = status.ends_with('>');
                let status = status.trim_end_matches('>').parse().unwrap();
                let ending = Ending::Refused { status, retry_after: None };
                assert_eq!(outcome(&ending, false, None), expected, "{status}");
                let fault = matches!(verdict(&ending, false, None), Verdict::Fault(_));
                assert_eq!(fault, next, "{status}");
                assert!(
                    !matches!(verdict(&ending, true, None), Verdict::Fault(_)),
                    "{status} rang"
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 70);
        let late = Ending::Refused { status: 408, retry_after: None };
        assert_eq!(outcome(&late, true, None), NoAnswer, "it rang until the proxy gave up");
    }

    #[test]
    fn what_the_network_says_counts_where_the_status_says_little() {
        let cases = [
            (503, 1, WrongNumber, false),
            (480, 28, WrongNumber, false),
            (480, 22, WrongNumber, false),
            (500, 17, Busy, false),
            (480, 19, NoAnswer, false),
            (503, 20, NoAnswer, false),
            (403, 21, Declined, false),
            // The network speaks of itself.
            (503, 34, TrunkFailed, true),
            (480, 16, NoAnswer, false),
            // The status has said enough.
            (404, 17, WrongNumber, false),
            (486, 1, Busy, false),
            (603, 18, Declined, false),
            (302, 17, NoAnswer, false),
        ];
        for (status, cause, expected, next) in cases {
            let ending = Ending::Refused { status, retry_after: None };
            assert_eq!(outcome(&ending, false, Some(cause)), expected, "{status} {cause}");
            let fault = matches!(verdict(&ending, false, Some(cause)), Verdict::Fault(_));
            assert_eq!(fault, next, "{status} {cause}");
        }
    }
}
