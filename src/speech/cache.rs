//! Prompts that have been rendered, kept as long as there is room for them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OnceCell, watch};

use crate::media::codec::{Clip, Codec};
use crate::speech::Utterance;

/// Speech of prompts: samples once, frames per codec. The one unused for longest goes first.
#[derive(Debug)]
pub(crate) struct Cache {
    prompts: HashMap<Utterance, Prompt>,
    bytes: usize,
    bytes_max: usize,
    uses: u64,
}

/// What there is of a prompt in one codec.
pub(crate) enum CacheSlot {
    Ready(Arc<Clip>),
    /// Another caller makes it; nothing comes if that fails.
    Making(watch::Receiver<Option<Arc<Clip>>>),
    /// This caller is to make it, and to tell [`Cache::finish`].
    Yours(watch::Sender<Option<Arc<Clip>>>),
}

/// Samples that the first caller renders and the others wait for.
pub(crate) type Samples = Arc<OnceCell<Arc<[i16]>>>;

#[derive(Debug, Default)]
struct Prompt {
    /// For the telephone band, and in wide band; until both codecs of the band are made of them.
    samples: [Samples; 2],
    clips: Vec<Arc<Clip>>,
    making: Vec<(Codec, watch::Receiver<Option<Arc<Clip>>>)>,
    bytes: usize,
    last_use: u64,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { prompts: HashMap::new(), bytes: 0, bytes_max, uses: 0 }
    }

    /// The ready frames of a prompt.
    pub(crate) fn clip(&mut self, utterance: &Utterance, codec: Codec) -> Option<Arc<Clip>> {
        self.uses += 1;
        let prompt = self.prompts.get_mut(utterance)?;
        prompt.last_use = self.uses;
        prompt.clips.iter().find(|clip| clip.codec() == codec).cloned()
    }

    /// The ready frames of a prompt, or the wait for the caller that makes them.
    pub(crate) fn look(&mut self, utterance: &Utterance, codec: Codec) -> CacheSlot {
        if let Some(clip) = self.clip(utterance, codec) {
            return CacheSlot::Ready(clip);
        }
        let (done, made) = watch::channel(None);
        let Some(prompt) = self.entry(utterance) else { return CacheSlot::Yours(done) };
        let making = prompt.making.iter().find(|(known, _)| *known == codec);
        // The caller that made it is gone; the next one begins anew.
        let place = match making.filter(|(_, made)| made.has_changed().is_ok()) {
            Some((_, made)) => CacheSlot::Making(made.clone()),
            None => {
                prompt.making.retain(|(known, _)| *known != codec);
                prompt.making.push((codec, made));
                CacheSlot::Yours(done)
            }
        };
        self.make_room();
        place
    }

    /// Ends the making of a prompt, with frames or without.
    pub(crate) fn finish(&mut self, utterance: &Utterance, codec: Codec, clip: Option<&Arc<Clip>>) {
        if let Some(prompt) = self.prompts.get_mut(utterance) {
            prompt.making.retain(|(known, _)| *known != codec);
        }
        if let Some(clip) = clip {
            self.keep(utterance, clip);
        }
    }

    /// The place for its samples, filled or not.
    pub(crate) fn samples(&mut self, utterance: &Utterance, wide: bool) -> Samples {
        let samples = self.entry(utterance).map(|it| Arc::clone(&it.samples[usize::from(wide)]));
        self.make_room();
        samples.unwrap_or_default()
    }

    fn entry(&mut self, utterance: &Utterance) -> Option<&mut Prompt> {
        self.uses += 1;
        if !self.prompts.contains_key(utterance) {
            let bytes = utterance.text.len() + ENTRY_BYTES;
            self.bytes += bytes;
            self.prompts.insert(utterance.clone(), Prompt { bytes, ..Prompt::default() });
        }
        let prompt = self.prompts.get_mut(utterance)?;
        prompt.last_use = self.uses;
        Some(prompt)
    }

    /// Keeps frames made from the samples.
    fn keep(&mut self, utterance: &Utterance, clip: &Arc<Clip>) {
        let Some(prompt) = self.prompts.get_mut(utterance) else { return };
        if prompt.clips.iter().any(|kept| kept.codec() == clip.codec()) {
            return;
        }
        let wide = clip.codec().is_wide();
        let is_first = !prompt.clips.iter().any(|kept| kept.codec().is_wide() == wide);
        let samples = 2 * clip.ms() * clip.codec().speech_hz() / 1000;
        prompt.clips.push(Arc::clone(clip));
        let before = prompt.bytes;
        prompt.bytes += clip.bytes();
        if is_first {
            prompt.bytes += samples;
        } else {
            prompt.bytes -= samples;
            prompt.samples[usize::from(wide)] = Samples::default();
        }
        self.bytes = self.bytes + prompt.bytes - before;
        self.make_room();
    }

    /// Forgets a prompt that could not be rendered.
    pub(crate) fn forget(&mut self, utterance: &Utterance) {
        if let Some(prompt) = self.prompts.remove(utterance) {
            self.bytes -= prompt.bytes;
        }
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max {
            let oldest = self.prompts.iter().min_by_key(|(_, prompt)| prompt.last_use);
            let Some(oldest) = oldest.map(|(utterance, _)| utterance.clone()) else { return };
            self.forget(&oldest);
        }
    }
}

/// What an entry costs beside its text and its sound.
const ENTRY_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::Pace;

    fn prompt(text: &str) -> Utterance {
        Utterance { language: "en".into(), text: text.into(), keep: true, pace: Pace::Usual }
    }

    /// One second in one codec: 24,000 bytes with its source.
    fn say(cache: &mut Cache, text: &str) {
        let samples = cache.samples(&prompt(text), false);
        samples.set(Arc::from([0; 8_000])).unwrap();
        cache.keep(&prompt(text), &Arc::new(Clip::encode(Codec::Pcmu, &[0; 8_000])));
    }

    #[test]
    fn the_prompt_unused_for_longest_makes_room() {
        let mut cache = Cache::new(60_000);
        say(&mut cache, "one");
        say(&mut cache, "two");
        assert!(cache.clip(&prompt("one"), Codec::Pcmu).is_some());
        say(&mut cache, "three");
        let kept =
            ["one", "two", "three"].map(|text| cache.clip(&prompt(text), Codec::Pcmu).is_some());
        assert_eq!(kept, [true, false, true]);
    }

    #[test]
    fn any_number_of_prompts_stays_within_the_limit() {
        let mut cache = Cache::new(100_000);
        for number in 0..1_000 {
            say(&mut cache, &format!("message {number}"));
            assert!(cache.bytes <= 100_000);
        }
        for number in 0..1_000 {
            cache.samples(&prompt(&format!("never rendered {number}")), false);
            assert!(cache.bytes <= 100_000 && cache.prompts.len() <= 400);
        }
    }

    #[test]
    fn each_codec_has_its_own_frames_and_its_own_cost() {
        let mut cache = Cache::new(100_000);
        say(&mut cache, "one");
        let before = cache.bytes;
        assert!(cache.clip(&prompt("one"), Codec::Pcma).is_none());
        cache.keep(&prompt("one"), &Arc::new(Clip::encode(Codec::Pcma, &[0; 8_000])));
        assert_eq!(cache.bytes, before + 8_000 - 16_000, "what both are made of has served");
        assert_eq!(cache.clip(&prompt("one"), Codec::Pcma).unwrap().codec(), Codec::Pcma);
        cache.forget(&prompt("one"));
        assert_eq!(cache.bytes, 0);
    }
}
