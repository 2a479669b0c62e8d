//! A person's chat client: slixmpp, driven over pipes.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use minidom::Element;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{sleep, timeout};

use super::child_process::{ChildProcess, DemoError};
use crate::xmpp::{ns, stanza};

/// A chat client that is logged in. It is not "online" before [`ChatClient::online`], but can send and ask.
///
/// Contract: accepts every contact request. What it receives waits until it is asked for by [`ChatClient::next`].
#[derive(Debug)]
pub struct ChatClient {
    orders: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
    /// The program.
    pub part: ChildProcess,
}

impl ChatClient {
    /// Logs `jid` (with a resource or without) in at `server`, without encryption.
    ///
    /// Errors: [`DemoError::Missing`] without Python or slixmpp, [`DemoError::Refused`] for a wrong password.
    pub async fn start(
        name: &'static str,
        server: SocketAddr,
        jid: &str,
        password: &str,
        folder: &Path,
    ) -> Result<Self, DemoError> {
        let program = folder.join("chat_client.py");
        fs::write(&program, PROGRAM)?;
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        let program = program.to_string_lossy();
        let arguments = ["-u", &program, jid, password, &host, &port];
        // Another Python first in the path would not see the distribution's slixmpp.
        let system = Path::new("/usr/bin/python3");
        let python = if system.is_file() { system } else { Path::new("python3") };
        let (part, orders, output) = ChildProcess::start_piped(name, python, &arguments, folder)?;
        let mut client = Self { orders, told: BufReader::new(output).lines(), part };
        let told = client.wait_for(LOGIN, "the chat client to log in", |told| match told {
            ChatUpdate::Other(value) => ["ready", "failed", "missing"]
                .iter()
                .find(|kind| value["event"] == **kind)
                .map(|kind| (*kind, value["reason"].as_str().unwrap_or_default().to_owned())),
            ChatUpdate::Message(_) => None,
        });
        match told.await? {
            ("ready", _) => Ok(client),
            ("missing", _) => Err(DemoError::Missing("python3-slixmpp".into())),
            (_, reason) => Err(DemoError::Refused { part: name, reason }),
        }
    }

    /// Shows the person as available.
    ///
    /// Errors: [`DemoError::System`] once the client has ended.
    pub async fn online(&mut self, priority: i8) -> Result<(), DemoError> {
        let mut presence = Element::bare("presence", CLIENT);
        presence.append_child(stanza::text("priority", CLIENT, &priority.to_string()));
        self.send_raw(&stanza::to_xml(&presence)).await
    }

    /// Writes a chat message.
    ///
    /// Errors: [`DemoError::System`] once the client has ended.
    pub async fn send(&mut self, to: &str, id: &str, body: &str) -> Result<(), DemoError> {
        let attributes = [("to", to), ("id", id), ("type", "chat")];
        let mut message = stanza::element("message", CLIENT, &attributes);
        message.append_child(stanza::text("body", CLIENT, body));
        self.send_raw(&stanza::to_xml(&message)).await
    }

    /// Sends a stanza, as it is.
    ///
    /// Errors: [`DemoError::System`] once the client has ended.
    pub async fn send_raw(&mut self, xml: &str) -> Result<(), DemoError> {
        self.orders.write_all(format!("{}\n", json!(xml)).as_bytes()).await?;
        Ok(self.orders.flush().await?)
    }

    /// Waits until `jid` answers what it is (XEP-0030): for a component, until it is connected.
    ///
    /// Errors: [`DemoError::Late`] if it does not.
    pub async fn until_reachable(&mut self, jid: &str, wait: Duration) -> Result<(), DemoError> {
        let asked = timeout(wait, async {
            for question in 1_u64.. {
                let id = format!("reachable-{jid}-{question}");
                let attributes = [("to", jid), ("id", &id), ("type", "get")];
                let mut iq = stanza::element("iq", CLIENT, &attributes);
                iq.append_child(Element::bare("query", ns::DISCO_INFO));
                self.send_raw(&stanza::to_xml(&iq)).await?;
                let answer = self.wait_for(ANSWER, jid, |told| match told {
                    ChatUpdate::Other(told) if told["id"] == *id => Some(told["type"] == "result"),
                    ChatUpdate::Other(_) | ChatUpdate::Message(_) => None,
                });
                match answer.await {
                    Ok(true) => return Ok(()),
                    Ok(false) | Err(DemoError::Late { .. }) => sleep(AGAIN).await,
                    Err(error) => return Err(error),
                }
            }
            unreachable!("the questions do not end")
        });
        let late = || DemoError::Late { what: format!("{jid} to be reachable"), waited: wait };
        asked.await.unwrap_or_else(|_| Err(late()))
    }

    /// Waits for what comes next.
    ///
    /// Errors: [`DemoError::Late`] if nothing comes, [`DemoError::Ended`] once the client has ended.
    pub async fn next(&mut self, wait: Duration) -> Result<ChatUpdate, DemoError> {
        self.wait_for(wait, "a stanza", Some).await
    }

    /// Waits for the first message that `wanted` makes something of; drops all before it.
    ///
    /// Errors: [`DemoError::Late`] if none comes, [`DemoError::Ended`] once the client has ended.
    pub async fn message<T>(
        &mut self,
        wait: Duration,
        what: &str,
        mut wanted: impl FnMut(ChatMessage) -> Option<T>,
    ) -> Result<T, DemoError> {
        self.wait_for(wait, what, |told| match told {
            ChatUpdate::Message(message) => wanted(*message),
            ChatUpdate::Other(_) => None,
        })
        .await
    }

    async fn wait_for<T>(
        &mut self,
        wait: Duration,
        what: &str,
        mut wanted: impl FnMut(ChatUpdate) -> Option<T>,
    ) -> Result<T, DemoError> {
        let read = timeout(wait, async {
            loop {
                let Some(line) = self.told.next_line().await? else {
                    return Err(DemoError::Ended(self.part.name()));
                };
                if let Some(found) = ChatUpdate::parse(&line).and_then(&mut wanted) {
                    return Ok(found);
                }
            }
        });
        let late = || DemoError::Late { what: what.to_owned(), waited: wait };
        read.await.unwrap_or_else(|_| Err(late()))
    }
}

/// What a chat client tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatUpdate {
    /// It received a message.
    Message(Box<ChatMessage>),
    /// Anything else, such as `{"event": "iq", "id": …, "type": …, "xml": …}`.
    Other(Value),
}

impl ChatUpdate {
    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        if value["event"] != "message" {
            return Some(Self::Other(value));
        }
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self::Message(Box::new(ChatMessage {
            from: text("from").unwrap_or_default(),
            id: text("id"),
            kind: text("type").unwrap_or_default(),
            body: text("body"),
            text: text("text"),
            replace: text("replace"),
            reply_to: text("reply_to"),
            delay: text("delay"),
            receipt: text("receipt"),
            error: text("error"),
            xml: text("xml").unwrap_or_default(),
        })))
    }
}

/// A message as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatMessage {
    /// Full JID of the sender.
    pub from: String,
    /// The stanza's `id`.
    pub id: Option<String>,
    /// `chat`, `normal`, `error`, ...
    pub kind: String,
    /// The whole body.
    pub body: Option<String>,
    /// The body without the quotation in it (XEP-0428).
    pub text: Option<String>,
    /// The message that this one corrects (XEP-0308).
    pub replace: Option<String>,
    /// The message that this one replies to (XEP-0461).
    pub reply_to: Option<String>,
    /// When it was first sent, if it waited (XEP-0203).
    pub delay: Option<String>,
    /// The message whose receipt this is (XEP-0184).
    pub receipt: Option<String>,
    /// The condition, if it is an error.
    pub error: Option<String>,
    /// All of it.
    pub xml: String,
}

impl ChatMessage {
    /// Whether Offhook says it by itself, and not for the person from whose address it comes.
    pub fn is_offhooks_own(&self) -> bool {
        self.text.as_deref().is_some_and(|text| text.starts_with('☎'))
    }
}

const PROGRAM: &str = include_str!("chat_client.py");
const CLIENT: &str = "jabber:client";
const LOGIN: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(300);
