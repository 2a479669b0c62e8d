//! Every sentence that a sender or a recipient reads in the chat.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::notification::{Outcome, Status, VoiceNews, Wait};
use crate::subscriber::{Subscriber, WhenOffline};

/// What is said in place of a text that only its recipient can decrypt.
pub const ENCRYPTED: &str = "The message is encrypted and cannot be read aloud.";

/// The status message about a held message.
///
/// Contract: never names a phone number; times are local to `zone`.
pub fn status(status: Status, callee: &str, zone: &TimeZone) -> String {
    match status {
        Status::Held => {
            format!("{callee} is offline. Your message is held until {callee} is online.")
        }
        Status::Waiting { call_at, why } => {
            let at = clock_time(call_at, zone);
            match why {
                Wait::Gathering => format!(
                    "{callee} is offline. Your message is held; {callee} will be phoned at {at}."
                ),
                Wait::Quiet => format!(
                    "{callee} is offline and is not phoned at this time of day. Your message is \
                     held; {callee} will be phoned at {at}."
                ),
                Wait::Throttled => format!(
                    "{callee} is offline and has been phoned often enough for now. Your message \
                     is held; {callee} will be phoned at {at}."
                ),
                Wait::Retry => {
                    format!("Your message is held. {callee} will be phoned again at {at}.")
                }
            }
        }
        Status::Calling => {
            format!("{callee} is offline. Your message is held; {callee} is being phoned.")
        }
        Status::Ringing => format!("{callee}'s phone is ringing."),
        Status::Answered => format!("{callee}'s phone was answered."),
        Status::Heard => format!("{callee} has heard your message."),
        Status::Passed => format!(
            "{callee} was told of your message by phone but did not listen to it. It stays held."
        ),
        Status::NotReached { outcome, next } => {
            let next = next.map_or_else(
                || "No further call is planned; your message stays held.".to_owned(),
                |at| format!("The next call is at {}.", clock_time(at, zone)),
            );
            format!("{} {next}", not_reached(outcome, callee))
        }
        Status::Delivered => format!("{callee} is online and has your message."),
        Status::CallsSwitchedOff => format!(
            "{callee} has switched phone calls off. Your message is held until {callee} is online."
        ),
        Status::Expired => {
            format!("{callee} could not be reached in time. Your message is no longer held.")
        }
        Status::SetAside => {
            "Your message could not be handled. It was set aside for the operator.".to_owned()
        }
    }
}

fn not_reached(outcome: Outcome, callee: &str) -> String {
    match outcome {
        Outcome::Answered => {
            format!("{callee}'s phone was answered, but your message was not heard.")
        }
        Outcome::NoAnswer => format!("{callee} did not answer the phone."),
        Outcome::Busy => format!("{callee}'s line is busy."),
        Outcome::Declined => format!("{callee} declined the call."),
        Outcome::WrongNumber => format!("{callee} cannot be phoned: the number does not work."),
        Outcome::TrunkFailed => format!("The call to {callee} could not be placed."),
        Outcome::Cancelled => format!("The call to {callee} was cancelled."),
        Outcome::Interrupted => format!("The call to {callee} was interrupted."),
    }
}

/// What the sender reads about a voice answer.
pub fn voice(news: &VoiceNews, callee: &str) -> String {
    let answer = |length: &Duration, cut: &bool| {
        let broken = if *cut { " The call broke off." } else { "" };
        format!("Voice answer from {callee}, {}.{broken}", seconds(*length))
    };
    match news {
        VoiceNews::File(file) => file.url.clone(),
        VoiceNews::Note { length, cut } => answer(length, cut),
        VoiceNews::Transcript { length, cut, text, .. } => {
            format!("{} Probably: {text}", answer(length, cut))
        }
        VoiceNews::Late(length) => format!(
            "{callee} has recorded a voice answer, {}. It could not be passed on yet; it is kept and tried again.",
            seconds(*length)
        ),
        VoiceNews::NoWay(length) => format!(
            "{callee} has recorded a voice answer, {}, but nothing is set up here to pass it on. It is kept; please ask the operator.",
            seconds(*length)
        ),
    }
}

fn seconds(length: Duration) -> String {
    format!("{} s", (length.as_millis() + 500) / 1000)
}

/// To the recipient who has ended the calls by key.
pub fn calls_switched_off() -> String {
    "Phone calls about messages are off now. Send \"on\" to switch them on again.".to_owned()
}

/// To the recipient of a message that was set aside.
pub fn set_aside(sender: &str) -> String {
    format!("A message from {sender} could not be handled. It was set aside for the operator.")
}

/// The status line beside a contact.
pub fn reachability(person: &Subscriber) -> &'static str {
    match (person.offline, person.number.is_some()) {
        (WhenOffline::Phone, true) => "Reachable by phone",
        (WhenOffline::Phone | WhenOffline::Store, _) => "Messages are held",
    }
}

/// The status line beside somebody who is known by address only.
pub const ELSEWHERE: &str = "Messages are passed on";

/// The status line of the component itself.
pub const COMPONENT: &str = "Send \"help\" for the commands";

/// With a contact request.
pub const SUBSCRIBE: &str =
    "Offhook asks to see when you are online, so that it phones you only when you are not.";

/// In the error for an address that stands for nobody.
pub const NOBODY: &str = "Nobody here is known by that address.";

/// In the error for a message that may not be stored while its recipient is offline.
pub const NOT_STORED: &str = "The recipient is offline, and the message may not be stored.";

/// In the error for a message from a person to his own gateway address.
pub const TO_ONESELF: &str = "This address stands for yourself.";

/// In the error for a message too large to hold.
pub const TOO_LARGE: &str = "The message is too large.";

/// In the error for a sender who writes faster than anybody reads.
pub const TOO_MANY: &str = "Too many messages in a short time. Please wait a little.";

/// In the error for a message that could not be made durable.
pub const NOT_HELD: &str = "The message could not be held. Please try again later.";

fn clock_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alice_reads_what_becomes_of_her_message() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let at: Timestamp = "2026-11-23T01:42:00Z".parse().unwrap();
        let cases = [
            (
                Status::Waiting { call_at: at, why: Wait::Gathering },
                "Bob is offline. Your message is held; Bob will be phoned at 10:42.",
            ),
            (
                Status::NotReached { outcome: Outcome::Busy, next: Some(at) },
                "Bob's line is busy. The next call is at 10:42.",
            ),
            (
                Status::NotReached { outcome: Outcome::NoAnswer, next: None },
                "Bob did not answer the phone. No further call is planned; your message stays held.",
            ),
            (Status::Heard, "Bob has heard your message."),
        ];
        for (what, words) in cases {
            assert_eq!(status(what, "Bob", &zone), words);
        }
    }
}
