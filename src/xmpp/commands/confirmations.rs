//! What is said after a setting was changed: what is set now.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::replies::Language;
use crate::notification::policy::Policy;
use crate::subscriber::{
    Quiet, SenderRule, Senders, Setting, Subscriber, WhenOffline, language_name, zone_name,
};
use crate::wording::{phrase, worded_in};

/// A sentence for each setting that was changed; `person` has the settings already.
pub fn changed(
    language: Language<'_>,
    person: &Subscriber,
    settings: &[Setting],
    policy: &Policy,
    now: Timestamp,
) -> String {
    if settings.is_empty() {
        return phrase(language, "changed-nothing", &[]);
    }
    let says = |it: &Setting| sentence(language, person, it, policy, now);
    let sentences: Vec<String> = settings.iter().map(says).collect();
    sentences.join("\n")
}

// Long: each setting has its words.
fn sentence(
    language: Language<'_>,
    person: &Subscriber,
    setting: &Setting,
    policy: &Policy,
    now: Timestamp,
) -> String {
    let plain = |id: &str| phrase(language, id, &[]);
    let default =
        |words: String| phrase(language, "changed-default", &[("words", (&words).into())]);
    match setting {
        Setting::Offline(_) => plain(calls(person)),
        Setting::Quiet(own) => {
            let zone = person.time_zone.as_ref().unwrap_or(&policy.zone);
            let words = quiet(language, own.unwrap_or(policy.quiet), zone);
            if own.is_some() { words } else { default(words) }
        }
        Setting::TimeZone(own) => {
            let zone = own.as_ref().unwrap_or(&policy.zone);
            let time = now.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let zone = zone_name(zone);
            let values = [("zone", (&zone).into()), ("time", (&time).into())];
            let words = phrase(language, "changed-timezone", &values);
            if own.is_some() { words } else { default(words) }
        }
        Setting::Language(None) => plain("changed-language-default"),
        Setting::Language(Some(tag)) => {
            let name = language_name(tag, worded_in(language));
            phrase(language, "changed-language", &[("language", (&name).into())])
        }
        Setting::Slow(slow) => {
            let words = plain(if person.slow { "changed-slow" } else { "changed-slow-off" });
            if slow.is_some() { words } else { default(words) }
        }
        Setting::Pin(Some(_)) => plain("changed-pin"),
        Setting::Pin(None) => plain("changed-pin-off"),
        Setting::Senders(Some(who)) => plain(senders(*who)),
        Setting::Senders(None) => default(plain(senders(policy.senders))),
        Setting::Sender(sender, rule) => {
            let id = match rule {
                SenderRule::Allow => "changed-allowed",
                SenderRule::Block => "changed-blocked",
            };
            phrase(language, id, &[("sender", sender.as_str().into())])
        }
        Setting::NoSenderRule(sender) => {
            let others = plain(senders(person.senders.unwrap_or(policy.senders)));
            let values = [("sender", sender.as_str().into()), ("others", (&others).into())];
            phrase(language, "changed-no-rule", &values)
        }
        Setting::NoNumber if person.number.is_some() => plain("changed-number-default"),
        Setting::NoNumber => plain("changed-number-off"),
        Setting::NoSecondNumber => plain("changed-second-off"),
    }
}

fn calls(person: &Subscriber) -> &'static str {
    match (person.offline, person.number.is_some()) {
        (WhenOffline::Phone, true) => "changed-phone",
        (WhenOffline::Phone, false) => "changed-no-number",
        (WhenOffline::Store, _) => "changed-store",
    }
}

fn quiet(language: Language<'_>, quiet: Quiet, zone: &TimeZone) -> String {
    match quiet {
        Quiet::Never => phrase(language, "changed-quiet-off", &[]),
        Quiet::Daily(hours) => {
            let (from, until, zone) = (hours.from_time(), hours.until_time(), zone_name(zone));
            let values =
                [("from", (&from).into()), ("until", (&until).into()), ("zone", (&zone).into())];
            phrase(language, "changed-quiet", &values)
        }
    }
}

fn senders(who: Senders) -> &'static str {
    match who {
        Senders::Domain => "changed-domain",
        Senders::Contacts => "changed-contacts",
        Senders::Everyone => "changed-everyone",
    }
}
