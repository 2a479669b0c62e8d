//! `offhook check`: is the configuration in order, and does what it names work?

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::WRONG_USAGE;
use super::output::{complain, remark, show};
use crate::config::{self, Config, Finding, Mistakes};
use crate::daemon::preflight::{self, PreflightCheck, PreflightOutcome};

pub(super) async fn run(path: &Path, live: bool, strict: bool, as_json: bool) -> ExitCode {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(Mistakes(mistakes)) if as_json => {
            show(json!({ "file": path.display().to_string(), "mistakes": findings(&mistakes) }));
            return ExitCode::from(WRONG_USAGE);
        }
        Err(mistakes) => {
            complain(mistakes);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let mut warnings = config.warnings.clone();
    warnings.extend(preflight::warnings(&config));
    if !as_json {
        print(path, &config, &warnings);
    }
    let mut checks = vec![];
    if live {
        checks = preflight::checks(&config).await;
    }
    if as_json {
        show(json!({
            "file": path.display().to_string(),
            "mistakes": [],
            "notes": findings(&config.notes),
            "warnings": findings(&warnings),
            "numbers": number_types(&config),
            "live": live.then(|| checks.iter().map(tried).collect::<Value>()),
        }));
    } else {
        checks.iter().for_each(print_check);
    }
    let all_hold = !checks.iter().any(|it| matches!(it.outcome, PreflightOutcome::Fails(_)));
    if all_hold && (warnings.is_empty() || !strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(path: &Path, config: &Config, warnings: &[Finding]) {
    config.notes.iter().for_each(|note| remark(format!("{note}\n")));
    show(format!("{} is in order", path.display()));
    for (of, count) in number_types(config) {
        show(format!("numbers of people, {of}: {count}"));
    }
    if !warnings.is_empty() {
        show("\nwarnings\n");
        warnings.iter().for_each(|warning| show(format!("{warning}\n")));
    }
}

/// How many of the configured numbers are of which type.
fn number_types(config: &Config) -> BTreeMap<&'static str, usize> {
    let mut types = BTreeMap::new();
    for number in config.live.subscribers.iter().filter_map(|person| person.number.as_ref()) {
        *types.entry(config.live.policy.type_of(number).name()).or_default() += 1;
    }
    types
}

fn print_check(PreflightCheck { what, outcome }: &PreflightCheck) {
    match outcome {
        PreflightOutcome::Works => show(format!("{what}: works")),
        PreflightOutcome::WorksThrough(by) => show(format!("{what}: works, through {by}")),
        PreflightOutcome::NotTried(why) => show(format!("{what}: not tried, {why}")),
        PreflightOutcome::Fails(why) => complain(format!("{what}: {why}")),
    }
}

fn findings(found: &[Finding]) -> Value {
    let finding = |Finding { place, says, .. }: &Finding| {
        let (line, column) = place.unzip();
        json!({ "line": line, "column": column, "says": says })
    };
    found.iter().map(finding).collect()
}

fn tried(PreflightCheck { what, outcome }: &PreflightCheck) -> Value {
    let (result, why) = match outcome {
        PreflightOutcome::Works => ("works", None),
        PreflightOutcome::WorksThrough(by) => ("works", Some(by.as_str())),
        PreflightOutcome::Fails(why) => ("fails", Some(why.as_str())),
        PreflightOutcome::NotTried(why) => ("not tried", Some(*why)),
    };
    json!({ "what": what, "result": result, "why": why })
}
