//! Starts the roles in order, and stops them in the reverse one.

mod assemble;
mod carrier;
mod front_desk;
mod inquiries;
pub mod live;
mod outbox;
mod switchboard;
pub mod test_call;
mod transcript;
mod upload_desk;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{interval, sleep, timeout};
use tracing::{info, warn};

use crate::call::{Exchange, WaysOut};
use crate::config::{self, Config};
use crate::seed::Seed;
use crate::store::erasure::LOOKS_EVERY;
use crate::store::{Store, StoreError};
use crate::xmpp::directory::{Directory, House};
use crate::xmpp::gateway::Gateway;
use crate::xmpp::link::{Link, LinkError};
use crate::xmpp::privilege::Grants;
use crate::{clock, dialer};
use front_desk::FrontDesk;
use inquiries::inquiries;
use switchboard::Switchboard;

/// Runs the component until SIGTERM or SIGINT; SIGHUP reads the configuration again.
///
/// Errors: what keeps it from starting, in one sentence.
pub async fn run(path: &Path, config: Config) -> Result<(), StartError> {
    let mut signals = Signals::new()?;
    let store = open_store(&config).await?;
    let recovered = store.recover(clock::timestamp()).await?;
    store.configure_subscribers(config.subscribers.clone(), clock::timestamp()).await?;
    if recovered > 0 {
        warn!(
            calls = recovered,
            "calls were cut off by a crash; they are made again when they may be"
        );
    }
    let (engine, speaker) = (assemble::engine(&config)?, assemble::speaker().await?);
    let (agent, trunks) = assemble::agent(&config).await?;
    warn_of_plain_text(&config);

    let (link, events) = tokio::select! {
        connected = Link::connect(assemble::link(&config), Seed::fresh()) => connected?,
        () = signals.end() => return Ok(()),
    };
    let people = Directory::new(&store.subscribers().await?);
    let house = assemble::house(&config);
    let gateway = Gateway::new(&config.component.jid, people, house, Seed::fresh());

    let (inquirer, inquiries) = inquiries(&config.component.jid, Seed::fresh());
    let served = assemble::http(&config, &store).await?;

    let ways = WaysOut::new(trunks);
    let probing = tokio::spawn(ways.clone().keep_probing(agent.clone()));
    let exchange = assemble::exchange(&config, agent, ways, engine, speaker, store.clone());
    let (exchange, exchanges) = watch::channel(Arc::new(exchange));
    let lines = Arc::new(Semaphore::new(assemble::lines(&config)));
    let (orders, ordered) = mpsc::channel(ORDERS_MAX);
    let (settled, is_settled) = watch::channel(false);
    let (stop_dialer, dialer_stops) = watch::channel(false);
    let (stop_switchboard, switchboard_stops) = watch::channel(false);
    let (stop_outbox, outbox_stops) = watch::channel(false);
    let (newcomers, people) = mpsc::channel(1);
    let (granted, is_granted) = watch::channel(Grants::default());

    let reception = tokio::spawn(dialer::receive(
        store.clone(),
        exchanges.clone(),
        lines.clone(),
        dialer_stops.clone(),
    ));
    let dialer = tokio::spawn(dialer::run(
        store.clone(),
        exchanges,
        lines.clone(),
        ordered,
        is_settled,
        dialer_stops,
    ));
    let (tells, news) = mpsc::channel(ORDERS_MAX);
    let front_desk = FrontDesk {
        store: store.clone(),
        orders: orders.clone(),
        news: tells,
        component: config.component.jid.clone(),
        zone: config.policy.zone.clone(),
        language: config.speech.language.clone(),
        hashing: Arc::new(Semaphore::new(1)),
    };
    let switchboard = Switchboard {
        store: store.clone(),
        link: link.clone(),
        events,
        gateway,
        inquiries,
        orders,
        lines,
        settled,
        people,
        front_desk,
        news,
        granted,
        stopping: switchboard_stops,
    };
    let switchboard = tokio::spawn(switchboard.run());
    let carrier = assemble::carrier(&config, &store, inquirer, outbox_stops.clone());
    let carrier = tokio::spawn(carrier.run());
    let component = config.component.jid.clone();
    let outbox =
        tokio::spawn(outbox::run(store.clone(), link.clone(), component, is_granted, outbox_stops));
    info!(version = env!("CARGO_PKG_VERSION"), "ready");

    let mut broken = false;
    let mut housekeeping = interval(HOUSEKEEPING);
    let mut erasing = interval(LOOKS_EVERY);
    tokio::pin!(dialer, reception, switchboard, outbox, carrier);
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::End => break,
                Asked::Reload => reload(path, &store, &exchange, &newcomers).await,
            },
            _ = housekeeping.tick() => expire(&store).await,
            _ = erasing.tick() => {
                if let Err(error) = store.erase_as_asked(clock::timestamp()).await {
                    warn!(%error, "what is to be erased was not");
                }
            }
            _ = &mut dialer => { broken = true; break }
            _ = &mut reception => { broken = true; break }
            _ = &mut switchboard => { broken = true; break }
            _ = &mut outbox => { broken = true; break }
            _ = &mut carrier => { broken = true; break }
        }
    }
    if broken {
        // Held messages are safe; what cannot be repaired from inside is better begun anew.
        return Err(StartError::Broken);
    }
    info!("stopping");
    probing.abort();
    let _ = stop_dialer.send(true);
    let _ = timeout(CALLS_END_MAX, async { tokio::join!(dialer, reception) }).await;
    let _ = stop_switchboard.send(true);
    let _ = timeout(FLUSH_MAX, switchboard).await;
    let _ = stop_outbox.send(true);
    let agent = exchange.borrow().agent.clone();
    let _ = timeout(FLUSH_MAX, async { tokio::join!(outbox, carrier, agent.close()) }).await;
    if let Some(served) = served {
        let _ = timeout(FLUSH_MAX, served.stop()).await;
    }
    link.close().await;
    store.close().await;
    info!("stopped");
    Ok(())
}

/// Opens the store. One that was killed a moment ago may hold it a little longer.
async fn open_store(config: &Config) -> Result<Store, StoreError> {
    let patience = clock::now() + PREDECESSOR_GONE_MAX;
    loop {
        match Store::open(&config.store, config.policy.clone()) {
            Err(StoreError::InUse(_)) if clock::now() < patience => sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

/// What is safe to change without dropping a call: policy, people, and what is said. The rest needs a restart.
async fn reload(
    path: &Path,
    store: &Store,
    exchange: &watch::Sender<Arc<Exchange>>,
    newcomers: &mpsc::Sender<(Directory, House)>,
) {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            warn!("the new configuration is refused, the old one stays:\n{mistakes}");
            return;
        }
    };
    let people = async {
        store.adopt(config.policy.clone(), clock::timestamp()).await?;
        store.configure_subscribers(config.subscribers.clone(), clock::timestamp()).await?;
        store.subscribers().await
    };
    match people.await {
        Ok(people) => {
            drop(newcomers.send((Directory::new(&people), assemble::house(&config))).await);
        }
        Err(error) => warn!(%error, "the new rules and people were not stored"),
    }
    exchange.send_modify(|exchange| {
        let old = (**exchange).clone();
        let (agent, ways) = (old.agent.clone(), old.ways.clone());
        let new = assemble::exchange(
            &config,
            agent,
            ways,
            old.engine.clone(),
            old.speaker.clone(),
            old.store,
        );
        *exchange = Arc::new(new);
    });
    info!(
        "the configuration was read again; [component], [[trunk]], [sip], [media] and [store] change at the next start"
    );
}

async fn expire(store: &Store) {
    loop {
        match store.expire(clock::timestamp()).await {
            Ok(0) => return,
            Ok(found) => info!(found, "what has served its time was let go"),
            Err(error) => return warn!(%error, "old messages were not let go"),
        }
    }
}

/// The secret and every message cross this connection as they are.
fn warn_of_plain_text(config: &Config) {
    let host = config.component.server.rsplit_once(':').map_or("", |(host, _)| host);
    if !assemble::is_local(host) {
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
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let on = |kind| signal(kind).map_err(StartError::Signals);
        let (term, int) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        Ok(Self { term, int, hup: on(SignalKind::hangup())? })
    }

    /// Waits for the end, while there is nothing to reload.
    async fn end(&mut self) {
        while let Asked::Reload = self.next().await {}
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.hup.recv() => Asked::Reload,
        }
    }
}

enum Asked {
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
    Scratch(std::io::Error),
    /// The rules do not let the test call be made.
    #[error("the number was not dialled; offhook check says what the configuration allows")]
    NotDialled,
    /// A part of the program ended by a mistake of ours.
    #[error(
        "a part of the program broke off; the log above says where. Held messages are safe: start it again"
    )]
    Broken,
}

const PREDECESSOR_GONE_MAX: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(50);
const ORDERS_MAX: usize = 256;
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// All three together stay below the 10 s in which SIGTERM is to be obeyed.
const CALLS_END_MAX: Duration = Duration::from_secs(4);
const FLUSH_MAX: Duration = Duration::from_secs(2);
