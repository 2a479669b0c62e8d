//! The parts of the running program: watched while it runs, and stopped in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::StartError;
use super::supervisor::Supervisor;
use crate::clock;
use crate::component::call_tasks::CallTasks;
use crate::component::driver::DriverEnd;
use crate::component::{Input, STOPS_WITHIN};
use crate::http::Server;
use crate::media::engine::Engine;
use crate::sip::transport::UserAgent;
use crate::store::Store;

/// Handles to every part.
pub(super) struct Running {
    pub(super) store: Store,
    pub(super) inputs: mpsc::UnboundedSender<Input>,
    pub(super) calls: CallTasks,
    pub(super) driver: JoinHandle<DriverEnd>,
    pub(super) agent: UserAgent,
    pub(super) engine: Engine,
    pub(super) http: Option<Server>,
    pub(super) probing: JoinHandle<()>,
    /// SIGHUP came.
    pub(super) reload: Arc<Notify>,
    pub(super) reloading: JoinHandle<()>,
    pub(super) supervisor: Supervisor,
    /// What keeps it told.
    pub(super) told: JoinHandle<()>,
}

impl Running {
    /// Returns when a part has ended by itself, or the store was found damaged.
    pub(super) async fn broken(&mut self) -> StartError {
        let store = self.store.clone();
        tokio::select! {
            part = self.part_ended() => StartError::Broken(part),
            damage = store.damaged() => damage.into(),
        }
    }

    async fn part_ended(&mut self) -> &'static str {
        let http = async {
            match &self.http {
                Some(http) => http.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            end = &mut self.driver => match end {
                Ok(DriverEnd::LinkEnded) => "the XMPP link",
                Ok(DriverEnd::Stopped) | Err(_) => "the component",
            },
            () = self.store.ended() => "the writer thread of the store",
            () = self.engine.ended() => "the media thread",
            () = http => "the HTTP server",
            _ = &mut self.probing => "the probing of the trunks",
            _ = &mut self.reloading => "the reading of the configuration",
        }
    }

    /// Stops every part, within nine seconds whatever hangs, so that SIGTERM is obeyed within ten.
    ///
    /// A part that has ended already has no share: the calls end with CANCEL or BYE also when the component is gone.
    pub(super) async fn shut_down(self) {
        let Self { store, inputs, calls, driver, agent, http, probing, reloading, told, .. } = self;
        let begun = Instant::from_std(clock::now());
        probing.abort();
        reloading.abort();
        told.abort();
        // Of no use to a component that is gone; the calls are told by themselves.
        let _ = inputs.send(Input::Stop);
        calls.end_all();
        let component = async {
            if !driver.is_finished() {
                let _ = driver.await;
            }
            calls.ended().await;
        };
        let late = |part| warn!(part, "a part did not stop in time");
        if timeout_at(begun + COMPONENT_STOPS_WITHIN, component).await.is_err() {
            late("the component");
        }
        let trunks = async {
            if timeout_at(begun + EDGES_STOP_WITHIN, agent.close()).await.is_err() {
                late("SIP");
            }
        };
        let http = async {
            if let Some(http) = http
                && timeout_at(begun + EDGES_STOP_WITHIN, http.stop()).await.is_err()
            {
                late("the HTTP server");
            }
        };
        tokio::join!(trunks, http);
        if timeout_at(begun + STOPPED_WITHIN, store.close()).await.is_err() {
            late("the store");
        }
    }
}

/// What the component takes at most, and the goodbye on its stream.
const COMPONENT_STOPS_WITHIN: Duration = STOPS_WITHIN.saturating_add(Duration::from_secs(1));
const EDGES_STOP_WITHIN: Duration = Duration::from_secs(8);
const STOPPED_WITHIN: Duration = Duration::from_secs(9);
