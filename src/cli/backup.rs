//! `offhook backup`: a whole copy of the store.

use std::path::Path;
use std::process::ExitCode;

use super::output::show;
use super::{failed, read_without_secrets};
use crate::store::backup::backup;

pub(super) fn run(path: &Path, target: &Path) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match backup(&config.fixed.store, target) {
        Ok(()) => {
            show(format!("{} is in {}.", config.fixed.store.display(), target.display()));
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
