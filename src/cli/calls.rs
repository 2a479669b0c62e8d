//! `offhook calls`: call records.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::table::{print, seconds, time};
use super::{failed, read};
use crate::media::answering_machine::PickedUp;
use crate::notification::Outcome;
use crate::store::{CallRecord, Reader};

pub(super) fn run(path: &Path, last: usize, as_json: bool) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let calls = match Reader::open(&config.store).and_then(|reader| reader.call_list(last)) {
        Ok(calls) => calls,
        Err(error) => return failed(error),
    };
    if as_json {
        println!("{}", calls.iter().map(json).collect::<serde_json::Value>());
    } else {
        let head = [
            "call", "started", "for", "number", "outcome", "SIP", "rang", "talked", "heard",
            "trunk", "who", "line",
        ];
        print(&head, calls.iter().map(row).collect(), "No call has been made.");
    }
    ExitCode::SUCCESS
}

fn row(call: &CallRecord) -> Vec<String> {
    vec![
        call.id.0.to_string(),
        time(call.started),
        call.recipient.to_string(),
        call.number.as_str().into(),
        how(call).into(),
        said(call),
        seconds(call.rang),
        seconds(call.talked),
        format!("{} of {}", call.heard, call.messages),
        call.trunk.clone().unwrap_or_default(),
        who(call.picked_up).into(),
        call.line.clone().unwrap_or_default(),
    ]
}

pub(super) fn json(call: &CallRecord) -> serde_json::Value {
    json!({
        "call": call.id.0,
        "started": call.started.to_string(),
        "rung": call.rung.map(|at| at.to_string()),
        "answered": call.answered.map(|at| at.to_string()),
        "ended": call.ended.map(|at| at.to_string()),
        "for": call.recipient.as_str(),
        "direction": if call.incoming { "in" } else { "out" },
        "number": call.number.as_str(),
        "outcome": outcome(call.outcome),
        "status": call.status,
        "cause": call.cause,
        "rang_ms": call.rang.map(|span| span.as_millis() as u64),
        "talked_ms": call.talked.map(|span| span.as_millis() as u64),
        "sip_call_id": call.sip_call_id,
        "trunk": call.trunk,
        "picked_up": who(call.picked_up),
        "line": call.line,
        "stop_calls": call.stop_calls,
        "messages": call.messages,
        "heard": call.heard,
    })
}

fn how(call: &CallRecord) -> &'static str {
    match call.outcome {
        Some(Outcome::Answered) if call.incoming => "called in",
        other => outcome(other),
    }
}

/// The final status, and what the telephone network said beside it.
pub(super) fn said(call: &CallRecord) -> String {
    let status = call.status.map(|status| status.to_string());
    let cause = call.cause.map(|cause| format!("Q.850 {cause}"));
    status.into_iter().chain(cause).collect::<Vec<_>>().join(", ")
}

fn who(picked_up: Option<PickedUp>) -> &'static str {
    match picked_up {
        Some(PickedUp::Human) => "human",
        Some(PickedUp::Machine) => "machine",
        Some(PickedUp::Unknown) => "unknown",
        None => "",
    }
}

pub(super) fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "on the line",
        Some(Outcome::Answered) => "answered",
        Some(Outcome::Machine) => "answering machine",
        Some(Outcome::NoAnswer) => "no answer",
        Some(Outcome::Busy) => "busy",
        Some(Outcome::Declined) => "declined",
        Some(Outcome::WrongNumber) => "wrong number",
        Some(Outcome::TrunkFailed) => "trunk failed",
        Some(Outcome::NotEncrypted) => "not encrypted",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::Interrupted) => "interrupted",
    }
}
