//! The link to the server, with a server that does what servers should not.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

#[path = "support/xmpp_server.rs"]
mod xmpp_server;

use std::time::Duration;

use minidom::Element;
use offhook::clock::now;
use offhook::seed::Seed;
use offhook::subscriber::Subscriber;
use offhook::xmpp::directory::{Directory, ServedDomains};
use offhook::xmpp::gateway::{Gateway, Input, Output};
use offhook::xmpp::link::{Link, LinkError, LinkEvent, LinkSettings, LinkTimeouts};
use offhook::xmpp::stanza::{chat, set, stanza};
use tokio::sync::mpsc::Receiver;
use xmpp_server::{SECRET, Server, Session, patiently};

#[tokio::test]
async fn silence_is_broken_by_a_ping_and_the_stream_stays_up() {
    let (server, _link, mut events, mut session) =
        connected(LinkTimeouts { quiet: SHORT, ..patience() }).await;
    for _ in 0..3 {
        let ping = session.hears().await;
        assert!(ping.has_child("ping", "urn:xmpp:ping"));
        session.returns(&ping).await;
    }
    session.says(&message("m1", "")).await;
    assert_eq!(next_id(&mut events).await, "m1");
    drop(server);
}

/// So does ejabberd from 24.10 on with mod_privilege.
#[tokio::test]
async fn a_server_that_drops_iqs_to_bare_domains_keeps_the_link_and_tells_who_is_online() {
    let quick = LinkTimeouts { quiet: SHORT, pong: Duration::from_secs(10), ..patience() };
    let (_server, link, mut events, mut session) = connected(quick).await;
    let (kept_alive, mut keepalives) = tokio::sync::mpsc::channel(100);
    tokio::spawn(async move {
        loop {
            let stanza = session.hears().await;
            if stanza.name() == "iq" && stanza.attr("to").unwrap().contains('/') {
                session.returns(&stanza).await;
                let id = stanza.attr("id").unwrap().to_owned();
                let _ = kept_alive.send(id).await;
            }
        }
    });
    for _ in 0..3 {
        let id = patiently(keepalives.recv()).await.unwrap();
        assert!(id.starts_with("keepalive-"), "{id}");
    }
    assert!(link.deliver(vec![said("m1")]).await, "the receipt comes");

    let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into());
    let (people, domains) = (Directory::new([&bob]), ServedDomains::default());
    let mut gateway = Gateway::new("phone.example.org", people, domains, Seed::fixed(1));
    let start = now();
    gateway.handle(Input::LinkUp, start);
    loop {
        while let Some(output) = gateway.poll() {
            match output {
                Output::Send(stanza) => link.send(stanza).await,
                Output::Settled => return,
                _ => {}
            }
        }
        let event = patiently(events.recv()).await;
        let Some(LinkEvent::Stanza(stanza)) = event else { panic!("no pong but {event:?}") };
        gateway.handle(Input::Stanza(&stanza), start);
        gateway.handle(Input::Tick, start + Duration::from_secs(6));
    }
}

#[tokio::test]
async fn a_server_that_answers_no_ping_is_left_and_called_again() {
    let quick = LinkTimeouts { quiet: SHORT, pong: SHORT, ..patience() };
    let (server, _link, mut events, session) = connected(quick).await;
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Down)));
    let _again = server.accepts().await;
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Up)));
    drop(session);
}

#[tokio::test]
async fn one_bad_stanza_costs_one_stanza() {
    let deep = format!("{}{}", "<a>".repeat(37_000), "</a>".repeat(37_000));
    let bad = [
        "<message type='foo' from='a@example.org'/>".to_owned(),
        "<presence from='a@example.org'><show>bogus</show></presence>".into(),
        "<presence from='a@example.org'><priority>999</priority></presence>".into(),
        "<presence from='a@example.org'><priority/><show/><show/></presence>".into(),
        "<message from='a@example.org'><thread>1</thread><thread>2</thread></message>".into(),
        "<iq type='get' id='1' from='a@example.org'/>".into(),
        "<iq type='error' id='1' from='a@example.org'/>".into(),
        "<something-else/>".into(),
        "<presence from='\u{1f4f1} @ @'/>".into(),
    ];
    let hostile = [
        format!("<presence from='a@example.org'>{deep}</presence>"),
        format!("<message id='{}'/>", "x".repeat(9000)),
        format!("<message><{0} xmlns='x'/></message>", "n".repeat(9000)),
        format!("<message>{}</message>", "<a/>".repeat(20_000)),
        format!("<message><body>{}</body></message>", "x".repeat(2_000_000)),
    ];
    let (_server, _link, mut events, mut session) = connected(patience()).await;
    for (number, stanza) in bad.iter().chain(&hostile).enumerate() {
        session.says(stanza).await;
        session.says(&message(&format!("good{number}"), "<body>Hello</body>")).await;
    }
    let (mut good, mut odd) = (0, 0);
    while good < bad.len() + hostile.len() {
        match patiently(events.recv()).await {
            Some(LinkEvent::Stanza(stanza))
                if stanza.attr("id") == Some(&format!("good{good}")) =>
            {
                good += 1
            }
            Some(LinkEvent::Stanza(_)) => odd += 1,
            other => panic!("the stream did not hold: {other:?}"),
        }
    }
    assert_eq!(odd, bad.len(), "what is only odd is for the gateway to judge");
}

#[tokio::test]
async fn a_stanza_that_comes_byte_by_byte_is_one_stanza() {
    let (_server, _link, mut events, mut session) = connected(patience()).await;
    let words = message("m1", "<body>Grüße &amp; 🙂</body>");
    for at in 0..words.len() {
        // Single bytes, also within a character.
        session.says_bytes(&words.as_bytes()[at..=at]).await;
    }
    let Some(LinkEvent::Stanza(stanza)) = patiently(events.recv()).await else {
        panic!("no stanza")
    };
    assert_eq!(stanza.children().next().unwrap().text(), "Grüße & 🙂");
}

#[tokio::test]
async fn delivered_means_that_the_server_has_read_it() {
    let (server, link, mut events, mut session) = connected(patience()).await;
    let delivery = tokio::spawn({
        let link = link.clone();
        async move { link.deliver(vec![said("m1"), said("m2")]).await }
    });
    assert_eq!(session.hears().await.attr("id"), Some("m1"));
    assert_eq!(session.hears().await.attr("id"), Some("m2"));
    let ping = session.hears().await;
    session.returns(&ping).await;
    assert!(delivery.await.unwrap(), "the ping came back");

    let delivery = tokio::spawn({
        let link = link.clone();
        async move { link.deliver(vec![said("m3")]).await }
    });
    session.hears().await;
    session.hears().await;
    drop(session);
    assert!(!delivery.await.unwrap(), "the server left before the pong");
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Down)));
    assert!(!link.deliver(vec![said("m3")]).await, "the link is down");

    let mut session = server.accepts().await;
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Up)));
    let delivery = tokio::spawn(async move { link.deliver(vec![said("m3")]).await });
    assert_eq!(session.hears_a_message().await.attr("id"), Some("m3"));
    let ping = session.hears().await;
    let answer = stanza(
        "iq",
        &[("type", "result"), ("id", ping.attr("id").unwrap()), ("from", ping.attr("to").unwrap())],
    );
    session.returns(&answer).await;
    assert!(delivery.await.unwrap(), "a server that answers by itself is as good");
}

#[tokio::test]
async fn a_lost_pong_is_no_receipt() {
    let (_server, link, _events, mut session) =
        connected(LinkTimeouts { pong: SHORT, ..patience() }).await;
    let delivery = tokio::spawn(async move { link.deliver(vec![said("m1")]).await });
    session.hears().await;
    session.says("<iq type='result' id='another' from='phone.example.org'/>").await;
    assert!(!delivery.await.unwrap());
}

#[tokio::test]
async fn wrong_settings_are_told_in_a_sentence_at_the_first_attempt() {
    for (condition, names) in
        [("not-authorized", "component.secret"), ("host-unknown", "component.jid")]
    {
        let server = Server::start().await;
        let refusal = async { server.refuses(condition).await };
        let (_, error) =
            tokio::join!(refusal, Link::connect(settings(&server, patience()), Seed::fixed(1)));
        let error = error.err().unwrap().to_string();
        assert!(error.contains(names), "{error}");
        assert!(!error.contains('\n') && error.contains("phone.example.org"), "{error}");
    }
}

#[tokio::test]
async fn settings_that_were_right_once_are_tried_on() {
    let (server, _link, mut events, session) = connected(patience()).await;
    session.ends("system-shutdown").await;
    server.refuses("not-authorized").await;
    server.refuses("host-unknown").await;
    let _session = server.accepts().await;
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Down)));
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Up)));
}

#[tokio::test]
async fn a_conflict_passes_and_the_link_is_back() {
    let (server, _link, mut events, session) = connected(patience()).await;
    session.ends("conflict").await;
    server.refuses("conflict").await;
    let _session = server.accepts().await;
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Down)));
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Up)));
}

#[tokio::test]
async fn a_single_attempt_tells_what_is_wrong() {
    let server = Server::start().await;
    let settings = settings(&server, patience());
    let once = || Link::connect_once(settings.clone(), Seed::fixed(1));
    let (_, conflict) = tokio::join!(server.refuses("conflict"), once());
    assert!(matches!(conflict, Err(LinkError::Conflict { .. })), "{conflict:?}");
    let (session, fine) = tokio::join!(server.accepts(), once());
    fine.unwrap().0.close().await;
    assert!(session.hears_the_end().await.contains("</stream:stream>"));
    drop(server);
    let nobody = once().await;
    assert!(matches!(nobody, Err(LinkError::Unreachable { .. })), "{nobody:?}");
}

#[tokio::test]
async fn both_sides_may_talk_at_once_without_a_limit() {
    const STANZAS: usize = 4000;
    let (_server, link, mut events, session) = connected(patience()).await;
    let text = "<body>".to_owned() + &"x".repeat(4000) + "</body>";
    let (mut reader, mut writer) = session.splits();
    // The server reads nothing before it has written all it has.
    let server = tokio::spawn(async move {
        for number in 0..STANZAS {
            writer.says(&message(&number.to_string(), &text)).await;
        }
        let mut heard = 0;
        while heard < STANZAS {
            heard += usize::from(reader.hears().await.name() == "message");
        }
    });
    for number in 0..STANZAS {
        assert_eq!(next_id(&mut events).await, number.to_string());
        link.send(chat("phone.example.org", "a@example.org", "echo", &"y".repeat(1000))).await;
    }
    patiently(server).await.unwrap();
}

#[tokio::test]
async fn what_would_end_the_stream_is_not_sent() {
    let (_server, link, _events, mut session) = connected(patience()).await;
    let mut without_recipient = stanza("message", &[("from", "phone.example.org")]);
    set(&mut without_recipient, "id", "m2");
    link.send(chat("bob@example.org", "a@example.org", "m1", "not from us")).await;
    link.send(without_recipient).await;
    link.send(chat("phone.example.org", "a@example.org", "m3", &"x".repeat(600_000))).await;
    link.send(chat("bob\\40example.org@phone.example.org/x", "a@example.org", "m4", "good")).await;
    assert_eq!(session.hears().await.attr("id"), Some("m4"));
}

#[tokio::test]
async fn a_closed_link_says_its_last_words_and_goodbye() {
    let (_server, link, mut events, session) = connected(patience()).await;
    link.send(said("last")).await;
    link.close().await;
    let words = session.hears_the_end().await;
    assert!(words.contains("id='last'") && words.ends_with("</stream:stream>"), "{words}");
    assert!(patiently(events.recv()).await.is_none());
    assert!(!link.deliver(vec![]).await);
}

async fn connected(timeouts: LinkTimeouts) -> (Server, Link, Receiver<LinkEvent>, Session) {
    let server = Server::start().await;
    let (session, link) =
        tokio::join!(server.accepts(), Link::connect(settings(&server, timeouts), Seed::fixed(1)));
    let (link, mut events) = link.unwrap();
    assert!(matches!(patiently(events.recv()).await, Some(LinkEvent::Up)));
    (server, link, events, session)
}

fn settings(server: &Server, timeouts: LinkTimeouts) -> LinkSettings {
    LinkSettings {
        jid: "phone.example.org".into(),
        // A name, as in most configurations.
        server: format!("localhost:{}", server.port()),
        secret: SECRET.to_owned().into(),
        timeouts,
    }
}

/// Waits long for what must come, and short between attempts.
fn patience() -> LinkTimeouts {
    let long = Duration::from_secs(30);
    LinkTimeouts { quiet: long, pong: long, handshake: long, backoff_max: SHORT, conflict: SHORT }
}

async fn next_id(events: &mut Receiver<LinkEvent>) -> String {
    match patiently(events.recv()).await {
        Some(LinkEvent::Stanza(stanza)) => stanza.attr("id").unwrap_or_default().to_owned(),
        other => panic!("no stanza but {other:?}"),
    }
}

fn message(id: &str, payload: &str) -> String {
    format!("<message id='{id}' from='a@example.org' to='phone.example.org'>{payload}</message>")
}

fn said(id: &str) -> Element {
    chat("phone.example.org", "a@example.org", id, "Hello")
}

const SHORT: Duration = Duration::from_millis(100);
