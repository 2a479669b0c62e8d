//! Which engine speaks a language, best first.

use std::sync::Arc;

use crate::config::{Engine, VoiceChoice};
use crate::speech::command_voice::CommandVoice;
use crate::speech::hibari;
use crate::speech::voices::Voice;

/// An engine for a text in one language.
#[derive(Clone, Debug)]
pub(super) enum Fit {
    /// The worker speaks, with this of its voices.
    Worker { engine: Engine, name: &'static str, voice: &'static Voice },
    /// A program speaks.
    Program(Arc<CommandVoice>),
}

impl Fit {
    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Worker { engine, .. } => *engine,
            Self::Program(program) => program.choice.engine,
        }
    }
}

/// What is there to speak with.
#[derive(Debug)]
pub(super) struct Engines {
    choices: Vec<(VoiceChoice, Option<Arc<CommandVoice>>)>,
    /// English has a voice of its own here.
    hibari: bool,
}

impl Engines {
    /// The operator's rows, and whether the data of hibari is installed.
    pub(super) fn new(choices: &[VoiceChoice], hibari: bool) -> Self {
        let program = |choice: &VoiceChoice| {
            let speaks = !choice.command.is_empty();
            speaks.then(|| Arc::new(CommandVoice::new(choice.clone())))
        };
        let choices = choices.iter().map(|choice| (choice.clone(), program(choice))).collect();
        Self { choices, hibari }
    }

    /// All that can speak a language: the operator's rows in their order, then what is built in, the best first.
    pub(super) fn fits(&self, language: &str) -> Vec<Fit> {
        let mut fits: Vec<Fit> = vec![];
        for (choice, program) in self.choices.iter().filter(|(choice, _)| choice.fits(language)) {
            match program {
                Some(program) => fits.push(Fit::Program(program.clone())),
                None => fits.extend(self.built_in(choice.engine, language)),
            }
        }
        for engine in [Engine::Hibari, Engine::Espeak] {
            if !fits.iter().any(|fit| fit.engine() == engine) {
                fits.extend(self.built_in(engine, language));
            }
        }
        fits
    }

    /// Every tag that an operator's row is for.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().map(|(choice, _)| choice.language.as_str())
    }

    fn built_in(&self, engine: Engine, language: &str) -> Option<Fit> {
        let voice = Voice::for_language(language)?;
        let name = match engine {
            Engine::Hibari if self.hibari && voice.language.starts_with("en") => hibari::NAME,
            Engine::Espeak => voice.name,
            _ => return None,
        };
        Some(Fit::Worker { engine, name, voice })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(language: &str, engine: Engine) -> VoiceChoice {
        let command = match engine {
            Engine::Command => vec!["say".into()],
            _ => vec![],
        };
        VoiceChoice { language: language.into(), engine, path: None, command }
    }

    #[test]
    fn the_first_row_that_fits_speaks_and_what_is_built_in_helps_out() {
        use Engine::{Command, Espeak, Hibari};
        let rows = [row("en-GB", Espeak), row("en", Command), row("zh", Command)];
        let cases: [(&[VoiceChoice], bool, &str, &[Engine]); 9] = [
            (&[], true, "en", &[Hibari, Espeak]),
            (&[], true, "en-GB", &[Hibari, Espeak]),
            (&[], false, "en", &[Espeak]),
            (&[], true, "de", &[Espeak]),
            (&[], true, "zh", &[]),
            (&rows, true, "en", &[Command, Hibari, Espeak]),
            (&rows, true, "en-GB", &[Espeak, Command, Hibari]),
            (&rows, true, "zh-TW", &[Command]),
            (&[row("en", Hibari)], false, "en", &[Espeak]),
        ];
        for (rows, hibari, language, expected) in cases {
            let fits = Engines::new(rows, hibari).fits(language);
            let engines: Vec<_> = fits.iter().map(Fit::engine).collect();
            assert_eq!(engines, expected, "{language}");
        }
    }
}
