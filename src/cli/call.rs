//! `offhook call`: one test call, with what becomes of it.

use std::path::Path;
use std::process::ExitCode;

use super::{WRONG_USAGE, failed, read};
use crate::daemon::test_call::{self, News};

pub(super) async fn run(path: &Path, number: &str, text: &str) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let number = match number.parse() {
        Ok(number) => number,
        Err(error) => {
            eprintln!("offhook: {error}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if !config.policy.may_dial(&number) {
        eprintln!("offhook: dial.allow does not let this number be dialled");
        return ExitCode::from(WRONG_USAGE);
    }
    let told = test_call::place(&config, number, text, |news| match news {
        News::Calling => println!("calling"),
        News::Ringing => println!("rings"),
        News::Answered => println!("answered"),
        News::Heard => println!("the text was heard"),
        News::Passed => println!("the text was passed over"),
        News::Key(key) => println!("{key} was pressed"),
        News::SwitchedOff => println!("9 was pressed twice: no more calls"),
    });
    match told.await {
        Ok(attempt) => {
            let status =
                attempt.status.map(|status| format!(", SIP status {status}")).unwrap_or_default();
            let outcome = super::calls::outcome(Some(attempt.outcome));
            println!(
                "{outcome}{status}, rang {} s, talked {} s",
                attempt.rang.as_secs(),
                attempt.talked.as_secs()
            );
            if let Some(line) = attempt.line {
                println!("{line}");
            }
            let answered = attempt.outcome == crate::notification::Outcome::Answered;
            if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(error),
    }
}
