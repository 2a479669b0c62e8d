//! The media thread with real sockets on loopback.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use offhook::media::codec::{Clip, Codec};
use offhook::media::engine::{Engine, EngineSettings, RtpPort};
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::media::srtp::{Keys, MasterKey, Outbound, Suite, TRAILER_MAX};
use offhook::media::stream::MediaTimeouts;
use offhook::media::{Fault, MediaCommand, MediaEvent, Negotiated};
use offhook::seed::Seed;
use rtcp_types::{Compound, Packet, ReceiverReport, ReportBlock, RtcpPacketWriterExt};
use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

fn engine() -> Engine {
    engine_with(Duration::from_millis(400))
}

fn engine_with(silence: Duration) -> Engine {
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 24_000..=25_999,
        timeouts: MediaTimeouts::with_silence(silence),
        dscp: 46,
    };
    Engine::start(settings, Seed::fresh()).unwrap()
}

fn negotiated(remote: SocketAddr, packet_ms: u8) -> Negotiated {
    Negotiated {
        remote,
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        formats: vec![],
        tones: false,
        packet_ms,
        sending: true,
        keys: None,
    }
}

struct Peer(UdpSocket);

impl Peer {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self(socket)
    }

    fn start(&self, line: &RtpPort) {
        self.start_with(line, 20);
    }

    fn start_with(&self, line: &RtpPort, packet_ms: u8) {
        line.command(MediaCommand::Start(negotiated(self.0.local_addr().unwrap(), packet_ms)));
    }

    fn hears_something(&self) {
        self.0.recv_from(&mut [0; 1500]).unwrap();
    }

    /// The payload type and first sample of the next packet.
    fn hears(&self) -> (u8, u8) {
        let mut packet = [0; 1500];
        let (len, _) = self.0.recv_from(&mut packet).unwrap();
        let read = RtpReader::new(&packet[..len]).unwrap();
        (read.payload_type(), read.payload()[0])
    }

    fn presses(&self, key: u8, timestamp: u32, to: SocketAddr) {
        let packet = RtpPacketBuilder::new().payload_type(101).ssrc(9).timestamp(timestamp);
        self.0.send_to(&packet.payload(&[key, 10, 0, 160]).build().unwrap(), to).unwrap();
    }
}

#[tokio::test]
async fn callee_hears_what_is_played_and_a_key_cuts_it_short() {
    let (engine, phone) = (engine(), Peer::new());
    let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    phone.start(&line);
    let speech = Arc::new(Clip::encode(Codec::Pcmu, &[8000; 160 * 500]));
    let sample = speech.frame(0).unwrap()[0];
    line.command(MediaCommand::Play { clip: speech.clone(), tag: 1 });
    while phone.hears() != (0, sample) {}
    assert_eq!(line.events.recv().await, Some(MediaEvent::Began(1)));
    phone.presses(5, 1000, line.local);
    assert_eq!(line.events.recv().await, Some(MediaEvent::Key('5')));
    line.command(MediaCommand::StopPlayback);
    while phone.hears() != (0, 0xff) {}
    line.command(MediaCommand::Play {
        clip: Arc::new(Clip::encode(Codec::Pcmu, &[8000; 320])),
        tag: 2,
    });
    while line.events.recv().await != Some(MediaEvent::Played(2)) {}
}

#[tokio::test]
async fn as_much_sound_comes_as_time_passes_however_long_its_packets_are() {
    let engine = engine();
    let phones: Vec<_> = [10, 20, 30, 40, 60]
        .map(|packet_ms| {
            let (phone, line) = (Peer::new(), engine.open(Ipv4Addr::LOCALHOST.into()).unwrap());
            phone.start_with(&line, packet_ms);
            (packet_ms, phone, line)
        })
        .into();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    for (packet_ms, phone, line) in phones {
        drop(line);
        phone.0.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (mut octets, mut packet) = (0, [0; 1500]);
        while let Ok((len, _)) = phone.0.recv_from(&mut packet) {
            assert_eq!(len, 12 + usize::from(packet_ms) * 8);
            octets += len - 12;
        }
        // A busy machine makes the time longer; twice as much or half as much is wrong.
        assert!((800..2400).contains(&(octets / 8)), "{packet_ms} ms: {} ms", octets / 8);
    }
}

#[tokio::test]
async fn a_key_may_come_as_a_tone() {
    let (engine, phone) = (engine(), Peer::new());
    let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    line.command(MediaCommand::Start(Negotiated {
        remote: phone.0.local_addr().unwrap(),
        codec: Codec::Pcma,
        payload_type: 8,
        events_payload_type: None,
        formats: vec![],
        tones: true,
        packet_ms: 20,
        sending: true,
        keys: None,
    }));
    let tone = |at: usize, hz: f64| (std::f64::consts::TAU * hz * at as f64 / 8000.0).sin();
    let seven = |at| ((tone(at, 852.0) + tone(at, 1209.0)) * 5000.0) as i16;
    let clip = Clip::encode(Codec::Pcma, &(0..1600).map(seven).collect::<Vec<_>>());
    for packet in 0..10 {
        let frame = clip.frame(packet).unwrap();
        let sound = RtpPacketBuilder::new().payload_type(8).ssrc(9).timestamp(packet as u32 * 160);
        phone.0.send_to(&sound.payload(frame).build().unwrap(), line.local).unwrap();
    }
    assert_eq!(line.events.recv().await, Some(MediaEvent::Key('7')));
}

#[tokio::test]
async fn a_stranger_is_neither_heard_nor_answered() {
    let (engine, phone, stranger) = (engine(), Peer::new(), Peer::new());
    let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    phone.start(&line);
    phone.presses(1, 1000, line.local);
    assert_eq!(line.events.recv().await, Some(MediaEvent::Key('1')));
    for number in 1..=20 {
        stranger.presses(9, number * 1000, line.local);
    }
    phone.presses(2, 50_000, line.local);
    assert_eq!(line.events.recv().await, Some(MediaEvent::Key('2')));
    stranger.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stranger.0.recv_from(&mut [0; 1500]).is_err(), "nothing is sent to a stranger");
}

#[tokio::test]
async fn a_line_that_hears_nothing_says_so() {
    let (engine, phone) = (engine(), Peer::new());
    let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    phone.start(&line);
    assert_eq!(line.events.recv().await, Some(MediaEvent::Silent(Fault::FellSilent)));
}

#[test]
fn the_port_of_a_call_that_is_over_is_not_given_to_the_next() {
    let engine = engine();
    let ports: Vec<u16> =
        (0..50).map(|_| engine.open(Ipv4Addr::LOCALHOST.into()).unwrap().local.port()).collect();
    let mut different = ports.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), ports.len());
}

#[tokio::test]
async fn both_ends_report_and_say_farewell() {
    let engine = engine();
    let (phone, reports) = loop {
        let phone = Peer::new();
        let port = phone.0.local_addr().unwrap().port();
        if let Ok(reports) = UdpSocket::bind(("127.0.0.1", port + 1)) {
            break (phone, reports);
        }
    };
    reports.set_read_timeout(Some(Duration::from_secs(9))).unwrap();
    let line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    phone.start(&line);
    let mut report = [0; 1500];
    let (length, from) = reports.recv_from(&mut report).unwrap();
    assert_eq!(from.port(), line.local.port() + 1);
    let read = Compound::parse(&report[..length]).unwrap().next().unwrap().unwrap();
    let Packet::Sr(told) = read else { panic!("no sender report but {read:?}") };
    assert!(told.packet_count() > 30 && told.octet_count() == told.packet_count() * 160);
    let ssrc = told.ssrc();

    let block = ReportBlock::builder(ssrc).cumulative_lost(7).interarrival_jitter(80);
    let ours = ReceiverReport::builder(9).add_report_block(block);
    let length = Compound::builder().add_packet(ours).write_into(&mut report).unwrap();
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    reports.send_to(&report[..length], from).unwrap();
    let forged = ReportBlock::builder(ssrc).cumulative_lost(99);
    let forged = ReceiverReport::builder(9).add_report_block(forged);
    let length = Compound::builder().add_packet(forged).write_into(&mut report).unwrap();
    let _ = stranger.send_to(&report[..length], from);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (back, told) = tokio::sync::oneshot::channel();
    line.command(MediaCommand::Quality(back));
    let quality = told.await.unwrap();
    assert_eq!(quality.far, Some((7, 10)), "{quality}");

    drop(line);
    let farewell = loop {
        let (length, _) = reports.recv_from(&mut report).unwrap();
        let packets: Vec<_> = Compound::parse(&report[..length]).unwrap().flatten().collect();
        if let Some(Packet::Bye(_)) = packets.last() {
            break packets.iter().map(|it| matches!(it, Packet::Sr(_))).collect::<Vec<_>>();
        }
    };
    assert_eq!(farewell, [true, false, false], "a last report and who sends it go before it");
}

/// A packet of this type and SSRC, counted on by `number`.
fn rtp(kind: u8, ssrc: u32, number: u16, payload: &[u8]) -> Vec<u8> {
    let packet = RtpPacketBuilder::new().payload_type(kind).ssrc(ssrc);
    let packet = packet.sequence(Seq::from(number)).timestamp(u32::from(number) * 160);
    packet.payload(payload).build().unwrap()
}

/// The key 9 as a tone, at `number` packets of time.
fn nine(number: u16) -> Vec<u8> {
    let tone = |at: f64, hz: f64| (std::f64::consts::TAU * hz * at / 8000.0).sin() * 6000.0;
    let at = |n: u32| f64::from(u32::from(number) * 160 + n);
    let samples: Vec<_> =
        (0..160).map(|n| (tone(at(n), 852.0) + tone(at(n), 1477.0)) as i16).collect();
    Clip::encode(Codec::Pcmu, &samples).frame(0).unwrap().to_vec()
}

#[tokio::test]
async fn strangers_are_not_heard_whatever_they_send_and_stop_nothing() {
    let key = |octet| MasterKey::new(Suite::AesCm80, &[octet; 30]).unwrap();
    for encrypted in [false, true] {
        let (engine, phone) = (engine_with(Duration::from_secs(10)), Peer::new());
        let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
        let keys = Keys { ours: key(1), theirs: key(2) };
        line.command(MediaCommand::Start(Negotiated {
            remote: phone.0.local_addr().unwrap(),
            codec: Codec::Pcmu,
            payload_type: 0,
            events_payload_type: Some(101),
            formats: vec![],
            tones: true,
            packet_ms: 20,
            sending: true,
            keys: encrypted.then(|| Arc::new(keys)),
        }));
        let sealing = Outbound::new(key(2), 0);
        let sealed = |mut packet: Vec<u8>, number: u16| {
            let length = packet.len();
            packet.resize(length + TRAILER_MAX, 0);
            let length = match encrypted {
                true => sealing.packet(&mut packet, length, number.into()).unwrap(),
                false => length,
            };
            packet.truncate(length);
            packet
        };
        phone.0.send_to(&sealed(rtp(0, 7, 1, &[0xff; 160]), 1), line.local).unwrap();
        phone.hears_something();
        let (back, taken) = tokio::sync::oneshot::channel();
        let buffer = Box::new(RecordingBuffer::new(
            Codec::Pcmu,
            Duration::from_secs(5),
            offhook::clock::now(),
        ));
        line.command(MediaCommand::Record { buffer, back });

        // Another host, another port of the phone's host; then with the phone's own address, but without its keys.
        let strangers =
            [UdpSocket::bind("127.0.0.2:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap()];
        let reports = SocketAddr::new(line.local.ip(), line.local.port() + 1);
        let mut bye = [0; 64];
        let farewell = Compound::builder().add_packet(ReceiverReport::builder(7));
        let farewell = farewell.add_packet(rtcp_types::Bye::builder().add_source(7));
        let length = farewell.write_into(&mut bye).unwrap();
        for number in 2..200_u16 {
            for stranger in strangers.iter().chain(encrypted.then_some(&phone.0)) {
                for ssrc in [7, 8] {
                    let clear = [
                        rtp(101, ssrc, number, &[9, 10, 0, 160]),
                        rtp(0, ssrc, number, &nine(number)),
                        rtp(99, ssrc, number, &[0; 900]),
                        vec![number as u8; 1400],
                    ];
                    for packet in clear {
                        stranger.send_to(&packet, line.local).unwrap();
                    }
                }
                stranger.send_to(&bye[..length], reports).unwrap();
            }
            // The phone goes on with its silence; what it sent before is played to us again, from there and elsewhere.
            let packet = sealed(rtp(0, 7, number, &[0xff; 160]), number);
            phone.0.send_to(&packet, line.local).unwrap();
            if encrypted {
                phone.0.send_to(&packet, line.local).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let press = rtp(101, 7, 300, &[5, 10, 0, 160]);
        phone.0.send_to(&sealed(press, 300), line.local).unwrap();
        assert_eq!(line.events.recv().await, Some(MediaEvent::Key('5')), "no other key, no end");
        phone.hears_something();
        line.command(MediaCommand::StopRecording);
        let take = taken.await.unwrap();
        let loudest = take.samples().iter().map(|it| it.unsigned_abs()).max().unwrap_or_default();
        assert!(loudest < 10, "only the phone's silence was recorded, not {loudest}");
        let (back, told) = tokio::sync::oneshot::channel();
        line.command(MediaCommand::Quality(back));
        let quality = told.await.unwrap();
        assert!(quality.refused > 100 && quality.received <= 200, "{quality}");
        assert_eq!(quality.forged > 100, encrypted, "{quality}");
        assert_eq!(quality.fault, None);
        for stranger in strangers {
            stranger.set_nonblocking(true).unwrap();
            assert!(stranger.recv(&mut [0; 2000]).is_err(), "nothing was sent to a stranger");
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_to_where_we_listen_ourselves() {
    let engine = engine();
    let other = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    let (service, phone) = (Peer::new(), Peer::new());
    engine.reserve_port(service.0.local_addr().unwrap().port());
    let mut line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    for remote in [other.local, service.0.local_addr().unwrap(), line.local] {
        line.command(MediaCommand::Start(negotiated(remote, 20)));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    service.0.set_nonblocking(true).unwrap();
    assert!(service.0.recv(&mut [0; 2000]).is_err());
    phone.start(&line);
    phone.hears_something();
    let (back, told) = tokio::sync::oneshot::channel();
    line.command(MediaCommand::Quality(back));
    assert!(told.await.unwrap().received == 0 && line.events.try_recv().is_err());
}
