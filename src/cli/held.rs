//! `offhook held`: messages that wait.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::listed::Listed;
use super::output::{remark, show};
use super::table::{maybe_time, print_with_zone, time, with_times};
use super::{failed, read_without_secrets};
use crate::clock;
use crate::store::{HeldMessage, Reader, explain};

pub(super) fn run(path: &Path, listed: &Listed, last: usize, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // One more, so that it is known whether there are more.
    let listing = listed.newest(last.saturating_add(1));
    let held = Reader::open(&config.fixed.store).and_then(|reader| reader.held_list(&listing));
    let mut held = match held {
        Ok(held) => held,
        Err(error) => return failed(error),
    };
    let has_more = held.len() > last;
    held.truncate(last);
    held.reverse();
    let ids: Vec<_> = held.iter().map(|message| message.id).collect();
    let rules = match explain::kept_by(
        &config.fixed.store,
        &config.live.policy,
        &ids,
        clock::timestamp(),
    ) {
        Ok(rules) => rules,
        Err(error) => return failed(error),
    };
    let rows = held.iter().zip(&rules);
    if as_json {
        let rows = rows.map(|(message, rule)| json(message, rule.as_deref()));
        show(rows.collect::<serde_json::Value>());
    } else {
        let head =
            ["message", "received", "from", "for", "state", "next call", "calls", "no call by"];
        let rows = rows.map(|(message, rule)| row(message, rule.clone())).collect();
        let nothing =
            if listed.is_all() { "Nothing is held." } else { "Nothing like that is held." };
        print_with_zone(&head, rows, nothing);
    }
    if has_more {
        remark(format!(
            "There are more than these {last}, which are the newest; --last shows more."
        ));
    }
    ExitCode::SUCCESS
}

fn row(message: &HeldMessage, rule: Option<String>) -> Vec<String> {
    vec![
        message.id.0.to_string(),
        time(message.received),
        message.sender.to_bare().to_string(),
        message.recipient.to_string(),
        message.state().into(),
        maybe_time(message.next_call.map(|(at, _)| at)),
        message.calls.to_string(),
        with_times(&rule.unwrap_or_default()),
    ]
}

/// `rule` is the one that keeps the phone from ringing for it now.
pub(super) fn json(message: &HeldMessage, rule: Option<&str>) -> serde_json::Value {
    json!({
        "message": message.id.0,
        "stanza_id": message.stanza_id,
        "status_stanza_id": message.status_stanza_id,
        "received": message.received.to_string(),
        "from": message.sender.as_str(),
        "for": message.recipient.as_str(),
        "state": message.state(),
        "body_chars": message.body_chars,
        "heard": message.heard.map(|at| at.to_string()),
        "answered": message.answered.map(|at| at.to_string()),
        "next_call": message.next_call.map(|(at, _)| at.to_string()),
        "calls": message.calls,
        "no_call_by": rule,
    })
}
