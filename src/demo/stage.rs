//! The four parts of the demo on one machine: a chat server, Offhook, a phone, and Alice.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::chat_client::ChatClient;
use super::child_process::{ChildProcess, DemoError, Folder, last_lines};
use super::phone::Phone;
use super::prosody::Prosody;
use super::terminal::Terminal;
use crate::seed::Seed;

/// All that runs. Dropping it ends everything and removes the folder.
#[derive(Debug)]
pub struct Stage {
    /// Alice, logged in and online.
    pub alice: ChatClient,
    /// Bob's phone.
    pub phone: Phone,
    /// Offhook itself.
    pub offhook: ChildProcess,
    /// Alice's and Bob's server.
    pub prosody: Prosody,
    /// Offhook's configuration.
    pub configuration: PathBuf,
    folder: Folder,
}

impl Stage {
    /// Starts everything.
    ///
    /// Errors: [`DemoError`], after showing the last lines of each part.
    pub async fn set(shown: &Terminal, interactive: bool) -> Result<Self, DemoError> {
        let folder = Folder::make()?;
        let room = |name: &str| folder.room(name);
        shown.waiting("starting a chat server (Prosody)");
        let secret = Seed::fresh().token();
        let people = [(ALICE, PASSWORD), (BOB, PASSWORD)];
        let prosody = Prosody::start(&room("prosody")?, &people, &secret).await;
        let prosody = or_log(shown, &folder, "prosody/prosody.log", prosody)?;

        shown.waiting("starting a phone (baresip)");
        let phone = Phone::start(&room("phone")?, NUMBER, None).await;
        let phone = or_log(shown, &folder, "phone/baresip.log", phone)?;

        shown.waiting("starting Offhook");
        let home = room("offhook")?;
        let configuration = home.join("component.toml");
        let written = component_toml(prosody.components, &secret, phone.sip, interactive);
        fs::write(&configuration, written)?;
        let offhook = launch(&configuration)?;

        let jid = format!("{ALICE}/demo");
        let clients = prosody.clients;
        let alice = ChatClient::start("alice", clients, &jid, PASSWORD, &room("alice")?).await;
        let alice = or_log(shown, &folder, "alice/alice.log", alice)?;
        let mut stage = Self { alice, phone, offhook, prosody, configuration, folder };
        if let Err(error) = stage.ready().await {
            stage.show_logs(shown);
            return Err(error);
        }
        Ok(stage)
    }

    async fn ready(&mut self) -> Result<(), DemoError> {
        self.alice.online(0).await?;
        let Self { alice, offhook, .. } = self;
        tokio::select! {
            reachable = alice.until_reachable(COMPONENT, REACHABLE) => reachable,
            error = ended(offhook) => Err(error),
        }
    }

    /// Has Offhook call the phone at this SIP URI from now on.
    ///
    /// Errors: what the file system says.
    pub async fn point_at(&mut self, phone: &str) -> Result<(), DemoError> {
        let written = fs::read_to_string(&self.configuration)?;
        let line = |line: &str| match line.starts_with("proxy = ") {
            true => format!("proxy = \"{phone}\"\n"),
            false => format!("{line}\n"),
        };
        fs::write(&self.configuration, written.lines().map(line).collect::<String>())?;
        self.offhook.stop().await;
        self.offhook = launch(&self.configuration)?;
        Ok(())
    }

    /// Shows what each part said last.
    pub fn show_logs(&self, shown: &Terminal) {
        let parts = [&self.prosody.part, &self.phone.part, &self.offhook, &self.alice.part];
        for part in parts {
            show(shown, part.name(), &part.last_lines(LOG_LINES));
        }
    }

    /// Ends everything in order, Offhook first, so that it can say goodbye.
    pub async fn clear(mut self) {
        self.offhook.stop().await;
        tokio::join!(self.phone.part.stop(), self.alice.part.stop(), self.prosody.part.stop());
    }

    /// Where everything is kept while it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn launch(configuration: &Path) -> Result<ChildProcess, DemoError> {
    let folder = configuration.parent().unwrap_or(configuration);
    let arguments = ["--config", &*configuration.to_string_lossy(), "run"];
    ChildProcess::start("offhook", &std::env::current_exe()?, &arguments, folder)
}

async fn ended(part: &mut ChildProcess) -> DemoError {
    while part.is_running() {
        sleep(LOOK).await;
    }
    DemoError::Ended(part.name())
}

/// Shows what a part that did not start said last.
fn or_log<T>(
    shown: &Terminal,
    folder: &Folder,
    log: &str,
    started: Result<T, DemoError>,
) -> Result<T, DemoError> {
    if let Err(DemoError::Ended(_) | DemoError::Late { .. }) = &started {
        let said = fs::read(folder.path().join(log)).unwrap_or_default();
        show(shown, log, &last_lines(&String::from_utf8_lossy(&said), LOG_LINES));
    }
    started
}

fn show(shown: &Terminal, name: &str, lines: &str) {
    shown.write(&format!("\n--- {name} said last:\n{lines}"));
}

fn component_toml(
    components: SocketAddr,
    secret: &str,
    phone: SocketAddr,
    interactive: bool,
) -> String {
    // Who plays with it must not wait for the next call.
    let throttle =
        if interactive { "throttle = [\"30/1m\"]\nsender_throttle = [\"30/1m\"]\n" } else { "" };
    format!(
        r#"[component]
jid = "{COMPONENT}"
server = "{components}"
secret = "{secret}"

[[trunk]]
name = "phone"
proxy = "sip:{phone}"
from = "sip:offhook@127.0.0.1"

[sip]
listen = "127.0.0.1:0"

[media]
listen = "127.0.0.1"

[dial]
allow = ["+999"]
wait_s = 1
quiet = ""
{throttle}
[[subscriber]]
jid = "{BOB}"
name = "Bob"
number = "{NUMBER}"
offline = "phone"
"#
    )
}

/// The component's address on the stage.
pub const COMPONENT: &str = "phone.localhost";
/// Who writes.
pub const ALICE: &str = "alice@localhost";
/// Who is phoned.
pub const BOB: &str = "bob@localhost";
/// Bob's address for people who write through the component (XEP-0106).
pub const BOB_BY_PHONE: &str = "bob\\40localhost@phone.localhost";
/// Bob's number, which no country has.
pub const NUMBER: &str = "+9995550100";
/// Of both.
pub const PASSWORD: &str = "offhook";
const REACHABLE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(200);
const LOG_LINES: usize = 15;
