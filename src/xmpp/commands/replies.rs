//! The component's answers to commands, in words.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use super::values::CommandError;
use crate::notification::Outcome;
use crate::notification::verification::{NumberSlot, Refusal};
use crate::phone_number::PhoneNumber;
use crate::subscriber::{
    NotASetting, Quiet, SenderRule, Senders, Subscriber, WhenOffline, language_name,
    language_names, zone_name,
};
use crate::wording::{phrase, worded_in};

/// The reader's language, where it is known.
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

/// What is wrong with a command. A number without its country code is offered with `country`, where that is known.
pub fn not_understood(
    language: Language<'_>,
    error: &CommandError,
    country: Option<&str>,
) -> String {
    match error {
        CommandError::Command => phrase(language, "invalid-command", &[]),
        CommandError::Near(near) => {
            phrase(language, "invalid-command-near", &[("near", near.into())])
        }
        CommandError::ZoneNear(zone) => {
            phrase(language, "invalid-timezone-near", &[("zone", zone.into())])
        }
        CommandError::Number => phrase(language, "invalid-number", &[]),
        CommandError::NationalNumber(digits) => {
            let whole = country.and_then(|it| PhoneNumber::as_dialled(digits, Some(it)));
            match whole {
                Some(number) => {
                    phrase(language, "invalid-number-near", &[("number", number.as_str().into())])
                }
                None => phrase(language, "invalid-number", &[]),
            }
        }
        CommandError::Code => phrase(language, "invalid-code", &[]),
        CommandError::Value(value) => invalid_value(language, *value),
    }
}

/// What is wrong with a value.
pub fn invalid_value(language: Language<'_>, value: NotASetting) -> String {
    let id = match value {
        NotASetting::Quiet => "invalid-quiet",
        NotASetting::TimeZone => "invalid-timezone",
        NotASetting::Language => {
            let known = language_names(worded_in(language));
            return phrase(language, "invalid-language", &[("known", (&known).into())]);
        }
        NotASetting::Pin => "invalid-pin",
        NotASetting::TrivialPin => "trivial-pin",
        NotASetting::Jid => "invalid-jid",
    };
    phrase(language, id, &[])
}

/// What `show` tells beside a person's own settings.
#[derive(Clone, Copy, Debug)]
pub struct ShownState<'s> {
    /// Whether the component is subscribed to their presence.
    pub sees_presence: bool,
    /// Whether they are online now.
    pub online: bool,
    /// The settings of people who have chosen none.
    pub policy: &'s crate::notification::policy::Policy,
}

/// The answer to `show`, at most six lines.
pub fn settings(language: Language<'_>, person: &Subscriber, state: ShownState<'_>) -> String {
    let say = |id: &str| phrase(language, id, &[]);
    let none = say("show-none");
    let number = |number: &Option<PhoneNumber>| {
        number.as_ref().map_or_else(|| none.clone(), |number| number.as_str().to_owned())
    };
    let calls = say(match person.offline {
        WhenOffline::Phone => "show-on",
        WhenOffline::Store => "show-off",
    });
    let quiet = match person.quiet.unwrap_or(state.policy.quiet) {
        Quiet::Never => none.clone(),
        Quiet::Daily(hours) => hours.to_string(),
    };
    let zone = person.time_zone.as_ref().unwrap_or(&state.policy.zone);
    let zone = zone_name(zone);
    let senders = say(match person.senders.unwrap_or(state.policy.senders) {
        Senders::Domain => "show-domain",
        Senders::Contacts => "show-contacts",
        Senders::Everyone => "show-everyone",
    });
    let pin = say(if person.pin.is_some() { "show-pin" } else { "show-no-pin" });
    let presence = say(match (state.sees_presence, state.online) {
        (false, _) => "show-unseen",
        (true, true) => "show-online",
        (true, false) => "show-offline",
    });
    let agreed = match person.agreed {
        Some(at) => {
            let zone = person.time_zone.as_ref().unwrap_or(&state.policy.zone);
            let date = at.to_zoned(zone.clone()).strftime("%d.%m.%Y").to_string();
            phrase(language, "show-agreed", &[("date", (&date).into())])
        }
        None => say("show-not-agreed"),
    };
    phrase(
        language,
        "show",
        &[
            ("agreed", (&agreed).into()),
            ("calls", (&calls).into()),
            ("number", (&number(&person.number)).into()),
            ("second", (&number(&person.second)).into()),
            ("quiet", (&quiet).into()),
            ("zone", (&zone).into()),
            ("senders", (&senders).into()),
            ("pin", (&pin).into()),
            ("language", (&shown_language(language, person)).into()),
            ("presence", (&presence).into()),
        ],
    )
}

fn shown_language(language: Language<'_>, person: &Subscriber) -> String {
    match &person.language {
        Some(own) => language_name(own, worded_in(language)),
        None => phrase(language, "show-operators", &[]),
    }
}

/// A verification call begins.
pub fn calling(language: Language<'_>, number: &PhoneNumber) -> String {
    phrase(language, "code-calling", &[("number", (&number.spaced()).into())])
}

/// A verification call is refused.
pub fn refused(language: Language<'_>, refusal: Refusal) -> String {
    let id = match refusal {
        Refusal::NotAllowed => "code-not-allowed",
        Refusal::NumberType(of) => {
            return phrase(language, "code-type-refused", &[("type", of.name().into())]);
        }
        Refusal::Suspended => "code-suspended",
        Refusal::TooSoon => "code-too-soon",
        Refusal::TooMany => "code-too-many",
        Refusal::Quiet => "code-quiet",
        Refusal::Throttled => "code-throttled",
    };
    phrase(language, id, &[])
}

/// The result of a verification call; `heard` if the callee has asked for the code.
pub fn verification_call(language: Language<'_>, outcome: Outcome, heard: bool) -> String {
    let id = match outcome {
        Outcome::Answered if heard => "code-heard",
        Outcome::Answered | Outcome::Machine => "code-not-heard",
        Outcome::Busy => "code-busy",
        Outcome::NoAnswer | Outcome::Cancelled => "code-no-answer",
        Outcome::Declined => "code-declined",
        Outcome::WrongNumber => "code-wrong-number",
        Outcome::NotEncrypted | Outcome::NoSound => "code-no-sound",
        Outcome::TrunkFailed | Outcome::Interrupted => "code-failed",
    };
    phrase(language, id, &[])
}

/// The right code came.
pub fn verified(language: Language<'_>, slot: NumberSlot, number: &PhoneNumber) -> String {
    let id = match slot {
        NumberSlot::First => "code-right",
        NumberSlot::Second => "code-right-second",
    };
    phrase(language, id, &[("number", (&number.spaced()).into())])
}

/// A wrong code came.
pub fn wrong_code(language: Language<'_>, left: u64) -> String {
    phrase(language, "code-wrong", &[("left", left.into())])
}

/// A code came although no verification runs.
pub fn no_code(language: Language<'_>) -> String {
    phrase(language, "code-none", &[])
}

/// To a subscriber whose number another person has verified.
pub fn number_lost(language: Language<'_>) -> String {
    phrase(language, "number-lost", &[])
}

/// To a subscriber whose number has changed.
pub fn number_changed(language: Language<'_>) -> String {
    phrase(language, "number-changed", &[])
}

/// A simple sentence.
pub fn simple(language: Language<'_>, id: &'static str) -> String {
    phrase(language, id, &[])
}

/// One rule for a sender, in a list.
pub fn rule(language: Language<'_>, sender: &BareJid, rule: SenderRule) -> String {
    let id = match rule {
        SenderRule::Allow => "changed-allowed",
        SenderRule::Block => "changed-blocked",
    };
    phrase(language, id, &[("sender", sender.as_str().into())])
}

/// A sender is blocked and reported.
pub fn reported(language: Language<'_>, sender: &BareJid) -> String {
    phrase(language, "reported", &[("sender", sender.as_str().into())])
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
        Some(Outcome::NotEncrypted | Outcome::NoSound) => "call-no-sound",
        Some(Outcome::TrunkFailed | Outcome::Interrupted) => "call-failed",
        Some(Outcome::Cancelled) => "call-cancelled",
        None => "call-running",
    };
    let at = at.to_zoned(zone.clone()).strftime("%d.%m. %H:%M").to_string();
    let seconds = talked.as_secs();
    phrase(language, id, &[("at", (&at).into()), ("seconds", seconds.into())])
}
