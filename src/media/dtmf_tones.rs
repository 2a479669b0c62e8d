//! Keys that are heard as pairs of tones.

use std::f32::consts::TAU;
use std::sync::LazyLock;

/// Turns sound into keys, once per press, about 40 ms after it begins.
///
/// Two windows of 12.75 ms overlap by half; each half is measured once, with all eight tones in step, and the halves
/// are joined by a rotation. Speech makes keys by chance; what keeps it out is that the two tones must be three
/// quarters of all that is heard, five windows in a row.
///
/// Units:    samples at 8,000 a second.
/// Contract: feed every sample of one source in order, lost ones concealed.
/// Source:   ITU-T Q.23, Q.24.
#[derive(Clone, Debug)]
pub struct DtmfTones {
    half: [f32; HALF],
    filled: usize,
    before: Measured,
    /// The key of the last windows, how many had it, and whether it was reported.
    heard: Option<char>,
    windows: u32,
    pressed: Option<char>,
    missed: u32,
}

/// One half of a window: its energy, and each tone's part as a complex number.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    energy: f32,
    real: [f32; TONES],
    imaginary: [f32; TONES],
}

impl Default for DtmfTones {
    fn default() -> Self {
        Self {
            half: [0.0; HALF],
            filled: 0,
            before: Measured::default(),
            heard: None,
            windows: 0,
            pressed: None,
            missed: 0,
        }
    }
}

impl DtmfTones {
    /// Takes what is heard next. Returns a key that is recognised in it; of several the last.
    pub fn hear(&mut self, samples: impl IntoIterator<Item = i16>) -> Option<char> {
        let mut key = None;
        for sample in samples {
            self.half[self.filled] = f32::from(sample);
            self.filled += 1;
            if self.filled == HALF {
                self.filled = 0;
                let now = Measured::of(&self.half);
                let window = key_in(&self.before, &now);
                self.before = now;
                key = self.count(window).or(key);
            }
        }
        key
    }

    /// The key that is held down.
    pub fn held(&self) -> Option<char> {
        self.pressed
    }

    fn count(&mut self, window: Option<char>) -> Option<char> {
        self.windows = match window {
            Some(_) if window == self.heard => self.windows + 1,
            Some(_) => 1,
            None => 0,
        };
        self.heard = window;
        self.missed = if window.is_some() && window == self.pressed { 0 } else { self.missed + 1 };
        if self.missed >= WINDOWS_TO_RELEASE {
            self.pressed = None;
        }
        if self.windows < WINDOWS_TO_PRESS || window == self.pressed {
            return None;
        }
        (self.pressed, self.missed) = (window, 0);
        window
    }
}

impl Measured {
    fn of(half: &[f32; HALF]) -> Self {
        let energy = half.iter().map(|sample| sample * sample).sum();
        if energy < ENERGY_MIN / 16.0 {
            return Self { energy, ..Self::default() };
        }
        let Turns { cosine, sine, .. } = *TURNS;
        let [last, last_but_one] = resonate(half.iter().copied());
        let part = |tone: usize, turn: &[f32; TONES]| last_but_one[tone] * turn[tone];
        Self {
            energy,
            real: std::array::from_fn(|tone| last[tone] - part(tone, &cosine)),
            imaginary: std::array::from_fn(|tone| part(tone, &sine)),
        }
    }
}

/// How much of a frame is the strongest tone of each group, rows and columns: 1 is all of it.
pub fn shares(frame: &[i16]) -> [f32; 2] {
    let energy: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    let [last, last_but_one] = resonate(frame.iter().map(|sample| f32::from(*sample)));
    let share = |tone: usize| {
        let (a, b) = (last[tone], last_but_one[tone]);
        let power = a * a + b * b - TURNS.doubled_cosine[tone] * a * b;
        power * 2.0 / frame.len() as f32 / energy.max(1.0)
    };
    [0..TONES / 2, TONES / 2..TONES].map(|group| group.map(share).fold(0.0, f32::max))
}

/// Runs samples through a resonator for each tone (Goertzel). Gives the last two states of each.
fn resonate(samples: impl Iterator<Item = f32>) -> [[f32; TONES]; 2] {
    let doubled_cosine = TURNS.doubled_cosine;
    let (mut last, mut last_but_one) = ([0_f32; TONES], [0_f32; TONES]);
    for sample in samples {
        let mut next = [0_f32; TONES];
        for tone in 0..TONES {
            next[tone] = sample + doubled_cosine[tone] * last[tone] - last_but_one[tone];
        }
        (last_but_one, last) = (last, next);
    }
    [last, last_but_one]
}

/// The key whose two tones are nearly all of what two halves hold.
fn key_in(before: &Measured, now: &Measured) -> Option<char> {
    let energy = before.energy + now.energy;
    if energy < ENERGY_MIN {
        return None;
    }
    let Turns { half_cosine, half_sine, .. } = *TURNS;
    let power: [f32; TONES] = std::array::from_fn(|tone| {
        let (cosine, sine) = (half_cosine[tone], half_sine[tone]);
        let real = before.real[tone] + now.real[tone] * cosine + now.imaginary[tone] * sine;
        let imaginary =
            before.imaginary[tone] + now.imaginary[tone] * cosine - now.real[tone] * sine;
        real * real + imaginary * imaginary
    });
    let (row, low) = clear_best(&power[..4])?;
    let (column, high) = clear_best(&power[4..])?;
    let share = (low + high) * 2.0 / (2 * HALF) as f32 / energy;
    let balanced = low <= high * LOW_OVER_HIGH_MAX && high <= low * HIGH_OVER_LOW_MAX;
    (balanced && share >= SHARE_MIN).then(|| char::from(KEYS[row][column]))
}

/// The strongest of one group of tones, if no other comes near it.
fn clear_best(powers: &[f32]) -> Option<(usize, f32)> {
    let (best, &power) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let others = powers.iter().enumerate().filter(|(at, _)| *at != best);
    others
        .map(|(_, other)| *other)
        .all(|other| other * ABOVE_OTHERS <= power)
        .then_some((best, power))
}

/// How far each tone's phase turns in one sample and in half a window.
struct Turns {
    doubled_cosine: [f32; TONES],
    cosine: [f32; TONES],
    sine: [f32; TONES],
    half_cosine: [f32; TONES],
    half_sine: [f32; TONES],
}

static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    let angle = HZ.map(|hz| TAU * hz / 8000.0);
    let half = angle.map(|angle| angle * HALF as f32);
    Turns {
        doubled_cosine: angle.map(|angle| 2.0 * angle.cos()),
        cosine: angle.map(f32::cos),
        sine: angle.map(f32::sin),
        half_cosine: half.map(f32::cos),
        half_sine: half.map(f32::sin),
    }
});

const TONES: usize = 8;
/// Four rows, then four columns.
const HZ: [f32; TONES] = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: [&[u8; 4]; 4] = [b"123A", b"456B", b"789C", b"*0#D"];
const HALF: usize = 51;
const WINDOWS_TO_PRESS: u32 = 5;
const WINDOWS_TO_RELEASE: u32 = 7;
/// Of one window: -42 dBm0, where a sine with a peak of 32,124 is +3.17 dBm0.
const ENERGY_MIN: f32 = 1.6e6;
const SHARE_MIN: f32 = 0.75;
/// 7 dB. More would lose `0`, whose strong low tone shines through the window's edges on either side of a weak high one.
const ABOVE_OTHERS: f32 = 5.01;
/// 10.5 dB: a line may take 8 dB off the high group, and noise and the window's edges some more.
const LOW_OVER_HIGH_MAX: f32 = 11.22;
/// 5.5 dB: 4 dB, and some more.
const HIGH_OVER_LOW_MAX: f32 = 3.55;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::{Clip, Codec};
    use crate::seed::Seed;

    const TRIALS: usize = 480;
    /// dBm0 of a sine that just fits.
    const LOUDEST: f64 = 3.17;

    /// How a key sounds; levels are dBm0 per tone.
    #[derive(Clone, Copy)]
    struct Sound {
        ms: usize,
        level: f64,
        /// The high group over the low one, in dB.
        twist: f64,
        off_percent: f64,
        noise_snr: Option<f64>,
    }

    const PRESS: Sound =
        Sound { ms: 80, level: -10.0, twist: 0.0, off_percent: 0.0, noise_snr: None };

    fn amplitude(level: f64) -> f64 {
        32_124.0 * 10_f64.powf((level - LOUDEST) / 20.0)
    }

    fn noise(seed: &mut Seed) -> f64 {
        // The sum of twelve even numbers is near enough to a bell of width 1.
        (0..12).map(|_| seed.below(1 << 32) as f64 / (1_u64 << 32) as f64).sum::<f64>() - 6.0
    }

    /// A key as the telephone network carries it, quiet around it.
    fn press(key: usize, sound: Sound, seed: &mut Seed) -> Vec<f64> {
        let (lead, ms) = (400 + seed.below(51) as usize, sound.ms * 8);
        let mut samples = vec![0.0; lead + ms + 800];
        let gains = [amplitude(sound.level), amplitude(sound.level + sound.twist)];
        for (hz, gain) in [HZ[key / 4], HZ[4 + key % 4]].into_iter().zip(gains) {
            let step =
                std::f64::consts::TAU * f64::from(hz) * (1.0 + sound.off_percent / 100.0) / 8000.0;
            let phase = seed.below(1000) as f64 / 159.0;
            for at in 0..ms {
                samples[lead + at] += gain * (step * at as f64 + phase).sin();
            }
        }
        if let Some(snr) = sound.noise_snr {
            let power = (gains[0].powi(2) + gains[1].powi(2)) / 2.0;
            let width = (power / 10_f64.powf(snr / 10.0)).sqrt();
            samples.iter_mut().for_each(|sample| *sample += width * noise(seed));
        }
        samples
    }

    fn through_mu_law(samples: &[f64]) -> Vec<i16> {
        let samples: Vec<i16> = samples.iter().map(|sample| *sample as i16).collect();
        let clip = Clip::encode(Codec::Pcmu, &samples);
        (0..).map_while(|at| clip.frame(at)).flatten().map(|it| Codec::Pcmu.decode(*it)).collect()
    }

    /// In how many of 480 trials just the right key was told, and in how many anything else.
    fn trials(sound: Sound) -> (usize, usize) {
        let mut seed = Seed::fixed(7);
        let (mut right, mut wrong) = (0, 0);
        for trial in 0..TRIALS {
            let key = trial % 16;
            let samples = through_mu_law(&press(key, sound, &mut seed));
            let mut tones = DtmfTones::default();
            let told: String =
                samples.chunks(160).filter_map(|it| tones.hear(it.iter().copied())).collect();
            let expected = char::from(KEYS[key / 4][key % 4]).to_string();
            right += usize::from(told == expected);
            wrong += usize::from(!told.is_empty() && told != expected);
        }
        (right, wrong)
    }

    #[test]
    fn what_a_keypad_may_sound_like_is_a_key() {
        let cases = [
            ("20 dB over noise", Sound { noise_snr: Some(20.0), ..PRESS }, TRIALS),
            ("15 dB over noise", Sound { noise_snr: Some(15.0), ..PRESS }, TRIALS),
            ("8 dB over noise", Sound { noise_snr: Some(8.0), ..PRESS }, 470),
            ("loud", Sound { level: -2.0, ..PRESS }, TRIALS),
            ("faint", Sound { level: -39.0, ..PRESS }, TRIALS),
            ("high by 1.5 %", Sound { off_percent: 1.5, ..PRESS }, TRIALS),
            ("low by 1.5 %", Sound { off_percent: -1.5, ..PRESS }, TRIALS),
            ("high group 4 dB up", Sound { twist: 4.0, ..PRESS }, TRIALS),
            ("high group 8 dB down", Sound { twist: -8.0, ..PRESS }, TRIALS),
            ("40 ms", Sound { ms: 40, ..PRESS }, TRIALS),
            ("40 ms, 15 dB over noise", Sound { ms: 40, noise_snr: Some(15.0), ..PRESS }, 475),
            ("held for two seconds", Sound { ms: 2000, ..PRESS }, TRIALS),
        ];
        for (what, sound, required) in cases {
            let (right, wrong) = trials(sound);
            println!("{what}: {right} of {TRIALS} heard, {wrong} as another key");
            assert!(right >= required, "{what}: {right} of {TRIALS}, {wrong} otherwise");
        }
    }

    #[test]
    fn what_no_keypad_sounds_like_is_none() {
        let cases = [
            ("23 ms", Sound { ms: 23, ..PRESS }),
            ("high by 3.5 %", Sound { off_percent: 3.5, ..PRESS }),
            ("low by 3.5 %", Sound { off_percent: -3.5, ..PRESS }),
            ("high group 10 dB up", Sound { twist: 10.0, ..PRESS }),
            ("too faint", Sound { level: -55.0, ..PRESS }),
        ];
        for (what, sound) in cases {
            let (right, wrong) = trials(sound);
            println!("{what}: {right} of {TRIALS} heard, {wrong} as another key");
            assert_eq!((right, wrong), (0, 0), "{what}");
        }
    }

    #[test]
    fn a_key_pressed_twice_is_two_and_a_lost_packet_within_it_makes_none_of_one() {
        let mut seed = Seed::fixed(3);
        let sound = |ms| Sound { ms, ..PRESS };
        for key in 0..16 {
            let tone = press(key, sound(100), &mut seed);
            let begin = tone.iter().position(|sample| *sample != 0.0).unwrap();
            let once = &tone[begin..begin + 640];
            let mut twice = once.to_vec();
            twice.extend([0.0; 320]);
            twice.extend(once);
            twice.extend([0.0; 800]);
            let mut tones = DtmfTones::default();
            let told =
                through_mu_law(&twice).chunks(160).filter_map(|it| tones.hear(it.to_vec())).count();
            assert_eq!(told, 2, "40 ms between the two");

            let mut lossy = tone;
            let packet = (begin / 160 + 2) * 160;
            lossy[packet..packet + 160].fill(0.0);
            let mut tones = DtmfTones::default();
            let told =
                through_mu_law(&lossy).chunks(160).filter_map(|it| tones.hear(it.to_vec())).count();
            assert_eq!(told, 1, "20 ms of it lost");
        }
    }
}
