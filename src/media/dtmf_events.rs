//! Keys that arrive as telephone events.

/// Turns telephone-event packets into keys, once per press, when it begins.
///
/// Shape:    4 octets: event, `E R volume`, duration (2).
/// Units:    duration in RTP clock ticks (8,000 a second), not ms.
/// Contract: feed every packet of one source, in arrival order; duplicates, stragglers and lost packets are expected.
/// Source:   RFC 4733 §2.3; one press is one RTP timestamp (§2.2.1), its end is sent three times (§2.5.1.4),
///           one longer than the duration field goes on under a new timestamp (§2.5.1.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct DtmfEvents {
    last: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    event: u8,
    duration: u16,
    ended: bool,
}

impl DtmfEvents {
    /// Takes the payload of one packet and its RTP timestamp.
    pub fn handle(&mut self, payload: &[u8], timestamp: u32) -> Option<char> {
        let &[event, flags, high, low, ..] = payload else { return None };
        let key = key(event)?;
        let (duration, ended) = (u16::from_be_bytes([high, low]), flags & 0x80 != 0);
        let press = Press { timestamp, event, duration, ended };
        let Some(last) = self.last else {
            self.last = Some(press);
            return Some(key);
        };
        let ahead = timestamp.wrapping_sub(last.timestamp).cast_signed();
        if ahead == 0 {
            let duration = duration.max(last.duration);
            self.last = Some(Press { duration, ended: ended || last.ended, ..last });
            return None;
        }
        if ahead < 0 {
            return None; // A straggler of an earlier press.
        }
        let goes_on = !last.ended
            && last.event == event
            && last.duration >= SEGMENT_MIN
            && ahead.cast_unsigned() <= u32::from(u16::MAX) + SEGMENT_SLACK;
        self.last = Some(press);
        if goes_on { None } else { Some(key) }
    }
}

fn key(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).map(|&key| char::from(key))
}

/// Source: RFC 4733 §3.2, table 3.
const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// A segment this long is one that ran full: 8 seconds are no press of a key.
const SEGMENT_MIN: u16 = 0xf000;
const SEGMENT_SLACK: u32 = 800;

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets as `key@timestamp+duration`, `!` for the end bit.
    fn heard(packets: &str) -> String {
        let mut events = DtmfEvents::default();
        let mut keys = String::new();
        for packet in packets.split_whitespace() {
            let (key, rest) = packet.split_once('@').unwrap();
            let (timestamp, rest) = rest.split_once('+').unwrap();
            let ended = rest.ends_with('!');
            let duration: u16 = rest.trim_end_matches('!').parse().unwrap();
            let event = KEYS.iter().position(|k| char::from(*k).to_string() == key).unwrap() as u8;
            let [high, low] = duration.to_be_bytes();
            let payload = [event, if ended { 0x8a } else { 0x0a }, high, low];
            keys.extend(events.handle(&payload, timestamp.parse().unwrap()));
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
            ("the same key twice", "5@1000+480! 5@1000+480! 5@3000+160 5@3000+480!", "55"),
            ("a straggler after the next key", "5@1000+160 1@3000+160 5@1000+480!", "51"),
            ("reordered within a press", "5@1000+480! 5@1000+160 5@1000+320", "5"),
            ("a key held for ten seconds", "5@1000+65000 5@66535+160 5@66535+9000!", "5"),
            ("timestamps that wrap", "5@4294967000+480! 1@200+160", "51"),
            ("all keys", "*@1+9! #@1001+9! A@2001+9! 0@3001+9!", "*#A0"),
        ];
        for (what, packets, expected) in cases {
            assert_eq!(heard(packets), expected, "{what}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut events = DtmfEvents::default();
        assert_eq!(events.handle(&[16, 0, 0, 160], 1), None); // Flash.
        assert_eq!(events.handle(&[5, 0, 0], 1), None);
        assert_eq!(events.handle(&[], 1), None);
    }
}
