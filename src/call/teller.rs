//! Messages made ready to be told to one callee: by whom, when, in which voice.

use super::Exchange;
use crate::clock;
use crate::notification::Message;
use crate::script::Item;
use crate::script::prompt::{self, Line};
use crate::script::speakable::{Wording, speakable};
use crate::subscriber::Subscriber;

/// Makes messages tellable to one callee.
pub(super) struct Teller {
    pub(super) callee: Subscriber,
    pub(super) exchange: Exchange,
}

impl Teller {
    pub(super) fn item(&self, message: &Message) -> Item {
        let zone = self.callee.time_zone.as_ref().unwrap_or(&self.exchange.policy.zone);
        let sender = message.draft.sender.to_bare();
        let local = sender.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
        let name = prompt::spoken_sender(
            &local,
            sender.domain().as_str(),
            self.callee.jid.domain().as_str(),
        );
        let language = self.callee.language.clone().or_else(|| message.draft.language.clone());
        let text = speakable(&message.draft.body, self.exchange.body_chars_max, &Wording::EN);
        Item {
            id: message.id,
            arrival: prompt::arrival(&name, message.received, clock::timestamp(), zone),
            sender: name,
            body: Line::body(
                message.id,
                language.unwrap_or_else(|| self.exchange.language.clone()),
                text.unwrap_or_default(),
            ),
        }
    }
}
