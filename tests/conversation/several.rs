//! Several messages in one call.

use jiff::Timestamp;

use crate::answer::bed_with_phone;
use crate::heard;
use crate::listening::pick_up;
use crate::test_bed::{Kind, LONG, TO_BOB, rang};

pub(crate) async fn three_messages_make_one_call_and_a_fourth_joins_it(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 2").await;
    for (id, text) in [("m1", "First."), ("m2", "Second."), ("m3", "Third.")] {
        bed.alice.write(TO_BOB, id, text).await;
    }
    let mut heard = pick_up(&mut phone).await;
    heard.voice().await;
    let mut fourth = Timestamp::MIN;
    for key in ["1", "2", "3"] {
        if key == "2" {
            bed.alice.write(TO_BOB, "m4", "Fourth.").await;
            fourth = bed.received("m4").await;
        }
        phone.press("5").await.unwrap();
        heard.skip();
        heard.voice().await;
        heard.skip();
        phone.press(key).await.unwrap();
        if key == "3" {
            let (joined, not_joined) = (joined(fourth), not_joined(fourth));
            let next = heard.part(&joined).await;
            assert_eq!(heard::sentence(&next, &[&joined, &not_joined]), Ok(&*joined));
        } else {
            heard.part("Thank you. Next message.").await;
        }
    }
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.settles().await;
    let answers: Vec<_> = bed
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
    assert_eq!(bed.calls().len(), 1, "one call was enough");
    assert!(bed.held().iter().all(|it| it["next_call"].is_null()), "no other call is planned");
    assert!(!rang(&mut phone).await, "the phone has rung again");
    bed.close(&["Fourth"]).await;
}

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
