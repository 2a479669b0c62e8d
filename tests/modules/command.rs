//! `offhook module`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::printed;

#[test]
fn the_command_prints_the_module_of_each_server_and_of_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/module");
    for (server, file) in [("prosody", "mod_offhook.lua"), ("ejabberd", "mod_offhook.erl")] {
        assert_eq!(printed(server), fs::read_to_string(folder.join(file)).unwrap());
    }
    for wrong in [&["module", "openfire"][..], &["module"], &["module", "prosody", "ejabberd"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_offhook")).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty());
    }
}
