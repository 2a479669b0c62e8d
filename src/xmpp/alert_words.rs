//! What operators and people read without having asked, in words.

use crate::notification::alert::{Alert, DayLimit};
use crate::wording::{Value, phrase};
use crate::xmpp::commands::replies::Language;

/// The sentence.
///
/// Contract: never names a phone number; of one at most the first digits.
pub(super) fn words(language: Language<'_>, alert: &Alert) -> String {
    let say = |id: &str, values: &[(&str, Value<'_>)]| phrase(language, id, values);
    match alert {
        Alert::Limit { limit, percent, max } => limit_words(language, limit, *percent, *max),
        Alert::CodesNotEntered(codes) => say("alert-codes", &[("count", u64::from(*codes).into())]),
        Alert::NumberAskedFor { area, accounts } => {
            let count = u64::from(*accounts);
            say("alert-number", &[("area", area.into()), ("count", count.into())])
        }
        Alert::PinLocked(person) => say("alert-pin-locked", &[("person", person.as_str().into())]),
        Alert::WrongPin => say("alert-wrong-pin", &[]),
        Alert::YourPinLocked => say("alert-your-pin-locked", &[]),
        Alert::TrunkFailed(trunk) => say("alert-trunk-failed", &[("trunk", trunk.into())]),
        Alert::TrunkWorks(trunk) => say("alert-trunk-works", &[("trunk", trunk.into())]),
        Alert::Reported { sender, by } => {
            let values = [("person", by.as_str().into()), ("sender", sender.as_str().into())];
            say("alert-reported", &values)
        }
    }
}

fn limit_words(language: Language<'_>, limit: &DayLimit, percent: u32, max: u32) -> String {
    let (id, prefix) = match limit {
        DayLimit::Calls(all) if all.is_empty() => ("alert-calls", all),
        DayLimit::Calls(prefix) => ("alert-calls-to", prefix),
        DayLimit::Minutes(all) if all.is_empty() => ("alert-minutes", all),
        DayLimit::Minutes(prefix) => ("alert-minutes-to", prefix),
    };
    let values = [
        ("percent", u64::from(percent).into()),
        ("max", u64::from(max).into()),
        ("prefix", prefix.into()),
    ];
    let words = phrase(language, id, &values);
    if percent < 100 {
        return words;
    }
    format!("{words} {}", phrase(language, "alert-limit-reached", &[]))
}
