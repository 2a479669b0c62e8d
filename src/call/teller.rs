//! Messages made ready to be told to one callee: by whom, when, in which voice and language.

use minidom::Element;

use super::Exchange;
use crate::clock;
use crate::notification::Message;
use crate::script::prompt::{Line, Prompts};
use crate::script::speakable::speakable;
use crate::script::{Item, PinGate, Script, Talk};
use crate::subscriber::Subscriber;
use crate::xmpp::intake;

/// Makes messages tellable to one callee.
pub(super) struct Teller {
    pub(super) callee: Subscriber,
    pub(super) exchange: Exchange,
}

impl Teller {
    /// The sentences that this callee hears.
    pub(super) fn prompts(&self) -> Prompts {
        Prompts::new(self.callee.language.as_ref().unwrap_or(&self.exchange.language))
    }

    /// What is said in a call about these messages: behind the callee's PIN, if he has one and it is `guarded`.
    pub(super) fn talk(&self, messages: &[Message], continuing: bool, guarded: bool) -> Talk {
        let items = messages.iter().map(|message| self.item(message)).collect();
        let (terms, name) = (self.exchange.terms.clone(), self.callee.name.clone());
        let script = Script::new(terms, self.prompts(), name, items, continuing);
        match &self.callee.pin {
            Some(pin) if guarded && !messages.is_empty() => {
                let count = messages.len() as u64;
                Talk::Guarded(PinGate::new(self.prompts(), script, pin.digits(), count))
            }
            Some(_) | None => Talk::Messages(script),
        }
    }

    pub(super) fn item(&self, message: &Message) -> Item {
        let prompts = self.prompts();
        let zone = self.callee.time_zone.as_ref().unwrap_or(&self.exchange.policy.zone);
        let sender = message.draft.sender.to_bare();
        let local = sender.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
        let name = prompts.spoken_sender(
            &local,
            sender.domain().as_str(),
            self.callee.jid.domain().as_str(),
        );
        Item {
            id: message.id,
            arrival: prompts.arrival(&name, message.received, clock::timestamp(), zone),
            sender: name,
            body: self.body(message),
        }
    }

    fn body(&self, message: &Message) -> Line {
        let (id, draft) = (message.id, &message.draft);
        let stanza = draft.stanza.parse::<Element>();
        if stanza.is_ok_and(|stanza| intake::is_encrypted(&stanza)) {
            return self.prompts().encrypted(id);
        }
        let language = self.callee.language.as_ref().or(draft.language.as_ref());
        let language = language.unwrap_or(&self.exchange.language);
        let text = speakable(&draft.body, self.exchange.body_chars_max, Some(language));
        Line::body(id, language, text.unwrap_or_default())
    }
}
