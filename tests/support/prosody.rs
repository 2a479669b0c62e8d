//! A Prosody of our own with more in its configuration than the demo wants, which can go and come again.

#![allow(dead_code)] // Each test starts it in its own way.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, DemoError, listening};
use offhook::demo::prosody::Configuration;

use crate::server_root;

/// A running Prosody with the people's hosts, the component `phone.localhost`, and an upload service.
pub(crate) struct Prosody {
    pub(crate) clients: SocketAddr,
    pub(crate) components: SocketAddr,
    pub(crate) part: ChildProcess,
    configuration: Configuration,
    folder: PathBuf,
}

/// Further lines of its configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// Before everything.
    pub(crate) all: String,
    /// In each host of people.
    pub(crate) host: String,
    /// In the component.
    pub(crate) component: String,
}

impl Prosody {
    /// Starts one in `folder`, and returns when clients and components can connect. `people` are bare JIDs and passwords.
    pub(crate) async fn start(
        folder: &Path,
        people: &[(&str, &str)],
        secret: &str,
        extra: &Extra,
    ) -> Result<Self, DemoError> {
        let configuration = Configuration::write(folder, people, secret)?;
        let mut text = extra.all.clone();
        for line in fs::read_to_string(configuration.file())?.lines() {
            text += &format!("{line}\n");
            if line.starts_with("VirtualHost ") {
                text += &extra.host;
            }
            if line.trim_start().starts_with("component_conflict_resolve") {
                text += &extra.component;
            }
        }
        fs::write(configuration.file(), text)?;
        let part = launch(&configuration, folder).await?;
        let (clients, components) = (configuration.clients, configuration.components);
        Ok(Self { clients, components, part, configuration, folder: folder.to_path_buf() })
    }

    /// How many connections of clients it has seen end.
    pub(crate) fn disconnected(&self) -> usize {
        self.log().matches("Client disconnected").count()
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
        self.part = launch(&self.configuration, &self.folder).await?;
        Ok(())
    }
}

async fn launch(configuration: &Configuration, folder: &Path) -> Result<ChildProcess, DemoError> {
    let file = configuration.file();
    let words = ["prosody", "-F", "--config", &file.to_string_lossy()];
    let mut part = server_root::start("prosody", folder, &words)?;
    listening(&mut part, configuration.clients, START).await?;
    listening(&mut part, configuration.components, START).await?;
    Ok(part)
}

/// Longer than it takes on a busy machine; only a hang takes as long.
const START: Duration = Duration::from_secs(180);
