//! People and their settings.

use maud::{Markup, html};

use super::Names;
use super::frame::{Frame, table, text};
use super::query::ROWS;
use crate::store::{Reader, StoreError};
use crate::subscriber::{Quiet, Subscriber, WhenOffline};

pub(super) fn list(frame: &Frame<'_>) -> Result<String, StoreError> {
    let (name, after) = (frame.query.to.as_deref(), frame.query.before.as_deref());
    let after = match after {
        Some(place) => place.parse().unwrap_or_default(),
        None => 0,
    };
    let found = Reader::open(frame.observed.store)?.people(name, after, ROWS + 1)?;
    let shown = &found[..found.len().min(ROWS)];
    let rows: Vec<_> = shown.iter().map(|person| row(frame, person)).collect();
    let head = [
        "JID",
        "name",
        "number",
        "second",
        "while offline",
        "quiet hours",
        "zone",
        "language",
        "PIN",
    ];
    // The place in the list: a JID in a link would name somebody.
    let last = Some((after + ROWS).to_string());
    let inside = html! {
        @if frame.names == Names::Shown { (frame.filter(&frame.who("for", "Who", name))) }
        (table("People", &head, &rows, "There is nobody like that."))
        (frame.more(found.len(), last, "More people"))
    };
    Ok(frame.page("People", &inside))
}

fn row(frame: &Frame<'_>, person: &Subscriber) -> Vec<Markup> {
    let number =
        |number: Option<&_>| text(number.map(|it| frame.names.number(it)).unwrap_or_default());
    let quiet = match person.quiet {
        Some(Quiet::Daily(hours)) => hours.to_string(),
        Some(Quiet::Never) => "none".to_owned(),
        None => "as all".to_owned(),
    };
    let zone = person.time_zone.as_ref().and_then(|zone| zone.iana_name()).unwrap_or("as all");
    vec![
        text(frame.names.of(person.jid.as_str())),
        text(frame.names.of(person.name.as_str())),
        number(person.number.as_ref()),
        number(person.second.as_ref()),
        text(match person.offline {
            WhenOffline::Phone => "phone",
            WhenOffline::Store => "store",
        }),
        text(quiet),
        text(zone),
        text(person.language.as_deref().unwrap_or("as all")),
        text(if person.pin.is_some() { "set" } else { "" }),
    ]
}
