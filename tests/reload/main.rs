//! SIGHUP: which keys take effect at once, and which wait for the next start.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test stops where it fails.

#[path = "../support/offhook.rs"]
mod offhook;
#[allow(dead_code)] // Other tests have use for more of it.
#[path = "../support/phone.rs"]
mod phone;
#[path = "../support/xmpp_server.rs"]
mod xmpp_server;

mod config_keys;
mod test_bed;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use ::offhook::clock;
use ::offhook::config::{self, Config};
use ::offhook::demo::child_process::Folder;
use ::offhook::notification::MessageId;
use ::offhook::script::menu::{Choice, Menu};
use ::offhook::script::prompt::{Prompt, Prompts};
use ::offhook::script::speakable::speakable;
use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use config_keys::{KEYS, When};
use test_bed::TestBed;

#[test]
fn every_key_has_its_place_in_this_test() {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/component.toml");
    let known = config::read(manual.as_ref()).unwrap().known_keys;
    let tried: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(known, tried, "a new key needs a line in keys.rs, and the sight of its effect");
}

#[test]
fn a_key_stands_in_one_of_two_types() {
    let folder = Folder::make().unwrap();
    test_bed::write_files(folder.path());
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let blanks = test_bed::blanks(9, address, address, address);
    let read = |changed: &dyn Fn(&str) -> bool| -> Config {
        let text = config_keys::file(&blanks, changed);
        config::read_text(&folder.path().join("component.toml"), text).unwrap()
    };
    let first = read(&|_| false);
    for key in KEYS.iter().filter(|key| key.when != When::Never) {
        let with = config_keys::together_with(key.name);
        let then = read(&|name| name == key.name || with.contains(&name));
        let named = first.fixed.differing_keys(&then.fixed);
        let (was, is) = (format!("{:?}", first.live), format!("{:?}", then.live));
        match key.when {
            When::AtStart => {
                let expected = [&[key.name], with].concat();
                let expected: BTreeSet<String> =
                    expected.iter().map(|name| config_keys::logged(name)).collect();
                assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), expected);
                assert_eq!(was, is, "{}", key.name);
            }
            When::Live(_) => {
                assert_eq!(named, Vec::<String>::new(), "{}", key.name);
                assert_ne!(was, is, "{}", key.name);
            }
            When::Never => {}
        }
    }
}

#[test]
fn the_manual_names_the_keys_that_wait_for_a_restart() {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/component.toml");
    let manual = fs::read_to_string(manual).unwrap();
    let (_, list) = manual.split_once("when they have changed:\n").unwrap();
    let list: String =
        list.lines().take(2).map(|line| line.trim_start_matches(['#', ' '])).collect();
    let mut named = BTreeSet::new();
    for part in list.trim_end_matches('.').split(';') {
        let (keys, table) = part.trim().split_once(" in [").unwrap();
        let table = table.trim_matches(['[', ']']);
        let is_named =
            |key: &str| keys == "everything" || keys.split([',', ' ']).any(|word| word == key);
        let of_table =
            KEYS.iter().filter_map(|key| key.name.strip_prefix(table)?.strip_prefix('.'));
        named.extend(of_table.filter(|key| is_named(key)).map(|key| format!("{table}.{key}")));
    }
    let waiting = KEYS.iter().filter(|key| key.when == When::AtStart);
    assert_eq!(named, waiting.map(|key| key.name.to_owned()).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_change_changes_while_a_call_goes_on() {
    let mut bed = TestBed::open().await;
    before(&mut bed).await;

    bed.writes(ALICE, TO_BOB, "Can you come?");
    let mut call = bed.phone.rings().await;
    assert_eq!(call.offers()[0], "opus");
    call.picks_up().await;
    let english = Prompts::new("en");
    call.hears(&bed.sound(&english.plain("phone-press-to-hear")).await).await;

    let broken = config_keys::file(&bed.blanks, |_| true) + "[dial]\n";
    let told = bed.refuses(&broken).await;
    assert_eq!(told.matches(" WARN ").count(), 1, "{told}");
    assert!(told.contains("component.toml:") && told.contains("dial"), "{told}");
    assert!(!told.contains("configuration reloaded"), "{told}");
    bed.writes(ALICE, COMPONENT, "people");
    bed.reads(ALICE, "Please ask").await;

    let then = config_keys::file(&bed.blanks, |_| true);
    let said = bed.reloads(&then).await;
    let waiting =
        said.strip_prefix("; ").and_then(|it| it.strip_suffix(" change at the next start"));
    let waiting: BTreeSet<String> = waiting.unwrap().split(", ").map(str::to_owned).collect();
    let fixed = KEYS.iter().filter(|key| key.when == When::AtStart);
    assert_eq!(waiting, fixed.map(|key| config_keys::logged(key.name)).collect());

    // The call goes on as it began.
    call.presses(5);
    let body = Prompt::body(MessageId(0), "en", "Can you come?");
    call.hears(&bed.sound(&body).await).await;
    call.presses(1);
    bed.reads(ALICE, "Bob agrees.").await;
    bed.hangs_up(&call).await;

    access_and_language(&mut bed).await;
    people(&mut bed).await;
    what_is_said(&mut bed).await;
    voice_answers(&mut bed, &then).await;
    assert_eq!(bed.phone.calls(bed.sip, "+9995550101").await, 200);
    assert_eq!(bed.phone.calls(bed.sip, "+9990000000").await, 200);
    when_it_rings(&mut bed, &then).await;
    bed.closes().await;
}

/// What the first values allow, where the others differ.
async fn before(bed: &mut TestBed) {
    bed.writes(ALICE, COMPONENT, "people");
    bed.reads(ALICE, "Please ask").await;
    bed.writes(CAROL, COMPONENT, "phone +2105550102");
    bed.reads(CAROL, "Please ask").await;
    assert_eq!(bed.phone.calls(bed.sip, "+9995550101").await, 403);
    bed.writes(EVE, TO_ERIN, "Hello?");
    bed.reads(EVE, "is held").await;
    assert!(bed.phone.is_silent_for(Duration::from_secs(3)).await, "Eve is a stranger");
}

/// component.admins, component.users, dial.allow, dial.deny, media.codecs, speech.language, speech.settle_ms
async fn access_and_language(bed: &mut TestBed) {
    bed.writes(ALICE, COMPONENT, "people");
    let people = bed.reads(ALICE, "erin@example.org").await;
    assert!(people.contains("robert@example.org +9995550109"), "{people}");
    bed.writes(CAROL, COMPONENT, "phone +9996650000");
    bed.reads(CAROL, "may not be dialled").await;
    bed.writes(CAROL, COMPONENT, "phone +2105550102");
    bed.reads(CAROL, "I am calling").await;
    let mut call = bed.phone.rings().await;
    assert_eq!((call.number(), call.offers()), ("+2105550102", vec!["pcmu".to_owned()]));
    call.picks_up().await;
    let question = |language: &str| Prompts::new(language).plain("code-question");
    call.hears(&bed.sound(&question("de")).await).await;
    assert!(!call.has_heard(&bed.sound(&question("en")).await));
    let settled = call.settles().await;
    assert!(settled >= Duration::from_millis(2400), "{settled:?}");
    bed.hangs_up(&call).await;
}

/// subscriber.*
async fn people(bed: &mut TestBed) {
    let robert = "robert@example.org";
    // Who writes is there: Alice writes first.
    bed.writes(ALICE, "robert\\40example.org@phone.example.org", "Are you there?");
    bed.reads(ALICE, "held until Robert is online").await;
    bed.writes(robert, COMPONENT, "show");
    let shown = bed.reads(robert, "Nummer: +9995550109").await;
    for words in ["Anrufe: aus", "Ruhezeit: 22:00-07:00 (Europe/Berlin)", "Sprache: Deutsch"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
}

/// dial.senders, speech.hear_first, speech.body_chars_max, key.*, voice_reply.enabled
async fn what_is_said(bed: &mut TestBed) {
    bed.writes(EVE, TO_ERIN, LONG_TEXT);
    let mut call = bed.phone.rings().await;
    assert_eq!(call.number(), "+9995550101");
    call.picks_up().await;
    // A message is read in the language that it is written in.
    let spoken = speakable(LONG_TEXT, 40, Some("en")).unwrap();
    call.hears(&bed.sound(&Prompt::body(MessageId(0), "en", spoken)).await).await;
    let choice = Choice { key: '4', say: "To nod".into(), reply: "{callee} nods.".into() };
    let menu = Menu::new(vec![choice]).in_language(Some("de"));
    call.hears(&bed.sound(&Prompts::new("de").menu(&menu)).await).await;
    call.presses(4);
    bed.reads(EVE, "Erin nods.").await;
    bed.hangs_up(&call).await;
}

/// voice_reply.*, http.public_url
async fn voice_answers(bed: &mut TestBed, then: &str) {
    let without_key = config_keys::with(then, "voice_reply.key_file", "\"\"");
    bed.reloads(&without_key).await;
    bed.writes(ALICE, TO_ERIN, "And now?");
    let mut call = bed.phone.rings().await;
    call.picks_up().await;
    call.hears(&bed.sound(&Prompt::body(MessageId(0), "de", "And now?")).await).await;
    // What is recorded from now on is sealed, also in a call that began without the key.
    bed.reloads(then).await;
    call.presses(7);
    sleep(Duration::from_millis(400)).await;
    // Cuts short what is said before the tone, which lasts a quarter of a second.
    call.presses(1);
    sleep(Duration::from_millis(600)).await;
    call.speaks(Duration::from_secs(7)).await;
    call.presses(1);
    let note = bed.reads(ALICE, "Probably: on my way").await;
    assert!(note.contains("Voice answer from Erin, 5 s."), "{note}");
    bed.is_asked("upload.example.org").await;
    let link = bed.reads(ALICE, "http://localhost/recordings/r/").await;
    let path = link.strip_prefix("http://localhost/recordings").unwrap();
    assert!(path.contains("/Erin%20") && path.ends_with(".wav"), "{link}");
    assert_eq!(bed.recordings(), [1], "sealed with the new key");
    let opened = |got: Vec<u8>| got.windows(4).any(|octets| octets == b"RIFF");
    assert!(opened(bed.downloads(path).await));
    bed.reloads(&without_key).await;
    assert!(!opened(bed.downloads(path).await), "without the key it is not served");
    bed.reloads(then).await;
    assert!(opened(bed.downloads(path).await));
    bed.hangs_up(&call).await;
}

/// dial.*, as far as it plans calls
async fn when_it_rings(bed: &mut TestBed, then: &str) {
    let then = config_keys::with(then, "dial.quiet", "\"\"");
    let waits = config_keys::with(&then, "dial.wait_s", "3600");
    bed.reloads(&waits).await;
    let id = bed.writes(ALICE, TO_ERIN, "It burns.");
    let planned = bed.plans(&id).await;
    let received: Timestamp = bed.held(&id).unwrap()["received"].as_str().unwrap().parse().unwrap();
    assert_eq!(planned.duration_since(received), SignedDuration::from_hours(1));

    let utc = |at: Timestamp| at.strftime("%H:%M").to_string();
    let hours = |hours| SignedDuration::from_hours(hours);
    let (from, to) = (utc(planned - hours(1)), utc(planned + hours(3)));
    let quiet = config_keys::with(&waits, "dial.quiet", &format!("\"{from}-{to}\""));
    let in_utc = config_keys::with(&quiet, "dial.time_zone", "\"UTC\"");
    let cases = [
        ("dial.wait_s", config_keys::with(&waits, "dial.wait_s", "1800")),
        ("dial.quiet", in_utc),
        ("dial.time_zone", quiet),
        ("dial.throttle", config_keys::with(&waits, "dial.throttle", "[\"1/1d\"]")),
        ("dial.sender_throttle", config_keys::with(&waits, "dial.sender_throttle", "[\"1/1d\"]")),
        ("dial.sender_calls", config_keys::with(&waits, "dial.sender_calls", "[\"1/1d\"]")),
        ("dial.calls_per_day_max", config_keys::with(&waits, "dial.calls_per_day_max", "1")),
    ];
    for (key, file) in cases {
        bed.reloads(&file).await;
        let at = bed.next_call(&id).unwrap();
        match key {
            "dial.wait_s" => assert_eq!(at.duration_since(received), SignedDuration::from_mins(30)),
            "dial.quiet" => assert_eq!(utc(at), to),
            "dial.time_zone" => assert_eq!(at, planned),
            _ => assert!(at > received + hours(20), "{key} {at}"),
        }
    }

    bed.reloads(&then).await;
    let call = bed.phone.rings().await;
    call.refuses("486 Busy Here").await;
    let planned = bed.plans(&id).await;
    let longer = config_keys::with(&then, "dial.busy_retry_s", "720");
    bed.reloads(&longer).await;
    assert_eq!(bed.next_call(&id).unwrap().duration_since(planned), SignedDuration::from_mins(10));

    let soon = config_keys::with(&then, "dial.busy_retry_s", "1");
    let soon = config_keys::with(&soon, "dial.ring_s", "5");
    bed.reloads(&soon).await;
    let call = bed.phone.rings().await;
    let rang = clock::now();
    bed.phone.is_left(&call).await;
    let rang = clock::now().duration_since(rang);
    assert!(rang > Duration::from_secs(4) && rang < Duration::from_secs(20), "{rang:?}");
    let planned = bed.plans(&id).await;
    bed.reloads(&config_keys::with(&then, "dial.no_answer_retry_s", "[900]")).await;
    assert_eq!(bed.next_call(&id).unwrap().duration_since(planned), SignedDuration::from_mins(10));
    bed.reloads(&config_keys::with(&then, "dial.attempts", "1")).await;
    assert_eq!(bed.next_call(&id), None, "two calls were too many");
}

const COMPONENT: &str = "phone.example.org";
const ALICE: &str = "alice@example.org";
const CAROL: &str = "carol@example.org";
const EVE: &str = "eve@elsewhere.example";
const TO_BOB: &str = "bob\\40example.org@phone.example.org";
const TO_ERIN: &str = "erin\\40example.org@phone.example.org";
const LONG_TEXT: &str =
    "The fan in the server room is broken again, please come and look at it soon.";
