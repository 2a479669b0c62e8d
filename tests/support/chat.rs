//! A person's chat client, and all that was read in it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use offhook::demo::chat_client::{ChatClient, ChatMessage, ChatUpdate};
use offhook::demo::child_process::ChildProcess;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::timeout;

/// Somebody who is logged in.
pub(crate) struct Chat {
    pub(crate) client: ChatClient,
    pub(crate) read: Vec<ChatMessage>,
    /// So many of them have been looked at by [`Chat::until`].
    looked_at: usize,
    server: String,
    asked: u64,
}

impl Chat {
    /// Logs `jid` in. The person is not online before [`Chat::comes_online`].
    pub(crate) async fn log_in(
        name: &'static str,
        server: SocketAddr,
        jid: &str,
        password: &str,
        folder: &Path,
    ) -> Self {
        let client = ChatClient::start(name, server, jid, password, folder).await.unwrap();
        let domain = jid.split(['@', '/']).nth(1).unwrap().to_owned();
        Self { client, read: Vec::new(), looked_at: 0, server: domain, asked: 0 }
    }

    /// Shows the person as available, and returns when the server has told everyone.
    pub(crate) async fn comes_online(&mut self, priority: i8) {
        self.client.online(priority).await.unwrap();
        self.reads_up_to_an_answer_of(&self.server.clone()).await;
    }

    /// Shows the person as unavailable, and returns when the server has told everyone. The client stays connected.
    pub(crate) async fn goes_offline(&mut self) {
        self.sends("<presence type='unavailable'/>").await;
        self.reads_up_to_an_answer_of(&self.server.clone()).await;
    }

    pub(crate) async fn write(&mut self, to: &str, id: &str, body: &str) {
        self.client.send(to, id, body).await.unwrap();
    }

    /// Sends a stanza as it is.
    pub(crate) async fn sends(&mut self, xml: &str) {
        self.client.send_raw(xml).await.unwrap();
    }

    /// Sends an IQ `get` or `set` and gives its answer, result or error, as XML.
    pub(crate) async fn asks(&mut self, kind: &str, to: &str, payload: &str) -> String {
        self.asked += 1;
        let id = format!("question{}", self.asked);
        self.sends(&format!("<iq type='{kind}' to='{to}' id='{id}'>{payload}</iq>")).await;
        loop {
            match self.client.next(LONG).await {
                Ok(ChatUpdate::Message(message)) => self.read.push(*message),
                Ok(ChatUpdate::Other(told)) if told["id"] == *id => {
                    return told["xml"].as_str().unwrap().to_owned();
                }
                Ok(ChatUpdate::Other(_)) => {}
                Err(error) => panic!("no answer to {payload}: {error}"),
            }
        }
    }

    /// Reads all that was on its way before `jid` answers: it has then handled all that was sent to it before.
    pub(crate) async fn reads_up_to_an_answer_of(&mut self, jid: &str) {
        self.asks("get", jid, "<ping xmlns='urn:xmpp:ping'/>").await;
    }

    /// Reads on until a message of which `wanted` is true, after the one that was found last.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&ChatMessage) -> bool,
    ) -> ChatMessage {
        loop {
            while let Some(message) = self.read.get(self.looked_at) {
                self.looked_at += 1;
                if wanted(message) {
                    return message.clone();
                }
            }
            match self.client.message(LONG, what, Some).await {
                Ok(message) => self.read.push(message),
                Err(error) => panic!("{error}; read: {:#?}", self.texts()),
            }
        }
    }

    /// Reads on until a message that says this.
    pub(crate) async fn reads(&mut self, words: &str) -> ChatMessage {
        let what = format!("\"{words}\"");
        self.until(&what, |message| message.body.as_deref().is_some_and(|it| it.contains(words)))
            .await
    }

    /// All texts so far, as the client shows them: a correction takes the place of what it corrects.
    pub(crate) fn shown(&self) -> Vec<&str> {
        let mut shown: Vec<(&str, &str)> = Vec::new();
        for message in &self.read {
            let Some(text) = message.text.as_deref() else { continue };
            let id = message.id.as_deref().unwrap_or_default();
            let corrected = message.replace.as_deref().unwrap_or_default();
            match shown.iter_mut().find(|(id, _)| *id == corrected) {
                Some(line) => line.1 = text,
                None => shown.push((id, text)),
            }
        }
        shown.into_iter().map(|(_, text)| text).collect()
    }

    /// The messages with this body.
    pub(crate) fn copies(&self, body: &str) -> usize {
        self.texts().iter().filter(|text| **text == body).count()
    }

    /// All bodies so far, in the order in which they came.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.read.iter().filter_map(|message| message.body.as_deref()).collect()
    }
}

/// A program that writes with a person's account: slixmpp left to itself says that it is a bot.
pub(crate) struct Bot {
    _part: ChildProcess,
    orders: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Bot {
    /// Logs it in.
    pub(crate) async fn log_in(
        server: SocketAddr,
        jid: &str,
        password: &str,
        folder: &Path,
    ) -> Self {
        let program = folder.join("bot.py");
        fs::write(&program, include_str!("bot.py")).unwrap();
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        let arguments = [&*program.to_string_lossy(), jid, password, &host, &port];
        let python = Path::new("/usr/bin/python3");
        let (part, orders, told) =
            ChildProcess::start_piped("bot", python, &arguments, folder).unwrap();
        let mut bot = Self { _part: part, orders, told: BufReader::new(told).lines() };
        bot.reads("ready").await;
        bot
    }

    pub(crate) async fn write(&mut self, to: &str, body: &str) {
        self.orders.write_all(format!("{to} {body}\n").as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
    }

    /// Reads on until a message that says this, and gives what it read before.
    pub(crate) async fn reads(&mut self, words: &str) -> Vec<String> {
        let mut before = Vec::new();
        let read = timeout(LONG, async {
            while let Some(line) = self.told.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
                before.push(line);
            }
            panic!("the bot has ended");
        });
        let read = read.await.is_ok();
        assert!(read, "the bot never reads \"{words}\", but {before:?}");
        before
    }
}

/// Longer than anything that is waited for takes on a busy machine; only a hang takes as long.
pub(crate) const LONG: Duration = Duration::from_secs(900);
