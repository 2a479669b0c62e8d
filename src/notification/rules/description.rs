//! What the operator reads about the rules.

use std::fmt;

use super::{Never, Rule, Ruling, SenderBasis, Verdict};
use crate::notification::Wait;
use crate::subscriber::WhenOffline;

impl fmt::Display for Rule {
    /// The rule's name: a key of `component.toml` where it is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { .. } => f.write_str("person"),
            Self::Offline(_) => f.write_str("offline"),
            Self::Number { .. } => f.write_str("number"),
            Self::Sender(_) => f.write_str("senders"),
            Self::Suspended(_) => f.write_str("suspend"),
            Self::OnTheLine(_) => f.write_str("call on the line"),
            Self::Calling => f.write_str("call being made"),
            Self::Planned(_) => f.write_str("planned call"),
            Self::Allowed | Self::Never(Never::NotAllowed) => f.write_str("dial.allow, dial.deny"),
            Self::NumberType(_) | Self::Never(Never::NumberType(_)) => f.write_str("dial.types"),
            Self::Attempts { .. } | Self::Never(Never::AttemptsUsed) => {
                f.write_str("dial.attempts")
            }
            Self::Never(Never::Declined | Never::WrongNumber) => f.write_str("last call"),
            Self::Gathering => f.write_str("dial.wait_s"),
            Self::Retry => f.write_str("pause after the last call"),
            Self::Throttle(throttle) => write!(f, "dial.throttle {throttle}"),
            Self::SenderThrottle(throttle) => write!(f, "dial.sender_throttle {throttle}"),
            Self::SenderCalls(throttle) => write!(f, "dial.sender_calls {throttle}"),
            Self::SenderShare(calls) => {
                write!(f, "a sender's share of dial.calls_per_day_max, {calls}")
            }
            Self::NewRecipients(max) => write!(f, "a sender's new recipients of a day, {max}"),
            Self::Day(max) => write!(f, "dial.calls_per_day_max {max}"),
            Self::Minutes(max) => write!(f, "dial.minutes_per_day_max {max}"),
            Self::CountryCalls(max) => write!(f, "dial.country.calls_per_day_max {max}"),
            Self::CountryMinutes(max) => write!(f, "dial.country.minutes_per_day_max {max}"),
            Self::Quiet => f.write_str("quiet hours"),
        }
    }
}

impl fmt::Display for Ruling {
    /// Rule, value and time: `senders: block for this sender`, `quiet hours until 2026-11-24T08:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        if let Some(value) = self.rule.value() {
            write!(f, ": {value}")?;
        }
        match self.verdict {
            Verdict::Until(until) => write!(f, " until {until}"),
            Verdict::Pass | Verdict::Stopped | Verdict::Never => Ok(()),
        }
    }
}

impl Rule {
    /// The value that decided, where it is not a time. It names no person, so it may be logged.
    pub fn value(self) -> Option<String> {
        let says = match self {
            Self::Person { known: true } => "known here",
            Self::Person { known: false } => "unknown here",
            Self::Offline(WhenOffline::Phone) => "phone",
            Self::Offline(WhenOffline::Store) => "store",
            Self::Number { set: true } => "one is set",
            Self::Number { set: false } => "none is set",
            Self::Sender(basis) => basis.words(),
            Self::Suspended(true) => "all calls are stopped",
            Self::Suspended(false) => "calls go on",
            Self::OnTheLine(true) => "a call with this number or person",
            Self::OnTheLine(false) => "none with this number or person",
            Self::Calling => "it may still read the message",
            Self::Planned(Wait::Gathering) => "it waits for dial.wait_s",
            Self::Planned(Wait::Quiet) => "it waits for the end of the quiet hours",
            Self::Planned(Wait::Throttled) => "it waits for a throttle or the daily limit",
            Self::Planned(Wait::Retry) => "it waits for the pause after the last call",
            Self::Allowed => "allowed",
            Self::NumberType(of) => of.name(),
            Self::Never(Never::NumberType(of)) => {
                return Some(format!("{of}, which may not be dialled"));
            }
            Self::Attempts { used, max } => return Some(format!("{used} of {max} used")),
            Self::Never(Never::NotAllowed) => "not allowed",
            Self::Never(Never::AttemptsUsed) => "used up",
            Self::Never(Never::Declined) => "the callee declined",
            Self::Never(Never::WrongNumber) => "nobody is at this number",
            Self::Gathering
            | Self::Retry
            | Self::Throttle(_)
            | Self::SenderThrottle(_)
            | Self::SenderCalls(_)
            | Self::SenderShare(_)
            | Self::NewRecipients(_)
            | Self::Day(_)
            | Self::Minutes(_)
            | Self::CountryCalls(_)
            | Self::CountryMinutes(_)
            | Self::Quiet => return None,
        };
        Some(says.to_owned())
    }
}

impl SenderBasis {
    fn words(self) -> &'static str {
        match self {
            Self::Themselves => "everyone may make their own phone ring",
            Self::Allowed => "allow for this sender",
            Self::Blocked => "block for this sender",
            Self::BeingAsked => "the sender is being asked whether it is a program",
            Self::Program => "the sender says that it is a program",
            Self::Everyone => "everyone",
            Self::Contacts { is_contact: true } => "contacts; the sender is one",
            Self::Contacts { is_contact: false } => "contacts; the sender is not known as one",
            Self::Domain { same: true } => "people of the person's own domain",
            Self::Domain { same: false } => "people of the person's own domain; the sender is not",
        }
    }
}
