//! The first page: parts, limits, running calls, and what waits.

use maud::{Markup, html};

use super::frame::{Frame, facts, table, text, time};
use super::messages;
use crate::numbers::StoreCondition;
use crate::store::explain::day::{self, Budget};
use crate::store::{CallRecord, Listing, Reader, RingRecord, StoreError};

pub(super) fn page(frame: &Frame<'_>) -> Result<String, StoreError> {
    let observed = frame.observed;
    let reader = Reader::open(observed.store)?;
    let running = reader.running_rings(SHOWN)?;
    let held = reader.held_list(&Listing::newest(SHOWN))?;
    let budgets = day::budgets(observed.store, observed.policy, observed.now)?;
    let inside = html! {
        h2 { "Parts" }
        (parts(frame))
        h2 { "Limits of a day" }
        (limits(&budgets))
        h2 { "Calls now" }
        (table("Calls now", &["call", "began", "for", "trunk", "step"], &calls(frame, &running), "Nobody is being called."))
        h2 { "Held" }
        (messages::table_of(frame, &held, "Nothing is held.")?)
        @if held.len() == SHOWN { p { a href=(frame.link("/operator/messages")) { "All messages" } } }
    };
    Ok(frame.page("Now", &inside))
}

fn parts(frame: &Frame<'_>) -> Markup {
    let condition = (frame.observed.condition)();
    let works = |works: bool| text(if works { "works" } else { "fails" });
    let trunks = html! { ul { @for trunk in &condition.trunks { li {
        (trunk.name) ": " @if trunk.is_usable { "works" } @else { "cools down" } ", " (trunk.calls) " calls"
    } } } };
    let StoreCondition { held, owed, queue_age, octets } = condition.store.unwrap_or_default();
    let free = condition.disk_free.map(|free| format!("{} MB free", free >> 20));
    facts(&[
        ("XMPP server", works(condition.is_linked)),
        ("Trunks", trunks),
        ("Voice", works(condition.has_voice)),
        (
            "Store",
            html! { (works(condition.store.is_some())) ", " (octets >> 10) " KB, " (free.unwrap_or_default()) },
        ),
        ("Messages held", html! { (held) }),
        ("Stanzas owed", html! { (owed) }),
        ("Next call is late by", html! { (queue_age.as_secs()) " s" }),
    ])
}

fn limits(budgets: &[Budget]) -> Markup {
    html! { ul.limits { @for budget in budgets { li {
        label {
            (budget.name) ": " (budget.used) " of " (budget.most) " "
            meter min="0" max=(budget.most) high=(u64::from(budget.most) * 4 / 5) value=(budget.used.min(budget.most)) {}
        }
    } } } }
}

fn calls(frame: &Frame<'_>, running: &[RingRecord]) -> Vec<Vec<Markup>> {
    let row = |ring: &RingRecord| {
        let number = ring.id.to_string();
        let callee = ring.callee.as_deref().map(|jid| frame.names.of(jid)).unwrap_or_default();
        vec![
            html! { a href=(frame.link(&format!("/operator/calls/{number}"))) { (number) } },
            time(ring.started),
            text(callee),
            text(ring.call.as_ref().and_then(|call| call.trunk.as_deref()).unwrap_or_default()),
            step(ring.call.as_ref()),
        ]
    };
    running.iter().map(row).collect()
}

fn step(call: Option<&CallRecord>) -> Markup {
    match call {
        Some(CallRecord { answered: Some(at), .. }) => html! { "talks since " (time(*at)) },
        Some(CallRecord { rung: Some(at), .. }) => html! { "rings since " (time(*at)) },
        Some(_) | None => text("is dialled"),
    }
}

const SHOWN: usize = 20;
