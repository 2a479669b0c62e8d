//! The English voice: a small neural network on data of its own, with espeak-ng's pronunciation of unknown words.
//!
//! The model "hibari" (Apache-2.0) gives spectra for phonemes; `lexicon` and `front_end` find the phonemes of a text,
//! `model` runs the network, `sound` makes a waveform of the spectra.

mod front_end;
mod ipa;
mod lexicon;
mod model;
mod sound;

use std::path::Path;

use self::lexicon::Lexicon;
use self::model::Model;
use self::sound::Synthesis;
use super::espeak::Espeak;

/// The voice, loaded.
pub(crate) struct Hibari {
    model: Model,
    lexicon: Lexicon,
    synthesis: Synthesis,
}

impl Hibari {
    /// Loads the voice from its folder; `None` if a file is missing or of another kind.
    ///
    /// Contract: starts the threads it needs, so it comes before system calls are given up.
    pub(crate) fn load(folder: &Path) -> Option<Self> {
        Some(Self {
            model: Model::load(&folder.join(MODEL))?,
            lexicon: Lexicon::load(LEXICA.map(|file| folder.join(file)))?,
            synthesis: Synthesis::new(),
        })
    }

    /// Speaks one piece of clean text: mono, [`RATE_HZ`], full scale at 1, cut at `samples_max`. `None` if the
    /// network refuses.
    ///
    /// Contract: `espeak` has [`ESPEAK_VOICE`] set.
    /// Units:    `rate_wpm` in words a minute; [`USUAL_WPM`] is the voice's own pace.
    pub(crate) fn speak(
        &self,
        text: &str,
        rate_wpm: u16,
        espeak: &mut Espeak,
        samples_max: usize,
    ) -> Option<Vec<f32>> {
        let phonemes = front_end::phonemes(text, &self.lexicon, |word| {
            espeak.phonemes(word).map(|said| ipa::to_model(&said)).unwrap_or_default()
        });
        let speed = f32::from(rate_wpm) / USUAL_WPM;
        let mut samples = Vec::new();
        for chunk in front_end::chunks(&phonemes, model::PHONEMES_MAX) {
            let spectra = self.model.run(chunk, speed)?;
            let room = samples_max.saturating_sub(samples.len());
            samples.extend(self.synthesis.wave(&spectra).into_iter().take(room));
        }
        Some(samples)
    }
}

/// Tells whether the voice lies in this folder.
pub(crate) fn is_in(folder: &Path) -> bool {
    std::iter::once(MODEL).chain(LEXICA).all(|file| folder.join(file).is_file())
}

/// The voice's own rate.
pub(crate) const RATE_HZ: usize = 24_000;
/// What the rest of the program calls its usual pace.
const USUAL_WPM: f32 = 150.0;
/// The folder of the voice among the voices.
pub(crate) const NAME: &str = "hibari";
/// The voice of espeak-ng that says unknown words.
pub(crate) const ESPEAK_VOICE: &str = "en-US";
const MODEL: &str = "hibari.onnx";
/// The first one counts where both know a word.
const LEXICA: [&str; 2] = ["lexicon_us_gold.json", "lexicon_us_silver.json"];
