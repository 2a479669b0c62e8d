//! `offhook export`: everything stored about a person.

use std::path::Path;
use std::process::ExitCode;

use xmpp_parsers::jid::BareJid;

use super::{failed, read};
use crate::store::explain;

pub(super) fn run(path: &Path, jid: &str) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Ok(jid) = BareJid::new(jid) else {
        return failed("export takes a JID without resource, such as bob@example.org");
    };
    match explain::export(&config.store, &jid) {
        Ok(stored) => {
            println!("{stored:#}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
