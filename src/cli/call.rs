//! `offhook call`: one test call, with what becomes of it.

use std::path::Path;
use std::process::ExitCode;

use super::output::show;
use super::{failed, read, wrong_usage};
use crate::daemon::test_call::{self, TestCallProgress};

pub(super) async fn run(path: &Path, number: &str, text: &str) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let number = match number.parse() {
        Ok(number) => number,
        Err(error) => {
            return wrong_usage(error);
        }
    };
    if let Some(forbidden) = config.live.policy.forbids(&number) {
        return wrong_usage(forbidden);
    }
    let told = test_call::place(&config, number, text, |news| match news {
        TestCallProgress::Calling => show("calling"),
        TestCallProgress::Ringing => show("rings"),
        TestCallProgress::Answered => show("answered"),
        TestCallProgress::Heard => show("the text was heard"),
        TestCallProgress::Passed => show("the text was passed over"),
        TestCallProgress::Key(key) => show(format!("{key} was pressed")),
        TestCallProgress::SwitchedOff => show("9 was pressed twice: no more calls"),
    });
    match told.await {
        Ok(attempt) => {
            let status =
                attempt.status.map(|status| format!(", SIP status {status}")).unwrap_or_default();
            let outcome = attempt.outcome.words();
            show(format!(
                "{outcome}{status}, rang {} s, talked {} s",
                attempt.rang.as_secs(),
                attempt.talked.as_secs()
            ));
            if let Some(line) = attempt.quality {
                show(line);
            }
            let answered = attempt.outcome == crate::notification::Outcome::Answered;
            if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(error),
    }
}
