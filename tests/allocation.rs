//! What packets and messages cost in memory: nothing, and nothing for long; and what a call keeps.
//!
//! `OFFHOOK_MESSAGES=1000000 cargo test --release --test allocation` lets a call hear a million.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook::clock;
use offhook::media::Negotiated;
use offhook::media::codec::{Clip, Codec, FRAME_BYTES};
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::media::srtp::{Keys, MasterKey, Outbound, Suite};
use offhook::media::stream::{MediaTimeouts, PACKET_BYTES_MAX, Stream};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::message::Message;
use offhook::sip::offer_answer::offer;
use offhook::sip::registration::{self, Registration};
use offhook::sip::trunk::{Credentials, Dtmf, Transport, Trunk};
use offhook::sip::via::LocalAddr;
use rtp_rs::{RtpPacketBuilder, Seq};

/// The system's allocator, which counts what this thread asks of it and has of it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
    /// What is not given back yet.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        HELD.set(HELD.get() + layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        HELD.set(HELD.get() + size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as i64);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn no_packet_of_a_call_allocates() {
    no_packet_allocates(None);
    for suite in Suite::ALL {
        no_packet_allocates(Some(suite));
    }
}

fn no_packet_allocates(suite: Option<Suite>) {
    let key =
        |suite: Suite, octet| MasterKey::new(suite, &vec![octet; suite.secret_octets()]).unwrap();
    let keys = suite.map(|suite| Arc::new(Keys { ours: key(suite, 1), theirs: key(suite, 2) }));
    let far = suite.map(|suite| Outbound::new(key(suite, 2), 0));
    let remote: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let agreed = Negotiated {
        remote,
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        formats: vec![],
        tones: true,
        packet_ms: 20,
        sending: true,
        keys,
    };
    let start = clock::now();
    let mut stream = Stream::new(
        agreed,
        remote.ip(),
        7,
        MediaTimeouts::with_silence(Duration::from_secs(30)),
        start,
    );
    stream.play(Arc::new(Clip::encode(Codec::Pcmu, &[8000; 500 * FRAME_BYTES])), 1);
    stream.record(Box::new(RecordingBuffer::new(Codec::Pcmu, Duration::from_secs(60), start)));

    let (mut packet, mut arriving) = ([0; PACKET_BYTES_MAX], [0; PACKET_BYTES_MAX]);
    let mut turn = |number: u32| {
        let now = start + Duration::from_millis(20) * number;
        let sound = [number as u8; FRAME_BYTES];
        let event = [5, 10, 0, 160];
        let (kind, payload) =
            if number.is_multiple_of(50) { (101, &event[..]) } else { (0, &sound[..]) };
        let len = RtpPacketBuilder::new()
            .payload_type(kind)
            .sequence(Seq::from(number as u16))
            .timestamp(number * 160)
            .ssrc(9)
            .payload(payload)
            .build_into(&mut arriving)
            .unwrap();
        let len = match &far {
            Some(far) => far.packet(&mut arriving, len, number.into()).unwrap(),
            None => len,
        };
        stream.receive("192.0.2.66:9".parse().unwrap(), &mut arriving[..len], now);
        stream.receive(remote, &mut arriving[..len], now);
        stream.next(&mut packet);
        stream.silent(now);
        stream.recorded(now);
    };
    turn(0);
    let before = ASKED.get();
    (1..2000).for_each(turn);
    assert_eq!(ASKED.get() - before, 0, "for 2,000 packets each way, {suite:?}");
    assert_eq!(stream.quality().received, 2000, "{suite:?}");
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ASKED.get() - before, 1, "the counter counts");
}

#[test]
fn an_answered_call_keeps_a_few_kilobytes_of_signalling_and_sound() {
    let local: SocketAddr = "192.0.2.9:5060".parse().unwrap();
    let trunk = Arc::new(Trunk::plain("sip:192.0.2.1".parse().unwrap(), "sip:offhook@192.0.2.9"));
    let now = clock::now();
    // The numbering plans are read once, for the first number.
    let number = "+81312345678".parse().ok();
    let before = HELD.get();
    let plan = InvitePlan {
        trunk,
        number,
        local_addr: LocalAddr { transport: Transport::Udp, local, public: local },
        offer: offer(local, &[Codec::Pcmu, Codec::Pcma], Dtmf::Auto, 1),
        patience: Duration::from_secs(32),
        setup: Duration::from_secs(30),
        ring: Duration::from_secs(30),
    };
    let mut invite = Invite::new(plan, Seed::fixed(1), now);
    let Some(Output::Send(sent)) = invite.poll() else { unreachable!("an INVITE is the first") };
    let sent = String::from_utf8(sent).unwrap();
    for status in ["180 Ringing", "200 OK"] {
        let kept = ["Via", "From", "To", "Call-ID", "CSeq"];
        let head: Vec<_> = sent
            .lines()
            .filter(|line| kept.iter().any(|name| line.starts_with(&format!("{name}:"))))
            .map(|line| if line.starts_with("To:") { format!("{line};tag=b") } else { line.into() })
            .collect();
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
        let response = format!(
            "SIP/2.0 {status}\r\n{}\r\nContact: <sip:b@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            head.join("\r\n"),
            sdp.len()
        );
        invite.handle(Input::Received(response.as_bytes()), now);
        while invite.poll().is_some() {}
    }
    drop(sent);
    let signalling = HELD.get() - before + size_of::<Invite>() as i64;
    assert!(invite.deadline().is_some() && !invite.is_settled(), "it is being talked");
    assert!((2000..7000).contains(&signalling), "{signalling} bytes");
    assert!(size_of::<Stream>() <= 1296, "{} bytes", size_of::<Stream>());
}

#[test]
fn a_call_holds_no_more_however_much_it_hears() {
    let start = clock::now();
    let trunk = Arc::new(trunk());
    let sdp = offer("192.0.2.1:4000".parse().unwrap(), &[Codec::Pcmu], Dtmf::Auto, 1);
    let plan = InvitePlan {
        trunk: trunk.clone(),
        number: "+81312345678".parse().ok(),
        local_addr: local_addr(),
        offer: sdp.clone(),
        patience: Duration::from_secs(8),
        setup: Duration::from_secs(30),
        ring: Duration::from_secs(30),
    };
    let mut call = Invite::new(plan, Seed::fixed(1), start);
    let Some(Output::Send(sent)) = call.poll() else { unreachable!("the INVITE comes first") };
    let sent = Message::parse(&sent).unwrap();
    let respond = |status, tag: &str| {
        let response = sent.respond(status, tag).header("Contact", "<sip:far@192.0.2.1>");
        response.header("RSeq", "1").header("Require", "100rel").body("application/sdp", &sdp)
    };
    let hear = |call: &mut Invite, message: &[u8], now: Instant| {
        call.handle(Input::Received(message), now);
        call.handle(Input::Tick, now);
        while call.poll().is_some() {}
    };
    for status in [180, 183, 200] {
        hear(&mut call, &respond(status, "far"), start);
    }
    let methods = ["INFO", "OPTIONS", "UPDATE", "INVITE", "ACK", "NOTIFY", "PRACK", "CANCEL"];
    let grown = holds_the_same(|number| {
        let now = start + Duration::from_millis(number);
        let method = methods[number as usize % methods.len()];
        let request = format!(
            "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\nFrom: {};tag=far\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\nContact: <sip:far{number}@192.0.2.1>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sent.to.text,
            sent.from.text,
            sent.call_id,
            sdp.len()
        );
        hear(&mut call, request.as_bytes(), now);
        // One more phone answers, or rings, each time.
        hear(
            &mut call,
            &respond(if number % 2 == 0 { 200 } else { 183 }, &format!("{number}")),
            now,
        );
    });
    println!("a call holds {grown} octets more in the end");
}

#[test]
fn a_binding_holds_no_more_however_much_it_hears() {
    let start = clock::now();
    let mut binding = Registration::new(Arc::new(trunk()), local_addr(), Seed::fixed(1), start);
    let mut asked = None;
    let grown = holds_the_same(|number| {
        let now = start + Duration::from_secs(number * 10);
        while let Some(output) = binding.poll() {
            if let registration::Output::Send(sent) = output {
                asked = Some(Message::parse(&sent).unwrap());
            }
        }
        let status = [200, 401, 423, 503, 407, 200][number as usize % 6];
        let response = asked.as_ref().unwrap().respond(status, &format!("{number}"));
        let challenge = format!("Digest realm=\"{number}\", nonce=\"{number}\", stale=true");
        let response =
            response.header("WWW-Authenticate", &challenge).header("Min-Expires", "9999");
        binding.handle(registration::Input::Received(&response.end()), now);
        binding.handle(registration::Input::Tick, now);
    });
    println!("a binding holds {grown} octets more in the end");
}

/// How many octets more are held after very many inputs than after a thousand.
fn holds_the_same(mut input: impl FnMut(u64)) -> i64 {
    let many = std::env::var("OFFHOOK_MESSAGES").map_or(20_000, |many| many.parse().unwrap());
    (1..1000).for_each(&mut input);
    let before = HELD.get();
    (1000..many).for_each(&mut input);
    let grown = HELD.get() - before;
    assert!(grown < 16 * 1024, "{grown} octets more after {many} than after a thousand");
    grown
}

fn local_addr() -> LocalAddr {
    LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap())
}

fn trunk() -> Trunk {
    let (username, password) = ("x".to_owned(), "y".into());
    Trunk {
        credentials: Some(Credentials { username, password }),
        register: true,
        ..Trunk::plain("sip:192.0.2.1".parse().unwrap(), "sip:offhook@192.0.2.2")
    }
}
