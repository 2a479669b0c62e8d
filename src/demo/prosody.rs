//! A Prosody of our own, on loopback, without encryption, with people and a component.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child_process::{ChildProcess, DemoError, free_port, listening};

/// A running Prosody with the people's hosts, the component `phone.localhost`, and an upload service.
#[derive(Debug)]
pub struct Prosody {
    /// Where clients connect, unencrypted.
    pub clients: SocketAddr,
    /// Where the component connects (XEP-0114).
    pub components: SocketAddr,
    /// The program.
    pub part: ChildProcess,
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
        let configuration = Configuration::write(folder, people, secret)?;
        let part = configuration.launch().await?;
        Ok(Self { clients: configuration.clients, components: configuration.components, part })
    }
}

/// The files of a Prosody: its configuration and the people's accounts.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Where clients will connect.
    pub clients: SocketAddr,
    /// Where components will connect.
    pub components: SocketAddr,
    folder: PathBuf,
}

impl Configuration {
    /// Writes them into `folder`, for free ports.
    ///
    /// Errors: what the file system says.
    /// Contract: as of [`Prosody::start`].
    pub fn write(folder: &Path, people: &[(&str, &str)], secret: &str) -> Result<Self, DemoError> {
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
        let ports = [clients.port(), components.port(), free_port()?];
        let written = Self { clients, components, folder: folder.to_path_buf() };
        fs::write(written.file(), configuration(folder, &hosts, ports, secret))?;
        Ok(written)
    }

    /// The configuration file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("prosody.cfg.lua")
    }

    /// Starts Prosody with these files, and returns when clients and components can connect.
    ///
    /// Errors: as of [`Prosody::start`].
    pub async fn launch(&self) -> Result<ChildProcess, DemoError> {
        let file = self.file();
        let arguments = ["-F", "--config", &file.to_string_lossy()];
        let mut part =
            ChildProcess::start("prosody", Path::new("prosody"), &arguments, &self.folder)?;
        listening(&mut part, self.clients, START).await?;
        listening(&mut part, self.components, START).await?;
        Ok(part)
    }
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
  component_conflict_resolve = "kick_old"
Component "upload.localhost" "http_file_share"
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
const START: Duration = Duration::from_secs(60);
