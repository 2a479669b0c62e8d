//! What a line of a message is: words, a command or code, a line of a log.

use std::sync::LazyLock;

use regex::RegexSet;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A person, or a program that writes for people.
    ForPeople,
    /// A programmer.
    AsCode,
    /// A program, into its log.
    AsLog,
}

/// Tells whether a line is to be read, or only named: nobody understands twenty seconds of code.
pub fn line_kind(line: &str) -> Written {
    let line = line.trim();
    let end = line.char_indices().nth(LINE_CHARS_MAX).map_or(line.len(), |(end, _)| end);
    let line = &line[..end];
    if LOG.as_ref().is_some_and(|log| log.is_match(line)) {
        Written::AsLog
    } else if CODE.as_ref().is_some_and(|code| code.is_match(line)) {
        Written::AsCode
    } else {
        Written::ForPeople
    }
}

/// A line of a list without its bullet; the box of a task is no word either.
pub fn without_list_mark(line: &str) -> &str {
    let trimmed = line.trim_start();
    ["- [ ] ", "- [x] ", "* [ ] ", "* [x] ", "- ", "* ", "• ", "– ", "+ "]
        .iter()
        .find_map(|mark| trimmed.strip_prefix(mark))
        .unwrap_or(line)
}

static LOG: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        // A time and a level, as most programs write them.
        r"^\[?\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\S*\]?\s+.*\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC)\b",
        // syslog
        r"^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d{2}:\d{2}:\d{2} \S+ [\w./-]+(?:\[\d+\])?:",
        // The kernel.
        r"^\[ *\d+\.\d{4,}\] ",
        // A web server.
        r#"^\S+ \S+ \S+ \[[^\]]+\] "(?:GET|POST|PUT|HEAD|DELETE) "#,
        // Where a program broke off.
        r#"^Traceback \(most recent call last\)|^File "[^"]+", line \d+|^at [\w.$<>]+\([\w.]+(?::\d+)?\)$|^Exception in thread|^panic: |^thread '.*' panicked"#,
    ])
    .ok()
});

static CODE: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"^(?:\$|#|>>>|C:\\>) ?[a-z.]",
        r"^(?:sudo|apt|apt-get|systemctl|journalctl|docker|kubectl|git|curl|ssh|chmod|pip|npm|cargo) [a-z-]+\b.*(?: -|/|\.\w|=)",
        r"[;{]$.*|^\}|\(\) ?[{;]",
        r"^(?:def|class|fn|func|function|import|from|const|let|var|return|public|private|static|#include|SELECT|INSERT|UPDATE|DELETE) .*[(={;*:<]",
    ])
    .ok()
});

const LINE_CHARS_MAX: usize = 400;
