//! Calls as timelines: what the trunk does, and what we do about it.

use super::trunk::Peer;

#[test]
fn a_call_is_answered_refused_or_given_up() {
    check(&[
        (
            "is answered and we hang up",
            "100 180 200 hang bye:200",
            "INVITE Ringing ACK Answered BYE ByUs",
        ),
        (
            "is answered without a word before",
            "200 hang bye:200 @32",
            "INVITE ACK Answered BYE ByUs Done",
        ),
        ("is answered and they hang up", "180 200 BYE", "INVITE Ringing ACK Answered ->200 ByPeer"),
        (
            "asks for our BYE's answer again",
            "200 BYE @1 copy @31",
            "INVITE ACK Answered ->200 ByPeer ->200 Done",
        ),
        ("hangs up as we do", "200 hang BYE bye:481", "INVITE ACK Answered BYE ByUs ->200"),
        ("rings twice", "180 180 183", "INVITE Ringing"),
        ("plays music first", "183+sdp 180 200+sdp", "INVITE Early Ringing ACK Answered+sdp"),
        ("gives its answer only early", "183+sdp 200", "INVITE Early ACK Answered+sdp"),
        ("is busy", "100 486", "INVITE ACK Refused486"),
        ("is busy, and does not hear our ACK", "486 486 @32", "INVITE ACK Refused486 ACK Done"),
        ("is redirected", "302", "INVITE ACK Refused302"),
        ("is refused for good", "603", "INVITE ACK Refused603"),
        ("says when to come again", "503=120", "INVITE ACK Refused503/120"),
        (
            "gives up, then is answered all the same",
            "500 200b bye:200",
            "INVITE ACK Refused500 ACK BYE",
        ),
    ]);
}

#[test]
fn silence_is_noticed_and_late_answers_are_dealt_with() {
    check(&[
        ("is silent", "@9", "INVITE INVITE INVITE INVITE INVITE NoResponse"),
        ("is silent for good", "@40", "INVITE INVITE INVITE INVITE INVITE NoResponse Done"),
        (
            "rings too late",
            "@9 180 487 cancel:200 @32",
            "INVITE INVITE INVITE INVITE INVITE NoResponse CANCEL ACK Done",
        ),
        (
            "answers too late",
            "@9 200 bye:200",
            "INVITE INVITE INVITE INVITE INVITE NoResponse ACK BYE",
        ),
        ("says no too late", "@9 503", "INVITE INVITE INVITE INVITE INVITE NoResponse ACK"),
        ("is not there", "unreachable", "INVITE TransportFailed"),
        ("loses a datagram while it rings", "180 unreachable 200", "INVITE Ringing ACK Answered"),
        ("only says that it tries", "100 @31 487", "INVITE CANCEL CANCEL ACK NoProgress"),
        ("begins to ring late", "100 @25 180 @25 200", "INVITE Ringing ACK Answered"),
    ]);
}

#[test]
fn what_rings_is_cancelled_and_what_crosses_is_hung_up() {
    let cancels = "CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL CANCEL";
    check(&[
        ("rings too long", "180 @30 cancel:200 487 @32", "INVITE Ringing CANCEL ACK NoAnswer Done"),
        ("is cancelled by us", "180 hang cancel:200 487", "INVITE Ringing CANCEL ACK Cancelled"),
        ("is cancelled by us twice", "180 hang hang 487", "INVITE Ringing CANCEL ACK Cancelled"),
        (
            "is cancelled before it says anything",
            "hang 100 cancel:200 487",
            "INVITE CANCEL ACK Cancelled",
        ),
        ("never says anything", "hang @9", "INVITE INVITE INVITE INVITE INVITE Cancelled"),
        (
            "is answered as we cancel",
            "180 hang 200 cancel:481 bye:200",
            "INVITE Ringing CANCEL ACK BYE Cancelled",
        ),
        ("is answered before we could cancel", "hang 200 bye:200", "INVITE ACK BYE Cancelled"),
        ("is busy as we cancel", "180 hang 486", "INVITE Ringing CANCEL ACK Cancelled"),
        ("wants a password as we cancel", "180 hang 407", "INVITE Ringing CANCEL ACK Cancelled"),
        (
            "never hears our CANCEL",
            "180 hang @40 @30",
            &format!("INVITE Ringing {cancels} Cancelled Done"),
        ),
        (
            "knows nothing of the call any more",
            "180 hang cancel:481 @6",
            "INVITE Ringing CANCEL Cancelled",
        ),
        (
            "loses our CANCEL, gives up by itself",
            "180 hang 480 @32",
            "INVITE Ringing CANCEL ACK Cancelled Done",
        ),
        ("hears our CANCEL, says no more", "180 hang cancel:200 @31", "INVITE Ringing CANCEL"),
        (
            "hears our CANCEL, says no more at all",
            "180 hang cancel:200 @40 @30",
            "INVITE Ringing CANCEL Cancelled Done",
        ),
    ]);
}

#[test]
fn answers_are_acknowledged_each_and_only_the_first_is_the_call() {
    let byes = "BYE BYE BYE BYE BYE BYE BYE BYE BYE BYE BYE";
    check(&[
        ("repeats its answer", "200 200 200", "INVITE ACK Answered ACK ACK"),
        ("repeats its answer after the end", "200 BYE 200", "INVITE ACK Answered ->200 ByPeer ACK"),
        (
            "is answered by two",
            "180 200a 200b bye:200 200b 200a",
            "INVITE Ringing ACK Answered ACK BYE ACK ACK",
        ),
        (
            "is answered by six",
            "200a 200b 200c 200d 200e 200f",
            "INVITE ACK Answered ACK BYE ACK BYE ACK BYE",
        ),
        (
            "has the late one hang up first",
            "200a 200b BYEb BYEa",
            "INVITE ACK Answered ACK BYE ->200 ->200 ByPeer",
        ),
        ("has no To tag", "200- hang", "INVITE ACK Answered BYE ByUs"),
        (
            "never answers our BYE",
            "200 hang @40",
            &format!("INVITE ACK Answered BYE ByUs {} Done", &byes[4..]),
        ),
        (
            "wants a password for our BYE",
            "200 hang bye:407 bye:200",
            "INVITE ACK Answered BYE ByUs BYE+auth",
        ),
    ]);
}

#[test]
fn a_challenge_is_answered_once_for_each_realm() {
    check(&[
        ("wants a password", "401 200", "INVITE ACK INVITE+auth ACK+auth Answered"),
        (
            "is a proxy that wants one",
            "100 407 180 200",
            "INVITE ACK INVITE+auth Ringing ACK+auth Answered",
        ),
        ("knows another password", "401 401", "INVITE ACK INVITE+auth ACK Refused401"),
        (
            "has two realms",
            "407 401:two 200",
            "INVITE ACK INVITE+auth ACK INVITE+plain+auth+auth ACK+auth+auth Answered",
        ),
        (
            "finds our nonce stale",
            "401 401:stale 200",
            "INVITE ACK INVITE+auth ACK INVITE+auth ACK+auth Answered",
        ),
        (
            "finds every nonce stale",
            "401 401:stale 401:stale 401:stale 401:stale",
            "INVITE ACK INVITE+auth ACK INVITE+auth ACK INVITE+auth ACK INVITE+auth ACK Refused401",
        ),
        (
            "repeats its challenge",
            "407 old:407 200",
            "INVITE ACK INVITE+auth ACK ACK+auth Answered",
        ),
        (
            "goes silent after it",
            "407 @9",
            "INVITE ACK INVITE+auth INVITE+auth INVITE+auth INVITE+auth INVITE+auth NoResponse",
        ),
    ]);
}

#[test]
fn what_the_far_end_asks_during_a_call_gets_its_answer() {
    check(&[
        (
            "puts us on hold",
            "200 INVITE+hold ACK INVITE+sdp ACK",
            "INVITE ACK Answered ->200+sdp hold ->200+sdp on",
        ),
        ("changes by UPDATE", "200 UPDATE+hold", "INVITE ACK Answered ->200+sdp hold"),
        ("refreshes by UPDATE", "200 UPDATE", "INVITE ACK Answered ->200"),
        ("lets us offer", "200 INVITE ACK+sdp", "INVITE ACK Answered ->200+sdp on"),
        ("lets us offer, then says nothing", "200 INVITE ACK", "INVITE ACK Answered ->200+sdp"),
        ("offers what we cannot do", "200 INVITE+video ACK", "INVITE ACK Answered ->488"),
        (
            "does not hear our answer",
            "200 INVITE+sdp @4 ACK @30",
            "INVITE ACK Answered ->200+sdp on ->200+sdp ->200+sdp ->200+sdp",
        ),
        (
            "sends an offer twice",
            "200 UPDATE+sdp copy",
            "INVITE ACK Answered ->200+sdp on ->200+sdp",
        ),
        (
            "presses keys",
            "200 INFO=Signal=5 INFO=Signal=* INFO=Signal=11",
            "INVITE ACK Answered ->200 Key5 ->200 Key* ->200 Key#",
        ),
        ("presses a bare key", "200 INFO=7", "INVITE ACK Answered ->200 Key7"),
        (
            "presses what is no key",
            "200 INFO=Signal=17 INFO=77 INFO= INFO=Signal=16",
            "INVITE ACK Answered ->400 ->400 ->200 ->200",
        ),
        ("sends other information", "200 INFO=<x/>", "INVITE ACK Answered ->415"),
        ("asks what we can", "200 OPTIONS", "INVITE ACK Answered ->200"),
        ("asks what we cannot", "200 REFER FOO", "INVITE ACK Answered ->405 ->501"),
        ("demands an extension", "200 OPTIONS+100rel", "INVITE ACK Answered ->420"),
        ("leaves a gap in its numbers", "200 gap OPTIONS", "INVITE ACK Answered ->200"),
        (
            "falls back in its numbers",
            "200 gap OPTIONS back OPTIONS",
            "INVITE ACK Answered ->200 ->500",
        ),
        ("cancels too late", "200 INVITE+sdp CANCEL", "INVITE ACK Answered ->200+sdp on ->200"),
        ("cancels nothing", "200 CANCEL", "INVITE ACK Answered ->481"),
        (
            "speaks before it answers",
            "180 OPTIONS UPDATE+sdp UPDATE INFO=5 BYE FOO 200",
            "INVITE Ringing ->200 ->491 ->200 ->200 ->200 ->501 ACK Answered",
        ),
        (
            "changes its early answer",
            "183*1+sdp prack:200 UPDATE+hold 200 BYE",
            "INVITE PRACK1 Early ->200+sdp hold ACK Answered+sdp ->200 ByPeer",
        ),
        ("speaks before it rings", "100 OPTIONS BYE", "INVITE ->481 ->481"),
        ("speaks after the end", "200 BYE INFO=5", "INVITE ACK Answered ->200 ByPeer ->481"),
        ("is somebody else", "200 BYEz", "INVITE ACK Answered ->481"),
        ("is ourselves", "loop", "INVITE ->482"),
        ("sends rubbish", "rubbish 200 rubbish", "INVITE ACK Answered"),
    ]);
}

#[test]
fn a_call_whose_offer_is_never_acknowledged_ends() {
    let (mut us, mut events) = (Peer::new(), Vec::new());
    for word in "200 INVITE+sdp @32".split(' ') {
        us.play(word, &mut events);
    }
    assert!(events.ends_with(&["BYE".to_owned(), "ByUs".to_owned()]), "{events:?}");
}

#[test]
fn our_requests_say_what_they_must_and_nothing_that_a_user_wrote() {
    let (mut peer, mut events) = (Peer::new(), Vec::new());
    peer.play("180", &mut events);
    peer.play("hang", &mut events);
    let Ok(invite) = String::from_utf8(peer.invite.clone()) else { unreachable!("we write ASCII") };
    assert!(invite.starts_with("INVITE sip:+81312345678@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK"));
    for line in [
        ";rport\r\n",
        "\r\nMax-Forwards: 70\r\n",
        "\r\nFrom: <sip:offhook@pbx.example.org>;tag=",
        "\r\nTo: <sip:+81312345678@192.0.2.1>\r\n",
        "\r\nContact: <sip:offhook@192.0.2.2:5060>\r\n",
        "\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n",
        "\r\nSupported: 100rel, timer\r\n",
        "\r\nSession-Expires: 1800\r\n",
        "\r\nUser-Agent: Offhook/",
        "\r\nContent-Type: application/sdp\r\n",
    ] {
        assert!(invite.contains(line), "{line:?} is missing in {invite}");
    }
}

#[test]
fn a_reliable_response_is_acknowledged_and_its_answer_holds() {
    check(&[
        (
            "answers early and reliably",
            "183*1+sdp prack:200 200",
            "INVITE PRACK1 Early ACK Answered+sdp",
        ),
        (
            "rings reliably, then hangs up with our numbers in order",
            "180*7 prack:200 180*8 prack:200 200+sdp hang bye:200",
            "INVITE PRACK7 Ringing PRACK8 ACK Answered+sdp BYE ByUs",
        ),
        (
            "does not hear our PRACK",
            "180*1 180*1 @1 prack:200 180*1",
            "INVITE PRACK1 Ringing PRACK1",
        ),
        (
            "never answers our PRACK, but the call",
            "183*1+sdp 200 @8",
            "INVITE PRACK1 Early ACK Answered+sdp PRACK1 PRACK1 PRACK1 PRACK1",
        ),
        ("has one response overtake another", "180*1 183*3 183*2", "INVITE PRACK1 Ringing PRACK2"),
        (
            "has two phones ring, each with numbers of its own",
            "180*5 180b*9 180*6 180b*10 200b",
            "INVITE PRACK5 Ringing PRACK9 PRACK6 PRACK10 ACK Answered",
        ),
        (
            "wants a password for our PRACK",
            "180*1 prack:407 prack:200 200",
            "INVITE PRACK1 Ringing PRACK1+auth ACK Answered",
        ),
        (
            "refuses the call, not the PRACK",
            "180*1 486 @32",
            "INVITE PRACK1 Ringing ACK Refused486 Done",
        ),
        ("has no number, so it is not reliable", "183*x 200", "INVITE ACK Answered"),
        (
            "is cancelled while it rings reliably",
            "180*1 prack:200 hang cancel:200 487",
            "INVITE PRACK1 Ringing CANCEL ACK Cancelled",
        ),
    ]);
}

#[test]
fn a_session_is_said_to_go_on_or_ends() {
    check(&[
        (
            "wants us to refresh by UPDATE",
            "200/90;refresher=uac/update @45 update:200/90;refresher=uac @45 update:200",
            "INVITE ACK Answered UPDATE UPDATE",
        ),
        (
            "wants us to refresh and knows no UPDATE",
            "200/90 @45 again:200+sdp/90 @45 again:200/90",
            "INVITE ACK Answered INVITE+sdp ACK on INVITE+sdp ACK",
        ),
        (
            "refreshes by itself",
            "200/90;refresher=uas @59 UPDATE/90;refresher=uac @59 UPDATE/90;refresher=uac",
            "INVITE ACK Answered ->200=90;refresher=uac ->200=90;refresher=uac",
        ),
        ("forgets to refresh", "200/90;refresher=uas @60 bye:200", "INVITE ACK Answered BYE ByUs"),
        (
            "hands the refreshing over",
            "200/90;refresher=uas/update @10 UPDATE/120;refresher=uas @60",
            "INVITE ACK Answered ->200=120;refresher=uas UPDATE",
        ),
        (
            "does not know the call any more",
            "200/90/update @45 update:481",
            "INVITE ACK Answered UPDATE ByPeer",
        ),
        (
            "does not answer our refresh",
            "200/1800/update @900 @32 bye:200",
            "INVITE ACK Answered UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE BYE ByUs",
        ),
        (
            "has no time for our refresh",
            "200/90/update @45 update:491 @10 update:200/90",
            "INVITE ACK Answered UPDATE UPDATE",
        ),
        (
            "wants a password for our refresh",
            "200/90/update @45 update:407 update:200/90",
            "INVITE ACK Answered UPDATE UPDATE+auth",
        ),
        (
            "wants longer sessions",
            "422/3600 200/3600;refresher=uas",
            "INVITE ACK INVITE=3600 ACK Answered",
        ),
        ("wants shorter ones than it says", "422/90", "INVITE ACK Refused422"),
        ("refreshes too often", "200 UPDATE/30;refresher=uac", "INVITE ACK Answered ->422"),
        ("speaks of no session", "200 @1000 hang", "INVITE ACK Answered BYE ByUs"),
        ("sends rubbish for a session", "200/;;x hang", "INVITE ACK Answered BYE ByUs"),
    ]);
}

#[test]
fn a_redirection_is_followed_to_the_same_number_only() {
    check(&[
        (
            "sends us elsewhere",
            "302>sip:+81312345678@192.0.2.9 180 200",
            "INVITE ACK INVITE>192.0.2.9 Ringing ACK Answered",
        ),
        (
            "writes the number otherwise",
            "302>sip:81-312345678@gw;user=phone 200",
            "INVITE ACK INVITE>gw;user=phone ACK Answered",
        ),
        ("names another number", "302>sip:+81990123456@192.0.2.9", "INVITE ACK Refused302"),
        ("names a person", "302>sip:bob@192.0.2.9", "INVITE ACK Refused302"),
        ("names no SIP", "302>tel:+81312345678", "INVITE ACK Refused302"),
        (
            "sends us in a circle",
            "302>sip:+81312345678@a 302>sip:+81312345678@b 302>sip:+81312345678@a",
            "INVITE ACK INVITE>a ACK INVITE>b ACK Refused302",
        ),
        (
            "sends us on and on",
            "302>sip:+81312345678@a 302>sip:+81312345678@b 302>sip:+81312345678@c 302>sip:+81312345678@d",
            "INVITE ACK INVITE>a ACK INVITE>b ACK INVITE>c ACK Refused302",
        ),
        (
            "redirects after we hung up",
            "180 hang 302>sip:+81312345678@a",
            "INVITE Ringing CANCEL ACK Cancelled",
        ),
    ]);
}

pub(super) fn check(cases: &[(&str, &str, &str)]) {
    for (trunk, timeline, expected) in cases {
        let (mut peer, mut events) = (Peer::new(), Vec::new());
        peer.listen(&mut events);
        for word in timeline.split(' ') {
            peer.play(word, &mut events);
        }
        assert_eq!(events.join(" "), *expected, "the trunk {trunk}: {timeline}");
    }
}
