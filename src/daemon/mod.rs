//! Starts the roles in order, and stops them in the reverse one.

mod health;
pub mod preflight;
mod reload;
mod running;
mod supervisor;
pub mod test_call;
mod wiring;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::sleep;
use tracing::{error, info, warn};

use self::health::Observed;
use self::reload::Reload;
pub use self::reload::SetLogLevels;
use self::running::Running;
use self::supervisor::Supervisor;
use crate::address_scope::is_loopback;
use crate::call::end_broken;
use crate::clock;
use crate::component::call_tasks::CallTasks;
use crate::component::driver::{Driver, Inputs};
use crate::component::user_commands::UserCommands;
use crate::component::{Component, Now};
use crate::config::{Config, Fixed};
use crate::numbers::Numbers;
use crate::seed::Seed;
use crate::store::{Store, StoreError};
use crate::trunks::TrunkPool;
use crate::xmpp::directory::Directory;
use crate::xmpp::gateway::Gateway;
use crate::xmpp::link::iq::iq_tracker;
use crate::xmpp::link::{Link, LinkError};

/// Runs the component until SIGTERM or SIGINT; SIGHUP reads the configuration again.
///
/// Errors: what keeps it from starting, or which part of it ended, in one sentence.
pub async fn run(path: &Path, config: Config, set_levels: SetLogLevels) -> Result<(), StartError> {
    let mut signals = Signals::new()?;
    set_levels(config.live.log_levels.as_ref());
    let started = start(path, config, set_levels, &mut signals).await?;
    let Some(mut running) = started else { return Ok(()) };
    info!(version = env!("CARGO_PKG_VERSION"), "ready");
    let broken = loop {
        tokio::select! {
            asked = signals.next() => match asked {
                SignalAction::End => break None,
                SignalAction::Reload => running.reload.notify_one(),
            },
            broken = running.broken() => break Some(broken),
        }
    };
    match &broken {
        // Held messages are safe; what cannot be repaired from inside is better begun anew.
        Some(StartError::Broken(part)) => {
            error!(part, "a part of the program ended by itself; stopping");
        }
        // What has found it has said so.
        Some(_) => {}
        None => info!("stopping"),
    }
    running.supervisor.stopping();
    running.shut_down().await;
    match broken {
        Some(broken) => Err(broken),
        None => {
            info!("stopped");
            Ok(())
        }
    }
}

// Long: a list of parts, each made of those before it.
/// Starts the parts in order. `None` if a signal ends the program before it is connected.
async fn start(
    path: &Path,
    config: Config,
    set_levels: SetLogLevels,
    signals: &mut Signals,
) -> Result<Option<Running>, StartError> {
    let store = open_store(&config).await?;
    let recovered = store.recover(clock::moment()).await?;
    let Config { fixed, live, .. } = config;
    store.configure_subscribers(live.subscribers.clone(), clock::moment()).await?;
    if recovered > 0 {
        warn!(
            calls = recovered,
            "calls were cut off by a crash; they are made again when they may be"
        );
    }
    let (engine, speaker) = (wiring::engine(&fixed)?, wiring::speaker(&fixed).await?);
    let (agent, trunks) = wiring::agent(&fixed, true).await?;
    end_broken(&agent, &trunks, store.take_dialogs().await?);
    warn_of_plain_text(&fixed);

    let trunk_pool = TrunkPool::new(trunks);
    let served = wiring::served(&fixed, &live);
    let (live, live_settings) = watch::channel(Arc::new(live));
    let (link_state, link_is_up) = watch::channel(false);
    let numbers = Numbers::default();
    let observed = Observed {
        link: link_is_up.clone(),
        trunk_pool: trunk_pool.clone(),
        voices: fixed.voices.as_slice().into(),
        live: live_settings.clone(),
        store: fixed.store.as_path().into(),
        audit: store.clone(),
        numbers: numbers.clone(),
    };
    // Before the server is there, so that somebody who watches sees that it is not.
    let http = wiring::http(&fixed, &live_settings, &store, observed).await?;

    let supervisor = Supervisor::new(&fixed.component.server);
    let (link, events) = tokio::select! {
        connected = Link::connect(wiring::link(&fixed), Seed::fresh()) => connected?,
        () = signals.end() => {
            supervisor.stopping();
            return Ok(None);
        }
        never = supervisor.waits_for_server() => match never {},
    };
    let people = Directory::new(&store.subscribers().await?);
    let jid = fixed.component.jid.clone();
    let gateway = Gateway::new(&jid, people, served, Seed::fresh());
    let (iq_client, iq_tracker) = iq_tracker(&jid, Seed::fresh());
    let probing = tokio::spawn(trunk_pool.clone().keep_probing(agent.clone()));
    let context = Arc::new(wiring::context(
        agent.clone(),
        trunk_pool,
        engine.clone(),
        speaker,
        store.clone(),
        live_settings.clone(),
        numbers,
    ));
    link_state.send_replace(true);
    let (asks, pulse) = mpsc::channel(1);
    let (inputs, calls) = (Inputs::new(), CallTasks::new());
    let sender = inputs.sender();
    let user_commands = UserCommands {
        store: store.clone(),
        inputs: inputs.sender(),
        component: jid.clone(),
        live: live_settings.clone(),
        hashing: Arc::new(Semaphore::new(1)),
    };
    let lines = wiring::lines(&fixed);
    let voice_replies = wiring::voice_replies(&fixed, live_settings, &store, iq_client);
    let now = Now { mono: clock::now(), at: clock::moment() };
    let mut driver = Driver {
        component: Component::new(jid, gateway, lines, now),
        store: store.clone(),
        link,
        events,
        iq_tracker,
        context,
        calls: calls.clone(),
        user_commands,
        voice_replies: Arc::new(voice_replies),
        inputs,
        link_state,
        pulse,
    };
    let driver = tokio::spawn(async move { driver.run().await });
    let path = path.to_owned();
    let reload = Reload {
        path,
        fixed,
        live,
        store: store.clone(),
        inputs: sender.clone(),
        supervisor: supervisor.clone(),
        set_levels,
    };
    let (reload, reloading) = reload.start();
    supervisor.ready();
    let told = tokio::spawn(supervisor.clone().keep_told(link_is_up, asks));
    if signals.reload_waits {
        reload.notify_one();
    }
    Ok(Some(Running {
        store,
        inputs: sender,
        calls,
        driver,
        agent,
        engine,
        http,
        probing,
        reload,
        reloading,
        supervisor,
        told,
    }))
}

/// Opens the store. One that was killed a moment ago may hold it a little longer.
async fn open_store(config: &Config) -> Result<Store, StoreError> {
    let patience = clock::now() + PREDECESSOR_GONE_MAX;
    loop {
        match Store::open(&config.fixed.store, config.live.policy.clone()) {
            Err(StoreError::InUse(_)) if clock::now() < patience => sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

/// The secret and every message cross this connection as they are.
fn warn_of_plain_text(fixed: &Fixed) {
    let host = fixed.component.server.rsplit_once(':').map_or("", |(host, _)| host);
    if !is_loopback(host) {
        warn!(
            "component.server is another machine and XEP-0114 is not encrypted; put a tunnel between them"
        );
    }
}

/// The signals that mean something to us.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    /// SIGHUP came while there was nothing to reload yet.
    reload_waits: bool,
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let on = |kind| signal(kind).map_err(StartError::Signals);
        let (term, int) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        Ok(Self { term, int, hup: on(SignalKind::hangup())?, reload_waits: false })
    }

    /// Waits for the end, and notes what else is asked for meanwhile.
    async fn end(&mut self) {
        while let SignalAction::Reload = self.next().await {
            self.reload_waits = true;
        }
    }

    async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.term.recv() => SignalAction::End,
            _ = self.int.recv() => SignalAction::End,
            _ = self.hup.recv() => SignalAction::Reload,
        }
    }
}

enum SignalAction {
    End,
    Reload,
}

/// Why the component did not start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The XMPP server.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// SIP.
    #[error(transparent)]
    Sip(#[from] crate::sip::transport::TransportError),
    /// RTP.
    #[error(transparent)]
    Media(#[from] crate::media::engine::MediaError),
    /// Speech.
    #[error(transparent)]
    Speech(#[from] crate::speech::SpeechError),
    /// The HTTP server.
    #[error(transparent)]
    Http(#[from] crate::http::HttpError),
    /// The operating system.
    #[error("signals cannot be caught: {0}")]
    Signals(std::io::Error),
    /// The test call has no place for its store.
    #[error("the folder for temporary files cannot be used: {0}")]
    TempDir(std::io::Error),
    /// The rules do not let the test call be made.
    #[error("the number was not dialled; offhook check says what the configuration allows")]
    NotDialled,
    /// A limit of the day is reached, or could be by the test call.
    #[error("the number was not dialled: {0} has no room for a call now")]
    Limit(String),
    /// A part of the program ended by a mistake of ours.
    #[error(
        "{0} ended by itself; the log above says why. Held messages are safe: start the program again"
    )]
    Broken(&'static str),
}

const PREDECESSOR_GONE_MAX: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(50);
