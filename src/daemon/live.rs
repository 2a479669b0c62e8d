//! Does what the configuration names work? For `offhook check --live`.

use crate::config::Config;
use crate::media::codec::Codec;
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

async fn voice(config: &Config) -> Result<(), String> {
    let speaker = assemble::speaker().await.map_err(|error| error.to_string())?;
    let utterance =
        Utterance { language: config.speech.language.clone(), text: "1 2 3".into(), keep: false };
    speaker.say(&utterance, Codec::Pcmu).await.map(drop).map_err(|error| error.to_string())
}
