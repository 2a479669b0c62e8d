//! `offhook trace`: one message from stanza to key press.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::calls::said;
use super::listed::Listed;
use super::output::show;
use super::table::{time, with_times, zone};
use super::{calls, failed, held, read_without_secrets};
use crate::clock;
use crate::store::{Reader, StoreError, Trace, explain};

/// Which messages are traced.
pub(super) enum Traced {
    /// One, by its number or the id of a stanza.
    One(String),
    /// The last ones that fit.
    Last(Listed, usize),
}

pub(super) fn run(path: &Path, traced: &Traced, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let traces = match find(&config.fixed.store, traced) {
        Ok(traces) => traces,
        Err(error) => return failed(error),
    };
    if traces.is_empty() {
        return failed(match traced {
            Traced::One(name) => {
                format!("no message is known as {name}; offhook held lists those that are held")
            }
            Traced::Last(..) => "no such message is in the store".to_owned(),
        });
    }
    let (ids, now) =
        (traces.iter().map(|it| it.message.id).collect::<Vec<_>>(), clock::timestamp());
    let rules = match explain::kept_by(&config.fixed.store, &config.live.policy, &ids, now) {
        Ok(rules) => rules,
        Err(error) => return failed(error),
    };
    let ruled = traces.iter().zip(rules.iter().map(Option::as_deref));
    match traced {
        Traced::One(_) if as_json => ruled.for_each(|(trace, rule)| show(json(trace, rule))),
        Traced::Last(..) if as_json => {
            show(ruled.map(|(trace, rule)| json(trace, rule)).collect::<serde_json::Value>());
        }
        _ => {
            show(zone());
            for (trace, rule) in ruled {
                show("");
                print(trace, rule);
            }
        }
    }
    ExitCode::SUCCESS
}

/// The oldest first.
fn find(store: &Path, traced: &Traced) -> Result<Vec<Trace>, StoreError> {
    let reader = Reader::open(store)?;
    match traced {
        Traced::One(name) => Ok(reader.trace(name)?.into_iter().collect()),
        Traced::Last(listed, last) => {
            let found = reader.messages(&listed.newest(*last))?;
            let traces = found.iter().rev().map(|it| reader.trace(&it.id.0.to_string()));
            traces.filter_map(Result::transpose).collect()
        }
    }
}

fn print(trace: &Trace, rule: Option<&str>) {
    let message = &trace.message;
    show(format!("message {} from {} for {}", message.id.0, message.sender, message.recipient));
    if let Some(id) = &message.stanza_id {
        show(format!("stanza  {id}"));
    }
    if let Some(rule) = rule {
        show(format!("no call now, by the rule: {}", with_times(rule)));
    }
    show("");
    for step in &trace.steps {
        show(format!("{}  {}", time(step.at), with_times(&step.what)));
    }
    for call in &trace.calls {
        let said = said(call);
        let status = if said.is_empty() { said } else { format!(", SIP {said}") };
        let trunk =
            call.trunk.as_deref().map(|trunk| format!(", trunk {trunk}")).unwrap_or_default();
        let id =
            call.sip_call_id.as_deref().map(|id| format!(", Call-ID {id}")).unwrap_or_default();
        show(format!("\ncall {}: {}{status}{trunk}{id}", call.id.0, call.outcome_words()));
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
