//! Several messages in one call.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::answer::{Parts, early_in_a_minute, house_with_phone, pick_up};
use crate::heard;
use crate::house::{Kind, LONG, TO_BOB};

pub(crate) async fn three_messages_make_one_call_and_a_fourth_joins_it(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 2").await;
    for (id, text) in [("m1", "First."), ("m2", "Second."), ("m3", "Third.")] {
        house.alice.write(TO_BOB, id, text).await;
    }
    let mut parts = Parts::of(pick_up(&mut phone).await);
    parts.next().await;
    let mut written = Timestamp::MIN;
    for key in ["1", "2", "3"] {
        if key == "2" {
            written = early_in_a_minute().await;
            house.alice.write(TO_BOB, "m4", "Fourth.").await;
        }
        phone.press("5").await.unwrap();
        sleep(MOMENT).await;
        parts.skip();
        phone.press(key).await.unwrap();
        let next = parts.next().await;
        if key == "3" {
            let (joined, not_joined) = (joined(written), not_joined(written));
            assert_eq!(heard::sentence(&next, &[&joined, &not_joined]), Ok(&*joined));
        }
    }
    phone.press("5").await.unwrap();
    sleep(MOMENT).await;
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

const MOMENT: Duration = Duration::from_secs(2);

fn joined(written: Timestamp) -> String {
    announcement("Another message has just come in.", written)
}

fn not_joined(written: Timestamp) -> String {
    announcement("Next message.", written)
}

fn announcement(before: &str, written: Timestamp) -> String {
    let time = written.strftime("%-H:%M");
    format!(
        "Bob can't talk now and will get in touch later. Thank you. {before} At {time} a message from Alice \
         arrived. Press 5 to hear it."
    )
}
