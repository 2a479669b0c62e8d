//! How the log looks, as it is written on the command line.

use clap::ValueEnum;

/// How the lines of the log look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object for each line, for programs.
    Json,
}
