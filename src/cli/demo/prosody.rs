//! A Prosody of our own, on loopback, without encryption, with people and a component.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::part::{DemoError, Part, free_port, listening};

/// A running Prosody with the people's hosts, the component `phone.localhost`, and an upload service.
#[derive(Debug)]
pub struct Prosody {
    /// Where clients connect, unencrypted.
    pub clients: SocketAddr,
    /// Where the component connects (XEP-0114).
    pub components: SocketAddr,
    /// What the component says to be let in.
    pub secret: String,
    /// The program.
    pub part: Part,
    folder: PathBuf,
}

/// Further lines of its configuration.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Before everything.
    pub all: String,
    /// In each host of people.
    pub host: String,
    /// In the component.
    pub component: String,
}

impl Prosody {
    /// Starts one in `folder`, and returns when clients and components can connect.
    ///
    /// Errors: [`DemoError::Missing`] without Prosody, [`DemoError::Ended`] and [`DemoError::Late`] if it does not come up.
    /// Contract: `people` are bare JIDs and passwords, both of letters, digits, `.`, `@` and `-` only.
    pub async fn start(
        folder: &Path,
        people: &[(&str, &str)],
        secret: &str,
    ) -> Result<Self, DemoError> {
        Self::start_with(folder, people, secret, &Extra::default()).await
    }

    /// The same with further lines in the configuration.
    pub async fn start_with(
        folder: &Path,
        people: &[(&str, &str)],
        secret: &str,
        extra: &Extra,
    ) -> Result<Self, DemoError> {
        let clients = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let components = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut hosts = BTreeSet::new();
        for (jid, password) in people {
            let (name, host) = jid.split_once('@').unwrap_or((jid, "localhost"));
            hosts.insert(host);
            let accounts = folder.join("data").join(host.replace('.', "%2e")).join("accounts");
            fs::create_dir_all(&accounts)?;
            let account = format!("return {{ [\"password\"] = \"{password}\" }};\n");
            fs::write(accounts.join(format!("{name}.dat")), account)?;
        }
        fs::create_dir_all(folder.join("certs"))?;
        let file = folder.join(CONFIGURATION);
        let ports = [clients.port(), components.port(), free_port()?];
        let text = configuration(folder, &hosts, ports, secret);
        let host = |host: &str| format!("VirtualHost \"{host}\"\n");
        let with =
            |text: String, name: &&str| text.replace(&host(name), &(host(name) + &extra.host));
        let text = hosts
            .iter()
            .fold(text, with)
            .replace(CONFLICT, &format!("{CONFLICT}{}", extra.component));
        fs::write(file, format!("{}{text}", extra.all))?;
        let mut prosody = Self {
            clients,
            components,
            secret: secret.to_owned(),
            part: launch(folder)?,
            folder: folder.to_path_buf(),
        };
        prosody.until_it_listens().await?;
        Ok(prosody)
    }

    /// Ends it, waits, and starts it again with the same accounts and ports.
    ///
    /// Errors: as of [`Prosody::start`].
    pub async fn restart_after(&mut self, away: Duration) -> Result<(), DemoError> {
        self.part.stop().await;
        sleep(away).await;
        self.part = launch(&self.folder)?;
        self.until_it_listens().await
    }

    async fn until_it_listens(&mut self) -> Result<(), DemoError> {
        listening(&mut self.part, self.clients, START).await?;
        listening(&mut self.part, self.components, START).await?;
        Ok(())
    }
}

fn launch(folder: &Path) -> Result<Part, DemoError> {
    let file = folder.join(CONFIGURATION);
    let arguments = ["-F", "--config", &file.to_string_lossy()];
    Part::start("prosody", Path::new("prosody"), &arguments, folder)
}

fn configuration(
    folder: &Path,
    hosts: &BTreeSet<&str>,
    [clients, components, http]: [u16; 3],
    secret: &str,
) -> String {
    let folder = folder.display();
    let mut text = String::from(FIXED);
    let _ = write!(
        text,
        r#"pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}/certs"
c2s_ports = {{ {clients} }}
component_ports = {{ {components} }}
http_ports = {{ {http} }}
"#
    );
    for host in hosts {
        let _ = writeln!(text, "VirtualHost \"{host}\"");
    }
    let _ = write!(
        text,
        r#"Component "phone.localhost"
  component_secret = "{secret}"
{CONFLICT}Component "upload.localhost" "http_file_share"
  http_external_url = "http://127.0.0.1:{http}/"
  http_file_share_access = {{ "phone.localhost"; "localhost" }}
"#
    );
    text
}

/// Without `run_as_root` Prosody refuses to be started by root, as the README says to.
const FIXED: &str = r#"run_as_root = true
log = { { levels = { min = "info" }, to = "console" } }
interfaces = { "127.0.0.1" }
c2s_interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_default_host = "upload.localhost"
https_ports = {}
s2s_ports = {}
legacy_ssl_ports = {}
c2s_direct_tls_ports = {}
modules_enabled = { "roster"; "saslauth"; "disco"; "ping"; "carbons"; "smacks"; "offline"; "blocklist" }
modules_disabled = { "s2s"; "tls" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
"#;
const CONFLICT: &str = "  component_conflict_resolve = \"kick_old\"\n";
const CONFIGURATION: &str = "prosody.cfg.lua";
const START: Duration = Duration::from_secs(20);
