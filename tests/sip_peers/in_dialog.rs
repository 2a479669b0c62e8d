//! What phones ask during a call, by scripts in the manner of [`crate::script`], over datagrams and over a connection.

use std::time::Duration;

use offhook::media::codec::Codec;

use crate::call::Call;
use crate::programs::{Sipp, TCP, UDP};

#[tokio::test]
async fn what_a_phone_asks_during_a_call_is_answered_and_the_call_goes_on() {
    let hold = "v=0|o=- 1 2 IN IP4 127.0.0.1|s=-|c=IN IP4 127.0.0.1|t=0 0|m=audio 40000 RTP/AVP 0|a=sendonly";
    let old_hold =
        "v=0|o=- 1 2 IN IP4 127.0.0.1|s=-|c=IN IP4 0.0.0.0|t=0 0|m=audio 40000 RTP/AVP 0";
    let video =
        "v=0|o=- 1 2 IN IP4 127.0.0.1|s=-|c=IN IP4 127.0.0.1|t=0 0|m=video 40000 RTP/AVP 99";
    let unknown = "X-Unknown: a;b=\"c\"|P-Charging-Vector: icid-value=1|Geolocation: <cid:x>|History-Info: <sip:a@b>;index=1";
    let asked = [
        ("holds and resumes", format!(">INVITE||{hold} / <200 ~a=recvonly / >ACK / >INVITE||SDP / <200 ~a=sendrecv / >ACK"), "reoffered sending=false, reoffered sending=true"),
        ("holds in the old way", format!(">INVITE||{old_hold} / <200 / >ACK"), "reoffered sending=false"),
        ("holds by UPDATE", format!(">UPDATE||{hold} / <200 ~a=recvonly"), "reoffered sending=false"),
        ("asks us for an offer", ">INVITE / <200 ~m=audio 41000 RTP/AVP 0 8 / >ACK||SDP".to_owned(), "reoffered sending=true"),
        ("offers what we cannot do", format!(">INVITE||{video} / <488 ~Warning: 304 offhook / >ACK / >OPTIONS / <200"), ""),
        ("sends another kind of body", ">INVITE|Content-Type: application/isup||x / <415 ~Accept: application/sdp / >ACK".to_owned(), ""),
        ("says that the session goes on", ">UPDATE|Session-Expires: 90;refresher=uac|Require: timer / <200 ~Session-Expires: 90;refresher=uac".to_owned(), ""),
        ("would say so too often", ">UPDATE|Session-Expires: 30 / <422 ~Min-SE: 90".to_owned(), ""),
        ("presses keys by INFO", ">INFO|Content-Type: application/dtmf-relay||Signal=5|Duration=120 / <200 / >INFO|Content-Type: application/dtmf||* / <200".to_owned(), "key 5, key *"),
        ("tells by INFO what is no key", ">INFO|Content-Type: application/media_control+xml||<x/> / <415 ~Accept: application/dtmf-relay".to_owned(), ""),
        ("asks what we can", ">OPTIONS / <200 ~Allow: INVITE".to_owned(), ""),
        ("asks what nobody knows", format!(">FOO|{unknown} / <501 / >OPTIONS|{unknown} / <200"), ""),
        ("asks what we do not do", ">REFER|Refer-To: <sip:x@y> / <405 ~Allow: / >NOTIFY|Event: x / <405 / >SUBSCRIBE|Event: x / <405 / >MESSAGE / <405 / >PUBLISH / <405".to_owned(), ""),
        ("demands an extension", ">OPTIONS|Require: telepathy / <420 ~Unsupported: telepathy".to_owned(), ""),
        ("leaves a gap in its numbers and falls back", "+100 / >OPTIONS / <200 / +-50 / >OPTIONS / <500 / +100".to_owned(), ""),
    ];
    for (options, transport) in [(UDP, ""), (TCP, ";transport=tcp")] {
        let scripts: Vec<_> = asked
            .iter()
            .map(|(_, steps, _)| format!("<INVITE / >200||SDP / <ACK / {steps} / >BYE / <200"))
            .collect();
        let phones: Vec<_> = scripts.iter().map(|script| Sipp::playing(script, options)).collect();
        let calls = phones
            .iter()
            .map(|phone| Call::by(&format!("sip:127.0.0.1:{}{transport}", phone.port)).run());
        let calls = futures_util::future::join_all(calls).await;
        for ((mut phone, call), (does, _, told)) in phones.into_iter().zip(calls).zip(&asked) {
            let between = if told.is_empty() { String::new() } else { format!("{told}, ") };
            assert_eq!(
                call.told.join(", "),
                format!("answered, {between}over ByPeer"),
                "a phone that {does}{transport}"
            );
            phone.is_content();
        }
    }
}

#[tokio::test]
async fn a_phone_may_move_its_sound_to_another_address_and_codec() {
    let mut phone = Sipp::playing(
        "<INVITE / >200||SDP / <ACK / >INVITE|Contact: <sip:moved@[local_ip]:[local_port]>||v=0|o=- 1 2 IN IP4 127.0.0.2|s=-|c=IN IP4 127.0.0.2|t=0 0|\
         m=audio 40002 RTP/AVP 8 / <200 ~m=audio 41000 RTP/AVP 8 & !RTP/AVP 0 / >ACK / <BYE ~BYE sip:moved@ / >>200",
        UDP,
    );
    let call = Call::to(phone.port).hanging_up_after(Duration::from_millis(300)).run().await;
    assert_eq!(call.told, ["answered", "reoffered sending=true", "over ByUs"]);
    let moved = &call.changes[0];
    assert_eq!((moved.codec, moved.remote.to_string().as_str()), (Codec::Pcma, "127.0.0.2:40002"));
    phone.is_content();
}

#[tokio::test]
async fn a_phone_may_hang_up_at_any_moment() {
    let cases = [
        ("at our ACK", "<INVITE / >200||SDP / <ACK / >BYE / <200", "answered, over ByPeer"),
        (
            "while it rings",
            "<INVITE / >180 / >BYE / <200 / >487 / <ACK",
            "ringing, over Refused { status: 487, retry_after: None }",
        ),
    ];
    for (when, script, told) in cases {
        for (options, transport) in [(UDP, ""), (TCP, ";transport=tcp")] {
            let mut phone = Sipp::playing(script, options);
            let call = Call::by(&format!("sip:127.0.0.1:{}{transport}", phone.port)).run().await;
            assert_eq!(call.told.join(", "), told, "{when}{transport}");
            phone.is_content();
        }
    }
}
