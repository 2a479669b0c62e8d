//! What a packet costs in memory: nothing.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use offhook::clock;
use offhook::media::Negotiated;
use offhook::media::codec::{Clip, Codec, FRAME_BYTES};
use offhook::media::stream::{PACKET_BYTES_MAX, Stream};
use offhook::media::take::Take;
use rtp_rs::{RtpPacketBuilder, Seq};

/// The system's allocator, which counts what this thread asks of it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn no_packet_of_a_call_allocates() {
    let remote: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let agreed = Negotiated {
        remote,
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        tones: true,
        packet_ms: 20,
        sending: true,
    };
    let start = clock::now();
    let mut stream = Stream::new(agreed, remote.ip(), 7, Duration::from_secs(30), start);
    stream.play(Arc::new(Clip::encode(Codec::Pcmu, &[8000; 500 * FRAME_BYTES])), 1);
    stream.record(Box::new(Take::new(Codec::Pcmu, Duration::from_secs(60), start)));

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
        stream.receive(remote, &arriving[..len], now);
        stream.receive("192.0.2.66:9".parse().unwrap(), &arriving[..len], now);
        stream.next(&mut packet);
        stream.silent(now);
        stream.recorded(now);
    };
    turn(0);
    let before = ASKED.get();
    (1..2000).for_each(turn);
    assert_eq!(ASKED.get() - before, 0, "for 2,000 packets each way");
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ASKED.get() - before, 1, "the counter counts");
}
