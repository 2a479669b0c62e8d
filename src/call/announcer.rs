//! What one callee hears about their messages: from whom, when, in which voice and language.

use std::sync::Arc;

use minidom::Element;

use crate::clock;
use crate::config::Live;
use crate::message_language::{LanguageHints, message_language};
use crate::notification::Message;
use crate::script::prompt::{Prompt, Prompts};
use crate::script::speakable::speakable;
use crate::script::{CallFlow, Opening, SpokenMessage};
use crate::subscriber::Subscriber;
use crate::xmpp::intake;

/// Puts messages into the words in which one callee hears them.
#[derive(Debug)]
pub struct MessageAnnouncer {
    /// Who hears them.
    pub callee: Subscriber,
    /// As they were when the call began.
    pub settings: Arc<Live>,
}

impl MessageAnnouncer {
    /// The sentences that this callee hears.
    pub fn prompts(&self) -> Prompts {
        Prompts::new(self.callee.language.as_ref().unwrap_or(&self.settings.speech.language))
    }

    /// The flow of a call about these messages.
    pub fn flow(&self, messages: &[Message], opening: Opening, pin: PinCheck) -> CallFlow {
        let spoken = self.spoken_all(messages);
        let (settings, name) = (self.settings.script.clone(), self.callee.name.clone());
        let flow = CallFlow::messages(settings, self.prompts(), name, spoken, opening);
        let domain = self.callee.jid.domain().as_str();
        if pin == PinCheck::Locked {
            let (preroll, count) = (self.settings.script.preroll, messages.len() as u64);
            let notice = CallFlow::notice(self.prompts(), preroll, "pin-locked", count);
            return notice.introduced(domain);
        }
        if pin == PinCheck::Done {
            return flow;
        }
        let flow = flow.introduced(domain);
        match &self.callee.pin {
            Some(own) if pin == PinCheck::Due && !messages.is_empty() => {
                flow.behind_pin(own.digits(), messages.len() as u64)
            }
            Some(_) | None => flow,
        }
    }

    /// Messages as they are spoken, each in its own language.
    pub fn spoken_all(&self, messages: &[Message]) -> Vec<SpokenMessage> {
        messages.iter().map(|message| self.spoken_beside(message, messages)).collect()
    }

    /// A message as it is spoken.
    pub fn spoken(&self, message: &Message) -> SpokenMessage {
        self.spoken_beside(message, &[])
    }

    /// `others`: what its sender has written tells more of a short message.
    fn spoken_beside(&self, message: &Message, others: &[Message]) -> SpokenMessage {
        let prompts = self.prompts();
        let zone = self.callee.time_zone.as_ref().unwrap_or(&self.settings.policy.zone);
        let sender = message.draft.sender.to_bare();
        let local = sender.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
        let name = prompts.spoken_sender(
            &local,
            sender.domain().as_str(),
            self.callee.jid.domain().as_str(),
        );
        SpokenMessage {
            id: message.id,
            from: sender,
            sender: name,
            came: prompts.came(message.received, clock::timestamp(), zone),
            body: self.body(message, others),
        }
    }

    fn body(&self, message: &Message, others: &[Message]) -> Prompt {
        let (id, draft) = (message.id, &message.draft);
        let stanza = draft.stanza.parse::<Element>();
        if stanza.is_ok_and(|stanza| intake::is_encrypted(&stanza)) {
            return self.prompts().encrypted(id);
        }
        let speech = &self.settings.speech;
        let sender = draft.sender.to_bare();
        let of_sender =
            others.iter().filter(|it| it.id != message.id && it.draft.sender.to_bare() == sender);
        let beside: Vec<&str> = of_sender.map(|it| it.draft.body.as_str()).collect();
        let tagged = draft.language.as_deref();
        let language = match tagged.filter(|tag| intake::is_name_of_a_file(&draft.body, tag)) {
            Some(tag) => tag.to_owned(),
            None => {
                let own = self.callee.language.as_ref().unwrap_or(&speech.language);
                message_language(&draft.body, LanguageHints { tagged, beside: &beside, own })
            }
        };
        let text = speakable(&draft.body, speech.body_chars_max, Some(&language));
        Prompt::body(id, language, text.unwrap_or_default())
    }
}

/// Whether the callee, if they have a PIN, still has to prove by it who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinCheck {
    /// They do.
    Due,
    /// They have proved it in this call, in which it was said who calls.
    Done,
    /// They can't today: the PIN was wrong too often.
    Locked,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::notification::{Circumstances, CorrectionChain, Draft, MessageId};

    /// Sender, text and tag.
    type Written<'w> = (&'w str, &'w str, Option<&'w str>);

    #[test]
    fn each_message_is_in_its_own_language_and_what_is_ours_in_the_persons() {
        let manual = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/component.toml"));
        let live = Arc::new(config::read(manual).unwrap().live);
        let languages = |own: &str, messages: &[Written<'_>]| {
            let callee = Subscriber {
                language: Some(own.into()),
                ..Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into())
            };
            let announcer = MessageAnnouncer { callee, settings: live.clone() };
            let messages: Vec<Message> = (1..)
                .zip(messages)
                .map(|(id, (sender, body, language))| Message {
                    id: MessageId(id),
                    received: "2026-11-23T10:30:00Z".parse().unwrap(),
                    draft: Draft {
                        stanza_id: None,
                        sender: sender.parse().unwrap(),
                        recipient: "bob@example.org".parse().unwrap(),
                        body: (*body).into(),
                        language: language.map(str::to_owned),
                        wants_receipt: false,
                        stanza: String::new(),
                        how: Circumstances::default(),
                    },
                    status_stanza_id: String::new(),
                    chain: CorrectionChain::default(),
                })
                .collect();
            let spoken = announcer.spoken_all(&messages);
            let bodies: Vec<String> = spoken.into_iter().map(|it| it.body.language).collect();
            (announcer.prompts().language(), bodies.join(" "))
        };
        let (alice, dora) = ("alice@example.org/phone", "dora@example.org/desk");
        let english = "The server room is at 38 degrees, can you come?";
        let german = "Der Serverraum hat achtunddreißig Grad, kannst du kommen?";
        let cases: [(&str, &[Written<'_>], &str, &str); 5] = [
            ("ja", &[(alice, english, None)], "en", "en"),
            ("de", &[(alice, english, Some("en")), (dora, german, Some("en"))], "de", "en de"),
            ("en", &[(alice, german, None), (alice, "Kommst du?", None)], "en", "de de"),
            ("en", &[(alice, german, None), (dora, "Kommst du?", None)], "en", "de en"),
            ("de", &[(alice, "A picture.", Some("en"))], "de", "en"),
        ];
        for (own, messages, prompts, bodies) in cases {
            assert_eq!(languages(own, messages), (prompts, bodies.into()), "{messages:?}");
        }
    }
}
