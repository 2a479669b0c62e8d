//! From one sample rate to another.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Brings mono sound from one rate to another; what the lower one cannot carry is filtered out.
///
/// Errors: `None` for rates that the resampler cannot be built for.
pub(crate) fn resampled(samples: &[i16], from_hz: usize, to_hz: usize) -> Option<Vec<f32>> {
    let input: Vec<f32> = samples.iter().map(|&sample| f32::from(sample)).collect();
    if samples.is_empty() || from_hz == to_hz {
        return Some(input);
    }
    let mut resampler = Fft::<f32>::new(from_hz, to_hz, CHUNK, 1, FixedSync::Input).ok()?;
    let input = InterleavedSlice::new(&input, 1, input.len()).ok()?;
    Some(resampler.process_all(&input, samples.len(), None).ok()?.take_data())
}

/// Samples a second on the telephone (G.711).
pub(crate) const TELEPHONE_HZ: usize = 8_000;

/// Samples a second in wide band (G.722, Opus as we encode it).
pub(crate) const WIDE_HZ: usize = 16_000;

const CHUNK: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_strength_in_the_telephone_band_and_vanishes_above_it() {
        let cases =
            [(300.0, true), (1000.0, true), (3400.0, true), (4700.0, false), (9000.0, false)];
        for (hz, heard) in cases {
            let tone: Vec<i16> = (0..22_050)
                .map(|n| {
                    (10_000.0 * (f64::from(n) * hz * std::f64::consts::TAU / 22_050.0).sin()) as i16
                })
                .collect();
            let samples = resampled(&tone, 22_050, TELEPHONE_HZ).unwrap();
            assert_eq!(samples.len(), 8_000);
            let middle = &samples[1000..7000];
            let strength = (middle.iter().map(|s| s * s).sum::<f32>() / 6000.0).sqrt();
            let expected = if heard { 7000.0..7200.0 } else { 0.0..5.0 };
            assert!(expected.contains(&strength), "{hz} Hz came out at {strength}");
        }
    }
}
