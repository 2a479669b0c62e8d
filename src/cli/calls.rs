//! `offhook calls`: call records.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::listed::Listed;
use super::output::show;
use super::table::{print_with_zone, seconds, time};
use super::{failed, read_without_secrets};
use crate::media::answering_machine::PickedUp;
use crate::notification::{MessageId, RingKind};
use crate::store::{CallRecord, Reader, RingRecord};

pub(super) fn run(
    path: &Path,
    listed: &Listed,
    last: usize,
    wide: bool,
    as_json: bool,
) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let listing = listed.newest(last);
    let calls = Reader::open(&config.fixed.store).and_then(|reader| reader.ring_list(&listing));
    let calls = match calls {
        Ok(calls) => calls,
        Err(error) => return failed(error),
    };
    if as_json {
        show(calls.iter().map(ring).collect::<serde_json::Value>());
    } else {
        let columns = COLUMNS.into_iter().filter(|(_, is_narrow)| wide || *is_narrow);
        let head: Vec<_> = columns.map(|(name, _)| name).collect();
        let nothing =
            if listed.is_all() { "No call has been made." } else { "No such call has been made." };
        let rows = calls.iter().map(|ring| {
            let row = COLUMNS.into_iter().zip(row(ring));
            row.filter(|((_, is_narrow), _)| wide || *is_narrow).map(|(_, cell)| cell).collect()
        });
        print_with_zone(&head, rows.collect(), nothing);
    }
    ExitCode::SUCCESS
}

/// What a row tells, and whether it stands in a table that fits a terminal of 80 columns.
const COLUMNS: [(&str, bool); 15] = [
    ("ring", true),
    ("kind", false),
    ("call", false),
    ("started", true),
    ("for", true),
    ("number", false),
    ("outcome", true),
    ("SIP", false),
    ("rang", false),
    ("talked", true),
    ("heard", true),
    ("trunk", false),
    ("who", false),
    ("line", false),
    ("messages", true),
];

/// A ring with its call, where that is known; else what stays of it.
fn row(ring: &RingRecord) -> Vec<String> {
    let mut row = vec![ring.id.to_string(), ring.kind.as_str().to_owned()];
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
        ring.words().into(),
        String::new(),
        String::new(),
        seconds(ring.talked),
        String::new(),
        ring.trunk.clone().unwrap_or_default(),
        String::new(),
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
                "outcome": ring.words(),
                "talked_ms": ring.talked.map(|span| span.as_millis() as u64),
                "trunk": ring.trunk,
            })
        },
        json,
    );
    shown["ring"] = ring.id.into();
    shown["kind"] = ring.kind.as_str().into();
    shown["area"] = ring.area.as_str().into();
    shown["asked_by"] = ring.askers.as_slice().into();
    shown
}

fn of_call(call: &CallRecord) -> Vec<String> {
    vec![
        call.id.0.to_string(),
        time(call.started),
        call.recipient.to_string(),
        call.number.as_str().into(),
        call.words().into(),
        said(call),
        seconds(call.rang),
        seconds(call.talked),
        format!("{} of {}", call.heard, call.messages),
        call.trunk.clone().unwrap_or_default(),
        who(call.picked_up).into(),
        call.quality.clone().unwrap_or_default(),
        numbers(&call.message_ids),
    ]
}

/// The numbers by which `trace` knows the messages of a call.
fn numbers(ids: &[MessageId]) -> String {
    ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ")
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
        "outcome": call.outcome_words(),
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
        "message_numbers": call.message_ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        "heard": call.heard,
    })
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
