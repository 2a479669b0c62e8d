//! `offhook calls`: call records.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::output::show;
use super::table::{print, seconds, time};
use super::{failed, read_without_secrets};
use crate::media::answering_machine::PickedUp;
use crate::notification::{Outcome, RingKind};
use crate::store::{CallRecord, Reader, RingRecord};

pub(super) fn run(path: &Path, last: usize, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let calls = match Reader::open(&config.fixed.store).and_then(|reader| reader.ring_list(last)) {
        Ok(calls) => calls,
        Err(error) => return failed(error),
    };
    if as_json {
        show(calls.iter().map(ring).collect::<serde_json::Value>());
    } else {
        let head = [
            "ring", "kind", "call", "started", "for", "number", "outcome", "SIP", "rang", "talked",
            "heard", "trunk", "who", "line",
        ];
        print(&head, calls.iter().map(row).collect(), "No call has been made.");
    }
    ExitCode::SUCCESS
}

/// A ring with its call, where that is known; else what stays of it.
fn row(ring: &RingRecord) -> Vec<String> {
    let mut row = vec![ring.id.to_string(), kind(ring.kind).to_owned()];
    row.extend(ring.call.as_ref().map_or_else(|| what_stays(ring), of_call));
    row
}

fn what_stays(ring: &RingRecord) -> Vec<String> {
    let callee = ring.callee.clone();
    vec![
        String::new(),
        time(ring.started),
        callee.or_else(|| ring.askers.first().cloned()).unwrap_or_default(),
        format!("+{}…", ring.area),
        ended(ring).into(),
        String::new(),
        String::new(),
        seconds(ring.talked),
        String::new(),
        ring.trunk.clone().unwrap_or_default(),
        String::new(),
        String::new(),
    ]
}

fn ring(ring: &RingRecord) -> serde_json::Value {
    let mut shown = ring.call.as_ref().map_or_else(
        || {
            json!({
                "started": ring.started.to_string(),
                "ended": ring.ended.map(|at| at.to_string()),
                "for": ring.callee,
                "direction": if ring.kind == RingKind::In { "in" } else { "out" },
                "outcome": ended(ring),
                "talked_ms": ring.talked.map(|span| span.as_millis() as u64),
                "trunk": ring.trunk,
            })
        },
        json,
    );
    shown["ring"] = ring.id.into();
    shown["kind"] = kind(ring.kind).into();
    shown["area"] = ring.area.as_str().into();
    shown["asked_by"] = ring.askers.as_slice().into();
    shown
}

/// A call with a code from before there were these records has an end, but no outcome.
fn ended(ring: &RingRecord) -> &'static str {
    if ring.outcome.is_none() && ring.ended.is_some() { "unknown" } else { outcome(ring.outcome) }
}

fn kind(kind: RingKind) -> &'static str {
    match kind {
        RingKind::Message => "message",
        RingKind::Code => "code",
        RingKind::Test => "test",
        RingKind::In => "in",
    }
}

fn of_call(call: &CallRecord) -> Vec<String> {
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
        call.quality.clone().unwrap_or_default(),
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
        "line": call.quality,
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
        Some(Outcome::NoSound) => "no sound",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::Interrupted) => "interrupted",
    }
}
