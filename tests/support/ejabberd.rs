//! An ejabberd of our own, on loopback, without encryption, with people and a component.

#![allow(dead_code)] // Each test starts it in its own way.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, DemoError, free_port, listening};
use tokio::time::{sleep, timeout};

use crate::server_root;

/// A running ejabberd with the people's hosts and the component `phone.localhost`.
///
/// Contract: it is no Erlang node, so that any number of them run beside each other without epmd, and as any user.
pub(crate) struct Ejabberd {
    pub(crate) clients: SocketAddr,
    pub(crate) components: SocketAddr,
    part: ChildProcess,
    folder: PathBuf,
}

impl Ejabberd {
    /// Starts one in `folder`, and returns when clients and components can connect. `people` are bare JIDs and passwords.
    pub(crate) async fn start(
        folder: &Path,
        people: &[(&str, &str)],
        secret: &str,
    ) -> Result<Self, DemoError> {
        Self::start_with(folder, people, secret, "").await
    }

    /// The same with further lines under `modules`, which may name `mod_stream_mgmt` anew. Compiled modules are found in
    /// the folder itself.
    pub(crate) async fn start_with(
        folder: &Path,
        people: &[(&str, &str)],
        secret: &str,
        modules: &str,
    ) -> Result<Self, DemoError> {
        let clients = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let components = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        fs::create_dir_all(folder.join("spool"))?;
        let hosts: BTreeSet<&str> = people.iter().map(|(jid, _)| parts(jid).1).collect();
        let ports = [clients.port(), components.port(), free_port()?];
        let yml = configuration(&hosts, ports, secret, folder);
        let own = modules.contains("mod_stream_mgmt:");
        let yml = if own { yml.replace("  mod_stream_mgmt: {}\n", "") } else { yml };
        let yml = yml.replace("append_host_config:", &format!("{modules}append_host_config:"));
        fs::write(folder.join("ejabberd.yml"), yml)?;
        let part = launch(folder, people)?;
        let mut ejabberd = Self { clients, components, part, folder: folder.to_path_buf() };
        ejabberd.until_it_listens().await?;
        until_registered(&ejabberd.part, folder).await?;
        Ok(ejabberd)
    }

    /// How many connections of clients it has seen end.
    pub(crate) fn disconnected(&self) -> usize {
        self.log().matches("Closing c2s ").count()
    }

    /// All that it has said.
    pub(crate) fn log(&self) -> String {
        self.part.last_lines(usize::MAX)
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        self.part.stop().await;
    }

    /// Starts it again with the same accounts and ports.
    pub(crate) async fn start_again(&mut self) -> Result<(), DemoError> {
        self.part = launch(&self.folder, &[])?;
        self.until_it_listens().await
    }

    async fn until_it_listens(&mut self) -> Result<(), DemoError> {
        listening(&mut self.part, self.clients, START).await?;
        listening(&mut self.part, self.components, START).await?;
        Ok(())
    }
}

fn launch(folder: &Path, newcomers: &[(&str, &str)]) -> Result<ChildProcess, DemoError> {
    let file = |name: &str| folder.join(name).display().to_string();
    // ejabberdctl wants to be root and to become somebody else; what it runs in the end is this.
    let environment = [
        format!("ERL_LIBS={}", libraries()?.display()),
        format!("EJABBERD_CONFIG_PATH={}", file("ejabberd.yml")),
        format!("EJABBERD_LOG_PATH={}", file("ejabberd-all.log")),
        format!("ERL_CRASH_DUMP={}", file("crash.dump")),
        format!("HOME={}", folder.display()),
    ];
    let spool = format!("\"{}\"", file("spool"));
    let register = register(newcomers);
    let mut words = vec!["env"];
    words.extend(environment.iter().map(String::as_str));
    let modules = folder.display().to_string();
    words.extend(["erl", "-noinput", "+S", "2", "-pa", &modules, "-mnesia", "dir", &spool]);
    words.extend(["-s", "ejabberd", "-eval", &register]);
    server_root::start("ejabberd", folder, &words)
}

fn parts(jid: &str) -> (&str, &str) {
    jid.split_once('@').unwrap()
}

/// The folder in which the distribution keeps the libraries of Erlang programs, as its system sees it.
fn libraries() -> Result<PathBuf, DemoError> {
    let root = server_root::outside("/usr/lib");
    let share = server_root::outside("/usr/share");
    let folders = below(&root).into_iter().chain([root, share]);
    let found = folders.into_iter().find(|it| ebin_below(it).is_some());
    found.map(server_root::inside).ok_or_else(|| DemoError::Missing("ejabberd".into()))
}

/// Where ejabberd's own modules are, if this is the folder of libraries that has them.
fn ebin_below(libraries: &Path) -> Option<PathBuf> {
    let ebins = below(libraries).into_iter().map(|it| it.join("ebin"));
    ebins.into_iter().find(|ebin| ebin.join("ejabberd.app").is_file())
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    found.map(|entry| entry.path()).collect()
}

/// Compiles `mod_offhook.erl` in `folder`, as docs/hand-over.md says; gives the compiler's warnings.
pub(crate) fn compile(folder: &Path) -> String {
    let ebin = ebin_below(&server_root::outside(libraries().unwrap())).unwrap();
    let ebin = server_root::inside(ebin).display().to_string();
    let words = ["erlc", "-Wall", "-o", ".", "-pa", &ebin, "mod_offhook.erl"];
    let (program, arguments) = server_root::command(folder, &words);
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// An expression that makes the accounts, and a file when they are made.
fn register(people: &[(&str, &str)]) -> String {
    let people = people.iter().map(|(jid, password)| {
        let (name, host) = parts(jid);
        format!("{{<<\"{name}\">>, <<\"{host}\">>, <<\"{password}\">>}}")
    });
    let people = people.collect::<Vec<_>>().join(", ");
    format!(
        "[ok = ejabberd_auth:try_register(U, S, P) || {{U, S, P}} <- [{people}]], file:write_file(\"registered\", <<>>)."
    )
}

async fn until_registered(part: &ChildProcess, folder: &Path) -> Result<(), DemoError> {
    let made = timeout(START, async {
        while !folder.join("registered").exists() {
            sleep(STEP).await;
        }
    });
    let what = || format!("the accounts; {} said: {}", part.name(), part.last_lines(3));
    made.await.map_err(|_| DemoError::Late { what: what(), waited: START })
}

/// `global_routes: false`, or the component would get the traffic of every host of its listener.
fn configuration(
    hosts: &BTreeSet<&str>,
    [clients, components, http]: [u16; 3],
    secret: &str,
    folder: &Path,
) -> String {
    let folder = folder.display();
    let hosts = hosts.iter().copied().collect::<Vec<_>>().join(", ");
    let component = |name| format!("      {name}:\n        password: \"{secret}\"\n");
    let taken = COMPONENTS.map(component).concat();
    format!(
        r#"hosts: [{hosts}]
loglevel: info
certfiles: []
listen:
  - port: {clients}
    ip: "127.0.0.1"
    module: ejabberd_c2s
  - port: {components}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    shaper: none
    global_routes: false
    hosts:
{taken}  - port: {http}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /upload: mod_http_upload
acl:
  phone:
    server: phone.localhost
access_rules:
  speaks_for_people:
    - allow: phone
  upload:
    - allow: local
    - allow: phone
auth_method: internal
modules:
  mod_roster: {{}}
  mod_ping: {{}}
  mod_disco: {{}}
  mod_offline: {{}}
  mod_carboncopy: {{}}
  mod_privacy: {{}}
  mod_blocking: {{}}
  mod_stream_mgmt: {{}}
append_host_config:
  localhost:
    modules:
      mod_http_upload:
        put_url: "http://127.0.0.1:{http}/upload"
        docroot: "{folder}/files"
        access: upload
"#
    )
}

/// Ours, and two that measure it.
const COMPONENTS: [&str; 3] = ["phone.localhost", "echo.localhost", "load.localhost"];
/// Longer than it takes on a busy machine; only a hang takes as long.
const START: Duration = Duration::from_secs(180);
const STEP: Duration = Duration::from_millis(50);
