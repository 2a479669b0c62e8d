//! A hundred thousand presences, of strangers and of one person with more clients than anybody has.

use crate::test_bed::{ALICE, COMPONENT, TO_BOB, TestBed, presence};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_presences_leave_nothing_behind() {
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let mut seen = vec![bed.resident_kb().await];
    for half in [0..HALF, HALF..2 * HALF] {
        bed.floods(half.map(of)).await;
        seen.push(bed.resident_kb().await);
    }
    println!("kB resident before, after the first half and after the second: {seen:?}");
    assert!(seen[2] <= seen[1] + GROWTH_KB_MAX, "{seen:?}");
    bed.holds(ALICE, "after").await;
    assert_eq!(bed.held(), ["before", "after"]);
    assert_eq!(bed.hands_bob("after").await, ["before", "after"]);
    bed.closes().await;
}

fn of(number: usize) -> String {
    let stranger = format!("s{number}@h{}.example.net/{number}", number % 977);
    let carol = format!("carol@example.org/{number}");
    match number % 10 {
        0 => presence(&stranger, COMPONENT, None),
        1 => presence(&stranger, COMPONENT, Some("unavailable")),
        2 => presence(&stranger, COMPONENT, Some("subscribe")),
        3 => presence(&stranger, TO_BOB, Some("probe")),
        4 => presence(&stranger, TO_BOB, Some("subscribe")),
        5 => presence(&stranger, TO_BOB, None),
        6 => presence(&stranger, COMPONENT, Some("subscribed")),
        7 => presence(&stranger, TO_BOB, Some("unsubscribe")),
        8 => presence(&carol, COMPONENT, None),
        // Half of hers never say goodbye.
        _ => presence(&carol, COMPONENT, (number % 20 == 9).then_some("unavailable")),
    }
}

const HALF: usize = 50_000;
/// Far less than 40,000 addresses would take, and more than the allocator moves by itself.
const GROWTH_KB_MAX: u64 = 4_000;
