//! What the service manager is told: that we are ready, reload, stop and live, and a sentence for `systemctl status`. Edge.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{interval, sleep};
use tracing::debug;

/// The service manager, where one has started us; else nobody hears what it is told.
///
/// Source: sd_notify(3).
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    server: String,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    is_linked: bool,
    reload: Option<&'static str>,
}

impl Supervisor {
    /// `server`: as the operator wrote it in `component.server`.
    pub(super) fn new(server: &str) -> Self {
        Self { server: server.to_owned(), known: Arc::default() }
    }

    /// The stream to the server is up for the first time.
    pub(super) fn ready(&self) {
        self.known().is_linked = true;
        tell(&[NotifyState::Ready, NotifyState::Status(&self.status())]);
    }

    /// Says after a while that the server is waited for, so that a start does not wait for it, too, and that we live.
    pub(super) async fn waits_for_server(&self) -> Infallible {
        let beats = async {
            let Some(every) = sd_notify::watchdog_enabled() else {
                return std::future::pending::<Infallible>().await;
            };
            let mut beat = interval(every / 2);
            loop {
                beat.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        };
        let waits = async {
            sleep(SERVER_ANSWERS_WITHIN).await;
            tell(&[NotifyState::Ready, NotifyState::Status(&self.status())]);
            std::future::pending::<Infallible>().await
        };
        tokio::select! { never = beats => never, never = waits => never }
    }

    /// The configuration is being read again.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => debug!(%error, "the service manager was not told of the reload"),
        }
    }

    /// It is read; `failed` says what became of it otherwise.
    pub(super) fn reloaded(&self, failed: Option<&'static str>) {
        self.known().reload = failed;
        tell(&[NotifyState::Ready, NotifyState::Status(&self.status())]);
    }

    /// The program ends.
    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
    }

    /// Follows the stream to the server, and asks the component at each half of the watchdog's time whether it lives.
    ///
    /// Contract: a component that does not answer is not said to live.
    pub(super) async fn keep_told(
        self,
        mut link: watch::Receiver<bool>,
        pulse: mpsc::Sender<oneshot::Sender<()>>,
    ) {
        let watchdog = sd_notify::watchdog_enabled();
        let mut beat = interval(watchdog.map_or(NEVER, |every| every / 2));
        loop {
            tokio::select! {
                changed = link.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.known().is_linked = *link.borrow_and_update();
                    tell(&[NotifyState::Status(&self.status())]);
                }
                _ = beat.tick(), if watchdog.is_some() => {
                    let (answer, answered) = oneshot::channel();
                    if pulse.send(answer).await.is_ok() && answered.await.is_ok() {
                        tell(&[NotifyState::Watchdog]);
                    }
                }
            }
        }
    }

    fn status(&self) -> String {
        let known = self.known();
        let link = match known.is_linked {
            true => format!("Linked to the XMPP server at {}", self.server),
            false => format!(
                "No link to the XMPP server at {}; it is tried again. Nobody is phoned meanwhile",
                self.server
            ),
        };
        match known.reload {
            None => link,
            Some(failed) => format!("{failed}. {link}"),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        debug!(%error, "the service manager was not told");
    }
}

/// A wrong secret ends the program within this time, so that the start fails where everybody sees it.
const SERVER_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
const NEVER: Duration = Duration::from_secs(86_400);
