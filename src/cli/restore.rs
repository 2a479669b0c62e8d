//! `offhook restore`: a backup put in the place of the store.

use std::path::Path;
use std::process::ExitCode;

use super::output::show;
use super::{failed, read_without_secrets};
use crate::store::restore::{Restored, restore};

pub(super) fn run(path: &Path, backup: &Path) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let store = &config.fixed.store;
    match restore(backup, store) {
        Ok(Restored { held, is_of_earlier_version }) => {
            show(format!("{} is restored to {}.", backup.display(), store.display()));
            show(format!(
                "Messages held in it: {held}. People are phoned about them from the next start on."
            ));
            if is_of_earlier_version {
                show("It is of an earlier version; the next start raises it.");
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
