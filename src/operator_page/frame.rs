//! What all pages have around them, and the pieces that they are made of.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};

use super::query::{Query, ROWS};
use super::{Names, Observed};

/// One page in the making.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) observed: &'a Observed<'a>,
    pub(super) names: Names,
    pub(super) path: &'a str,
    pub(super) query: &'a Query,
}

impl Frame<'_> {
    /// The whole page.
    pub(super) fn page(&self, title: &str, inside: &Markup) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · Offhook" }
                    link rel="stylesheet" href="/operator/style.css";
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header {
                        span.mark { "☎ Offhook" }
                        nav aria-label="Pages" { ul {
                            @for (path, name) in PAGES {
                                li { a href=(self.link(path)) aria-current=[self.is_in(path).then_some("page")] { (name) } }
                            }
                        } }
                    }
                    main id="main" {
                        h1 { (title) }
                        (inside)
                    }
                    footer { (self.foot()) }
                }
            }
        };
        page.into_string()
    }

    /// A page that says that there is none.
    pub(super) fn nothing(&self) -> String {
        self.page("Not found", &html! { p { "There is no such page, message or call." } })
    }

    fn foot(&self) -> Markup {
        let other = Query { wants_names: !self.query.wants_names, ..self.query.clone() };
        let zone = TimeZone::system();
        html! {
            p {
                "As of " (time(self.observed.now))
                @if let Some(zone) = zone.iana_name() { " (" (zone) ")" }
                ". " a href=(self.here(self.query)) { "Load again" } ". "
                a href=(self.here(&other)) {
                    @match self.names {
                        Names::Hidden => "Show names and numbers",
                        Names::Shown => "Hide names and numbers",
                    }
                }
                "."
            }
        }
    }

    fn is_in(&self, path: &str) -> bool {
        match path {
            "/operator" => self.path.trim_end_matches('/') == path,
            _ => self.path.starts_with(path),
        }
    }

    /// Another page, which names people if this one does.
    pub(super) fn link(&self, path: &str) -> String {
        let query = Query { wants_names: self.query.wants_names, ..Query::default() };
        written(path, &query)
    }

    /// This page with another query.
    pub(super) fn here(&self, query: &Query) -> String {
        written(self.path, query)
    }

    /// A link to what comes after `last`, if there is more than fits on a page.
    pub(super) fn more(&self, found: usize, last: Option<String>, words: &str) -> Markup {
        let next = last.filter(|_| found > ROWS);
        let query = next.map(|last| Query { before: Some(last), ..self.query.clone() });
        html! { @if let Some(query) = query { p { a rel="next" href=(self.here(&query)) { (words) } } } }
    }

    /// Fields for whose records are shown.
    pub(super) fn filter(&self, fields: &Markup) -> Markup {
        html! {
            form.filter method="get" role="search" {
                (fields)
                @if self.query.wants_names { input type="hidden" name="names" value="shown"; }
                button { "Show" }
            }
        }
    }

    /// A field for a person, where people are named.
    pub(super) fn who(&self, name: &str, label: &str, value: Option<&str>) -> Markup {
        html! { @if self.names == Names::Shown { label { (label) " " input type="search" name=(name) value=[value] placeholder="alice or alice@example.org"; } } }
    }
}

/// Rows under a head; a table that is too wide moves in its own frame.
pub(super) fn table(caption: &str, head: &[&str], rows: &[Vec<Markup>], none: &str) -> Markup {
    html! {
        @if rows.is_empty() { p { (none) } } @else {
            div.wide role="region" aria-label=(caption) tabindex="0" {
                table {
                    caption { (caption) }
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        }
    }
}

/// What is known of one thing.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! { dl { @for (name, value) in facts { dt { (name) } dd { (value) } } } }
}

/// Text in a cell.
pub(super) fn text(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

/// Text in which each instant is told in the zone of this machine.
pub(super) fn with_times(text: &str) -> Markup {
    let words = text.split(' ').map(|word| match word.parse() {
        Ok(at) => time(at),
        Err(_) => html! { (word) },
    });
    html! { @for word in words { (word) " " } }
}

/// An instant in the zone of this machine.
pub(super) fn time(at: Timestamp) -> Markup {
    let local = at.to_zoned(TimeZone::system());
    let shown = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    html! { time datetime=(local.strftime("%Y-%m-%dT%H:%M:%S%:z")) { (shown) } }
}

/// An instant, or nothing.
pub(super) fn maybe_time(at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { (time(at)) } }
}

/// Whole seconds, or nothing.
pub(super) fn seconds(span: Option<Duration>) -> Markup {
    html! { @if let Some(span) = span { (span.as_secs()) " s" } }
}

fn written(path: &str, query: &Query) -> String {
    match query.written() {
        none if none.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

const PAGES: [(&str, &str); 4] = [
    ("/operator", "Now"),
    ("/operator/messages", "Messages"),
    ("/operator/calls", "Calls"),
    ("/operator/people", "People"),
];
