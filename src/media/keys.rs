//! The keys of one source, however it sends them: as telephone events, as tones, or as both.

use std::time::{Duration, Instant};

use super::codec::{Codec, FRAME_BYTES};
use super::dtmf_events::DtmfEvents;
use super::dtmf_tones::DtmfTones;

/// What one source presses.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    events: DtmfEvents,
    tones: DtmfTones,
    /// Where the sound goes on, on the clock of the source.
    next: Option<u32>,
    last: [u8; FRAME_BYTES],
    told: Option<(char, Way, Instant)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Event,
    Tones,
}

impl Keys {
    pub(super) fn new(codec: Codec) -> Self {
        let last = [codec.silence(); FRAME_BYTES];
        Self {
            events: DtmfEvents::default(),
            tones: DtmfTones::default(),
            next: None,
            last,
            told: None,
        }
    }

    /// Takes the payload of a telephone event.
    pub(super) fn event(&mut self, payload: &[u8], timestamp: u32, now: Instant) -> Option<char> {
        let key = self.events.handle(payload, timestamp)?;
        self.tell(key, Way::Event, now)
    }

    /// Listens for tones in a packet of sound. A short gap is filled with what came last, so that a lost packet does
    /// not make two keys of one.
    pub(super) fn sound(
        &mut self,
        codec: Codec,
        payload: &[u8],
        timestamp: u32,
        now: Instant,
    ) -> Option<char> {
        let ahead = self.next.map_or(0, |next| timestamp.wrapping_sub(next).cast_signed());
        if (-STRAGGLER_MAX..0).contains(&ahead) {
            return None;
        }
        let mut key = None;
        if (1..=CONCEALED_MAX).contains(&ahead) {
            let filler = self.last.iter().cycle().take(ahead as usize);
            key = self.tones.hear(filler.map(|octet| codec.decode(*octet)));
        } else if ahead != 0 {
            self.tones = DtmfTones::default();
        }
        key = self.tones.hear(payload.iter().map(|octet| codec.decode(*octet))).or(key);
        if let Some(last) = payload.last_chunk::<FRAME_BYTES>() {
            self.last = *last;
        }
        self.next = Some(timestamp.wrapping_add(payload.len() as u32));
        self.tell(key?, Way::Tones, now)
    }

    /// One press that arrives both ways, or whose tone is torn by an echo of our own voice, is one key.
    fn tell(&mut self, key: char, way: Way, now: Instant) -> Option<char> {
        if let Some((last, last_way, at)) = self.told {
            let after = now.saturating_duration_since(at);
            let same_press = match (last_way, way) {
                (Way::Event, Way::Event) => false,
                (Way::Tones, Way::Tones) => after < TORN_MAX,
                _ => after < BOTH_WAYS_MAX,
            };
            if last == key && same_press {
                return None;
            }
        }
        self.told = Some((key, way, now));
        Some(key)
    }
}

/// Samples; more of them are no straggler but a clock that leapt.
const STRAGGLER_MAX: i32 = 8000;
/// 60 ms.
const CONCEALED_MAX: i32 = 480;
const TORN_MAX: Duration = Duration::from_millis(120);
const BOTH_WAYS_MAX: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::media::codec::Clip;

    /// The key 5 as packets of µ-law.
    fn five(ms: usize) -> Clip {
        let tone = |at: usize, hz: f64| (std::f64::consts::TAU * hz * at as f64 / 8000.0).sin();
        let sample = |at| ((tone(at, 770.0) + tone(at, 1336.0)) * 6000.0) as i16;
        Clip::encode(Codec::Pcmu, &(0..ms * 8).map(sample).collect::<Vec<_>>())
    }

    struct Heard {
        keys: Keys,
        told: String,
        now: Instant,
        timestamp: u32,
    }

    impl Heard {
        fn new() -> Self {
            Self {
                keys: Keys::new(Codec::Pcmu),
                told: String::new(),
                now: clock::now(),
                timestamp: 0,
            }
        }

        fn sound(&mut self, payload: &[u8]) {
            let key = self.keys.sound(Codec::Pcmu, payload, self.timestamp, self.now);
            self.told.extend(key);
            self.lost(1);
        }

        fn lost(&mut self, packets: u32) {
            self.timestamp += 160 * packets;
            self.now += Duration::from_millis(20) * packets;
        }

        fn quiet(&mut self, packets: u32) {
            for _ in 0..packets {
                self.sound(&[0xff; 160]);
            }
        }

        fn press(&mut self, ms: usize, loses: &[usize]) {
            let clip = five(ms);
            for at in 0..ms / 20 {
                match loses.contains(&at) {
                    true => self.lost(1),
                    false => self.sound(clip.frame(at).unwrap()),
                }
            }
        }
    }

    #[test]
    fn a_press_is_one_key_although_packets_of_it_are_lost_or_late() {
        for loses in [&[][..], &[0], &[2], &[1, 2], &[4, 5, 6], &[1, 4, 7]] {
            let mut heard = Heard::new();
            heard.quiet(5);
            heard.press(200, loses);
            heard.quiet(10);
            assert_eq!(heard.told, "5", "without {loses:?}");
        }
        let mut heard = Heard::new();
        heard.press(200, &[]);
        heard.timestamp -= 160 * 3;
        heard.press(60, &[]);
        assert_eq!(heard.told, "5", "stragglers");
    }

    #[test]
    fn a_press_as_event_and_as_tone_is_one_and_a_later_one_another() {
        let mut heard = Heard::new();
        let event = heard.keys.event(&[5, 10, 0, 160], 0, heard.now);
        heard.told.extend(event);
        heard.press(160, &[]);
        heard.quiet(20);
        assert_eq!(heard.told, "5");
        heard.press(100, &[]);
        heard.quiet(10);
        assert_eq!(heard.told, "55");
        heard.timestamp += 1 << 31;
        heard.press(100, &[]);
        assert_eq!(heard.told, "555", "after a leap of the clock");
    }
}
