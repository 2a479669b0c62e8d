//! Phonemes of espeak-ng in the alphabet of the model.

/// Turns espeak-ng's American IPA, with `^` tying the letters of one phoneme, into the model's alphabet.
///
/// The model writes a diphthong as one capital letter, has no length marks, and says r-coloured vowels with an ɹ.
pub(super) fn to_model(ipa: &str) -> String {
    let mut said = String::with_capacity(ipa.len());
    let mut foreign = false;
    // A change of language is marked in brackets.
    for letter in ipa.chars() {
        match letter {
            '(' => foreign = true,
            ')' => foreign = false,
            '\n' if !foreign => said.push(' '),
            _ if foreign => {}
            other => said.push(other),
        }
    }
    for (theirs, ours) in TABLE {
        if said.contains(theirs) {
            said = said.replace(theirs, ours);
        }
    }
    said.trim().to_owned()
}

/// The longer ones come first.
const TABLE: &[(&str, &str)] = &[
    ("ʔ^n", "tn"),
    ("ə^l", "ᵊl"),
    ("a^ɪ^ə", "Iə"),
    ("a^ɪ^ɚ", "Iəɹ"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "O"),
    ("ɔ^ɪ", "Y"),
    ("t^ʃ", "ʧ"),
    ("d^ʒ", "ʤ"),
    ("^", ""),
    ("oːɹ", "ɔɹ"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɝ", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("ː", ""),
    ("ɐ", "ə"),
    ("ɫ", "l"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("e", "ɛ"),
    ("o", "O"),
    ("a", "ɑ"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("g", "ɡ"),
    ("n\u{329}", "ən"),
    ("l\u{329}", "ᵊl"),
    ("\u{329}", ""),
    ("\u{303}", ""),
    ("ʲ", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_espeak_says_can_be_read_by_the_model() {
        let cases = [
            ("həlˈo^ʊ", "həlˈO"),
            ("t^ʃˈɜːt^ʃ", "ʧˈɜɹʧ"),
            ("(en)wˈɪndo^ʊz(de)", "wˈɪndOz"),
            ("bˈʌʔ^n", "bˈʌtn"),
        ];
        for (theirs, ours) in cases {
            assert_eq!(to_model(theirs), ours);
        }
    }
}
