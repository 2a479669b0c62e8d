//! The languages that a person can choose, by tag or by name.

/// A language that is spoken or written to people.
#[derive(Debug)]
struct KnownLanguage {
    /// The first part of its tags.
    tag: &'static str,
    english: &'static str,
    german: &'static str,
    own: &'static str,
}

/// Reads a tag, such as `de`, `pt-BR` or `en_US`, or a name, such as "German" or "deutsch"; `None` for what is no language
/// known here.
pub(super) fn language_tag(written: &str) -> Option<String> {
    let written = written.to_lowercase().replace('_', "-");
    let by_name = KNOWN.iter().find(|it| {
        [it.english, it.german, it.own].iter().any(|name| name.to_lowercase() == written)
    });
    if let Some(language) = by_name {
        return Some(language.tag.to_owned());
    }
    let mut parts = written.split('-');
    let primary = parts.next()?;
    let is_known = KNOWN.iter().any(|it| it.tag == primary);
    let plain = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    (is_known && parts.clone().count() <= 2 && parts.all(plain)).then_some(written)
}

/// Whether this is the name of a language, and not only its tag.
pub fn is_language_name(written: &str) -> bool {
    written.chars().count() > 3 && !written.contains(['-', '_']) && language_tag(written).is_some()
}

/// The name of a language, for a reader of `reader`, else as the language names itself: with its tag where it is that of a region.
pub fn language_name(tag: &str, reader: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    let known = KNOWN.iter().find(|it| it.tag.eq_ignore_ascii_case(primary));
    let name = known.map(|it| match reader {
        "en" => it.english,
        "de" => it.german,
        _ => it.own,
    });
    match name {
        Some(name) if primary.len() == tag.len() => name.to_owned(),
        Some(name) => format!("{name} ({tag})"),
        None => tag.to_owned(),
    }
}

/// The names of all of them, for a reader of `reader`.
pub fn language_names(reader: &str) -> String {
    let names: Vec<String> = KNOWN.iter().map(|it| language_name(it.tag, reader)).collect();
    names.join(", ")
}

const fn known(
    tag: &'static str,
    english: &'static str,
    german: &'static str,
    own: &'static str,
) -> KnownLanguage {
    KnownLanguage { tag, english, german, own }
}

/// Those of the voices, and Chinese, for which the operator may install one.
const KNOWN: &[KnownLanguage] = &[
    known("en", "English", "Englisch", "English"),
    known("de", "German", "Deutsch", "Deutsch"),
    known("af", "Afrikaans", "Afrikaans", "Afrikaans"),
    known("ar", "Arabic", "Arabisch", "العربية"),
    known("bg", "Bulgarian", "Bulgarisch", "български"),
    known("bs", "Bosnian", "Bosnisch", "bosanski"),
    known("ca", "Catalan", "Katalanisch", "català"),
    known("cs", "Czech", "Tschechisch", "čeština"),
    known("cy", "Welsh", "Walisisch", "Cymraeg"),
    known("da", "Danish", "Dänisch", "dansk"),
    known("el", "Greek", "Griechisch", "ελληνικά"),
    known("eo", "Esperanto", "Esperanto", "Esperanto"),
    known("es", "Spanish", "Spanisch", "español"),
    known("et", "Estonian", "Estnisch", "eesti"),
    known("eu", "Basque", "Baskisch", "euskara"),
    known("fa", "Persian", "Persisch", "فارسی"),
    known("fi", "Finnish", "Finnisch", "suomi"),
    known("fr", "French", "Französisch", "français"),
    known("ga", "Irish", "Irisch", "Gaeilge"),
    known("hi", "Hindi", "Hindi", "हिन्दी"),
    known("hr", "Croatian", "Kroatisch", "hrvatski"),
    known("hu", "Hungarian", "Ungarisch", "magyar"),
    known("hy", "Armenian", "Armenisch", "հայերեն"),
    known("id", "Indonesian", "Indonesisch", "Bahasa Indonesia"),
    known("is", "Icelandic", "Isländisch", "íslenska"),
    known("it", "Italian", "Italienisch", "italiano"),
    known("ja", "Japanese", "Japanisch", "日本語"),
    known("ka", "Georgian", "Georgisch", "ქართული"),
    known("ko", "Korean", "Koreanisch", "한국어"),
    known("lt", "Lithuanian", "Litauisch", "lietuvių"),
    known("lv", "Latvian", "Lettisch", "latviešu"),
    known("mk", "Macedonian", "Mazedonisch", "македонски"),
    known("ms", "Malay", "Malaiisch", "Bahasa Melayu"),
    known("nb", "Norwegian", "Norwegisch", "norsk"),
    known("nl", "Dutch", "Niederländisch", "Nederlands"),
    known("no", "Norwegian", "Norwegisch", "norsk"),
    known("pl", "Polish", "Polnisch", "polski"),
    known("pt", "Portuguese", "Portugiesisch", "português"),
    known("ro", "Romanian", "Rumänisch", "română"),
    known("ru", "Russian", "Russisch", "русский"),
    known("sk", "Slovak", "Slowakisch", "slovenčina"),
    known("sl", "Slovenian", "Slowenisch", "slovenščina"),
    known("sq", "Albanian", "Albanisch", "shqip"),
    known("sr", "Serbian", "Serbisch", "српски"),
    known("sv", "Swedish", "Schwedisch", "svenska"),
    known("sw", "Swahili", "Suaheli", "Kiswahili"),
    known("tr", "Turkish", "Türkisch", "Türkçe"),
    known("uk", "Ukrainian", "Ukrainisch", "українська"),
    known("vi", "Vietnamese", "Vietnamesisch", "Tiếng Việt"),
    known("zh", "Chinese", "Chinesisch", "中文"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_by_tag_or_name_and_an_unknown_one_is_refused() {
        for (written, tag) in [
            ("DE", Some("de")),
            ("pt-BR", Some("pt-br")),
            ("en_US", Some("en-us")),
            ("german", Some("de")),
            ("Deutsch", Some("de")),
            ("FRANZÖSISCH", Some("fr")),
            ("日本語", Some("ja")),
            ("tlh", None),
            ("klingon", None),
            ("de-", None),
            ("de-a-b-c", None),
            ("", None),
        ] {
            assert_eq!(language_tag(written).as_deref(), tag, "{written}");
        }
        assert_eq!(language_name("pt-br", "de"), "Portugiesisch (pt-br)");
        assert_eq!(language_name("fr-ca", "fr"), "français (fr-ca)");
        assert_eq!(language_name("tlh", "en"), "tlh");
        assert!(is_language_name("German") && !is_language_name("no"));
    }
}
