//! Messages: the list, and one from stanza to key press.

use maud::{Markup, html};

use super::calls;
use super::frame::{Frame, facts, maybe_time, table, text, time, with_times};
use super::query::ROWS;
use crate::store::explain;
use crate::store::{HeldMessage, Reader, StoreError, Trace};

pub(super) fn list(frame: &Frame<'_>) -> Result<String, StoreError> {
    let (reader, listing) = (Reader::open(frame.observed.store)?, frame.query.listing());
    let found = if frame.query.held_only {
        reader.held_list(&listing)?
    } else {
        reader.messages(&listing)?
    };
    let shown = &found[..found.len().min(ROWS)];
    let last = shown.last().map(|message| message.id.0.to_string());
    let inside = html! {
        (frame.filter(&html! {
            (frame.who("from", "From", frame.query.from.as_deref()))
            (frame.who("for", "For", frame.query.to.as_deref()))
            label { input type="checkbox" name="held" value="only" checked[frame.query.held_only]; " only what is held" }
        }))
        (table_of(frame, shown, "There is no such message.")?)
        (frame.more(found.len(), last, "Older messages"))
    };
    Ok(frame.page("Messages", &inside))
}

/// Messages with the rule that keeps each from ringing.
pub(super) fn table_of(
    frame: &Frame<'_>,
    messages: &[HeldMessage],
    none: &str,
) -> Result<Markup, StoreError> {
    let observed = frame.observed;
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let rules = explain::kept_by(observed.store, observed.policy, &ids, observed.now)?;
    let row = |(message, rule): (&HeldMessage, &Option<String>)| {
        let number = message.id.0.to_string();
        vec![
            html! { a href=(frame.link(&format!("/operator/messages/{number}"))) { (number) } },
            time(message.received),
            text(frame.names.of(message.sender.to_bare().as_str())),
            text(frame.names.of(message.recipient.as_str())),
            text(message.state()),
            maybe_time(message.next_call.map(|(at, _)| at)),
            html! { (message.calls) },
            with_times(rule.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = messages.iter().zip(&rules).map(row).collect();
    let head = ["message", "received", "from", "for", "state", "next call", "calls", "no call by"];
    Ok(table("Messages", &head, &rows, none))
}

pub(super) fn one(frame: &Frame<'_>, number: &str) -> Result<Option<String>, StoreError> {
    // Only a number: the id of a stanza is the sender's.
    let Ok(number) = number.parse::<u32>() else { return Ok(None) };
    let trace = Reader::open(frame.observed.store)?.trace(&number.to_string())?;
    let Some(trace) = trace.filter(|trace| trace.message.id.0 == i64::from(number)) else {
        return Ok(None);
    };
    let ids = [trace.message.id];
    let observed = frame.observed;
    let rules = explain::kept_by(observed.store, observed.policy, &ids, observed.now)?;
    let rule = rules.into_iter().next().flatten();
    let inside = html! {
        (about(frame, &trace, rule.as_deref()))
        h2 { "Steps" }
        ol { @for step in &trace.steps { li { (time(step.at)) " " (step_words(frame, &step.what)) } } }
        h2 { "Stanzas" }
        (stanzas(frame, &trace))
        @for call in &trace.calls { (calls::about(frame, call)) }
    };
    Ok(Some(frame.page(&format!("Message {number}"), &inside)))
}

fn about(frame: &Frame<'_>, trace: &Trace, rule: Option<&str>) -> Markup {
    let message = &trace.message;
    let stanza = message.stanza_id.as_deref().map(|id| frame.names.of(id)).unwrap_or_default();
    facts(&[
        ("From", text(frame.names.of(message.sender.to_bare().as_str()))),
        ("For", text(frame.names.of(message.recipient.as_str()))),
        ("Received", time(message.received)),
        ("Stanza", text(stanza)),
        ("Characters", html! { (message.body_chars) }),
        ("State", text(message.state())),
        ("Next call", maybe_time(message.next_call.map(|(at, _)| at))),
        ("No call by", with_times(rule.unwrap_or_default())),
    ])
}

/// A step as it is stored, which may end in the id of a stanza.
fn step_words(frame: &Frame<'_>, what: &str) -> Markup {
    match what.split_once("stanza ") {
        Some((before, id)) => html! { (before) "stanza " (frame.names.of(id)) },
        None => with_times(what),
    }
}

fn stanzas(frame: &Frame<'_>, trace: &Trace) -> Markup {
    let rows: Vec<_> = trace
        .replies
        .iter()
        .map(|reply| {
            let key = reply.key.as_deref().map(|key| frame.names.key(key)).unwrap_or_default();
            vec![
                text(reply.status.as_deref().unwrap_or(&reply.content)),
                text(key),
                time(reply.owed),
                maybe_time(reply.sent),
            ]
        })
        .collect();
    let none = "Nothing was sent about it.";
    table("Stanzas about it", &["what", "key", "owed", "at the server"], &rows, none)
}
