//! Questions without end: each is answered, and none is remembered.

use std::collections::HashSet;

use offhook::xmpp::stanza::condition;

use crate::test_bed::{ALICE, COMPONENT, TO_BOB, TestBed, iq};

#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_twenty_thousand_is_answered() {
    const HALF: usize = 10_000;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let mut seen = vec![];
    for half in 0..2 {
        let question = |number: usize| {
            let from = format!("s{number}@example.net/x");
            let to = if number.is_multiple_of(2) { COMPONENT } else { TO_BOB };
            let payload = format!("<query xmlns='urn:example:{number}'/>");
            let kind = if number.is_multiple_of(3) { "set" } else { "get" };
            iq(kind, &from, to, &format!("q{number}"), &payload)
        };
        let heard = bed.floods((half * HALF..(half + 1) * HALF).map(question)).await;
        let refused = heard.iter().filter(|it| {
            it.name() == "iq"
                && it.attr("type") == Some("error")
                && condition(it) == Some("service-unavailable")
        });
        let answered: HashSet<_> =
            refused.map(|it| (it.attr("id").unwrap(), it.attr("to").unwrap())).collect();
        assert_eq!(answered.len(), HALF);
        seen.push(bed.resident_kb().await);
    }
    println!("kB resident after the first half and after the second: {seen:?}");
    assert!(seen[1] <= seen[0] + GROWTH_KB_MAX, "{seen:?}");
    bed.holds(ALICE, "after").await;
    assert_eq!(bed.held(), ["before", "after"]);
    bed.closes().await;
}

const GROWTH_KB_MAX: u64 = 2_000;
