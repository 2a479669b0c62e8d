//! `offhook explain`: why a message would ring now, or would not.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use xmpp_parsers::jid::BareJid;

use super::table::print;
use super::{failed, read};
use crate::clock;
use crate::store::explain;

pub(super) fn run(path: &Path, from: &str, to: &str, as_json: bool) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let (Ok(from), Ok(to)) = (BareJid::new(from), BareJid::new(to)) else {
        return failed(
            "explain takes two JIDs without resource, such as alice@example.org bob@example.org",
        );
    };
    let people = &config.subscribers;
    let now = clock::timestamp();
    let told = match explain::explain(&config.store, &config.policy, people, &from, &to, now) {
        Ok(told) => told,
        Err(error) => return failed(error),
    };
    if as_json {
        let row = |it: &explain::Ruled| json!({ "rule": it.rule, "because": it.because, "rings": it.rings });
        println!("{}", told.iter().map(row).collect::<Value>());
    } else {
        let row = |it: &explain::Ruled| {
            vec![it.rule.clone(), it.because.clone(), (if it.rings { "yes" } else { "no" }).into()]
        };
        print(&["rule", "because", "rings"], told.iter().map(row).collect(), "");
    }
    ExitCode::SUCCESS
}
