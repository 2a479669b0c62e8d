//! Every sentence that is spoken on the phone, in the language of the callee.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::menu::Menu;
use super::speakable::spoken_domain;
use crate::notification::MessageId;
use crate::wording::{Value, phrase, worded_in};

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
    /// The text of this message. When it cannot be rendered, [`Prompts::unspeakable`] is said in its place.
    Body(MessageId),
}

impl Line {
    /// A message's own text.
    pub fn body(id: MessageId, language: impl Into<String>, text: impl Into<String>) -> Self {
        Self { language: language.into(), text: text.into(), kind: Kind::Body(id) }
    }
}

/// The sentences of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompts {
    language: &'static str,
}

impl Prompts {
    /// In this language, if it has sentences of its own, else in English.
    pub fn new(language: &str) -> Self {
        Self { language: worded_in(Some(language)) }
    }

    /// The language they are in.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// "Hello, Bob. At 10:30 a message from Alice arrived."
    pub fn greeting(&self, callee: &str, count: usize, continuing: bool, arrival: &str) -> Line {
        let id = if continuing { "phone-greeting-continued" } else { "phone-greeting" };
        let count = Value::Count(count as u64);
        let values = [("callee", callee.into()), ("count", count), ("arrival", arrival.into())];
        self.announcement(self.say(id, &values))
    }

    /// "At 10:30 a message from Alice arrived."
    pub fn arrival(
        &self,
        sender: &str,
        received: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> String {
        let (then, today) = (received.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        let days = today.date().since(then.date()).map_or(0, |span| span.get_days());
        let id = match days {
            ..=0 => "phone-arrived-today",
            1 => "phone-arrived-yesterday",
            2..=6 => "phone-arrived-this-week",
            _ => "phone-arrived-before",
        };
        let number = |id, name, number: i8| {
            self.say(id, &[(name, Value::Count(u64::from(number.unsigned_abs())))])
        };
        let minute = then.strftime("%M").to_string();
        let clock = [
            ("hour", Value::Count(u64::from(then.hour().unsigned_abs()))),
            ("minute", (&minute).into()),
        ];
        let time = self.say(if then.minute() == 0 { "time-full-hour" } else { "time" }, &clock);
        let weekday = number("weekday", "day", then.weekday().to_monday_one_offset());
        let month = number("month", "month", then.month());
        let day = number("day-of-month", "day", then.day());
        let values = [
            ("sender", sender.into()),
            ("time", (&time).into()),
            ("weekday", (&weekday).into()),
            ("month", (&month).into()),
            ("day", (&day).into()),
        ];
        self.say(id, &values)
    }

    /// Why a call that proves a number is made, in whose name, and that a key is wanted.
    pub fn code_question(&self, house: &str) -> Line {
        self.announcement(self.say("code-question", &[("house", house.into())]))
    }

    /// The code, digit by digit, twice.
    pub fn code(&self, digits: &str) -> Line {
        let spelled: Vec<String> = digits.chars().map(|digit| format!("{digit}.")).collect();
        self.announcement(self.say("code-spoken", &[("digits", (&spelled.join(" ")).into())]))
    }

    /// All that somebody hears who calls in when nothing is held for him; it names nobody.
    pub fn nothing_waits(&self) -> Line {
        self.prompt("phone-nothing-waits")
    }

    /// What somebody is asked first who calls from a number that nobody has.
    pub fn number_question(&self) -> Line {
        self.prompt("phone-number-question")
    }

    /// What he is asked next.
    pub fn whose_pin_question(&self) -> Line {
        self.prompt("phone-whose-pin-question")
    }

    /// That number and PIN are none that belong together.
    pub fn not_known(&self) -> Line {
        self.prompt("phone-not-known")
    }

    /// That something waits behind a PIN, and nothing more.
    pub fn pin_question(&self, count: u64) -> Line {
        self.announcement(self.say("pin-question", &[("count", count.into())]))
    }

    /// Those were not the digits of the PIN.
    pub fn pin_wrong(&self) -> Line {
        self.prompt("pin-wrong")
    }

    /// The end of a call in which nothing was told.
    pub fn farewell(&self) -> Line {
        self.prompt("code-goodbye")
    }

    /// Key *, before a message is read.
    pub fn again(&self, arrival: &str) -> Line {
        self.announcement(arrival.into())
    }

    /// The next of several messages.
    pub fn next(&self, arrival: &str) -> Line {
        self.announcement(self.say("phone-next", &[("arrival", arrival.into())]))
    }

    /// A message that came during the call.
    pub fn just_arrived(&self, arrival: &str) -> Line {
        self.announcement(self.say("phone-just-arrived", &[("arrival", arrival.into())]))
    }

    /// What to press before a message is read aloud.
    pub fn press_to_hear(&self) -> Line {
        self.prompt("phone-press-to-hear")
    }

    /// The menu after a message.
    pub fn menu(&self, menu: &Menu, voice: bool) -> Line {
        let id = if voice { "phone-menu-with-voice" } else { "phone-menu" };
        let choices = menu.spoken(Some(self.language));
        self.line(self.say(id, &[("choices", (&choices).into())]), Kind::Prompt)
    }

    /// Key 7: where the voice goes is said before it is recorded.
    pub fn consent(&self, sender: &str) -> Line {
        self.announcement(self.say("phone-consent", &[("sender", sender.into())]))
    }

    /// Before another try.
    pub fn speak_again(&self) -> Line {
        self.prompt("phone-speak-again")
    }

    /// Before the recording begins.
    pub fn tone(&self) -> Line {
        self.line(String::new(), Kind::Tone)
    }

    /// After a recording without a word in it.
    pub fn too_short(&self) -> Line {
        self.prompt("phone-too-short")
    }

    /// After a recording.
    pub fn send_question(&self) -> Line {
        self.prompt("phone-send-question")
    }

    /// The recording itself.
    pub fn recording(&self) -> Line {
        self.line(String::new(), Kind::Recording)
    }

    /// What is said with the thanks for a voice answer.
    pub fn voice_sent(&self, sender: &str) -> String {
        self.say("phone-voice-sent", &[("sender", sender.into())])
    }

    /// A key without meaning here.
    pub fn no_match(&self) -> Line {
        self.prompt("phone-no-match")
    }

    /// Key 0.
    pub fn explanation(&self, hear_first: bool) -> Line {
        self.prompt(if hear_first { "phone-explanation-hear-first" } else { "phone-explanation" })
    }

    /// Key 9, the first time.
    pub fn stop_question(&self) -> Line {
        self.prompt("phone-stop-question")
    }

    /// Key 9, the second time, once it is durable.
    pub fn stopped(&self) -> Line {
        self.prompt("phone-stopped")
    }

    /// After the answer is durable.
    pub fn thanks(&self, words: &str) -> Line {
        self.announcement(self.say("phone-thanks", &[("words", words.into())]))
    }

    /// The answer is not durable.
    pub fn not_stored(&self) -> Line {
        self.prompt("phone-not-stored")
    }

    /// In place of a message that the voice cannot say. Needs nothing from the message.
    pub fn unspeakable(&self) -> Line {
        self.prompt("phone-unspeakable")
    }

    /// In place of a text that only its recipient can decrypt.
    pub fn encrypted(&self, id: MessageId) -> Line {
        Line::body(id, self.language, self.say("encrypted", &[]))
    }

    /// The end of the call.
    pub fn goodbye(&self) -> Line {
        self.prompt("phone-goodbye")
    }

    /// All that an answering machine hears.
    pub fn notice_for_machines(&self) -> Line {
        self.prompt("phone-machine")
    }

    /// The end of a call in which nobody pressed anything.
    pub fn goodbye_unanswered(&self) -> Line {
        self.prompt("phone-goodbye-unanswered")
    }

    /// How a person who writes is called on the phone: by the local part of the JID, and by domain too when it is
    /// not the callee's own, so that nobody poses as a neighbour.
    pub fn spoken_sender(&self, local: &str, domain: &str, own_domain: &str) -> String {
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
        let spoken_domain = spoken_domain(domain, Some(self.language));
        match (name.is_empty(), domain == own_domain) {
            (true, _) => spoken_domain,
            (false, true) => name,
            (false, false) => {
                let values = [("name", (&name).into()), ("domain", (&spoken_domain).into())];
                self.say("phone-sender-elsewhere", &values)
            }
        }
    }

    fn say(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        phrase(Some(self.language), id, values)
    }

    fn prompt(&self, id: &str) -> Line {
        self.line(self.say(id, &[]), Kind::Prompt)
    }

    fn announcement(&self, text: String) -> Line {
        self.line(text, Kind::Announcement)
    }

    fn line(&self, text: String, kind: Kind) -> Line {
        Line { language: self.language.into(), text, kind }
    }
}

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
        let arrival = |language, received: &str| {
            Prompts::new(language).arrival("Alice", received.parse().unwrap(), now, &zone)
        };
        for (received, expected) in cases {
            assert_eq!(arrival("en", received), expected);
        }
        let in_german = [
            ("2026-11-23T10:05:00+09", "Um 10 Uhr 05 kam eine Nachricht von Alice an."),
            ("2026-11-22T01:00:00+09", "Gestern um ein Uhr kam eine Nachricht von Alice an."),
            ("2026-11-20T21:30:00+09", "Am Freitag um 21 Uhr 30 kam eine Nachricht von Alice an."),
            ("2026-03-02T09:00:00+09", "Am zweiten März um 9 Uhr kam eine Nachricht von Alice an."),
        ];
        for (received, expected) in in_german {
            assert_eq!(arrival("de-DE", received), expected);
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
            let prompts = Prompts::new("en");
            assert_eq!(prompts.spoken_sender(local, domain, "example.org"), expected);
        }
    }
}
