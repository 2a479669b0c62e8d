//! A chat client that does exactly what it is told, acknowledges nothing by itself, and can lose its connection.

use std::time::Duration;

use minidom::Element;
use xmpp_parsers::sasl::{Auth, Mechanism};

use crate::server::{PASSWORD, Server};
use crate::wire::{PATIENCE, Wire};

pub(crate) struct Client {
    wire: Wire,
    /// What resumes the connection (XEP-0198).
    resumption: Option<String>,
    /// How many stanzas it got since stream management was turned on.
    handled: u32,
    /// Messages, in the order in which they came.
    pub(crate) read: Vec<Element>,
    /// Full JIDs of whom it was told that they are unavailable.
    left: Vec<String>,
    pings: u32,
}

impl Client {
    /// Connects and says who it is. There is no session yet.
    async fn authenticated(server: &Server, name: &str) -> Self {
        let mut wire = Wire::connect(server.clients(), "jabber:client").await;
        wire.opens("localhost").await;
        wire.hears("features", |it| it.is("features", STREAMS).then_some(())).await;
        let data = format!("\0{name}\0{PASSWORD}").into_bytes();
        wire.says(&String::from(&Element::from(Auth { mechanism: Mechanism::Plain, data }))).await;
        wire.hears("success", |it| (it.name() == "success").then_some(())).await;
        wire.opens("localhost").await;
        wire.hears("features", |it| it.is("features", STREAMS).then_some(())).await;
        Self { wire, resumption: None, handled: 0, read: Vec::new(), left: Vec::new(), pings: 0 }
    }

    /// Logs in. It is not available before [`Client::is_available`].
    pub(crate) async fn log_in(server: &Server, name: &str, resource: &str) -> Self {
        let mut client = Self::authenticated(server, name).await;
        let bind = format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
        );
        client.says(&bind).await;
        client.wire.hears("session", |it| (it.attr("id") == Some("bind")).then_some(())).await;
        client
    }

    /// Has the server wait for acknowledgements, and keep the session when the connection is lost, if `resume`.
    pub(crate) async fn manages_its_stream(&mut self, resume: bool) {
        self.says(&format!("<enable xmlns='{SM}' resume='{resume}'/>")).await;
        let enabled = self.wire.hears("enabled", |it| it.is("enabled", SM).then(|| it.clone()));
        self.resumption = enabled.await.attr("id").map(str::to_owned);
        self.handled = 0;
    }

    pub(crate) async fn is_available(&mut self, priority: i8) {
        self.says(&format!("<presence><priority>{priority}</priority></presence>")).await;
        self.settles().await;
    }

    pub(crate) async fn says(&mut self, xml: &str) {
        self.wire.says(xml).await;
    }

    /// A chat message with a text, and with more elements in it.
    pub(crate) async fn writes(&mut self, to: &str, id: &str, body: &str, more: &str) {
        let xml =
            format!("<message type='chat' to='{to}' id='{id}'><body>{body}</body>{more}</message>");
        self.says(&xml).await;
    }

    /// Reads until the server has done all that it was told.
    pub(crate) async fn settles(&mut self) {
        self.pings += 1;
        let id = format!("ping{}", self.pings);
        self.says(&format!("<iq type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")).await;
        while self.reads(PATIENCE).await.is_none_or(|it| it.attr("id") != Some(&id)) {}
    }

    /// Reads until a message of this `id`.
    pub(crate) async fn receives(&mut self, id: &str) {
        while !self.read.iter().any(|it| it.attr("id") == Some(id)) {
            assert!(self.reads(PATIENCE).await.is_some(), "{id} did not come: {:#?}", self.read);
        }
    }

    /// Reads until it was told that this client is unavailable.
    pub(crate) async fn sees_leave(&mut self, jid: &str) {
        while !self.left.iter().any(|it| it == jid) {
            assert!(self.reads(PATIENCE).await.is_some(), "{jid} never leaves");
        }
    }

    /// How often a message of this `id` came.
    pub(crate) fn times(&self, id: &str) -> usize {
        self.read.iter().filter(|it| it.attr("id") == Some(id)).count()
    }

    async fn reads(&mut self, time: Duration) -> Option<Element> {
        let element = self.wire.hears_within(time).await?;
        if ["message", "presence", "iq"].contains(&element.name()) {
            self.handled += 1;
        }
        if element.name() == "message" {
            self.read.push(element.clone());
        }
        if element.name() == "presence" && element.attr("type") == Some("unavailable") {
            self.left.extend(element.attr("from").map(str::to_owned));
        }
        Some(element)
    }

    /// Acknowledges all that it has read.
    pub(crate) async fn acknowledges(&mut self) {
        let handled = self.handled;
        self.says(&format!("<a xmlns='{SM}' h='{handled}'/>")).await;
        self.settles().await;
        self.says(&format!("<a xmlns='{SM}' h='{}'/>", self.handled)).await;
    }

    /// Loses its connection, as in a tunnel, and waits until the server has noticed.
    pub(crate) async fn loses_its_connection(self, server: &Server) -> Lost {
        let Self { wire, resumption, handled, read, .. } = self;
        let before = server.disconnected();
        drop(wire);
        server.until_disconnected_after(before).await;
        Lost { resumption, handled, read }
    }

    /// Closes its stream, as a client does that is closed.
    pub(crate) async fn logs_out(mut self, server: &Server) {
        if self.resumption.is_some() {
            self.acknowledges().await;
        }
        let before = server.disconnected();
        self.says("</stream:stream>").await;
        while self.wire.hears_within(PATIENCE).await.is_some() {}
        drop(self.wire);
        server.until_disconnected_after(before).await;
    }
}

/// A client without a connection.
pub(crate) struct Lost {
    resumption: Option<String>,
    handled: u32,
    read: Vec<Element>,
}

impl Lost {
    pub(crate) async fn resumes(self, server: &Server, name: &str) -> Client {
        let mut client = Client::authenticated(server, name).await;
        let (previous, handled) = (self.resumption.clone().unwrap(), self.handled);
        client.says(&format!("<resume xmlns='{SM}' previd='{previous}' h='{handled}'/>")).await;
        client.wire.hears("resumed", |it| it.is("resumed", SM).then_some(())).await;
        Client { resumption: self.resumption, handled, read: self.read, ..client }
    }
}

const SM: &str = "urn:xmpp:sm:3";
const STREAMS: &str = "http://etherx.jabber.org/streams";
