//! The log for programs, its levels, and what explains it.

use std::process::Command;

use offhook::demo::child_process::Folder;
use rustix::process::Signal;
use serde_json::Value;

use crate::test_bed::{Offhook, component_toml, write};
use crate::xmpp_server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_log_in_json_is_an_object() {
    let server = Server::start().await;
    let config = component_toml(server.port(), "");
    let arguments = ["--log-format", "json", "--log", "warn,daemon=info", "run"];
    let mut offhook = Offhook::start(&config, None, &arguments);
    let _session = server.accepts().await;
    offhook.tells("READY=1").await;
    offhook.reloads("nonsense");
    offhook.tells("RELOADING=1").await;
    offhook.tells("READY=1").await;
    offhook.signals(Signal::TERM);
    assert_eq!(offhook.ends().await.code(), Some(0));
    let log = offhook.log();
    let lines: Vec<Value> = log.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let messages: Vec<_> =
        lines.iter().map(|it| it["fields"]["message"].as_str().unwrap()).collect();
    for expected in ["ready", "the new configuration has mistakes", "stopped"] {
        assert!(messages.iter().any(|it| it.starts_with(expected)), "{expected}: {log}");
    }
    assert!(lines.iter().all(|it| it["timestamp"].is_string() && it["level"].is_string()));
    let is_asked = |it: &Value| it["target"].as_str().unwrap().starts_with("offhook::daemon");
    assert!(lines.iter().all(|it| it["level"] != "INFO" || is_asked(it)), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_is_logged_changes_while_it_runs() {
    let server = Server::start().await;
    let with =
        |levels: &str| component_toml(server.port(), &format!("[log]\nlevels = \"{levels}\"\n"));
    let by_file = ["run"];
    let by_command = ["--log", "error", "run"];
    for (arguments, expected) in [(&by_file[..], true), (&by_command, false)] {
        let mut offhook = Offhook::start(&with("error"), None, arguments);
        let _session = server.accepts().await;
        offhook.tells("READY=1").await;
        for levels in ["error,daemon=info", "error"] {
            offhook.reloads(&with(levels));
            offhook.tells("RELOADING=1").await;
            offhook.tells("READY=1").await;
        }
        offhook.signals(Signal::TERM);
        assert_eq!(offhook.ends().await.code(), Some(0));
        let log = offhook.log();
        assert_eq!(log.matches("configuration reloaded").count(), usize::from(expected), "{log}");
        assert!(!log.contains("stopping") && !log.contains("INFO offhook::daemon: ready"), "{log}");
    }
}

#[test]
fn commands_say_what_they_have_to_say_in_the_form_of_the_log() {
    let folder = Folder::make().unwrap();
    write(&folder.path().join("component.toml"), "nonsense");
    let (code, told, says) = run(&folder, &["--log-format", "json", "held"]);
    assert_eq!((code, told.as_str()), (Some(2), ""));
    let says: Value = serde_json::from_str(&says).unwrap();
    assert_eq!(says["level"], "ERROR");
    assert!(says["fields"]["message"].as_str().unwrap().contains("component.toml:1:9"), "{says}");
    let (code, _, says) = run(&folder, &["--log", "sipp=debug", "held"]);
    assert_eq!(code, Some(2));
    assert!(says.contains("there is no part sipp"), "{says}");
}

#[test]
fn lines_of_the_log_and_licences_are_explained_by_the_program_itself() {
    let folder = Folder::make().unwrap();
    let (code, told, _) = run(&folder, &["logs-explained", "Link", "down"]);
    assert_eq!(code, Some(0));
    assert!(told.starts_with("WARN link down\n    The stream to the XMPP server broke"), "{told}");
    let (_, all, _) = run(&folder, &["logs-explained"]);
    assert!(all.lines().count() > 200 && all.contains("\nERROR "), "{all}");
    let (_, none, _) = run(&folder, &["logs-explained", "no such line"]);
    assert!(none.starts_with("No line at WARN or ERROR"), "{none}");
    let (code, told, _) = run(&folder, &["licences"]);
    assert_eq!(code, Some(0));
    for part in
        ["General Public License", "rusqlite 0.40.2 | MIT", "Redistribution and use in source"]
    {
        assert!(told.contains(part), "{part}");
    }
}

fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(arguments).current_dir(folder.path()).env_remove("JOURNAL_STREAM");
    let output = command.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
