//! A chat server for the benchmarks: as little of one as a component needs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// The server's end of XEP-0114: says yes to the handshake, answers pings, sends messages.
pub(crate) struct Server {
    pub(crate) stream: TcpStream,
    unread: String,
}

impl Server {
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut server = Self { stream, unread: String::new() };
        server.read_until("<stream:stream", ">");
        server.write("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='phone.bench' id='s1'>");
        server.read_until("<handshake", "</handshake>");
        server.write("<handshake/>");
        server
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn read_until(&mut self, start: &str, end: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.unread.find(start)
                && let Some(len) = self.unread[at..].find(end)
            {
                let found = self.unread[at..at + len].to_owned();
                self.unread.drain(..at + len + end.len());
                return found;
            }
            let len = self.stream.read(&mut buffer).unwrap();
            assert!(len > 0, "offhook closed the stream");
            self.unread.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
        }
    }

    /// Answers pings as they come.
    pub(crate) fn serve_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        let mut buffer = [0; 65536];
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|l| !l.is_zero())
        {
            self.stream.set_read_timeout(Some(left)).unwrap();
            if let Ok(len) = self.stream.read(&mut buffer) {
                assert!(len > 0, "offhook closed the stream");
                self.unread.push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
            while let Some(at) = self.unread.find("<iq ") {
                let Some(len) = self.unread[at..].find("</iq>") else { break };
                let iq = self.unread[at..at + len].to_owned();
                self.unread.drain(..at + len);
                if iq.contains("urn:xmpp:ping") {
                    let id = attribute(&iq, "id");
                    self.write(&format!(
                        "<iq type='result' id='{id}' from='bench' to='phone.bench'/>"
                    ));
                }
            }
        }
        self.stream.set_read_timeout(None).unwrap();
    }
}

fn attribute(element: &str, name: &str) -> String {
    let quoted = element.split(&format!(" {name}=")).nth(1).unwrap();
    let quote = quoted.chars().next().unwrap();
    quoted[1..].split(quote).next().unwrap().to_owned()
}
