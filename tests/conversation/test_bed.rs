//! What a play runs on: one chat server of either kind, Offhook beside it, and Alice who writes.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use offhook::demo::child_process::{Folder, free_port};
use offhook::demo::phone::Phone;
use rusqlite::Connection;
use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::chat::{Bot, Chat};
use crate::ejabberd::{self, Ejabberd};
use crate::offhook::Offhook;
use crate::prosody::{Extra, Prosody};

pub(crate) use crate::chat::LONG;

/// Which chat server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Prosody,
    Ejabberd,
}

/// A running one, with all people of [`PEOPLE`].
pub(crate) enum Server {
    Prosody(Box<Prosody>),
    Ejabberd(Box<Ejabberd>),
}

impl Server {
    pub(crate) async fn start(kind: Kind, folder: &Folder) -> Self {
        let room = folder.room("server").unwrap();
        let people = PEOPLE.map(|jid| (jid, PASSWORD));
        match kind {
            Kind::Prosody => {
                let prosody = Prosody::start(&room, &people, SECRET, &Extra::default()).await;
                Self::Prosody(Box::new(prosody.unwrap()))
            }
            Kind::Ejabberd => {
                Self::Ejabberd(Box::new(Ejabberd::start(&room, &people, SECRET).await.unwrap()))
            }
        }
    }

    /// The same, with the module that hands messages over, as `docs/hand-over.md` installs it.
    async fn start_with_module(kind: Kind, folder: &Folder, privileged: bool) -> Self {
        let room = folder.room("server").unwrap();
        let people = PEOPLE.map(|jid| (jid, PASSWORD));
        let print = |server: &str, file: &str| {
            let module =
                Command::new(env!("CARGO_BIN_EXE_offhook")).args(["module", server]).output();
            fs::write(room.join(file), module.unwrap().stdout).unwrap();
        };
        match kind {
            Kind::Prosody => {
                print("prosody", "mod_offhook.lua");
                let plugins = format!("plugin_paths = {{ \"{}\" }}\n", room.display());
                let mut extra = Extra {
                    all: plugins,
                    host: "  modules_enabled = { \"offhook\"; \"privilege\" }\n  \
                           offhook_component = \"phone.localhost\"\n"
                        .into(),
                    component: "  modules_enabled = { \"privilege\" }\n".into(),
                };
                if privileged {
                    extra.host += "  privileged_entities = { [\"phone.localhost\"] = { message = \"outgoing\" } }\n";
                }
                let prosody = Prosody::start(&room, &people, SECRET, &extra).await;
                Self::Prosody(Box::new(prosody.unwrap()))
            }
            Kind::Ejabberd => {
                print("ejabberd", "mod_offhook.erl");
                ejabberd::compile(&room);
                let mut modules = "  mod_stream_mgmt:\n    resend_on_timeout: if_offline\n  \
                                   mod_offhook:\n    component: phone.localhost\n"
                    .to_owned();
                if privileged {
                    modules +=
                        "  mod_privilege:\n    message:\n      outgoing: speaks_for_people\n";
                }
                let ejabberd = Ejabberd::start_with(&room, &people, SECRET, &modules).await;
                Self::Ejabberd(Box::new(ejabberd.unwrap()))
            }
        }
    }

    /// Sends a message as a person does from a shell, with a packaged client.
    pub(crate) async fn sendxmpp(&self, name: &str, to: &str, text: &str) {
        let (host, server) = ("localhost", self.clients());
        let mut sendxmpp = Command::new("sendxmpp");
        sendxmpp.args(["-u", name, "-p", PASSWORD, "-o", host, "-r", "shell"]);
        sendxmpp.args(["-j", &format!("{}:{}", server.ip(), server.port()), "--no-tls-verify", to]);
        sendxmpp.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = sendxmpp.spawn().unwrap();
        running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let said = spawn_blocking(move || running.wait_with_output()).await.unwrap().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    pub(crate) async fn stop(&mut self) {
        match self {
            Self::Prosody(prosody) => prosody.stop().await,
            Self::Ejabberd(ejabberd) => ejabberd.stop().await,
        }
    }

    pub(crate) async fn start_again(&mut self) {
        match self {
            Self::Prosody(prosody) => prosody.start_again().await.unwrap(),
            Self::Ejabberd(ejabberd) => ejabberd.start_again().await.unwrap(),
        }
    }

    /// Does what ends the connection of a client, and waits until the server has seen that.
    pub(crate) async fn sees_end(&self, ends: impl AsyncFnOnce()) {
        let count = || match self {
            Self::Prosody(prosody) => prosody.disconnected(),
            Self::Ejabberd(ejabberd) => ejabberd.disconnected(),
        };
        let before = count();
        ends().await;
        let seen = async {
            while count() == before {
                sleep(STEP).await;
            }
        };
        timeout(LONG, seen).await.expect("the server sees no connection end");
    }

    fn clients(&self) -> SocketAddr {
        match self {
            Self::Prosody(prosody) => prosody.clients,
            Self::Ejabberd(ejabberd) => ejabberd.clients,
        }
    }

    pub(crate) fn components(&self) -> SocketAddr {
        match self {
            Self::Prosody(prosody) => prosody.components,
            Self::Ejabberd(ejabberd) => ejabberd.components,
        }
    }
}

/// All that a play needs but the phone.
pub(crate) struct TestBed {
    pub(crate) offhook: Offhook,
    pub(crate) alice: Chat,
    pub(crate) server: Server,
    pub(crate) configuration: String,
    /// Where Offhook takes SIP.
    pub(crate) sip: SocketAddr,
    folder: Folder,
}

impl TestBed {
    /// Starts everything. `rest` are the tables of `component.toml` after the ones that say where what is; see [`trunk`],
    /// [`dial`] and [`BOB`].
    pub(crate) async fn open(kind: Kind, folder: Folder, rest: &str) -> Self {
        Self::open_with(kind, folder, "", rest).await
    }

    /// The same, with further keys in `[component]`.
    pub(crate) async fn open_with(kind: Kind, folder: Folder, keys: &str, rest: &str) -> Self {
        let server = Server::start(kind, &folder).await;
        Self::beside(server, folder, [keys, ""], rest).await
    }

    /// The same, with people's calls taken, and further keys in `[sip]`.
    pub(crate) async fn open_for_callers(
        kind: Kind,
        folder: Folder,
        keys: &str,
        rest: &str,
    ) -> Self {
        let server = Server::start(kind, &folder).await;
        Self::beside(server, folder, ["", &format!("callback = true\n{keys}")], rest).await
    }

    /// Everything, beside a server that hands messages over.
    pub(crate) async fn open_with_module(
        kind: Kind,
        folder: Folder,
        privileged: bool,
        rest: &str,
    ) -> Self {
        let server = Server::start_with_module(kind, &folder, privileged).await;
        Self::beside(server, folder, ["", ""], rest).await
    }

    /// Further keys are for `[component]` and for `[sip]`.
    async fn beside(server: Server, folder: Folder, keys: [&str; 2], rest: &str) -> Self {
        let [component, sip_keys] = keys;
        let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        let configuration = format!(
            "[component]\njid = \"{COMPONENT}\"\nserver = \"{}\"\nsecret = \"{SECRET}\"\n{component}\
             [sip]\nlisten = \"{sip}\"\n{sip_keys}[media]\nlisten = \"127.0.0.1\"\n{rest}",
            server.components()
        );
        let room = folder.room("offhook").unwrap();
        let offhook = Offhook::start(&room, &configuration).unwrap();
        let alice = log_in("alice", "alice@localhost/desk", &server, &folder).await;
        let mut bed = Self { offhook, alice, server, configuration, sip, folder };
        bed.alice.comes_online(0).await;
        bed.alice.client.until_reachable(COMPONENT, LONG).await.unwrap();
        bed
    }

    /// Waits until Offhook knows who is online.
    pub(crate) async fn settled(mut self) -> Self {
        self.offhook.until_it_says("it is known who is online").await.unwrap();
        self
    }

    /// Logs somebody in. They are not online before they say so.
    pub(crate) async fn log_in(&self, name: &'static str, jid: &str) -> Chat {
        log_in(name, jid, &self.server, &self.folder).await
    }

    /// Logs a program in.
    pub(crate) async fn log_in_bot(&self, jid: &str) -> Bot {
        let room = self.folder.room("bot").unwrap();
        Bot::log_in(self.server.clients(), jid, PASSWORD, &room).await
    }

    /// Waits until no call is under way and all that is owed to people was sent, and has Alice read up to there.
    pub(crate) async fn settles(&mut self) {
        let store = self.store();
        let under_way = "SELECT (SELECT count(*) FROM attempts WHERE ended IS NULL)
                              + (SELECT count(*) FROM replies WHERE sent IS NULL)
                              + (SELECT count(*) FROM messages
                                 WHERE awaiting_sender_check = 1 AND ended IS NULL)";
        let count = || store.query_row(under_way, [], |row| row.get::<_, i64>(0)).unwrap();
        let settled = async {
            while count() > 0 {
                sleep(STEP).await;
            }
        };
        timeout(LONG, settled).await.expect("something is under way for ever");
        self.alice.reads_up_to_an_answer_of(COMPONENT).await;
    }

    /// Makes sure that of all messages that Offhook has taken so far none rings a phone, now or later, and that this one
    /// did not ring.
    pub(crate) async fn phones_nobody(&mut self, phone: &mut Phone) {
        self.settles().await;
        for message in self.held() {
            assert!(message["next_call"].is_null(), "a call is planned: {message}");
        }
        assert_eq!(self.calls(), Vec::<Value>::new(), "somebody was phoned");
        assert!(!rang(phone).await, "the phone rang");
    }

    /// Waits until no message is held any more and nothing is under way.
    pub(crate) async fn holds_nothing(&mut self) {
        let gone = async {
            while !self.held().is_empty() {
                sleep(STEP).await;
            }
        };
        let gone = timeout(LONG, gone).await;
        assert!(gone.is_ok(), "held for ever: {:?}", self.held());
        self.settles().await;
    }

    /// Waits until a message is held, of which its sender is told nothing.
    pub(crate) async fn holds_a_message(&self) {
        let held = async {
            while self.held().is_empty() {
                sleep(STEP).await;
            }
        };
        timeout(LONG, held).await.expect("nothing is held");
    }

    /// Waits until the message with this stanza `id` is held no more.
    pub(crate) async fn drops(&self, stanza_id: &str) {
        let dropped = async {
            while self.held().iter().any(|it| it["stanza_id"] == stanza_id) {
                sleep(STEP).await;
            }
        };
        timeout(LONG, dropped).await.expect("the message is held for ever");
    }

    /// Waits until a newer wording of the message with this stanza `id` is held than its first.
    pub(crate) async fn holds_newer(&self, stanza_id: &str) {
        let store = self.store();
        let sql = "SELECT 1 FROM messages WHERE stanza_id = ? AND last_id IS NOT NULL";
        let newer = async {
            while !store.prepare(sql).unwrap().exists([stanza_id]).unwrap() {
                sleep(STEP).await;
            }
        };
        timeout(LONG, newer).await.expect("the correction is not held");
    }

    /// What `offhook held` lists.
    pub(crate) fn held(&self) -> Vec<Value> {
        serde_json::from_str(&self.offhook.says(&["held", "--json"])).unwrap()
    }

    /// What `offhook calls` lists.
    pub(crate) fn calls(&self) -> Vec<Value> {
        serde_json::from_str(&self.offhook.says(&["calls", "--json"])).unwrap()
    }

    /// When Offhook received the message with this stanza `id`: what is said of it on the phone. Waits until it is held.
    pub(crate) async fn received(&self, stanza_id: &str) -> Timestamp {
        let store = self.store();
        let sql = "SELECT received FROM messages WHERE stanza_id = ?";
        let find = || store.query_row(sql, [stanza_id], |row| row.get::<_, i64>(0));
        let held = async {
            loop {
                match find() {
                    Ok(ms) => return Timestamp::from_millisecond(ms).unwrap(),
                    Err(_) => sleep(STEP).await,
                }
            }
        };
        timeout(LONG, held).await.expect("the message is never held")
    }

    /// Offhook's store, for what is to be read nowhere else.
    pub(crate) fn store(&self) -> Connection {
        Connection::open(self.offhook.folder().join("offhook.db")).unwrap()
    }

    /// Ends Offhook as an operator does, and looks into its log for what is nobody's business.
    pub(crate) async fn close(mut self, private: &[&str]) {
        assert_eq!(self.offhook.part.stop().await, Some(0), "{}", self.offhook.log());
        self.keeps_quiet(private);
    }

    /// Looks into Offhook's log for what is nobody's business.
    pub(crate) fn keeps_quiet(&self, private: &[&str]) {
        let log = self.offhook.log();
        for secret in private.iter().chain(NEVER_LOGGED) {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} stands in the log");
        }
    }
}

async fn log_in(name: &'static str, jid: &str, server: &Server, folder: &Folder) -> Chat {
    let room = folder.room(name).unwrap();
    Chat::log_in(name, server.clients(), jid, PASSWORD, &room).await
}

/// Whether the phone has rung since it was last waited for.
pub(crate) async fn rang(phone: &mut Phone) -> bool {
    // It tells in order: what happened before it has obeyed is told by then.
    phone.order("listcalls", "").await.unwrap();
    phone.event("CALL_INCOMING", Duration::ZERO).await.is_ok()
}

/// A `[[trunk]]` that reaches this phone.
pub(crate) fn trunk(phone: SocketAddr) -> String {
    format!("[[trunk]]\nproxy = \"sip:{phone}\"\nfrom = \"sip:offhook@127.0.0.1\"\n")
}

/// A `[dial]` without waiting, and with these lines.
pub(crate) fn dial(lines: &str) -> String {
    format!(
        "[dial]\nallow = [\"+999\"]\nquiet = \"\"\ntime_zone = \"UTC\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\n{lines}\n"
    )
}

/// Somebody whom this number reaches.
pub(crate) fn subscriber(name: &str, number: &str) -> String {
    let capital = name[..1].to_uppercase();
    format!(
        "[[subscriber]]\njid = \"{name}@localhost\"\nname = \"{capital}{}\"\nnumber = \"{number}\"\n",
        &name[1..]
    )
}

/// An address that nobody takes calls at.
pub(crate) const NO_PHONE: &str =
    "[[trunk]]\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:offhook@127.0.0.1\"\n";
pub(crate) const COMPONENT: &str = "phone.localhost";
pub(crate) const NUMBER: &str = "+9995550100";
pub(crate) const TO_BOB: &str = "bob\\40localhost@phone.localhost";
pub(crate) const TO_ALICE: &str = "alice\\40localhost@phone.localhost";
const STEP: Duration = Duration::from_millis(50);
const PEOPLE: [&str; 5] = [
    "alice@localhost",
    "bob@localhost",
    "carol@localhost",
    "dave@localhost",
    "eve@elsewhere.localhost",
];
const PASSWORD: &str = "password";
const SECRET: &str = "secret-of-the-component";
/// Numbers, addresses, secrets and keys.
const NEVER_LOGGED: &[&str] =
    &["99955501", "alice", "bob@", "bob\\", "carol", "dave@", "eve@", SECRET, "key=", "Key("];
