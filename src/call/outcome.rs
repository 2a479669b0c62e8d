//! How the end of a call is judged: one table from SIP to outcome.

use super::machine::Over;
use crate::media::answering_machine::PickedUp;
use crate::notification::Outcome;
use crate::sip::invite::Ending;
use crate::sip::offer_answer::AnswerError;
use crate::trunks::selector::TrunkReport;

/// What an end means for the notification. `stopping`: the program stops.
///
/// The cause of the telephone network counts where the SIP status itself says little.
///
/// Source: RFC 3261 §21; RFC 8197 (607), RFC 8688 (608).
pub fn outcome(over: &Over, stopping: bool) -> Outcome {
    match &over.ending {
        _ if over.picked_up == Some(PickedUp::Machine) && !stopping => Outcome::Machine,
        Ending::ByUs | Ending::ByPeer | Ending::Cancelled if stopping => Outcome::Interrupted,
        // The answer crossed our CANCEL.
        Ending::Cancelled if over.talked.is_some() => Outcome::Answered,
        Ending::Cancelled => Outcome::Cancelled,
        // We hung up on an answer that was of no use.
        Ending::ByUs | Ending::ByPeer if over.unfit == Some(AnswerError::NoKeys) => {
            Outcome::NotEncrypted
        }
        Ending::ByUs | Ending::ByPeer if over.unfit.is_some() => Outcome::NoSound,
        Ending::ByUs | Ending::ByPeer if over.talked.is_none() => Outcome::TrunkFailed,
        Ending::ByUs | Ending::ByPeer => Outcome::Answered,
        Ending::NoResponse | Ending::TransportFailed | Ending::NoProgress => Outcome::TrunkFailed,
        Ending::NoAnswer => Outcome::NoAnswer,
        Ending::Refused { status, .. } => match refused(*status, over.rang.is_some()) {
            vague @ (Outcome::TrunkFailed | Outcome::NoAnswer) if *status >= 400 => {
                caused(over.cause).unwrap_or(vague)
            }
            clear => clear,
        },
    }
}

/// An unregistered status counts as the first of its class (RFC 3261 §8.1.3.2).
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

/// What a cause of the network says of the callee or the number; `None` where it speaks of the network itself.
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
/// Source: RFC 3261 §21.5.4 (a trunk that says 503 with Retry-After is left alone for so long).
pub fn report(over: &Over) -> TrunkReport {
    let rang = over.rang.is_some();
    match over.ending {
        Ending::Refused { .. } if caused(over.cause).is_some() => TrunkReport::Works,
        Ending::NoResponse | Ending::TransportFailed => TrunkReport::Fault(None),
        Ending::Refused { status: 503, retry_after } if !rang => {
            TrunkReport::CallFailed(retry_after)
        }
        Ending::Refused { status: 408 | 500, .. } if !rang => TrunkReport::CallFailed(None),
        Ending::NoProgress => TrunkReport::CallFailed(None),
        // We may have hung up before anything came.
        Ending::Cancelled if !rang => TrunkReport::Unknown,
        Ending::Refused { .. } => TrunkReport::Works,
        Ending::NoAnswer | Ending::Cancelled | Ending::ByUs | Ending::ByPeer => TrunkReport::Works,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use Outcome::{
        Answered, Busy, Cancelled, Declined, Interrupted, Machine, NoAnswer, NoSound, NotEncrypted,
        TrunkFailed, WrongNumber,
    };

    #[test]
    fn every_ending_has_one_outcome() {
        // The letters: the phone rang, was answered; the program stops; a machine picked up; no keys for SRTP, unfit else.
        let cases = [
            (Ending::NoResponse, "", TrunkFailed, true),
            (Ending::TransportFailed, "", TrunkFailed, true),
            (Ending::NoResponse, "s", TrunkFailed, true),
            (Ending::NoProgress, "", TrunkFailed, true),
            (Ending::ByUs, "u", NoSound, false),
            (Ending::ByPeer, "ru", NoSound, false),
            (Ending::ByUs, "us", Interrupted, false),
            (Ending::NoAnswer, "r", NoAnswer, false),
            (Ending::NoAnswer, "rs", NoAnswer, false),
            (Ending::Cancelled, "r", Cancelled, false),
            (Ending::Cancelled, "rs", Interrupted, false),
            (Ending::Cancelled, "ra", Answered, false),
            (Ending::ByUs, "ra", Answered, false),
            (Ending::ByPeer, "a", Answered, false),
            (Ending::ByUs, "ras", Interrupted, false),
            (Ending::ByUs, "ram", Machine, false),
            (Ending::ByUs, "rams", Interrupted, false),
            (Ending::ByUs, "rk", NotEncrypted, false),
            (Ending::ByPeer, "k", NotEncrypted, false),
            (Ending::ByUs, "r", TrunkFailed, false),
        ];
        for (ending, letters, expected, next) in cases {
            let is = |letter| letters.contains(letter);
            let over = Over {
                talked: is('a').then_some(SECOND),
                unfit: match (is('k'), is('u')) {
                    (true, _) => Some(AnswerError::NoKeys),
                    (false, true) => Some(AnswerError::NoAudio),
                    (false, false) => None,
                },
                picked_up: is('a').then(|| match is('m') {
                    true => PickedUp::Machine,
                    false => PickedUp::Unknown,
                }),
                ..over(ending.clone(), is('r'), None)
            };
            assert_eq!(outcome(&over, is('s')), expected, "{ending:?} {letters}");
            assert_eq!(is_fault(&over), next, "{ending:?} {letters}");
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
                let refused =
                    |rang| over(Ending::Refused { status, retry_after: None }, rang, None);
                assert_eq!(outcome(&refused(false), false), expected, "{status}");
                assert_eq!(is_fault(&refused(false)), next, "{status}");
                assert!(!is_fault(&refused(true)), "{status} rang");
                seen += 1;
            }
        }
        assert_eq!(seen, 70);
        let late = over(Ending::Refused { status: 408, retry_after: None }, true, None);
        assert_eq!(outcome(&late, false), NoAnswer, "it rang until the proxy gave up");
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
            let over = over(Ending::Refused { status, retry_after: None }, false, Some(cause));
            assert_eq!(outcome(&over, false), expected, "{status} {cause}");
            assert_eq!(is_fault(&over), next, "{status} {cause}");
        }
    }

    fn over(ending: Ending, rang: bool, cause: Option<u8>) -> Over {
        let rang = rang.then_some(SECOND);
        Over { ending, rang, talked: None, unfit: None, cause, picked_up: None }
    }

    fn is_fault(over: &Over) -> bool {
        report(over).is_fault()
    }

    const SECOND: Duration = Duration::from_secs(1);
}
