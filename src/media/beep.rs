//! The beep after which an answering machine records.

use std::ops::RangeInclusive;

/// Notices one steady tone, and its end.
///
/// For each 20 ms the tone that explains the sound best is found: of a sinusoid, each sample with the one two before
/// is a multiple of the one between, so one least-squares fit gives its frequency, and what is left over tells how
/// pure it is. Speech leaves over too much, or its pitch moves.
///
/// Units:    samples at 8,000 a second.
/// Contract: feed every sample of one source in order.
#[derive(Clone, Debug)]
pub struct Beep {
    before: [f32; 2],
    frame: Fit,
    hz: f32,
    frames: u32,
}

/// The sums of one frame.
#[derive(Clone, Copy, Debug, Default)]
struct Fit {
    samples: u32,
    /// Of the outer two with the middle one, of the middle one, and of the outer two.
    cross: f32,
    middle: f32,
    outer: f32,
    energy: f32,
}

impl Default for Beep {
    fn default() -> Self {
        Self { before: [0.0; 2], frame: Fit::default(), hz: 0.0, frames: 0 }
    }
}

impl Beep {
    /// Takes one sample. Tells, when a tone has ended that was long enough for a beep.
    pub fn hear(&mut self, sample: i16) -> bool {
        let now = f32::from(sample);
        let [older, middle] = self.before;
        let outer = now + older;
        self.frame.cross += outer * middle;
        self.frame.middle += middle * middle;
        self.frame.outer += outer * outer;
        self.frame.energy += now * now;
        self.frame.samples += 1;
        self.before = [middle, now];
        if self.frame.samples < FRAME_SAMPLES {
            return false;
        }
        let frame = std::mem::take(&mut self.frame);
        match frame.tone() {
            Some(hz) if self.frames == 0 || (hz - self.hz).abs() <= HZ_DRIFT_MAX => {
                self.hz = hz;
                self.frames = self.frames.saturating_add(1);
                false
            }
            other => {
                let ended = FRAMES.contains(&std::mem::take(&mut self.frames));
                if let Some(hz) = other {
                    (self.hz, self.frames) = (hz, 1);
                }
                ended
            }
        }
    }
}

impl Fit {
    /// The frequency, if nearly all of the frame is one tone of a beep.
    fn tone(&self) -> Option<f32> {
        let level = self.energy / self.samples as f32;
        if level < LEVEL_MIN * LEVEL_MIN || self.middle <= 0.0 {
            return None;
        }
        let double_cosine = self.cross / self.middle;
        let left_over = self.outer - double_cosine * self.cross;
        // A sinusoid of power p has 3p in the three samples that the fit looks at.
        if left_over > LEFT_OVER_MAX * 3.0 * self.middle || double_cosine.abs() > 2.0 {
            return None;
        }
        let hz = (double_cosine / 2.0).acos() / std::f32::consts::TAU * RATE_HZ;
        (HZ_MIN..=HZ_MAX).contains(&hz).then_some(hz)
    }
}

const RATE_HZ: f32 = 8000.0;
const FRAME_SAMPLES: u32 = 160;
/// 120 ms to 3 s: what is longer is a dial tone, or a line that is dead.
const FRAMES: RangeInclusive<u32> = 6..=150;
const HZ_MIN: f32 = 350.0;
const HZ_MAX: f32 = 2200.0;
const HZ_DRIFT_MAX: f32 = 12.0;
/// Root mean square; some 40 dB below the loudest.
const LEVEL_MIN: f32 = 250.0;
/// Of the energy: what may be noise.
const LEFT_OVER_MAX: f32 = 0.03;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_tone_that_ends_is_a_beep() {
        let cases = [
            ("a machine's", sound(&[(1000.0, 400)], 8000.0), 1),
            ("a low one", sound(&[(440.0, 200)], 3000.0), 1),
            ("a high one", sound(&[(2100.0, 1000)], 6000.0), 1),
            ("a faint one", sound(&[(1400.0, 300)], 500.0), 1),
            ("two", sound(&[(1000.0, 300), (0.0, 500), (1000.0, 300)], 8000.0), 2),
            ("a short one", sound(&[(1000.0, 90)], 8000.0), 0),
            ("a whisper", sound(&[(1000.0, 400)], 100.0), 0),
            ("a hum", sound(&[(100.0, 1000)], 8000.0), 0),
            ("a dial tone", sound(&[(425.0, 10_000)], 8000.0), 0),
            (
                "a siren",
                sound(&(0..50).map(|n| (600.0 + 30.0 * n as f32, 20)).collect::<Vec<_>>(), 8000.0),
                0,
            ),
            ("silence", sound(&[(0.0, 1000)], 0.0), 0),
        ];
        for (name, samples, expected) in cases {
            let mut beep = Beep::default();
            let heard = samples.iter().filter(|sample| beep.hear(**sample)).count();
            assert_eq!(heard, expected, "{name}");
        }
    }

    /// Tones of so many Hz and ms after another, with a little noise, then silence.
    fn sound(tones: &[(f32, usize)], level: f32) -> Vec<i16> {
        let (mut phase, mut noise) = (0.0_f32, 1_u32);
        let silence = [(0.0, 200)];
        tones
            .iter()
            .chain(&silence)
            .flat_map(|(hz, ms)| std::iter::repeat_n(*hz, ms * 8))
            .map(|hz| {
                phase = (phase + hz / RATE_HZ) % 1.0;
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let hiss = (noise >> 16) as f32 / 65_536.0 - 0.5;
                let tone = if hz > 0.0 { (phase * std::f32::consts::TAU).sin() } else { 0.0 };
                (tone * level + hiss * level * 0.1) as i16
            })
            .collect()
    }
}
