//! Emoji by their names, each once in a message.

/// Names the emoji of one message as they come; a repeated one is silent.
#[derive(Debug)]
pub struct EmojiNames<'l> {
    language: Option<&'l str>,
    named: Vec<&'static str>,
}

impl<'l> EmojiNames<'l> {
    /// For one message.
    pub fn new(language: Option<&'l str>) -> Self {
        Self { language, named: Vec::new() }
    }

    /// A text with names in the place of its emoji.
    pub fn named(&mut self, text: &str) -> String {
        let mut said = String::new();
        for piece in split_emoji(text) {
            match piece {
                Ok(words) => said.push_str(&words),
                // A digit in a box is a digit.
                Err(emoji) if emoji.name().starts_with("keycap: ") => {
                    said.push_str(emoji.name().trim_start_matches("keycap: "));
                }
                Err(emoji) => {
                    let name = self.name(emoji);
                    if !said.trim_end().ends_with(|c: char| c.is_alphanumeric() || c == ',')
                        || name.is_empty()
                    {
                        said.push(' ');
                    } else {
                        said.truncate(said.trim_end().len());
                        said.push_str(if said.ends_with(',') { " " } else { ", " });
                    }
                    said.push_str(&name);
                    if !name.is_empty() {
                        said.push(',');
                    }
                    said.push(' ');
                }
            }
        }
        // A name is followed by what was written, or ends what is said.
        let end = said.trim_end().trim_end_matches(',').len();
        if said[end..].contains(',') {
            said.truncate(end);
        }
        said
    }

    fn name(&mut self, emoji: &'static emojis::Emoji) -> String {
        // The colour of a skin says nothing on the phone.
        let name = emoji.name().split(": ").next().unwrap_or_default();
        let is_family = emoji.name().starts_with("family");
        let name = if is_family { emoji.name() } else { name };
        if self.named.contains(&name) || self.named.len() >= EMOJI_MAX {
            return String::new();
        }
        self.named.push(name);
        let german = self.language.is_some_and(|tag| tag.split(['-', '_']).next() == Some("de"));
        match GERMAN.iter().find(|(english, _)| *english == name) {
            Some((_, own)) if german => (*own).to_owned(),
            // Another language has none, and English would be read letter by letter.
            _ if german => String::new(),
            _ => name.to_owned(),
        }
    }
}

/// Text and emoji in their order.
fn split_emoji(text: &str) -> Vec<Result<String, &'static emojis::Emoji>> {
    if text.is_ascii() {
        return vec![Ok(text.to_owned())];
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let ends = rest
            .char_indices()
            .skip(1)
            .map(|(end, _)| end)
            .chain([rest.len()])
            .take(EMOJI_CHARS_MAX);
        // The longest wins: a family is more than its first member. No emoji is plain ASCII.
        let longest = ends
            .filter_map(|end| {
                Some((end, emojis::get(&rest[..end]).filter(|_| !rest[..end].is_ascii())?))
            })
            .last();
        let end = if let Some((end, emoji)) = longest {
            pieces.push(Err(emoji));
            end
        } else {
            match pieces.last_mut() {
                Some(Ok(text)) => String::push(text, first),
                Some(Err(_)) | None => pieces.push(Ok(first.to_string())),
            }
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    pieces
}

const EMOJI_MAX: usize = 5;
/// Characters of the longest emoji: families and flags of regions.
const EMOJI_CHARS_MAX: usize = 10;

/// The German names (CLDR) of those that are written most.
const GERMAN: &[(&str, &str)] = &[
    ("party popper", "Konfettibombe"),
    ("thumbs up", "Daumen hoch"),
    ("thumbs down", "Daumen runter"),
    ("waving hand", "winkende Hand"),
    ("red heart", "rotes Herz"),
    ("folded hands", "zusammengelegte Handflächen"),
    ("face with tears of joy", "Gesicht mit Freudentränen"),
    ("smiling face with heart-eyes", "lächelndes Gesicht mit herzförmigen Augen"),
    ("face blowing a kiss", "Kuss zuwerfendes Gesicht"),
    ("loudly crying face", "heulendes Gesicht"),
    ("crying face", "weinendes Gesicht"),
    ("smiling face with smiling eyes", "lächelndes Gesicht mit lachenden Augen"),
    ("grinning face", "grinsendes Gesicht"),
    ("winking face", "zwinkerndes Gesicht"),
    ("thinking face", "nachdenkendes Gesicht"),
    ("clapping hands", "klatschende Hände"),
    ("OK hand", "OK-Zeichen"),
    ("fire", "Feuer"),
    ("warning", "Warnung"),
    ("check mark button", "weißes Häkchen"),
    ("check mark", "Häkchen"),
    ("cross mark", "Kreuzzeichen"),
    ("birthday cake", "Geburtstagskuchen"),
    ("pizza", "Pizza"),
    ("beer mug", "Bierkrug"),
    ("clinking beer mugs", "Bierkrüge"),
    ("hot beverage", "Heißgetränk"),
    ("wrapped gift", "Geschenk"),
    ("rocket", "Rakete"),
    ("sun", "Sonne"),
    ("snowflake", "Schneeflocke"),
    ("rose", "Rose"),
    ("dog face", "Hundegesicht"),
    ("cat face", "Katzengesicht"),
    ("house", "Haus"),
    ("automobile", "Auto"),
    ("telephone receiver", "Telefonhörer"),
    ("alarm clock", "Wecker"),
    ("red circle", "roter Kreis"),
    ("green circle", "grüner Kreis"),
    ("yellow circle", "gelber Kreis"),
    ("police car light", "Polizeilicht"),
    ("bell", "Glocke"),
    ("pill", "Pille"),
    ("key", "Schlüssel"),
    ("locked", "geschlossenes Schloss"),
    ("sparkles", "funkelnde Sterne"),
    ("star", "Stern"),
    ("flexed biceps", "angespannter Bizeps"),
    ("eyes", "Augen"),
    ("sleeping face", "schlafendes Gesicht"),
    ("pouting face", "schmollendes Gesicht"),
    ("slightly smiling face", "leicht lächelndes Gesicht"),
    ("hugging face", "Gesicht mit umarmenden Händen"),
    ("person shrugging", "schulterzuckende Person"),
    ("chart decreasing", "Abwärtstrend"),
    ("chart increasing", "Aufwärtstrend"),
    ("family", "Familie"),
    ("blue heart", "blaues Herz"),
    ("broken heart", "gebrochenes Herz"),
];
