//! `offhook erase`: everything stored about a person, removed.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::sleep;
use xmpp_parsers::jid::BareJid;

use super::output::show;
use super::{bare_jid, failed, read_without_secrets};
use crate::clock;
use crate::config::Config;
use crate::store::{Store, StoreError, erasure};

pub(super) async fn run(path: &Path, jid: &str) -> ExitCode {
    let jid = match bare_jid(jid) {
        Ok(jid) => jid,
        Err(code) => return code,
    };
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match erase(&config, &jid).await {
        Ok(true) => {
            show(format!("Everything stored about {jid} is removed."));
            if config.live.subscribers.iter().any(|person| person.jid == jid) {
                show(format!("{} still has a [[subscriber]] for {jid}.", path.display()));
            }
            ExitCode::SUCCESS
        }
        Ok(false) => {
            failed("a call with that person is on the line; it is done when the call is over")
        }
        Err(error) => failed(error),
    }
}

/// Tells whether it is done. A running daemon does it itself, so that it works with no row that is gone.
async fn erase(config: &Config, jid: &BareJid) -> Result<bool, StoreError> {
    match Store::open(&config.fixed.store, config.live.policy.clone()) {
        Ok(store) => {
            store.recover(clock::moment()).await?;
            let done = store.erase(jid, clock::moment()).await;
            store.close().await;
            done
        }
        Err(StoreError::InUse(_)) => {
            erasure::ask_to_erase(&config.fixed.store, jid)?;
            let patience = clock::now() + PATIENCE;
            while clock::now() < patience {
                if erasure::is_erased(&config.fixed.store, jid)? {
                    return Ok(true);
                }
                sleep(STEP).await;
            }
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(200);
