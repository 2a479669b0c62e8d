//! What a trunk may object to before the call, and what crosses during it.

use super::calls::check;
use super::trunk::Peer;
use crate::sip::message::Message;

#[test]
fn the_far_end_is_told_why_a_call_ends() {
    let cases = [
        ("rings too long", "180 @30", "Q.850;cause=16"),
        ("rings when its callee comes online", "180 elsewhere", ELSEWHERE),
        ("is cancelled before anything has come", "elsewhere 180", ELSEWHERE),
        ("has answered as its callee came online", "180 elsewhere 200", ELSEWHERE),
        ("has heard all", "200 hang", "Q.850;cause=16"),
        ("sends no packets", "200 unheard", "Q.850;cause=102;text=\"no RTP\""),
    ];
    for (phone, plays, expected) in cases {
        let (mut peer, mut events) = (Peer::new(), vec![]);
        peer.listen(&mut events);
        plays.split(' ').for_each(|word| peer.play(word, &mut events));
        let last = if peer.bye.is_empty() { &peer.cancel } else { &peer.bye };
        let request = Message::parse(last).unwrap();
        assert_eq!(request.header("Reason"), Some(expected), "the phone {phone}");
    }
}

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

#[test]
fn what_a_trunk_objects_to_is_left_away_once() {
    check(&[
        (
            "takes no offer with Opus",
            "488 180 200+sdp",
            "INVITE ACK INVITE+plain Ringing ACK Answered+sdp",
        ),
        ("takes no offer at all", "488 488", "INVITE ACK INVITE+plain ACK Refused488"),
        ("takes it for another kind of body", "415 415", "INVITE ACK INVITE+plain ACK Refused415"),
        ("finds nobody who takes it", "606 606", "INVITE ACK INVITE+plain ACK Refused606"),
        ("knows no session timer", "420!timer 200", "INVITE ACK INVITE-timer ACK Answered"),
        ("knows no PRACK", "420!x,100REL 200", "INVITE ACK INVITE-100rel ACK Answered"),
        ("does not know what we never named", "420!path", "INVITE ACK Refused420"),
        ("does not say what it does not know", "420", "INVITE ACK Refused420"),
        (
            "says twice what it does not know",
            "420!timer 420!timer",
            "INVITE ACK INVITE-timer ACK Refused420",
        ),
        (
            "wants another password for the other offer",
            "407 488 407 200",
            "INVITE ACK INVITE+auth ACK INVITE+plain ACK INVITE+plain+auth ACK+auth Answered",
        ),
        ("objects after we hung up", "180 hang 488", "INVITE Ringing CANCEL ACK Cancelled"),
    ]);
}

#[test]
fn a_trunk_that_always_wants_something_else_is_left() {
    let wants: Vec<_> = (0..12).map(|more| format!("422/{}", 2000 + more)).collect();
    let tries: String = (0..11).map(|more| format!("ACK INVITE={} ", 2000 + more)).collect();
    check(&[("asks for ever more", &wants.join(" "), &format!("INVITE {tries}ACK Refused422"))]);
}

#[test]
fn an_offer_that_crosses_ours_is_put_off() {
    check(&[
        (
            "offers while our refresh is on its way",
            "200/90 @45 INVITE+sdp UPDATE+sdp UPDATE INFO=5 again:200+sdp/90 INVITE+sdp",
            "INVITE ACK Answered INVITE+sdp ->491 ->491 ->200 ->200 Key5 ACK on ->200+sdp on",
        ),
        (
            "offers while our UPDATE is on its way",
            "200/90/update @45 INVITE+sdp",
            "INVITE ACK Answered UPDATE ->200+sdp on",
        ),
        (
            "offers before it has answered our offer",
            "200 INVITE UPDATE+sdp",
            "INVITE ACK Answered ->200+sdp ->491",
        ),
        (
            "sends what is no description",
            "200 INVITE+isup UPDATE+isup",
            "INVITE ACK Answered ->415 ->415",
        ),
    ]);
}
