//! SIGHUP: reads the configuration again and gives what may change to its owners, while calls go on.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{info, warn};

use super::supervisor::Supervisor;
use super::wiring;
use crate::clock;
use crate::component::Input;
use crate::config::{self, Fixed, Live};
use crate::log_levels::LogLevels;
use crate::store::Store;
use crate::xmpp::directory::Directory;

/// What a reload changes.
pub(super) struct Reload {
    /// The configuration.
    pub(super) path: PathBuf,
    /// What the program was started with.
    pub(super) fixed: Fixed,
    /// Where the owners of live keys read them.
    pub(super) live: watch::Sender<Arc<Live>>,
    pub(super) store: Store,
    /// Where the component learns of people and rules.
    pub(super) inputs: mpsc::UnboundedSender<Input>,
    pub(super) supervisor: Supervisor,
    pub(super) set_levels: SetLogLevels,
}

/// Takes what `[log]` says of how much is logged.
pub type SetLogLevels = Box<dyn Fn(Option<&LogLevels>) + Send + Sync>;

impl Reload {
    /// Reads the file in a task of its own at each notice, so that no signal waits for the store.
    pub(super) fn start(self) -> (Arc<Notify>, JoinHandle<()>) {
        let notice = Arc::new(Notify::new());
        let noticed = notice.clone();
        let task = tokio::spawn(async move {
            loop {
                noticed.notified().await;
                self.supervisor.reloading();
                let failed = self.run().await.err();
                self.supervisor.reloaded(failed);
            }
        });
        (notice, task)
    }

    /// Reads the file. A file with a mistake changes nothing.
    ///
    /// Errors: a sentence for the service manager; the log has the reason.
    async fn run(&self) -> Result<(), &'static str> {
        let path = self.path.clone();
        // Thousands of people take a part of a second, for which no call or stanza waits.
        let read = spawn_blocking(move || config::read(&path)).await;
        let config = match read {
            Ok(Ok(config)) => config,
            Err(error) => {
                warn!(%error, "the new configuration is not read, the old one stays");
                return Err(NOT_READ);
            }
            Ok(Err(mistakes)) => {
                warn!("the new configuration has mistakes, the old one stays:\n{mistakes}");
                return Err(MISTAKES);
            }
        };
        let (policy, subscribers) = (config.live.policy.clone(), config.live.subscribers.clone());
        let people = match self.store.adopt(policy, subscribers, clock::moment()).await {
            Ok(people) => people,
            Err(error) => {
                warn!(%error, "the new configuration is not stored, the old one stays");
                return Err(NOT_STORED);
            }
        };
        (self.set_levels)(config.live.log_levels.as_ref());
        let served = wiring::served(&self.fixed, &config.live);
        self.live.send_replace(Arc::new(config.live));
        // A component that is gone is a program that ends.
        let _ = self.inputs.send(Input::Settings(Directory::new(&people), Box::new(served)));
        let waiting = self.fixed.differing_keys(&config.fixed);
        if waiting.is_empty() {
            info!("configuration reloaded");
        } else {
            info!("configuration reloaded; {} change at the next start", waiting.join(", "));
        }
        Ok(())
    }
}

const NOT_READ: &str = "The new configuration could not be read, the old one stays";
const MISTAKES: &str = "The new configuration has mistakes, the old one stays; the log names them";
const NOT_STORED: &str = "The new configuration could not be stored, the old one stays";
