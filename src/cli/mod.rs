//! The command line: one file per command.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Here, and only here, the program speaks to a terminal.

mod call;
mod calls;
mod check;
pub mod demo;
mod erase;
mod explain;
mod export;
mod held;
mod module;
mod say;
mod table;
mod trace;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::config::{self, Config};
use crate::daemon;

/// Phones people about the chat messages they missed.
#[derive(Debug, Parser)]
#[command(name = "offhook", version)]
struct Line {
    /// The configuration.
    #[arg(long, global = true, value_name = "FILE", default_value = "component.toml")]
    config: PathBuf,
    /// How much is logged: error, warn, info, debug or trace [default: info for run, else warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<LevelFilter>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the component until SIGTERM or SIGINT; SIGHUP reads the configuration again. The same as no command.
    Run,
    /// Reads the whole configuration and shows every mistake.
    Check {
        /// Tries the XMPP handshake, each trunk, the voices and the store, too.
        #[arg(long)]
        live: bool,
    },
    /// Makes one test call.
    Call {
        /// Whom to call, such as +81312345678; `dial.allow` must cover it.
        number: String,
        /// What to say.
        text: String,
    },
    /// Writes what the phone would hear into a file.
    Say {
        /// What to say.
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
    /// Prints the module that hands messages over from your server, see docs/hand-over.md.
    Module {
        /// The server.
        server: module::Server,
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
    let line = Line::parse();
    let runs = matches!(line.command, None | Some(Command::Run));
    log_to_stderr(line.log.unwrap_or(if runs { LevelFilter::INFO } else { LevelFilter::WARN }));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    runtime.block_on(carry_out(line))
}

async fn carry_out(line: Line) -> ExitCode {
    let Line { config: path, command, .. } = line;
    match command.unwrap_or(Command::Run) {
        Command::Run => run(&path).await,
        Command::Check { live } => check::run(&path, live).await,
        Command::Call { number, text } => call::run(&path, &number, &text).await,
        Command::Say { text, out, lang, phonemes: _ } => {
            say::run(&path, &text, out.as_deref(), lang).await
        }
        Command::Trace { message, json } => trace::run(&path, &message, json),
        Command::Held { json } => held::run(&path, json),
        Command::Calls { last, json } => calls::run(&path, last, json),
        Command::Explain { from, to, json } => explain::run(&path, &from, &to, json),
        Command::Export { jid } => export::run(&path, &jid),
        Command::Erase { jid } => erase::run(&path, &jid).await,
        Command::Module { server } => {
            print!("{}", module::source(server));
            ExitCode::SUCCESS
        }
        Command::Demo { key, interactive } => demo::run(demo::Options { key, interactive }).await,
    }
}

async fn run(path: &Path) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    config.notes.iter().for_each(|note| eprintln!("{note}\n"));
    match daemon::run(path, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// Reads the configuration, or shows what is wrong with it.
fn read(path: &Path) -> Result<Config, ExitCode> {
    config::read(path).map_err(|mistakes| {
        eprintln!("{mistakes}");
        ExitCode::from(WRONG_USAGE)
    })
}

fn failed(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("offhook: {error}");
    ExitCode::FAILURE
}

fn log_to_stderr(level: LevelFilter) {
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_max_level(level)
        .init();
}

const WRONG_USAGE: u8 = 2;
