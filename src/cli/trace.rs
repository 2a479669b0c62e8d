//! `offhook trace`: one message from stanza to key press.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::calls::{outcome, said};
use super::output::show;
use super::table::time;
use super::{calls, failed, held, read_without_secrets};
use crate::clock;
use crate::store::{Reader, Trace, explain};

pub(super) fn run(path: &Path, name: &str, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let trace = match Reader::open(&config.fixed.store).and_then(|reader| reader.trace(name)) {
        Ok(Some(trace)) => trace,
        Ok(None) => {
            return failed(format!("no message is known as {name}; offhook held lists them"));
        }
        Err(error) => return failed(error),
    };
    let (ids, now) = ([trace.message.id], clock::timestamp());
    let rule = match explain::kept_by(&config.fixed.store, &config.live.policy, &ids, now) {
        Ok(rules) => rules.into_iter().next().flatten(),
        Err(error) => return failed(error),
    };
    if as_json {
        show(json(&trace, rule.as_deref()));
    } else {
        print(&trace, rule.as_deref());
    }
    ExitCode::SUCCESS
}

fn print(trace: &Trace, rule: Option<&str>) {
    let message = &trace.message;
    show(format!("message {} from {} for {}", message.id.0, message.sender, message.recipient));
    if let Some(id) = &message.stanza_id {
        show(format!("stanza  {id}"));
    }
    if let Some(rule) = rule {
        show(format!("no call now, by the rule: {rule}"));
    }
    show("");
    for step in &trace.steps {
        show(format!("{}  {}", time(step.at), step.what));
    }
    for call in &trace.calls {
        let said = said(call);
        let status = if said.is_empty() { said } else { format!(", SIP {said}") };
        let trunk =
            call.trunk.as_deref().map(|trunk| format!(", trunk {trunk}")).unwrap_or_default();
        let id =
            call.sip_call_id.as_deref().map(|id| format!(", Call-ID {id}")).unwrap_or_default();
        show(format!("\ncall {}: {}{status}{trunk}{id}", call.id.0, outcome(call.outcome)));
    }
    show("");
    for reply in &trace.replies {
        let what = reply.status.as_deref().unwrap_or(&reply.content);
        let key = reply.key.as_deref().map(|key| format!(", key {key}")).unwrap_or_default();
        let sent = reply.sent.map_or("owed".to_owned(), |at| format!("at the server {}", time(at)));
        show(format!("stanza {}: {what}{key}, {sent}", reply.stanza_id));
    }
    for call in &trace.calls {
        let Some(ladder) = &call.ladder else { continue };
        show(format!("\ncall {}, in seconds; -> to the trunk, <- from it", call.id.0));
        show(ladder);
    }
}

fn json(trace: &Trace, rule: Option<&str>) -> serde_json::Value {
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
        "message": held::json(&trace.message, rule),
        "steps": steps,
        "calls": trace.calls.iter().map(calls::json).collect::<Vec<_>>(),
        "replies": replies,
    })
}
