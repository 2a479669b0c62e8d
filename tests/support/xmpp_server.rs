//! A scripted XMPP server that takes one component (XEP-0114): it says and hears what a test wants.

#![allow(dead_code)] // Each test file plays other parts of it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

use std::collections::VecDeque;
use std::time::Duration;

use minidom::Element;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use xmpp_parsers::component::Handshake;

pub(crate) struct Server {
    listener: TcpListener,
}

/// One stream with a component.
pub(crate) struct Session {
    ear: Ear,
    mouth: Mouth,
}

/// The side on which the server listens.
pub(crate) struct Ear {
    socket: OwnedReadHalf,
    heard: Vec<u8>,
    stanzas: VecDeque<Element>,
}

/// The side on which the server speaks.
pub(crate) struct Mouth(OwnedWriteHalf);

impl Server {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Takes the next component, whose secret must be [`SECRET`].
    pub(crate) async fn accepts(&self) -> Session {
        let mut session = self.greets().await;
        let handshake = session.hears().await;
        let expected = Handshake::from_stream_id_and_password("id1".into(), SECRET);
        assert_eq!(Handshake::try_from(handshake).unwrap(), expected);
        session.says("<handshake/>").await;
        session
    }

    /// Takes the next component and turns it away after its handshake.
    pub(crate) async fn refuses(&self, condition: &str) {
        let mut session = self.greets().await;
        session.hears().await;
        session.ends(condition).await;
    }

    async fn greets(&self) -> Session {
        let (socket, _) = patiently(self.listener.accept()).await.unwrap();
        let (socket, mouth) = socket.into_split();
        let mut ear = Ear { socket, heard: vec![], stanzas: VecDeque::new() };
        while !ear.words().contains("to='phone.example.org'") || !ear.words().ends_with('>') {
            assert!(ear.reads().await, "the component hung up before it had greeted");
        }
        ear.heard.clear();
        let mut session = Session { ear, mouth: Mouth(mouth) };
        session.says(HEADER).await;
        session
    }
}

impl Session {
    pub(crate) async fn says(&mut self, xml: &str) {
        self.mouth.says(xml).await;
    }

    pub(crate) async fn says_bytes(&mut self, bytes: &[u8]) {
        self.mouth.0.write_all(bytes).await.unwrap();
        self.mouth.0.flush().await.unwrap();
    }

    /// Ends the stream for a reason.
    pub(crate) async fn ends(mut self, condition: &str) {
        let ns = "urn:ietf:params:xml:ns:xmpp-streams";
        self.says(&format!(
            "<stream:error><{condition} xmlns='{ns}'/><text xmlns='{ns}'>No.</text></stream:error></stream:stream>"
        ))
        .await;
    }

    /// The next stanza.
    pub(crate) async fn hears(&mut self) -> Element {
        self.ear.hears().await
    }

    /// The next stanza that is not a ping; pings come back at once.
    pub(crate) async fn hears_a_message(&mut self) -> Element {
        loop {
            let stanza = self.hears().await;
            if stanza.name() != "iq" {
                return stanza;
            }
            self.returns(&stanza).await;
        }
    }

    /// Hands a stanza back to the component that it is addressed to.
    pub(crate) async fn returns(&mut self, stanza: &Element) {
        self.says(&String::from(stanza)).await;
    }

    /// Everything until the component hangs up.
    pub(crate) async fn hears_the_end(mut self) -> String {
        while self.ear.reads().await {}
        self.ear.words()
    }

    /// Both sides, to be used at once.
    pub(crate) fn splits(self) -> (Ear, Mouth) {
        (self.ear, self.mouth)
    }
}

impl Mouth {
    pub(crate) async fn says(&mut self, xml: &str) {
        // The component may have hung up, which is for the test to notice.
        let _ = self.0.write_all(xml.as_bytes()).await;
    }
}

impl Ear {
    pub(crate) async fn hears(&mut self) -> Element {
        let stanza = self.hears_until_the_end().await;
        stanza.unwrap_or_else(|| panic!("the component hung up; last heard: {}", self.words()))
    }

    /// The next stanza; `None` when the component has hung up.
    pub(crate) async fn hears_until_the_end(&mut self) -> Option<Element> {
        loop {
            if let Some(stanza) = self.stanzas.pop_front() {
                return Some(stanza);
            }
            if !self.reads().await {
                return None;
            }
            let mut taken = 0;
            while let Some(length) = first_stanza(&self.heard[taken..]) {
                let xml = String::from_utf8_lossy(&self.heard[taken..taken + length]).into_owned();
                taken += length;
                let stream = format!("<stream xmlns='jabber:component:accept'>{xml}</stream>");
                let stream: Element = stream.parse().unwrap();
                self.stanzas.extend(stream.children().cloned());
            }
            self.heard.drain(..taken);
        }
    }

    async fn reads(&mut self) -> bool {
        let mut chunk = vec![0; 65_536];
        let read = patiently(self.socket.read(&mut chunk)).await.unwrap_or(0);
        self.heard.extend_from_slice(&chunk[..read]);
        read > 0
    }

    fn words(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}

/// The length of the first stanza, if all of it is there.
fn first_stanza(heard: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let start = at + heard[at..].iter().position(|byte| *byte == b'<')?;
        let mut quote = None;
        let length = heard[start..].iter().position(|byte| {
            match (*byte, quote) {
                (b'>', None) => return true,
                (b'"' | b'\'', None) => quote = Some(*byte),
                (byte, Some(open)) if byte == open => quote = None,
                _ => {}
            }
            false
        })?;
        let tag = &heard[start..=start + length];
        at = start + tag.len();
        match (tag[1], tag[tag.len() - 2]) {
            (b'?', _) => {}
            // The end of the stream is no stanza.
            (b'/', _) if depth == 0 => return None,
            (b'/', _) => depth -= 1,
            (_, b'/') => {}
            _ => depth += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Fails the test when the component does nothing for long.
pub(crate) async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(300), work).await.expect("nothing happened for 300 s")
}

pub(crate) const SECRET: &str = "secret";
const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
    xmlns:stream='http://etherx.jabber.org/streams' from='phone.example.org' id='id1'>";
