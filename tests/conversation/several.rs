//! Several messages in one call.

use crate::answer::{bed_with_phone, message_and_menu};
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
    phone.press("5").await.unwrap();
    heard.skip();
    heard.voice().await;
    bed.alice.write(TO_BOB, "m4", "Fourth.").await;
    bed.received("m4").await;
    let all = together(["First.", "Second.", "Third."]);
    let read = heard.part(&all).await;
    let others = [["First.", "Third.", "Second."], ["First.", "Second.", "Fourth."]].map(together);
    let said: Vec<&str> = [&all].into_iter().chain(&others).map(String::as_str).collect();
    assert_eq!(heard::sentence(&read, &said), Ok(&*all));
    phone.press("2").await.unwrap();
    let next = heard.part(JOINED).await;
    assert_eq!(heard::sentence(&next, &[JOINED, NOT_JOINED]), Ok(JOINED));
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
        [("m3", "Bob will phone you back."), ("m4", "Bob will answer by message."),]
    );
    assert_eq!(bed.calls()[0]["heard"], 3, "the fourth was answered as it was read");
    assert_eq!(bed.calls().len(), 1, "one call was enough");
    assert!(bed.held().iter().all(|it| it["next_call"].is_null()), "no other call is planned");
    assert!(!rang(&mut phone).await, "the phone has rung again");
    bed.close(&["Fourth"]).await;
}

/// Messages of one sender as they are read, and what can be pressed then.
fn together(messages: [&str; 3]) -> String {
    let menu = message_and_menu("").replace("End of message.", "End of the messages.");
    format!("{}{menu}", messages.join(" "))
}

const JOINED: &str = "You will call back. Thank you. Another message has just come in, from Alice. To hear it, press 5.";
const NOT_JOINED: &str = "You will call back. Thank you. That was all. Goodbye.";
