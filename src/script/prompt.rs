//! Every sentence that is spoken on the phone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::notification::MessageId;

/// Something to say, and how it may be kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// Language tag of the text.
    pub language: String,
    /// The text.
    pub text: String,
    /// What kind of text it is.
    pub kind: Kind,
}

/// What a text is, for those who render and keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The same in each call: kept ready.
    Prompt,
    /// Names someone or tells a time: rendered for this call.
    Announcement,
    /// No words but a tone.
    Tone,
    /// No words but what the callee has just recorded.
    Recording,
    /// The text of this message. When it cannot be rendered, [`unspeakable`] is said in its place.
    Body(MessageId),
}

impl Line {
    fn prompt(text: impl Into<String>) -> Self {
        Self { language: PROMPTS.into(), text: text.into(), kind: Kind::Prompt }
    }

    fn announcement(text: impl Into<String>) -> Self {
        Self { language: PROMPTS.into(), text: text.into(), kind: Kind::Announcement }
    }

    /// A message's own text.
    pub fn body(id: MessageId, language: impl Into<String>, text: impl Into<String>) -> Self {
        Self { language: language.into(), text: text.into(), kind: Kind::Body(id) }
    }
}

/// What is said in a call that proves a number.
#[derive(Clone, Debug)]
pub struct CodePrompts {
    /// The asker's language, where known.
    pub language: Option<String>,
    /// The domain in whose name it calls.
    pub house: String,
}

impl CodePrompts {
    /// Why it calls, and that a key is wanted.
    pub fn code_question(&self) -> Line {
        chosen(&self.language, "code-question", &[("house", (&self.house).into())])
    }

    /// The code, digit by digit, twice.
    pub fn code(&self, digits: &str) -> Line {
        let spelled: Vec<String> = digits.chars().map(|digit| format!("{digit}.")).collect();
        chosen(&self.language, "code-spoken", &[("digits", (&spelled.join(" ")).into())])
    }

    /// The end.
    pub fn goodbye(&self) -> Line {
        chosen(&self.language, "code-goodbye", &[])
    }
}

/// What is said before a PIN was entered.
#[derive(Clone, Debug)]
pub struct PinPrompts {
    /// The callee's language, where known.
    pub language: Option<String>,
}

impl PinPrompts {
    /// That something waits, and nothing more.
    pub fn question(&self, count: u64) -> Line {
        chosen(&self.language, "pin-question", &[("count", count.into())])
    }

    /// Those were not the digits.
    pub fn wrong(&self) -> Line {
        chosen(&self.language, "pin-wrong", &[])
    }

    /// The end.
    pub fn goodbye(&self) -> Line {
        chosen(&self.language, "code-goodbye", &[])
    }
}

/// A sentence in this language, if there are sentences in it.
fn chosen(
    language: &Option<String>,
    id: &str,
    values: &[(&str, crate::wording::Value<'_>)],
) -> Line {
    let spoken = language.as_deref().filter(|tag| crate::wording::speaks(tag));
    Line {
        language: spoken.unwrap_or(PROMPTS).to_owned(),
        text: crate::wording::phrase(spoken, id, values),
        kind: Kind::Announcement,
    }
}

/// "Hello, Bob. At 10:30 a message from Alice arrived."
pub fn greeting(callee: &str, count: usize, continuing: bool, arrival: &str) -> Line {
    let continuing = if continuing { " This continues an earlier call." } else { "" };
    match count {
        1 => Line::announcement(format!("Hello, {callee}.{continuing} {arrival}")),
        many => Line::announcement(format!(
            "Hello, {callee}.{continuing} {many} messages have arrived. The first: {arrival}"
        )),
    }
}

/// "At 10:30 a message from Alice arrived."
pub fn arrival(sender: &str, received: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    format!("{} a message from {sender} arrived.", when(received, now, zone))
}

/// Key *, before a message is read.
pub fn again(arrival: &str) -> Line {
    Line::announcement(arrival)
}

/// The next of several messages.
pub fn next(arrival: &str) -> Line {
    Line::announcement(format!("Next message. {arrival}"))
}

/// A message that came during the call.
pub fn just_arrived(arrival: &str) -> Line {
    Line::announcement(format!("Another message has just come in. {arrival}"))
}

/// What to press before a message is read aloud.
pub fn press_to_hear() -> Line {
    Line::prompt("Press 5 to hear it.")
}

/// The menu after a message.
pub fn menu(spoken: &str, voice: bool) -> Line {
    let voice = if voice { " To record a voice answer, press 7." } else { "" };
    Line::prompt(format!("{spoken}{voice} To hear it again, press star. To go on, press hash."))
}

/// Key 7: where the voice goes is said before it is recorded.
pub fn consent(sender: &str) -> Line {
    Line::announcement(format!(
        "Your answer will be sent to {sender}. Speak after the tone, and press 8 when you have finished."
    ))
}

/// Before another try.
pub fn speak_again() -> Line {
    Line::prompt("Speak after the tone, and press 8 when you have finished.")
}

/// Before the recording begins.
pub fn tone() -> Line {
    Line { language: PROMPTS.into(), text: String::new(), kind: Kind::Tone }
}

/// After a recording without a word in it.
pub fn too_short() -> Line {
    Line::prompt("That was too short.")
}

/// After a recording.
pub fn send_question() -> Line {
    Line::prompt(
        "To send your answer, press 1. To listen to it, press 2. To record it again, press 3.",
    )
}

/// The recording itself.
pub fn recording() -> Line {
    Line { language: PROMPTS.into(), text: String::new(), kind: Kind::Recording }
}

/// What is said with the thanks for a voice answer.
pub fn voice_sent(sender: &str) -> String {
    format!("Your answer will be sent to {sender}.")
}

/// A key without meaning here.
pub fn no_match() -> Line {
    Line::prompt("That key has no meaning here.")
}

/// Key 0.
pub fn explanation(hear_first: bool) -> Line {
    let hear = if hear_first { "5 reads the message. " } else { "" };
    Line::prompt(format!(
        "This is a call about chat messages that came while you were offline. {hear}\
         Star repeats, hash goes on to the next message. Press 9 twice to stop these calls for good."
    ))
}

/// Key 9, the first time.
pub fn stop_question() -> Line {
    Line::prompt("To stop these calls for good, press 9 again. To go on, press hash.")
}

/// Key 9, the second time, once it is durable.
pub fn stopped() -> Line {
    Line::prompt("These calls are switched off. Your messages wait in your chat. Goodbye.")
}

/// After the answer is durable.
pub fn thanks(words: &str) -> Line {
    Line::announcement(format!("{words} Thank you."))
}

/// The answer is not durable.
pub fn not_stored() -> Line {
    Line::prompt(
        "I am sorry, your choice could not be stored. Please answer in your chat. Goodbye.",
    )
}

/// In place of a message that the voice cannot say. Needs nothing from the message.
pub fn unspeakable() -> Line {
    Line::prompt("This message can't be read aloud. It waits in your chat.")
}

/// The end of the call.
pub fn goodbye() -> Line {
    Line::prompt("That was all. Goodbye.")
}

/// The end of a call in which nobody pressed anything.
pub fn goodbye_unanswered() -> Line {
    Line::prompt("Your messages wait in your chat. Goodbye.")
}

/// How a person who writes is called on the phone: by the local part of the JID, and by domain too when it is
/// not the callee's own, so that nobody poses as a neighbour.
pub fn spoken_sender(local: &str, domain: &str, own_domain: &str) -> String {
    let name: String = local
        .split(['.', '_', '-', '+'])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join(" ");
    let spoken_domain = domain.replace('.', " dot ");
    match (name.is_empty(), domain == own_domain) {
        (true, _) => spoken_domain,
        (false, true) => name,
        (false, false) => format!("{name} at {spoken_domain}"),
    }
}

fn when(received: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (then, today) = (received.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let clock = then.strftime("%-H:%M");
    let days = today.date().since(then.date()).map_or(0, |span| span.get_days());
    match days {
        ..=0 => format!("At {clock}"),
        1 => format!("Yesterday at {clock}"),
        2..=6 => format!("On {} at {clock}", then.strftime("%A")),
        _ => format!("On {} at {clock}", then.strftime("%B %-d")),
    }
}

/// The language of the sentences in this file.
const PROMPTS: &str = "en";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_announced_by_its_local_time_and_day() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let now = "2026-11-23T12:00:00+09".parse().unwrap();
        let cases = [
            ("2026-11-23T10:30:00+09", "At 10:30 a message from Alice arrived."),
            ("2026-11-23T00:05:00+09", "At 0:05 a message from Alice arrived."),
            ("2026-11-22T23:59:00+09", "Yesterday at 23:59 a message from Alice arrived."),
            ("2026-11-20T09:00:00+09", "On Friday at 9:00 a message from Alice arrived."),
            ("2026-11-02T09:00:00+09", "On November 2 at 9:00 a message from Alice arrived."),
        ];
        for (received, expected) in cases {
            assert_eq!(arrival("Alice", received.parse().unwrap(), now, &zone), expected);
        }
    }

    #[test]
    fn a_stranger_is_announced_with_the_domain() {
        let cases = [
            ("alice", "example.org", "Alice"),
            ("alice.smith", "example.org", "Alice Smith"),
            ("your-bank", "evil.example", "Your Bank at evil dot example"),
            ("", "example.org", "example dot org"),
        ];
        for (local, domain, expected) in cases {
            assert_eq!(spoken_sender(local, domain, "example.org"), expected);
        }
    }
}
