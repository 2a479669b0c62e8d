//! `offhook export`: everything stored about a person.

use std::path::Path;
use std::process::ExitCode;

use super::output::show;
use super::{bare_jid, failed, read_without_secrets};
use crate::store::export::export;

pub(super) fn run(path: &Path, jid: &str) -> ExitCode {
    let jid = match bare_jid(jid) {
        Ok(jid) => jid,
        Err(code) => return code,
    };
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match export(&config.fixed.store, &jid) {
        Ok(stored) => {
            show(format!("{stored:#}"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
