//! The operator's page: what happens now, one message or call step by step, history, people. It changes nothing and
//! runs no script.
//!
//! Contract: without [`Names::Shown`] no page names a person, a number or what a sender called their stanza. No page has
//!           the text of a message.

mod calls;
mod frame;
mod messages;
mod names;
mod now;
mod people;
mod query;

use std::path::Path;

use jiff::Timestamp;

use self::frame::Frame;
pub use self::names::Names;
use self::query::Query;
use crate::notification::policy::Policy;
use crate::numbers::Condition;
use crate::store::StoreError;

/// What a page is made of.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    /// The store.
    pub store: &'a Path,
    /// The rules that are followed now.
    pub policy: &'a Policy,
    /// Looks how the parts are, which only the first page tells.
    pub condition: &'a dyn Fn() -> Condition,
    /// The moment of the page.
    pub now: Timestamp,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// HTML.
    Page(String),
    /// CSS.
    Style(&'static str),
    /// HTML that says that there is no such page, message or call.
    Nothing(String),
    /// The names of people are asked for, and whoever asks has not shown the token.
    NeedsToken,
}

/// Whether a page with this query names people.
pub fn names_people(query: &str) -> bool {
    Query::read(query).wants_names
}

/// Makes the page at `path`, which begins with `/operator`.
///
/// `is_known`: whoever asks has shown the token; only they may ask for names.
/// Errors: the store cannot be read.
pub fn show(
    observed: &Observed<'_>,
    path: &str,
    query: &str,
    is_known: bool,
) -> Result<Shown, StoreError> {
    let query = Query::read(query);
    let names = if query.wants_names { Names::Shown } else { Names::Hidden };
    if names == Names::Shown && !is_known {
        return Ok(Shown::NeedsToken);
    }
    let inner = path.strip_prefix("/operator").unwrap_or_default();
    if inner == "/style.css" {
        return Ok(Shown::Style(include_str!("style.css")));
    }
    let frame = Frame { observed, names, path, query: &query };
    let parts: Vec<_> = inner.split('/').filter(|part| !part.is_empty()).collect();
    let found = match parts.as_slice() {
        [] => Some(now::page(&frame)?),
        ["messages"] => Some(messages::list(&frame)?),
        ["messages", number] => messages::one(&frame, number)?,
        ["calls"] => Some(calls::list(&frame)?),
        ["calls", number] => calls::one(&frame, number)?,
        ["people"] => Some(people::list(&frame)?),
        _ => None,
    };
    Ok(found.map_or_else(|| Shown::Nothing(frame.nothing()), Shown::Page))
}
