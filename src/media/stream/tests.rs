//! Timelines of one stream.

use super::*;
use crate::clock;
use crate::media::codec::{Codec, FRAME_BYTES};

fn agreed() -> Negotiated {
    Negotiated {
        remote: "192.0.2.1:4000".parse().unwrap(),
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        tones: false,
        packet_ms: 20,
        sending: true,
    }
}

fn stream() -> Stream {
    Stream::new(
        agreed(),
        "192.0.2.9".parse().unwrap(),
        0xfff0_ffff_ffff_fff0,
        Duration::from_secs(30),
        clock::now(),
    )
}

fn rtp(payload_type: u8, ssrc: u32, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let builder =
        RtpPacketBuilder::new().payload_type(payload_type).ssrc(ssrc).timestamp(timestamp);
    builder.payload(payload).build().unwrap()
}

fn press(key: u8, ssrc: u32, timestamp: u32) -> Vec<u8> {
    rtp(101, ssrc, timestamp, &[key, 10, 0, 160])
}

#[test]
fn packets_count_up_and_the_first_is_marked() {
    let mut stream = stream();
    let mut last: Option<(u16, u32)> = None;
    for number in 0..40 {
        let mut packet = [0; PACKET_BYTES_MAX];
        let (len, _) = stream.next(&mut packet);
        let read = RtpReader::new(&packet[..len.unwrap()]).unwrap();
        assert_eq!(read.mark(), number == 0);
        assert_eq!(read.payload(), [0xff; FRAME_BYTES], "silence when nothing plays");
        let (sequence, timestamp) = (u16::from(read.sequence_number()), read.timestamp());
        if let Some((before, then)) = last {
            assert_eq!((sequence, timestamp), (before.wrapping_add(1), then.wrapping_add(160)));
        }
        last = Some((sequence, timestamp));
    }
}

#[test]
fn clips_play_in_order_and_tell_their_ends_and_hush_drops_them() {
    let clip = |level: i16, frames: usize| {
        Arc::new(Clip::encode(Codec::Pcmu, &vec![level; frames * FRAME_BYTES]))
    };
    let mut stream = stream();
    stream.play(clip(8000, 2), 1);
    stream.play(clip(-8000, 1), 2);
    let mut told = vec![];
    let mut packet = [0; PACKET_BYTES_MAX];
    for _ in 0..4 {
        let (_, ended) = stream.next(&mut packet);
        told.push((packet[12], ended));
    }
    let (high, low) = (clip(8000, 1).frame(0).unwrap()[0], clip(-8000, 1).frame(0).unwrap()[0]);
    let expected =
        [(high, None), (high, None), (low, Some(Event::Played(1))), (0xff, Some(Event::Played(2)))];
    assert_eq!(told, expected);
    stream.play(clip(8000, 5), 3);
    stream.next(&mut packet);
    stream.hush();
    assert_eq!(stream.next(&mut packet).1, None);
    assert_eq!(packet[12], 0xff);
}

#[test]
fn longer_and_shorter_packets_carry_the_same_sound() {
    let samples: Vec<i16> = (0..1600).map(|at| at * 20).collect();
    let clip = Arc::new(Clip::encode(Codec::Pcmu, &samples));
    for packet_ms in [10, 20, 30, 40, 60] {
        let mut stream = stream();
        stream.renegotiate(Negotiated { packet_ms, ..agreed() }, clock::now());
        stream.play(clip.clone(), 1);
        let (mut sound, mut next) = (vec![], None);
        loop {
            let mut packet = [0; PACKET_BYTES_MAX];
            let (len, ended) = stream.next(&mut packet);
            if ended.is_some() {
                break;
            }
            let read = RtpReader::new(&packet[..len.unwrap()]).unwrap();
            assert_eq!(read.payload().len(), usize::from(packet_ms) * OCTETS_PER_MS);
            assert!(next.is_none_or(|next| next == read.timestamp()));
            next = Some(read.timestamp().wrapping_add(read.payload().len() as u32));
            sound.extend_from_slice(read.payload());
        }
        assert_eq!(&sound[..1600], clip.sound(0, 200), "{packet_ms} ms");
        assert!(sound[1600..].iter().all(|octet| *octet == 0xff), "silence behind the end");
    }
}

#[test]
fn only_the_peer_is_heard() {
    let named: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let other_port: SocketAddr = "192.0.2.1:5000".parse().unwrap();
    let stranger: SocketAddr = "192.0.2.66:4000".parse().unwrap();
    let now = clock::now();

    let mut fixed = stream();
    assert_eq!(fixed.receive(named, &press(1, 7, 100), now), Some(Event::Key('1')));
    for timestamp in [200, 300, 400, 500, 600, 700] {
        assert_eq!(fixed.receive(stranger, &press(9, 7, timestamp), now), None, "another host");
        assert_eq!(fixed.receive(other_port, &press(9, 7, timestamp), now), None, "another port");
        assert_eq!(
            fixed.receive(named, &rtp(99, 7, timestamp, &[9, 10, 0, 160]), now),
            None,
            "another type"
        );
    }
    assert_eq!(fixed.receive(named, &press(2, 7, 800), now), Some(Event::Key('2')));
    assert_eq!(fixed.remote(), named);

    let trunk: SocketAddr = "192.0.2.9:7000".parse().unwrap();
    let mut through_trunk = stream();
    let heard = (1..=4).filter_map(|n| through_trunk.receive(trunk, &press(1, 7, n * 1000), now));
    assert_eq!(heard.collect::<Vec<_>>(), [Event::Key('1')]);
    assert_eq!(through_trunk.remote(), trunk);

    let mut behind_nat = stream();
    for timestamp in [100, 200, 300] {
        assert_eq!(
            behind_nat.receive(other_port, &press(1, 7, timestamp), now),
            None,
            "on probation"
        );
    }
    assert_eq!(behind_nat.receive(other_port, &press(1, 7, 400), now), Some(Event::Key('1')));
    assert_eq!(behind_nat.remote(), other_port);
    for timestamp in [500, 600, 700, 800, 900, 1000] {
        assert_eq!(behind_nat.receive(stranger, &press(9, 7, timestamp), now), None);
    }
    assert_eq!(behind_nat.remote(), other_port);
}

#[test]
fn a_new_voice_from_the_peer_is_believed_after_a_few_packets() {
    let named: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let (mut stream, now) = (stream(), clock::now());
    assert_eq!(stream.receive(named, &press(1, 7, 100), now), Some(Event::Key('1')));
    assert_eq!(stream.receive(named, &press(9, 8, 100), now), None, "a single forged SSRC");
    assert_eq!(stream.receive(named, &press(2, 7, 900), now), Some(Event::Key('2')));
    let heard: Vec<_> =
        (1..=5).filter_map(|n| stream.receive(named, &press(3, 8, n * 1000), now)).collect();
    assert_eq!(heard, [Event::Key('3'), Event::Key('3')]);
}

#[test]
fn a_silent_line_is_told_once_per_silence_and_a_held_one_never() {
    let (mut stream, start) = (stream(), clock::now());
    assert_eq!(stream.silent(start + Duration::from_secs(29)), None);
    assert_eq!(stream.silent(start + Duration::from_secs(31)), Some(Event::Silent));
    assert_eq!(stream.silent(start + Duration::from_secs(32)), None);
    stream.renegotiate(Negotiated { sending: false, ..agreed() }, start);
    assert_eq!(stream.silent(start + Duration::from_secs(300)), None);
    assert_eq!(stream.next(&mut [0; PACKET_BYTES_MAX]), (None, None));
}

#[test]
fn a_key_is_heard_under_the_number_named_first_and_under_the_one_named_last() {
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let (mut stream, now) = (stream(), clock::now());
    let key = |stream: &mut Stream, number: u8, timestamp: u32| {
        stream.receive(far, &rtp(number, 7, timestamp, &[5, 10, 0, 160]), now)
    };
    let five = Some(Event::Key('5'));
    assert_eq!(key(&mut stream, 101, 1000), five);
    stream.renegotiate(Negotiated { events_payload_type: Some(103), ..agreed() }, now);
    assert_eq!(key(&mut stream, 101, 9000), five);
    assert_eq!(key(&mut stream, 103, 18_000), five);
    assert_eq!(key(&mut stream, 102, 27_000), None);
    stream.renegotiate(Negotiated { events_payload_type: None, ..agreed() }, now);
    assert_eq!(key(&mut stream, 101, 36_000), None, "nobody wants events any more");
}
