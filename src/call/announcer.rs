//! What one callee hears about their messages: from whom, when, in which voice and language.

use std::sync::Arc;

use minidom::Element;

use crate::clock;
use crate::config::Live;
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
        let spoken = messages.iter().map(|message| self.spoken(message)).collect();
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

    /// A message as it is spoken.
    pub fn spoken(&self, message: &Message) -> SpokenMessage {
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
            body: self.body(message),
        }
    }

    fn body(&self, message: &Message) -> Prompt {
        let (id, draft) = (message.id, &message.draft);
        let stanza = draft.stanza.parse::<Element>();
        if stanza.is_ok_and(|stanza| intake::is_encrypted(&stanza)) {
            return self.prompts().encrypted(id);
        }
        let language = self.callee.language.as_ref().or(draft.language.as_ref());
        let speech = &self.settings.speech;
        let language = language.unwrap_or(&speech.language);
        let text = speakable(&draft.body, speech.body_chars_max, Some(language));
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
