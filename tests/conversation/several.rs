//! Several messages in one call.

use std::time::Duration;

use crate::answer::{Parts, house_with_phone, pick_up};
use crate::heard;
use crate::house::{Kind, LONG, TO_BOB};

pub(crate) async fn three_messages_make_one_call_and_a_fourth_joins_it(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 2").await;
    for (id, text) in [("m1", "First."), ("m2", "Second."), ("m3", "Third.")] {
        house.alice.write(TO_BOB, id, text).await;
    }
    let mut parts = Parts::of(pick_up(&mut phone).await);
    parts.next().await;
    for key in ["1", "2", "3"] {
        if key == "2" {
            house.alice.write(TO_BOB, "m4", "Fourth.").await;
        }
        phone.press("5").await.unwrap();
        parts.next().await;
        phone.press(key).await.unwrap();
        let next = parts.next().await;
        if key == "3" {
            // The recogniser knows all times of a day, but need not: it is told how the sentence begins and ends.
            assert!(joined(&next), "the fourth is announced as one that has just come in");
        }
    }
    phone.press("5").await.unwrap();
    parts.next().await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    house.alice.rest(Duration::from_secs(2)).await;
    let answers: Vec<_> = house
        .alice
        .read
        .iter()
        .filter_map(|it| Some((it.reply_to.as_deref()?, it.text.as_deref()?)))
        .collect();
    assert_eq!(
        answers,
        [
            ("m1", "Bob will answer by message."),
            ("m2", "Bob will phone you back."),
            ("m3", "Bob can't talk now and will get in touch later."),
            ("m4", "Bob will answer by message."),
        ]
    );
    assert!(
        phone.event("CALL_INCOMING", Duration::from_secs(3)).await.is_err(),
        "one call was enough"
    );
    house.close(&["Fourth"]).await;
}

/// Whether it is a message of these minutes that was announced as just come in.
fn joined(sound: &[i16]) -> bool {
    let now = offhook::clock::timestamp();
    let say = |before: &str, minutes: i64| {
        let time = (now - jiff::Span::new().minutes(minutes)).strftime("%-H:%M");
        format!(
            "Bob can't talk now and will get in touch later. Thank you. {before} At {time} a message from Alice arrived. Press 5 to hear it."
        )
    };
    let right =
        [say("Another message has just come in.", 0), say("Another message has just come in.", 1)];
    let wrong = [
        say("Next message.", 0),
        say("Next message.", 1),
        say("Another message has just come in.", 10),
    ];
    let all: Vec<&str> = right.iter().chain(&wrong).map(String::as_str).collect();
    heard::sentence(sound, &all).is_ok_and(|heard| right.iter().any(|it| it == heard))
}
