//! From clean text to the phonemes of a sentence.

use super::lexicon::{Lexicon, Role, is_vowel};

/// The phonemes of a text, with its punctuation, for the network. What the lexicon does not know is asked of `other`.
pub(super) fn phonemes(
    text: &str,
    lexicon: &Lexicon,
    mut other: impl FnMut(&str) -> String,
) -> String {
    let tokens: Vec<Token<'_>> = text.split_whitespace().flat_map(tokens).collect();
    let mut said: Vec<String> = Vec::with_capacity(tokens.len());
    // From the end, since "the" and "to" depend on the sound that follows.
    let mut before_vowel = None;
    for (at, token) in tokens.iter().enumerate().rev() {
        let spoken = match token.kind {
            Kind::Mark => token.text.to_owned(),
            Kind::Word => {
                let role = role(tokens[..at].iter().rev().map(|token| token.text));
                weak(token.text, before_vowel)
                    .or_else(|| lexicon.word(token.text, role))
                    .unwrap_or_else(|| other(token.text))
            }
            Kind::Other => other(token.text),
        };
        before_vowel = match spoken.chars().find(|c| c.is_alphabetic() && !"ˈˌ".contains(*c)) {
            Some(first) if token.kind != Kind::Mark => Some(is_vowel(first)),
            _ if token.kind == Kind::Mark => None,
            _ => before_vowel,
        };
        said.push(spoken.replace('ɾ', "T").replace('ʔ', "t"));
    }
    let mut sentence = String::new();
    for (token, said) in tokens.iter().zip(said.iter().rev()) {
        if token.spaced && !sentence.is_empty() && !said.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(said);
    }
    sentence
}

/// Cuts phonemes where a speaker would pause, into chunks of at most `max` phonemes.
pub(super) fn chunks(phonemes: &str, max: usize) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = phonemes.trim();
    while let Some((end, _)) = rest.char_indices().nth(max) {
        let window = &rest[..end];
        let cut = [". ", "! ", "? ", "; ", ": ", ", ", " "]
            .iter()
            .find_map(|stop| {
                window.rfind(stop).map(|at| at + stop.len()).filter(|at| *at > end / 4)
            })
            .unwrap_or(end);
        let (chunk, after) = rest.split_at(cut);
        chunks.push(chunk.trim());
        rest = after.trim();
    }
    chunks.push(rest);
    chunks.retain(|chunk| chunk.chars().any(char::is_alphabetic));
    chunks
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Mark,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token<'t> {
    text: &'t str,
    kind: Kind,
    /// A space stands before it.
    spaced: bool,
}

/// One run of characters between spaces: marks around it, and words or something else within.
fn tokens(run: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let opening = run.trim_start_matches(['"', '“', '(']);
    if opening.len() < run.len() {
        found.push((&run[..run.len() - opening.len()], Kind::Mark));
    }
    let core = opening.trim_end_matches(['.', ',', ';', ':', '!', '?', '…', '"', '”', ')', '—']);
    if core.chars().all(|c| c.is_alphabetic() || "'’-".contains(c)) {
        found
            .extend(core.split('-').filter(|part| !part.is_empty()).map(|part| (part, Kind::Word)));
    } else {
        found.push((core, Kind::Other));
    }
    if core.len() < opening.len() {
        found.push((&opening[core.len()..], Kind::Mark));
    }
    let mut spaced = true;
    let mut before = None;
    found
        .into_iter()
        .map(|(text, kind)| {
            // The parts of a compound are words beside each other.
            let space = spaced || (kind == Kind::Word && before == Some(Kind::Word));
            (spaced, before) = (false, Some(kind));
            Token { text, kind, spaced: space }
        })
        .collect()
}

/// Small words that lose their stress, and change with the sound that follows.
fn weak(word: &str, before_vowel: Option<bool>) -> Option<String> {
    let said = match word.to_lowercase().as_str() {
        "a" if word == "a" => "ɐ",
        "an" => "ɐn",
        "the" if before_vowel == Some(true) => "ði",
        "the" => "ðə",
        "to" if before_vowel == Some(true) => "tʊ",
        "to" if before_vowel == Some(false) => "tə",
        "i" if word == "I" => "ˌI",
        "in" if before_vowel.is_some() => "ɪn",
        _ => return None,
    };
    Some(said.to_owned())
}

/// What the words before it, nearest first, make of a word.
fn role<'t>(mut before: impl Iterator<Item = &'t str>) -> Role {
    let Some(nearest) = before.next().map(str::to_lowercase) else { return Role::Verb };
    match nearest.as_str() {
        "to" | "will" | "can" | "cannot" | "could" | "would" | "should" | "may" | "must"
        | "please" | "not" | "don't" | "i" | "you" | "we" | "they" => Role::Verb,
        "have" | "has" | "had" | "been" | "was" | "were" | "is" | "are" | "be" => Role::Past,
        _ => Role::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::hibari::lexicon::tests::example;

    #[test]
    fn a_sentence_keeps_its_marks_and_its_small_words_fit_what_follows() {
        let lexicon = example();
        for (text, said) in [
            ("The apple, the pear.", "ði ˈæpᵊl, ðə pˈɛɹ."),
            ("To read a message!", "tə ɹˈid ɐ mˈɛsɪʤ!"),
            ("have read (Alice)", "hæv ɹˈɛd (ˈælɪs)"),
            ("10:30, try-stop", "<10:30>, tɹˈI stˈɑp"),
            ("", ""),
        ] {
            assert_eq!(phonemes(text, &lexicon, |it| format!("<{it}>")), said, "{text}");
        }
    }

    #[test]
    fn long_sentences_are_cut_at_pauses() {
        let long = "wˈʌn tˈu, θɹˈi fˈɔɹ fˈIv. sˈɪks sˈɛvən";
        assert_eq!(chunks(long, 200), [long]);
        let cut = chunks(long, 30);
        assert_eq!(cut[0], "wˈʌn tˈu, θɹˈi fˈɔɹ fˈIv.");
        assert!(chunks(&"a".repeat(1_000), 100).iter().all(|chunk| chunk.chars().count() <= 100));
        assert!(chunks("...", 10).is_empty());
    }
}
