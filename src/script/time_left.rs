//! How long what is said takes at most, so that a call ends between two sentences and not within a word.

use std::time::Duration;

use super::prompt::{PAUSE, Prompt, PromptKind};

/// The time that saying this takes at most, by its letters: it is not rendered yet, or another place knows how long it is.
///
/// Contract: more than our voices take for anything but a text of digits and signs alone.
pub(super) fn spoken_within(prompt: &Prompt) -> Duration {
    match prompt.kind {
        PromptKind::Pause => PAUSE,
        PromptKind::Tone | PromptKind::Mark => TONE,
        // The callee's own words are cut at the end like the callee themselves.
        PromptKind::Recording => Duration::ZERO,
        PromptKind::Prompt | PromptKind::Announcement | PromptKind::Body(_) => {
            BREATH + LETTER * prompt.text.chars().map(letters).sum::<u32>()
        }
    }
}

/// How many letters it sounds like.
fn letters(written: char) -> u32 {
    match written {
        '0'..='9' => 6,
        ' ' => 1,
        '.' | '!' | '?' | ':' | ';' | ',' => 4,
        letter if letter.is_alphabetic() && letter < SYLLABLES => 1,
        _ => 4,
    }
}

/// Scripts that begin here write syllables and words, not letters.
const SYLLABLES: char = '\u{1100}';
const LETTER: Duration = Duration::from_millis(85);
/// The tail of a sentence.
const BREATH: Duration = Duration::from_millis(300);
const TONE: Duration = Duration::from_millis(260);
/// Kept for the last sentence of a call.
pub(super) const GOODBYE: Duration = Duration::from_secs(6);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::prompt::Prompts;

    #[test]
    fn the_last_sentence_fits_into_the_time_that_is_kept_for_it() {
        for language in ["en", "de"] {
            let goodbye = Prompts::new(language).plain("phone-time-over");
            assert!(spoken_within(&goodbye) < GOODBYE, "{language}");
        }
    }
}
