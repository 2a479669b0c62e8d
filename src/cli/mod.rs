//! The command line: one file per command.

mod audit;
mod backup;
mod call;
mod calls;
mod check;
mod erase;
mod explain;
mod export;
mod generate;
mod held;
mod licences;
mod log;
mod log_levels;
mod logs_explained;
mod module;
mod output;
mod restore;
mod say;
mod stderr;
mod table;
mod trace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use rustix::fs::Mode;
use tokio::runtime::{self, Runtime};
use tracing::level_filters::LevelFilter;
use xmpp_parsers::jid::BareJid;

use self::generate::Generated;
use self::log_levels::{LogFormat, LogLevels};
use self::output::{complain, remark, show};
use crate::config::{self, Config, Mistakes};
use crate::daemon;

/// Phones people about the chat messages they missed.
#[derive(Debug, Parser)]
#[command(name = "offhook", version)]
struct CommandLine {
    /// The configuration.
    #[arg(long, global = true, value_name = "FILE", default_value = "component.toml")]
    config: PathBuf,
    /// How much is logged: off, error, warn, info, debug or trace, and of a part, such as info,sip=debug; sip adds all SIP
    /// messages [default: info for run, else warn]
    #[arg(long, global = true, value_name = "LEVELS")]
    log: Option<LogLevels>,
    /// How the log looks.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the component until SIGTERM or SIGINT; SIGHUP reads the configuration again. The same as no command.
    Run,
    /// Reads the whole configuration and shows every mistake, and what is better changed.
    Check {
        /// Tries the XMPP handshake, each trunk, the voices and the store, too.
        #[arg(long)]
        live: bool,
        /// Ends with 1 if there are warnings.
        #[arg(long)]
        strict: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Makes one test call.
    Call {
        /// Whom to call, such as +81312345678; `dial.allow` must cover it.
        number: String,
        /// What to say.
        #[arg(value_parser = not_blank)]
        text: String,
    },
    /// Writes what the phone would hear of a message into a file.
    Say {
        /// What to say.
        #[arg(value_parser = not_blank)]
        text: String,
        /// The file: WAV, 8,000 samples a second.
        #[arg(long, value_name = "FILE.wav", required_unless_present = "phonemes")]
        out: Option<PathBuf>,
        /// The language, if not `speech.language`.
        #[arg(long, value_name = "xx")]
        lang: Option<String>,
        /// Shows how it is pronounced instead, in IPA.
        #[arg(long, conflicts_with = "out")]
        phonemes: bool,
    },
    /// Shows one message from stanza to key press.
    Trace {
        /// Its number in `held`, or the id of a stanza.
        #[arg(value_parser = not_blank)]
        message: String,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists held messages.
    Held {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists calls, the latest first.
    Calls {
        /// How many.
        #[arg(long, default_value_t = 50)]
        last: usize,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists who changed what, the latest first.
    Audit {
        /// How many.
        #[arg(long, default_value_t = 200)]
        last: usize,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Shows why a message from one person to another would ring now, or would not. Dials nothing.
    Explain {
        /// Who writes, such as alice@example.org.
        from: String,
        /// To whom.
        to: String,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Prints everything stored about a person, as JSON.
    Export {
        /// Who, such as bob@example.org.
        jid: String,
    },
    /// Removes everything stored about a person, from the file, too.
    Erase {
        /// Who, such as bob@example.org.
        jid: String,
    },
    /// Copies the whole store into a new file, also while Offhook runs.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Puts a backup where the store is to be, while Offhook is stopped. Nothing that is there is overwritten.
    Restore {
        /// What `offhook backup` has written.
        file: PathBuf,
    },
    /// Says what the log's lines at WARN and ERROR mean, and what to do.
    LogsExplained {
        /// Words of the line; without any, all lines.
        words: Vec<String>,
    },
    /// Prints the module that hands messages over from your server, see docs/hand-over.md.
    Module {
        /// The server.
        server: module::Server,
    },
    /// Prints the licences of Offhook and of the crates in it.
    Licences,
    /// Prints the manual page or the completions of a shell, as packages bring them.
    #[command(hide = true)]
    Generate {
        /// Which.
        what: Generated,
    },
    /// Shows the main job on this machine, on real parts.
    Demo {
        /// What Bob presses.
        #[arg(long, default_value_t = '1')]
        key: char,
        /// Leaves everything running for your own client and phone.
        #[arg(long)]
        interactive: bool,
    },
}

/// Reads the command line and does what it says.
///
/// Shape: exit code 0 done, 1 it failed at run time, 2 wrong usage or configuration.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let runs = matches!(line.command, None | Some(Command::Run));
    let level = if runs { LevelFilter::INFO } else { LevelFilter::WARN };
    match log::start(LogLevels::filter(line.log.as_ref(), level), line.log_format) {
        Ok(stderr) => output::start(stderr),
        Err(error) => return failed(error),
    }
    let code = match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(carry_out(line));
            shut_down(runtime);
            code
        }
        Err(error) => failed(error),
    };
    // The component obeys SIGTERM in time even when nobody reads its log. A command waits for its reader, as all do.
    output::end(code, runs.then_some(LOG_WRITTEN_MAX))
}

/// An argument with something in it: an empty one is a variable of the shell that was not set.
fn not_blank(text: &str) -> Result<String, &'static str> {
    match text.trim().is_empty() {
        true => Err("is empty"),
        false => Ok(text.to_owned()),
    }
}

/// Ends the runtime without waiting for a thread that hangs, such as one in an upload.
fn shut_down(runtime: Runtime) {
    runtime.shutdown_timeout(BLOCKING_WORK_ENDS_MAX);
}

async fn carry_out(line: CommandLine) -> ExitCode {
    let CommandLine { config: path, command, .. } = line;
    match command.unwrap_or(Command::Run) {
        Command::Run => {
            // No file that the service makes, or a program that it starts, is for anybody else.
            rustix::process::umask(Mode::from_raw_mode(0o077));
            run(&path).await
        }
        Command::Check { live, strict, json } => check::run(&path, live, strict, json).await,
        Command::Call { number, text } => call::run(&path, &number, &text).await,
        Command::Say { text, out, lang, phonemes: _ } => {
            say::run(&path, &text, out.as_deref(), lang).await
        }
        Command::Trace { message, json } => trace::run(&path, &message, json),
        Command::Held { json } => held::run(&path, json),
        Command::Calls { last, json } => calls::run(&path, last, json),
        Command::Audit { last, json } => audit::run(&path, last, json),
        Command::Explain { from, to, json } => explain::run(&path, &from, &to, json),
        Command::Export { jid } => export::run(&path, &jid),
        Command::Erase { jid } => erase::run(&path, &jid).await,
        Command::Backup { file } => backup::run(&path, &file),
        Command::Restore { file } => restore::run(&path, &file),
        Command::LogsExplained { words } => {
            logs_explained::run(&words.join(" "));
            ExitCode::SUCCESS
        }
        Command::Module { server } => {
            show(module::source(server).trim_end());
            ExitCode::SUCCESS
        }
        Command::Licences => {
            licences::run();
            ExitCode::SUCCESS
        }
        Command::Generate { what } => generate::run(what, CommandLine::command()),
        Command::Demo { key, interactive } => {
            crate::demo::run(crate::demo::Options { key, interactive }).await
        }
    }
}

async fn run(path: &Path) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    config.notes.iter().for_each(|note| remark(format!("{note}\n")));
    match daemon::run(path, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// Reads the configuration, or shows what is wrong with it.
fn read(path: &Path) -> Result<Config, ExitCode> {
    config::read(path).map_err(show_mistakes)
}

/// As [`read`], for a command that needs no secret.
fn read_without_secrets(path: &Path) -> Result<Config, ExitCode> {
    config::read_without_secrets(path).map_err(show_mistakes)
}

fn show_mistakes(mistakes: Mistakes) -> ExitCode {
    complain(mistakes);
    ExitCode::from(WRONG_USAGE)
}

fn failed(error: impl std::fmt::Display) -> ExitCode {
    complain(format!("offhook: {error}"));
    ExitCode::FAILURE
}

fn wrong_usage(error: impl std::fmt::Display) -> ExitCode {
    complain(format!("offhook: {error}"));
    ExitCode::from(WRONG_USAGE)
}

/// Reads an argument that names a person, or says what is wrong with it.
fn bare_jid(written: &str) -> Result<BareJid, ExitCode> {
    BareJid::new(written).map_err(|error| {
        wrong_usage(format!(
            "{written} is not a JID without resource, such as bob@example.org: {error}"
        ))
    })
}

const WRONG_USAGE: u8 = 2;
/// What a thread that hangs has in hand is in the store, and done again after the next start.
const BLOCKING_WORK_ENDS_MAX: Duration = Duration::from_millis(300);
const LOG_WRITTEN_MAX: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_hangs_does_not_hold_the_exit() {
        let (hangs, is_hanging) = channel();
        let (let_go, waits) = channel::<()>();
        let (ended, has_ended) = channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_multi_thread().build().unwrap();
            runtime.spawn_blocking(move || {
                hangs.send(()).unwrap();
                waits.recv()
            });
            is_hanging.recv().unwrap();
            shut_down(runtime);
            ended.send(())
        });
        assert_eq!(has_ended.recv_timeout(Duration::from_secs(10)), Ok(()));
        drop(let_go);
    }
}
