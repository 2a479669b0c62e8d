//! From what the operator wrote to what the edges take.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::carrier::Carrier;
use super::inquiries::Inquirer;
use super::upload_desk::UploadDesk;
use crate::call::{Exchange, WaysOut, WideBand};
use crate::config::{Config, Sip};
use crate::http::{File, HttpError, Limits, Server, Shelf};
use crate::media::engine::{Engine, EngineSettings, MediaError};
use crate::media::stream;
use crate::recording::Format;
use crate::script::Terms;
use crate::sealing;
use crate::seed::Seed;
use crate::sip::transport::{SipSettings, TransportError, UserAgent};
use crate::sip::trunk::Trunk;
use crate::speech::{Speaker, SpeechError, SpeechSettings};
use crate::store::Store;
use crate::upload::{Patience, Uploader};
use crate::xmpp::directory::House;
use crate::xmpp::link::{self, LinkSettings};

/// The link's settings.
pub(super) fn link(config: &Config) -> LinkSettings {
    LinkSettings {
        jid: config.component.jid.clone(),
        server: config.component.server.clone(),
        secret: config.component.secret.clone(),
        patience: link::Patience::default(),
    }
}

/// The media thread.
pub(super) fn engine(config: &Config) -> Result<Engine, MediaError> {
    let settings = EngineSettings {
        listen: config.media.listen,
        advertise: config.media.advertise,
        ports: config.media.ports.clone(),
        patience: stream::Patience::with_silence(config.media.silence),
    };
    Engine::start(settings, Seed::fresh())
}

/// The speaker.
pub(super) async fn speaker() -> Result<Speaker, SpeechError> {
    Speaker::start(SpeechSettings::default()).await
}

/// The user agent and its trunks.
pub(super) async fn agent(config: &Config) -> Result<(UserAgent, Vec<Arc<Trunk>>), TransportError> {
    let trunks: Vec<Arc<Trunk>> = config.trunks.iter().cloned().map(Arc::new).collect();
    let Sip { listen, tls_ca, name_server, callback, .. } = config.sip.clone();
    let settings = SipSettings { listen, tls_ca, name_server, takes_calls: callback };
    let agent = UserAgent::bind(settings, trunks.clone(), Seed::fresh()).await?;
    Ok((agent, trunks))
}

/// What every call may touch.
pub(super) fn exchange(
    config: &Config,
    agent: UserAgent,
    ways: WaysOut,
    engine: Engine,
    speaker: Speaker,
    store: Store,
) -> Exchange {
    engine.shun(agent.local().port());
    Exchange {
        agent,
        engine,
        speaker,
        store,
        ways,
        codecs: config.media.codecs.clone(),
        wide_band: WideBand::default(),
        policy: config.policy.clone(),
        terms: Terms {
            settle: config.speech.settle,
            hear_first: config.speech.hear_first,
            menu: config.menu.clone(),
            voice: config.voice_reply.enabled,
            call_max: config.call_max,
        },
        voice_max: config.voice_reply.longest,
        sealing: config.voice_reply.key.clone(),
        language: config.speech.language.clone(),
        callback_pin: config.sip.callback_pin,
        body_chars_max: config.speech.body_chars_max,
    }
}

/// What the gateway must know of the house.
pub(super) fn house(config: &Config) -> House {
    let caller = config.trunks.first().and_then(|trunk| {
        let user = trunk.from.split_once(':')?.1.split(['@', ';']).next()?;
        user.starts_with('+').then(|| user.to_owned())
    });
    House {
        operators: config.component.admins.clone(),
        domains: config.component.users.clone(),
        policy: config.policy.clone(),
        caller_id: caller,
    }
}

/// The HTTP server for recordings, if it is on.
pub(super) async fn http(config: &Config, store: &Store) -> Result<Option<Server>, HttpError> {
    let Some(http) = &config.http else { return Ok(None) };
    let (store, key) = (store.clone(), config.voice_reply.key.clone());
    let shelf: Shelf = Arc::new(move |name: String| {
        let (store, key) = (store.clone(), key.clone());
        Box::pin(async move {
            let served = store.served(name.clone()).await.ok().flatten()?;
            let file = sealing::open(&served.sound, name.as_bytes(), key.as_ref());
            let file = file.inspect_err(|error| warn!(%error, "a recording cannot be served"));
            Some(File {
                bytes: file.ok()?.into(),
                media_type: Format::of(&served.media_type)?.media_type(),
                file_name: served.file_name,
            })
        })
    });
    Server::start(http.listen, shelf, Limits::default()).await.map(Some)
}

/// What brings voice answers to their senders.
pub(super) fn carrier(
    config: &Config,
    store: &Store,
    inquirer: Inquirer,
    stopping: watch::Receiver<bool>,
) -> Carrier {
    let server = &config.component.server;
    let local = is_local(server.rsplit_once(':').map_or(server, |(host, _)| host));
    let uploader = Uploader::new(local, Patience::default());
    let voice = config.voice_reply.clone();
    let desk = UploadDesk::new(inquirer, uploader, &config.component.jid, &voice, local);
    Carrier { store: store.clone(), voice, http: config.http.clone(), desk, stopping }
}

/// How many calls may run at once: what all trunks together carry.
pub(super) fn lines(config: &Config) -> usize {
    config.trunks.iter().map(|trunk| trunk.calls_max as usize).sum()
}

/// Whether an address can be reached from this machine only.
pub(super) fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
