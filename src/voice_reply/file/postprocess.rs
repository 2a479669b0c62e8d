//! A recording as people want to hear it: without the wait at both ends, without keypad tones, as loud as others.

use ebur128::{EbuR128, Mode};

use super::sound::Sound;
use crate::media::dtmf_tones;
use crate::media::recording_buffer::RecordingBuffer;

/// Trims and levels what was recorded.
///
/// Source: EBU R 128 (loudness), ITU-T Q.23 (keypad tones).
pub fn finish(recorded: &RecordingBuffer) -> Sound {
    let mut samples = trimmed(&recorded.samples());
    level(&mut samples);
    Sound { samples }
}

/// Leaves a breath before the first word and after the last; keypad tones at the ends are not words.
fn trimmed(samples: &[i16]) -> Vec<i16> {
    let frames: Vec<&[i16]> = samples.chunks_exact(FRAME).collect();
    let powers: Vec<f64> = frames.iter().map(|frame| power(frame)).collect();
    let mut sorted = powers.clone();
    sorted.sort_by(f64::total_cmp);
    let floor = sorted.get(sorted.len() / 10).copied().unwrap_or_default();
    // Over what is quietest; but where it is never quiet, all that is loud counts.
    let threshold = (4.0 * floor).clamp(QUIET_RMS * QUIET_RMS, LOUD_RMS * LOUD_RMS);
    let tones: Vec<bool> = frames.iter().map(|frame| is_keypad_tone(frame)).collect();
    // The frames beside a tone are partly tone.
    let is_tone = |at: &usize| {
        tones[at.saturating_sub(1)..tones.len().min(at + 2)].iter().any(|is_tone| *is_tone)
    };
    let is_word = |at: &usize| powers[*at] > threshold && !is_tone(at);
    let first = (0..frames.len()).find(is_word).unwrap_or(0);
    let last = (0..frames.len()).rev().find(is_word).unwrap_or(frames.len().saturating_sub(1));
    // The breath ends where a tone begins.
    let before = first.saturating_sub(BREATH);
    let from = (before..first).rev().find(is_tone).map_or(before, |tone| tone + 1);
    let after = frames.len().min(last + 1 + BREATH);
    let end = (last + 1..after).find(is_tone).unwrap_or(after);
    samples.get(from * FRAME..end * FRAME).unwrap_or_default().to_vec()
}

/// Brings it to the loudness that players expect of speech, without clipping.
fn level(samples: &mut [i16]) {
    let mut sound: Vec<f32> =
        samples.iter().map(|sample| f32::from(*sample) / FULL_SCALE).collect();
    let mut gain_db = 0.0;
    // Limiting the peaks takes some loudness away again; a second look corrects that.
    for _ in 0..PASSES {
        let Some(loudness) = loudness(&sound) else { return };
        gain_db = (gain_db + TARGET_LUFS - loudness).clamp(-GAIN_MAX_DB, GAIN_MAX_DB);
        let gain = 10_f64.powf(gain_db / 20.0) as f32;
        sound = samples.iter().map(|sample| f32::from(*sample) / FULL_SCALE * gain).collect();
        limit(&mut sound);
    }
    for (sample, levelled) in samples.iter_mut().zip(sound) {
        *sample = (levelled * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16;
    }
}

/// Integrated loudness in LUFS; `None` for what is too short or too quiet to have any.
fn loudness(sound: &[f32]) -> Option<f64> {
    let mut meter = EbuR128::new(1, RATE_HZ, Mode::I).ok()?;
    meter.add_frames_f32(sound).ok()?;
    meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
}

/// Turns the sound down around each peak, smoothly, so that none goes beyond [`PEAK`].
fn limit(sound: &mut [f32]) {
    let gain = |block: &[f32]| {
        let peak = block.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        (PEAK / peak.max(PEAK)).min(1.0)
    };
    let gains: Vec<f32> = sound.chunks(LIMIT_BLOCK).map(gain).collect();
    // A block and both its neighbours go down together, so that the slopes lie outside of the peak.
    let around = |at: usize| {
        let near = at.saturating_sub(1)..gains.len().min(at + 2);
        gains[near].iter().copied().fold(1.0, f32::min)
    };
    let held: Vec<f32> = (0..gains.len()).map(around).collect();
    for (block, samples) in sound.chunks_mut(LIMIT_BLOCK).enumerate() {
        let before = block.checked_sub(1).map_or(held[block], |before| held[before]);
        for (at, sample) in samples.iter_mut().enumerate() {
            let share = (at + 1) as f32 / LIMIT_BLOCK as f32;
            let slope = before + (held[block] - before) * share;
            *sample = (*sample * slope).clamp(-PEAK, PEAK);
        }
    }
}

fn power(frame: &[i16]) -> f64 {
    frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / frame.len() as f64
}

/// Whether nearly all of a frame is one low and one high tone of the keypad.
fn is_keypad_tone(frame: &[i16]) -> bool {
    if power(frame) < QUIET_RMS * QUIET_RMS {
        return false;
    }
    let [low, high] = dtmf_tones::shares(frame);
    low + high > TONE_SHARE && low.min(high) > TONE_SHARE / 10.0
}

const RATE_HZ: u32 = 8000;
const FRAME: usize = 160;
/// In frames.
const BREATH: usize = 10;
const QUIET_RMS: f64 = 60.0;
const LOUD_RMS: f64 = 1000.0;
const FULL_SCALE: f32 = 32_768.0;
const TARGET_LUFS: f64 = -19.0;
const GAIN_MAX_DB: f64 = 20.0;
const PASSES: usize = 3;
/// 1 dB below full scale.
const PEAK: f32 = 0.891;
const LIMIT_BLOCK: usize = 40;
const TONE_SHARE: f32 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    /// `-` a quarter of a second of faint noise, `8` of that key's tones, anything else of a voice-like buzz.
    fn sound(plan: &str, volume: f64) -> Vec<i16> {
        let tone = |n: usize, hz: f64| (n as f64 * hz * std::f64::consts::TAU / 8000.0).sin();
        let mut samples = vec![];
        for step in plan.chars() {
            for n in 0..2000 {
                let at = samples.len() + n - n;
                let sample = match step {
                    '-' => 10.0 * tone(at * 7919 % 8000, 333.0),
                    '8' => 5000.0 * (tone(at, 852.0) + tone(at, 1336.0)),
                    _ => {
                        volume
                            * (1..20)
                                .map(|h| tone(at, 130.0 * f64::from(h)) / f64::from(h))
                                .sum::<f64>()
                    }
                };
                samples.push(sample as i16);
            }
        }
        samples
    }

    #[test]
    fn only_what_was_said_stays_with_a_breath_around_it() {
        let cases = [
            ("----aaaa----", 1.4, "waits at both ends"),
            ("8--aaaa----8", 1.4, "keys and waits"),
            ("8aaaa8", 1.0, "keys right beside the words"),
            ("aa--8--aa", 2.25, "a key in the middle stays"),
            ("aaaa", 1.0, "nothing to trim"),
        ];
        for (plan, seconds, what) in cases {
            let left = trimmed(&sound(plan, 5000.0)).len() as f64 / 8000.0;
            assert!((left - seconds).abs() <= 0.06, "{what}: {left} s of {plan}");
        }
        assert!(trimmed(&[]).is_empty());
        assert!(trimmed(&sound("----", 0.0)).len() <= 8000);
    }

    #[test]
    fn quiet_and_loud_voices_come_out_alike_and_unclipped() {
        for volume in [500.0, 2500.0, 9000.0] {
            let mut samples = sound("aaaa-aaaa--aaaaaa", volume);
            level(&mut samples);
            let sound: Vec<f32> = samples.iter().map(|s| f32::from(*s) / FULL_SCALE).collect();
            let found = loudness(&sound).unwrap();
            assert!((found - TARGET_LUFS).abs() < 0.5, "{volume}: {found} LUFS");
            assert!(samples.iter().all(|sample| sample.unsigned_abs() <= 29_200), "{volume}");
        }
        let mut silence = vec![0; 16_000];
        level(&mut silence);
        assert_eq!(silence, [0; 16_000]);
    }
}
