//! `offhook explain`: why a message would ring now, or would not.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::output::show;
use super::table::print;
use super::{bare_jid, failed, read_without_secrets};
use crate::clock;
use crate::store::explain::{self, Ruled};

pub(super) fn run(path: &Path, from: &str, to: &str, as_json: bool) -> ExitCode {
    let (from, to) = match (bare_jid(from), bare_jid(to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let people = &config.live.subscribers;
    let now = clock::timestamp();
    let rules =
        match explain::explain(&config.fixed.store, &config.live.policy, people, &from, &to, now) {
            Ok(explanation) => explanation.rules,
            Err(error) => return failed(error),
        };
    if as_json {
        let row = |it: &Ruled| json!({ "rule": it.rule, "because": it.because, "rings": it.rings });
        show(rules.iter().map(row).collect::<Value>());
    } else {
        let row = |it: &Ruled| {
            vec![it.rule.clone(), it.because.clone(), (if it.rings { "yes" } else { "no" }).into()]
        };
        print(&["rule", "because", "rings"], rules.iter().map(row).collect(), "");
    }
    ExitCode::SUCCESS
}
