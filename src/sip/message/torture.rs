//! Messages made to break parsers, and messages made of chance (in the manner of RFC 4475).

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::now;
use crate::media::codec::Codec;
use crate::seed::Seed;
use crate::sip::draft::Draft;
use crate::sip::invite::{Input, Invite, InvitePlan, Output};
use crate::sip::offer_answer::{accept, offer, reanswer};
use crate::sip::registration::{self, Registration};
use crate::sip::stray;
use crate::sip::trunk::{Dtmf, Transport, Trunk};
use crate::sip::via::{Hop, return_address, stamped};

#[test]
fn odd_messages_are_understood() {
    let invite = read(
        "INVITE sip:vivekg@chair.example.org;unknownparam SIP/2.0|TO :| sip:vivekg@chair.example.org ;   tag    = 1918181833n|\
         from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.org>|  ;|  tag = 98asjd8|MaX-fOrWaRdS: 0068|\
         Call-ID: wsinv.ndaksdj@192.0.2.1|CSeq: 0009|  INVITE|Via  : SIP  /   2.0| /UDP|    192.0.2.2;branch=390skdjuw|s :|\
         v:  SIP  / 2.0  / TCP     spindle.example.com   ;|  branch  =   z9hG4bK9ikj8  ,| SIP  /    2.0   / UDP  192.168.255.111   ;| \
         branch=z9hG4bK30239|m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.org>;newparam|l: 3||v=0",
    );
    let invite = invite.unwrap();
    assert_eq!((invite.cseq, &invite.method), (9, &Method::Invite));
    assert_eq!(
        (invite.to.tag.as_deref(), invite.from.tag.as_deref()),
        (Some("1918181833n"), Some("98asjd8"))
    );
    assert_eq!((invite.branch(), invite.items("Via").count()), ("390skdjuw", 3));
    assert_eq!(invite.body, b"v=0");

    let odd = read(
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0|\
         v: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~|t: \"BEL:\\a NUL:\\0 DEL:\\d\" <sip:x@example.com>|\
         f: token1~` token2'+_ <sip:mundane@example.com>;fromParam''~+*_!.-%=\"work\\ing\";tag=_token~1'+`*%!-.|\
         i: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{|CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~|l:0||",
    );
    let odd = odd.unwrap();
    assert!(matches!(&odd.method, Method::Other(name) if name.starts_with("!interesting")));
    assert_eq!(
        stray::answer(&odd).and_then(|answer| Message::parse(&answer).ok()?.status()),
        Some(501)
    );

    let unreason = read(&basic("SIP/2.0 200", "CSeq: 1 INVITE")).unwrap();
    assert_eq!(unreason.status(), Some(200));
}

#[test]
fn broken_messages_are_dropped_and_the_reason_is_told() {
    use ParseError::*;
    let too_many: String = (0..101).map(|n| format!("X-{n}: y|")).collect();
    let cases = [
        (String::new(), CutOff),
        ("||".to_owned(), Empty),
        ("INVITE sip:a@b SIP/2.0".to_owned(), CutOff),
        (basic("INVITE sip:a@b SIP/7.0", "CSeq: 1 INVITE"), NotSip),
        (basic("INVITE  sip:a@b  and more SIP/2.0", "CSeq: 1 INVITE"), NotSip),
        (basic("INVITE SIP/2.0", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 4294967301 better", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 +200 OK", "CSeq: 1 INVITE"), NotSip),
        (basic("SIP/2.0 99 early", "CSeq: 1 INVITE"), NotSip),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 8 INVITE"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 36893488147419103232 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 2147483648 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: -1 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "X: y"), Missing("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|CSeq: 2 OPTIONS"), Malformed("CSeq")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|i: other"), Malformed("Call-ID")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: 9999"), CutOff),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: -999"), CutOff),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|l: 1|l: 2"), Malformed("Content-Length")),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|no colon"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|X(y): z"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS|X: \0"), NotAHeader),
        (basic("OPTIONS sip:a@b SIP/2.0", &format!("CSeq: 1 OPTIONS|{too_many}Y: z")), TooManyHeaders),
        (basic("OPTIONS sip:a@b SIP/2.0", &format!("CSeq: 1 OPTIONS|X: {}", "y".repeat(8192))), TooLarge),
        ("OPTIONS sip:a@b SIP/2.0|Via: SIP/2.0/UDP b|From: <sip:a@b>;tag=1|To: |Call-ID: c|CSeq: 1 OPTIONS||".to_owned(), Malformed("To")),
        ("OPTIONS sip:a@b SIP/2.0|From: <sip:a@b>;tag=1|To: <sip:a@b>|Call-ID: c|CSeq: 1 OPTIONS||".to_owned(), Missing("Via")),
    ];
    for (message, expected) in cases {
        assert_eq!(
            read(&message).err(),
            Some(expected),
            "{}",
            message.chars().take(120).collect::<String>()
        );
    }
}

#[test]
fn what_we_write_stays_one_line_each() {
    let draft = Draft::request(&Method::Options, "sip:a@b").header("X", "one\r\nInjected: two\0");
    assert_eq!(
        String::from_utf8(draft.end()).unwrap(),
        "OPTIONS sip:a@b SIP/2.0\r\nX: oneInjected: two\r\nContent-Length: 0\r\n\r\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_datagram_stops_a_machine(datagram in prop::collection::vec(any::<u8>(), 0..600)) {
        feed(&datagram);
    }

    #[test]
    fn no_change_to_a_message_stops_a_machine(
        which in 0..WORDS.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>(), 0..WORDS.len()), 1..8),
    ) {
        let mut message = real(WORDS[which]);
        for (at, change, letter, word) in cuts {
            let at = at.index(message.len() + 1);
            let mut letters = [0; 4];
            match change {
                0 => drop(message.drain(at..(at + 7).min(message.len()))),
                1 => drop(message.splice(at..at, letter.encode_utf8(&mut letters).bytes())),
                2 => drop(message.splice(at..at, WORDS[word].bytes())),
                _ => message.truncate(at.max(20)),
            }
        }
        feed(&message);
    }

    #[test]
    fn no_description_stops_us(text in "([vosctm]=|a=|IN IP[46] |audio|RTP/AVP|rtpmap:|[0-9]{1,9}| |/|\\.|\r\n|[^a]){0,60}") {
        let own = offer("192.0.2.2:20000".parse().unwrap(), &[Codec::Pcmu], Dtmf::Auto, 7);
        for text in [text.clone(), format!("{own}{text}")] {
            let _ = (accept(&text, &own), reanswer(&text, &own, 1));
        }
    }
}

/// Lets every machine see a datagram, and checks that whatever they send is a message of ours.
fn feed(datagram: &[u8]) {
    if let Ok(message) = Message::parse(datagram) {
        let copy = stamped(&message, "192.0.2.1:5060".parse().unwrap());
        let _ = Message::parse(&copy).map(|copy| return_address(&copy));
        let request = matches!(message.start, Start::Request { .. });
        if let Some(answer) = request.then(|| stray::answer(&message)).flatten() {
            prop_read(&answer);
        }
    }
    let time = now();
    let plan = InvitePlan {
        trunk: Arc::new(Trunk::example()),
        number: "+81312345678".parse().ok(),
        hop: Hop::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
        offer: offer("192.0.2.2:20000".parse().unwrap(), &[Codec::Pcmu], Dtmf::Auto, 7),
        patience: Duration::from_secs(8),
        ring: Duration::from_secs(30),
    };
    let mut call = Invite::new(plan, Seed::fixed(1), time);
    let Some(Output::Send(invite)) = call.poll() else { unreachable!("the INVITE comes first") };
    let ringing = Message::parse(&invite).unwrap().respond(180, "a").end();
    let answered = Message::parse(&invite).unwrap().respond(200, "a").end();
    for bytes in [datagram, &ringing, datagram, &answered, datagram] {
        call.handle(Input::Received(bytes), time);
        while let Some(output) = call.poll() {
            if let Output::Send(message) = output {
                prop_read(&message);
            }
        }
    }
    let local = Hop::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap());
    let mut registration =
        Registration::new(Arc::new(Trunk::example()), local, Seed::fixed(1), time);
    registration.handle(registration::Input::Received(datagram), time);
}

fn prop_read(message: &[u8]) {
    let read = Message::parse(message);
    assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(message));
}

/// A message of the call in [`feed`], which its machine believes.
fn real(kind: &str) -> Vec<u8> {
    let mut seed = Seed::fixed(1);
    let (call_id, tag, branch) = (seed.token(), seed.token(), seed.token());
    let (start, cseq, from, to, branch) = match kind.parse::<u16>() {
        Ok(status) => (
            format!("SIP/2.0 {status} x"),
            "1 INVITE".to_owned(),
            &tag,
            "a",
            format!("z9hG4bK{branch}"),
        ),
        Err(_) => (
            format!("{kind} sip:a@b SIP/2.0"),
            format!("7 {kind}"),
            &"a".to_owned(),
            tag.as_str(),
            "z9hG4bKx".to_owned(),
        ),
    };
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch={branch};rport\r\nFrom: <sip:us@b>;tag={from}\r\n\
         To: \"x\" <sip:+81312345678@b>;tag={to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\nRecord-Route: <sip:p;lr>, <sip:q;lr>\r\n\
         Contact: <sip:c@d:5062;ob>\r\nRetry-After: 5 (x)\r\nContent-Type: application/sdp\r\n\
         WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth,auth-int\"\r\n\r\n\
         v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    )
    .into_bytes()
}

fn basic(start: &str, headers: &str) -> String {
    format!(
        "{start}|Via: SIP/2.0/UDP b;branch=z9hG4bKa|From: <sip:a@b>;tag=1|To: <sip:a@b>|Call-ID: c|{headers}||"
    )
}

fn read(message: &str) -> Result<Message, ParseError> {
    Message::parse(message.replace('|', "\r\n").as_bytes())
}

const WORDS: [&str; 16] = [
    "180", "200", "401", "407", "486", "503", "INVITE", "BYE", "INFO", "UPDATE", "CANCEL",
    "OPTIONS", "ACK", "NOTIFY", "FOO", "100",
];
