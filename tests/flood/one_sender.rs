//! One sender who does not stop, and a crowd in which everybody says one thing.

use std::collections::HashSet;

use minidom::Element;
use offhook::xmpp::stanza::condition;

use crate::test_bed::{ALICE, COMPONENT, TO_BOB, TestBed, message};

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_without_end_is_told_to_stop_and_takes_nobodys_place() {
    const MESSAGES: usize = 5_000;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    for number in 0..MESSAGES {
        let id = format!("flood{number}");
        bed.says(message("eve@example.net/x", TO_BOB, &id, "Hello, this is a flood"));
    }
    let heard = bed.hears_it_is_alive().await;
    let refused: Vec<&Element> =
        heard.iter().filter(|it| it.attr("type") == Some("error")).collect();
    for error in &refused {
        assert_eq!(condition(error), Some("resource-constraint"));
        let text =
            error.get_child("error", crate::test_bed::NS).unwrap().children().last().unwrap();
        assert_eq!(text.text(), "Too many messages in a short time. Please wait a little.");
    }
    bed.holds(ALICE, "after").await;
    let held = bed.held();
    println!("of {MESSAGES} messages {} were refused; {} are held", refused.len(), held.len());
    assert_eq!(refused.len() + held.len() - 2, MESSAGES, "each is held or comes back");
    assert!(held.len() < 150, "{}", held.len());
    assert_eq!(
        (held.first().unwrap().as_str(), held.last().unwrap().as_str()),
        ("before", "after")
    );
    let handed: Vec<String> = bed.hands_bob("after").await;
    assert_eq!((handed[0].as_str(), handed.len()), ("before", held.len()));
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_strangers_silences_nobody_of_the_house() {
    const STRANGERS: usize = 15_000;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let crowd = |bed: &TestBed| {
        for number in 0..STRANGERS {
            let from = format!("s{number}@example.net/x");
            bed.says(message(&from, COMPONENT, &format!("c{number}"), "help"));
        }
    };
    crowd(&bed);
    let heard = bed.hears_it_is_alive().await;
    // Alice may be told of her message meanwhile.
    let answered = heard.iter().filter_map(|it| it.attr("to")).filter(|to| to.starts_with('s'));
    let answered: HashSet<&str> = answered.collect();
    assert_eq!(answered.len(), STRANGERS, "each is answered");
    // People who have not written before, while the crowd is still fresh.
    crowd(&bed);
    bed.holds("dave@example.org/desk", "after").await;
    assert_eq!(bed.held(), ["before", "after"]);
    bed.says(message("bob@example.org/desk", COMPONENT, "b1", "show"));
    let heard = bed.hears_until(|it| it.attr("to") == Some("bob@example.org")).await;
    let told = crate::test_bed::body(heard.last().unwrap());
    assert!(told.contains("+9995550100"), "{told}");
    bed.closes().await;
}
