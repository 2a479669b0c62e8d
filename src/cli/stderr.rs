//! Standard error, written by a thread of its own: a reader that has stopped or gone away holds up nobody else.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::log_format::LogFormat;
use crate::clock;

/// What waits to be written to standard error. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct StderrQueue {
    shared: Arc<Shared>,
    /// Each line begins with its priority, for the journal.
    prefixed: bool,
    is_json: bool,
}

#[derive(Debug, Default)]
struct Shared {
    backlog: Mutex<Backlog>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Backlog {
    texts: Vec<Vec<u8>>,
    bytes: usize,
    /// Log lines that found no room.
    dropped: u64,
    is_writing: bool,
}

/// How urgent a line is to the journal.
///
/// Source: sd-daemon(3), syslog(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

impl StderrQueue {
    /// Starts the thread. `prefixed`: whether standard error is the journal. In JSON, what is not a line of the log gets the
    /// form of one, too.
    ///
    /// Errors: the operating system gives no thread.
    pub(super) fn start(
        sink: impl Write + Send + 'static,
        prefixed: bool,
        format: LogFormat,
    ) -> io::Result<Self> {
        let is_json = format == LogFormat::Json;
        let queue = Self { shared: Arc::default(), prefixed, is_json };
        let writer = queue.clone();
        thread::Builder::new().name("stderr".into()).spawn(move || writer.write_to(sink))?;
        Ok(queue)
    }

    /// Takes a line of the log at once; without room it is dropped and counted.
    pub(super) fn log(&self, priority: Priority, line: &str) {
        self.lock().push_if_room(self.prefix(priority, line));
        self.shared.changed.notify_all();
    }

    /// Takes what a command has to say, in any case.
    pub(super) fn tell(&self, priority: Priority, text: &str) {
        self.lock().push(self.said(priority, text));
        self.shared.changed.notify_all();
    }

    /// Waits until all is written, but no longer than `longest`, if that is given.
    pub(super) fn flush(&self, longest: Option<Duration>) {
        let is_behind = |backlog: &mut Backlog| backlog.is_writing || !backlog.texts.is_empty();
        let (guard, changed) = (self.lock(), &self.shared.changed);
        match longest {
            Some(longest) => drop(changed.wait_timeout_while(guard, longest, is_behind)),
            None => drop(changed.wait_while(guard, is_behind)),
        }
    }

    fn write_to(&self, mut sink: impl Write) {
        loop {
            let idle = |backlog: &mut Backlog| backlog.texts.is_empty() && backlog.dropped == 0;
            let waited = self.shared.changed.wait_while(self.lock(), idle);
            let mut backlog = waited.unwrap_or_else(PoisonError::into_inner);
            let mut texts = std::mem::take(&mut backlog.texts);
            let dropped = std::mem::take(&mut backlog.dropped);
            (backlog.bytes, backlog.is_writing) = (0, true);
            drop(backlog);
            if dropped > 0 {
                let line = format!(
                    "{dropped} log lines dropped: standard error was not read fast enough\n"
                );
                texts.push(self.said(Priority::Warning, &line));
            }
            for text in texts {
                write(&mut sink, &text);
            }
            self.lock().is_writing = false;
            self.shared.changed.notify_all();
        }
    }

    fn said(&self, priority: Priority, text: &str) -> Vec<u8> {
        if !self.is_json {
            return self.prefix(priority, text);
        }
        let level = match priority {
            Priority::Error => "ERROR",
            Priority::Warning => "WARN",
            Priority::Notice | Priority::Info => "INFO",
            Priority::Debug => "DEBUG",
        };
        let fields = json!({ "message": text.trim() });
        let at = clock::timestamp().to_string();
        let line =
            json!({ "timestamp": at, "level": level, "fields": fields, "target": "offhook" });
        self.prefix(priority, &format!("{line}\n"))
    }

    fn prefix(&self, priority: Priority, text: &str) -> Vec<u8> {
        if !self.prefixed {
            return text.as_bytes().to_vec();
        }
        let line = |line: &str| format!("<{}>{line}", priority as u8);
        text.split_inclusive('\n').map(line).collect::<String>().into_bytes()
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backlog {
    fn push(&mut self, text: Vec<u8>) {
        self.bytes += text.len();
        self.texts.push(text);
    }

    fn push_if_room(&mut self, line: Vec<u8>) {
        if self.bytes + line.len() > BACKLOG_BYTES_MAX {
            self.dropped += 1;
        } else {
            self.push(line);
        }
    }
}

/// Writes all of it, or gives it up: there is no other place to say that it cannot be written.
fn write(sink: &mut impl Write, text: &[u8]) {
    let mut rest = text;
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return,
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A program that shares the terminal has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(AGAIN),
            Err(_) => return,
        }
    }
}

/// Standard error without the lock of `std::io::stderr`, which a write that blocks would keep from everyone else.
#[derive(Debug)]
pub(super) struct Unlocked;

impl Write for Unlocked {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stderr(), text)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const BACKLOG_BYTES_MAX: usize = 512 * 1024;
const AGAIN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_finds_no_room_is_dropped_and_counted_when_the_reader_goes_on() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = StderrQueue::start(writer, false, LogFormat::Text).unwrap();
        let line = format!("{}\n", "x".repeat(1023));
        let (pipe, backlog) = (1024 * 1024, BACKLOG_BYTES_MAX);
        let lines = (pipe + 3 * backlog) / line.len();
        for _ in 0..lines {
            queue.log(Priority::Info, &line);
        }
        queue.tell(Priority::Error, "the end\n");
        queue.flush(Some(Duration::ZERO));
        let (mut read, mut part) = (String::new(), [0; 4096]);
        while !read.contains("log lines dropped") || !read.contains("the end") {
            let length = reader.read(&mut part).unwrap();
            read.push_str(str::from_utf8(&part[..length]).unwrap());
        }
        let told: Vec<_> = read.lines().filter(|line| !line.starts_with('x')).collect();
        let count = |line: &&str| line.split(' ').next()?.parse::<usize>().ok();
        let dropped: usize = told.iter().filter_map(count).sum();
        assert!(dropped > 0, "{told:?}");
        let written = read.lines().filter(|line| line.starts_with('x')).count();
        assert_eq!(written + dropped, lines, "{told:?}");
    }

    #[test]
    fn a_reader_that_is_gone_is_no_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let queue = StderrQueue::start(writer, false, LogFormat::Text).unwrap();
        for _ in 0..3 {
            queue.log(Priority::Info, "a line\n");
            queue.flush(None);
        }
        assert!(queue.lock().texts.is_empty());
    }

    #[test]
    fn every_line_for_the_journal_begins_with_its_priority() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = StderrQueue::start(writer, true, LogFormat::Text).unwrap();
        queue.log(Priority::Warning, "one\n two\n");
        queue.log(Priority::Debug, "three\n");
        queue.flush(None);
        let mut read = [0; 24];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(str::from_utf8(&read).unwrap(), "<4>one\n<4> two\n<7>three\n");
    }
}
