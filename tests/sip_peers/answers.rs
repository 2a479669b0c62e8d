//! How calls are answered, refused, sent elsewhere and put off, by scripts in the manner of [`crate::script`].

use std::time::Duration;

use offhook::media::codec::Codec;
use offhook::sip::offer_answer::accept;

use crate::call::Call;
use crate::programs::{Sipp, UDP};

#[tokio::test]
async fn every_refusal_is_acknowledged_and_told() {
    let statuses = [
        "400", "403", "404", "408", "410", "480", "481", "484", "486", "487", "500", "600", "603",
        "699",
    ];
    let refuses: Vec<_> = statuses.map(|it| format!("<INVITE / >100#- / >{it} / <ACK")).into();
    let told: Vec<_> =
        statuses.map(|it| format!("over Refused {{ status: {it}, retry_after: None }}")).into();
    let mut cases: Vec<_> = refuses
        .iter()
        .zip(&told)
        .map(|(script, told)| ("refuses", script.as_str(), told.as_str()))
        .collect();
    cases.push((
        "says when to come again",
        "<INVITE / >503|Retry-After: 120 (soon);duration=9 / <ACK",
        "over Refused { status: 503, retry_after: Some(120s) }",
    ));
    check(&cases).await;
}

#[tokio::test]
async fn what_the_telephone_network_says_of_the_end_is_kept() {
    let cases = [
        (
            "<INVITE / >480|Reason: SIP;cause=480, Q.850;cause=17;text=\"User busy\" / <ACK",
            Some(17),
        ),
        ("<INVITE / >500|Reason: SIP;cause=500 / <ACK", None),
        ("<INVITE / >200||SDP / <ACK / >BYE|Reason: Q.850 ;cause=16;text=\"x\" / <200", Some(16)),
    ];
    for (script, cause) in cases {
        let mut phone = Sipp::playing(script, UDP);
        assert_eq!(Call::to(phone.port).run().await.cause, cause, "{script}");
        phone.is_content();
    }
}

#[tokio::test]
async fn odd_answers_are_answers() {
    let talked = "answered, over ByUs";
    check(&[
        (
            "plays music, then rings",
            "<INVITE / >183||SDP / >180 / >200||SDP / <ACK / <BYE / >>200",
            "early media, ringing, answered, over ByUs",
        ),
        (
            "gives its answer only early",
            "<INVITE / >183||SDP / >200 / <ACK / <BYE / >>200",
            "early media, answered, over ByUs",
        ),
        ("forwards and queues", "<INVITE / >181 / >182 / >199 / >200||SDP / <ACK / <BYE / >>200", talked),
        (
            "names no Contact",
            r"<INVITE / >200|-Contact||SDP / <ACK ~ACK sip:\+81312345678@ / <BYE ~BYE sip:\+81312345678@ / >>200",
            talked,
        ),
        (
            "has no tag",
            "<INVITE / >200#-||SDP / <ACK / <BYE !To: <[^>]*>;tag / >>200",
            talked,
        ),
        (
            "writes compact and quotes what looks like an address",
            "<INVITE / >200|-Contact|m: \"a <x>, \\\" b\" <sip:quoted@[local_ip]:[local_port];x=y>|-Content-Type|c:application/sdp||SDP / \
             <ACK ~ACK sip:quoted@127.0.0.1:[0-9]+;x=y SIP / <BYE ~BYE sip:quoted@ / >>200",
            talked,
        ),
        (
            "folds its lines",
            "<INVITE / >200|Record-Route:|[$to]||SDP / <ACK ~Route: <sip:phone@ / <BYE ~Route: <sip:phone@ / >>200",
            talked,
        ),
        ("stammers first", "<INVITE / >180|this is no header / >200||SDP / <ACK / <BYE / >>200", talked),
        (
            "promises more than it sends first",
            "<INVITE / >200!|Content-Length: 9999||SDP / @50 / >200||SDP / <ACK / <BYE / >>200",
            talked,
        ),
        (
            "has two phones pick up",
            "<INVITE / >180#a / >180#b / >200#b||SDP / <ACK ~To: <[^>]*>;tag=b / >200#a||SDP / <ACK ~To: <[^>]*>;tag=a / <BYE ~To: <[^>]*>;tag=a / >>200 / \
             <BYE ~To: <[^>]*>;tag=b / >>200",
            "ringing, answered, over ByUs",
        ),
        (
            "describes its sound beside what the network says",
            "<INVITE / >183|Content-Type: multipart/mixed;boundary=x||--x|Content-Type: application/isup|Content-Disposition: signal;handling=optional||\
             (binary)|--x|Content-Type: application/sdp||SDP|--x-- / >200 / <ACK / <BYE / >>200",
            "early media, answered, over ByUs",
        ),
    ])
    .await;
}

#[tokio::test]
async fn reliable_provisional_responses_are_acknowledged_where_they_say() {
    check(&[
        (
            "is behind a proxy",
            "<INVITE ~Supported: 100rel / >183|Require: 100rel|RSeq: 7|Record-Route: <sip:127.0.0.1:[local_port];lr;local_addr=1>||SDP / \
             <PRACK ~PRACK sip:phone@.*Route: <sip:127.0.0.1:[0-9]+;lr;local_addr=1>.*RAck: 7 1 INVITE / >>200 / \
             >200|Record-Route: <sip:127.0.0.1:[local_port];lr;local_addr=1> / <ACK / <BYE / >>200",
            "early media, answered, over ByUs",
        ),
        (
            "has two phones ring",
            "<INVITE / >180#a|Require: 100rel|RSeq: 5 / <PRACK ~To: <[^>]*>;tag=a.*RAck: 5 1 INVITE / >>200 / \
             >180#b|Require: 100rel|RSeq: 900 / <PRACK ~To: <[^>]*>;tag=b.*RAck: 900 1 INVITE / >>200 / \
             >200#b||SDP / <ACK ~To: <[^>]*>;tag=b / <BYE ~To: <[^>]*>;tag=b / >>200",
            "ringing, answered, over ByUs",
        ),
        (
            "does not answer our PRACK",
            "<INVITE / >183|Require: 100rel|RSeq: 1||SDP / <PRACK / >200 / <ACK / <BYE / >>200",
            "early media, answered, over ByUs",
        ),
        (
            "counts in steps of one only",
            "<INVITE / >183|Require: 100rel|RSeq: 1 / <PRACK / >>200 / >180|Require: 100rel|RSeq: 3 / \
             >180|Require: 100rel|RSeq: 2 / <PRACK ~RAck: 2 1 INVITE / >>200 / >486 / <ACK",
            "ringing, over Refused { status: 486, retry_after: None }",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_trunk_that_objects_or_sends_us_elsewhere_is_asked_otherwise() {
    check(&[
        (
            "takes no wide band",
            "<INVITE ~opus/48000.*G722/8000 / >488 / <ACK / <INVITE ~m=audio 41000 RTP/AVP 0 101 & !opus & !G722 / \
             >180 / >200||SDP / <ACK / <BYE / >>200",
            "ringing, answered, over ByUs",
        ),
        (
            "knows no session timer",
            "<INVITE / >420|Unsupported: timer / <ACK / <INVITE !timer & !Session-Expires & ~Supported: 100rel / \
             >200||SDP / <ACK / <BYE / >>200",
            "answered, over ByUs",
        ),
        (
            "names many places",
            "<INVITE / >302|Contact: <sip:+81312345678@a.invalid>;q=0.1, <sip:premium@b.invalid>|Contact: <sip:+81312345678@c.invalid>;q=0.7 / \
             <ACK / <INVITE ~INVITE sip:\\+81312345678@c.invalid / >301|Contact: <tel:+81312345678>, <sip:+81-312345678@d.invalid> / <ACK / \
             <INVITE ~INVITE sip:\\+81-312345678@d.invalid / >200||SDP / <ACK / <BYE / >>200",
            "answered, over ByUs",
        ),
        (
            "names another number only",
            "<INVITE / >302|Contact: <sip:+819011112222@a.invalid> / <ACK",
            "over Refused { status: 302, retry_after: None }",
        ),
        (
            "leads in a circle",
            "<INVITE / >302|Contact: <sip:+81312345678@a.invalid> / <ACK / <INVITE / >302|Contact: <sip:+81312345678@a.invalid> / <ACK",
            "over Refused { status: 302, retry_after: None }",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_call_is_left_while_it_rings_whatever_crosses() {
    let ringing = "<INVITE / >180 / <CANCEL !To: <[^>]*>;tag";
    let scripts = [
        ("stops ringing", format!("{ringing} / >>200 / >487 / <ACK")),
        ("is busy in the same moment", format!("{ringing} / >>200 / >486 / <ACK")),
        (
            "is picked up in the same moment",
            format!("{ringing} / >>481 / >200||SDP / <ACK / <BYE / >>200"),
        ),
    ];
    let cases: Vec<_> = scripts
        .iter()
        .map(|(trunk, script)| (*trunk, script.as_str(), "ringing, over Cancelled"))
        .collect();
    check_with(&cases, |call| call.hanging_up_when("ringing")).await;
}

#[tokio::test]
async fn who_calls_is_shown_assured_or_withheld() {
    let rest = " / >486 / <ACK";
    let cases = [
        (None, false, r"~From: <sip:offhook@127.0.0.1>;tag & !P-Asserted & !Privacy"),
        (
            Some("sip:+81312340000@127.0.0.1"),
            false,
            r"~From: <sip:offhook@127.0.0.1>;tag & ~P-Asserted-Identity: <sip:\+81312340000@127.0.0.1> & !Privacy",
        ),
        (
            Some("sip:+81312340000@127.0.0.1"),
            true,
            "~From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag & ~Contact: <sip:anonymous@127.0.0.1 & \
             ~P-Asserted-Identity: <sip:.81312340000@127.0.0.1> & ~Privacy: id & !offhook@",
        ),
    ];
    for (identity, privacy, seen) in cases {
        let mut phone = Sipp::playing(&format!("<INVITE {seen}{rest}"), UDP);
        let mut call = Call::to(phone.port);
        (call.trunk.identity, call.trunk.privacy) = (identity.map(str::to_owned), privacy);
        call.run().await;
        phone.is_content();
    }
}

#[tokio::test]
async fn an_answer_in_several_parts_or_another_codec_is_talked_on() {
    let mut phone = Sipp::playing(
        "<INVITE / >200|Content-Type: multipart/mixed; boundary=\"unique-1\"||--unique-1|Content-Type: application/sdp||\
         v=0|o=- 1 1 IN IP4 127.0.0.1|s=-|c=IN IP4 127.0.0.1|t=0 0|m=audio 40000 RTP/AVP 8|--unique-1-- / <ACK / <BYE / >>200",
        UDP,
    );
    let call = Call::to(phone.port).hanging_up_after(SHORTLY).run().await;
    assert_eq!(accept(&call.sdp, &call.offer).unwrap().codec, Codec::Pcma);
    phone.is_content();
}

/// Calls each trunk and compares what was told. All at once.
async fn check(cases: &[(&str, &str, &str)]) {
    check_with(cases, |call| call.hanging_up_after(SHORTLY)).await;
}

async fn check_with(cases: &[(&str, &str, &str)], of: impl Fn(Call) -> Call) {
    let phones: Vec<_> = cases.iter().map(|(_, script, _)| Sipp::playing(script, UDP)).collect();
    let offered = [Codec::Opus, Codec::G722, Codec::Pcmu];
    let calls = phones.iter().map(|phone| of(Call::to(phone.port).offering(&offered)).run());
    let calls = futures_util::future::join_all(calls).await;
    for ((mut phone, call), (trunk, _, told)) in phones.into_iter().zip(calls).zip(cases) {
        assert_eq!(call.told.join(", "), *told, "the trunk {trunk}");
        phone.is_content();
    }
}

const SHORTLY: Duration = Duration::from_millis(100);
