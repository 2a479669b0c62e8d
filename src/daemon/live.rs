//! Does what the configuration names work? For `offhook check --live`.

use crate::config::{Config, Upload, VoiceReply};
use crate::media::codec::Codec;
use crate::recording::{Sound, encode};
use crate::seed::Seed;
use crate::speech::Utterance;
use crate::store::Reader;
use crate::xmpp::link;

use super::assemble;

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it works, or a sentence that says what to change.
    pub result: Result<(), String>,
}

/// Tries everything, one after the other.
///
/// A component that runs under this name beside Prosody with `kick_old` loses its stream for a moment.
pub async fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![];
    let mut note = |what: String, result: Result<(), String>| checks.push(Check { what, result });
    note(format!("store {}", config.store.display()), store(config));
    let handshake = link::probe(&assemble::link(config)).await;
    note(
        format!("XMPP at {}", config.component.server),
        handshake.map_err(|error| error.to_string()),
    );
    match assemble::agent(config).await {
        Ok((agent, trunks)) => {
            for trunk in trunks {
                let result = agent.probe(&trunk.name, Seed::fresh()).await;
                note(format!("trunk {}", trunk.name), result.map_err(|error| error.to_string()));
            }
            agent.close().await;
        }
        Err(error) => note("trunks".into(), Err(error.to_string())),
    }
    note("RTP".into(), rtp(config));
    note(format!("voice {}", config.speech.language), voice(config).await);
    if config.voice_reply.enabled {
        note("voice answers".into(), voice_answers(config));
    }
    checks
}

/// A store that is not there yet is made by the first run.
fn store(config: &Config) -> Result<(), String> {
    if config.store.exists() {
        return Reader::open(&config.store).map(drop).map_err(|error| error.to_string());
    }
    let folder = config.store.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    if folder.is_dir() {
        Ok(())
    } else {
        Err(format!("there is no folder {}; make it", folder.display()))
    }
}

fn rtp(config: &Config) -> Result<(), String> {
    let engine = assemble::engine(config).map_err(|error| error.to_string())?;
    engine.open(config.media.listen).map(drop).map_err(|error| error.to_string())
}

/// What passes them on is found when the component is connected; here it is seen whether anything can be.
fn voice_answers(config: &Config) -> Result<(), String> {
    let VoiceReply { upload, format, transcribe, .. } = &config.voice_reply;
    if *upload == Upload::Off && config.http.is_none() {
        return Err("nothing passes them on: set voice_reply.upload or [http]".into());
    }
    let silence = Sound { samples: vec![0; 8000] };
    encode(&silence, *format).map_err(|error| error.to_string())?;
    match transcribe.first() {
        Some(program) if !is_program(program) => {
            Err(format!("voice_reply.transcribe: there is no program {program}"))
        }
        Some(_) | None => Ok(()),
    }
}

fn is_program(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    found || std::path::Path::new(program).is_file()
}

async fn voice(config: &Config) -> Result<(), String> {
    let speaker = assemble::speaker().await.map_err(|error| error.to_string())?;
    let utterance =
        Utterance { language: config.speech.language.clone(), text: "1 2 3".into(), keep: false };
    speaker.say(&utterance, Codec::Pcmu).await.map(drop).map_err(|error| error.to_string())
}
