//! Speech made ready for the telephone: no silence before it, little after it, one loudness.

/// Cuts the silence around speech, brings it to [`ACTIVE_RMS`] where its peaks allow, and rounds it to 16 bits.
///
/// The first loud sample comes within a millisecond, so that a call begins with a voice and not with a pause.
pub(crate) fn for_telephone(samples: &[f32], per_ms: usize) -> Vec<i16> {
    let gain = gain(samples, FRAME_MS * per_ms);
    let is_loud = |sample: &f32| (sample * gain).abs() >= AUDIBLE;
    let (Some(first), Some(last)) =
        (samples.iter().position(is_loud), samples.iter().rposition(is_loud))
    else {
        return Vec::new();
    };
    let end = samples.len().min(last + 1 + TAIL_MS * per_ms);
    // A float that is too large becomes the largest integer, but `gain` leaves room to spare.
    samples[first.saturating_sub(LEAD_MS * per_ms)..end]
        .iter()
        .map(|sample| (sample * gain).round() as i16)
        .collect()
}

/// What to multiply with: towards the loudness wanted, counted over the frames that hold speech.
fn gain(samples: &[f32], frame: usize) -> f32 {
    let powers: Vec<f32> = samples
        .chunks(frame)
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
/// Before the first sound and after the last.
const LEAD_MS: usize = 1;
const TAIL_MS: usize = 150;
const FRAME_MS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, len: usize) -> Vec<f32> {
        (0..len).map(|n| amplitude * (n as f32 * 0.8).sin()).collect()
    }

    #[test]
    fn speech_starts_at_once_and_ends_soon() {
        let samples = [vec![0.0; 4_000], tone(3_000.0, 8_000), vec![0.0; 8_000]].concat();
        let ready = for_telephone(&samples, 8);
        assert!(ready[..2 * LEAD_MS * 8].iter().any(|sample| f32::from(*sample).abs() >= AUDIBLE));
        assert!(
            (8_000 + TAIL_MS * 8..8_000 + TAIL_MS * 8 + 2 * LEAD_MS * 8).contains(&ready.len()),
            "{}",
            ready.len()
        );
    }

    #[test]
    fn quiet_and_loud_voices_come_out_alike_and_nothing_clips() {
        for amplitude in [900.0, 3_000.0, 32_000.0] {
            let ready = for_telephone(&tone(amplitude, 16_000), 8);
            let power: f32 = ready.iter().map(|s| f32::from(*s).powi(2)).sum();
            let rms = (power / (16_000.0)).sqrt();
            assert!((1_780.0..1_840.0).contains(&rms), "{amplitude} came out at {rms}");
        }
        let click = [vec![30_000.0], tone(300.0, 16_000)].concat();
        assert!(for_telephone(&click, 8).iter().all(|sample| sample.unsigned_abs() <= 16_384));
    }

    #[test]
    fn silence_is_nothing_to_say() {
        assert!(for_telephone(&[], 8).is_empty());
        assert!(for_telephone(&[3.0; 4_000], 8).is_empty());
    }
}
