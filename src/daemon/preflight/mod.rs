//! Does what the configuration names work? For `offhook check --live`.

mod server;

use std::net::UdpSocket;
use std::path::Path;

use crate::config::{Config, Engine, Finding, Fixed, Sip, Upload, VoiceReply};
use crate::script::prompt::Prompts;
use crate::seed::Seed;
use crate::speech::voices::{hibari_is_installed, is_spoken};
use crate::speech::{Pace, Speaker, Utterance};
use crate::store::{Reader, Store};
use crate::voice_reply::file::{Sound, encode};
use crate::voice_reply::upload_service::NotUploaded;

use self::server::Connection;
use super::wiring;

/// One thing that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreflightCheck {
    /// What.
    pub what: String,
    /// What came of it.
    pub outcome: PreflightOutcome,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreflightOutcome {
    /// It works.
    Works,
    /// It works, and this is what it will use.
    WorksThrough(String),
    /// A sentence that says what to change.
    Fails(String),
    /// A sentence that says why not, such as what it would take from the running Offhook.
    NotTried(&'static str),
}

impl From<Result<(), String>> for PreflightOutcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Fails, |()| Self::Works)
    }
}

/// Tries everything, one after the other.
///
/// Contract: where the store's lock is held, Offhook runs; what would take something away from it is not tried.
pub async fn checks(config: &Config) -> Vec<PreflightCheck> {
    let mut checks = vec![];
    let mut note = |what: String, outcome| checks.push(PreflightCheck { what, outcome });
    let Config { fixed, live, .. } = config;
    let in_use = Store::is_in_use(&fixed.store).map_err(|error| error.to_string());
    let runs = in_use == Ok(true);
    let stored = in_use.and_then(|_| store(&fixed.store));
    note(format!("store {}", fixed.store.display()), stored.into());
    let (connection, upload) = if runs {
        let why = "a second connection would cut off the Offhook that runs";
        (PreflightOutcome::NotTried(why), Err(why))
    } else {
        server(config).await
    };
    note(format!("XMPP at {}", fixed.component.server), connection);
    if runs {
        let listens = PreflightOutcome::NotTried("the Offhook that runs listens there");
        note(format!("SIP at {}", fixed.sip.listen), listens);
    }
    trunks(fixed, runs, &mut note).await;
    note("RTP".into(), if runs { rtp_address(fixed) } else { rtp(fixed) }.into());
    voices(config, &mut note).await;
    if live.script.voice {
        note("voice answers".into(), voice_answers(config, upload));
    }
    checks
}

/// What came of asking the server's upload service, or why it was not asked.
type AskedUpload = Result<Result<String, NotUploaded>, &'static str>;

/// The connection is closed before anything else is tried: meanwhile it takes what is for Offhook.
async fn server(config: &Config) -> (PreflightOutcome, AskedUpload) {
    let connection = match Connection::open(&config.fixed).await {
        Ok(connection) => connection,
        Err(error) => {
            let upload = Err("no upload service can be asked without the server");
            return (PreflightOutcome::Fails(error), upload);
        }
    };
    let is_asked = config.live.script.voice;
    let upload =
        if is_asked { connection.upload(config).await } else { Err(NotUploaded::NoService) };
    connection.close().await;
    (PreflightOutcome::Works, Ok(upload))
}

/// Beside a running Offhook trunks are asked from another port, and none that is registered at.
async fn trunks(fixed: &Fixed, runs: bool, note: &mut impl FnMut(String, PreflightOutcome)) {
    let mut tried = fixed.clone();
    if runs {
        let mut listen = fixed.sip.listen;
        listen.set_port(0);
        tried.sip = Sip { listen, ..tried.sip };
        tried.trunks.retain(|trunk| !trunk.register);
    }
    match wiring::agent(&tried, false).await {
        Ok((agent, trunks)) => {
            for trunk in trunks {
                let result = agent.probe(&trunk.name, Seed::fresh()).await;
                let result = result.map_err(|error| error.to_string());
                note(format!("trunk {}", trunk.name), result.into());
            }
            agent.close().await;
        }
        Err(error) => note("trunks".into(), PreflightOutcome::Fails(error.to_string())),
    }
    for trunk in fixed.trunks.iter().filter(|trunk| runs && trunk.register) {
        let why = "a second registration would take the calls of the Offhook that runs";
        note(format!("trunk {}", trunk.name), PreflightOutcome::NotTried(why));
    }
}

/// What is dangerous, or cannot do what it is there for, about the machine and the voices.
pub fn warnings(config: &Config) -> Vec<Finding> {
    let mut found = vec![];
    if rustix::process::geteuid().is_root() {
        found.push("running as root; make a user for it, as docs/operate.md says".into());
    }
    let speech = ("speech".to_owned(), Some(&config.live.speech.language));
    let people = config.live.subscribers.iter();
    let people =
        people.map(|person| (format!("subscriber {}", person.jid), person.language.as_ref()));
    for (whose, language) in std::iter::once(speech).chain(people) {
        if let Some(language) = language.filter(|tag| !is_spoken(tag, &config.fixed.voices)) {
            found.push(format!(
                "{whose}: there is no voice for language = \"{language}\"; write a tag such as en or de"
            ));
        }
    }
    let hibari = config.fixed.voices.iter().find(|choice| choice.engine == Engine::Hibari);
    if hibari.is_some_and(|choice| !hibari_is_installed(choice.path.as_deref())) {
        found.push("speech.voice: the data of hibari is not installed, and espeak speaks in its place; take it from the package, or leave the table out".into());
    }
    found.into_iter().map(Finding::without_place).collect()
}

/// A store that is not there yet is made by the first run.
fn store(path: &Path) -> Result<(), String> {
    if path.exists() {
        return Reader::open(path).map(drop).map_err(|error| error.to_string());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if folder.is_dir() {
        Ok(())
    } else {
        Err(format!("there is no folder {}; make it", folder.display()))
    }
}

fn rtp(fixed: &Fixed) -> Result<(), String> {
    let engine = wiring::engine(fixed).map_err(|error| error.to_string())?;
    engine.open(fixed.media.listen).map(drop).map_err(|error| error.to_string())
}

/// The ports are the running Offhook's.
fn rtp_address(fixed: &Fixed) -> Result<(), String> {
    let listen = fixed.media.listen;
    let bound = UdpSocket::bind((listen, 0)).map(drop);
    bound.map_err(|error| format!("{listen} cannot be used: {error}; change media.listen"))
}

/// Whether a file can be made of them, and what will pass it on.
fn voice_answers(config: &Config, upload: AskedUpload) -> PreflightOutcome {
    use PreflightOutcome::{Fails, NotTried, WorksThrough};
    let Config { fixed, live, .. } = config;
    let VoiceReply { upload: configured, format, transcribe, .. } = &live.voice_reply;
    let silence = Sound { samples: vec![0; 8000] };
    if let Err(error) = encode(&silence, *format) {
        return Fails(error.to_string());
    }
    if let Some(program) = transcribe.first().filter(|program| !is_program(program)) {
        return Fails(format!("voice_reply.transcribe: there is no program {program}"));
    }
    let served = live.links.public_url.as_ref().filter(|_| fixed.http.is_some());
    let served = served.map(|public_url| format!("[http] at {public_url}"));
    match (configured, upload, served) {
        (Upload::Off, _, Some(served)) => WorksThrough(served),
        (Upload::Off, _, None) => {
            Fails("nothing passes them on: set voice_reply.upload or [http]".into())
        }
        (_, Ok(Ok(service)), _) => WorksThrough(format!("the upload service {service}")),
        (_, Ok(Err(error)), Some(served)) => WorksThrough(format!("{served}: {error}")),
        (_, Ok(Err(NotUploaded::NoService)), None) => {
            Fails("no upload service was found; set voice_reply.upload or [http]".into())
        }
        (_, Ok(Err(error)), None) => Fails(error.to_string()),
        (_, Err(why), _) => NotTried(why),
    }
}

fn is_program(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    found || Path::new(program).is_file()
}

/// Has each language spoken that somebody is to be spoken to in, and tells by what.
async fn voices(config: &Config, note: &mut impl FnMut(String, PreflightOutcome)) {
    let Config { fixed, live, .. } = config;
    let own = live.subscribers.iter().filter_map(|person| person.language.clone());
    // A store that cannot be read has a line of its own.
    let stored = Reader::open(&fixed.store).and_then(|reader| reader.languages());
    let mut languages = vec![live.speech.language.clone()];
    for language in own.chain(stored.unwrap_or_default()) {
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    let speaker = match wiring::speaker(fixed).await {
        Ok(speaker) => speaker,
        Err(error) => return note("voices".into(), PreflightOutcome::Fails(error.to_string())),
    };
    for language in languages {
        let what = format!("voice {language}");
        note(what, voice(&speaker, language).await);
    }
}

async fn voice(speaker: &Speaker, language: String) -> PreflightOutcome {
    use PreflightOutcome::{Fails, WorksThrough};
    let wished = speaker.engines_for(&language).first().copied();
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let prompts = Prompts::new(&language);
    let text = match prompts.language().eq_ignore_ascii_case(primary) {
        true => prompts.plain("phone-nothing-waits").text,
        false => COUNT.to_owned(),
    };
    let utterance = Utterance { language, text, keep: false, pace: Pace::Usual };
    match speaker.say_by(&utterance, None).await {
        Ok(spoken) if Some(spoken.engine) != wished => {
            let (wished, spoke) = (wished.map_or("", Engine::name), spoken.engine.name());
            Fails(format!(
                "{wished} gave no speech, and {spoke} helped out; offhook voices tries it"
            ))
        }
        Ok(spoken) => WorksThrough(spoken.engine.name().into()),
        Err(error) => Fails(error.to_string()),
    }
}

/// What any voice can read.
const COUNT: &str = "1 2 3";
