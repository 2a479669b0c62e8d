//! What the component says to people about themselves.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::chat::Odd;
use crate::notification::Outcome;
use crate::notification::verification::{Place, Refusal};
use crate::phone_number::PhoneNumber;
use crate::subscriber::{NotASetting, Quiet, Senders, Subscriber, WhenOffline};
use crate::wording::phrase;

/// A reader's language, where it is known.
pub type Language<'l> = Option<&'l str>;

/// The answer to `help`, at most six lines.
pub fn help(language: Language<'_>, is_operator: bool) -> String {
    let more = if is_operator { phrase(language, "help-operator", &[]) } else { String::new() };
    format!("{}{more}", phrase(language, "help", &[]))
}

/// The answer to `help more`, at most six lines.
pub fn help_more(language: Language<'_>) -> String {
    phrase(language, "help-more", &[])
}

/// What is wrong with a command.
pub fn odd(language: Language<'_>, odd: Odd) -> String {
    let id = match odd {
        Odd::Command => "odd-command",
        Odd::Number => "odd-number",
        Odd::Code => "odd-code",
        Odd::Value(value) => return odd_value(language, value),
    };
    phrase(language, id, &[])
}

/// What is wrong with a value.
pub fn odd_value(language: Language<'_>, value: NotASetting) -> String {
    let id = match value {
        NotASetting::Quiet => "odd-quiet",
        NotASetting::TimeZone => "odd-timezone",
        NotASetting::Language => "odd-language",
        NotASetting::Pin => "odd-pin",
        NotASetting::Jid => "odd-jid",
    };
    phrase(language, id, &[])
}

/// What is known about a person beside his settings.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'s> {
    /// Whether he lets the component see when he is online.
    pub sees_presence: bool,
    /// Whether he is online now.
    pub online: bool,
    /// What holds where he has chosen nothing.
    pub policy: &'s crate::notification::policy::Policy,
}

/// The answer to `show`, at most six lines.
pub fn settings(language: Language<'_>, person: &Subscriber, seen: Seen<'_>) -> String {
    let say = |id: &str| phrase(language, id, &[]);
    let none = say("show-none");
    let number = |number: &Option<PhoneNumber>| {
        number.as_ref().map_or_else(|| none.clone(), |number| number.as_str().to_owned())
    };
    let calls = say(match person.offline {
        WhenOffline::Phone => "show-on",
        WhenOffline::Store => "show-off",
    });
    let quiet = match person.quiet.unwrap_or(seen.policy.quiet) {
        Quiet::Never => none.clone(),
        Quiet::Daily(hours) => hours.to_string(),
    };
    let zone = person.time_zone.as_ref().unwrap_or(&seen.policy.zone);
    let zone = zone.iana_name().unwrap_or("UTC").to_owned();
    let senders = say(match person.senders.unwrap_or(seen.policy.senders) {
        Senders::Domain => "show-domain",
        Senders::Contacts => "show-contacts",
        Senders::Everyone => "show-everyone",
    });
    let pin = say(if person.pin.is_some() { "show-pin" } else { "show-no-pin" });
    let presence = say(match (seen.sees_presence, seen.online) {
        (false, _) => "show-unseen",
        (true, true) => "show-online",
        (true, false) => "show-offline",
    });
    phrase(
        language,
        "show",
        &[
            ("calls", (&calls).into()),
            ("number", (&number(&person.number)).into()),
            ("second", (&number(&person.second)).into()),
            ("quiet", (&quiet).into()),
            ("zone", (&zone).into()),
            ("senders", (&senders).into()),
            ("pin", (&pin).into()),
            ("language", person.language.as_deref().unwrap_or("-").into()),
            ("presence", (&presence).into()),
        ],
    )
}

/// After settings were changed.
pub fn changed(language: Language<'_>, person: &Subscriber) -> String {
    let id = match (person.offline, person.number.is_some()) {
        (WhenOffline::Phone, true) => "changed-phone",
        (WhenOffline::Phone, false) => "changed-no-number",
        (WhenOffline::Store, _) => "changed-store",
    };
    phrase(language, id, &[])
}

/// A call with a code is on its way.
pub fn calling(language: Language<'_>, number: &PhoneNumber) -> String {
    phrase(language, "code-calling", &[("number", number.as_str().into())])
}

/// No call with a code is made.
pub fn refused(language: Language<'_>, refusal: Refusal) -> String {
    let id = match refusal {
        Refusal::NotAllowed => "code-not-allowed",
        Refusal::Suspended => "code-suspended",
        Refusal::TooSoon => "code-too-soon",
        Refusal::TooMany => "code-too-many",
    };
    phrase(language, id, &[])
}

/// How the call with the code went; `heard` if somebody has asked to hear it.
pub fn code_call(language: Language<'_>, outcome: Outcome, heard: bool) -> String {
    let id = match outcome {
        Outcome::Answered if heard => "code-heard",
        Outcome::Answered | Outcome::Machine => "code-not-heard",
        Outcome::Busy => "code-busy",
        Outcome::NoAnswer | Outcome::Cancelled => "code-no-answer",
        Outcome::Declined => "code-declined",
        Outcome::WrongNumber => "code-wrong-number",
        Outcome::TrunkFailed | Outcome::NotEncrypted | Outcome::Interrupted => "code-failed",
    };
    phrase(language, id, &[])
}

/// The right code came.
pub fn verified(language: Language<'_>, place: Place, number: &PhoneNumber) -> String {
    let id = match place {
        Place::First => "code-right",
        Place::Second => "code-right-second",
    };
    phrase(language, id, &[("number", number.as_str().into())])
}

/// A wrong code came.
pub fn wrong_code(language: Language<'_>, left: u64) -> String {
    phrase(language, "code-wrong", &[("left", left.into())])
}

/// A code came that nobody waits for.
pub fn no_code(language: Language<'_>) -> String {
    phrase(language, "code-none", &[])
}

/// To somebody whose number another person has verified.
pub fn number_lost(language: Language<'_>) -> String {
    phrase(language, "number-lost", &[])
}

/// To somebody whose number has changed.
pub fn number_changed(language: Language<'_>) -> String {
    phrase(language, "number-changed", &[])
}

/// A simple sentence.
pub fn simple(language: Language<'_>, id: &'static str) -> String {
    phrase(language, id, &[])
}

/// One call, in a list.
pub fn call(
    language: Language<'_>,
    at: Timestamp,
    zone: &TimeZone,
    outcome: Option<Outcome>,
    talked: Duration,
) -> String {
    let id = match outcome {
        Some(Outcome::Answered) => "call-answered",
        Some(Outcome::Machine) => "call-machine",
        Some(Outcome::NoAnswer) => "call-no-answer",
        Some(Outcome::Busy) => "call-busy",
        Some(Outcome::Declined) => "call-declined",
        Some(Outcome::WrongNumber) => "call-wrong-number",
        Some(Outcome::TrunkFailed | Outcome::NotEncrypted | Outcome::Interrupted) => "call-failed",
        Some(Outcome::Cancelled) => "call-cancelled",
        None => "call-running",
    };
    let at = at.to_zoned(zone.clone()).strftime("%d.%m. %H:%M").to_string();
    let seconds = talked.as_secs();
    phrase(language, id, &[("at", (&at).into()), ("seconds", seconds.into())])
}
