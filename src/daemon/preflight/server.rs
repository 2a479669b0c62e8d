//! A connection to the XMPP server for as long as a check takes: the handshake, a round trip, the upload service.

use minidom::Element;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Config, Fixed};
use crate::daemon::wiring;
use crate::seed::Seed;
use crate::voice_reply::upload_service::NotUploaded;
use crate::xmpp::link::iq::{IqClient, IqTracker, iq_tracker};
use crate::xmpp::link::{Link, LinkEvent};
use crate::xmpp::stanza;

/// A connection that carries requests of ours.
pub(super) struct Connection {
    link: Link,
    iq_client: IqClient,
    carrier: JoinHandle<()>,
}

impl Connection {
    /// Connects, and waits for a ping of the component to itself to come back: without it nobody is phoned.
    ///
    /// Errors: a sentence that says what to change.
    pub(super) async fn open(fixed: &Fixed) -> Result<Self, String> {
        let settings = wiring::link(fixed);
        let wait = settings.timeouts.pong;
        let opened = Link::connect_once(settings, Seed::fresh()).await;
        let (link, events) = opened.map_err(|error| error.to_string())?;
        let (iq_client, iq_tracker) = iq_tracker(&fixed.component.jid, Seed::fresh());
        let carrier = tokio::spawn(carry(link.clone(), events, iq_tracker));
        let connection = Self { link, iq_client, carrier };
        if timeout(wait, connection.link.deliver(vec![])).await == Ok(true) {
            return Ok(connection);
        }
        connection.close().await;
        Err("the server takes the component, but does not return a ping of the component to itself; look at its log, and at what it does with IQs of components".into())
    }

    /// Has the upload service reserve a place; gives the service's name.
    pub(super) async fn upload(&self, config: &Config) -> Result<String, NotUploaded> {
        let Config { fixed, live, .. } = config;
        let service = wiring::upload_service(fixed, self.iq_client.clone());
        let jid = &fixed.component.jid;
        let parent = jid.split_once('.').map_or(jid.as_str(), |(_, parent)| parent);
        let domain = live.subscribers.first().map_or(parent, |it| it.jid.domain().as_str());
        service.probe(domain, &live.voice_reply).await
    }

    pub(super) async fn close(self) {
        self.link.close().await;
        // One that panicked carries nothing any more.
        let _ = self.carrier.await;
    }
}

async fn carry(link: Link, mut events: Receiver<LinkEvent>, mut iq_tracker: IqTracker) {
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(LinkEvent::Stanza(stanza)) if !iq_tracker.takes(&stanza) => {
                    if let Some(returned) = returned(&stanza) {
                        link.send(returned).await;
                    }
                }
                Some(LinkEvent::Down) => iq_tracker.stream_lost(),
                Some(LinkEvent::Up | LinkEvent::Stanza(_)) => {}
                None => return,
            },
            Some(iq) = iq_tracker.next() => link.send(iq).await,
        }
    }
}

/// The error for a stanza that only Offhook can take: what a server says while the component is away.
fn returned(stanza: &Element) -> Option<Element> {
    let is_to_return = match (stanza.name(), stanza.attr("type")) {
        ("message", kind) => kind != Some("error"),
        ("iq", kind) => matches!(kind, Some("get" | "set")),
        _ => false,
    };
    is_to_return.then(|| stanza::error(stanza, "wait", "remote-server-timeout", ""))
}
