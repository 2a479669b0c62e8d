//! The log: where its lines go, how they look there, and what a panic leaves in it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use super::log_format::LogFormat;
use super::stderr::{Priority, StderrQueue, Unlocked};

/// Changes how much is logged while the program runs.
pub(super) type ChangeLevels = reload::Handle<Targets, Registry>;

/// Starts the log on standard error. The journal gets priorities and no time, as it has its own.
///
/// Errors: the operating system gives no thread.
pub(super) fn start(levels: Targets, format: LogFormat) -> io::Result<(StderrQueue, ChangeLevels)> {
    let is_journal = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_stderr(&stream));
    let queue = StderrQueue::start(Unlocked, is_journal, format)?;
    let lines = fmt::layer().with_writer(EventWriters(queue.clone())).log_internal_errors(false);
    let (levels, change) = reload::Layer::new(levels);
    let log = tracing_subscriber::registry().with(levels);
    let colours = io::stderr().is_terminal();
    match format {
        LogFormat::Json => log.with(lines.json().with_ansi(false).with_current_span(false)).init(),
        LogFormat::Text if is_journal => log.with(lines.with_ansi(colours).without_time()).init(),
        LogFormat::Text => log.with(lines.with_ansi(colours)).init(),
    }
    log_panics(queue.clone());
    Ok((queue, change))
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

    use tracing::level_filters::LevelFilter;
    use tracing::subscriber::with_default;
    use tracing::{debug, error, info, trace, warn};

    use super::*;

    #[test]
    fn each_level_has_its_priority_in_the_journal() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = StderrQueue::start(writer, true, LogFormat::Text).unwrap();
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
