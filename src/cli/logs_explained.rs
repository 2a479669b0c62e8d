//! `offhook logs-explained`: what each line of the log means, and what to do.

use super::output::show;

/// Shows the lines at WARN and ERROR that have these words in them, or all.
pub(super) fn run(words: &str) {
    let words = words.to_lowercase();
    let explained = explained().filter(|it| it.line.to_lowercase().contains(&words));
    let mut found = false;
    for Explained { level, line, what_to_do } in explained {
        found = true;
        show(format!("{level} {line}\n    {what_to_do}\n"));
    }
    if !found {
        show(
            "No line at WARN or ERROR has these words in it. Lines at INFO and below tell what happened, and ask for nothing.",
        );
    }
}

struct Explained {
    level: &'static str,
    line: &'static str,
    what_to_do: &'static str,
}

/// The rows of the two tables in the manual.
fn explained() -> impl Iterator<Item = Explained> {
    let mut level = None;
    MANUAL.lines().filter_map(move |line| {
        match line {
            "### WARN" => level = Some("WARN"),
            "### ERROR" => level = Some("ERROR"),
            heading if heading.starts_with('#') => level = None,
            _ => {}
        }
        let (line, what_to_do) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some(Explained { level: level?, line, what_to_do: what_to_do.strip_suffix(" |")? })
    })
}

const MANUAL: &str = include_str!("../../docs/operate.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_rows_are_read_with_their_level() {
        let all: Vec<_> = explained().collect();
        let of = |line: &str| all.iter().find(|it| it.line == line).unwrap();
        assert_eq!(of("link down").level, "WARN");
        assert!(of("link down").what_to_do.contains("component.secret"));
        assert_eq!(of("the store is damaged; stopping").level, "ERROR");
        assert!(all.len() > 60 && all.iter().all(|it| it.what_to_do.len() > 10));
    }
}
