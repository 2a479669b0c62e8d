//! What calls may cost in a day: how many, and how long they talk.

use std::time::Duration;

use jiff::Timestamp;

use super::throttle::later;

/// Limits of the calls to one country, or to a part of it: `[[dial.country]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// How its numbers begin, with `+`.
    pub prefix: String,
    /// Calls in any 24 hours, if they are bounded.
    pub calls_per_day_max: Option<u32>,
    /// Minutes that they talk, if these are bounded.
    pub minutes_per_day_max: Option<u32>,
}

/// A call that counts against the minutes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When it was started.
    pub started: Timestamp,
    /// How long it talked; all that it may take while it runs, and where its end is not known.
    pub talked: Duration,
    /// It is not over.
    pub runs: bool,
}

/// The calls to a country that has limits, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CountryCalls {
    /// Every call whose INVITE may have left.
    pub calls: Vec<Timestamp>,
    /// Those that count against the minutes.
    pub spent: Vec<Spent>,
}

/// When a call that may talk for `call_max` fits into `minutes` in any 24 hours; `None`: it fits now.
///
/// Contract: `spent` is sorted, oldest first. A call that runs may end sooner than it might: it is asked for again then.
pub fn fits_at(
    spent: &[Spent],
    minutes: u32,
    call_max: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let most = Duration::from_secs(u64::from(minutes) * 60);
    // A call that was started before the clock was set back counts as started now.
    let leaves = |it: &Spent| later(it.started.min(now), DAY);
    let counted = || spent.iter().filter(|it| leaves(it) > now && it.started <= later(now, DAY));
    let over = counted().filter(|it| !it.runs).map(|it| it.talked).sum::<Duration>() + call_max;
    let all = counted().filter(|it| it.runs).map(|it| it.talked).sum::<Duration>() + over;
    if all <= most {
        return None;
    }
    if over <= most {
        let first = counted().filter(|it| it.runs).map(|it| later(it.started.min(now), call_max));
        return first.min().map(|end| end.max(later(now, ASKED_AGAIN)));
    }
    let mut left = all;
    for call in counted() {
        left = left.saturating_sub(call.talked);
        if left <= most {
            return Some(leaves(call));
        }
    }
    // A call that never fits is refused by the configuration; it is not dialled, either.
    Some(later(now, DAY))
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How soon it is seen whether a call that runs has left room.
const ASKED_AGAIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_call_fits_when_all_that_was_talked_and_may_be_talked_stays_within_the_day() {
        let over = |started, talked| (started, talked, false);
        let runs = |started| (started, 300, true);
        let day = 86_400;
        let cases = [
            ("nothing was talked", vec![], None),
            ("five minutes are left", vec![over(-600, 300)], None),
            ("less is left", vec![over(-600, 301)], Some(day - 600)),
            ("the first of two goes", vec![over(-900, 200), over(-600, 200)], Some(day - 900)),
            ("both have to go", vec![over(-900, 10), over(-600, 500)], Some(day - 600)),
            ("one runs", vec![runs(-10)], None),
            ("two run, each may take all that is left", vec![runs(-100), runs(-10)], Some(200)),
            ("one runs for long already", vec![runs(-290), runs(-280)], Some(60)),
            ("one runs, one is over", vec![over(-900, 310), runs(-10)], Some(day - 900)),
            ("it was yesterday", vec![over(-day, 600)], None),
            ("the clock was set back", vec![over(50, 500)], Some(day)),
            ("the clock was a year ahead once", vec![over(365 * day, 500)], None),
        ];
        for (situation, spent, expected) in cases {
            let spent: Vec<Spent> = spent
                .into_iter()
                .map(|(started, talked, runs)| Spent {
                    started: at(started),
                    talked: Duration::from_secs(talked),
                    runs,
                })
                .collect();
            let fits = fits_at(&spent, 10, Duration::from_secs(300), at(0));
            assert_eq!(fits, expected.map(at), "{situation}");
        }
    }
}
