//! Rows for people.

use std::io;
use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::show;

/// Prints rows under a head, or a sentence when there are none. What is wider than the terminal is broken in its cells.
pub(super) fn print(head: &[&str], rows: Vec<Vec<String>>, none: &str) {
    if rows.is_empty() {
        show(none);
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(columns) = terminal_columns() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
    table.set_header(head);
    table.add_rows(rows);
    show(table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

/// As [`print`], for rows with times, and says in which zone they are.
pub(super) fn print_with_zone(head: &[&str], rows: Vec<Vec<String>>, none: &str) {
    let has_times = !rows.is_empty();
    print(head, rows, none);
    if has_times {
        show(format!("\n{}", zone()));
    }
}

/// How wide the terminal is that standard output goes to, if it goes to one.
fn terminal_columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.max(COLUMNS_MIN))
}

/// An instant in the zone of this machine.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// An instant, or nothing.
pub(super) fn maybe_time(at: Option<Timestamp>) -> String {
    at.map(time).unwrap_or_default()
}

/// Whose times those of [`time`] are.
pub(super) fn zone() -> String {
    let zone = TimeZone::system();
    let name = zone.iana_name().map(str::to_owned);
    let offset = || crate::clock::timestamp().to_zoned(zone.clone()).strftime("UTC%:z").to_string();
    format!("times in {}", name.unwrap_or_else(offset))
}

/// `text` with each instant in it as [`time`] writes it.
pub(super) fn with_times(text: &str) -> String {
    let word = |word: &str| match word.parse::<Timestamp>() {
        Ok(at) => time(at),
        Err(_) => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Whole seconds.
pub(super) fn seconds(span: Option<Duration>) -> String {
    span.map(|span| format!("{} s", span.as_secs())).unwrap_or_default()
}

/// Narrower than this a table is no table any more.
const COLUMNS_MIN: u16 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_a_text_is_in_the_zone_of_the_machine() {
        let at: Timestamp = "2026-11-23T10:01:00Z".parse().unwrap();
        let shown = with_times("owed: waiting, gathering, call at 2026-11-23T10:01:00Z");
        assert_eq!(shown, format!("owed: waiting, gathering, call at {}", time(at)));
        assert_eq!(with_times("sent: stanza a-1"), "sent: stanza a-1");
    }
}
