//! The real program on a stream of a scripted server, told of a service manager that is a socket of the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use offhook::demo::child_process::Folder;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::xmpp_server::{SECRET, patiently};

/// A running Offhook. It goes with its test.
pub(crate) struct Offhook {
    child: Child,
    manager: UnixDatagram,
    folder: Folder,
}

impl Offhook {
    /// Starts it with this configuration; `watchdog`: how often it is to say that it lives, in microseconds.
    pub(crate) fn start(component_toml: &str, watchdog: Option<&str>, arguments: &[&str]) -> Self {
        let folder = Folder::make().unwrap();
        write(&folder.path().join("component.toml"), component_toml);
        let socket = folder.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command
            .args(arguments)
            .current_dir(folder.path())
            .env("NOTIFY_SOCKET", &socket)
            .env_remove("WATCHDOG_PID")
            .env_remove("JOURNAL_STREAM")
            .envs(watchdog.map(|every| ("WATCHDOG_USEC", every)))
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        Self { child: command.spawn().unwrap(), manager, folder }
    }

    /// The next that the service manager is told and that begins so.
    pub(crate) async fn tells(&self, beginning: &str) -> String {
        patiently(async {
            loop {
                let mut told = vec![0; 4096];
                let length = self.manager.recv(&mut told).await.unwrap();
                let told = String::from_utf8_lossy(&told[..length]).into_owned();
                if told.starts_with(beginning) {
                    return told;
                }
            }
        })
        .await
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until these words stand in its log, which is written beside its work.
    pub(crate) async fn says(&self, words: &str) {
        patiently(async {
            while !self.log().contains(words) {
                sleep(STEP).await;
            }
        })
        .await;
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    /// Has it read this configuration.
    pub(crate) fn reloads(&self, component_toml: &str) {
        write(&self.file("component.toml"), component_toml);
        self.signals(Signal::HUP);
    }

    pub(crate) fn signals(&self, signal: Signal) {
        let id = self.child.id().unwrap().cast_signed();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub(crate) async fn ends(&mut self) -> ExitStatus {
        patiently(self.child.wait()).await.unwrap()
    }
}

/// A configuration with the server at this port, and these lines behind it.
pub(crate) fn component_toml(server: u16, more: &str) -> String {
    format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{server}\"\nsecret = \"{SECRET}\"\n\
         [[trunk]]\nname = \"pbx\"\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:a@127.0.0.1\"\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nquiet = \"\"\nwait_s = 0\n\
         [[subscriber]]\njid = \"bob@example.org\"\nnumber = \"+9995550123\"\n{more}"
    )
}

/// Writes a file that only its owner can read.
pub(crate) fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

const STEP: Duration = Duration::from_millis(20);
