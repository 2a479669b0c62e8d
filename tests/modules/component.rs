//! The component that is told.

use minidom::Element;
use xmpp_parsers::component::Handshake;

use crate::server::{COMPONENT, SECRET, Server};
use crate::wire::Wire;

pub(crate) struct Component {
    wire: Wire,
}

/// What it was told.
#[derive(Debug, PartialEq)]
pub(crate) enum ChatUpdate {
    /// That a message reached nobody: whose, why, and which.
    Held { user: String, reason: String, id: String },
    /// That somebody is there again.
    Awake { user: String },
}

impl Component {
    pub(crate) async fn connect(server: &Server) -> Self {
        let mut wire = Wire::connect(server.components(), NAMESPACE).await;
        let header = wire.opens(COMPONENT).await.replace('"', "'");
        let id = header.split(" id='").nth(1).and_then(|it| it.split('\'').next()).unwrap();
        let handshake = Handshake::from_stream_id_and_password(id.to_owned(), SECRET);
        wire.says(&String::from(&Element::from(handshake))).await;
        wire.hears("handshake", |it| (it.name() == "handshake").then_some(())).await;
        Self { wire }
    }

    pub(crate) async fn says(&mut self, xml: &str) {
        self.wire.says(xml).await;
    }

    /// The next message from the server itself, whole.
    pub(crate) async fn hears(&mut self, what: &str) -> Element {
        let message = self
            .wire
            .hears(what, |it| {
                (it.name() == "message" && it.attr("type") != Some("error")).then(|| it.clone())
            })
            .await;
        assert_eq!(message.attr("from"), Some("localhost"));
        assert_eq!(message.attr("to"), Some(COMPONENT));
        assert!(message.attr("id").is_some_and(|id| !id.is_empty()));
        message
    }

    /// Waits for a message of this `id` from whoever it is.
    pub(crate) async fn is_written(&mut self, id: &str) {
        let is_it = |it: &Element| (it.name() == "message").then(|| it.attr("id") == Some(id));
        assert!(self.wire.hears(id, is_it).await, "another message came before {id}");
    }

    /// What the next message says.
    async fn is_told(&mut self, what: &str) -> ChatUpdate {
        let message = self.hears(what).await;
        let child = message.children().next().unwrap();
        assert_eq!(child.attr("blocking"), Some("true"));
        let user = child.attr("user").unwrap().to_owned();
        if child.is("awake", HELD) {
            return ChatUpdate::Awake { user };
        }
        let id = handed_over(&message).attr("id").unwrap_or_default().to_owned();
        ChatUpdate::Held { user, reason: child.attr("reason").unwrap().to_owned(), id }
    }

    pub(crate) async fn is_told_of(&mut self, user: &str, reason: &str, id: &str) {
        let (user, reason, id) = (format!("{user}@localhost"), reason.to_owned(), id.to_owned());
        let told = self.is_told(&id).await;
        assert_eq!(told, ChatUpdate::Held { user, reason, id });
    }

    pub(crate) async fn is_told_of_life(&mut self, user: &str) {
        assert_eq!(
            self.is_told("life").await,
            ChatUpdate::Awake { user: format!("{user}@localhost") }
        );
    }
}

/// The stanza in a hand-over.
pub(crate) fn handed_over(message: &Element) -> &Element {
    let held = message.get_child("held", HELD).unwrap();
    let forwarded = held.get_child("forwarded", "urn:xmpp:forward:0").unwrap();
    let stamp = forwarded.get_child("delay", "urn:xmpp:delay").unwrap().attr("stamp").unwrap();
    assert!(stamp.parse::<jiff::Timestamp>().is_ok(), "{stamp}");
    assert_eq!(forwarded.children().count(), 2);
    forwarded.get_child("message", "jabber:client").unwrap()
}

const NAMESPACE: &str = "jabber:component:accept";
pub(crate) const HELD: &str = "urn:offhook:held:0";
