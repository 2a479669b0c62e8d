//! Datagrams, connections, descriptions and challenges.

use offhook::clock;
use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::digest::Digest;
use offhook::sip::framing::{Framer, Piece};
use offhook::sip::message::{Message, Start};
use offhook::sip::offer_answer::{accept, offer, protect, reanswer, reoffer};
use offhook::sip::out_of_dialog;
use offhook::sip::probe::Probe;
use offhook::sip::trunk::{Dtmf, Srtp, Transport};
use offhook::sip::via::{LocalAddr, return_address, stamped};

use crate::corpus::{ANSWER, CHALLENGE, DESCRIPTIONS, MESSAGES, NAMES, SDP, SIP, trunk};
use crate::tape::{Tape, changed, long};

#[test]
fn what_rfc_4475_wants_taken_is_taken_and_what_it_wants_refused_is_refused() {
    let (mut taken, mut refused) = (vec![], vec![]);
    for (name, message) in NAMES.iter().zip(MESSAGES.iter()) {
        let Some(name) = name.strip_prefix("rfc4475-") else { continue };
        let verdict = if Message::parse(message).is_ok() { &mut taken } else { &mut refused };
        verdict.push(name);
    }
    // More is taken than must be: what is wrong in headers that we do not read harms nobody.
    assert_eq!(taken.join(" "), TAKEN);
    assert_eq!(refused.join(" "), REFUSED);
}

#[test]
fn no_datagram_stops_the_user_agent() {
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let local_addr = LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap());
        let mut probe = Probe::new(&trunk("offhook"), local_addr, Seed::fixed(1), clock::now());
        let asked = Message::parse(&probe.poll().unwrap()).unwrap();
        for _ in 0..STEPS_MAX {
            let answer = asked.respond(200, "far").end();
            let original = match tape.byte() % 8 {
                0 => answer.as_slice(),
                1 => tape.piece(300),
                _ => tape.one_of(&MESSAGES),
            };
            let datagram = tape.change(original, SIP);
            probe.handle(Some(&datagram), clock::now());
            let Ok(message) = Message::parse(&datagram) else { continue };
            let source = "[2001:db8::1]:5060".parse().unwrap();
            let copy = stamped(&message, source);
            if let Ok(copy) = Message::parse(&copy) {
                return_address(&copy);
            }
            if let Start::Request { .. } = message.start
                && let Some(answer) = out_of_dialog::answer(&message)
            {
                assert_is_sip(&answer);
            }
            if tape.is_over() {
                break;
            }
        }
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(8000).for_each(|tape| run(&tape));
    println!("{} datagrams", changed());
}

#[test]
fn a_connection_is_cut_the_same_wherever_its_pieces_break() {
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let size = 1 + tape.below(1500);
        let mut stream = vec![];
        while !tape.is_over() && stream.len() < 20_000 {
            match tape.byte() % 6 {
                0 => stream.extend_from_slice(b"\r\n\r\n"),
                1 => stream.extend_from_slice(tape.piece(100)),
                _ => {
                    let message = tape.one_of(&MESSAGES);
                    stream.extend(tape.change(message, SIP));
                }
            }
        }
        let whole = cut(&stream, stream.len().max(1));
        assert_eq!(cut(&stream, size), whole, "in pieces of {size}");
        for piece in whole {
            drop(Message::parse(&piece));
        }
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(1800).for_each(|tape| run(&tape));
    println!("{} pieces of connections", changed());
}

/// The messages until the first error; a ping is an empty one.
fn cut(stream: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (mut framer, mut told) = (Framer::default(), vec![]);
    for bytes in stream.chunks(size) {
        framer.push(bytes);
        loop {
            match framer.cut() {
                Ok(Some(Piece::Message(message))) => told.push(message),
                Ok(Some(Piece::Ping)) => told.push(vec![]),
                Ok(None) => break,
                Err(_) => return told,
            }
        }
    }
    told
}

#[test]
fn no_description_stops_a_call() {
    let all = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
    let own = offer("192.0.2.2:20000".parse().unwrap(), &all, Dtmf::Auto, 1);
    let secure = protect(own.clone(), Srtp::Required, &mut Seed::fixed(1));
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        for _ in 0..STEPS_MAX {
            let original = match tape.byte() % 5 {
                0 => own.as_str(),
                4 => secure.as_str(),
                1 => ANSWER,
                _ => tape.one_of(&DESCRIPTIONS),
            };
            let changed = tape.change(original.as_bytes(), SDP);
            let Ok(changed) = std::str::from_utf8(&changed) else { continue };
            if let Ok(agreed) = accept(changed, &own) {
                assert!((10..=60).contains(&agreed.packet_ms), "{agreed:?}");
                assert!(agreed.payload_type < 128 && agreed.remote.port() > 0, "{agreed:?}");
            }
            if let Ok((answer, agreed)) = reanswer(changed, &own, 2) {
                assert!(answer.len() < 16_384, "an answer of {} octets", answer.len());
                // What we answer is a description that we could take ourselves.
                let ours = accept(&answer, &own).map(|ours| ours.codec);
                assert_eq!(ours, Ok(agreed.codec), "{answer}");
            }
            for agreed in
                [accept(changed, &secure), reanswer(changed, &secure, 2).map(|(_, it)| it)]
            {
                assert!(
                    agreed.is_err() || agreed.unwrap().keys.is_some(),
                    "in the clear: {changed}"
                );
            }
            let _ = reoffer(changed, 3);
            if tape.is_over() {
                break;
            }
        }
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(7000).for_each(|tape| run(&tape));
    println!("{} descriptions", changed());
}

#[test]
fn no_challenge_makes_us_write_more_than_an_answer() {
    let local_addr = LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap());
    let trunk = trunk("off\"h\\ook\u{e9}");
    let asked = Probe::new(&trunk, local_addr, Seed::fixed(1), clock::now()).poll().unwrap();
    let asked = Message::parse(&asked).unwrap();
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let mut digest = Digest::new(trunk.credentials.as_ref());
        for _ in 0..8 {
            let status = *tape.one_of(&[401, 407, 401]);
            let mut response = asked.respond(status, "far");
            for _ in 0..=tape.byte() % 4 {
                let challenge = *tape.one_of(&CHALLENGES);
                let challenge = tape.change(challenge, CHALLENGE);
                let name = *tape.one_of(&["WWW-Authenticate", "Proxy-Authenticate"]);
                response = response.header(name, &String::from_utf8_lossy(&challenge));
            }
            let Ok(challenge) = Message::parse(&response.end()) else { continue };
            for (name, value) in digest.answer(&challenge, &asked).unwrap_or_default() {
                assert!(name == "Authorization" || name == "Proxy-Authorization", "{name}");
                assert!(value.len() < 8192 && !value.contains(['\r', '\n', '\0']), "{value:?}");
            }
        }
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(3000).for_each(|tape| run(&tape));
    println!("{} challenges", changed());
}

/// Whatever we send can be read.
pub(crate) fn assert_is_sip(sent: &[u8]) -> Message {
    match Message::parse(sent) {
        Ok(message) => message,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(sent)),
    }
}

/// How much happens in one input at most.
pub(crate) const STEPS_MAX: usize = 40;

const CHALLENGES: [&[u8]; 4] = [
    b"Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth,auth-int\", opaque=\"o\"",
    b"Digest realm=\"fritz.box\", nonce=\"7FA56A5D0D9AF8B6\"",
    b"Digest realm=\"asterisk\",nonce=\"1700000000/8e5b\",opaque=\"5ccc\",algorithm=SHA-256,qop=\"auth\",stale=true",
    b"Basic realm=\"x\", Digest realm=\"y\", nonce=\"z\", algorithm=SHA-512-256",
];

const TAKEN: &str = "badbranch baddate baddn badinv01 bcast dblreq esc01 esc02 escnull escruri intmeth inv2543 ltgtruri lwsdisp \
    mpart01 noreason quotbal regbadct semiuri transports trws unreason wsinv zeromf";
const REFUSED: &str = "bigcode clerr insuf lwsruri mismatch02 multi01 ncl scalar02 scalarlg";
