//! Every sentence that is spoken on the phone, in the language of the callee.

use std::time::Duration;

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
    /// No words but a soft tone, by which what a sender wrote is told from what we say.
    Mark,
    /// No words for the time of [`PAUSE`].
    Pause,
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

    /// Who calls: the service of this domain.
    pub(super) fn who_calls(&self, domain: &str) -> Prompt {
        let domain = spoken_domain(domain, Some(self.language));
        self.line(self.say("phone-who-calls", &[("domain", (&domain).into())]), PromptKind::Prompt)
    }

    /// The first choices after a message.
    pub fn menu(&self, menu: &Menu) -> Prompt {
        self.choices("phone-menu", &menu.common(Some(self.language)))
    }

    /// All that the first choices leave out.
    pub(super) fn rest_of_menu(&self, menu: &Menu, voice: bool) -> Prompt {
        let id = if voice { "phone-menu-rest-with-voice" } else { "phone-menu-rest" };
        self.choices(id, &menu.rest(Some(self.language)))
    }

    fn choices(&self, id: &str, choices: &str) -> Prompt {
        let said = self.say(id, &[("choices", choices.into())]);
        self.line(said.trim_start().to_owned(), PromptKind::Prompt)
    }

    /// Before and after what a sender wrote.
    pub(super) fn mark(&self) -> Prompt {
        self.line(String::new(), PromptKind::Mark)
    }

    /// So much silence as parts two things that are said.
    pub(super) fn pause(&self) -> Prompt {
        self.line(String::new(), PromptKind::Pause)
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
        self.line(self.say(id, values), PromptKind::Announcement)
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

/// Between a message and what is said of it, and before a question. Less is heard as part of the sentence.
pub const PAUSE: Duration = Duration::from_millis(800);

#[cfg(test)]
mod tests {
    use super::*;

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
