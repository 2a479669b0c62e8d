//! The stage of a play: one chat server of either kind, Offhook beside it, and Alice who writes.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use offhook::cli::demo::chat_client::{ChatClient, ChatMessage};
use offhook::cli::demo::part::{Folder, free_port};
use offhook::cli::demo::prosody::{Extra, Prosody};
use tokio::task::spawn_blocking;

use crate::ejabberd::{self, Ejabberd};
use crate::offhook::Offhook;

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
                Self::Prosody(Box::new(Prosody::start(&room, &people, SECRET).await.unwrap()))
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
                let prosody = Prosody::start_with(&room, &people, SECRET, &extra).await;
                Self::Prosody(Box::new(prosody.unwrap()))
            }
            Kind::Ejabberd => {
                print("ejabberd", "mod_offhook.erl");
                let ebin = ejabberd::ebin().unwrap();
                let mut erlc = Command::new("erlc");
                erlc.arg("-o").arg(&room).arg("-pa").arg(ebin).arg(room.join("mod_offhook.erl"));
                assert!(erlc.status().unwrap().success());
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

    pub(crate) async fn restart_after(&mut self, away: Duration) {
        match self {
            Self::Prosody(prosody) => prosody.restart_after(away).await.unwrap(),
            Self::Ejabberd(ejabberd) => ejabberd.restart_after(away).await.unwrap(),
        }
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
pub(crate) struct House {
    pub(crate) offhook: Offhook,
    pub(crate) alice: Chat,
    pub(crate) server: Server,
    pub(crate) configuration: String,
    /// Where Offhook takes SIP.
    pub(crate) sip: SocketAddr,
    folder: Folder,
}

impl House {
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
        let alice = Chat::log_in("alice", "alice@localhost/desk", &server, &folder).await;
        let mut house = Self { offhook, alice, server, configuration, sip, folder };
        house.alice.client.online(0).await.unwrap();
        house.alice.client.until_reachable(COMPONENT, LONG).await.unwrap();
        house
    }

    /// Waits until Offhook knows who is online.
    pub(crate) async fn settled(mut self) -> Self {
        self.offhook.until_it_says("it is known who is online").await.unwrap();
        self
    }

    /// Logs somebody in. He is not online before he says so.
    pub(crate) async fn log_in(&self, name: &'static str, jid: &str) -> Chat {
        Chat::log_in(name, jid, &self.server, &self.folder).await
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

/// Somebody's chat client, and all that was read in it.
pub(crate) struct Chat {
    pub(crate) client: ChatClient,
    pub(crate) read: Vec<ChatMessage>,
}

impl Chat {
    async fn log_in(name: &'static str, jid: &str, server: &Server, folder: &Folder) -> Self {
        let room = folder.room(name).unwrap();
        let client = ChatClient::start(name, server.clients(), jid, PASSWORD, &room).await.unwrap();
        Self { client, read: Vec::new() }
    }

    pub(crate) async fn write(&mut self, to: &str, id: &str, body: &str) {
        self.client.send(to, id, body).await.unwrap();
    }

    /// Reads on until a message of which `wanted` is true.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&ChatMessage) -> bool,
    ) -> ChatMessage {
        let read = &mut self.read;
        let found = self.client.message(LONG, what, |message| {
            read.push(message.clone());
            wanted(&message).then_some(message)
        });
        let found = found.await;
        found.unwrap_or_else(|error| panic!("{error}; read: {:#?}", self.texts()))
    }

    /// Reads on until a message that says this.
    pub(crate) async fn reads(&mut self, words: &str) -> ChatMessage {
        let what = format!("\"{words}\"");
        self.until(&what, |message| message.body.as_deref().is_some_and(|it| it.contains(words)))
            .await
    }

    /// Reads all that comes within `time`.
    pub(crate) async fn rest(&mut self, time: Duration) {
        let read = &mut self.read;
        let _ = self
            .client
            .message(time, "nothing", |message| {
                read.push(message);
                None::<()>
            })
            .await;
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

    fn texts(&self) -> Vec<&str> {
        self.read.iter().filter_map(|message| message.body.as_deref()).collect()
    }
}

/// A `[[trunk]]` that reaches this phone.
pub(crate) fn trunk(phone: SocketAddr) -> String {
    format!("[[trunk]]\nproxy = \"sip:{phone}\"\nfrom = \"sip:offhook@127.0.0.1\"\n")
}

/// A `[dial]` without waiting, and with these lines.
pub(crate) fn dial(lines: &str) -> String {
    format!(
        "[dial]\nallow = [\"+999\"]\nquiet = \"\"\ntime_zone = \"UTC\"\nthrottle = []\nsender_throttle = []\n{lines}\n"
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
/// Longer than anything that is waited for takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);
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
