//! The component's stream to its server: the only place where the chat side touches the world.

mod keeper;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use minidom::Element;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_xmpp::xmlstream::{ReadError, StreamHeader, Timeouts, XmlStream, initiate_stream};
use tracing::warn;
use xmpp_parsers::component::Handshake;

use self::keeper::{Backoff, Keeper, Lost, Order};
use crate::seed::Seed;
use crate::xmpp::guard::Guard;
use crate::xmpp::{ns, stanza};

/// Where to connect and as whom.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// `component.jid`.
    pub jid: String,
    /// `component.server`: host and port.
    pub server: String,
    /// `component.secret`.
    pub secret: SecretString,
    /// How long to wait for what.
    pub patience: Patience,
}

/// How long the link waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Silence after which the server is asked whether it is there.
    pub quiet: Duration,
    /// Silence after that question that means the stream is dead; also the longest wait for a receipt.
    pub pong: Duration,
    /// From the connection to the end of the handshake.
    pub handshake: Duration,
    /// The longest pause between two attempts to connect.
    pub backoff_max: Duration,
    /// The shortest pause after the server says that somebody else is connected in our name.
    pub conflict: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(30),
            pong: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            backoff_max: Duration::from_secs(60),
            conflict: Duration::from_secs(30),
        }
    }
}

/// What comes from the server.
#[derive(Debug)]
pub enum Event {
    /// The stream is up; what was true of presences before is not known any more.
    Up,
    /// The stream is lost; it comes back by itself.
    Down,
    /// A stanza.
    Stanza(Element),
}

/// Speaks for the component. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link {
    orders: mpsc::Sender<Order>,
    jid: String,
    receipt_wait: Duration,
}

impl Link {
    /// Connects, for as long as it takes, and keeps the stream up from then on.
    ///
    /// Contract: take the events without delay: while they wait, nothing more is read. They end after [`Link::close`].
    /// Errors:   what only the operator can mend: [`LinkError::WrongSecret`], [`LinkError::UnknownHost`].
    pub async fn connect(
        settings: LinkSettings,
        seed: Seed,
    ) -> Result<(Self, mpsc::Receiver<Event>), LinkError> {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let (events, outbox) = mpsc::channel(EVENTS_MAX);
        let link =
            Self { orders, jid: settings.jid.clone(), receipt_wait: settings.patience.pong * 2 };
        let mut backoff = Backoff::new(settings.patience, seed);
        let stream = loop {
            match open(&settings).await {
                Ok(stream) => break stream,
                Err(error) if error.is_for_the_operator() => return Err(error),
                Err(error) => sleep(backoff.after(&Lost::Refused(error))).await,
            }
        };
        let keeper = Keeper::new(settings, backoff, inbox, events);
        tokio::spawn(keeper.run(stream));
        Ok((link, outbox))
    }

    /// Sends a stanza of which nobody needs to know whether it arrived.
    ///
    /// Contract: waits while the server reads slowly; while the link is down the stanza is dropped.
    pub async fn send(&self, stanza: Element) {
        if self.may_be_sent(&stanza) {
            // The link has been closed: the stanza is as lost as on a dead stream.
            let _ = self.orders.send(Order::Send(stanza)).await;
        }
    }

    /// Sends stanzas and tells whether the server has read them all: it answered a ping sent after them on the same stream.
    ///
    /// Contract: `false` says nothing about what arrived; send them again under the same `id`s.
    ///           A stanza that no server would take (too large, or not from us) is logged and left out.
    /// Source:   RFC 6120 §10.1 (order), XEP-0199 §4.
    pub async fn deliver(&self, mut stanzas: Vec<Element>) -> bool {
        stanzas.retain(|stanza| self.may_be_sent(stanza));
        let (receipt, read) = oneshot::channel();
        if self.orders.send(Order::Deliver(stanzas, receipt)).await.is_err() {
            return false;
        }
        matches!(timeout(self.receipt_wait, read).await, Ok(Ok(true)))
    }

    /// Tells whether the stream works now: a ping goes out and comes back.
    pub async fn confirm(&self) -> bool {
        self.deliver(Vec::new()).await
    }

    /// Ends the stream once what was sent before is on its way.
    pub async fn close(&self) {
        let _ = self.orders.send(Order::Close).await;
    }

    /// Whether a server would end the stream over this stanza.
    fn may_be_sent(&self, stanza: &Element) -> bool {
        let from = stanza.attr("from").unwrap_or_default();
        let domain = from.split_once('/').map_or(from, |(bare, _)| bare);
        let domain = domain.rsplit_once('@').map_or(domain, |(_, domain)| domain);
        let bytes = stanza::bytes_at_most(stanza);
        let allowed = domain == self.jid && stanza.attr("to").is_some() && bytes <= SENT_BYTES_MAX;
        if !allowed {
            warn!(bytes, "stanza not sent: its addresses or its size would end the stream");
        }
        allowed
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The server does not accept the secret.
    #[error(
        "the server at {server} refuses component.secret for {jid}: set the same secret there and here"
    )]
    WrongSecret {
        /// `component.server`.
        server: String,
        /// `component.jid`.
        jid: String,
    },
    /// The server has no such component.
    #[error(
        "the server at {server} knows no component named {jid}: correct component.jid, add the component there, or let component.server name its port for components"
    )]
    UnknownHost {
        /// `component.server`.
        server: String,
        /// `component.jid`.
        jid: String,
    },
    /// Somebody is connected in our name.
    #[error(
        "another connection to {server} serves {jid} already: stop it, or wait until the server lets go of it"
    )]
    Conflict {
        /// `component.server`.
        server: String,
        /// `component.jid`.
        jid: String,
    },
    /// Nobody answers, or the connection broke.
    #[error("component.server {server} cannot be reached: {source}")]
    Unreachable {
        /// `component.server`.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// Something answers, but not as a server does to a component.
    #[error(
        "{server} does not take components ({says}): component.server must name the XEP-0114 port"
    )]
    NotForComponents {
        /// `component.server`.
        server: String,
        /// What came instead.
        says: String,
    },
}

impl LinkError {
    fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::WrongSecret { .. } | Self::UnknownHost { .. })
    }
}

/// Connects once and leaves again, to see whether the settings hold.
pub async fn probe(settings: &LinkSettings) -> Result<(), LinkError> {
    let mut stream = open(settings).await?;
    // Whether the server hears the goodbye does not matter.
    let _ = timeout(FAREWELL, stream.shutdown()).await;
    Ok(())
}

type ComponentStream = XmlStream<Guard<TcpStream>, Element>;

async fn open(settings: &LinkSettings) -> Result<ComponentStream, LinkError> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    match timeout(settings.patience.handshake, shake_hands(settings)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable_server(settings, late())),
    }
}

/// Source: XEP-0114 §3.
async fn shake_hands(settings: &LinkSettings) -> Result<ComponentStream, LinkError> {
    let unreachable = |error| unreachable_server(settings, error);
    let socket = connect_any(settings).await.map_err(unreachable)?;
    socket.set_nodelay(true).map_err(unreachable)?;
    let header = StreamHeader { to: Some(settings.jid.as_str().into()), from: None, id: None };
    let Patience { quiet, pong, .. } = settings.patience;
    let timeouts = Timeouts { read_timeout: quiet, response_timeout: pong };
    let mut greeted = initiate_stream(Guard::new(socket), ns::COMPONENT, header, timeouts)
        .await
        .map_err(|error| refused(settings, error))?;
    let id = greeted.take_header().id.map(String::from);
    let mut stream: ComponentStream = greeted.skip_features();
    // A server that refuses the host says so without an id.
    if let Some(id) = id {
        let proof = Handshake::from_stream_id_and_password(id, settings.secret.expose_secret());
        stream.send(&proof).await.map_err(unreachable)?;
    }
    loop {
        return match stream.next().await {
            Some(Ok(element)) if element.is("handshake", ns::COMPONENT) => Ok(stream),
            Some(Ok(element)) => Err(turned_away(settings, &element)),
            Some(Err(ReadError::SoftTimeout)) => continue,
            Some(Err(ReadError::HardError(error))) => Err(refused(settings, error)),
            Some(Err(ReadError::ParseError(_) | ReadError::StreamFooterReceived)) | None => {
                Err(unreachable_server(settings, io::ErrorKind::ConnectionReset.into()))
            }
        };
    }
}

async fn connect_any(settings: &LinkSettings) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host(&settings.server).await?.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
        }
    }
    Err(last)
}

fn unreachable_server(settings: &LinkSettings, source: io::Error) -> LinkError {
    LinkError::Unreachable { server: settings.server.clone(), source }
}

fn refused(settings: &LinkSettings, error: io::Error) -> LinkError {
    if error.kind() == io::ErrorKind::InvalidData {
        let server = settings.server.clone();
        return LinkError::NotForComponents { server, says: error.to_string() };
    }
    unreachable_server(settings, error)
}

fn turned_away(settings: &LinkSettings, element: &Element) -> LinkError {
    let (server, jid) = (settings.server.clone(), settings.jid.clone());
    match stream_error(element) {
        Some("not-authorized") => LinkError::WrongSecret { server, jid },
        Some("host-unknown" | "host-gone" | "improper-addressing") => {
            LinkError::UnknownHost { server, jid }
        }
        Some("conflict") => LinkError::Conflict { server, jid },
        Some(condition) => LinkError::NotForComponents { server, says: condition.to_owned() },
        None => LinkError::NotForComponents { server, says: format!("<{}/>", element.name()) },
    }
}

/// The condition, if the element is a stream error (RFC 6120 §4.9).
fn stream_error(element: &Element) -> Option<&str> {
    if !element.is("error", ns::STREAM) {
        return None;
    }
    let named = |child: &&Element| child.has_ns(ns::STREAM_ERROR) && child.name() != "text";
    Some(element.children().find(named).map_or("undefined-condition", Element::name))
}

/// Orders waiting to be written.
const ORDERS_MAX: usize = 256;
/// Events waiting to be taken: few, as each may be a tree of some megabytes.
const EVENTS_MAX: usize = 4;
/// Prosody ends the stream above 512 KiB.
const SENT_BYTES_MAX: usize = 500_000;
const CONNECT_WAIT: Duration = Duration::from_secs(5);
const FAREWELL: Duration = Duration::from_secs(2);
