//! `/health` and `/metrics` of the running program: what they tell, to whom, and that they tell nothing of anybody.

use std::fs;
use std::time::Duration;

use offhook::demo::child_process::free_port;
use offhook::numbers::{Condition, Numbers, PacketFate, TrunkCondition};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::test_bed::{Offhook, component_toml, write};
use crate::xmpp_server::{Server, Session, patiently};

#[tokio::test(flavor = "multi_thread")]
async fn health_names_what_keeps_calls_from_being_made() {
    let (server, port) = (Server::start().await, free_port().unwrap());
    let http = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n");
    let more = format!("{http}[speech]\nlanguage = \"en\"\n");
    let mut offhook = Offhook::start(&component_toml(server.port(), &more), None, &["run"]);
    // It listens before the server has taken the component.
    let (status, told) = patiently(async {
        loop {
            match get(port, "/health", "").await {
                Some(answer) => return answer,
                None => sleep(STEP).await,
            }
        }
    })
    .await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["status"]), (503, &"failing".into()), "{told}");
    assert_eq!(told["parts"]["link"]["state"], "failing", "{told}");

    let session = server.accepts().await;
    offhook.tells("READY=1").await;
    let (status, told) = get(port, "/health", "").await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["failing"]), (200, &Value::Array(vec![])), "{told}");
    assert_eq!(told["parts"]["trunks"]["each"][0]["name"], "pbx", "{told}");
    let (_, numbers) = get(port, "/metrics", "").await.unwrap();
    assert!(numbers.contains("offhook_link_up 1\n"), "{numbers}");

    drop((session, server));
    offhook.tells("STATUS=No link").await;
    let (status, told) = get(port, "/health", "").await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["failing"][0]), (503, &"link".into()), "{told}");
    offhook.signals(Signal::TERM);
    assert_eq!(offhook.ends().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_tell_of_calls_and_limits_and_of_nobody() {
    let (server, port) = (Server::start().await, free_port().unwrap());
    let more = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n");
    let config = component_toml(server.port(), &more);
    let config = config.replace("wait_s = 0", "wait_s = 0\nsender_throttle = [\"1/1d\"]");
    let mut offhook = Offhook::start(&config, None, &["--log", "trace", "run"]);
    let mut session = server.accepts().await;
    offhook.tells("READY=1").await;
    held_by(&mut session, "The secret of the pyramid").await;
    let numbers =
        until(port, "offhook_calls_total{outcome=\"trunk_failed\",trunk=\"pbx\"} 1").await;
    for line in ["offhook_held_messages 1", "offhook_stanza_to_invite_seconds_count 1"] {
        assert!(numbers.lines().any(|it| it == line), "{line}: {numbers}");
    }
    assert!(numbers.ends_with("# EOF\n"), "{numbers}");

    let (_, health) = get(port, "/health", "").await.unwrap();
    for page in [numbers, health, offhook.log()] {
        for secret in ["pyramid", "alice", "bob", "5550123", "example.org/desk"] {
            assert!(!page.contains(secret), "{secret} stands in {page}");
        }
    }
    offhook.signals(Signal::TERM);
    assert_eq!(offhook.ends().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_sees_the_pages_with_the_token_only() {
    let (server, port) = (Server::start().await, free_port().unwrap());
    let http = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n");
    let without = component_toml(server.port(), &http);
    let with = component_toml(server.port(), &format!("{http}token_file = \"http.token\"\n"));
    let mut offhook = Offhook::start(&without, None, &["run"]);
    let _session = server.accepts().await;
    offhook.tells("READY=1").await;
    write(&offhook.file("http.token"), "let me see\n");
    let forwarded = "X-Forwarded-For: 192.0.2.7\r\n";
    let token = format!("{forwarded}Authorization: Bearer let me see\r\n");
    let wrong = format!("{forwarded}Authorization: Bearer let me set\r\n");
    for (page, header) in [("/health", forwarded), ("/metrics", &token)] {
        assert_eq!(get(port, page, header).await.unwrap().0, 401, "there is no token yet");
    }
    offhook.reloads(&with);
    offhook.tells("RELOADING=1").await;
    offhook.tells("READY=1").await;
    for page in ["/health", "/metrics"] {
        for (header, expected) in [(forwarded, 401), (&wrong, 401), (&token, 200), ("", 200)] {
            let (status, says) = get(port, page, header).await.unwrap();
            assert_eq!(status, expected, "{page} {header}");
            assert!(expected == 200 || says == "no", "{says}");
        }
    }
    offhook.signals(Signal::TERM);
    assert_eq!(offhook.ends().await.code(), Some(0));
}

#[test]
fn alerts_and_board_ask_for_numbers_that_there_are() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |file: &str| fs::read_to_string(format!("{root}/packaging/{file}")).unwrap();
    let known = every_number();
    let files = [read("prometheus/alerts.yml"), read("grafana/offhook.json")];
    serde_json::from_str::<Value>(&files[1]).unwrap();
    for file in files {
        let names = file.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        let names: Vec<_> = names.filter(|it| it.starts_with("offhook_")).collect();
        assert!(names.len() > 5, "{names:?}");
        for name in names {
            let family = ["_total", "_bucket", "_sum", "_count"];
            let family = family.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let is_known = known.contains(&format!("# TYPE {family} "));
            assert!(is_known, "there is no {name} in\n{known}");
        }
    }
}

/// What is told when everything has happened once.
fn every_number() -> String {
    let numbers = Numbers::default();
    numbers.call_ended("answered", "pbx", Duration::from_secs(1));
    numbers.packets(PacketFate::Sent, 1);
    numbers.limit_reached("dial.throttle 1/1m");
    let trunk = TrunkCondition { name: "pbx".into(), is_usable: true, calls: 0 };
    numbers.exposition(&Condition {
        trunks: vec![trunk],
        store: Some(Default::default()),
        disk_free: Some(1),
        ..Default::default()
    })
}

/// Alice writes to Bob, and reads that it is held.
pub(crate) async fn held_by(session: &mut Session, body: &str) {
    let message = format!(
        "<message type='chat' from='alice@example.org/desk' id='m1' \
         to='bob\\40example.org@phone.example.org'><body>{body}</body></message>"
    );
    session.says(&message).await;
    patiently(async {
        loop {
            let stanza = session.hears().await;
            if stanza.has_child("ping", "urn:xmpp:ping") {
                session.returns(&stanza).await;
            } else if stanza.name() == "message" {
                return;
            }
        }
    })
    .await;
}

/// The numbers, once this line stands in them.
pub(crate) async fn until(port: u16, line: &str) -> String {
    patiently(async {
        loop {
            let (status, numbers) = get(port, "/metrics", "").await.unwrap();
            assert_eq!(status, 200);
            if numbers.lines().any(|it| it == line) {
                return numbers;
            }
            sleep(STEP).await;
        }
    })
    .await
}

/// Status and body of a page; `None` while nobody listens.
pub(crate) async fn get(port: u16, path: &str, header: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Some((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
}

const STEP: Duration = Duration::from_millis(100);
