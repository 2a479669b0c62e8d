//! The lines of level WARN and ERROR in the code, and those that `docs/operate.md` explains.

use std::collections::BTreeSet;

use crate::code::{SourceFile, closing};

/// The level and the message of each log line that wakes the operator, as it stands in the code.
pub(crate) fn written(files: &[SourceFile]) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for file in files {
        for (level, call) in [("WARN", "warn!("), ("ERROR", "error!(")] {
            for (at, _) in file.code.match_indices(call) {
                if file.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_') {
                    continue;
                }
                let open = at + call.len() - 1;
                let end = closing(&file.code, open).unwrap();
                let Some(message) = message(file, open + 1, end - 1) else {
                    panic!("{}:{}: a log line without a message", file.name, file.line(at));
                };
                found.insert((level, message));
            }
        }
    }
    found
}

/// The level and the message of each entry of the catalogue: the rows of the tables below the headings `### WARN`
/// and `### ERROR` that begin with the message in backquotes.
pub(crate) fn explained(manual: &str) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    let mut level = None;
    for line in manual.lines() {
        match line {
            "### WARN" => level = Some("WARN"),
            "### ERROR" => level = Some("ERROR"),
            heading if heading.starts_with('#') => level = None,
            row => {
                let message = row.strip_prefix("| `").and_then(|it| it.split_once("` |"));
                if let (Some(level), Some((message, todo))) = (level, message) {
                    assert!(todo.trim_matches([' ', '|']).len() > 10, "nothing to do: {row}");
                    found.insert((level, message.to_owned()));
                }
            }
        }
    }
    found
}

/// The message among the arguments that stand between two indices: the one that is a string alone.
fn message(file: &SourceFile, from: usize, to: usize) -> Option<String> {
    let (mut depth, mut start) = (0, from);
    let mut arguments = vec![];
    for (at, byte) in file.code.bytes().enumerate().take(to).skip(from) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                arguments.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(start..to);
    let arguments = arguments.into_iter().map(|it| file.text[it].trim());
    let literal = arguments.filter_map(|it| it.strip_prefix('"')?.strip_suffix('"')).next()?;
    // A line that goes on below begins there without its spaces, as in the program.
    let parts: Vec<_> = literal.split("\\\n").collect();
    let parts = parts.iter().enumerate().map(|(n, it)| if n == 0 { it } else { it.trim_start() });
    Some(parts.collect::<String>().replace("\\n", " ").trim().to_owned())
}
