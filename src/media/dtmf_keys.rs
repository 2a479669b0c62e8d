//! The keys of one far end, however it sends them: as telephone events, as tones, or as both.

use std::time::{Duration, Instant};

use super::MediaEvent;
use super::codec::{Codec, FRAME_BYTES};
use super::dtmf_events::{DtmfEvents, EventPacket, KeyEvent};
use super::dtmf_tones::DtmfTones;
use super::key_presses::KeyPresses;

/// What one far end presses.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    events: DtmfEvents,
    tones: DtmfTones,
    /// Where the sound goes on, on the clock of the source.
    next: Option<u32>,
    last: [u8; FRAME_BYTES],
    last_tone: Option<(char, Instant)>,
    presses: KeyPresses<KeyMethod>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyMethod {
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
            last_tone: None,
            presses: KeyPresses::default(),
        }
    }

    /// The sound comes from another source. Its clock is another one; a press may go on.
    pub(super) fn change_source(&mut self, codec: Codec) {
        self.tones = DtmfTones::default();
        self.next = None;
        self.last = [codec.silence(); FRAME_BYTES];
    }

    /// Takes a telephone event.
    pub(super) fn event(&mut self, packet: &EventPacket<'_>, now: Instant) -> Option<MediaEvent> {
        match self.events.handle(packet, now)? {
            KeyEvent::Pressed(key) => self.pressed(key, KeyMethod::Event, now),
            KeyEvent::Held(key) => self.held(key, KeyMethod::Event, now),
        }
    }

    /// Listens for tones in a packet of sound. A short gap is filled with what came last, so that a lost packet does
    /// not make two keys of one.
    pub(super) fn sound(
        &mut self,
        codec: Codec,
        payload: &[u8],
        timestamp: u32,
        now: Instant,
    ) -> Option<MediaEvent> {
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
        match key {
            Some(key) if self.is_torn(key, now) => None,
            Some(key) => self.pressed(key, KeyMethod::Tones, now),
            None => self.held(self.tones.held()?, KeyMethod::Tones, now),
        }
    }

    /// Whether a tone is the rest of one that an echo of our own voice has torn.
    fn is_torn(&mut self, key: char, now: Instant) -> bool {
        let rest = |(last, at)| last == key && now.saturating_duration_since(at) < TORN_MAX;
        let torn = self.last_tone.is_some_and(rest);
        if !torn {
            self.last_tone = Some((key, now));
        }
        torn
    }

    fn pressed(&mut self, key: char, method: KeyMethod, now: Instant) -> Option<MediaEvent> {
        self.presses.is_new(key, method, now).then_some(MediaEvent::Key(key))
    }

    fn held(&mut self, key: char, method: KeyMethod, now: Instant) -> Option<MediaEvent> {
        self.presses.is_held(key, method, now).then_some(MediaEvent::KeyHeld(key))
    }
}

/// Samples; more of them are no straggler but a clock that leapt.
const STRAGGLER_MAX: i32 = 8000;
/// 60 ms.
const CONCEALED_MAX: i32 = 480;
const TORN_MAX: Duration = Duration::from_millis(120);

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
            self.take(key);
            self.lost(1);
        }

        fn take(&mut self, event: Option<MediaEvent>) {
            if let Some(MediaEvent::Key(key)) = event {
                self.told.push(key);
            }
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
        let payload = &[5, 10, 0, 160];
        let packet = EventPacket { ssrc: 7, sequence: 1, timestamp: 0, ticks_per_ms: 8, payload };
        let event = heard.keys.event(&packet, heard.now);
        heard.take(event);
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
