//! `[[speech.voice]]`: which engine speaks a language.

use std::path::{Path, PathBuf};

use super::difference::differing;
use super::section::Section;

/// One row: an engine for a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceChoice {
    /// The tag that it speaks, with all tags below it: `en` is `en-GB`, too.
    pub language: String,
    /// What speaks.
    pub engine: Engine,
    /// Where the engine's data lies, if not in its usual place; of a command, what else it may read.
    pub path: Option<PathBuf>,
    /// The program and its arguments, for engines that are programs; else empty.
    pub command: Vec<String>,
}

/// What turns text into speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// espeak-ng, which is built in and speaks many languages.
    Espeak,
    /// The English voice that is installed as data.
    Hibari,
    /// Open JTalk, a program of its own, for Japanese.
    OpenJtalk,
    /// Any program: text on standard input, WAV on standard output.
    Command,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Espeak, Self::Hibari, Self::OpenJtalk, Self::Command];

    /// As it is written in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Espeak => "espeak",
            Self::Hibari => "hibari",
            Self::OpenJtalk => "open-jtalk",
            Self::Command => "command",
        }
    }

    /// Whose terms it comes under.
    pub fn licence(self) -> &'static str {
        match self {
            Self::Espeak => "GPL-3.0-or-later",
            Self::Hibari => "Apache-2.0",
            Self::OpenJtalk => "BSD-3-Clause, the voice its own",
            Self::Command => "its own",
        }
    }
}

impl VoiceChoice {
    /// Whether the row is for a language with this tag.
    pub fn fits(&self, tag: &str) -> bool {
        let (tag, own) = (tag.replace('_', "-"), self.language.replace('_', "-"));
        let (Some(first), rest) = (tag.get(..own.len()), tag.get(own.len()..)) else {
            return false;
        };
        first.eq_ignore_ascii_case(&own)
            && rest.is_none_or(|it| it.is_empty() || it.starts_with('-'))
    }
}

impl VoiceChoice {
    /// The keys whose values differ.
    pub(super) fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let Self { language, engine, path, command } = self;
        differing([
            ("language", *language != other.language),
            ("engine", *engine != other.engine),
            ("path", *path != other.path),
            ("command", *command != other.command),
        ])
    }
}

/// Reads the rows; relative paths begin in the folder of the configuration file.
pub(super) fn read(speech: &mut Section<'_>, file: &Path) -> Option<Vec<VoiceChoice>> {
    let rows = speech.subsections("voice", "speech.voice");
    let read: Vec<_> = rows.into_iter().map(|row| choice(row, file)).collect();
    read.into_iter().collect()
}

fn choice(mut row: Section<'_>, file: &Path) -> Option<VoiceChoice> {
    let language = row.required_text("language");
    row.required_text("engine");
    let named = Engine::ALL.map(|engine| (engine.name(), Some(engine)));
    let [espeak, hibari, open_jtalk, command] = named;
    let words = [espeak, hibari, (PICO, None), open_jtalk, command];
    let engine = row.choice("engine", &words, Some(Engine::Espeak));
    let beside = file.parent().unwrap_or(Path::new(""));
    let path = row.text("path").map(|path| path.map(|path| beside.join(path)));
    let command = row.list("command", &[], |word| Ok(word.to_owned()));
    if let Some(Some(path)) =
        path.as_ref().filter(|path| path.as_ref().is_some_and(|it| !it.exists()))
    {
        row.mistake("path", &format!("path: there is nothing at {}", path.display()));
        row.refuse_unknown_keys();
        return None;
    }
    let choice = (|| {
        let Some(engine) = engine? else {
            row.mistake("engine", PICO_IS_MISSING);
            return None;
        };
        let (language, path) = (language?, path?);
        VoiceChoice { language, engine, path, command: command? }.checked(&row)
    })();
    row.refuse_unknown_keys();
    choice
}

impl VoiceChoice {
    /// What the engine needs, found or missed.
    fn checked(mut self, row: &Section<'_>) -> Option<Self> {
        let miss = |key: &str, says: &str| {
            row.mistake(key, says);
            None
        };
        let only = |tag: &str| self.language.split(['-', '_']).next() == Some(tag);
        if self.engine != Engine::Command && row.is_written("command") {
            return miss("command", "command belongs to engine = \"command\"");
        }
        match self.engine {
            Engine::Espeak => {}
            Engine::Hibari if !only("en") => {
                return miss("language", "hibari speaks English only; write language = \"en\"");
            }
            Engine::Hibari => {}
            Engine::OpenJtalk if !only("ja") => {
                return miss(
                    "language",
                    "open-jtalk speaks Japanese only; write language = \"ja\"",
                );
            }
            Engine::OpenJtalk => match self.open_jtalk() {
                Ok(command) => self.command = command,
                Err((key, says)) => return miss(key, says),
            },
            Engine::Command => match self.command.first() {
                None => {
                    return miss(
                        "command",
                        "engine = \"command\" needs command = [\"program\", …]",
                    );
                }
                Some(program) if !is_program(program) => {
                    let says = format!(
                        "command: there is no program {program}; install it, or write its whole path"
                    );
                    return miss("command", &says);
                }
                Some(_) => {}
            },
        }
        Some(self)
    }

    /// The program with its dictionary and the voice.
    fn open_jtalk(&self) -> Result<Vec<String>, (&'static str, &'static str)> {
        if !is_program(OPEN_JTALK) {
            return Err(("engine", OPEN_JTALK_IS_MISSING));
        }
        if !Path::new(DICTIONARY).is_dir() {
            return Err(("engine", DICTIONARY_IS_MISSING));
        }
        let voice = self.path.as_ref().filter(|path| path.is_file()).and_then(|it| it.to_str());
        let voice = voice.ok_or(("path", HTS_VOICE_IS_MISSING))?;
        let words =
            [OPEN_JTALK, "-x", DICTIONARY, "-m", voice, "-r", "{speed}", "-ow", "/dev/stdout"];
        Ok(words.map(str::to_owned).to_vec())
    }
}

/// Whether the program is there: by its path, or by its name in one of the folders in which voices are looked for.
fn is_program(program: &str) -> bool {
    match program.contains('/') {
        true => Path::new(program).is_file(),
        false => VOICE_PROGRAM_FOLDERS.split(':').any(|it| Path::new(it).join(program).is_file()),
    }
}

/// The `PATH` of programs that speak.
pub const VOICE_PROGRAM_FOLDERS: &str = "/usr/local/bin:/usr/bin:/bin";
const PICO: &str = "pico";
const PICO_IS_MISSING: &str = "pico is not part of this build; install a program that speaks with it, such as nanotts, and write engine = \"command\"";
const OPEN_JTALK: &str = "open_jtalk";
const OPEN_JTALK_IS_MISSING: &str =
    "there is no program open_jtalk; install it (apt-get install open-jtalk)";
const DICTIONARY: &str = "/var/lib/mecab/dic/open-jtalk/naist-jdic";
const DICTIONARY_IS_MISSING: &str =
    "Open JTalk has no dictionary; install it (apt-get install open-jtalk-mecab-naist-jdic)";
const HTS_VOICE_IS_MISSING: &str =
    "open-jtalk needs path: the file of its voice, such as mei_normal.htsvoice";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_fits_its_language_and_the_regions_of_it() {
        let row = |language: &str| VoiceChoice {
            language: language.into(),
            engine: Engine::Espeak,
            path: None,
            command: vec![],
        };
        let cases = [
            ("en", "en", true),
            ("en", "en-GB", true),
            ("en", "EN_us", true),
            ("en-GB", "en", false),
            ("en-GB", "en-gb", true),
            ("de", "den", false),
            ("de", "", false),
            ("de", "dé", false),
        ];
        for (own, tag, fits) in cases {
            assert_eq!(row(own).fits(tag), fits, "{own}, {tag}");
        }
    }
}
