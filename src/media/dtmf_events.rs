//! Keys that arrive as telephone events.

use std::time::{Duration, Instant};

/// Turns telephone-event packets into keys, once per press, when it begins.
///
/// Time stamps alone do not tell presses apart: some senders move the stamp with each packet of a press, and some
/// send the next key under the stamp of the last one.
///
/// Shape:    4 octets: event, `E R volume`, duration (2).
/// Units:    time stamp and duration in ticks of the RTP clock, not ms.
/// Contract: feed every packet of one far end, in arrival order; duplicates, stragglers and lost packets are expected.
/// Source:   RFC 4733 §2.3; one press is one RTP timestamp (§2.2.1), its end is sent three times (§2.5.1.4),
///           one longer than the duration field goes on under a new timestamp (§2.5.1.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct DtmfEvents {
    last: Option<Press>,
}

/// One packet of telephone events.
#[derive(Clone, Copy, Debug)]
pub struct EventPacket<'p> {
    /// Who sends it; some far ends send events under an SSRC of their own.
    pub ssrc: u32,
    /// Its RTP sequence number.
    pub sequence: u16,
    /// Its RTP time stamp.
    pub timestamp: u32,
    /// How fast stamp and duration count.
    pub ticks_per_ms: u32,
    /// What follows the RTP header.
    pub payload: &'p [u8],
}

/// What a packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// A key was pressed.
    Pressed(char),
    /// The key pressed last is still down, or has just been released.
    Held(char),
}

#[derive(Clone, Copy, Debug)]
struct Press {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    event: u8,
    duration: u16,
    ended: bool,
    seen: Instant,
}

/// What a packet is to the press before it.
enum Relation {
    /// A part of it.
    Same,
    /// The beginning of the next one.
    Next,
    /// A late part of an earlier one.
    Straggler,
}

impl DtmfEvents {
    /// Takes one packet.
    pub fn handle(&mut self, packet: &EventPacket<'_>, now: Instant) -> Option<KeyEvent> {
        let EventPacket { ssrc, sequence, timestamp, payload, .. } = *packet;
        let &[event, flags, high, low, ..] = payload else { return None };
        let key = key(event)?;
        let (duration, ended) = (u16::from_be_bytes([high, low]), flags & 0x80 != 0);
        let press = Press { ssrc, sequence, timestamp, event, duration, ended, seen: now };
        let ms = packet.ticks_per_ms.min(TICKS_PER_MS_MAX).cast_signed();
        match self.last.as_ref().map_or(Relation::Next, |last| last.relation(&press, ms)) {
            Relation::Straggler => None,
            Relation::Same => {
                let last = self.last.unwrap_or(press);
                let later = last.ssrc != ssrc || steps(last.sequence, sequence) > 0;
                let sequence = if later { sequence } else { last.sequence };
                let same_stamp = last.timestamp == timestamp;
                let duration = if same_stamp { duration.max(last.duration) } else { duration };
                let ended = ended || last.ended;
                self.last = Some(Press { sequence, duration, ended, ..press });
                Some(KeyEvent::Held(key))
            }
            Relation::Next => {
                self.last = Some(press);
                Some(KeyEvent::Pressed(key))
            }
        }
    }
}

impl Press {
    /// What the next packet is, by a clock of so many ticks a millisecond.
    fn relation(&self, next: &Self, ms: i32) -> Relation {
        let just_seen = next.seen.saturating_duration_since(self.seen) <= ENDED_MAX;
        let same_key = self.event == next.event;
        if self.ssrc != next.ssrc {
            return if same_key && just_seen { Relation::Same } else { Relation::Next };
        }
        let ahead = next.timestamp.wrapping_sub(self.timestamp).cast_signed();
        let steps = steps(self.sequence, next.sequence);
        if ahead == 0 && same_key {
            // A sender whose stamps stand still begins anew after an end.
            let anew = self.ended && !next.ended && steps > 0 && next.duration < self.duration;
            return if anew && !just_seen { Relation::Next } else { Relation::Same };
        }
        if ahead <= 0 && (-STRAGGLER_MAX..=0).contains(&steps) {
            return Relation::Straggler;
        }
        let goes_on = match (ahead, self.ended) {
            _ if !same_key => false,
            (ahead, true) => just_seen && ahead <= END_SLACK_MS * ms,
            (ahead, false) => self.is_continued(ahead, ms) && (ahead > 0 || just_seen),
        };
        if goes_on { Relation::Same } else { Relation::Next }
    }

    /// Whether a packet so many ticks ahead may be of this press, whose end has not come.
    fn is_continued(&self, ahead: i32, ms: i32) -> bool {
        let duration = i32::from(self.duration);
        let full = self.duration >= SEGMENT_MIN && ahead <= i32::from(u16::MAX) + STEP_MAX_MS * ms;
        ahead <= STEP_MAX_MS * ms || (ahead - duration).abs() <= SEGMENT_SLACK_MS * ms || full
    }
}

/// How far one sequence number is ahead of another.
fn steps(from: u16, to: u16) -> i16 {
    to.wrapping_sub(from).cast_signed()
}

fn key(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).map(|&key| char::from(key))
}

/// Source: RFC 4733 §3.2, table 3.
const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// A segment this long is one that ran full: 8 seconds are no press of a key.
const SEGMENT_MIN: u16 = 0xf000;
/// A packet.
const SEGMENT_SLACK_MS: i32 = 40;
/// A packet, and some lost before it.
const STEP_MAX_MS: i32 = 100;
/// As far as the last of three end packets is from the first.
const END_SLACK_MS: i32 = 60;
/// No codec of ours counts faster.
const TICKS_PER_MS_MAX: u32 = 48;
/// As long a packet of a press may come after its end; no finger is back so soon.
const ENDED_MAX: Duration = Duration::from_millis(80);
/// Packets; more than that is no straggler but a sender that counts anew.
const STRAGGLER_MAX: i16 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    /// Packets as `key@timestamp+duration`, `!` for the end bit, each 20 ms after the one before; `~1` in front: one of
    /// so many packets before; `s` in front: from another source; `..` half a second passes.
    fn heard(packets: &str) -> String {
        let (mut events, mut keys) = (DtmfEvents::default(), String::new());
        let (mut now, mut sequence) = (clock::now(), 0_u16);
        for packet in packets.split_whitespace() {
            if packet == ".." {
                now += Duration::from_millis(500);
                continue;
            }
            now += Duration::from_millis(20);
            sequence += 1;
            let (ssrc, packet) = packet.strip_prefix('s').map_or((7, packet), |it| (8, it));
            let (late, packet) = match packet.strip_prefix('~') {
                Some(rest) => (rest[..1].parse().unwrap(), &rest[1..]),
                None => (0, packet),
            };
            let (key, rest) = packet.split_once('@').unwrap();
            let (timestamp, rest) = rest.split_once('+').unwrap();
            let ended = rest.ends_with('!');
            let duration: u16 = rest.trim_end_matches('!').parse().unwrap();
            let event = KEYS.iter().position(|k| char::from(*k).to_string() == key).unwrap() as u8;
            let [high, low] = duration.to_be_bytes();
            let payload = &[event, if ended { 0x8a } else { 0x0a }, high, low];
            let timestamp = timestamp.parse().unwrap();
            let sequence = sequence - late;
            let packet = EventPacket { ssrc, sequence, timestamp, ticks_per_ms: 8, payload };
            if let Some(KeyEvent::Pressed(key)) = events.handle(&packet, now) {
                keys.push(key);
            }
        }
        keys
    }

    #[test]
    fn one_press_is_one_key_whatever_the_network_does() {
        let cases = [
            ("a whole press", "5@1000+160 5@1000+320 5@1000+480! 5@1000+480! 5@1000+480!", "5"),
            ("only one end packet arrives", "5@1000+480!", "5"),
            ("no end packet arrives, another key follows", "5@1000+160 1@3000+160", "51"),
            ("the same key twice, all ends lost", "5@1000+160 5@3000+160", "55"),
            ("the same key twice", "5@1000+480! 5@1000+480! .. 5@3000+160 5@3000+480!", "55"),
            ("the same key twice at once", "5@1000+480! 5@1000+480! 5@3000+160 5@3000+480!", "55"),
            ("a straggler after the next key", "5@1000+160 1@3000+160 ~25@1000+480!", "51"),
            ("reordered within a press", "5@1000+480! ~25@1000+160 ~25@1000+320", "5"),
            ("a key held for ten seconds", "5@1000+65000 5@66535+160 5@66535+9000!", "5"),
            ("timestamps that wrap", "5@4294967000+480! 1@200+160", "51"),
            ("all keys", "*@1+9! #@1001+9! A@2001+9! 0@3001+9!", "*#A0"),
        ];
        for (what, packets, expected) in cases {
            assert_eq!(heard(packets), expected, "{what}");
        }
    }

    #[test]
    fn senders_with_odd_time_stamps_are_understood() {
        let cases = [
            ("stamps move", "9@1000+160 9@1160+320 9@1320+480 9@1480+640! 9@1640+640!", "9"),
            ("each packet is one event", "9@1000+160 9@1160+160 9@1320+160 9@1480+160!", "9"),
            ("they move, two are lost", "9@1000+160 9@1480+640 9@1640+800! 9@1960+800!", "9"),
            ("they move, one overtakes", "9@1000+160 9@1320+480 ~29@1160+320 9@1480+640!", "9"),
            ("they move, two presses", "9@1000+160 9@1160+320! .. 9@5400+160 9@5560+320!", "99"),
            ("another key under the same stamp", "5@1000+480! 5@1000+480! 1@1000+160", "51"),
            ("and a straggler of the first", "5@1000+480! 1@1000+160 ~25@1000+480!", "51"),
            ("the same key under the same stamp", "5@9+160 5@9+480! .. 5@9+160 5@9+480!", "55"),
            ("a repeated end, late", "5@9+160 5@9+480! .. 5@9+480!", "5"),
            ("stamps that leap back", "5@90000+480! .. 5@100+160 5@100+480!", "55"),
            ("another source takes over", "5@1000+160 s5@77000+320 s5@77000+480!", "5"),
            ("the next key from another source", "5@1000+480! .. s5@77000+160", "55"),
        ];
        for (what, packets, expected) in cases {
            assert_eq!(heard(packets), expected, "{what}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut events = DtmfEvents::default();
        for payload in [&[16, 0, 0, 160][..], &[5, 0, 0], &[]] {
            let packet =
                EventPacket { ssrc: 7, sequence: 1, timestamp: 1, ticks_per_ms: 8, payload };
            assert_eq!(events.handle(&packet, clock::now()), None, "flash, or too short");
        }
    }
}
