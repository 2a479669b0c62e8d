//! The component's stream to its server (XEP-0114). Edge.

mod driver;
pub mod iq;
mod reconnect;

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

use self::driver::{LinkCommand, LinkDriver};
use self::reconnect::{Lost, Reconnect};
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
    pub timeouts: LinkTimeouts,
}

/// How long the link waits.
#[derive(Clone, Copy, Debug)]
pub struct LinkTimeouts {
    /// Silence after which a ping goes out.
    pub quiet: Duration,
    /// Silence after that ping that means the stream is dead.
    pub pong: Duration,
    /// From the connection to the end of the handshake.
    pub handshake: Duration,
    /// The longest pause between two attempts to connect.
    pub backoff_max: Duration,
    /// The shortest pause after the server says that another connection serves the component.
    pub conflict: Duration,
}

impl Default for LinkTimeouts {
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

/// What happens on the link.
#[derive(Debug)]
pub enum LinkEvent {
    /// The stream is up; presences seen before count no more.
    Up,
    /// The stream is lost; the link connects again by itself.
    Down,
    /// A stanza.
    Stanza(Element),
}

/// Sends stanzas over the stream. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link {
    commands: mpsc::Sender<LinkCommand>,
    jid: String,
}

/// A place in what is written to the stream.
#[derive(Debug)]
pub struct LinkPermit<'l> {
    place: mpsc::Permit<'l, LinkCommand>,
    link: &'l Link,
}

impl LinkPermit<'_> {
    /// Sends a stanza of which nobody needs to know whether it arrived; while the link is down it is dropped.
    pub fn send(self, stanza: Element) {
        if self.link.may_be_sent(&stanza) {
            self.place.send(LinkCommand::Send(stanza));
        }
    }

    /// As [`Link::deliver`]; the receiver gets `true` with the pong, or `false` when the stream is lost.
    pub fn deliver(self, mut stanzas: Vec<Element>) -> oneshot::Receiver<bool> {
        stanzas.retain(|stanza| self.link.may_be_sent(stanza));
        let (receipt, read) = oneshot::channel();
        self.place.send(LinkCommand::Deliver(stanzas, receipt));
        read
    }
}

impl Link {
    /// Connects, for as long as it takes, and keeps the stream up.
    ///
    /// Contract: receive the events without delay: while they wait, nothing more is read. They end after [`Link::close`].
    /// Errors:   what only the operator can mend: [`LinkError::WrongSecret`], [`LinkError::UnknownHost`].
    pub async fn connect(
        settings: LinkSettings,
        mut seed: Seed,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), LinkError> {
        let mut reconnect = Reconnect::new(settings.timeouts, seed.split());
        let stream = loop {
            match open(&settings).await {
                Ok(stream) => break stream,
                Err(error) if error.is_for_the_operator() => return Err(error),
                Err(error) => sleep(reconnect.after(&Lost::Refused(error))).await,
            }
        };
        Ok(Self::over(stream, settings, reconnect, seed))
    }

    /// Connects at the first attempt or not at all, to check the settings.
    ///
    /// Contract: as of [`Link::connect`].
    /// Errors:   why that attempt failed.
    pub async fn connect_once(
        settings: LinkSettings,
        mut seed: Seed,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), LinkError> {
        let stream = open(&settings).await?;
        let reconnect = Reconnect::new(settings.timeouts, seed.split());
        Ok(Self::over(stream, settings, reconnect, seed))
    }

    fn over(
        stream: ComponentStream,
        settings: LinkSettings,
        reconnect: Reconnect,
        seed: Seed,
    ) -> (Self, mpsc::Receiver<LinkEvent>) {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (events, outbox) = mpsc::channel(EVENTS_MAX);
        let link = Self { commands, jid: settings.jid.clone() };
        let driver = LinkDriver::new(settings, reconnect, seed, inbox, events);
        tokio::spawn(driver.run(stream));
        (link, outbox)
    }

    /// Sends a stanza without a receipt.
    ///
    /// Contract: waits while the server reads slowly; while the link is down the stanza is dropped.
    pub async fn send(&self, stanza: Element) {
        if self.may_be_sent(&stanza) {
            // The link has been closed: the stanza is as lost as on a dead stream.
            let _ = self.commands.send(LinkCommand::Send(stanza)).await;
        }
    }

    /// Waits until the stream takes more. `None` when the link is closed.
    pub async fn reserve(&self) -> Option<LinkPermit<'_>> {
        let place = self.commands.reserve().await.ok()?;
        Some(LinkPermit { place, link: self })
    }

    /// Sends stanzas; true once the server has read them all: it answered a ping sent after them on the same stream.
    /// While the stream stands the answer is waited for, however late.
    ///
    /// Contract: `false` says nothing about what arrived; send them again under the same `id`s.
    ///           A stanza that no server would take (too large, or not from us) is logged and left out.
    /// Source:   RFC 6120 §10.1 (order), XEP-0199 §4.
    pub async fn deliver(&self, stanzas: Vec<Element>) -> bool {
        match self.reserve().await {
            Some(permit) => permit.deliver(stanzas).await.unwrap_or(false),
            None => false,
        }
    }

    /// Ends the stream once everything sent before is written.
    pub async fn close(&self) {
        let _ = self.commands.send(LinkCommand::Close).await;
    }

    /// Whether a server takes this stanza; over others it ends the stream.
    fn may_be_sent(&self, stanza: &Element) -> bool {
        let allowed = stanza::may_be_sent(stanza, &self.jid);
        if !allowed {
            let bytes = stanza::bytes_at_most(stanza);
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
    /// Another connection serves the component.
    #[error(
        "another connection to {server} serves {jid} already: stop it, or wait until the server lets go of it"
    )]
    Conflict {
        /// `component.server`.
        server: String,
        /// `component.jid`.
        jid: String,
    },
    /// The server does not answer, or the connection broke.
    #[error("component.server {server} cannot be reached: {source}")]
    Unreachable {
        /// `component.server`.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server answers, but does not speak XEP-0114.
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

type ComponentStream = XmlStream<Guard<TcpStream>, Element>;

async fn open(settings: &LinkSettings) -> Result<ComponentStream, LinkError> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    match timeout(settings.timeouts.handshake, shake_hands(settings)).await {
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
    let LinkTimeouts { quiet, pong, .. } = settings.timeouts;
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

/// Commands waiting for the driver.
const COMMANDS_MAX: usize = 256;
/// Events waiting for the gateway: few, as each may be a tree of some megabytes.
const EVENTS_MAX: usize = 4;
const CONNECT_WAIT: Duration = Duration::from_secs(5);
const SHUTDOWN_WAIT: Duration = Duration::from_secs(2);
