//! Speech made ready for the telephone: no silence before it, little after it, one loudness.

/// Cuts the silence around speech, brings it to [`ACTIVE_RMS`] where its peaks allow, and rounds it to 16 bits.
///
/// The first loud sample comes within [`LEAD`] samples, so that a call begins with a voice and not with a pause.
pub(crate) fn for_telephone(samples: &[f32]) -> Vec<i16> {
    let gain = gain(samples);
    let is_loud = |sample: &f32| (sample * gain).abs() >= AUDIBLE;
    let (Some(first), Some(last)) =
        (samples.iter().position(is_loud), samples.iter().rposition(is_loud))
    else {
        return Vec::new();
    };
    let end = samples.len().min(last + 1 + TAIL);
    // A float that is too large becomes the largest integer, but `gain` leaves room to spare.
    samples[first.saturating_sub(LEAD)..end]
        .iter()
        .map(|sample| (sample * gain).round() as i16)
        .collect()
}

/// What to multiply with: towards the loudness wanted, counted over the frames that hold speech.
fn gain(samples: &[f32]) -> f32 {
    let powers: Vec<f32> = samples
        .chunks(FRAME)
        .map(|frame| frame.iter().map(|s| s * s).sum::<f32>() / frame.len() as f32)
        .collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    // Frames 20 dB below the loudest are pauses.
    let active: Vec<f32> = powers.into_iter().filter(|power| *power > loudest / 100.0).collect();
    let rms = (active.iter().sum::<f32>() / active.len().max(1) as f32).sqrt();
    let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    if rms < 1.0 { 1.0 } else { (ACTIVE_RMS / rms).min(PEAK_MAX / peak).min(GAIN_MAX) }
}

/// -19 dBm0: full scale is a sine of +3.14 dBm0 (ITU-T G.711), which has an RMS of 23,170.
const ACTIVE_RMS: f32 = 1_810.0;
/// 6 dB below full scale.
const PEAK_MAX: f32 = 16_384.0;
/// 12 dB: more would raise the engine's noise.
const GAIN_MAX: f32 = 4.0;
/// What counts as a sound, about 40 dB below the loudest of speech.
const AUDIBLE: f32 = 100.0;
/// 1 ms before the first sound and 150 ms after the last.
const LEAD: usize = 8;
const TAIL: usize = 1_200;
/// 20 ms.
const FRAME: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, len: usize) -> Vec<f32> {
        (0..len).map(|n| amplitude * (n as f32 * 0.8).sin()).collect()
    }

    #[test]
    fn speech_starts_at_once_and_ends_soon() {
        let samples = [vec![0.0; 4_000], tone(3_000.0, 8_000), vec![0.0; 8_000]].concat();
        let ready = for_telephone(&samples);
        assert!(ready[..2 * LEAD].iter().any(|sample| f32::from(*sample).abs() >= AUDIBLE));
        assert!((8_000 + TAIL..8_000 + TAIL + 2 * LEAD).contains(&ready.len()), "{}", ready.len());
    }

    #[test]
    fn quiet_and_loud_voices_come_out_alike_and_nothing_clips() {
        for amplitude in [900.0, 3_000.0, 32_000.0] {
            let ready = for_telephone(&tone(amplitude, 16_000));
            let power: f32 = ready.iter().map(|s| f32::from(*s).powi(2)).sum();
            let rms = (power / (16_000.0)).sqrt();
            assert!((1_780.0..1_840.0).contains(&rms), "{amplitude} came out at {rms}");
        }
        let click = [vec![30_000.0], tone(300.0, 16_000)].concat();
        assert!(for_telephone(&click).iter().all(|sample| sample.unsigned_abs() <= 16_384));
    }

    #[test]
    fn silence_is_nothing_to_say() {
        assert!(for_telephone(&[]).is_empty());
        assert!(for_telephone(&[3.0; 4_000]).is_empty());
    }
}
