//! Everything that rang: the list, and one call with its ladder.

use maud::{Markup, html};

use super::Names;
use super::frame::{Frame, facts, maybe_time, seconds, table, text, time};
use super::query::ROWS;
use crate::store::{CallRecord, Reader, RingRecord, StoreError};

pub(super) fn list(frame: &Frame<'_>) -> Result<String, StoreError> {
    let found = Reader::open(frame.observed.store)?.ring_list(&frame.query.listing())?;
    let shown = &found[..found.len().min(ROWS)];
    let last = shown.last().map(|ring| ring.id.to_string());
    let rows: Vec<_> = shown.iter().map(|ring| row(frame, ring)).collect();
    let head = ["call", "kind", "began", "for", "number", "outcome", "talked", "heard", "trunk"];
    let inside = html! {
        @if frame.names == Names::Shown {
            (frame.filter(&html! {
                (frame.who("from", "Caused by", frame.query.from.as_deref()))
                (frame.who("for", "For", frame.query.to.as_deref()))
            }))
        }
        (table("Calls", &head, &rows, "There is no such call."))
        (frame.more(found.len(), last, "Older calls"))
    };
    Ok(frame.page("Calls", &inside))
}

fn row(frame: &Frame<'_>, ring: &RingRecord) -> Vec<Markup> {
    let link = frame.link(&format!("/operator/calls/{}", ring.id));
    let heard = ring.call.as_ref().map(|call| format!("{} of {}", call.heard, call.messages));
    vec![
        html! { a href=(link) { (ring.id) } },
        text(ring.kind.as_str()),
        time(ring.started),
        text(ring.callee.as_deref().map(|jid| frame.names.of(jid)).unwrap_or_default()),
        number(frame, ring),
        text(ring.words()),
        seconds(ring.talked),
        text(heard.unwrap_or_default()),
        text(ring.trunk.as_deref().unwrap_or_default()),
    ]
}

fn number(frame: &Frame<'_>, ring: &RingRecord) -> Markup {
    match &ring.call {
        Some(call) => text(frame.names.number(&call.number)),
        None => text(frame.names.area(&ring.area)),
    }
}

pub(super) fn one(frame: &Frame<'_>, id: &str) -> Result<Option<String>, StoreError> {
    let Ok(id) = id.parse::<u32>() else { return Ok(None) };
    let ring = Reader::open(frame.observed.store)?.ring(i64::from(id))?;
    let Some(ring) = ring else { return Ok(None) };
    let askers = ring.askers.iter().map(|jid| frame.names.of(jid.as_str()));
    let known = facts(&[
        ("Kind", text(ring.kind.as_str())),
        ("For", text(ring.callee.as_deref().map(|jid| frame.names.of(jid)).unwrap_or_default())),
        ("Number", number(frame, &ring)),
        ("Caused by", text(askers.collect::<Vec<_>>().join(", "))),
        ("Began", time(ring.started)),
        ("Ended", maybe_time(ring.ended)),
        ("Outcome", text(ring.words())),
    ]);
    let inside = html! {
        (known)
        @if let Some(call) = &ring.call { (about(frame, call)) }
    };
    Ok(Some(frame.page(&format!("Call {id}"), &inside)))
}

/// What the store says of a call, with its messages and its ladder.
pub(super) fn about(frame: &Frame<'_>, call: &CallRecord) -> Markup {
    let messages = html! { @for id in &call.message_ids {
        a href=(frame.link(&format!("/operator/messages/{}", id.0))) { (id.0) } " "
    } };
    let status = call.status.map(|status| status.to_string()).unwrap_or_default();
    html! {
        h2 { "On the line: " (time(call.started)) }
        (facts(&[
            ("Outcome", text(call.words())),
            ("SIP status", text(status)),
            ("Rang", seconds(call.rang)),
            ("Answered", maybe_time(call.answered)),
            ("Talked", seconds(call.talked)),
            ("Heard", html! { (call.heard) " of " (call.messages) }),
            ("Messages", messages),
            ("Trunk", text(call.trunk.as_deref().unwrap_or_default())),
            ("Line", text(call.quality.as_deref().unwrap_or_default())),
            ("Call-ID", text(call.sip_call_id.as_deref().unwrap_or_default())),
        ]))
        @if let Some(ladder) = &call.ladder {
            h3 { "Ladder" }
            p { "Seconds since the first INVITE; -> to the trunk, <- from it." }
            pre tabindex="0" { (ladder) }
        }
    }
}
