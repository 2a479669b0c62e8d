//! Somebody who writes many messages: a component too, but of plain text on a socket, so that it costs little.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use xmpp_parsers::component::Handshake;

pub(crate) struct Load {
    stream: TcpStream,
    /// The end of what was read, which may hold the beginning of what is looked for.
    unread: Vec<u8>,
    next: usize,
}

impl Load {
    /// Source: XEP-0114 §3.
    pub(crate) fn connect(address: SocketAddr, secret: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut load = Self { stream, unread: Vec::new(), next: 0 };
        load.write(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{HOST}'>"
        ));
        let header = load.read_until("<stream:stream", ">");
        let quote = header.split(" id=").nth(1).unwrap();
        let id = quote[1..].split(&quote[..1]).next().unwrap();
        let proof = Handshake::from_stream_id_and_password(id.to_owned(), secret);
        let digest: String = proof.data.unwrap().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        load.write(&format!("<handshake>{digest}</handshake>"));
        load.read_until("<handshake", ">");
        load.unread.clear();
        load
    }

    /// Waits until a component answers; while it is not connected, its server does, with an error.
    pub(crate) fn until_there(&mut self, host: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.write(&message(host, self.next));
            let answer = self.read_until("<message", "</message>");
            if !answer.contains("<error") {
                return self.unread.clear();
            }
            assert!(Instant::now() < until, "{host} does not connect: {answer}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Has so many messages go there and back, [`WINDOW`] of them at a time.
    pub(crate) fn round_trips(&mut self, host: &str, messages: usize) {
        let (mut sent, mut back) = (0, 0);
        let mut chunk = [0; 65_536];
        while back < messages {
            let mut batch = String::new();
            while sent < messages && sent - back < WINDOW {
                batch += &message(host, self.next);
                self.next += 1;
                sent += 1;
            }
            self.write(&batch);
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server hung up");
            self.unread.extend_from_slice(&chunk[..read]);
            back += self.count();
        }
        assert_eq!(back, messages, "more came back than went");
    }

    /// Messages that are complete by now.
    fn count(&mut self) -> usize {
        let (mut found, mut at) = (0, 0);
        while let Some(end) = self.unread[at..].iter().position(|&byte| byte == b'<') {
            let rest = &self.unread[at + end..];
            if rest.len() < END.len() {
                at += end;
                break;
            }
            found += usize::from(rest.starts_with(END));
            assert!(!rest.starts_with(b"<error"), "{}", String::from_utf8_lossy(rest));
            at += end + 1;
        }
        self.unread.drain(..at);
        found
    }

    fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    fn read_until(&mut self, start: &str, end: &str) -> String {
        let mut chunk = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&self.unread).into_owned();
            if let Some(at) = text.find(start)
                && let Some(length) = text[at..].find(end)
            {
                self.unread.drain(..at + length + end.len());
                return text[at..at + length].to_owned();
            }
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server hung up");
            self.unread.extend_from_slice(&chunk[..read]);
        }
    }
}

/// As a chat client writes it.
fn message(host: &str, number: usize) -> String {
    format!(
        "<message type='chat' id='m{number}' from='alice@{HOST}/desk' to='bob\\40localhost@{host}'><body>Server room is 38 degrees, can you come?</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='m{number}'/></message>"
    )
}

pub(crate) const HOST: &str = "load.localhost";
/// Messages on their way at once.
const WINDOW: usize = 200;
const END: &[u8] = b"</message>";
const PATIENCE: Duration = Duration::from_secs(30);
