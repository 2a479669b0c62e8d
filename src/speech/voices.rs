//! Which languages can be spoken, by which voice, and which letters that voice can read.

use std::path::Path;

use unicode_script::Script;

use crate::config::VoiceChoice;
use crate::speech::{data, hibari};

/// One language that the synthesiser speaks well enough to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// Its tag (BCP 47): `de`, `pt-BR`.
    pub language: &'static str,
    /// What espeak-ng calls it: the name of a file below `espeak-ng-data/lang`.
    pub(crate) name: &'static str,
    /// Letters that mean something to it. Every voice reads Latin letters too.
    pub(crate) scripts: &'static [Script],
}

impl Voice {
    /// The voice for a language tag: the region's where there is one, else the language's.
    pub fn for_language(tag: &str) -> Option<&'static Self> {
        let tag = tag.replace('_', "-");
        let find = |tag: &str| VOICES.iter().find(|voice| voice.language.eq_ignore_ascii_case(tag));
        let mut shorter = tag.as_str();
        loop {
            if let Some(voice) = find(shorter) {
                return Some(voice);
            }
            (shorter, _) = shorter.rsplit_once('-')?;
        }
    }

    /// All of them, for the operator who must choose one.
    pub fn all() -> &'static [Self] {
        VOICES
    }
}

/// Whether anything speaks a language, of what is built in and what the operator has chosen.
pub fn is_spoken(tag: &str, choices: &[VoiceChoice]) -> bool {
    Voice::for_language(tag).is_some() || choices.iter().any(|choice| choice.fits(tag))
}

/// Whether the data of hibari lies in this folder, or else in one of its usual places.
pub fn hibari_is_installed(folder: Option<&Path>) -> bool {
    match folder {
        Some(folder) => hibari::is_in(folder),
        None => data::voice(hibari::NAME, hibari::is_in).is_some(),
    }
}

const fn voice(language: &'static str, name: &'static str, scripts: &'static [Script]) -> Voice {
    Voice { language, name, scripts }
}

const LATIN: &[Script] = &[Script::Latin];
const CYRILLIC: &[Script] = &[Script::Cyrillic, Script::Latin];

/// Chinese and Cantonese are missing: their dictionaries are not part of the library's build.
const VOICES: &[Voice] = &[
    voice("en", "en-US", LATIN),
    voice("en-GB", "en", LATIN),
    voice("af", "af", LATIN),
    voice("ar", "ar", &[Script::Arabic, Script::Latin]),
    voice("bg", "bg", CYRILLIC),
    voice("bs", "bs", LATIN),
    voice("ca", "ca", LATIN),
    voice("cs", "cs", LATIN),
    voice("cy", "cy", LATIN),
    voice("da", "da", LATIN),
    voice("de", "de", LATIN),
    voice("el", "el", &[Script::Greek, Script::Latin]),
    voice("eo", "eo", LATIN),
    voice("es", "es", LATIN),
    voice("es-419", "es-419", LATIN),
    voice("es-MX", "es-419", LATIN),
    voice("et", "et", LATIN),
    voice("eu", "eu", LATIN),
    voice("fa", "fa", &[Script::Arabic, Script::Latin]),
    voice("fi", "fi", LATIN),
    voice("fr", "fr", LATIN),
    voice("fr-BE", "fr-be", LATIN),
    voice("fr-CH", "fr-ch", LATIN),
    voice("ga", "ga", LATIN),
    voice("hi", "hi", &[Script::Devanagari, Script::Latin]),
    voice("hr", "hr", LATIN),
    voice("hu", "hu", LATIN),
    voice("hy", "hy", &[Script::Armenian, Script::Latin]),
    voice("id", "id", LATIN),
    voice("is", "is", LATIN),
    voice("it", "it", LATIN),
    voice("ja", "ja", &[Script::Hiragana, Script::Katakana, Script::Latin]),
    voice("ka", "ka", &[Script::Georgian, Script::Latin]),
    voice("ko", "ko", &[Script::Hangul, Script::Latin]),
    voice("lt", "lt", LATIN),
    voice("lv", "lv", LATIN),
    voice("mk", "mk", CYRILLIC),
    voice("ms", "ms", LATIN),
    voice("nb", "nb", LATIN),
    voice("nl", "nl", LATIN),
    voice("no", "nb", LATIN),
    voice("pl", "pl", LATIN),
    voice("pt", "pt", LATIN),
    voice("pt-BR", "pt-BR", LATIN),
    voice("ro", "ro", LATIN),
    voice("ru", "ru", CYRILLIC),
    voice("sk", "sk", LATIN),
    voice("sl", "sl", LATIN),
    voice("sq", "sq", LATIN),
    voice("sr", "sr", CYRILLIC),
    voice("sv", "sv", LATIN),
    voice("sw", "sw", LATIN),
    voice("tr", "tr", LATIN),
    voice("uk", "uk", CYRILLIC),
    voice("vi", "vi", LATIN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_finds_the_nearest_voice() {
        let cases = [
            ("en", Some("en-US")),
            ("en-US", Some("en-US")),
            ("en-gb", Some("en")),
            ("de-CH", Some("de")),
            ("pt_BR", Some("pt-BR")),
            ("zh-Hans-CN", None),
            ("en-us+f3", Some("en-US")),
            ("../../etc", None),
            ("", None),
        ];
        for (tag, name) in cases {
            assert_eq!(Voice::for_language(tag).map(|voice| voice.name), name, "{tag}");
        }
    }
}
