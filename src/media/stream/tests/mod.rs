//! Timelines of one stream.

mod formats;

use super::*;
use crate::clock;
use crate::media::codec::{Codec, FRAME_BYTES};
use crate::media::srtp::{Keys as SrtpKeys, MasterKey, Suite};
use rtcp_types::{Compound, ReceiverReport, ReportBlock, RtcpPacketWriterExt};

fn agreed() -> Negotiated {
    Negotiated {
        remote: "192.0.2.1:4000".parse().unwrap(),
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        formats: vec![],
        tones: false,
        packet_ms: 20,
        sending: true,
        keys: None,
    }
}

fn stream() -> Stream {
    Stream::new(
        agreed(),
        "192.0.2.9".parse().unwrap(),
        0xfff0_ffff_ffff_fff0,
        MediaTimeouts::with_silence(Duration::from_secs(30)),
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
    let expected = [
        (high, None),
        (high, None),
        (low, Some(MediaEvent::Played(1))),
        (0xff, Some(MediaEvent::Played(2))),
    ];
    assert_eq!(told, expected);
    stream.play(clip(8000, 5), 3);
    stream.next(&mut packet);
    stream.stop_playback();
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
    assert_eq!(fixed.receive(named, &mut press(1, 7, 100), now), Some(MediaEvent::Key('1')));
    for timestamp in [200, 300, 400, 500, 600, 700] {
        assert_eq!(fixed.receive(stranger, &mut press(9, 7, timestamp), now), None, "another host");
        assert_eq!(
            fixed.receive(other_port, &mut press(9, 7, timestamp), now),
            None,
            "another port"
        );
        assert_eq!(
            fixed.receive(named, &mut rtp(99, 7, timestamp, &[9, 10, 0, 160]), now),
            None,
            "another type"
        );
    }
    assert_eq!(fixed.receive(named, &mut press(2, 7, 800), now), Some(MediaEvent::Key('2')));
    assert_eq!(fixed.remote(), named);

    let trunk: SocketAddr = "192.0.2.9:7000".parse().unwrap();
    let mut through_trunk = stream();
    let heard =
        (1..=4).filter_map(|n| through_trunk.receive(trunk, &mut press(1, 7, n * 1000), now));
    assert_eq!(heard.collect::<Vec<_>>(), [MediaEvent::Key('1')]);
    assert_eq!(through_trunk.remote(), trunk);

    let mut behind_nat = stream();
    for timestamp in [100, 200, 300] {
        assert_eq!(
            behind_nat.receive(other_port, &mut press(1, 7, timestamp), now),
            None,
            "on probation"
        );
    }
    assert_eq!(
        behind_nat.receive(other_port, &mut press(1, 7, 400), now),
        Some(MediaEvent::Key('1'))
    );
    assert_eq!(behind_nat.remote(), other_port);
    for timestamp in [500, 600, 700, 800, 900, 1000] {
        assert_eq!(behind_nat.receive(stranger, &mut press(9, 7, timestamp), now), None);
    }
    assert_eq!(behind_nat.remote(), other_port);
}

#[test]
fn a_new_voice_from_the_peer_is_believed_after_a_few_packets() {
    let named: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let (mut stream, now) = (stream(), clock::now());
    assert_eq!(stream.receive(named, &mut press(1, 7, 100), now), Some(MediaEvent::Key('1')));
    assert_eq!(stream.receive(named, &mut press(9, 8, 100), now), None, "a single forged SSRC");
    assert_eq!(stream.receive(named, &mut press(2, 7, 900), now), Some(MediaEvent::Key('2')));
    let heard: Vec<_> =
        (1..=4).filter_map(|n| stream.receive(named, &mut press(3, 8, n * 1000), now)).collect();
    assert_eq!(heard, [MediaEvent::Key('3'); 4], "events, which were seen once before");
    let mut sound = |n: u32| {
        stream.receive(named, &mut rtp(0, 9, n * 160, &[1; 160]), now);
        stream.quality().refused
    };
    let refused: Vec<_> = (1..=5).map(&mut sound).collect();
    assert_eq!(refused, [2, 3, 4, 4, 4], "sound");
}

#[test]
fn a_silent_line_is_told_once_and_a_held_one_never() {
    let (mut stream, start) = (stream(), clock::now());
    let second = |n| start + Duration::from_secs(n);
    stream.receive(agreed().remote, &mut press(1, 7, 100), start);
    assert_eq!(stream.silent(second(29)), None);
    assert_eq!(stream.silent(second(31)), Some(MediaEvent::Silent(Fault::FellSilent)));
    assert_eq!(stream.silent(second(62)), None);
    assert!(stream.quality().to_string().starts_with("ended, the far end fell silent: "));
    let mut held = self::stream();
    held.renegotiate(Negotiated { sending: false, ..agreed() }, start);
    assert_eq!(held.silent(second(300)), None);
    assert_eq!(held.next(&mut [0; PACKET_BYTES_MAX]), (None, None));
}

#[test]
fn what_is_played_waits_while_the_far_end_holds_and_begins_anew() {
    let directions = ["hold", "c=0.0.0.0"];
    for direction in directions {
        let held = match direction {
            "hold" => Negotiated { sending: false, ..agreed() },
            _ => Negotiated { sending: false, remote: "0.0.0.0:4000".parse().unwrap(), ..agreed() },
        };
        for holds_after in 0..=50 {
            let (mut stream, now) = (stream(), clock::now());
            stream.receive(agreed().remote, &mut press(1, 7, 100), now);
            let samples: Vec<i16> = (0..50 * 160).map(|at| at * 4).collect();
            let clip = Arc::new(Clip::encode(Codec::Pcmu, &samples));
            stream.play(clip.clone(), 1);
            let (mut packet, mut told, mut sound) = ([0; PACKET_BYTES_MAX], vec![], vec![]);
            let mut turns = |stream: &mut Stream, turns: usize| {
                for _ in 0..turns {
                    let (length, ended) = stream.next(&mut packet);
                    sound.extend_from_slice(&packet[12..length.unwrap_or(12)]);
                    told.extend(ended.into_iter().chain(stream.began()));
                }
                (std::mem::take(&mut told), std::mem::take(&mut sound))
            };
            let (before, _) = turns(&mut stream, holds_after);
            stream.renegotiate(held.clone(), now);
            let (during, sent) = turns(&mut stream, 200);
            assert!(sent.is_empty());
            stream.renegotiate(agreed(), now);
            let (after, sent) = turns(&mut stream, 60);
            let (began, played) = (MediaEvent::Began(1), MediaEvent::Played(1));
            match holds_after {
                50 => {
                    assert_eq!((before, during, after), (vec![began], vec![played], vec![]));
                }
                _ => {
                    assert_eq!(during, [], "{direction} after {holds_after}");
                    assert_eq!(after, [began, played], "{direction} after {holds_after}");
                    assert_eq!(&sent[..50 * 160], clip.sound(0, 1000));
                }
            }
        }
    }
}

/// Plays so many packets and tells how many left, and what ended it.
fn packets(stream: &mut Stream, turns: u32) -> (usize, Option<MediaEvent>) {
    let (start, mut packet) = (clock::now(), [0; PACKET_BYTES_MAX]);
    let (mut sent, mut ended) = (0, None);
    for turn in 0..turns {
        sent += usize::from(stream.next(&mut packet).0.is_some());
        ended = ended.or(stream.silent(start + Duration::from_millis(20) * turn));
    }
    (sent, ended)
}

#[test]
fn a_far_end_that_says_nothing_is_not_sent_to_for_long() {
    let mut nobody = stream();
    let ended = Some(MediaEvent::Silent(Fault::NothingCame));
    assert_eq!(packets(&mut nobody, 2000), (499, ended), "ten seconds");
    let mut report = [0; REPORT_BYTES_MAX];
    assert_eq!(nobody.report(&mut report, clock::now() + Duration::from_secs(60)), None);
    assert_eq!(nobody.farewell(&mut report, clock::now()), None);
    assert!(nobody.quality().to_string().starts_with("ended, nothing came from the far end: "));

    let mut at_trunk = Stream::new(
        agreed(),
        agreed().remote.ip(),
        7,
        MediaTimeouts::with_silence(Duration::from_secs(30)),
        clock::now(),
    );
    assert_eq!(packets(&mut at_trunk, 1000), (999, ended), "twenty at the trunk's own host");

    let mut victims = stream();
    victims.receive(agreed().remote, &mut press(1, 7, 100), clock::now());
    let mut sent = 0;
    for round in 0..100_u8 {
        let victim = SocketAddr::from(([203, 0, 113, round], 5000));
        victims.renegotiate(Negotiated { remote: victim, ..agreed() }, clock::now());
        sent += packets(&mut victims, 100).0;
    }
    assert_eq!(sent, 499, "to all of them together");

    let mut near = Stream::new(
        Negotiated { remote: "127.0.0.1:4000".parse().unwrap(), ..agreed() },
        "192.0.2.9".parse().unwrap(),
        7,
        MediaTimeouts::with_silence(Duration::from_secs(30)),
        clock::now(),
    );
    let clip = Clip::encode(Codec::Pcmu, &[8000; 2 * FRAME_BYTES]);
    near.play(Arc::new(clip), 1);
    assert_eq!(packets(&mut near, 100), (0, None), "nearer than the trunk");
    let trunk: SocketAddr = "192.0.2.9:7000".parse().unwrap();
    for timestamp in [1000, 2000, 3000, 4000] {
        near.receive(trunk, &mut press(1, 7, timestamp), clock::now());
    }
    let mut packet = [0; PACKET_BYTES_MAX];
    assert!(near.next(&mut packet).0.is_some() && near.remote() == trunk);
    assert_ne!(packet[12], 0xff, "nothing of what is said was lost meanwhile");
}

#[test]
fn reports_keep_a_line_and_a_farewell_in_them_ends_nothing() {
    let (mut ours, mut theirs, start) = (stream(), stream(), clock::now());
    let mut report = [0; REPORT_BYTES_MAX];
    let peer = SocketAddr::new(agreed().remote.ip(), 4001);
    for second in 1..100 {
        packets(&mut ours, 50);
        let now = start + Duration::from_secs(second);
        if let Some(length) = theirs.report(&mut report, now) {
            ours.read_report("192.0.2.66:4001".parse().unwrap(), &mut report[..length], now);
            ours.read_report(peer, &mut report[..length], now);
        }
        assert_eq!(ours.silent(now), None, "after {second} s");
    }
    let length = theirs.farewell(&mut report, start).unwrap();
    ours.read_report(peer, &mut report[..length], start);
    assert!(packets(&mut ours, 10).0 == 10 && ours.quality().refused > 5);
}

#[test]
fn a_far_end_that_hears_nothing_more_is_noticed_and_one_that_fills_in_zeros_is_not() {
    let reports = |highest: fn(u16) -> u16| {
        let (mut stream, start) = (stream(), clock::now());
        let (mut packet, mut told) = ([0; PACKET_BYTES_MAX], None);
        for turn in 0..2000_u32 {
            stream.receive(agreed().remote, &mut rtp(0, 7, turn * 160, &[1; 160]), start);
            stream.next(&mut packet);
            if turn % 250 == 249 {
                let sequence = u16::from_be_bytes([packet[2], packet[3]]);
                let block = ReportBlock::builder(0xffff_fff0)
                    .extended_sequence_number(highest(sequence).into());
                let report = ReceiverReport::builder(7).add_report_block(block);
                let mut report = Compound::builder().add_packet(report).written();
                stream.read_report(agreed().remote, &mut report, start);
            }
            told = told.or(stream.silent(start));
        }
        told
    };
    assert_eq!(reports(|sequence| sequence), None);
    assert_eq!(reports(|_| 0), None);
    let deaf = reports(|sequence| sequence.min(0x7ff0 + 300));
    assert_eq!(deaf, Some(MediaEvent::Silent(Fault::NothingArrives)));
}

trait Written {
    fn written(self) -> Vec<u8>;
}

impl<W: RtcpPacketWriterExt> Written for W {
    fn written(self) -> Vec<u8> {
        let mut buffer = vec![0; REPORT_BYTES_MAX];
        let length = self.write_into(&mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    }
}

fn key(suite: Suite, number: u8) -> MasterKey {
    MasterKey::new(suite, &vec![number; suite.secret_octets()]).unwrap()
}

/// Two ends with the keys of each other.
fn pair(suite: Suite) -> [Negotiated; 2] {
    [(1, 2), (2, 1)].map(|(ours, theirs)| {
        let keys = SrtpKeys { ours: key(suite, ours), theirs: key(suite, theirs) };
        Negotiated { keys: Some(Arc::new(keys)), ..agreed() }
    })
}

#[test]
fn who_has_the_keys_is_heard_once_and_nobody_else() {
    let (from, now) = (agreed().remote, clock::now());
    for suite in Suite::ALL {
        let [ours, theirs] = pair(suite);
        let trunk = "192.0.2.9".parse().unwrap();
        let timeouts = MediaTimeouts::with_silence(Duration::from_secs(30));
        let mut us = Stream::new(ours, trunk, 0xffff_0001_0000_0000, timeouts, now);
        let mut far = Stream::new(theirs.clone(), trunk, 2, timeouts, now);
        let (mut wire, mut last) = ([0; PACKET_BYTES_MAX], vec![]);
        for round in 0..100 {
            let length = far.next(&mut wire).0.unwrap();
            let sequence = u16::from_be_bytes([wire[2], wire[3]]);
            assert!(round > 0 || sequence < 1 << 15, "{sequence}");
            last = wire[..length].to_vec();
            us.receive(from, &mut wire[..length], now);
            let length = us.next(&mut wire).0.unwrap();
            assert!(wire[12..length].iter().any(|octet| *octet != 0xff), "silence is hidden too");
            far.receive(from, &mut wire[..length], now);
        }
        assert_eq!((us.quality().received, far.quality().received), (100, 100), "{suite:?}");
        us.receive(from, &mut last, now);
        us.receive(from, &mut press(1, 2, 100), now);
        assert_eq!((us.quality().received, us.quality().forged), (100, 2), "{suite:?}");

        let mut report = [0; REPORT_BYTES_MAX];
        let length = far.report(&mut report, now + Duration::from_secs(10)).unwrap();
        let mut again = report;
        us.read_report(from, &mut report[..length], now);
        us.read_report(from, &mut again[..length], now);
        let plain = ReceiverReport::builder(2);
        us.read_report(from, &mut Compound::builder().add_packet(plain).written(), now);
        assert_eq!((us.quality().refused, us.quality().forged), (0, 4), "{suite:?}");
        assert!(us.quality().far.is_some(), "what it hears of us is read");
        assert!(us.quality().to_string().ends_with(suite.name()));

        let other = SrtpKeys { ours: key(suite, 2), theirs: key(suite, 3) };
        us.renegotiate(Negotiated { keys: Some(Arc::new(other)), ..agreed() }, now);
        let length = far.next(&mut wire).0.unwrap();
        us.receive(from, &mut wire[..length], now);
        assert_eq!((us.quality().received, us.quality().forged), (100, 5), "an old key");
    }
}

#[test]
fn a_key_is_heard_under_the_number_named_first_and_under_the_one_named_last() {
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let (mut stream, now) = (stream(), clock::now());
    let key = |stream: &mut Stream, number: u8, timestamp: u32| {
        stream.receive(far, &mut rtp(number, 7, timestamp, &[5, 10, 0, 160]), now)
    };
    let five = Some(MediaEvent::Key('5'));
    assert_eq!(key(&mut stream, 101, 1000), five);
    stream.renegotiate(Negotiated { events_payload_type: Some(103), ..agreed() }, now);
    assert_eq!(key(&mut stream, 101, 9000), five);
    assert_eq!(key(&mut stream, 103, 18_000), five);
    assert_eq!(key(&mut stream, 102, 27_000), None);
    stream.renegotiate(Negotiated { events_payload_type: None, ..agreed() }, now);
    assert_eq!(key(&mut stream, 101, 36_000), None, "nobody wants events any more");
}
