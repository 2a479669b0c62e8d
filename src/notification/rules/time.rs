//! The rules of time: how long a call about these messages has to wait, or whether there is none any more.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Past, Rule, Ruling, Verdict};
use crate::notification::budget::{CountryCalls, Spent, fits_at};
use crate::notification::policy::{Forbidden, Policy};
use crate::notification::throttle::{Throttle, later};
use crate::notification::{Outcome, SenderCalls, Wait};
use crate::phone_number::{NumberType, PhoneNumber};
use crate::subscriber::Quiet;

impl Policy {
    /// Decides when to phone next. A call may start when the decision's `at` is not after `now`.
    ///
    /// Contract: `at` is never before `now`, never in quiet hours, never beyond a throttle; it does not
    ///           move back as `now` moves on, nor when a call is added to the history.
    pub fn next_call(&self, past: &Past, history: &History, now: Timestamp) -> Decision {
        self.rulings(past, history, now).1
    }

    /// Decides as [`Policy::next_call`] does and tells what each rule said, in order.
    pub fn rulings(
        &self,
        past: &Past,
        history: &History,
        now: Timestamp,
    ) -> (Vec<Ruling>, Decision) {
        let mut told = self.limits(past, history);
        if let Some(Ruling { rule: Rule::Never(never), .. }) = told.last() {
            let never = *never;
            return (told, Decision::Never(never));
        }
        let (mut at, mut by) = (now, Rule::Gathering);
        for (rule, until) in self.pauses(past, history, now) {
            told.push(Ruling::until(rule, until));
            if let Some(until) = until.filter(|until| *until > at) {
                (at, by) = (until, rule);
            }
        }
        let quiet_until = self.quiet_until(history, at);
        told.push(Ruling::until(Rule::Quiet, quiet_until));
        if let Some(until) = quiet_until {
            (at, by) = (until, Rule::Quiet);
        }
        (told, Decision::Call { at, by })
    }

    /// What may forbid any further call; a refusal is the last one told.
    fn limits(&self, past: &Past, history: &History) -> Vec<Ruling> {
        let mut told = Vec::with_capacity(12);
        let attempts = Rule::Attempts { used: past.attempts, max: self.attempts };
        let forbids = history.number.as_ref().and_then(|number| self.forbids(number));
        let of = history.number.as_ref().map(|number| self.type_of(number));
        let last = past.last.map(|call| call.outcome);
        let rules = [
            (Rule::Allowed, (forbids == Some(Forbidden::Prefix)).then_some(Never::NotAllowed)),
            (
                Rule::NumberType(of.unwrap_or(NumberType::Unknown)),
                of.filter(|_| !matches!(forbids, None | Some(Forbidden::Prefix)))
                    .map(Never::NumberType),
            ),
            (Rule::Retry, (last == Some(Outcome::Declined)).then_some(Never::Declined)),
            (Rule::Retry, (last == Some(Outcome::WrongNumber)).then_some(Never::WrongNumber)),
            (attempts, (past.attempts >= self.attempts).then_some(Never::AttemptsUsed)),
        ];
        for (rule, never) in rules {
            match never {
                Some(never) => {
                    told.push(Ruling { rule: Rule::Never(never), verdict: Verdict::Never });
                    break;
                }
                // How the last call ended is told where it makes a pause; a number that is not known has no type.
                None if rule == Rule::Retry => {}
                None if matches!(rule, Rule::NumberType(_)) && of.is_none() => {}
                None => told.push(Ruling { rule, verdict: Verdict::Pass }),
            }
        }
        told
    }

    /// What each rule but the quiet hours asks for. All of these hold for any later time too.
    fn pauses(
        &self,
        past: &Past,
        history: &History,
        now: Timestamp,
    ) -> Vec<(Rule, Option<Timestamp>)> {
        // What is dated after now was written before the clock was set back, and says nothing about how long ago it was.
        let since = |at: Timestamp, pause| (at <= now).then(|| later(at, pause));
        let retry = past.last.and_then(|call| since(call.ended, self.retry.after(past, &call)));
        let mut pauses = vec![
            (Rule::Gathering, since(history.gathering_since, self.wait)),
            (Rule::Retry, retry),
        ];
        pauses.extend(
            self.throttle.iter().map(|t| (Rule::Throttle(*t), t.free_at(&history.calls, now))),
        );
        // One sender with calls left is enough: the call is for their message, and the others are read on the way.
        let each = history.senders.iter().map(|sender| self.sender_pauses(sender, now));
        let freest = each.min_by_key(|pauses| pauses.iter().filter_map(|(_, until)| *until).max());
        pauses.extend(freest.unwrap_or_else(|| self.sender_pauses(&SenderCalls::default(), now)));
        let day = Throttle { calls: self.calls_per_day_max.max(1), span: DAY };
        let day_over = history.day_filled_at.and_then(|filled_at| day.free_after(filled_at, now));
        pauses.push((Rule::Day(self.calls_per_day_max), day_over));
        let fits = |spent: &[Spent], most| fits_at(spent, most, self.call_max, now);
        let minutes = self.minutes_per_day_max;
        pauses.push((Rule::Minutes(minutes), fits(&history.spent, minutes)));
        let countries = history.number.iter().flat_map(|number| self.countries_of(number));
        for (country, made) in countries.zip(&history.countries) {
            if let Some(calls) = country.calls_per_day_max {
                let full = Throttle { calls, span: DAY }.free_at(&made.calls, now);
                pauses.push((Rule::CountryCalls(calls), full));
            }
            if let Some(minutes) = country.minutes_per_day_max {
                pauses.push((Rule::CountryMinutes(minutes), fits(&made.spent, minutes)));
            }
        }
        pauses
    }

    /// What the rules for one sender ask for.
    fn sender_pauses(
        &self,
        sender: &SenderCalls,
        now: Timestamp,
    ) -> Vec<(Rule, Option<Timestamp>)> {
        let to_callee = self
            .sender_throttle
            .iter()
            .map(|it| (Rule::SenderThrottle(*it), it.free_at(&sender.to_callee, now)));
        let to_all = self
            .sender_calls
            .iter()
            .map(|it| (Rule::SenderCalls(*it), it.free_at(&sender.to_all, now)));
        let share = Throttle { calls: (self.calls_per_day_max / SENDERS_A_DAY).max(1), span: DAY };
        let of_day = (Rule::SenderShare(share.calls), share.free_at(&sender.to_all, now));
        let new = if sender.is_settled { NEW_PEOPLE_MAX } else { NEW_PEOPLE_MAX_AT_FIRST };
        let of_new = Throttle { calls: new, span: DAY }.free_at(&sender.first, now);
        // An operator who bounds no sender does not bound whom they write to, either.
        let of_new = of_new.filter(|_| !self.sender_calls.is_empty());
        to_callee.chain(to_all).chain([of_day, (Rule::NewRecipients(new), of_new)]).collect()
    }

    fn quiet_until(&self, history: &History, from: Timestamp) -> Option<Timestamp> {
        let Quiet::Daily(hours) = history.quiet.unwrap_or(self.quiet) else { return None };
        let zone = history.zone.as_ref().unwrap_or(&self.zone);
        let mut at = from;
        // The end of one quiet span may lie in the span again where the clock is set back: a minute on, we ask again.
        for _ in 0..MINUTES_PER_DAY {
            let Some(end) = hours.end_after(at, zone) else { break };
            at = end;
        }
        (at > from).then_some(at)
    }
}

impl Ruling {
    fn until(rule: Rule, until: Option<Timestamp>) -> Self {
        Self { rule, verdict: until.map_or(Verdict::Pass, Verdict::Until) }
    }
}

/// What the rules of time must know about the world around one notification.
///
/// Contract: lists of calls hold when each call was started, oldest first, with every call whose INVITE may have left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Where the call would go; `None` leaves the question of allowed numbers out.
    pub number: Option<PhoneNumber>,
    /// When the oldest message that waits for the call was received.
    pub gathering_since: Timestamp,
    /// The person's own quiet hours, if chosen.
    pub quiet: Option<Quiet>,
    /// The person's own zone, if chosen.
    pub zone: Option<TimeZone>,
    /// Calls to the number.
    pub calls: Vec<Timestamp>,
    /// What each sender of a waiting message has caused.
    pub senders: Vec<SenderCalls>,
    /// When the call of the whole component was started that is the `calls_per_day_max`th from the last;
    /// `None` while there were fewer in the last 24 hours.
    pub day_filled_at: Option<Timestamp>,
    /// The calls of the whole component that count against its minutes, oldest first.
    pub spent: Vec<Spent>,
    /// The same, and the calls, for each of the policy's countries that the number belongs to, in their order.
    pub countries: Vec<CountryCalls>,
}

/// When to phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Phone at `at`, or now when that is not in the future.
    Call {
        /// The earliest time.
        at: Timestamp,
        /// The rule that decided it.
        by: Rule,
    },
    /// Do not phone about these messages again.
    Never(Never),
}

impl Decision {
    /// The time of the call and what the sender reads about it.
    pub fn call(self) -> Option<(Timestamp, Wait)> {
        match self {
            Self::Call { at, by } => Some((at, by.wait())),
            Self::Never(_) => None,
        }
    }
}

/// Why there is no further call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    /// The number is outside `dial.allow` or inside `dial.deny`.
    NotAllowed,
    /// `dial.types` does not name the sort of number it is.
    NumberType(NumberType),
    /// `dial.attempts` calls did not reach the person.
    AttemptsUsed,
    /// The callee declined.
    Declined,
    /// There is nobody at the number.
    WrongNumber,
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// People whose phone one sender makes ring for the first time, in a day.
const NEW_PEOPLE_MAX: u32 = 20;
/// The same for a sender who has caused no call a week ago.
const NEW_PEOPLE_MAX_AT_FIRST: u32 = 5;
/// No sender alone has more than one in so many of the day's calls.
const SENDERS_A_DAY: u32 = 4;
const MINUTES_PER_DAY: u32 = 24 * 60;
