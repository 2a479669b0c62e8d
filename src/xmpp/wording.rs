//! Every sentence that a sender or a recipient reads in the chat, in the language of the reader where it is known.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use crate::notification::{Outcome, Owed, Status, VoiceNews, Wait};
use crate::subscriber::{Subscriber, WhenOffline};
use crate::wording::{self, MENU, Value, phrase};

/// What is said in place of a text that only its recipient can decrypt.
pub fn encrypted(language: Option<&str>) -> String {
    phrase(language, "encrypted", &[])
}

/// The status message about a held message.
///
/// Contract: never names a phone number; times are local to the reader.
pub fn status(language: Option<&str>, status: Status, owed: &Owed) -> String {
    own_words(&status_words(language, status, owed))
}

/// What Offhook says by itself at an address where a person's answers are read, too.
fn own_words(words: &str) -> String {
    format!("☎ {words}")
}

fn status_words(language: Option<&str>, status: Status, owed: &Owed) -> String {
    let (callee, zone) = (owed.callee_name.as_str(), &owed.zone);
    let (id, at) = match status {
        Status::Held => ("status-held", None),
        Status::Waiting { call_at, why } => (waiting(why), Some(call_at)),
        Status::Calling => ("status-calling", None),
        Status::Ringing => ("status-ringing", None),
        Status::Answered => ("status-answered", None),
        Status::Heard => ("status-heard", None),
        Status::Passed => ("status-passed", None),
        Status::NotReached { outcome, next } => {
            return not_told(language, not_reached(outcome), next, owed);
        }
        Status::HeardInPart { next } => {
            return not_told(language, "not-reached-heard-in-part", next, owed);
        }
        Status::Delivered => ("status-delivered", Some(owed.since)),
        Status::CallsSwitchedOff => ("status-calls-switched-off", None),
        Status::NotTaken => ("status-not-taken", None),
        Status::LeftWithServer => ("status-left-with-server", None),
        Status::Expired => ("status-expired", None),
        Status::SetAside => ("status-set-aside", None),
        Status::TakenBack => ("status-taken-back", None),
        Status::TakenBackUnheard => ("status-taken-back-unheard", None),
        Status::HeardBeforeCorrection => ("status-heard-before-correction", None),
        Status::HeardBeforeRetraction => ("status-heard-before-retraction", None),
    };
    let when = at.map(|at| when(language, at, owed.since, zone)).unwrap_or_default();
    phrase(language, id, &[("callee", callee.into()), ("when", (&when).into())])
}

/// Why a call has not told a message, and when the next one is.
fn not_told(language: Option<&str>, why: &str, next: Option<Timestamp>, owed: &Owed) -> String {
    let why = phrase(language, why, &[("callee", owed.callee_name.as_str().into())]);
    let next = match next {
        Some(at) => {
            let when = when(language, at, owed.since, &owed.zone);
            phrase(language, "next-call", &[("when", (&when).into())])
        }
        None => phrase(language, "next-call-none", &[]),
    };
    phrase(language, "status-not-reached", &[("why", (&why).into()), ("next", (&next).into())])
}

/// A time for somebody who reads of it at `now`: without its day only if it is the same.
fn when(language: Option<&str>, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = at.date().since(today.date()).map_or(0, |span| span.get_days());
    let id = match days {
        0 => "when-today",
        1 => "when-tomorrow",
        2..=6 => "when-this-week",
        _ => "when-later",
    };
    let count = |number: i8| Value::Count(u64::from(number.unsigned_abs()));
    let weekday =
        phrase(language, "weekday", &[("day", count(at.weekday().to_monday_one_offset()))]);
    let month = phrase(language, "month", &[("month", count(at.month()))]);
    let day = at.day().to_string();
    let time = at.strftime("%H:%M").to_string();
    let values = [
        ("time", (&time).into()),
        ("weekday", (&weekday).into()),
        ("month", (&month).into()),
        ("day", (&day).into()),
    ];
    phrase(language, id, &values)
}

fn waiting(why: Wait) -> &'static str {
    match why {
        Wait::Gathering => "status-waiting-gathering",
        Wait::Quiet => "status-waiting-quiet",
        Wait::Throttled => "status-waiting-throttled",
        Wait::Retry => "status-waiting-retry",
    }
}

fn not_reached(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "not-reached-not-heard",
        Outcome::Machine => "not-reached-machine",
        Outcome::NoAnswer => "not-reached-no-answer",
        Outcome::Busy => "not-reached-busy",
        Outcome::Declined => "not-reached-declined",
        Outcome::WrongNumber => "not-reached-wrong-number",
        Outcome::TrunkFailed => "not-reached-trunk-failed",
        Outcome::NotEncrypted | Outcome::NoSound => "not-reached-no-sound",
        Outcome::Cancelled => "not-reached-cancelled",
        Outcome::Interrupted => "not-reached-interrupted",
    }
}

/// What the callee chose; the default menu's words in the reader's language, the operator's as they are.
pub fn answer(language: Option<&str>, words: &str, callee: &str) -> String {
    let say = |language, id| phrase(language, id, &[("callee", callee.into())]);
    let own = MENU
        .into_iter()
        .map(|(.., id)| id)
        .find(|id| wording::languages().any(|spoken| say(Some(spoken), id) == words));
    own.map_or_else(|| words.to_owned(), |id| say(language, id))
}

/// What the sender reads about a voice answer.
pub fn voice(language: Option<&str>, news: &VoiceNews, callee: &str) -> String {
    let about = |id, length: &Duration| {
        let seconds = seconds(*length);
        phrase(language, id, &[("callee", callee.into()), ("seconds", seconds.into())])
    };
    let note = |length, cut| about(if cut { "voice-note-cut" } else { "voice-note" }, length);
    match news {
        VoiceNews::File(file) => file.url.clone(),
        VoiceNews::Note { length, cut } => note(length, *cut),
        VoiceNews::Transcript { length, cut, text, .. } => {
            let note = note(length, *cut);
            phrase(language, "voice-transcript", &[("note", (&note).into()), ("text", text.into())])
        }
        VoiceNews::Late(length) => own_words(&about("voice-late", length)),
        VoiceNews::NoWay(length) => own_words(&about("voice-no-way", length)),
    }
}

fn seconds(length: Duration) -> u64 {
    (length + Duration::from_millis(500)).as_secs()
}

/// To the recipient who has ended the calls by key.
pub fn calls_switched_off(language: Option<&str>) -> String {
    phrase(language, "calls-switched-off", &[])
}

/// The status line beside a contact.
pub fn reachability(language: Option<&str>, person: &Subscriber) -> String {
    let id = match (person.offline, person.number.is_some()) {
        (WhenOffline::Phone, true) => "reachable",
        (WhenOffline::Phone | WhenOffline::Store, _) => "reachable-later",
    };
    phrase(language, id, &[])
}

/// The status line of a person who is known by address only.
pub fn elsewhere(language: Option<&str>) -> String {
    phrase(language, "reachable-elsewhere", &[])
}

/// The status line of the component itself.
pub fn component(language: Option<&str>) -> String {
    phrase(language, "component", &[])
}

/// With a contact request.
pub fn subscribe(language: Option<&str>) -> String {
    phrase(language, "subscribe", &[])
}

/// In the error for an address that stands for nobody.
pub fn nobody(language: Option<&str>) -> String {
    phrase(language, "error-nobody", &[])
}

/// In the error for a message to the gateway address of a person to whom people are to write directly.
pub fn own_address(language: Option<&str>, person: &BareJid) -> String {
    phrase(language, "error-own-address", &[("jid", person.as_str().into())])
}

/// In the error for a message that may not be stored while its recipient is offline.
pub fn not_stored(language: Option<&str>) -> String {
    phrase(language, "error-not-stored", &[])
}

/// In the error for a message from a person to their own gateway address.
pub fn to_oneself(language: Option<&str>) -> String {
    phrase(language, "error-to-oneself", &[])
}

/// In the error for a message too large to hold.
pub fn too_large(language: Option<&str>) -> String {
    phrase(language, "error-too-large", &[])
}

/// In the error for a sender beyond the rate limit.
pub fn too_many(language: Option<&str>) -> String {
    phrase(language, "error-too-many", &[])
}

/// In the error for a message to a recipient with too many held messages.
pub fn recipient_full(language: Option<&str>) -> String {
    phrase(language, "error-recipient-full", &[])
}

/// In the error for a message of a sender with too many held messages.
pub fn sender_full(language: Option<&str>) -> String {
    phrase(language, "error-sender-full", &[])
}

/// In the error for a message that could not be made durable.
pub fn not_held(language: Option<&str>) -> String {
    phrase(language, "error-not-held", &[])
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::notification::Reply;
    use crate::xmpp::reply::tests::owed;

    #[test]
    fn alice_reads_what_becomes_of_her_message() {
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
            (
                Status::HeardInPart { next: Some(at) },
                "Bob has heard the beginning of your message; the call ended before the rest. The next call is at 10:42.",
            ),
            (
                Status::NotTaken,
                "Your message to Bob could not be delivered yet. It stays held and is tried again.",
            ),
            (
                Status::LeftWithServer,
                "Bob did not come online in time. Your message was passed to Bob's server, which may keep it; it is no longer held here.",
            ),
            (
                Status::Waiting { call_at: at + 24.hours(), why: Wait::Quiet },
                "Bob is offline and is not phoned at this time of day. Your message is held; Bob will be phoned tomorrow at 10:42.",
            ),
            (
                Status::Waiting { call_at: at + 72.hours(), why: Wait::Retry },
                "Your message is held. Bob will be phoned again on Thursday at 10:42.",
            ),
            (
                Status::NotReached { outcome: Outcome::Busy, next: Some(at + 240.hours()) },
                "Bob's line is busy. The next call is on December 3 at 10:42.",
            ),
            (Status::Delivered, "Bob came online and has your message, delivered at 10:41."),
        ];
        for (what, words) in cases {
            let mut owed = owed("s1", Reply::Status(what));
            owed.zone = TimeZone::get("Asia/Tokyo").unwrap();
            owed.since = "2026-11-23T01:41:00Z".parse().unwrap();
            assert_eq!(status(None, what, &owed), format!("☎ {words}"));
        }
    }
}
