//! From what the operator wrote to what the edges take.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::health::Observed;
use crate::address_scope::is_loopback;
use crate::call::{CallContext, CodecBudget};
use crate::config::{Fixed, Live, Sip};
use crate::http::{File, FileSource, HttpError, HttpLimits, Server};
use crate::media::engine::{Engine, EngineSettings, MediaError};
use crate::media::stream;
use crate::numbers::Numbers;
use crate::sealing;
use crate::seed::Seed;
use crate::sip::transport::{SipSettings, TransportError, UserAgent};
use crate::sip::trunk::Trunk;
use crate::speech::{Speaker, SpeechError, SpeechSettings};
use crate::store::Store;
use crate::trunks::TrunkPool;
use crate::voice_reply::delivery::VoiceReplyDelivery;
use crate::voice_reply::file::Format;
use crate::voice_reply::http_put::{UploadTimeouts, Uploader};
use crate::voice_reply::transcribe::Transcripts;
use crate::voice_reply::upload_service::UploadService;
use crate::xmpp::directory::ServedDomains;
use crate::xmpp::link::iq::IqClient;
use crate::xmpp::link::{self, LinkSettings};

/// The link's settings.
pub(super) fn link(fixed: &Fixed) -> LinkSettings {
    LinkSettings {
        jid: fixed.component.jid.clone(),
        server: fixed.component.server.clone(),
        secret: fixed.component.secret.clone(),
        timeouts: link::LinkTimeouts::default(),
    }
}

/// The media thread.
pub(super) fn engine(fixed: &Fixed) -> Result<Engine, MediaError> {
    let settings = EngineSettings {
        listen: fixed.media.listen,
        advertise: fixed.media.advertise,
        ports: fixed.media.ports.clone(),
        timeouts: stream::MediaTimeouts::with_silence(fixed.media.silence),
        dscp: fixed.media.dscp,
    };
    Engine::start(settings, Seed::fresh())
}

/// The speaker.
pub(super) async fn speaker(fixed: &Fixed) -> Result<Speaker, SpeechError> {
    Speaker::start(SpeechSettings::with_voices(&fixed.voices)).await
}

/// The user agent and its trunks. `takes_calls`: whether somebody waits for the calls that the trunks bring.
pub(super) async fn agent(
    fixed: &Fixed,
    takes_calls: bool,
) -> Result<(UserAgent, Vec<Arc<Trunk>>), TransportError> {
    let trunks: Vec<Arc<Trunk>> = fixed.trunks.iter().cloned().map(Arc::new).collect();
    let Sip { listen, advertise, dscp, tls_ca, name_server } = fixed.sip.clone();
    let settings = SipSettings { listen, advertise, dscp, tls_ca, name_server, takes_calls };
    let agent = UserAgent::bind(settings, trunks.clone(), Seed::fresh()).await?;
    Ok((agent, trunks))
}

/// The handles that all calls share.
pub(super) fn context(
    agent: UserAgent,
    trunk_pool: TrunkPool,
    engine: Engine,
    speaker: Speaker,
    store: Store,
    live: watch::Receiver<Arc<Live>>,
    numbers: Numbers,
) -> CallContext {
    engine.reserve_port(agent.local().port());
    let codec_budget = CodecBudget::default();
    CallContext { agent, engine, speaker, store, trunk_pool, codec_budget, numbers, live }
}

/// What the gateway must know of those whom the component serves.
pub(super) fn served(fixed: &Fixed, live: &Live) -> ServedDomains {
    let caller = fixed.trunks.first().and_then(|trunk| {
        let user = trunk.from.split_once(':')?.1.split(['@', ';']).next()?;
        user.starts_with('+').then(|| user.to_owned())
    });
    ServedDomains {
        name: live.access.name.clone(),
        description: live.access.description.clone(),
        operators: live.access.admins.clone(),
        domains: live.access.users.clone(),
        policy: live.policy.clone(),
        caller_id: caller,
        language: Some(live.speech.language.clone()),
        country: fixed.trunks.iter().find_map(|trunk| trunk.country.clone()),
        message_rate: live.access.message_rate,
    }
}

/// The HTTP server for recordings and for who watches the program, if it is on.
pub(super) async fn http(
    fixed: &Fixed,
    live: &watch::Receiver<Arc<Live>>,
    store: &Store,
    observed: Observed,
) -> Result<Option<Server>, HttpError> {
    let Some(listen) = fixed.http else { return Ok(None) };
    let (store, live) = (store.clone(), live.clone());
    let files: FileSource = Arc::new(move |name: String| {
        let (store, live) = (store.clone(), live.clone());
        Box::pin(async move {
            let served = store.served(name.clone()).await.ok().flatten()?;
            let key = live.borrow().voice_reply.key.clone();
            let file = sealing::open(&served.sound, name.as_bytes(), key.as_ref());
            let file = file.inspect_err(|error| warn!(%error, "a recording cannot be served"));
            Some(File {
                bytes: file.ok()?.into(),
                media_type: Format::of(&served.media_type)?.media_type(),
                file_name: served.file_name,
            })
        })
    });
    let (pages, limits) = (Some(observed.pages()), HttpLimits::default());
    Server::start_with_pages(listen, files, pages, limits).await.map(Some)
}

/// What delivers voice answers to their senders.
pub(super) fn voice_replies(
    fixed: &Fixed,
    live: watch::Receiver<Arc<Live>>,
    store: &Store,
    iq_client: IqClient,
) -> VoiceReplyDelivery {
    let upload = upload_service(fixed, iq_client);
    let (store, serves) = (store.clone(), fixed.http.is_some());
    VoiceReplyDelivery { store, live, serves, upload, transcripts: Transcripts::new() }
}

/// The server's upload service, which is asked by this client.
pub(super) fn upload_service(fixed: &Fixed, iq_client: IqClient) -> UploadService {
    let server = &fixed.component.server;
    let local = is_loopback(server.rsplit_once(':').map_or(server, |(host, _)| host));
    let uploader = Uploader::new(local, fixed.sip.tls_ca.as_deref(), UploadTimeouts::default());
    UploadService::new(iq_client, uploader, &fixed.component.jid, local)
}

/// How many calls may run at once: what all trunks together carry.
pub(super) fn lines(fixed: &Fixed) -> usize {
    fixed.trunks.iter().map(|trunk| trunk.calls_max as usize).sum()
}
