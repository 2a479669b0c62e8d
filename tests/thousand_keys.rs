//! A thousand keys through the stream of a call: as events over a bad network, as tones over a noisy line.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook::clock;
use offhook::media::codec::{Clip, Codec};
use offhook::media::stream::{MediaTimeouts, Stream};
use offhook::media::{MediaEvent, Negotiated};
use offhook::seed::Seed;
use rtp_rs::{RtpPacketBuilder, Seq};

#[test]
fn a_thousand_events_are_heard_although_one_packet_of_twenty_is_lost() {
    for (number, codec) in [(1, Codec::Pcmu), (2, Codec::Pcma), (3, Codec::G722)] {
        // 20 ms more or less: packets overtake each other.
        let mut network = Network::new(Seed::fixed(number), 40, 5);
        let pressed = thousand(&mut network.seed);
        // Sound goes on between the keys; a press of 100 ms every 200 ms takes its place, its end is sent three times.
        for slot in 0..10_000_u32 {
            let (press, step) = ((slot / 10) as usize, slot % 10);
            let at = slot * 160;
            if step >= 8 {
                network.send(slot, 0, at, &[codec.silence(); 160]);
                continue;
            }
            let [high, low] = ((step.min(4) as u16 + 1) * 160).to_be_bytes();
            let end = if step >= 5 { 0x80 } else { 0 };
            let event = KEYS.find(pressed[press]).unwrap() as u8;
            network.send(slot, 101, at - step * 160, &[event, end | 10, high, low]);
        }
        let (sent, lost) = (network.sent, network.lost);
        let heard = network.heard_by(stream(codec, Some(101), network.start));
        let wrong = differences(&pressed, &heard);
        println!("events beside {codec:?}: {wrong} of 1000 wrong, {lost} of {sent} packets lost");
        assert_eq!(heard, pressed.iter().collect::<String>());
    }
}

#[test]
fn a_thousand_tones_are_heard_twenty_decibels_above_the_noise() {
    for (number, codec) in [(4, Codec::Pcmu), (5, Codec::Pcma)] {
        let mut network = Network::new(Seed::fixed(number), 1, 0);
        let pressed = thousand(&mut network.seed);
        let samples = tones_in_noise(&pressed, &mut network.seed);
        network.send_sound(&Clip::encode(codec, &samples));
        let heard = network.heard_by(stream(codec, None, network.start));
        let wrong = differences(&pressed, &heard);
        println!("tones 20 dB above noise in {codec:?}: {wrong} of 1000 wrong");
        assert_eq!(heard, pressed.iter().collect::<String>());
    }
}

#[test]
fn nearly_all_tones_are_heard_although_one_packet_of_twenty_is_lost() {
    for (number, codec) in [(6, Codec::Pcmu), (7, Codec::Pcma)] {
        let mut network = Network::new(Seed::fixed(number), 20, 5);
        let pressed = thousand(&mut network.seed);
        let samples = tones_in_noise(&pressed, &mut network.seed);
        network.send_sound(&Clip::encode(codec, &samples));
        let (sent, lost) = (network.sent, network.lost);
        let heard = network.heard_by(stream(codec, None, network.start));
        let wrong = differences(&pressed, &heard);
        println!("the same in {codec:?}: {wrong} of 1000 wrong, {lost} of {sent} packets lost");
        // Of 80 ms a packet is a quarter. No phone sends tones where it could send events.
        assert!(wrong <= 20, "{wrong} of 1000");
    }
}

/// Carries packets late by less than so much, and loses some.
struct Network {
    seed: Seed,
    late_ms: u64,
    lost_percent: u64,
    start: Instant,
    packets: Vec<(Duration, Vec<u8>)>,
    sent: u32,
    lost: u32,
}

impl Network {
    fn new(seed: Seed, late_ms: u64, lost_percent: u64) -> Self {
        let start = clock::now();
        Self { seed, late_ms, lost_percent, start, packets: vec![], sent: 0, lost: 0 }
    }

    fn send(&mut self, slot: u32, kind: u8, timestamp: u32, payload: &[u8]) {
        self.sent += 1;
        if self.seed.below(100) < self.lost_percent {
            self.lost += 1;
            return;
        }
        let packet = RtpPacketBuilder::new()
            .payload_type(kind)
            .sequence(Seq::from(slot as u16))
            .timestamp(timestamp)
            .ssrc(9)
            .payload(payload)
            .build()
            .unwrap();
        let late = self.seed.below(self.late_ms);
        self.packets.push((Duration::from_millis(u64::from(slot) * 20 + late), packet));
    }

    fn send_sound(&mut self, clip: &Clip) {
        for slot in 0.. {
            let Some(frame) = clip.frame(slot) else { break };
            self.send(slot as u32, 0, slot as u32 * 160, frame);
        }
    }

    fn heard_by(&mut self, mut stream: Stream) -> String {
        self.packets.sort_by_key(|(at, _)| *at);
        let far = FAR.parse().unwrap();
        let told = self.packets.iter().filter_map(|(at, packet)| {
            match stream.receive(far, &mut packet.clone(), self.start + *at) {
                Some(MediaEvent::Key(key)) => Some(key),
                _ => None,
            }
        });
        told.collect()
    }
}

fn stream(codec: Codec, events_payload_type: Option<u8>, start: Instant) -> Stream {
    let far: SocketAddr = FAR.parse().unwrap();
    let agreed = Negotiated {
        remote: far,
        codec,
        payload_type: 0,
        events_payload_type,
        formats: vec![],
        tones: events_payload_type.is_none(),
        packet_ms: 20,
        sending: true,
        keys: None,
    };
    Stream::new(agreed, far.ip(), 7, MediaTimeouts::with_silence(Duration::from_secs(30)), start)
}

/// Any of the sixteen, the same one after itself too.
fn thousand(seed: &mut Seed) -> Vec<char> {
    let any = |seed: &mut Seed| char::from(KEYS.as_bytes()[seed.below(16) as usize]);
    (0..1000).map(|_| any(seed)).collect()
}

/// 80 ms of each key, 80 ms of none, and noise all the while.
fn tones_in_noise(pressed: &[char], seed: &mut Seed) -> Vec<i16> {
    let mut samples = vec![];
    for key in pressed {
        let at = KEYPAD.find(*key).unwrap();
        let (row, column) = (ROWS[at / 4], COLUMNS[at % 4]);
        for sample in 0..1280 {
            let tone = |hz: f64| (std::f64::consts::TAU * hz * f64::from(sample) / 8000.0).sin();
            let sound = if sample < 640 { 3000.0 * (tone(row) + tone(column)) } else { 0.0 };
            // The power of both tones is 3000², that of the noise a hundredth of it.
            let noise: f64 = (0..12).map(|_| seed.below(1001) as f64 / 1000.0).sum::<f64>() - 6.0;
            samples.push((sound + 300.0 * noise) as i16);
        }
    }
    samples
}

/// How many keys have to be changed, put in or left out to make one of the other.
fn differences(pressed: &[char], heard: &str) -> usize {
    let mut row: Vec<usize> = (0..=pressed.len()).collect();
    for (at, key) in heard.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (index, wanted) in pressed.iter().enumerate() {
            let cost = (diagonal + usize::from(*wanted != key)).min(row[index] + 1);
            diagonal = row[index + 1];
            row[index + 1] = cost.min(diagonal + 1);
        }
    }
    row[pressed.len()]
}

const FAR: &str = "192.0.2.1:4000";
const KEYS: &str = "0123456789*#ABCD";
const KEYPAD: &str = "123A456B789C*0#D";
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
