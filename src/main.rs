//! The `offhook` program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == offhook::speech::worker::ARGUMENT) {
        offhook::speech::worker::run();
    }
    offhook::cli::main()
}
