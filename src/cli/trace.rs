//! `offhook trace`: one message from stanza to key press.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::calls::{outcome, said};
use super::table::time;
use super::{calls, failed, held, read};
use crate::store::{Reader, Trace};

pub(super) fn run(path: &Path, name: &str, as_json: bool) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match Reader::open(&config.store).and_then(|reader| reader.trace(name)) {
        Ok(Some(trace)) if as_json => println!("{}", json(&trace)),
        Ok(Some(trace)) => print(&trace),
        Ok(None) => {
            return failed(format!("no message is known as {name}; offhook held lists them"));
        }
        Err(error) => return failed(error),
    }
    ExitCode::SUCCESS
}

fn print(trace: &Trace) {
    let message = &trace.message;
    println!("message {} from {} for {}", message.id.0, message.sender, message.recipient);
    if let Some(id) = &message.stanza_id {
        println!("stanza  {id}");
    }
    println!();
    for step in &trace.steps {
        println!("{}  {}", time(step.at), step.what);
    }
    for call in &trace.calls {
        let said = said(call);
        let status = if said.is_empty() { said } else { format!(", SIP {said}") };
        let trunk =
            call.trunk.as_deref().map(|trunk| format!(", trunk {trunk}")).unwrap_or_default();
        let id =
            call.sip_call_id.as_deref().map(|id| format!(", Call-ID {id}")).unwrap_or_default();
        println!("\ncall {}: {}{status}{trunk}{id}", call.id.0, outcome(call.outcome));
    }
    println!();
    for reply in &trace.replies {
        let what = reply.status.as_deref().unwrap_or(&reply.content);
        let key = reply.key.as_deref().map(|key| format!(", key {key}")).unwrap_or_default();
        let sent = reply.sent.map_or("owed".to_owned(), |at| format!("at the server {}", time(at)));
        println!("stanza {}: {what}{key}, {sent}", reply.stanza_id);
    }
}

fn json(trace: &Trace) -> serde_json::Value {
    let steps: Vec<_> = trace
        .steps
        .iter()
        .map(|step| json!({ "at": step.at.to_string(), "what": step.what }))
        .collect();
    let replies: Vec<_> = trace
        .replies
        .iter()
        .map(|reply| {
            json!({
                "stanza_id": reply.stanza_id,
                "content": reply.content,
                "status": reply.status,
                "key": reply.key,
                "owed": reply.owed.to_string(),
                "sent": reply.sent.map(|at| at.to_string()),
            })
        })
        .collect();
    json!({
        "message": held::json(&trace.message),
        "steps": steps,
        "calls": trace.calls.iter().map(calls::json).collect::<Vec<_>>(),
        "replies": replies,
    })
}
