//! `offhook check`: what it warns of, what it tells programs, and what it leaves alone beside a running Offhook.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

#[path = "support/voice_answer.rs"]
mod voice_answer;
#[path = "support/xmpp_server.rs"]
mod xmpp_server;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use minidom::Element;
use offhook::config;
use offhook::demo::child_process::{ChildProcess, Folder, free_port};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::sleep;
use voice_answer::upload_service_answers;
use xmpp_server::{SECRET, Server, Session, patiently};

const PLAIN: &str = r#"
[component]
jid = "phone.example.org"
secret = "sesame"
server = "127.0.0.1:5347"
[[trunk]]
name = "pbx"
proxy = "sip:192.0.2.1"
from = "sip:offhook@192.0.2.1"
prefixes = ["+81", "+49"]
[[trunk]]
name = "home"
proxy = "sip:192.0.2.2"
from = "sip:offhook@192.0.2.2"
calls_max = 2
[media]
ports = [20000, 20063]
[dial]
allow = ["+813", "+4930"]
throttle = ["1/1m"]
[[key]]
press = "1"
say = "To answer"
reply = "{callee} answers."
[http]
listen = "127.0.0.1:8080"
public_url = "https://voice.example.org"
[[subscriber]]
jid = "bob@example.org"
number = "+81312345678"
[[subscriber]]
jid = "carol@example.org"
number = "+81312345679"
"#;

#[test]
fn what_works_but_is_better_changed_is_a_warning_at_its_place() {
    let cases = [
        ("sesame", "change me", Some("everybody knows this secret")),
        ("127.0.0.1:5347", "[::1]:5347", None),
        ("127.0.0.1:5347", "localhost:5347", None),
        ("127.0.0.1:5347", "192.0.2.3:5347", Some("XEP-0114 is not encrypted")),
        ("127.0.0.1:5347", "xmpp.example.org:5347", Some("XEP-0114 is not encrypted")),
        ("\"+81\", \"+49\"", "\"+8134\"", None),
        ("\"+81\", \"+49\"", "\"+\"", None),
        ("\"+81\", \"+49\"", "\"+44\", \"+814\"", Some("no number be dialled that this trunk")),
        ("throttle = [", "deny = [\"+81350\"]\nthrottle = [", None),
        ("throttle = [", "deny = [\"+44\"]\nthrottle = [", Some("no number that begins with +44")),
        ("server =", "admins = [\"a@example.org\"]\nserver =", None),
        ("server =", "admins = [\"example.org\"]\nserver =", Some("write admin@example.org")),
        ("[media]", "[sip]\nlisten = \"0.0.0.0:5060\"\ncallback = true\n[media]", None),
        ("[media]", "[sip]\ncallback = true\n[media]", Some("a port that changes with each start")),
        ("[20000, 20063]", "[20000, 20062]", None),
        ("[20000, 20063]", "[20001, 20063]", Some("enough for 31 calls at once")),
        ("\"1/1m\"", "", Some("a phone may ring without end")),
        ("{callee} answers", "{calee} answers", Some("reads {calee} as it stands")),
        ("{callee} answers", "{callee} {answers", None),
        ("127.0.0.1:8080", "0.0.0.0:8080", Some("reachable from everywhere")),
        ("127.0.0.1:8080", "[::]:8080", Some("reachable from everywhere")),
        ("+81312345679", "+81312345678", Some("bob@example.org has this number, too")),
    ];
    let read = |text: String| config::read_text(Path::new("nowhere/component.toml"), text).unwrap();
    assert_eq!(read(PLAIN.into()).warnings, []);
    for (from, to, expected) in cases {
        assert!(PLAIN.contains(from), "{from}");
        let text = PLAIN.replace(from, to);
        let changed = (1..).zip(text.lines().zip(PLAIN.lines()));
        let (line, _) = changed.into_iter().find(|(_, (new, old))| new != old).unwrap();
        let warnings = read(text).warnings;
        assert_eq!(warnings.len(), usize::from(expected.is_some()), "{to}: {warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.says.contains(expected), "{to}: {warning}");
            assert_eq!(warning.place.unwrap().0, line, "{to}: {warning}");
            let shown = warning.to_string();
            assert!(shown.contains(&format!("component.toml:{line}:")), "{shown}");
            assert!(shown.contains("^^"), "{shown}");
        }
    }
}

#[test]
fn a_secret_that_all_can_read_is_a_warning() {
    let folder = Folder::make().unwrap();
    let (file, secret) = (folder.path().join("component.toml"), folder.path().join("my.secret"));
    let apart = PLAIN.replace("secret = \"sesame\"", "secret_file = \"my.secret\"");
    fs::write(&secret, "sesame").unwrap();
    let cases = [
        (PLAIN, 0o644, 0o600, Some(&file)),
        (PLAIN, 0o640, 0o600, None),
        (&apart, 0o644, 0o640, None),
        (&apart, 0o644, 0o644, Some(&secret)),
    ];
    for (text, mode, secret_mode, expected) in cases {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(secret_mode)).unwrap();
        let warnings = config::read(&file).unwrap().warnings;
        let says: Vec<_> = warnings.iter().map(|it| it.says.as_str()).collect();
        let told = |path: &std::path::PathBuf| {
            format!("others can read {0}; run chmod o-rwx {0}", path.display())
        };
        assert_eq!(says, Vec::from_iter(expected.map(told)), "{mode:o} {secret_mode:o}");
        assert!(warnings.iter().all(|it| it.place.unwrap().0 == 4), "{warnings:?}");
    }
}

#[tokio::test]
async fn warnings_have_a_section_of_their_own_and_fail_a_strict_check() {
    let folder = Folder::make().unwrap();
    let warned = PLAIN.replace("[[key]]", "[speech]\nlanguage = \"English\"\n[[key]]");
    write(folder.path(), &warned);
    let (code, told, _) = check(folder.path(), &[]).await;
    assert_eq!(code, Some(0), "{told}");
    let (before, after) = told.split_once("\nwarnings\n").unwrap();
    assert_eq!(before, "component.toml is in order\nnumbers of people, fixed_line: 2\n");
    assert!(after.contains("speech: there is no voice for language = \"English\""), "{after}");
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(after.contains("running as root"), is_root, "{after}");
    let (code, strict, _) = check(folder.path(), &["--strict"]).await;
    assert_eq!((code, strict), (Some(1), told));

    write(folder.path(), PLAIN);
    let (code, told, _) = check(folder.path(), &["--strict"]).await;
    assert_eq!(code, Some(if is_root { 1 } else { 0 }), "{told}");
}

#[tokio::test]
async fn programs_read_each_finding_with_its_place() {
    let folder = Folder::make().unwrap();
    write(folder.path(), &PLAIN.replace("sesame", "change me"));
    let (code, told, _) = check(folder.path(), &["--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(code, Some(0), "{told}");
    let expected = json!({
        "line": 4, "column": 10,
        "says": "everybody knows this secret; make one with openssl rand -hex 32",
    });
    assert!(told["warnings"].as_array().unwrap().contains(&expected), "{told}");
    assert_eq!(
        (&told["mistakes"], &told["notes"], &told["live"]),
        (&json!([]), &json!([]), &Value::Null)
    );

    write(
        folder.path(),
        &PLAIN.replace("throttle =", "throtle =").replace("calls_max = 2", "calls_max = 0"),
    );
    let (code, told, says) = check(folder.path(), &["--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, says.as_str()), (Some(2), ""));
    let mistakes = told["mistakes"].as_array().unwrap();
    let found: Vec<_> =
        mistakes.iter().map(|it| (&it["line"], it["says"].as_str().unwrap())).collect();
    assert_eq!(found[0], (&json!(15), "calls_max must be 1 to 5000 calls at once"));
    assert_eq!(found[1].0, &json!(20));
    assert!(found[1].1.starts_with("unknown key; did you mean throttle? this section"), "{told}");
    assert_eq!(found.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_offhook_a_live_check_takes_nothing_from_it() {
    let (server, pbx, home) = (Server::start().await, Trunk::start().await, Trunk::start().await);
    let folder = Folder::make().unwrap();
    let (xmpp, sip) = (server.port(), free_port().unwrap());
    let component_toml = format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{xmpp}\"\nsecret = \"{SECRET}\"\n\
         [[trunk]]\nname = \"pbx\"\nproxy = \"sip:127.0.0.1:{}\"\nfrom = \"sip:a@127.0.0.1\"\n\
         [[trunk]]\nname = \"home\"\nproxy = \"sip:127.0.0.1:{}\"\nfrom = \"sip:a@127.0.0.1\"\nregister = true\n\
         [sip]\nlisten = \"127.0.0.1:{sip}\"\n[media]\nlisten = \"127.0.0.1\"\n[dial]\nallow = [\"+999\"]\n\
         [[subscriber]]\njid = \"bob@example.org\"\nlanguage = \"de\"\n",
        pbx.port, home.port
    );
    write(folder.path(), &component_toml);
    let program = Path::new(env!("CARGO_BIN_EXE_offhook"));
    let mut offhook = ChildProcess::start("offhook", program, &["run"], folder.path()).unwrap();
    let mut session = server.accepts().await;
    patiently(home.is_registered_at()).await;
    let registrations = home.registrations.load(Ordering::SeqCst);

    let (code, told, says) = check(folder.path(), &["--live", "--json"]).await;
    assert_eq!(code, Some(0), "{told} {says}");
    let expected = [
        ("store offhook.db".to_owned(), "works"),
        (format!("XMPP at 127.0.0.1:{xmpp}"), "not tried"),
        (format!("SIP at 127.0.0.1:{sip}"), "not tried"),
        ("trunk pbx".into(), "works"),
        ("trunk home".into(), "not tried"),
        ("RTP".into(), "works"),
        ("voice en".into(), "works"),
        ("voice de".into(), "works"),
        ("voice answers".into(), "not tried"),
    ];
    assert_eq!(results(&told), expected);
    assert_eq!(home.registrations.load(Ordering::SeqCst), registrations, "a second registration");
    session.says("<iq type='get' id='alive' from='example.org' to='phone.example.org'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    patiently(async { while session.hears().await.attr("id") != Some("alive") {} }).await;

    drop((server, session));
    assert_eq!(offhook.stop().await, Some(0));
    let (code, told, _) = check(folder.path(), &["--live", "--json"]).await;
    assert_eq!(code, Some(1), "{told}");
    let results = results(&told);
    assert!(results.contains(&("trunk home".into(), "works")), "{told}");
    assert!(results.contains(&(format!("XMPP at 127.0.0.1:{xmpp}"), "fails")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_check_tries_a_round_trip_and_names_what_passes_voice_answers_on() {
    let http = "[http]\nlisten = \"127.0.0.1:8080\"\npublic_url = \"https://voice.example.org\"\n";
    let uploads = ("works", "the upload service upload.example.org");
    let cases = [
        (Handling::Answers, "", "works", uploads),
        (Handling::AnswersAtResources, "", "works", uploads),
        (Handling::Refuses, "", "works", ("fails", "no upload service was found; set")),
        (Handling::Refuses, http, "works", ("works", "[http] at https://voice.example.org: no up")),
        (Handling::Loses, "", "fails", ("not tried", "no upload service can be asked")),
    ];
    let checked = cases.map(|(handling, tables, xmpp, (result, why))| async move {
        let (server, trunk) = (Server::start().await, Trunk::start().await);
        let folder = Folder::make().unwrap();
        let component_toml = format!(
            "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{}\"\nsecret = \"{SECRET}\"\n\
             [[trunk]]\nname = \"pbx\"\nproxy = \"sip:127.0.0.1:{}\"\nfrom = \"sip:a@127.0.0.1\"\n\
             [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n[dial]\nallow = [\"+999\"]\n{tables}",
            server.port(), trunk.port,
        );
        write(folder.path(), &component_toml);
        let serves = async { serve(server.accepts().await, handling).await };
        let ((code, told, says), returned) =
            tokio::join!(check(folder.path(), &["--live", "--json"]), serves);
        let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told} {says}"));
        let of = |what: &str| {
            let mut checks = told["live"].as_array().unwrap().iter();
            checks.find(|it| it["what"].as_str().unwrap().starts_with(what)).unwrap()
        };
        assert_eq!(of("XMPP at ")["result"], xmpp, "{handling:?}: {told}");
        assert_eq!(of("voice answers")["result"], result, "{handling:?}: {told}");
        let told_why = of("voice answers")["why"].as_str().unwrap();
        assert!(told_why.starts_with(why), "{handling:?}: {told_why}");
        assert_eq!(code, Some(i32::from(result != "works")), "{handling:?}: {told}");
        assert_eq!(returned, ["remote-server-timeout"], "what came meanwhile is returned");
    });
    join_all(checked).await;
}

/// What a server does with the IQs of the component.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handling {
    Answers,
    /// As ejabberd from 24.10 on with mod_privilege.
    AnswersAtResources,
    Refuses,
    Loses,
}

/// Serves the component until it ends the stream, and sends it a message; gives the conditions of the errors for that.
async fn serve(mut session: Session, handling: Handling) -> Vec<String> {
    session.says("<message from='alice@example.org/a' to='phone.example.org' id='m1' type='chat'><body>Hello</body></message>").await;
    let (mut reader, mut writer) = session.splits();
    let mut returned = vec![];
    while let Some(stanza) = reader.hears_until_the_end().await {
        let to = stanza.attr("to").unwrap();
        if stanza.name() == "message" {
            let error = stanza.children().find(|it| it.name() == "error").unwrap();
            returned.push(error.children().next().unwrap().name().to_owned());
        } else if stanza.has_child("ping", "urn:xmpp:ping") {
            if handling != Handling::Loses {
                writer.says(&String::from(&stanza)).await;
            }
        } else if handling == Handling::Answers
            || handling == Handling::AnswersAtResources && to.contains('/')
        {
            writer.says(&answer(&stanza)).await;
        } else if handling == Handling::Refuses {
            let id = stanza.attr("id").unwrap();
            writer
                .says(&format!("<iq type='error' id='{id}' from='{to}' to='phone.example.org'/>"))
                .await;
        }
    }
    returned
}

/// What a server with an upload service says to a request.
fn answer(request: &Element) -> String {
    const ITEMS: &str = "http://jabber.org/protocol/disco#items";
    if !request.has_child("query", ITEMS) {
        return upload_service_answers(request, "https://upload.example.org/voice.mp3");
    }
    let (id, server) = (request.attr("id").unwrap(), request.attr("to").unwrap());
    format!(
        "<iq type='result' id='{id}' from='{server}' to='phone.example.org'><query xmlns='{ITEMS}'>\
         <item jid='upload.example.org'/></query></iq>"
    )
}

fn results(told: &str) -> Vec<(String, &'static str)> {
    let told: Value = serde_json::from_str(told).unwrap();
    let result = |it: &Value| match it["result"].as_str().unwrap() {
        "works" => "works",
        "fails" => "fails",
        "not tried" => "not tried",
        other => panic!("{other}"),
    };
    let checks = told["live"].as_array().unwrap().iter();
    checks.map(|it| (it["what"].as_str().unwrap().to_owned(), result(it))).collect()
}

/// A registrar and proxy that says 200 to everything.
struct Trunk {
    port: u16,
    registrations: Arc<AtomicUsize>,
}

impl Trunk {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (port, registrations) = (socket.local_addr().unwrap().port(), Arc::default());
        let count: Arc<AtomicUsize> = Arc::clone(&registrations);
        tokio::spawn(async move {
            let mut packet = vec![0; 65_536];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let request = String::from_utf8_lossy(&packet[..length]).into_owned();
                count.fetch_add(usize::from(request.starts_with("REGISTER ")), Ordering::SeqCst);
                let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:", "Expires:"];
                let headers =
                    request.lines().filter(|it| copied.iter().any(|name| it.starts_with(name)));
                let headers: String = headers.map(|it| format!("{it}\r\n")).collect();
                let answer = format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
                socket.send_to(answer.as_bytes(), from).await.unwrap();
            }
        });
        Self { port, registrations }
    }

    async fn is_registered_at(&self) {
        while self.registrations.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Only its owner can read the file, so that it is no warning.
fn write(folder: &Path, component_toml: &str) {
    let file = folder.join("component.toml");
    fs::write(&file, component_toml).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

/// Exit code, standard output and standard error of `offhook check`.
async fn check(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    let output = command.arg("check").args(arguments).current_dir(folder).output().await.unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
