//! Packets of sound, keys and reports.

use std::net::SocketAddr;
use std::time::Duration;

use offhook::clock;
use offhook::media::codec::Codec;
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::media::reports::REPORT_BYTES_MAX;
use offhook::media::stream::{MediaTimeouts, PACKET_BYTES_MAX, Stream};
use offhook::media::{MediaEvent, Negotiated, PayloadFormat};
use rtp_rs::{RtpPacketBuilder, Seq};

use crate::messages::STEPS_MAX;
use crate::tape::{Tape, changed, long};

#[test]
fn no_packet_stops_a_stream() {
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let codec = *tape.one_of(&[Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus]);
        let choices = tape.byte();
        let agreed = Negotiated {
            remote: far,
            codec,
            payload_type: 0,
            events_payload_type: (choices & 1 != 0).then_some(101),
            formats: match choices & 8 {
                0 => vec![],
                _ => vec![
                    (8, PayloadFormat::Audio(Codec::Pcma)),
                    (111, PayloadFormat::Audio(Codec::Opus)),
                    (102, PayloadFormat::Events { ticks_per_ms: 48 }),
                ],
            },
            tones: choices & 2 != 0,
            packet_ms: *tape.one_of(&[20, 10, 30, 40, 60]),
            sending: choices & 4 == 0,
            keys: None,
        };
        let mut now = clock::now();
        let mut stream = Stream::new(
            agreed.clone(),
            far.ip(),
            7,
            MediaTimeouts::with_silence(Duration::from_secs(30)),
            now,
        );
        if choices & 8 != 0 {
            stream.record(Box::new(RecordingBuffer::new(codec, Duration::from_secs(5), now)));
        }
        if choices & 16 != 0 {
            stream.detect_machine();
        }
        let (mut sequence, mut timestamp) = (65_530_u16, u32::MAX - 1000);
        for _ in 0..STEPS_MAX * 2 {
            let step = tape.byte();
            // Time, the number and the clock go on as they do, or leap.
            now += Duration::from_millis(if step & 1 == 0 { 20 } else { tape.below(5000) as u64 });
            let leap = if step & 2 == 0 { 0 } else { tape.below(1 << 16) as u32 };
            sequence = sequence.wrapping_add(1).wrapping_add(leap as u16);
            timestamp = timestamp.wrapping_add(160).wrapping_add(leap.wrapping_mul(leap));
            let (long, event) = ([step; 400], [step % 17, 0x8a, 3, 0x20]);
            let (kind, payload) = match step >> 2 & 7 {
                0 | 1 => (101, &event[..]),
                // A report (RFC 3550 §6.4) that went to the wrong port.
                2 => (72, &long[..24]),
                3 => (13, &[40][..]),
                4 => (0, tape.piece(200)),
                _ => (0, &long[..tape.below(400)]),
            };
            let packet = RtpPacketBuilder::new()
                .payload_type(kind)
                .sequence(Seq::from(sequence))
                .timestamp(timestamp)
                .ssrc(9 + u32::from(step > 250))
                .payload(payload)
                .build()
                .unwrap();
            if let Some(MediaEvent::Key(key)) =
                stream.receive(far, &mut tape.change(&packet, &[]), now)
            {
                assert!("0123456789*#ABCD".contains(key), "{key}");
            }
            let mut out = [0; PACKET_BYTES_MAX];
            let (sent, _) = stream.next(&mut out);
            assert!(agreed.sending || sent.is_none(), "it is on hold");
            stream.recorded(now);
            stream.silent(now);
            if tape.is_over() {
                break;
            }
        }
        if let Some(take) = stream.stop_recording(now) {
            // Five seconds of the telephone's band, and what belongs to the last packet.
            assert!(take.samples().len() <= 6 * 8000, "{} samples", take.samples().len());
            assert!(take.voice() <= take.length() + Duration::from_secs(1));
            assert!(RecordingBuffer::from_bytes(&take.to_bytes(), now).is_ok());
        }
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(9000).for_each(|tape| run(&tape));
    println!("{} packets", changed());
}

#[test]
fn no_report_stops_a_stream() {
    let (far, now) = ("192.0.2.1:4000".parse::<SocketAddr>().unwrap(), clock::now());
    let agreed = Negotiated {
        remote: far,
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: None,
        formats: vec![],
        tones: false,
        packet_ms: 20,
        sending: true,
        keys: None,
    };
    let report = {
        let mut far_end = Stream::new(
            agreed.clone(),
            far.ip(),
            9,
            MediaTimeouts::with_silence(Duration::from_secs(30)),
            now,
        );
        let sound =
            RtpPacketBuilder::new().payload_type(0).ssrc(7).payload(&[0xff; 160]).build().unwrap();
        let mut report = [0; REPORT_BYTES_MAX];
        far_end.next(&mut [0; PACKET_BYTES_MAX]);
        far_end.receive(far, &mut sound.clone(), now);
        let length = far_end.report(&mut report, now + Duration::from_secs(60)).unwrap();
        report[..length].to_vec()
    };
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let mut now = now;
        let mut stream = Stream::new(
            agreed.clone(),
            far.ip(),
            7,
            MediaTimeouts::with_silence(Duration::from_secs(30)),
            now,
        );
        for _ in 0..STEPS_MAX {
            let step = tape.byte();
            now += Duration::from_millis(u64::from(step) * 100);
            let original = if step.is_multiple_of(8) { tape.piece(200) } else { &report };
            let port = if step % 16 == 1 { far } else { SocketAddr::new(far.ip(), 4001) };
            stream.read_report(port, &mut tape.change(original, &[]), now);
            let mut out = [0; REPORT_BYTES_MAX];
            stream.report(&mut out, now);
            assert!(stream.quality().round_trip_ms.is_none_or(|ms| ms <= 60_000));
            if tape.is_over() {
                break;
            }
        }
        stream.farewell(&mut [0; REPORT_BYTES_MAX], now).unwrap();
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(22000).for_each(|tape| run(&tape));
    println!("{} reports", changed());
}
