//! `offhook erase`: everything stored about a person, removed.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::sleep;
use xmpp_parsers::jid::BareJid;

use super::{failed, read};
use crate::clock;
use crate::config::Config;
use crate::store::{Store, StoreError, erasure};

pub(super) async fn run(path: &Path, jid: &str) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Ok(jid) = BareJid::new(jid) else {
        return failed("erase takes a JID without resource, such as bob@example.org");
    };
    match erase(&config, &jid).await {
        Ok(true) => {
            println!("Everything stored about {jid} is removed.");
            if config.subscribers.iter().any(|person| person.jid == jid) {
                println!("{} still has a [[subscriber]] for {jid}.", path.display());
            }
            ExitCode::SUCCESS
        }
        Ok(false) => {
            failed("a call with that person is on the line; it is done when the call is over")
        }
        Err(error) => failed(error),
    }
}

/// Whether it is done. A running daemon does it itself, so that it works with nothing that is gone.
async fn erase(config: &Config, jid: &BareJid) -> Result<bool, StoreError> {
    match Store::open(&config.store, config.policy.clone()) {
        Ok(store) => {
            store.recover(clock::timestamp()).await?;
            let done = store.erase(jid, clock::timestamp()).await;
            store.close().await;
            done
        }
        Err(StoreError::InUse(_)) => {
            erasure::ask_to_erase(&config.store, jid)?;
            let patience = clock::now() + PATIENCE;
            while clock::now() < patience {
                if erasure::is_erased(&config.store, jid)? {
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
