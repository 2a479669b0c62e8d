//! The operator's page of the running program: what it shows, to whom, and that it names nobody unless it is asked to.

use std::time::Duration;

use offhook::demo::child_process::free_port;
use offhook::store::Reader;
use rustix::process::Signal;
use tokio::time::sleep;

use crate::test_bed::{Offhook, component_toml, write};
use crate::watching::{get, held_by, until};
use crate::xmpp_server::{Server, Session, patiently};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_tells_what_happens_and_names_nobody() {
    let bed = TestBed::open().await;
    let cases = [
        ("/operator", ["<h1>Now</h1>", "dial.calls_per_day_max: 1 of 200", "waits for a call"]),
        ("/operator/messages", ["<h1>Messages</h1>", "/operator/messages/1", "waits for a call"]),
        ("/operator/messages/1", ["<h1>Message 1</h1>", "trunk failed", "call claimed"]),
        ("/operator/calls", ["<h1>Calls</h1>", "trunk failed", "+99…"]),
        ("/operator/calls/1", ["<h1>Call 1</h1>", "0 of 1", "INVITE"]),
        ("/operator/people", ["<h1>People</h1>", "phone", "+99…"]),
        ("/operator/messages?held=only&before=9", ["<h1>Messages</h1>", "checked", "before=9"]),
        ("/operator/style.css", ["prefers-color-scheme", "focus-visible", "table"]),
    ];
    for (path, words) in cases {
        let (status, page) = get(bed.port, path, "").await.unwrap();
        assert_eq!(status, 200, "{path}: {page}");
        for word in words {
            assert!(page.contains(word), "{path} lacks {word}: {page}");
        }
        for secret in SECRETS.iter().chain(&["pyramid"]) {
            assert!(!page.contains(secret), "{secret} stands in {path}: {page}");
        }
        assert!(!page.contains("<script"), "{page}");
    }
    // Nobody's name can be guessed by asking for it.
    let (_, page) = get(bed.port, "/operator/messages?from=zoe", "").await.unwrap();
    assert!(page.contains("/operator/messages/1") && !page.contains("zoe"), "{page}");
    bed.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_the_token_may_ask_for_names() {
    let bed = TestBed::open().await;
    let token = "Authorization: Basic YW55OmxldCBtZSBzZWU=\r\n";
    let wrong = "Authorization: Basic YW55OmxldCBtZSBzZXQ=\r\n";
    let forwarded = "X-Forwarded-For: 192.0.2.7\r\n";
    let cases = [
        ("/operator", forwarded.to_owned(), 401),
        ("/operator", format!("{forwarded}{wrong}"), 401),
        ("/operator", format!("{forwarded}{token}"), 200),
        ("/operator?names=shown", String::new(), 401),
        ("/operator?names=shown", wrong.to_owned(), 401),
        ("/operator?names=shown", token.to_owned(), 200),
    ];
    for (path, headers, expected) in cases {
        assert_eq!(get(bed.port, path, &headers).await.unwrap().0, expected, "{path} {headers}");
    }
    let named = [
        ("/operator/messages", ["alice@example.org", "bob@example.org"]),
        ("/operator/messages/1", ["alice@example.org", "m1"]),
        ("/operator/calls", ["bob@example.org", "+9995550123"]),
        ("/operator/calls/1", ["alice@example.org", "+9995550123"]),
        ("/operator/people", ["bob@example.org", "+9995550123"]),
        ("/operator/messages?from=alice&for=bob@example.org", ["alice@example.org", "names=shown"]),
    ];
    for (path, words) in named {
        let path = format!("{path}{}names=shown", if path.contains('?') { "&" } else { "?" });
        let (status, page) = get(bed.port, &path, token).await.unwrap();
        assert_eq!(status, 200, "{path}");
        for word in words {
            assert!(page.contains(word), "{path} lacks {word}: {page}");
        }
        assert!(!page.contains("pyramid"), "{path}: {page}");
    }
    let written = Reader::open(&bed.offhook.file("offhook.db")).unwrap().audit_list(100).unwrap();
    let shown = written.iter().filter(|it| it.what == "operator page with names").count();
    assert_eq!(shown, named.len() + 1, "each look at names is written down: {written:?}");
    let (_, page) = get(bed.port, "/operator/messages?from=ali&names=shown", token).await.unwrap();
    assert!(page.contains("There is no such message."), "a name is whole: {page}");
    bed.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_paths_and_queries_get_a_page_that_says_so() {
    let bed = TestBed::open().await;
    let paths = [
        "/operator/",
        "/operator//messages//",
        "/operator/messages?before=-1&before=99999999999999999999&%ff=%00",
        "/operator/people?before=zzz",
    ];
    for path in paths {
        assert_eq!(get(bed.port, path, "").await.unwrap().0, 200, "{path}");
    }
    let nothing = [
        "/operator/messages/2",
        "/operator/messages/m1",
        "/operator/messages/-1",
        "/operator/messages/1/2",
        "/operator/calls/99999999999999999999",
        "/operator/../health",
        "/operator/%3Cscript%3E",
        "/operators",
    ];
    for path in nothing {
        let (status, page) = get(bed.port, path, "").await.unwrap();
        assert_eq!(status, 404, "{path}: {page}");
        assert!(!page.contains("<script"), "{path}: {page}");
    }
    bed.ends().await;
}

/// The program after one call that failed, with a token.
struct TestBed {
    offhook: Offhook,
    port: u16,
    _session: Session,
    _server: Server,
}

impl TestBed {
    async fn open() -> Self {
        let (server, port) = (Server::start().await, free_port().unwrap());
        let without =
            component_toml(server.port(), &format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
        let offhook = Offhook::start(&without, None, &["run"]);
        let mut session = server.accepts().await;
        offhook.tells("READY=1").await;
        write(&offhook.file("http.token"), "let me see\n");
        offhook.reloads(&format!("{without}token_file = \"http.token\"\n"));
        offhook.tells("RELOADING=1").await;
        offhook.tells("READY=1").await;
        held_by(&mut session, "The secret of the pyramid").await;
        until(port, "offhook_calls_total{outcome=\"trunk_failed\",trunk=\"pbx\"} 1").await;
        // The call is counted before its end is stored.
        patiently(async {
            while !get(port, "/operator", "").await.unwrap().1.contains("waits for a call") {
                sleep(STEP).await;
            }
        })
        .await;
        Self { offhook, port, _session: session, _server: server }
    }

    async fn ends(mut self) {
        self.offhook.signals(Signal::TERM);
        assert_eq!(self.offhook.ends().await.code(), Some(0));
    }
}

/// What belongs to people: names, a number, and what a sender called their stanza.
const SECRETS: [&str; 5] = ["alice", "bob@", "5550123", "example.org/desk", "m1<"];
const STEP: Duration = Duration::from_millis(50);
