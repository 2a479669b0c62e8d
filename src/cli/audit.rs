//! `offhook audit`: who changed what, and when.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::output::show;
use super::table::{print_with_zone, time};
use super::{failed, read_without_secrets};
use crate::store::{AuditRecord, Reader};

pub(super) fn run(path: &Path, last: usize, as_json: bool) -> ExitCode {
    let config = match read_without_secrets(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let rows = Reader::open(&config.fixed.store).and_then(|reader| reader.audit_list(last));
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return failed(error),
    };
    if as_json {
        show(rows.iter().map(json).collect::<serde_json::Value>());
    } else {
        let head = ["time", "kind", "what", "who", "client", "about", "before", "after"];
        print_with_zone(&head, rows.iter().map(row).collect(), "Nothing was changed.");
    }
    ExitCode::SUCCESS
}

fn row(record: &AuditRecord) -> Vec<String> {
    let short = |hash: &Option<String>| hash.iter().flat_map(|it| it.get(..8)).collect();
    vec![
        time(record.at),
        record.action.as_str().into(),
        record.what.clone(),
        record.who.clone().unwrap_or_default(),
        record.resource.clone().unwrap_or_default(),
        record.about.clone().unwrap_or_default(),
        short(&record.before),
        short(&record.after),
    ]
}

fn json(record: &AuditRecord) -> serde_json::Value {
    json!({
        "time": record.at.to_string(),
        "kind": record.action.as_str(),
        "what": record.what,
        "who": record.who,
        "client": record.resource,
        "about": record.about,
        "before": record.before,
        "after": record.after,
    })
}
