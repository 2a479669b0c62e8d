//! One XML stream to a chat server, and what is read from it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use minidom::Element;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

pub(crate) struct Wire {
    socket: TcpStream,
    namespace: &'static str,
    heard: String,
    elements: VecDeque<Element>,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr, namespace: &'static str) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        Self { socket, namespace, heard: String::new(), elements: VecDeque::new() }
    }

    /// Opens a stream, the first one or the next one; gives the server's header.
    pub(crate) async fn opens(&mut self, to: &str) -> String {
        let namespace = self.namespace;
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='{namespace}' xmlns:stream='{STREAMS}' to='{to}' version='1.0'>"
        );
        self.says(&header).await;
        let until = Instant::now() + PATIENCE;
        loop {
            let start = self.heard.find("<stream:stream");
            if let Some(start) = start
                && let Some(end) = self.heard[start..].find('>')
            {
                let rest = self.heard.split_off(start + end + 1);
                return std::mem::replace(&mut self.heard, rest);
            }
            assert!(self.reads(until).await, "no header came: {}", self.heard);
        }
    }

    pub(crate) async fn says(&mut self, xml: &str) {
        self.socket.write_all(xml.as_bytes()).await.unwrap();
    }

    /// The next element, if one comes in time.
    pub(crate) async fn hears_within(&mut self, time: Duration) -> Option<Element> {
        let until = Instant::now() + time;
        loop {
            if let Some(element) = self.elements.pop_front() {
                return Some(element);
            }
            let namespace = self.namespace;
            // Only whole elements make a whole document.
            let document =
                format!("<all xmlns='{namespace}' xmlns:stream='{STREAMS}'>{}</all>", self.heard);
            if let Ok(document) = document.parse::<Element>() {
                self.elements.extend(document.children().cloned());
                self.heard.clear();
            }
            if self.elements.is_empty() && !self.reads(until).await {
                return None;
            }
        }
    }

    /// The next element that `wanted` makes something of.
    pub(crate) async fn hears<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Element) -> Option<T>,
    ) -> T {
        let mut others = Vec::new();
        while let Some(element) = self.hears_within(PATIENCE).await {
            if let Some(found) = wanted(&element) {
                return found;
            }
            others.push(String::from(&element));
        }
        panic!("no {what} came, but {others:#?} {}", self.heard)
    }

    async fn reads(&mut self, until: Instant) -> bool {
        let mut chunk = vec![0; 65_536];
        let Ok(read) = timeout_at(until, self.socket.read(&mut chunk)).await else { return false };
        let read = read.unwrap_or(0);
        self.heard.push_str(&String::from_utf8_lossy(&chunk[..read]));
        read > 0
    }
}

/// Only a hang takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const STREAMS: &str = "http://etherx.jabber.org/streams";
