//! Calls on a trunk that encrypts, as timelines.

use super::trunk::Peer;
use crate::sip::invite::reliable::last_keys;
use crate::sip::trunk::Srtp;

#[test]
fn nobody_talks_an_encrypted_call_into_the_clear() {
    // What the far end does, and what comes of it where keys are optional, and where they are required.
    let cases = [
        ("changes its key", "INVITE+safe ACK", "->200+sdp on+keys", "->200+sdp on+keys"),
        ("holds the call", "UPDATE+safehold", "->200+sdp hold+keys", "->200+sdp hold+keys"),
        ("goes into the clear", "INVITE+sdp ACK", "->200+sdp on", "->488"),
        ("holds in the clear", "UPDATE+hold", "->200+sdp hold", "->488"),
        ("has a key that we cannot do", "INVITE+odd ACK", "->488", "->488"),
        ("wants our offer again", "INVITE ACK+safe", "->200+sdp on+keys", "->200+sdp on+keys"),
        ("answers that in the clear", "INVITE ACK+sdp", "->200+sdp on", "->200+sdp"),
        ("answers that oddly", "INVITE ACK+odd", "->200+sdp", "->200+sdp"),
    ];
    for (what, plays, optional, required) in cases {
        for (srtp, expected) in [(Srtp::Optional, optional), (Srtp::Required, required)] {
            let (mut peer, mut events) = (Peer::of(srtp), vec![]);
            peer.listen(&mut events);
            peer.play("200", &mut events);
            events.clear();
            plays.split(' ').for_each(|word| peer.play(word, &mut events));
            assert_eq!(events.join(" "), expected, "{what}, {srtp:?}");
        }
    }
}

#[test]
fn keys_that_change_in_the_200_are_those_that_hold() {
    let (one, other) = ("v=0\r\na=crypto:1 x inline:1\r\n", "v=0\r\na=crypto:1 x inline:2\r\n");
    let (plain, elsewhere) = ("v=0\r\n", "v=0\r\nc=x\r\na=crypto:1 x inline:1\r\n");
    let cases = [
        (Some(one), Some(other), Some(other)),
        (Some(one), Some(elsewhere), Some(one)),
        (Some(one), Some(plain), Some(one)),
        (Some(plain), Some(one), Some(one)),
        (Some(one), None, Some(one)),
        (None, Some(one), Some(one)),
        (None, Some(plain), Some(plain)),
        (None, None, None),
    ];
    for (early, late, expected) in cases {
        assert_eq!(last_keys(early, late), expected, "{early:?} {late:?}");
    }
}

#[test]
fn a_repeated_invite_brings_the_same_keys() {
    let mut peer = Peer::of(Srtp::Required);
    let mut events = vec![];
    peer.listen(&mut events);
    let first = String::from_utf8(peer.invite.clone()).unwrap();
    peer.play("407", &mut events);
    peer.listen(&mut events);
    let second = String::from_utf8(peer.invite.clone()).unwrap();
    let keys = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("a=crypto:"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(first != second && keys(&first).len() == 3);
    assert_eq!(keys(&first), keys(&second));
}
