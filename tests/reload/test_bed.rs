//! The stage of a reload: a scripted server, people, a phone, and Offhook with a file that the test changes.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use minidom::Element;
use offhook::demo::child_process::{Folder, free_port};
use offhook::media::codec::Codec;
use offhook::script::prompt::Prompt;
use offhook::speech::{Pace, Speaker, SpeechSettings, Utterance};
use rusqlite::Connection;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::config_keys;
use crate::offhook::Offhook;
use crate::phone::{Call, Phone};
use crate::xmpp_server::{Ear, Mouth, Server, patiently};

pub(crate) struct TestBed {
    pub(crate) phone: Phone,
    /// Where Offhook takes SIP.
    pub(crate) sip: SocketAddr,
    /// Where it serves recordings.
    pub(crate) http: SocketAddr,
    pub(crate) blanks: Vec<(&'static str, String)>,
    offhook: Offhook,
    words: UnboundedSender<String>,
    heard: UnboundedReceiver<Element>,
    /// What was heard and not yet looked for.
    unread: Vec<Element>,
    written: u32,
    reloads: usize,
    speaker: Speaker,
    _server: Server,
    folder: Folder,
}

impl TestBed {
    /// Starts everything, with the first value of each key.
    pub(crate) async fn open() -> Self {
        let (server, phone) = (Server::start().await, Phone::start().await);
        let folder = Folder::make().unwrap();
        let port = || SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let (sip, http) = (port(), port());
        let blanks = blanks(server.port(), phone.address, sip, http);
        let file = config_keys::file(&blanks, |_| false);
        let home = folder.room("offhook").unwrap();
        write_files(&home);
        fs::write(home.join("first.toml"), &file).unwrap();
        let mut offhook = Offhook::start(&home, &file).unwrap();
        let (ear, mouth) = server.accepts().await.splits();
        let (words, to_say) = unbounded_channel();
        let (tells, heard) = unbounded_channel();
        tokio::spawn(speak(mouth, to_say));
        tokio::spawn(listen(ear, words.clone(), tells));
        offhook.until_it_says("it is known who is online").await.unwrap();
        let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_offhook")));
        let settings = SpeechSettings { program, ..SpeechSettings::default() };
        let speaker = Speaker::start(settings).await.unwrap();
        Self {
            phone,
            sip,
            http,
            blanks,
            offhook,
            words,
            heard,
            unread: vec![],
            written: 0,
            reloads: 0,
            speaker,
            _server: server,
            folder,
        }
    }

    /// Somebody writes a message; gives its id.
    pub(crate) fn writes(&mut self, from: &str, to: &str, text: &str) -> String {
        self.written += 1;
        let id = format!("m{}", self.written);
        let xml = format!(
            "<message type='chat' from='{from}/desk' to='{to}' id='{id}'><body>{text}</body></message>"
        );
        self.words.send(xml).unwrap();
        id
    }

    /// Waits until somebody reads this; gives all of that message's text.
    pub(crate) async fn reads(&mut self, who: &str, words: &str) -> String {
        let is_it = |it: &Element| {
            let to = it.attr("to").unwrap_or_default();
            it.name() == "message" && to.starts_with(who) && body(it).contains(words)
        };
        body(&self.hears(is_it, &format!("{who} to read \"{words}\"")).await)
    }

    /// Waits until this address is asked something.
    pub(crate) async fn is_asked(&mut self, who: &str) {
        let is_it = |it: &Element| it.name() == "iq" && it.attr("to") == Some(who);
        self.hears(is_it, &format!("{who} to be asked")).await;
    }

    async fn hears(&mut self, is_it: impl Fn(&Element) -> bool, what: &str) -> Element {
        if let Some(place) = self.unread.iter().position(&is_it) {
            return self.unread.remove(place);
        }
        let heard = async {
            loop {
                let stanza = self.heard.recv().await.expect("the stream is gone");
                if is_it(&stanza) {
                    return stanza;
                }
                self.unread.push(stanza);
            }
        };
        match tokio::time::timeout(LONG, heard).await {
            Ok(stanza) => stanza,
            Err(_) => {
                let read: Vec<String> = self.unread.iter().map(body).collect();
                panic!("waited for {what}; heard {read:#?}\n{}", self.offhook.part.last_lines(40));
            }
        }
    }

    /// Has Offhook read this file; gives the rest of the line in which it says that it has.
    pub(crate) async fn reloads(&mut self, file: &str) -> String {
        self.reloads += 1;
        let count = self.reloads;
        self.asks_to_reload(file);
        let done = async {
            while self.offhook.log().matches(RELOADED).count() < count {
                sleep(STEP).await;
            }
        };
        if tokio::time::timeout(LONG, done).await.is_err() {
            panic!("no reload\n{}", self.offhook.part.last_lines(40));
        }
        let log = self.offhook.log();
        let line = log.lines().rfind(|line| line.contains(RELOADED)).unwrap();
        assert!(line.contains(" INFO "), "{line}");
        line.split_once(RELOADED).unwrap().1.to_owned()
    }

    /// Has Offhook read this file, which it refuses; gives all that it says of it.
    pub(crate) async fn refuses(&mut self, file: &str) -> String {
        let before = self.offhook.log().len();
        self.asks_to_reload(file);
        self.offhook.until_it_says("the old one stays").await.unwrap();
        self.offhook.log()[before..].to_owned()
    }

    fn asks_to_reload(&self, file: &str) {
        fs::write(self.offhook.folder().join("component.toml"), file).unwrap();
        let id = self.offhook.part.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    /// A message that is held, as `offhook held` shows it.
    pub(crate) fn held(&self, id: &str) -> Option<Value> {
        let held = self.offhook.says(&["--config", "first.toml", "held", "--json"]);
        let held: Value = serde_json::from_str(&held).unwrap();
        held.as_array().unwrap().iter().find(|it| it["stanza_id"] == id).cloned()
    }

    /// When the next call about a message is planned.
    pub(crate) fn next_call(&self, id: &str) -> Option<jiff::Timestamp> {
        Some(self.held(id).unwrap()["next_call"].as_str()?.parse().unwrap())
    }

    /// Waits until a next call is planned, and gives when.
    pub(crate) async fn plans(&self, id: &str) -> jiff::Timestamp {
        let planned = async {
            loop {
                if self.held(id).is_some_and(|it| it["state"] == "waits for a call")
                    && let Some(at) = self.next_call(id)
                {
                    return at;
                }
                sleep(STEP).await;
            }
        };
        patiently(planned).await
    }

    /// The callee hangs up. Waits until the call is written down.
    pub(crate) async fn hangs_up(&self, call: &Call) {
        call.hangs_up().await;
        let over = async {
            let calls = || self.offhook.says(&["--config", "first.toml", "calls", "--json"]);
            while calls().contains("on the line") {
                sleep(STEP).await;
            }
        };
        patiently(over).await;
    }

    /// How this is spoken, as it reaches a phone, or the first seconds of it.
    pub(crate) async fn sound(&self, prompt: &Prompt) -> Vec<u8> {
        let (language, text) = (prompt.language.clone(), prompt.text.clone());
        let utterance = Utterance { language, text, keep: false, pace: Pace::Usual };
        let clip = self.speaker.say(&utterance, Codec::Pcmu).await.unwrap();
        clip.sound(0, clip.ms().min(3000)).to_vec()
    }

    /// How the recordings in the store begin: 0 is plain, 1 is sealed.
    pub(crate) fn recordings(&self) -> Vec<u8> {
        let store = Connection::open(self.offhook.folder().join("offhook.db")).unwrap();
        let mut find = store.prepare("SELECT sound FROM recordings").unwrap();
        let found = find.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        found.map(|sound| sound.unwrap()[0]).collect()
    }

    /// What is behind a link, head and body.
    pub(crate) async fn downloads(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut got = vec![];
        patiently(stream.read_to_end(&mut got)).await.unwrap();
        got
    }

    /// Ends Offhook as an operator does; it never ended by itself.
    pub(crate) async fn closes(mut self) {
        assert_eq!(self.offhook.part.stop().await, Some(0), "{}", self.offhook.log());
        let log = self.offhook.log();
        assert_eq!(log.matches("link up").count(), 1, "{}", self.offhook.part.last_lines(30));
        for private in ["@example.org", "+99955501", "0f0f", "password", "secret"] {
            let line = log.lines().find(|line| line.contains(private));
            let line = line.filter(|line| !line.contains(RELOADED));
            assert_eq!(line, None, "{private} stands in the log");
        }
        drop(self.folder);
    }
}

/// What the files of a test name.
pub(crate) fn blanks(
    server: u16,
    phone: SocketAddr,
    sip: SocketAddr,
    http: SocketAddr,
) -> Vec<(&'static str, String)> {
    let other = free_port().unwrap();
    let ports = [("server", server), ("other", other)].map(|(name, it)| (name, it.to_string()));
    let addresses = [("phone", phone), ("sip", sip), ("http", http)];
    ports.into_iter().chain(addresses.map(|(name, it)| (name, it.to_string()))).collect()
}

/// The files that the configuration names.
pub(crate) fn write_files(home: &std::path::Path) {
    let files = [
        ("other.secret", "another"),
        ("ca.pem", ""),
        ("voice.key", &*"0f".repeat(32)),
        ("http.token", "token"),
    ];
    for (name, content) in files {
        fs::write(home.join(name), content).unwrap();
        fs::set_permissions(home.join(name), Permissions::from_mode(0o600)).unwrap();
    }
}

async fn speak(mut mouth: Mouth, mut to_say: UnboundedReceiver<String>) {
    while let Some(xml) = to_say.recv().await {
        mouth.says(&xml).await;
    }
}

/// Answers as a server does that knows of nothing, and whose people's clients are no programs.
async fn listen(mut ear: Ear, words: UnboundedSender<String>, tells: UnboundedSender<Element>) {
    while let Some(stanza) = ear.hears_until_the_end().await {
        let (from, to) =
            (stanza.attr("from").unwrap_or_default(), stanza.attr("to").unwrap_or_default());
        let id = stanza.attr("id").unwrap_or_default();
        if stanza.has_child("ping", "urn:xmpp:ping") {
            // To the component itself, which is how it learns what the server has read.
            let _ = words.send(String::from(&stanza));
            continue;
        }
        if stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set")) {
            let answer = if to.contains('@') {
                format!(
                    "<iq type='result' from='{to}' to='{from}' id='{id}'>\
                     <query xmlns='http://jabber.org/protocol/disco#info'>\
                     <identity category='client' type='pc'/></query></iq>"
                )
            } else {
                format!(
                    "<iq type='error' from='{to}' to='{from}' id='{id}'><error type='cancel'>\
                     <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
                )
            };
            let _ = words.send(answer);
        }
        if tells.send(stanza).is_err() {
            return;
        }
    }
}

fn body(message: &Element) -> String {
    let body = message.children().find(|it| it.name() == "body");
    body.map(Element::text).unwrap_or_default()
}

const RELOADED: &str = "configuration reloaded";
const STEP: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);
