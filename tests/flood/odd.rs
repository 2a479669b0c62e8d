//! Stanzas that are no good: each costs itself, and is answered where an answer is due.

use offhook::xmpp::stanza::condition;

use crate::test_bed::{ALICE, COMPONENT, TO_BOB, TestBed, iq, message, presence};

#[tokio::test(flavor = "multi_thread")]
async fn odd_addresses_get_the_error_that_is_meant_for_them() {
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    // What a stranger asks about somebody gets the same answer for everybody.
    let asked = iq("get", EVE, TO_BOB, "bob", "<query xmlns='urn:x'/>");
    bed.says(asked);
    let heard = bed.hears_it_is_alive().await;
    assert_eq!(heard.iter().find_map(condition), Some(TO_ANYBODY));
    let cases = [
        ("a blank", "bob smith@phone.example.org", "jid-malformed"),
        ("two at signs", "bob@example.org@phone.example.org", "jid-malformed"),
        ("no node before the at sign", "@phone.example.org", "jid-malformed"),
        ("nobody of the house", "zoe@phone.example.org", "item-not-found"),
        ("an escape that is none", "bob\\zzexample.org@phone.example.org", "item-not-found"),
        ("half an escape", "bob\\4@phone.example.org", "item-not-found"),
        ("only an escape", "\\40@phone.example.org", "item-not-found"),
        (
            "a blank in what is escaped",
            "bob\\20b\\40example.org@phone.example.org",
            "item-not-found",
        ),
        ("escaped twice", "bob\\5c40example.org@phone.example.org", "item-not-found"),
        ("ourselves", "bob\\40phone.example.org@phone.example.org", "item-not-found"),
        ("nobody of her own domain", "zoe\\40example.net@phone.example.org", "item-not-found"),
    ];
    let long = |node: usize| format!("{}@{COMPONENT}", "b".repeat(node));
    let long = [
        (long(1023), "item-not-found"),
        (long(1024), "jid-malformed"),
        (long(7000), "jid-malformed"),
    ];
    let cases = cases.iter().map(|(what, to, expected)| (*what, (*to).to_owned(), *expected));
    let cases = cases.chain(long.map(|(to, expected)| ("a length", to, expected)));
    let people = [
        "nobody of the house",
        "an escape that is none",
        "half an escape",
        "escaped twice",
        "a length",
    ];
    for (number, (what, to, expected)) in cases.enumerate() {
        let (m, q) = (format!("m{number}"), format!("q{number}"));
        bed.says(presence(EVE, &to, None));
        bed.says(presence(EVE, &to, Some("subscribe")));
        bed.says(message(EVE, &to, &m, "Hello, this is eve"));
        bed.says(iq("get", EVE, &to, &q, "<query xmlns='urn:x'/>"));
        bed.says(iq("result", EVE, &to, "r", ""));
        let heard = bed.hears_it_is_alive().await;
        for id in [m, q] {
            let errors: Vec<_> = heard.iter().filter(|it| it.attr("id") == Some(&id)).collect();
            assert_eq!(errors.len(), 1, "{what} {id}: {heard:?}");
            assert_eq!(errors[0].attr("to"), Some(EVE));
            let is_anybody =
                people.contains(&what) && id.starts_with('q') && expected == "item-not-found";
            let expected = if is_anybody { TO_ANYBODY } else { expected };
            assert_eq!(condition(errors[0]), Some(expected), "{what} {id}");
        }
        assert!(!heard.iter().any(|it| it.attr("id") == Some("r")), "{what}");
    }
    // Nobody to answer.
    for from in ["", "@", "a b@example.net", "@example.net", &"x".repeat(4000), "a@b@c"] {
        bed.says(presence(from, COMPONENT, Some("subscribe")));
        bed.says(message(from, TO_BOB, "nobody", "Hello, this is nobody"));
        bed.says(iq("get", from, COMPONENT, "nobody", "<query xmlns='urn:x'/>"));
    }
    bed.says("<message to='phone.example.org'><body>Hello, this is</body></message>");
    bed.says(format!("<message from='{EVE}'><body>Hello, this is</body></message>"));
    bed.hears_it_is_alive().await;
    bed.holds(ALICE, "after").await;
    assert_eq!(bed.held(), ["before", "after"]);
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_contents_cost_one_stanza_each() {
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let odd = odd();
    for (number, (what, stanza, answer)) in odd.iter().enumerate() {
        bed.says(stanza.clone());
        let heard = bed.hears_it_is_alive().await;
        let told =
            heard.iter().find(|it| it.attr("to") == Some(EVE) && it.attr("type") == Some("error"));
        assert_eq!(told.and_then(condition), *answer, "{what}: {heard:?}");
        // Each has a writer of its own: one who writes after each status at once is taken for a program.
        let id = format!("between{number}");
        bed.holds(&format!("writer{number}@example.org/desk"), &id).await;
    }
    let between = (0..odd.len()).map(|number| format!("between{number}"));
    let mut written: Vec<String> = bed.held();
    written.retain(|id| id == "before" || id.starts_with("between"));
    assert_eq!(written, std::iter::once("before".to_owned()).chain(between).collect::<Vec<_>>());
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_do_not_pile_up_in_memory() {
    const BODIES: usize = 300;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let (large, too_large) = ("x".repeat(200_000), "x".repeat(300_000));
    for number in 0..BODIES {
        let from = format!("s{number}@example.net/x");
        let words = if number % 2 == 0 { &large } else { &too_large };
        bed.says(message(&from, TO_BOB, &format!("l{number}"), words));
    }
    bed.hears_it_is_alive().await;
    bed.holds(ALICE, "after").await;
    let most = bed.most_resident_kb().await;
    println!("kB resident at most, with {BODIES} bodies of 200 and 300 kB: {most}");
    assert!(most < 150_000, "{most}");
    let held = bed.held();
    assert_eq!(held.len(), BODIES / 2 + 2);
    assert_eq!((&*held[0], &*held[held.len() - 1]), ("before", "after"));
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_trees_do_not_pile_up_in_memory() {
    const TREES: usize = 150;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let tree = format!("<body>Hello, this is odd</body>{}", "<a/>".repeat(9_900));
    for number in 0..TREES {
        let to_bob = format!("from='s{number}@example.net/x' to='{TO_BOB}' id='t{number}'");
        bed.says(format!("<message type='chat' {to_bob}>{tree}</message>"));
    }
    bed.hears_it_is_alive().await;
    bed.holds(ALICE, "after").await;
    let most = bed.most_resident_kb().await;
    println!("kB resident at most, with {TREES} trees of 9,900 elements: {most}");
    assert!(most < 150_000, "{most}");
    assert_eq!(bed.held().len(), TREES + 2);
    bed.closes().await;
}

/// What is asked of the address of a person, whether or not there is one.
const TO_ANYBODY: &str = "service-unavailable";

/// What it is, the stanza, and the error that comes back to Eve.
fn odd() -> Vec<(&'static str, String, Option<&'static str>)> {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let to_bob = |payload: &str| {
        format!("<message type='chat' from='{EVE}' to='{TO_BOB}' id='odd'>{payload}</message>")
    };
    let tagged = |tag: &str, id: &str| {
        format!(
            "<message type='chat' from='s{}@example.net/x' to='{TO_BOB}' id='{id}' xml:lang='{tag}'>\
             <body>Hello, this is odd</body></message>",
            tag.len()
        )
    };
    let asks = |payload: &str| iq("set", EVE, COMPONENT, "odd", payload);
    let unavailable = Some("service-unavailable");
    vec![
        ("a body of another namespace", to_bob("<body xmlns='jabber:client'>Hello</body>"), None),
        ("a body of none", to_bob("<body xmlns=''>Hello</body>"), None),
        ("two bodies", to_bob("<body>Hello</body><body>Hello</body>"), None),
        ("a query of another namespace", asks("<query xmlns='jabber:iq:registers'/>"), unavailable),
        ("a query of none", asks("<query xmlns=''/>"), unavailable),
        (
            "a command of another namespace",
            asks("<command xmlns='urn:x' node='settings'/>"),
            unavailable,
        ),
        (
            "a command without a node",
            asks(&format!("<command xmlns='{COMMANDS}'/>")),
            Some("forbidden"),
        ),
        ("two payloads", asks("<a xmlns='urn:x'/><b xmlns='urn:x'/>"), Some("bad-request")),
        ("no payload", asks(""), Some("bad-request")),
        (
            "a question of no kind",
            iq("ask", EVE, COMPONENT, "odd", "<a xmlns='urn:x'/>"),
            Some("bad-request"),
        ),
        (
            "a stanza of another namespace",
            format!(
                "<message xmlns='jabber:client' from='{EVE}' to='{TO_BOB}'><body>Hello</body></message>"
            ),
            None,
        ),
        (
            "an element that is no stanza",
            "<stanza xmlns='urn:x' from='a@example.net' to='phone.example.org'/>".into(),
            None,
        ),
        ("nesting of 5,000", to_bob(&nested(5_000)), None),
        ("nesting of 36,000", to_bob(&nested(36_000)), None),
        (
            "nesting of 36,000 in a presence",
            format!("<presence from='{EVE}' to='{COMPONENT}'>{}</presence>", nested(36_000)),
            None,
        ),
        ("nesting of 36,000 in a question", asks(&nested(36_000)), None),
        ("20,000 elements", to_bob(&"<a/>".repeat(20_000)), None),
        (
            "1,000 attributes",
            to_bob(&format!("<a {}/>", (0..1000).map(|n| format!("a{n}='' ")).collect::<String>())),
            None,
        ),
        ("a name of 9,000 bytes", to_bob(&format!("<{0} xmlns='x'/>", "n".repeat(9_000))), None),
        (
            "an id of 9,000 bytes",
            message(EVE, TO_BOB, &"i".repeat(9_000), "Hello, this is odd"),
            None,
        ),
        (
            "an id of 7,900 bytes",
            message("i@example.net/x", TO_BOB, &"i".repeat(7_900), "Hello, this is odd"),
            None,
        ),
        ("an empty id", message("e@example.net/x", TO_BOB, "", "Hello, this is odd"), None),
        ("a language that is none", tagged("!!", "l1"), None),
        ("a language of blanks", tagged("   ", "l2"), None),
        ("a language with a path", tagged("../../etc/passwd", "l3"), None),
        ("a language of 7,900 bytes", tagged(&"de-".repeat(2_633), "l4"), None),
        (
            "a body of 200 kB",
            message("l@example.net/x", TO_BOB, "large", &"x".repeat(200_000)),
            None,
        ),
        (
            "a body of 300 kB",
            message(EVE, TO_BOB, "odd", &"x".repeat(300_000)),
            Some("policy-violation"),
        ),
        ("a body of 2 MB", message(EVE, TO_BOB, "odd", &"x".repeat(2_000_000)), None),
        (
            "a bounce of something unknown",
            message(EVE, TO_BOB, "odd", "Hello").replace("chat", "error"),
            None,
        ),
        ("an error of an error", iq("error", EVE, TO_BOB, "odd", ""), None),
    ]
}

const EVE: &str = "eve@example.net/x";
const COMMANDS: &str = "http://jabber.org/protocol/commands";
