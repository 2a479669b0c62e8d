//! `offhook check`: is the configuration in order, and does what it names work?

use std::path::Path;
use std::process::ExitCode;

use super::read;
use crate::daemon;

pub(super) async fn run(path: &Path, live: bool) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    config.notes.iter().for_each(|note| eprintln!("{note}\n"));
    println!("{} is in order", path.display());
    if !live {
        return ExitCode::SUCCESS;
    }
    let mut all_hold = true;
    for check in daemon::live::checks(&config).await {
        match check.result {
            Ok(()) => println!("{}: works", check.what),
            Err(why) => {
                all_hold = false;
                eprintln!("{}: {why}", check.what);
            }
        }
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
