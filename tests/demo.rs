//! The demo, as a visitor runs it: the program itself, on real parts.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use offhook::demo::chat_client::ChatClient;
use offhook::demo::prosody::Prosody;

#[test]
fn alice_reads_bobs_answer_and_only_the_recording_stays() {
    let folder = Folder::make("answer");
    let output = offhook(&folder, &["demo"]).spawn().unwrap().wait_with_output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Bob will answer by message."), "{said}");
    assert!(said.contains("offhook-demo.wav"), "{said}");

    let recording = hound::WavReader::open(folder.0.join("offhook-demo.wav")).unwrap();
    let rate_hz = recording.spec().sample_rate;
    assert!(recording.duration() > 5 * rate_hz, "{} samples", recording.duration());
    let loud = recording.into_samples::<i16>().filter(|it| it.as_ref().unwrap().abs() > 1000);
    assert!(loud.count() > rate_hz as usize, "a voice is heard, not silence");
    assert_eq!(folder.files(), ["offhook-demo.wav"]);
    folder.assert_nothing_runs();
}

#[test]
fn the_file_that_alice_was_sent_stays_too() {
    let folder = Folder::make("voice");
    let output = offhook(&folder, &["demo", "--key", "7"]).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("offhook-demo-answer.mp3")).unwrap();
    assert!(line.contains(" s, mean level "), "its length and level: {line}");
    assert!(said.contains(['▁', '▃', '█']), "its waveform: {said}");
    let mp3 = fs::read(folder.0.join("offhook-demo-answer.mp3")).unwrap();
    assert!(mp3.len() > 4000, "{} bytes", mp3.len());
    let mut files = folder.files();
    files.sort();
    assert_eq!(files, ["offhook-demo-answer.mp3", "offhook-demo.wav"]);
    folder.assert_nothing_runs();
}

#[test]
fn nothing_goes_on_after_the_demo_was_told_to_end() {
    for signal in ["INT", "TERM"] {
        let folder = Folder::make(signal);
        let demo = offhook(&folder, &["demo"]).spawn().unwrap();
        until_a_phone_runs(&folder);
        send(signal, &demo);
        let output = demo.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert_eq!(folder.files(), Vec::<String>::new());
        folder.assert_nothing_runs();
    }
}

#[test]
fn nothing_goes_on_after_the_demo_was_killed() {
    let folder = Folder::make("kill");
    let demo = offhook(&folder, &["demo"]).spawn().unwrap();
    until_a_phone_runs(&folder);
    send("KILL", &demo);
    demo.wait_with_output().unwrap();
    folder.assert_nothing_runs();
}

#[test]
fn who_lacks_a_program_is_told_the_command_that_installs_it() {
    let folder = Folder::make("missing");
    let output = offhook(&folder, &["demo"]).env("PATH", &folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(said.contains("prosody is missing: run `sh .ci/install demo` as root"), "{said}");
}

#[tokio::test]
async fn two_people_on_the_stage_can_write_to_each_other() {
    let folder = Folder::make("chat");
    let people = [("alice@localhost", "one"), ("bob@localhost", "two")];
    let prosody = Prosody::start(&folder.0, &people, "secret").await.unwrap();
    let login = async |name, jid, password| {
        ChatClient::start(name, prosody.clients, jid, password, &folder.0).await
    };
    let mut alice = login("alice", "alice@localhost/a", "one").await.unwrap();
    let mut bob = login("bob", "bob@localhost/b", "two").await.unwrap();
    assert!(login("eve", "bob@localhost/e", "three").await.is_err());

    let wait = Duration::from_secs(120);
    alice.send("bob@localhost", "m1", "Grüße <&> 🙂").await.unwrap();
    // The server has the first message when the second is back.
    alice.send("alice@localhost/a", "m0", "To myself").await.unwrap();
    alice.message(wait, "her own message", |it| it.body).await.unwrap();
    bob.online(0).await.unwrap();
    let late = bob.message(wait, "the message", Some).await.unwrap();
    assert_eq!((late.id.as_deref(), late.body.as_deref()), (Some("m1"), Some("Grüße <&> 🙂")));
    assert!(late.delay.is_some(), "it waited while Bob was offline: {}", late.xml);

    alice.online(0).await.unwrap();
    bob.send(&late.from, "m2", "Hello").await.unwrap();
    let back = alice.message(wait, "the answer", |it| it.body).await.unwrap();
    assert_eq!(back, "Hello");
}

fn offhook(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(arguments).current_dir(&folder.0).env("TMPDIR", &folder.0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

fn until_a_phone_runs(folder: &Folder) {
    for _ in 0..1200 {
        if folder.running().iter().any(|line| line.contains("baresip")) {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("no phone was started; these run: {:?}", folder.running());
}

fn send(signal: &str, to: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &to.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A working folder, which is also where the demo keeps its files while it runs.
struct Folder(PathBuf);

impl Folder {
    fn make(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("offhook-test-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// The command lines in which this folder is named.
    fn running(&self) -> Vec<String> {
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        processes
            .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&*self.0.to_string_lossy()))
            .collect()
    }

    fn assert_nothing_runs(&self) {
        for _ in 0..600 {
            if self.running().is_empty() && self.voices().is_empty() {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("these still run: {:?} {:?}", self.running(), self.voices());
    }

    /// Processes that work in this folder: Offhook's own helpers have no telling command line.
    fn voices(&self) -> Vec<PathBuf> {
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let folders = processes.filter_map(|it| fs::read_link(it.path().join("cwd")).ok());
        folders.filter(|folder| folder.starts_with(&self.0)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
