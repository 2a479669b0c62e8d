//! One command of the program in a folder.

use std::path::Path;
use std::process::{Command, Output};

pub(crate) fn offhook(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}
