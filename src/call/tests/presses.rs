//! Presses of keys, sent in all the ways that phones and gateways have.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use rtp_rs::{RtpPacketBuilder, Seq};

use crate::call::machine::KeyMethod;
use crate::clock;
use crate::media::codec::{Clip, Codec};
use crate::media::key_presses::KeyPresses;
use crate::media::stream::{MediaTimeouts, Stream};
use crate::media::{MediaEvent, Negotiated, PayloadFormat};
use crate::seed::Seed;

#[test]
fn one_press_is_one_key_whichever_way_it_comes() {
    for number in 0..10_000 {
        let mut seed = Seed::fixed(number);
        let press = Press { key: '5', at: 200 + seed.below(40), ms: 10 + seed.below(391) };
        let phone = Phone::any(&[press], &mut seed);
        assert_eq!(keys(&phone, &[press], &mut seed), "5", "seed {number}: {press:?}, {phone:?}");
    }
}

#[test]
fn two_presses_are_two_keys_whichever_way_they_come() {
    for number in 0..10_000 {
        let mut seed = Seed::fixed(number);
        let first = Press { key: '5', at: 200 + seed.below(40), ms: 10 + seed.below(91) };
        let (key, ms) = (if seed.below(4) == 0 { '1' } else { '5' }, 10 + seed.below(91));
        let presses = [first, Press { key, at: first.at + 250 + seed.below(750), ms }];
        let phone = Phone::any(&presses, &mut seed);
        let expected = format!("5{key}");
        assert_eq!(
            keys(&phone, &presses, &mut seed),
            expected,
            "seed {number}: {presses:?}, {phone:?}"
        );
    }
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: char,
    /// From the first packet, in ms.
    at: u64,
    ms: u64,
}

/// How a phone, and the network behind it, send keys.
#[derive(Debug)]
struct Phone {
    events: bool,
    tones: bool,
    /// How long after the press INFO comes, and whether after its beginning or its end.
    info: Option<(u64, bool)>,
    /// How much later RTP comes.
    rtp_late: u64,
    stamps: Stamps,
    payload_type: u8,
    /// Whether events have an SSRC of their own.
    own_ssrc: bool,
    sound: Sound,
    packet_ms: u64,
    ends: u64,
    loses: bool,
    reorders: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stamps {
    /// One for each press.
    Fixed,
    /// Another for each packet.
    Moving,
    /// The same for all.
    Frozen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sound {
    None,
    BetweenPresses,
    Always,
}

impl Phone {
    /// One that can send these presses.
    fn any(presses: &[Press], seed: &mut Seed) -> Self {
        let mut chance = |of: u64| seed.below(of) == 0;
        let short = presses.iter().any(|press| press.ms < 100);
        let (mut events, tones, info) = (chance(2), chance(4), chance(2));
        events |= !info && (!tones || short);
        let twins = presses.windows(2).any(|two| two[0].key == two[1].key);
        let tiny = presses.iter().any(|press| press.ms < 50);
        let stamps = match chance(2) {
            true => Stamps::Fixed,
            // Only the packets before its end tell a press under the stamp of the last one.
            false if chance(3) && !(twins && tiny) => Stamps::Frozen,
            false => Stamps::Moving,
        };
        let sound = match (tones, chance(5), chance(2)) {
            (true, ..) => Sound::Always,
            (false, true, _) => Sound::None,
            (false, false, true) => Sound::BetweenPresses,
            (false, false, false) => Sound::Always,
        };
        let undecided = twins && stamps == Stamps::Frozen;
        let (own_ssrc, loses, reorders) = (chance(3), chance(2), chance(3));
        let payload_type = if chance(2) { 101 } else { [96, 102, 103][seed.below(3) as usize] };
        let packet_ms = if undecided { 20 } else { [10, 20, 30, 50][seed.below(4) as usize] };
        let careful = undecided || packet_ms > 20;
        Self {
            events,
            tones,
            info: info.then(|| (seed.below(150), seed.below(2) == 0)),
            rtp_late: seed.below(100),
            stamps,
            payload_type,
            own_ssrc,
            sound,
            packet_ms,
            ends: if own_ssrc || undecided { 3 } else { 1 + seed.below(3) },
            loses: loses && !careful,
            reorders: reorders && !careful,
        }
    }
}

/// What comes, and when in ms.
enum Arrival {
    Rtp(Vec<u8>),
    Info(char),
}

/// A packet before it has a sequence number.
struct Packet {
    at: u64,
    ssrc: u32,
    payload_type: u8,
    timestamp: u32,
    payload: Vec<u8>,
    lost: bool,
    delay: u64,
}

/// The keys that a call is told.
fn keys(phone: &Phone, presses: &[Press], seed: &mut Seed) -> String {
    let start = clock::now();
    let mut stream = stream(phone, start);
    let (mut joined, mut keys) = (KeyPresses::default(), String::new());
    for (at, arrival) in arrivals(phone, presses, seed) {
        let now = start + Duration::from_millis(at);
        let pressed = match arrival {
            Arrival::Info(key) => Some((key, KeyMethod::Info)),
            Arrival::Rtp(mut packet) => match stream.receive(remote(), &mut packet, now) {
                Some(MediaEvent::Key(key)) => Some((key, KeyMethod::Media)),
                Some(MediaEvent::KeyHeld(key)) => {
                    joined.is_held(key, KeyMethod::Media, now);
                    None
                }
                _ => None,
            },
        };
        keys.extend(
            pressed.filter(|(key, method)| joined.is_new(*key, *method, now)).map(|(key, _)| key),
        );
    }
    keys
}

fn arrivals(phone: &Phone, presses: &[Press], seed: &mut Seed) -> Vec<(u64, Arrival)> {
    let mut packets = sound(phone, presses);
    if phone.events {
        packets.extend(presses.iter().flat_map(|press| events(phone, *press, seed)));
    }
    packets.sort_by_key(|packet| packet.at);
    let mut next: [u16; 2] = [65_530, 100];
    let mut arrivals = vec![];
    for packet in packets {
        let sequence = &mut next[usize::from(packet.ssrc != SOUND)];
        *sequence = sequence.wrapping_add(1);
        let built = RtpPacketBuilder::new()
            .payload_type(packet.payload_type)
            .ssrc(packet.ssrc)
            .sequence(Seq::from(*sequence))
            .timestamp(packet.timestamp)
            .payload(&packet.payload)
            .build();
        if !packet.lost {
            arrivals
                .push((packet.at + packet.delay + phone.rtp_late, Arrival::Rtp(built.unwrap())));
        }
    }
    if let Some((late, at_end)) = phone.info {
        let sent = |press: &Press| press.at + if at_end { press.ms } else { 0 } + late;
        arrivals.extend(presses.iter().map(|press| (sent(press), Arrival::Info(press.key))));
    }
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals
}

/// The sound of the whole call, with tones or without.
fn sound(phone: &Phone, presses: &[Press]) -> Vec<Packet> {
    let end = presses.last().map_or(0, |press| press.at + press.ms + 200);
    let pressed = |at: u64| presses.iter().find(|it| (it.at..it.at + it.ms).contains(&at));
    let paused = |at: u64| match phone.sound {
        Sound::None => true,
        Sound::BetweenPresses => phone.events && pressed(at).is_some(),
        Sound::Always => false,
    };
    let packet = |at: u64| {
        let sample = |tick: u64| match pressed(tick / 8).filter(|_| phone.tones) {
            Some(press) => {
                let (low, high) = if press.key == '5' { (770.0, 1336.0) } else { (697.0, 1209.0) };
                let tone = |hz: f64| (TAU * hz * tick as f64 / 8000.0).sin();
                ((tone(low) + tone(high)) * 6000.0) as i16
            }
            None => 0,
        };
        let payload = match phone.tones {
            true => {
                let samples: Vec<i16> = (at * 8..at * 8 + 160).map(sample).collect();
                Clip::encode(Codec::Pcmu, &samples).frame(0).unwrap().to_vec()
            }
            false => vec![0xff; 160],
        };
        let (timestamp, lost, delay) = (at as u32 * 8, false, 0);
        Packet { at, ssrc: SOUND, payload_type: 0, timestamp, payload, lost, delay }
    };
    (0..end).step_by(20).filter(|at| !paused(*at)).map(packet).collect()
}

/// The packets of one press.
fn events(phone: &Phone, press: Press, seed: &mut Seed) -> Vec<Packet> {
    let before_end = press.ms.div_ceil(phone.packet_ms);
    let mut packets = vec![];
    for number in 0..before_end + phone.ends - 1 {
        let ended = number + 1 >= before_end;
        let ms = ((number + 1) * phone.packet_ms).min(press.ms);
        let [high, low] = (ms as u16 * 8).to_be_bytes();
        let event = press.key.to_digit(10).unwrap() as u8;
        let timestamp = match phone.stamps {
            Stamps::Fixed => press.at * 8,
            Stamps::Moving => (press.at + number * phone.packet_ms) * 8,
            Stamps::Frozen => 8000,
        };
        let delayed = phone.reorders && seed.below(4) == 0;
        packets.push(Packet {
            at: press.at + number * phone.packet_ms,
            ssrc: if phone.own_ssrc { EVENTS } else { SOUND },
            payload_type: phone.payload_type,
            timestamp: timestamp as u32,
            payload: vec![event, if ended { 0x8a } else { 0x0a }, high, low],
            lost: phone.loses && seed.below(4) == 0,
            delay: if delayed { phone.packet_ms * 5 / 4 } else { 0 },
        });
    }
    let arrived = packets.iter().filter(|packet| !packet.lost).count();
    let hole = packets.windows(3).any(|three| three.iter().all(|packet| packet.lost));
    if arrived < 2 || hole {
        packets.iter_mut().for_each(|packet| packet.lost = false);
    }
    packets
}

/// A stream that was moved to another switch, which knows events by another number.
fn stream(phone: &Phone, now: Instant) -> Stream {
    let agreed = Negotiated {
        remote: remote(),
        codec: Codec::Pcmu,
        payload_type: 0,
        events_payload_type: Some(101),
        formats: [102, 103].map(|it| (it, PayloadFormat::Events { ticks_per_ms: 8 })).to_vec(),
        tones: phone.tones,
        packet_ms: 20,
        sending: true,
        keys: None,
    };
    let timeouts = MediaTimeouts::with_silence(Duration::from_secs(30));
    let mut stream = Stream::new(agreed.clone(), remote().ip(), 7, timeouts, now);
    stream.renegotiate(Negotiated { events_payload_type: Some(96), ..agreed }, now);
    stream
}

fn remote() -> std::net::SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

const SOUND: u32 = 7;
const EVENTS: u32 = 8;
