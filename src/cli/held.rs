//! `offhook held`: messages that wait.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::output::show;
use super::table::{maybe_time, print, time};
use super::{failed, read_without_secrets};
use crate::clock;
use crate::store::{HeldMessage, Reader, explain};

pub(super) fn run(path: &Path, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let held = match Reader::open(&config.fixed.store).and_then(|reader| reader.held_list()) {
        Ok(held) => held,
        Err(error) => return failed(error),
    };
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
    let held = held.iter().zip(&rules);
    if as_json {
        let rows = held.map(|(message, rule)| json(message, rule.as_deref()));
        show(rows.collect::<serde_json::Value>());
    } else {
        let head =
            ["message", "received", "from", "for", "state", "next call", "calls", "no call by"];
        let rows = held.map(|(message, rule)| row(message, rule.clone())).collect();
        print(&head, rows, "Nothing is held.");
    }
    ExitCode::SUCCESS
}

fn row(message: &HeldMessage, rule: Option<String>) -> Vec<String> {
    vec![
        message.id.0.to_string(),
        time(message.received),
        message.sender.to_bare().to_string(),
        message.recipient.to_string(),
        state(message).into(),
        maybe_time(message.next_call.map(|(at, _)| at)),
        message.calls.to_string(),
        rule.unwrap_or_default(),
    ]
}

/// Where a message stands, in a word or two.
fn state(message: &HeldMessage) -> &'static str {
    match message {
        HeldMessage { ended: Some(_), .. } => "set aside",
        HeldMessage { calling: true, .. } => "calling",
        HeldMessage { answered: Some(_), .. } => "answered",
        HeldMessage { heard: Some(_), .. } => "heard",
        HeldMessage { declined: Some(_), .. } => "not to be phoned about",
        HeldMessage { next_call: Some(_), .. } => "waits for a call",
        HeldMessage { .. } => "held",
    }
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
        "state": state(message),
        "body_chars": message.body_chars,
        "heard": message.heard.map(|at| at.to_string()),
        "answered": message.answered.map(|at| at.to_string()),
        "next_call": message.next_call.map(|(at, _)| at.to_string()),
        "calls": message.calls,
        "no_call_by": rule,
    })
}
