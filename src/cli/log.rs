//! The log: where its lines go, how they look there, and what a panic leaves in it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic;
use std::str::FromStr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::stderr::{Priority, StderrQueue, Unlocked};

/// Starts the log on standard error. The journal gets priorities and no time, as it has its own.
///
/// Errors: the operating system gives no thread.
pub(super) fn start(level: LogLevel) -> io::Result<StderrQueue> {
    let is_journal = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_stderr(&stream));
    let queue = StderrQueue::start(Unlocked, is_journal)?;
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_writer(EventWriters(queue.clone()))
        .with_ansi(colours)
        .with_max_level(LevelFilter::TRACE)
        .log_internal_errors(false);
    if is_journal {
        log.without_time().finish().with(level.targets()).init();
    } else {
        log.finish().with(level.targets()).init();
    }
    log_panics(queue.clone());
    Ok(queue)
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogLevel {
    all: LevelFilter,
    /// SIP messages are shown whole, but for what names or proves somebody.
    sip: bool,
}

impl LogLevel {
    fn targets(self) -> Targets {
        let targets = Targets::new().with_default(self.all);
        if self.sip { targets.with_target("sip", LevelFilter::TRACE) } else { targets }
    }
}

impl From<LevelFilter> for LogLevel {
    fn from(all: LevelFilter) -> Self {
        Self { all, sip: false }
    }
}

impl FromStr for LogLevel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("sip") {
            return Ok(Self { all: LevelFilter::INFO, sip: true });
        }
        let level: Result<LevelFilter, _> = text.parse();
        level.map(Self::from).map_err(|_| "not one of error, warn, info, debug, trace and sip")
    }
}

/// Whether the journal's stream, written as device and inode, is our standard error.
///
/// Source: systemd.exec(5), `$JOURNAL_STREAM`.
fn is_stderr(journal_stream: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    let named = journal_stream.split_once(':').map(|(dev, ino)| (number(dev), number(ino)));
    let stderr = rustix::fs::fstat(rustix::stdio::stderr());
    stderr.is_ok_and(|stderr| named == Some((Some(stderr.st_dev), Some(stderr.st_ino))))
}

/// The default hook writes to standard error itself, in the thread that panics.
fn log_panics(queue: StderrQueue) {
    panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name").to_owned();
        let mut text = format!("thread {name}: {panic}\n");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.push_str(&format!("{backtrace}\n"));
        }
        queue.tell(Priority::Error, &text);
        // The program may end before the thread that writes has its turn.
        queue.flush(Some(PANIC_WRITTEN_MAX));
    }));
}

struct EventWriters(StderrQueue);

struct EventWriter {
    queue: StderrQueue,
    priority: Priority,
}

impl MakeWriter<'_> for EventWriters {
    type Writer = EventWriter;

    fn make_writer(&self) -> EventWriter {
        EventWriter { queue: self.0.clone(), priority: Priority::Info }
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> EventWriter {
        let priority = match *event.level() {
            Level::ERROR => Priority::Error,
            Level::WARN => Priority::Warning,
            Level::INFO => Priority::Info,
            Level::DEBUG | Level::TRACE => Priority::Debug,
        };
        EventWriter { queue: self.0.clone(), priority }
    }
}

impl io::Write for EventWriter {
    /// Called with one whole event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.queue.log(self.priority, &String::from_utf8_lossy(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PANIC_WRITTEN_MAX: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::io::Read;

    use tracing::subscriber::with_default;
    use tracing::{debug, error, info, trace, warn};

    use super::*;

    #[test]
    fn the_level_sip_shows_messages_beside_the_usual_lines() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = StderrQueue::start(writer, false).unwrap();
        let log = tracing_subscriber::fmt()
            .with_writer(EventWriters(queue.clone()))
            .with_ansi(false)
            .with_max_level(LevelFilter::TRACE)
            .without_time();
        let level: LogLevel = "sip".parse().unwrap();
        with_default(log.finish().with(level.targets()), || {
            trace!("one");
            trace!(target: "sip", "two");
            debug!("three");
            info!(target: "four", "four");
        });
        let expected = "TRACE sip: two\n INFO four: four\n";
        let mut read = vec![0; expected.len()];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(str::from_utf8(&read).unwrap(), expected);
        assert!("loud".parse::<LogLevel>().is_err());
        assert_eq!("debug".parse(), Ok(LogLevel::from(LevelFilter::DEBUG)));
    }

    #[test]
    fn each_level_has_its_priority_in_the_journal() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = StderrQueue::start(writer, true).unwrap();
        let log = tracing_subscriber::fmt()
            .with_writer(EventWriters(queue.clone()))
            .with_ansi(false)
            .with_target(false)
            .with_max_level(LevelFilter::TRACE)
            .without_time();
        with_default(log.finish(), || {
            error!("one");
            warn!("two\nlines");
            info!("three");
            debug!("four");
            trace!("five");
        });
        let expected =
            "<3>ERROR one\n<4> WARN two\n<4>lines\n<6> INFO three\n<7>DEBUG four\n<7>TRACE five\n";
        let mut read = vec![0; expected.len()];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(str::from_utf8(&read).unwrap(), expected);
    }
}
