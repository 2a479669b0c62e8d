//! A million changed SIP messages, session descriptions and RTP packets: none panics, none makes us grow.
//!
//! `OFFHOOK_MUTATIONS=100000000 cargo test --release --test mutations` goes on for longer, `OFFHOOK_SEED` elsewhere.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use offhook::clock;
use offhook::media::codec::Codec;
use offhook::media::stream::{PACKET_BYTES_MAX, Patience, Stream};
use offhook::media::take::Take;
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::message::Message;
use offhook::sip::offer_answer::{accept, offer, protect, reanswer};
use offhook::sip::stray;
use offhook::sip::trunk::{Dtmf, Srtp, Transport, Trunk};
use offhook::sip::via::Hop;
use rtp_rs::{RtpPacketBuilder, Seq};

/// Each of the three gets its part of the million; the dear ones less.
const MILLION: u64 = 1_000_000;

#[test]
fn changed_messages_stop_no_call() {
    let mut mutator = Mutator::new(SIP_WORDS);
    let trunk = Arc::new(trunk());
    let own = offer(RTP.parse().unwrap(), &[Codec::Pcmu, Codec::Pcma], Dtmf::Auto, 1);
    let mut answered = 0;
    for _ in 0..share(15) {
        let now = clock::now();
        let plan = InvitePlan {
            trunk: trunk.clone(),
            number: "+81312345678".parse().ok(),
            hop: Hop::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
            offer: own.clone(),
            patience: Duration::from_secs(8),
            ring: Duration::from_secs(30),
        };
        let mut call = Invite::new(plan, Seed::fixed(1), now);
        let Some(Output::Send(invite)) = call.poll() else {
            unreachable!("the INVITE comes first")
        };
        let invite = Message::parse(&invite).unwrap();
        // A call that is answered, and what the far end may ask in it.
        let ok = invite.respond(200, "far").header("Contact", "<sip:far@192.0.2.1>");
        let ok = ok.body("application/sdp", ANSWER);
        let ringing = invite.respond(180, "far").end();
        let ask = |method: &str| {
            format!(
                "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{method}\r\n\
                 From: {};tag=far\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 7 {method}\r\nContact: <sip:far@192.0.2.1>\r\n\
                 Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{ANSWER}",
                invite.to.text, invite.from.text, invite.call_id, ANSWER.len()
            )
            .into_bytes()
        };
        for message in [ringing, ok, ask("INVITE"), ask("INFO"), ask("UPDATE"), ask("BYE")] {
            let changed = mutator.change(&message);
            if let Ok(read) = Message::parse(&changed) {
                answered += u64::from(stray::answer(&read).is_some());
            }
            call.handle(Input::Received(&changed), now);
            while let Some(output) = call.poll() {
                if let Output::Send(sent) = output {
                    assert!(Message::parse(&sent).is_ok(), "{}", String::from_utf8_lossy(&sent));
                }
            }
        }
    }
    assert!(answered > 0, "nothing was left of any message");
}

#[test]
fn changed_descriptions_stop_no_call() {
    let mut mutator = Mutator::new(SDP_WORDS);
    let codecs = [Codec::Pcmu, Codec::Pcma];
    let own = offer(RTP.parse().unwrap(), &codecs, Dtmf::Auto, 1);
    let own = protect(own, Srtp::Optional, &mut Seed::fixed(1));
    let mut accepted = 0;
    for round in 0..share(4) {
        let seed = if round % 2 == 0 { ANSWER } else { &own };
        let changed = mutator.change(seed.as_bytes());
        let Ok(changed) = std::str::from_utf8(&changed) else { continue };
        if let Ok(agreed) = accept(changed, &own) {
            assert!((10..=60).contains(&agreed.packet_ms));
            accepted += 1;
        }
        if let Ok((answer, _)) = reanswer(changed, &own, round) {
            assert!(answer.len() < 16_384, "an answer of {} bytes", answer.len());
        }
    }
    assert!(accepted > 0, "nothing was left of any description");
}

#[test]
fn changed_packets_stop_no_stream() {
    let mut mutator = Mutator::new(&[]);
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let own = offer(RTP.parse().unwrap(), &[Codec::Pcmu], Dtmf::Auto, 1);
    let agreed = Dtmf::Inband.heard(accept(ANSWER, &own).unwrap());
    let start = clock::now();
    let patience = Patience::with_silence(Duration::from_secs(30));
    let stream = || Stream::new(agreed.clone(), far.ip(), 7, patience, start);
    let (mut hears, mut out) = (stream(), [0; PACKET_BYTES_MAX]);
    for round in 0..share(2) {
        let now = start + Duration::from_millis(20) * (round % 5000) as u32;
        if round % 5000 == 0 {
            hears = stream();
            hears.record(Box::new(Take::new(Codec::Pcmu, Duration::from_secs(60), now)));
        }
        let (kind, payload) = match round % 3 {
            0 => (101, vec![5, 10, 0, 160]),
            1 => (0, vec![round as u8; 160]),
            // A report (RFC 3550 §6.4) that went to the wrong port.
            _ => (72, vec![0; 24]),
        };
        let packet = RtpPacketBuilder::new()
            .payload_type(kind)
            .sequence(Seq::from(round as u16))
            .timestamp(round as u32 * 160)
            .ssrc(9)
            .payload(&payload)
            .build()
            .unwrap();
        hears.receive(far, &mut mutator.change(&packet), now);
        hears.next(&mut out);
        hears.recorded(now);
    }
    let quality = hears.quality();
    assert!(quality.received > 0 && quality.refused > 0, "{quality}");
}

/// Changes bytes, and takes away, repeats and puts in pieces.
struct Mutator {
    seed: Seed,
    words: &'static [&'static str],
    before: u64,
}

impl Mutator {
    fn new(words: &'static [&'static str]) -> Self {
        let seed = std::env::var("OFFHOOK_SEED").map_or(1, |seed| seed.parse().unwrap());
        Self { seed: Seed::fixed(seed), words, before: resident_kb() }
    }

    fn change(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..self.seed.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(40)).min(bytes.len());
            match self.seed.below(7) {
                0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8)),
                1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = at as u8),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let piece = bytes[at..end].to_vec();
                    let times = 1 + self.below(30);
                    drop(bytes.splice(at..at, piece.repeat(times)));
                }
                4 => bytes.truncate(at),
                5 if !self.words.is_empty() => {
                    let word = self.words[self.below(self.words.len())];
                    drop(bytes.splice(at..at, word.bytes()));
                }
                _ => bytes.iter_mut().skip(at).take(end - at).for_each(|byte| *byte = b'9'),
            }
        }
        bytes
    }

    fn below(&mut self, end: usize) -> usize {
        self.seed.below(end.max(1) as u64) as usize
    }
}

impl Drop for Mutator {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let grown = resident_kb().saturating_sub(self.before);
            assert!(grown < 64 * 1024, "grown by {grown} KB");
        }
    }
}

fn share(part: u64) -> u64 {
    let all = std::env::var("OFFHOOK_MUTATIONS").map_or(MILLION, |all| all.parse().unwrap());
    all / part
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn trunk() -> Trunk {
    Trunk {
        name: "test".to_owned(),
        ..Trunk::plain("sip:192.0.2.1".parse().unwrap(), "sip:offhook@192.0.2.2")
    }
}

const RTP: &str = "192.0.2.2:20000";
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
const SIP_WORDS: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    ";tag=",
    "\"",
    "<",
    ">",
    ";lr",
    "Record-Route: <sip:x;lr>\r\n",
    "Require: 100rel\r\n",
    "RSeq: 1\r\n",
    "Session-Expires: 90;refresher=uac\r\n",
    "Content-Type: multipart/mixed;boundary=x\r\n",
    "\r\n--x\r\nContent-Type: application/sdp\r\n\r\n",
    "Unsupported: timer\r\n",
    "Reason: Q.850;cause=17\r\n",
    "Via: ",
    "Contact: *\r\n",
    "%00",
    "\0",
    "99999999999999999999",
    "-1",
    ",",
    "sips:",
    "[::1]",
    "\u{e9}",
    "Content-Length: 0\r\n",
];
const SDP_WORDS: &[&str] = &[
    "\r\n",
    "m=audio 0 RTP/AVP 0\r\n",
    "a=ptime:",
    "a=rtpmap:",
    "99999999999",
    "-",
    "/",
    " ",
    "a=inactive\r\n",
    "IN IP6 ::",
    "c=",
    "0.0.0.0",
    "\0",
    "\u{e9}",
    "=",
    "v=0",
];
