//! What the program writes, and what becomes of it when nobody reads that.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

#[path = "support/xmpp_server.rs"]
mod xmpp_server;

use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use offhook::clock;
use offhook::demo::child_process::Folder;
use offhook::notification::policy::Policy;
use offhook::store::Store;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::spawn_blocking;
use xmpp_server::{SECRET, Server, Session, patiently};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_held_and_answered_while_nobody_reads_the_log() {
    let (mut reader, writer) = io::pipe().unwrap();
    fill(&writer);
    let bed = TestBed::open(writer.into(), &["--log", "trace"]).await;
    let (status, took) = bed.holds_then_stops().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < STOPPED_MAX, "{took:?}");
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert!(!read.contains("offhook"), "the test has not kept the pipe full: {read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_held_and_answered_when_the_reader_of_the_log_is_gone() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let bed = TestBed::open(writer.into(), &["--log", "trace"]).await;
    assert_eq!(bed.holds_then_stops().await.0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_priorities_and_no_time() {
    let folder = Folder::make().unwrap();
    let (log, others) = (folder.path().join("log"), folder.path().join("others"));
    for (stream, is_journal) in [(&log, true), (&others, false)] {
        File::create(&log).unwrap();
        let stderr = OpenOptions::new().append(true).open(&log).unwrap();
        let stream = fs::metadata(File::create(stream).map(|_| stream).unwrap()).unwrap();
        let stream = format!("{}:{}", stream.dev(), stream.ino());
        let bed = TestBed::begin(stderr.into(), &["--log", "info"], Some(&stream)).await;
        bed.holds_then_stops().await;
        let read = fs::read_to_string(&log).unwrap();
        let (ready, held) = (line(&read, "ready"), line(&read, "message held"));
        if is_journal {
            assert!(ready.starts_with("<6> INFO offhook::daemon: ready"), "{ready}");
            assert!(held.starts_with("<6> INFO "), "{held}");
            assert!(read.lines().all(|line| line.starts_with("<6> INFO ")), "{read}");
        } else {
            assert!(ready.starts_with("20") && ready.contains("Z  INFO "), "{ready}");
        }
    }
}

fn line<'a>(text: &'a str, words: &str) -> &'a str {
    let line = text.lines().find(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("no \"{words}\" in {text}"))
}

#[tokio::test]
async fn a_command_whose_reader_is_gone_ends_quietly() {
    let folder = Folder::make().unwrap();
    home(folder.path(), 9);
    let store = folder.path().join("offhook.db");
    Store::open(&store, Policy::default()).unwrap().close().await;
    let commands: [&[&str]; 9] = [
        &["check"],
        &["held"],
        &["held", "--json"],
        &["calls", "--last", "1"],
        &["calls", "--json"],
        &["audit", "--json"],
        &["explain", "alice@example.org", "bob@example.org"],
        &["export", "bob@example.org"],
        &["module", "prosody"],
    ];
    for command in commands {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ended = run(folder.path(), command, writer);
        assert_eq!(ended, (Some(0), String::new()), "{command:?}");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, said) = run(folder.path(), command, full);
        assert_eq!(code, Some(1), "{command:?}: {said}");
        assert!(said.contains("No space left on device"), "{command:?}: {said}");
    }
}

#[test]
fn a_command_whose_complaints_nobody_reads_ends_with_its_exit_code() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    let status = command.args(["--config", "nowhere.toml", "check"]).stderr(writer).status();
    assert_eq!(status.unwrap().code(), Some(2));
}

/// Exit code and standard error of a command that writes to `stdout`.
fn run(folder: &Path, arguments: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    let command = command.args(arguments).current_dir(folder).stdout(stdout);
    let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Leaves no room in a pipe.
fn fill(pipe: &PipeWriter) {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    // Opened anew, so that only this end of it does not block.
    let mut pipe =
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path).unwrap();
    for part in [4096, 1] {
        while pipe.write(&vec![b'\n'; part]).is_ok() {}
    }
}

/// Offhook on a stream of a scripted server, with a standard error of the test's choice.
struct TestBed {
    offhook: Child,
    session: Session,
    // Without its listener a lost stream would look like one that is not accepted.
    _server: Server,
    _folder: Folder,
}

impl TestBed {
    async fn open(stderr: Stdio, arguments: &[&str]) -> Self {
        Self::begin(stderr, arguments, None).await
    }

    async fn begin(stderr: Stdio, arguments: &[&str], journal_stream: Option<&str>) -> Self {
        let (server, folder) = (Server::start().await, Folder::make().unwrap());
        home(folder.path(), server.port());
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(arguments).current_dir(folder.path()).stderr(stderr);
        command.env_remove("JOURNAL_STREAM");
        command.envs(journal_stream.map(|stream| ("JOURNAL_STREAM", stream)));
        let offhook = command.spawn().unwrap();
        // The test's copy of standard error goes with the command.
        drop(command);
        let session = server.accepts().await;
        Self { offhook, session, _server: server, _folder: folder }
    }

    /// Alice writes and reads that it is held; then Offhook is stopped. Gives how it ended, and how long that took.
    async fn holds_then_stops(mut self) -> (ExitStatus, Duration) {
        let message = "<message type='chat' from='alice@example.org/desk' id='m1' \
            to='bob\\40example.org@phone.example.org'><body>Hello</body></message>";
        self.session.says(message).await;
        let held = async {
            loop {
                let stanza = self.session.hears().await;
                if stanza.has_child("ping", "urn:xmpp:ping") {
                    self.session.returns(&stanza).await;
                } else if String::from(&stanza).contains("is held") {
                    return;
                }
            }
        };
        patiently(held).await;
        let asked = clock::now();
        let pid = Pid::from_child(&self.offhook);
        kill_process(pid, Signal::TERM).unwrap();
        let ended = spawn_blocking(move || self.offhook.wait());
        let status = patiently(ended).await.unwrap().unwrap();
        (status, clock::now() - asked)
    }
}

fn home(folder: &Path, server: u16) {
    let component_toml = format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{server}\"\nsecret = \"{SECRET}\"\n\
         [[trunk]]\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:a@127.0.0.1\"\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n[dial]\nallow = [\"+999\"]\n\
         [[subscriber]]\njid = \"bob@example.org\"\n"
    );
    fs::write(folder.join("component.toml"), component_toml).unwrap();
}

/// In which SIGTERM is obeyed.
const STOPPED_MAX: Duration = Duration::from_secs(10);
