//! The network: phonemes in, spectra out.

use std::path::Path;

use rten::{ModelOptions, NodeId, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::sound::{BINS, Spectra};

/// The network. The thread that runs it is the one of the crate: a worker is started with `RTEN_NUM_THREADS=1`.
pub(super) struct Model {
    network: rten::Model,
    ids: NodeId,
    speed: NodeId,
    outputs: [NodeId; 6],
}

impl Model {
    /// Loads the file; `None` if it cannot be read or has other inputs and outputs.
    pub(super) fn load(file: &Path) -> Option<Self> {
        let network = ModelOptions::with_all_ops().load(std::fs::read(file).ok()?).ok()?;
        let [ids, speed] = ["ids", "speed"].map(|name| network.node_id(name));
        let outputs = network.output_ids().try_into().ok()?;
        Some(Self { ids: ids.ok()?, speed: speed.ok()?, network, outputs })
    }

    /// Runs the network on phonemes of its alphabet; others are left out. `None` if nothing is left, or it refuses.
    ///
    /// Units: `speed` 1 is the voice's own pace, 2 is twice as fast.
    pub(super) fn run(&self, phonemes: &str, speed: f32) -> Option<Spectra> {
        let known = phonemes.chars().filter_map(number);
        let ids: Vec<i32> = [0].into_iter().chain(known).chain([0]).collect();
        if ids.len() < 3 {
            return None;
        }
        let ids = NdTensor::from_data([1, ids.len()], ids);
        let speed = NdTensor::from_data([1], vec![speed.clamp(0.5, 2.0)]);
        let inputs = vec![(self.ids, ids.into()), (self.speed, speed.into())];
        let outputs = self.network.run(inputs, &self.outputs, None).ok()?;
        let mut parts = outputs.into_iter().map(values);
        let mut next = || parts.next().flatten();
        let spectra = Spectra {
            harmonic: next()?,
            harmonic_phase: next()?,
            noise: next()?,
            free: next()?,
            free_phase: next()?,
            pitch_hz: next()?,
        };
        let frames = spectra.pitch_hz.len();
        let whole = |part: &Vec<f32>| part.len() == frames * BINS;
        let parts = [&spectra.harmonic, &spectra.harmonic_phase, &spectra.noise, &spectra.free];
        (parts.into_iter().all(whole) && whole(&spectra.free_phase)).then_some(spectra)
    }
}

fn values(output: Value) -> Option<Vec<f32>> {
    let tensor: Tensor<f32> = output.try_into().ok()?;
    Some(tensor.to_vec())
}

/// A phoneme's number in the model's vocabulary (that of Kokoro-82M); 0 is the edge of an utterance.
fn number(phoneme: char) -> Option<i32> {
    let at = VOCABULARY.iter().position(|(known, _)| *known == phoneme)?;
    Some(VOCABULARY[at].1)
}

/// More phonemes than these in one go lose their rhythm.
pub(super) const PHONEMES_MAX: usize = 400;

#[rustfmt::skip]
const VOCABULARY: &[(char, i32)] = &[
    (';', 1), (':', 2), (',', 3), ('.', 4), ('!', 5), ('?', 6), ('—', 9), ('…', 10), ('"', 11), ('(', 12),
    (')', 13), ('“', 14), ('”', 15), (' ', 16), ('\u{303}', 17), ('ʣ', 18), ('ʥ', 19), ('ʦ', 20), ('ʨ', 21),
    ('ᵝ', 22), ('ꭧ', 23), ('A', 24), ('I', 25), ('O', 31), ('Q', 33), ('S', 35), ('T', 36), ('W', 39),
    ('Y', 41), ('ᵊ', 42), ('a', 43), ('b', 44), ('c', 45), ('d', 46), ('e', 47), ('f', 48), ('h', 50),
    ('i', 51), ('j', 52), ('k', 53), ('l', 54), ('m', 55), ('n', 56), ('o', 57), ('p', 58), ('q', 59),
    ('r', 60), ('s', 61), ('t', 62), ('u', 63), ('v', 64), ('w', 65), ('x', 66), ('y', 67), ('z', 68),
    ('ɑ', 69), ('ɐ', 70), ('ɒ', 71), ('æ', 72), ('β', 75), ('ɔ', 76), ('ɕ', 77), ('ç', 78), ('ɖ', 80),
    ('ð', 81), ('ʤ', 82), ('ə', 83), ('ɚ', 85), ('ɛ', 86), ('ɜ', 87), ('ɟ', 90), ('ɡ', 92), ('ɥ', 99),
    ('ɨ', 101), ('ɪ', 102), ('ʝ', 103), ('ɯ', 110), ('ɰ', 111), ('ŋ', 112), ('ɳ', 113), ('ɲ', 114), ('ɴ', 115),
    ('ø', 116), ('ɸ', 118), ('θ', 119), ('œ', 120), ('ɹ', 123), ('ɾ', 125), ('ɻ', 126), ('ʁ', 128), ('ɽ', 129),
    ('ʂ', 130), ('ʃ', 131), ('ʈ', 132), ('ʧ', 133), ('ʊ', 135), ('ʋ', 136), ('ʌ', 138), ('ɣ', 139), ('ɤ', 140),
    ('χ', 142), ('ʎ', 143), ('ʒ', 147), ('ʔ', 148), ('ˈ', 156), ('ˌ', 157), ('ː', 158), ('ʰ', 162), ('ʲ', 164),
    ('↓', 169), ('→', 171), ('↗', 172), ('↘', 173), ('ᵻ', 177),
];
