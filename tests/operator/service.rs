//! Under a service manager: it learns when the program is ready, reloads, stops and lives.

use std::fs;
use std::path::Path;
use std::process::Command;

use offhook::demo::child_process::{Folder, free_port};
use offhook::notification::policy::Policy;
use offhook::store::Store;
use rustix::process::Signal;

use crate::test_bed::{Offhook, component_toml, write};
use crate::xmpp_server::{SECRET, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_of_each_turn() {
    let server = Server::start().await;
    let config = component_toml(server.port(), "");
    let mut offhook = Offhook::start(&config, Some("400000"), &["run"]);
    let session = server.accepts().await;
    let ready = offhook.tells("READY=1").await;
    let linked = format!("Linked to the XMPP server at 127.0.0.1:{}", server.port());
    assert_eq!(ready, format!("READY=1\nSTATUS={linked}\n"));
    for _ in 0..3 {
        offhook.tells("WATCHDOG=1").await;
    }

    offhook.reloads(&config.replace("wait_s = 0", "wait = 0"));
    let reloading = offhook.tells("RELOADING=1").await;
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    let status = offhook.tells("READY=1").await;
    let expected = "READY=1\nSTATUS=The new configuration has mistakes, the old one stays; the log names them. Linked";
    assert!(status.starts_with(expected), "{status}");
    offhook.says("did you mean wait_s?").await;
    offhook.reloads(&config);
    offhook.tells("RELOADING=1").await;
    assert_eq!(offhook.tells("READY=1").await, ready);

    drop((session, server));
    let status = offhook.tells("STATUS=No link to the XMPP server at").await;
    assert!(status.contains("Nobody is phoned meanwhile"), "{status}");
    offhook.tells("WATCHDOG=1").await;
    offhook.signals(Signal::TERM);
    offhook.tells("STOPPING=1").await;
    assert_eq!(offhook.ends().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_does_not_wait_for_a_server_that_is_away() {
    let port = free_port().unwrap();
    let mut offhook = Offhook::start(&component_toml(port, ""), Some("400000"), &["run"]);
    offhook.tells("WATCHDOG=1").await;
    let ready = offhook.tells("READY=1").await;
    assert!(ready.contains("STATUS=No link to the XMPP server at 127.0.0.1"), "{ready}");
    offhook.signals(Signal::TERM);
    offhook.tells("STOPPING=1").await;
    assert_eq!(offhook.ends().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_fails_before_the_service_is_ready() {
    let server = Server::start().await;
    let mut offhook = Offhook::start(&component_toml(server.port(), ""), None, &["run"]);
    server.refuses("not-authorized").await;
    assert_eq!(offhook.ends().await.code(), Some(1));
    offhook.says("refuses component.secret").await;
}

#[tokio::test]
async fn secrets_come_from_the_service_manager_and_commands_do_without() {
    let folder = Folder::make().unwrap();
    let in_file = format!("secret = \"{SECRET}\"");
    let more = "[voice_reply]\nkey_file = \"voice.key\"\n";
    let config = component_toml(9, more).replace(&in_file, "secret_file = \"component.secret\"");
    write(&folder.path().join("component.toml"), &config);
    let handed = folder.path().join("credentials");
    fs::create_dir(&handed).unwrap();
    write(&handed.join("component.secret"), SECRET);
    write(&handed.join("voice.key"), &"5a".repeat(32));
    let run = |arguments: &[&str], credentials: Option<&Path>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(arguments).current_dir(folder.path()).env_remove("CREDENTIALS_DIRECTORY");
        command.envs(credentials.map(|folder| ("CREDENTIALS_DIRECTORY", folder)));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["check"], Some(&handed)), (Some(0), String::new()));
    let (code, says) = run(&["check"], None);
    assert_eq!(code, Some(2), "{says}");
    for missing in ["component.secret cannot be read", "voice.key cannot be read"] {
        assert!(says.contains(missing), "{says}");
    }

    Store::open(&folder.path().join("offhook.db"), Policy::default()).unwrap().close().await;
    let commands: [&[&str]; 7] = [
        &["held"],
        &["calls"],
        &["explain", "alice@example.org", "bob@example.org"],
        &["export", "bob@example.org"],
        &["erase", "bob@example.org"],
        &["backup", "copy.db"],
        &["restore", "copy.db", "--config", "elsewhere.toml"],
    ];
    write(&folder.path().join("elsewhere.toml"), &format!("{config}[store]\npath = \"new.db\"\n"));
    for command in commands {
        assert_eq!(run(command, None), (Some(0), String::new()), "{command:?}");
    }
    let (code, says) = run(&["restore", "copy.db"], None);
    assert_eq!(code, Some(1));
    assert!(says.contains("offhook.db is there and would be lost"), "{says}");
}

#[test]
fn the_unit_is_hardened_and_does_not_restart_over_a_wrong_configuration() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/offhook.service");
    let unit = fs::read_to_string(&file).unwrap();
    for line in [
        "Type=notify",
        "RestartPreventExitStatus=2",
        "WatchdogSec=60",
        "ExecReload=/usr/bin/offhook --config /etc/offhook/component.toml check",
    ] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
    let judged = Command::new("systemd-analyze")
        .args(["security", "--no-pager", "--offline=true", "--threshold=15"])
        .arg(&file)
        .output();
    // A machine without systemd has no such program.
    if let Ok(judged) = judged {
        let says = String::from_utf8_lossy(&judged.stdout);
        assert!(judged.status.success(), "exposure above 1.5: {says}");
    }
}
