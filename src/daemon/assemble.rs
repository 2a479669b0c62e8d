//! From what the operator wrote to what the edges take.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Exchange;
use crate::config::Config;
use crate::media::engine::{Engine, EngineSettings, MediaError};
use crate::script::Terms;
use crate::seed::Seed;
use crate::sip::transport::{TransportError, UserAgent};
use crate::sip::trunk::Trunk;
use crate::speech::{Speaker, SpeechError, SpeechSettings};
use crate::store::Store;
use crate::xmpp::link::{LinkSettings, Patience};

/// The link's settings.
pub(super) fn link(config: &Config) -> LinkSettings {
    LinkSettings {
        jid: config.component.jid.clone(),
        server: config.component.server.clone(),
        secret: config.component.secret.clone(),
        patience: Patience::default(),
    }
}

/// The media thread.
pub(super) fn engine(config: &Config) -> Result<Engine, MediaError> {
    let settings = EngineSettings {
        listen: config.media.listen,
        advertise: config.media.advertise,
        ports: config.media.ports.clone(),
        silence: LINE_SILENT,
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
    let agent = UserAgent::bind(config.sip.listen, trunks.clone(), Seed::fresh()).await?;
    Ok((agent, trunks))
}

/// What every call may touch.
pub(super) fn exchange(
    config: &Config,
    agent: UserAgent,
    trunks: Vec<Arc<Trunk>>,
    engine: Engine,
    speaker: Speaker,
    store: Store,
) -> Exchange {
    let calls_per_s: u32 = config.trunks.iter().map(|trunk| trunk.calls_per_s_max).sum();
    Exchange {
        agent,
        engine,
        speaker,
        store,
        trunks,
        codecs: config.media.codecs.clone(),
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
        body_chars_max: config.speech.body_chars_max,
        start_pause: Duration::from_secs(1) / calls_per_s.max(1),
    }
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

/// A callee from whom nothing comes for so long has no line any more.
const LINE_SILENT: Duration = Duration::from_secs(30);
