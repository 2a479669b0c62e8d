//! A chat server of either kind with the module in it, as docs/hand-over.md says to put it there.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use offhook::demo::child_process::Folder;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::component::Component;
use crate::ejabberd::{self, Ejabberd};
use crate::prosody::{Extra, Prosody};
use crate::wire::PATIENCE;

/// Which chat server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Prosody,
    Ejabberd,
}

/// A running one, and those who are always there.
pub(crate) struct Server {
    program: Program,
    _folder: Folder,
}

enum Program {
    Prosody(Box<Prosody>),
    Ejabberd(Box<Ejabberd>),
}

/// How it is different.
pub(crate) struct Settings {
    /// Whether it has an archive (XEP-0313), so that messages have a `<stanza-id>`.
    pub(crate) archive: bool,
    /// How long a lost connection can be resumed, before its messages are stored. 0: as the server likes.
    pub(crate) resume_s: u32,
    /// Whether the module fails at whatever it does.
    pub(crate) fails: bool,
}

impl Server {
    pub(crate) async fn start(kind: Kind, settings: Settings) -> Self {
        let folder = Folder::make().unwrap();
        let room = folder.room("server").unwrap();
        let people = PEOPLE.map(|jid| (jid, PASSWORD));
        let program = match kind {
            Kind::Prosody => {
                write_module(&room, "prosody", "mod_offhook.lua", &settings);
                let extra = Extra {
                    all: format!("plugin_paths = {{ \"{}\" }}\n", room.display()),
                    host: of_host(&settings),
                    component: String::new(),
                };
                let prosody = Prosody::start(&room, &people, SECRET, &extra).await;
                Program::Prosody(Box::new(prosody.unwrap()))
            }
            Kind::Ejabberd => {
                write_module(&room, "ejabberd", "mod_offhook.erl", &settings);
                let warnings = ejabberd::compile(&room);
                assert!(settings.fails || warnings.is_empty(), "{warnings}");
                let modules = ejabberd_modules(&settings);
                let ejabberd = Ejabberd::start_with(&room, &people, SECRET, &modules).await;
                Program::Ejabberd(Box::new(ejabberd.unwrap()))
            }
        };
        Self { program, _folder: folder }
    }

    /// Starts one with a component that listens, and Alice, who writes.
    pub(crate) async fn with_alice(kind: Kind, settings: Settings) -> (Self, Component, Alice) {
        let server = Self::start(kind, settings).await;
        let component = Component::connect(&server).await;
        let alice = Alice::log_in(&server).await;
        (server, component, alice)
    }

    pub(crate) fn clients(&self) -> SocketAddr {
        match &self.program {
            Program::Prosody(prosody) => prosody.clients,
            Program::Ejabberd(ejabberd) => ejabberd.clients,
        }
    }

    /// How many connections of clients it has seen end.
    pub(crate) fn disconnected(&self) -> usize {
        match &self.program {
            Program::Prosody(prosody) => prosody.disconnected(),
            Program::Ejabberd(ejabberd) => ejabberd.disconnected(),
        }
    }

    /// The lines of its log in which the module warns, or in which it is warned of what the module does.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let log = match &self.program {
            Program::Prosody(prosody) => prosody.log(),
            Program::Ejabberd(ejabberd) => ejabberd.log(),
        };
        let is_of_the_module = |line: &&str| {
            let line = line.to_lowercase();
            ["warn", "error"].iter().any(|word| line.contains(word))
                && ["offhook", COMPONENT].iter().any(|word| line.contains(word))
        };
        log.lines().filter(is_of_the_module).map(str::to_owned).collect()
    }

    /// Waits until it has seen more end than these.
    pub(crate) async fn until_disconnected_after(&self, before: usize) {
        let seen = async {
            while self.disconnected() <= before {
                sleep(STEP).await;
            }
        };
        timeout(PATIENCE, seen).await.expect("the server sees no connection end");
    }

    pub(crate) fn components(&self) -> SocketAddr {
        match &self.program {
            Program::Prosody(prosody) => prosody.components,
            Program::Ejabberd(ejabberd) => ejabberd.components,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { archive: true, resume_s: 0, fails: false }
    }
}

/// She writes, and knows how to make sure that nothing else was handed over.
pub(crate) struct Alice {
    pub(crate) client: Client,
    fences: u32,
}

impl Alice {
    pub(crate) async fn log_in(server: &Server) -> Self {
        let mut client = Client::log_in(server, "alice", "desk").await;
        client.is_available(0).await;
        Self { client, fences: 0 }
    }

    /// Waits until the server has done what Alice's and other people's stanzas make it do. ejabberd has a process for each
    /// of them, and schedules them fairly: none is left behind by another one's many round trips.
    pub(crate) async fn settles(&mut self) {
        for _ in 0..ROUND_TRIPS {
            self.client.settles().await;
        }
    }

    /// Makes sure that the component is told nothing of all that happened until now: what it hears next is of somebody
    /// who is never there.
    pub(crate) async fn sees_to_it_that_nothing_is_told(&mut self, component: &mut Component) {
        self.settles().await;
        self.fences += 1;
        let id = format!("fence{}", self.fences);
        self.client.writes("nobody@localhost", &id, "Hello", "").await;
        component.is_told_of("nobody", "offline", &id).await;
    }
}

/// What the command prints.
pub(crate) fn printed(server: &str) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_offhook")).args(["module", server]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the module as the command prints it, or one that fails wherever it looks at a stanza.
fn write_module(folder: &Path, server: &str, file: &str, settings: &Settings) {
    let mut module = printed(server);
    if settings.fails {
        for (start, mistake) in MISTAKES {
            module = module.replace(start, &format!("{start}{mistake}"));
        }
        assert!(module.contains("broken"));
    }
    fs::write(folder.join(file), module).unwrap();
}

fn of_host(settings: &Settings) -> String {
    let archive = if settings.archive { "; \"mam\"" } else { "" };
    let resume = match settings.resume_s {
        0 => String::new(),
        seconds => format!("  smacks_hibernation_time = {seconds}\n"),
    };
    format!(
        "  modules_enabled = {{ \"offhook\"{archive} }}\n  offhook_component = \"{COMPONENT}\"\n  \
         offhook_receipt_wait = 1\n{resume}"
    )
}

fn ejabberd_modules(settings: &Settings) -> String {
    let mut modules = format!("  mod_offhook:\n    component: {COMPONENT}\n    receipt_wait: 1\n");
    if settings.archive {
        modules.push_str("  mod_mam:\n    default: always\n");
    }
    if settings.resume_s > 0 {
        let seconds = settings.resume_s;
        modules.push_str(&format!(
            "  mod_stream_mgmt:\n    resume_timeout: {seconds}\n    resend_on_timeout: if_offline\n"
        ));
    }
    modules
}

const MISTAKES: [(&str, &str); 2] = [
    ("\nlocal function is_written(stanza, user)\n", "\terror(\"broken\");\n"),
    ("\nis_written(#xmlel{children = Children} = Message, Jid) ->\n", "    error(broken),\n"),
];
pub(crate) const COMPONENT: &str = "phone.localhost";
pub(crate) const PASSWORD: &str = "password";
pub(crate) const SECRET: &str = "secret-of-the-component";
const PEOPLE: [&str; 4] =
    ["alice@localhost", "bob@localhost", "carol@localhost", "nobody@localhost"];
const ROUND_TRIPS: usize = 20;
const STEP: Duration = Duration::from_millis(20);
