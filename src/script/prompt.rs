//! Every sentence that is spoken on the phone, in the language of the callee.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::keys;
use super::menu::Menu;
use super::speakable::spoken_domain;
use crate::notification::MessageId;
use crate::wording::{Value, phrase, worded_in};

/// Something to say, and how it may be kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prompt {
    /// Language tag of the text.
    pub language: String,
    /// The text.
    pub text: String,
    /// What kind of text it is.
    pub kind: PromptKind,
}

/// What a text is, for those who render and keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptKind {
    /// The same in each call: kept ready.
    Prompt,
    /// Names someone or tells a time: rendered for this call.
    Announcement,
    /// No words but a tone.
    Tone,
    /// No words but what the callee has just recorded.
    Recording,
    /// The text of this message. When it cannot be rendered, a sentence that says so takes its place.
    Body(MessageId),
}

impl Prompt {
    /// A message's own text.
    pub fn body(id: MessageId, language: impl Into<String>, text: impl Into<String>) -> Self {
        Self { language: language.into(), text: text.into(), kind: PromptKind::Body(id) }
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

    /// The menu after a message.
    pub fn menu(&self, menu: &Menu, voice: bool) -> Prompt {
        let id = if voice { "phone-menu-with-voice" } else { "phone-menu" };
        let choices = menu.spoken(Some(self.language));
        self.line(self.say(id, &[("choices", (&choices).into())]), PromptKind::Prompt)
    }

    /// Before the recording begins.
    pub(super) fn tone(&self) -> Prompt {
        self.line(String::new(), PromptKind::Tone)
    }

    /// The recording itself.
    pub(super) fn recording(&self) -> Prompt {
        self.line(String::new(), PromptKind::Recording)
    }

    /// After the answer is durable.
    pub(super) fn thanks(&self, words: &str) -> Prompt {
        self.announcement("phone-thanks", &[("words", words.into())])
    }

    /// The announcement of a message after others.
    pub(super) fn next_message(&self, arrival: &str) -> Prompt {
        self.announcement("phone-next", &[("arrival", arrival.into())])
    }

    /// In place of a message that the voice cannot say. Needs nothing from the message.
    pub(super) fn unspeakable(&self) -> Prompt {
        self.plain("phone-unspeakable")
    }

    /// In place of a message in a language that no voice speaks.
    pub(super) fn other_language(&self) -> Prompt {
        self.plain("phone-other-language")
    }

    /// In place of a text that only its recipient can decrypt.
    pub fn encrypted(&self, id: MessageId) -> Prompt {
        Prompt::body(id, self.language, self.say("encrypted", &[]))
    }

    /// All that an answering machine hears.
    pub fn notice_for_machines(&self) -> Prompt {
        self.plain("phone-machine")
    }

    /// How a sender is named on the phone: by the local part of the JID, and by the domain too when it is not the
    /// callee's own, so that no sender can pass for a colleague.
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

    /// A sentence without values of its own, the same in each call.
    pub fn plain(&self, id: &str) -> Prompt {
        self.line(self.say(id, &[]), PromptKind::Prompt)
    }

    /// A sentence with these values.
    pub fn announcement(&self, id: &str, values: &[(&str, Value<'_>)]) -> Prompt {
        self.announced(self.say(id, values))
    }

    /// A text that is already worded.
    pub(super) fn announced(&self, text: String) -> Prompt {
        self.line(text, PromptKind::Announcement)
    }

    /// Words a sentence. The keys that it names are filled in.
    pub(super) fn say(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let language = Some(self.language);
        let keys = keys::VARIABLES.map(|(name, key)| (name, keys::spoken(key, language)));
        let keys = keys.iter().map(|(name, key)| (*name, key.into()));
        phrase(language, id, &keys.chain(values.iter().copied()).collect::<Vec<_>>())
    }

    fn line(&self, text: String, kind: PromptKind) -> Prompt {
        Prompt { language: self.language.into(), text, kind }
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
        let in_french = [
            ("2026-11-23T10:05:00+09", "À 10 heures 05, Alice vous a envoyé un message."),
            ("2026-11-22T01:00:00+09", "Hier à 1 heure, Alice vous a envoyé un message."),
            ("2026-11-20T12:00:00+09", "vendredi à midi, Alice vous a envoyé un message."),
            (
                "2026-03-01T21:30:00+09",
                "Le premier mars à 21 heures 30, Alice vous a envoyé un message.",
            ),
        ];
        for (received, expected) in in_french {
            assert_eq!(arrival("fr-CA", received), expected);
        }
        let in_spanish = [
            ("2026-11-23T10:05:00+09", "A las 10 y 05 llegó un mensaje de Alice."),
            ("2026-11-22T01:00:00+09", "Ayer a la una llegó un mensaje de Alice."),
            ("2026-11-20T01:30:00+09", "El viernes a la una y 30 llegó un mensaje de Alice."),
            ("2026-03-01T21:00:00+09", "El primero de marzo a las 21 llegó un mensaje de Alice."),
        ];
        for (received, expected) in in_spanish {
            assert_eq!(arrival("es", received), expected);
        }
    }

    #[test]
    fn a_sender_of_another_domain_is_announced_with_it() {
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
