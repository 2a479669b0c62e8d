//! Rows for people.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::show;

/// Prints rows under a head, or a sentence when there are none.
pub(super) fn print(head: &[&str], rows: Vec<Vec<String>>, none: &str) {
    if rows.is_empty() {
        show(none);
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    table.add_rows(rows);
    show(table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

/// An instant in the zone of this machine.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// An instant, or nothing.
pub(super) fn maybe_time(at: Option<Timestamp>) -> String {
    at.map(time).unwrap_or_default()
}

/// Whole seconds.
pub(super) fn seconds(span: Option<Duration>) -> String {
    span.map(|span| format!("{} s", span.as_secs())).unwrap_or_default()
}
