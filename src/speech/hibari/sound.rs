//! From spectra to a waveform: a pulse train shaped by the harmonic part, noise shaped by the noise part, and a part with
//! phases of its own, added and turned back into samples.

use std::f32::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::RATE_HZ;

/// What the network says of one utterance.
///
/// Shape: each part has [`BINS`] rows of one value a frame, row after row; `pitch_hz` has one value a frame.
/// Units: `harmonic`, `noise` and `free` are logarithms of magnitudes; `harmonic_phase` is bent by tanh and counts in
///        half turns; `free_phase` is in radians; a frame lasts [`HOP`] samples.
pub(super) struct Spectra {
    pub(super) harmonic: Vec<f32>,
    pub(super) harmonic_phase: Vec<f32>,
    pub(super) noise: Vec<f32>,
    pub(super) free: Vec<f32>,
    pub(super) free_phase: Vec<f32>,
    pub(super) pitch_hz: Vec<f32>,
}

/// Transforms and windows, made once.
pub(super) struct Synthesis {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
}

impl Synthesis {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        // A periodic Hann window.
        let window = (0..WINDOW).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f32 / WINDOW as f32).cos());
        Self {
            forward: planner.plan_fft_forward(WINDOW),
            inverse: planner.plan_fft_inverse(WINDOW),
            window: window.collect(),
        }
    }

    /// Makes the waveform, [`HOP`] samples a frame.
    pub(super) fn wave(&self, spectra: &Spectra) -> Vec<f32> {
        let frames = spectra.pitch_hz.len();
        let half = WINDOW / 2;
        let pulses = pulses(&spectra.pitch_hz);
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut sum = vec![0.0_f32; frames * HOP + WINDOW];
        let mut weight = vec![0.0_f32; sum.len()];
        let (mut time, mut bins) = (self.inverse.make_output_vec(), self.inverse.make_input_vec());
        for frame in 0..frames {
            for (n, sample) in time.iter_mut().enumerate() {
                let at = (frame * HOP + n) as isize - half as isize;
                // A unit cosine has half the sum of the window as its peak in the spectrum.
                *sample = reflected(&pulses, at) * self.window[n] / (WINDOW / 4) as f32;
            }
            if self.forward.process(&mut time, &mut bins).is_err() {
                return Vec::new();
            }
            for (bin, value) in bins.iter_mut().enumerate() {
                *value = spectra.mix(bin * frames + frame, *value, &mut noise);
            }
            // The first and the last bin of a real signal are real.
            bins[0].im = 0.0;
            bins[BINS - 1].im = 0.0;
            if self.inverse.process(&mut bins, &mut time).is_err() {
                return Vec::new();
            }
            for (n, sample) in time.iter().enumerate() {
                sum[frame * HOP + n] += sample * self.window[n] / WINDOW as f32;
                weight[frame * HOP + n] += self.window[n] * self.window[n];
            }
        }
        let inside = half..half + frames * HOP;
        let weighted = sum[inside.clone()].iter().zip(&weight[inside]);
        weighted.map(|(sample, weight)| sample / weight.max(1e-11)).collect()
    }
}

impl Spectra {
    /// One bin of one frame: the pulses as the harmonic part wants them, noise, and the free part.
    fn mix(&self, at: usize, pulses: Complex32, noise: &mut Noise) -> Complex32 {
        let magnitude = |log: f32| log.min(LOG_MAX).exp();
        let turned = Complex32::from_polar(
            magnitude(self.harmonic[at]),
            PI * self.harmonic_phase[at].tanh(),
        );
        let free = Complex32::from_polar(magnitude(self.free[at]), self.free_phase[at]);
        pulses * turned + noise.gaussian() * magnitude(self.noise[at]) + free
    }
}

/// A train of pulses in which each harmonic of the pitch below [`HARMONICS_HZ_MAX`] has amplitude 1; 0 where there is no
/// voice. The pitch of a frame stands at its middle, and runs in a straight line to the next.
fn pulses(pitch_hz: &[f32]) -> Vec<f32> {
    let mut turns = 0.0_f64;
    let mut pulses = Vec::with_capacity(pitch_hz.len() * HOP);
    let pitch = |frame: isize| pitch_hz[frame.clamp(0, pitch_hz.len() as isize - 1) as usize];
    for n in 0..pitch_hz.len() * HOP {
        let place = (n as f32 + 0.5) / HOP as f32 - 0.5;
        let (before, part) = (place.floor(), place - place.floor());
        let hz = pitch(before as isize) * (1.0 - part) + pitch(before as isize + 1) * part;
        turns = (turns + f64::from(hz.max(VOICED_HZ_MIN)) / RATE_HZ as f64).fract();
        if hz <= VOICED_HZ_MIN {
            pulses.push(0.0);
            continue;
        }
        // The sum of cos(h t) for h up to H is sin((H + 1/2) t) / (2 sin(t/2)) - 1/2.
        let angle = (turns * 2.0 * std::f64::consts::PI) as f32;
        let harmonics = (HARMONICS_HZ_MAX / hz).floor() + 0.5;
        let below = 2.0 * (angle / 2.0).sin();
        let sum = if below.abs() <= 2e-3 { harmonics } else { (harmonics * angle).sin() / below };
        pulses.push(sum - 0.5);
    }
    pulses
}

/// A sample, mirrored at both ends.
fn reflected(samples: &[f32], at: isize) -> f32 {
    let last = samples.len() as isize - 1;
    let at = if at < 0 { -at } else { at };
    let at = if at > last { 2 * last - at } else { at };
    samples.get(at as usize).copied().unwrap_or(0.0)
}

/// Noise that is the same for the same utterance (SplitMix64, Box and Muller).
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits >> 40) as f32 + 0.5) / (1 << 24) as f32
    }

    /// Both parts have variance 1.
    fn gaussian(&mut self) -> Complex32 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        Complex32::from_polar(radius, 2.0 * PI * self.uniform())
    }
}

const WINDOW: usize = 1200;
const HOP: usize = 300;
pub(super) const BINS: usize = WINDOW / 2 + 1;
/// e to this is louder than any sound of speech.
const LOG_MAX: f32 = 7.0;
/// Lower pitches mean that there is no voice.
const VOICED_HZ_MIN: f32 = 40.0;
const HARMONICS_HZ_MAX: f32 = 11_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pitch_comes_out_as_pulses_of_that_pitch() {
        let pulses = pulses(&[100.0; 80]);
        assert_eq!(pulses.len(), 80 * HOP);
        let peaks = pulses.iter().filter(|sample| **sample > 80.0).count();
        assert!((98..=102).contains(&(pulses.len() / 240)), "a second of it");
        assert!((98..=300).contains(&peaks), "{peaks}");
        assert!(super::pulses(&[0.0; 10]).iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn silence_stays_silent_and_a_tone_has_its_strength() {
        let frames = 40;
        let quiet = vec![-30.0; BINS * frames];
        let nothing = Spectra {
            harmonic: quiet.clone(),
            harmonic_phase: vec![0.0; BINS * frames],
            noise: quiet.clone(),
            free: quiet,
            free_phase: vec![0.0; BINS * frames],
            pitch_hz: vec![120.0; frames],
        };
        let synthesis = Synthesis::new();
        let silence = synthesis.wave(&nothing);
        assert_eq!(silence.len(), frames * HOP);
        assert!(silence.iter().all(|sample| sample.abs() < 1e-6));
        let voiced = Spectra { harmonic: vec![-3.0; BINS * frames], ..nothing };
        let loud = synthesis.wave(&voiced).iter().fold(0.0_f32, |max, it| max.max(it.abs()));
        assert!((0.01..10.0).contains(&loud), "{loud}");
    }
}
