//! A hundred thousand presences, of strangers and of one person with more clients than anybody has.

use crate::house::{ALICE, COMPONENT, House, TO_BOB, presence};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_presences_leave_nothing_behind() {
    let mut house = House::open().await;
    house.holds(ALICE, "before").await;
    let mut seen = vec![house.resident_kb().await];
    for half in [0..HALF, HALF..2 * HALF] {
        house.floods(half.map(of)).await;
        seen.push(house.resident_kb().await);
    }
    println!("kB resident before, after the first half and after the second: {seen:?}");
    assert!(seen[2] <= seen[1] + GROWTH_KB_MAX, "{seen:?}");
    house.holds(ALICE, "after").await;
    assert_eq!(house.held(), ["before", "after"]);
    assert_eq!(house.hands_bob("after").await, ["before", "after"]);
    house.closes().await;
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
