//! The stage of a flood: a scripted server that says all it has at once and hears everything, and Offhook.

use std::fs;
use std::time::Duration;

use minidom::Element;
use offhook::demo::child_process::Folder;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::offhook::Offhook;
use crate::xmpp_server::{Ear, Mouth, SECRET, Server, patiently};

/// Offhook on one stream, with Bob and Carol to be written to, both offline.
pub(crate) struct TestBed {
    offhook: Offhook,
    words: UnboundedSender<String>,
    heard: UnboundedReceiver<Element>,
    asked: u32,
    // Without its listener, a second stream would be no failure but an attempt.
    _server: Server,
    _folder: Folder,
}

impl TestBed {
    pub(crate) async fn open() -> Self {
        let (server, folder) = (Server::start().await, Folder::make().unwrap());
        let home = folder.room("offhook").unwrap();
        let offhook = Offhook::start(&home, &component_toml(server.port())).unwrap();
        let (ear, mouth) = server.accepts().await.splits();
        let (words, to_say) = unbounded_channel();
        let (tells, heard) = unbounded_channel();
        tokio::spawn(speak(mouth, to_say));
        tokio::spawn(listen(ear, words.clone(), tells));
        Self { offhook, words, heard, asked: 0, _server: server, _folder: folder }
    }

    /// Says something, after all that was said before.
    pub(crate) fn says(&self, xml: impl Into<String>) {
        self.words.send(xml.into()).unwrap();
    }

    /// Asks for a sign of life; gives what else was heard before it came.
    pub(crate) async fn hears_it_is_alive(&mut self) -> Vec<Element> {
        self.asked += 1;
        let id = format!("alive-{}", self.asked);
        self.says(iq("get", "example.org", COMPONENT, &id, "<ping xmlns='urn:xmpp:ping'/>"));
        let mut heard = self.hears_until(|it| it.attr("id") == Some(&id)).await;
        assert_eq!(heard.pop().unwrap().attr("type"), Some("result"));
        heard
    }

    /// Says all this, a part at a time so that what grows is not the queue; gives what was heard.
    pub(crate) async fn floods(&mut self, stanzas: impl Iterator<Item = String>) -> Vec<Element> {
        let (mut said, mut heard) = (0, vec![]);
        for stanza in stanzas {
            self.says(stanza);
            said += 1;
            if said % AT_ONCE == 0 {
                heard.extend(self.hears_it_is_alive().await);
            }
        }
        heard.extend(self.hears_it_is_alive().await);
        heard
    }

    /// Everything up to the stanza that is waited for, which is the last.
    pub(crate) async fn hears_until(&mut self, is_it: impl Fn(&Element) -> bool) -> Vec<Element> {
        let mut heard = vec![];
        loop {
            heard.push(self.hears().await);
            if heard.last().is_some_and(&is_it) {
                return heard;
            }
        }
    }

    /// The next stanza that is no ping.
    pub(crate) async fn hears(&mut self) -> Element {
        patiently(self.heard.recv()).await.expect("the stream is gone")
    }

    /// Somebody writes to Bob, and the message is held. They read that, unless it joins lines of which they have read it.
    pub(crate) async fn holds(&mut self, from: &str, id: &str) {
        self.says(message(from, TO_BOB, id, &format!("Hello, this is {id}")));
        self.hears_it_is_alive().await;
        let listed = async {
            while !self.held().iter().any(|held| held == id) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        patiently(listed).await;
    }

    /// The stanza `id`s of what `offhook held` lists, oldest first.
    pub(crate) fn held(&self) -> Vec<String> {
        let held: Value = serde_json::from_str(&self.offhook.says(&["held", "--json"])).unwrap();
        let ids =
            held.as_array().unwrap().iter().map(|it| it["stanza_id"].as_str().unwrap_or_default());
        ids.map(str::to_owned).collect()
    }

    /// Bob is there: gives the messages that are handed over, by `id`, once `last` is among them.
    pub(crate) async fn hands_bob(&mut self, last: &str) -> Vec<String> {
        self.says(presence("bob@example.org/phone", COMPONENT, None));
        let is_his = |it: &Element| it.name() == "message" && it.attr("to") == Some(BOB);
        let heard = self.hears_until(|it| is_his(it) && body(it).ends_with(last)).await;
        let words = heard.iter().filter(|it| is_his(it)).map(body);
        words.filter_map(|it| it.strip_prefix("Hello, this is ").map(str::to_owned)).collect()
    }

    /// Memory of the program, in kB.
    pub(crate) async fn resident_kb(&mut self) -> u64 {
        self.memory_kb("VmRSS:").await
    }

    /// The most memory that it ever had, in kB.
    pub(crate) async fn most_resident_kb(&mut self) -> u64 {
        self.memory_kb("VmHWM:").await
    }

    async fn memory_kb(&mut self, which: &str) -> u64 {
        // What was answered last is freed by the time that more is answered.
        for _ in 0..ROUND_TRIPS {
            self.hears_it_is_alive().await;
        }
        let pid = self.offhook.part.id().unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(which)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The whole play took place on one stream, nobody was phoned, and the log tells nothing private.
    pub(crate) async fn closes(mut self) {
        self.hears_it_is_alive().await;
        let log = self.offhook.log();
        assert_eq!(log.matches("link up").count(), 1, "{}", self.offhook.part.last_lines(30));
        for private in ["Hello, this is", "@example.org", "@example.net", "+99955501"] {
            let line = log.lines().find(|line| line.contains(private));
            assert_eq!(line, None, "{private} stands in the log");
        }
        assert_eq!(self.offhook.says(&["calls", "--json"]), "[]", "nobody is to be phoned");
        assert_eq!(self.offhook.part.stop().await, Some(0));
    }
}

async fn speak(mut mouth: Mouth, mut to_say: UnboundedReceiver<String>) {
    while let Some(xml) = to_say.recv().await {
        mouth.says(&xml).await;
    }
}

/// Hears without ever waiting to be heard: a server that did would stand still together with us.
async fn listen(mut ear: Ear, words: UnboundedSender<String>, tells: UnboundedSender<Element>) {
    while let Some(stanza) = ear.hears_until_the_end().await {
        let told = if stanza.has_child("ping", "urn:xmpp:ping") {
            // To ourselves, which is how it learns what the server has read.
            words.send(String::from(&stanza)).is_ok()
        } else {
            tells.send(stanza).is_ok()
        };
        if !told {
            return;
        }
    }
}

pub(crate) fn presence(from: &str, to: &str, kind: Option<&str>) -> String {
    let kind = kind.map(|kind| format!(" type='{kind}'")).unwrap_or_default();
    format!("<presence from='{from}' to='{to}'{kind}/>")
}

pub(crate) fn message(from: &str, to: &str, id: &str, body: &str) -> String {
    format!("<message type='chat' from='{from}' to='{to}' id='{id}'><body>{body}</body></message>")
}

pub(crate) fn iq(kind: &str, from: &str, to: &str, id: &str, payload: &str) -> String {
    format!("<iq type='{kind}' from='{from}' to='{to}' id='{id}'>{payload}</iq>")
}

pub(crate) fn body(message: &Element) -> String {
    message.get_child("body", NS).map(Element::text).unwrap_or_default()
}

fn component_toml(port: u16) -> String {
    // Port 9 takes no calls, and an hour is longer than any play.
    format!(
        "[component]\njid = \"{COMPONENT}\"\nserver = \"127.0.0.1:{port}\"\nsecret = \"{SECRET}\"\n\
         users = [\"example.org\"]\n\
         [[trunk]]\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:offhook@127.0.0.1\"\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nquiet = \"\"\ntime_zone = \"UTC\"\nwait_s = 3600\n\
         [[subscriber]]\njid = \"bob@example.org\"\nname = \"Bob\"\nnumber = \"+9995550100\"\n\
         [[subscriber]]\njid = \"carol@example.org\"\nname = \"Carol\"\nnumber = \"+9995550101\"\n"
    )
}

pub(crate) const COMPONENT: &str = "phone.example.org";
pub(crate) const BOB: &str = "bob@example.org";
pub(crate) const TO_BOB: &str = "bob\\40example.org@phone.example.org";
pub(crate) const ALICE: &str = "alice@example.org/desk";
const AT_ONCE: usize = 500;
const ROUND_TRIPS: usize = 20;
pub(crate) const NS: &str = "jabber:component:accept";
