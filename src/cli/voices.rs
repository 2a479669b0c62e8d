//! `offhook voices`: what is there to speak with, how fast it is here, and which would speak each configured language.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::failed;
use super::output::show;
use super::table::print;
use crate::clock;
use crate::config::{self, Config, Engine};
use crate::speech::voices::Voice;
use crate::speech::{Pace, Speaker, SpeechSettings, Utterance};

/// One engine for one language.
struct Row {
    language: String,
    engine: Engine,
    /// Seconds of speech in a second, or why there are none.
    speed: Result<f64, String>,
}

/// A language that the file asks for, and the engines that would speak it, the first one first.
struct Wanted {
    whose: String,
    language: String,
    engines: Vec<Engine>,
}

pub(super) async fn run(path: &Path, as_json: bool) -> ExitCode {
    // Works before there is a configuration, too, but a broken one would show what is not so.
    let config = match path.exists().then(|| config::read_without_secrets(path)).transpose() {
        Ok(config) => config,
        Err(mistakes) => return super::show_mistakes(mistakes),
    };
    let choices = config.as_ref().map(|config| config.fixed.voices.clone()).unwrap_or_default();
    let speaker = match Speaker::start(SpeechSettings::with_voices(&choices)).await {
        Ok(speaker) => speaker,
        Err(error) => return failed(error),
    };
    let wanted = wanted(config.as_ref(), &speaker);
    let rows = installed(&speaker, &wanted).await;
    if as_json {
        show(json!({
            "voices": rows.iter().map(row_json).collect::<Value>(),
            "languages": wanted.iter().map(wanted_json).collect::<Value>(),
        }));
    } else {
        print(
            &["language", "engine", "licence", "speed"],
            rows.iter().map(row).collect(),
            "No voice.",
        );
        show("");
        let rows = wanted.iter().map(wanted_row).collect();
        print(&["for", "language", "speaks", "helps out"], rows, "No language is configured.");
    }
    ExitCode::SUCCESS
}

fn wanted(config: Option<&Config>, speaker: &Speaker) -> Vec<Wanted> {
    let live = config.map(|config| &config.live);
    let speech = live.map_or("en", |live| &live.speech.language).to_owned();
    let people = live.iter().flat_map(|live| &live.subscribers);
    let own = people.filter_map(|it| Some((it.jid.to_string(), it.language.clone()?)));
    let wanted = std::iter::once(("speech.language".to_owned(), speech)).chain(own);
    wanted
        .map(|(whose, language)| {
            let engines = speaker.engines_for(&language);
            Wanted { whose, language, engines }
        })
        .collect()
}

/// Each engine of each language, measured.
async fn installed(speaker: &Speaker, wanted: &[Wanted]) -> Vec<Row> {
    let known = Voice::all().iter().map(|voice| voice.language.to_owned());
    let languages: BTreeSet<String> = known
        .chain(speaker.chosen_languages())
        .chain(wanted.iter().map(|wanted| wanted.language.clone()))
        .collect();
    let mut rows = vec![];
    for language in languages {
        for engine in speaker.engines_for(&language) {
            let speed = speed(speaker, &language, engine).await;
            rows.push(Row { language: language.clone(), engine, speed });
        }
    }
    rows
}

async fn speed(speaker: &Speaker, language: &str, engine: Engine) -> Result<f64, String> {
    let utterance = Utterance {
        language: language.to_owned(),
        text: MEASURED.into(),
        keep: false,
        pace: Pace::Usual,
    };
    let begun = clock::now();
    let spoken = speaker.say_by(&utterance, Some(engine)).await.map_err(|it| it.to_string())?;
    let took = clock::now().saturating_duration_since(begun).max(Duration::from_micros(1));
    Ok(spoken.clip.duration().as_secs_f64() / took.as_secs_f64())
}

fn row(Row { language, engine, speed }: &Row) -> Vec<String> {
    let speed = match speed {
        Ok(speed) => format!("{speed:.0} s of speech a second"),
        Err(error) => error.clone(),
    };
    vec![language.clone(), engine.name().into(), engine.licence().into(), speed]
}

fn row_json(Row { language, engine, speed }: &Row) -> Value {
    json!({
        "language": language,
        "engine": engine.name(),
        "licence": engine.licence(),
        "speech_s_per_s": speed.as_ref().ok().map(|speed| (speed * 10.0).round() / 10.0),
        "error": speed.as_ref().err(),
    })
}

fn wanted_row(Wanted { whose, language, engines }: &Wanted) -> Vec<String> {
    let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
    let (first, others) = names.split_first().map_or(("nothing", &[][..]), |(it, rest)| (it, rest));
    vec![whose.clone(), language.clone(), first.into(), others.join(", ")]
}

fn wanted_json(Wanted { whose, language, engines }: &Wanted) -> Value {
    json!({
        "for": whose,
        "language": language,
        "engines": engines.iter().map(|engine| engine.name()).collect::<Value>(),
    })
}

/// Read in any language.
const MEASURED: &str = "1 2 3 4 5 6 7 8 9 10.";
