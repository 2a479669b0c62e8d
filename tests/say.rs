//! What the operator is told about voices, and what they can hear.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

#[path = "support/command.rs"]
mod command;

use std::fs;

use serde_json::Value;

use command::offhook;

#[test]
fn a_text_is_spoken_as_the_phone_would_hear_it() {
    let folder = folder();
    let said = |arguments: &[&str]| {
        let out = ["--out", "said.wav"];
        let told = offhook(folder.path(), &[&["say"], arguments, &out].concat());
        let says = String::from_utf8(told.stdout).unwrap() + str::from_utf8(&told.stderr).unwrap();
        let samples = match told.status.success() {
            true => hound::WavReader::open(folder.path().join("said.wav")).unwrap().duration(),
            false => 0,
        };
        (says, samples)
    };
    let (says, samples) = said(&["🎉🎉"]);
    assert!(says.contains("spoken by espeak") && samples > 4_000, "{says}");
    let link = said(&["https://example.org/a/long/path?with=parameters&and=more"]);
    assert_eq!(link.1, said(&["a link to example dot org"]).1, "{}", link.0);
    let long = "one two three four five six seven eight nine ten ".repeat(40);
    assert_eq!(said(&[&long]).1, said(&[&long[..long.len() / 2]]).1, "cut as a message is");
    let german = said(&["Guten Tag, hier ist Alice.", "--lang", "de"]);
    assert_eq!(said(&["Guten Tag, hier ist Alice.", "--as", "bob@example.org"]).1, german.1);
    assert_ne!(said(&["Guten Tag, hier ist Alice."]).1, german.1);
    let slow = said(&["Guten Tag, hier ist Alice.", "--as", "gran@example.org"]).1;
    assert!(slow > german.1 * 11 / 10, "{slow} samples, usually {}", german.1);
    let (says, samples) = said(&["Hello.", "--lang", "tlh"]);
    assert!(says.contains("no voice speaks \"tlh\"") && samples == 0, "{says}");
    let (says, _) = said(&["Hello.", "--voice", "open-jtalk"]);
    assert!(says.contains("open-jtalk speaks no \"en\" here"), "{says}");
    let (says, _) = said(&["Hello.", "--voice", "parrot"]);
    assert!(says.contains("is none of espeak, hibari, open-jtalk, command"), "{says}");
    let (says, _) = said(&["Hello.", "--as", "nobody@example.org"]);
    assert!(says.contains("nobody@example.org is no subscriber here"), "{says}");
    let (says, samples) = said(&["Hello.", "--voice", "command", "--lang", "en-au"]);
    assert!(says.contains("spoken by command") && (1..1_300).contains(&samples), "{says}");
    let (says, samples) = said(&["Alice", "--phonemes", "--voice", "espeak"]);
    assert!(says.starts_with("ˈælɪs\n") && samples > 1_000, "both are wanted: {says}");
}

#[test]
fn the_operator_sees_which_voice_speaks_which_language_and_how_fast() {
    let folder = folder();
    let told = offhook(folder.path(), &["voices", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let voices = told["voices"].as_array().unwrap();
    let of = |language: &str, engine: &str| {
        voices.iter().find(|it| it["language"] == language && it["engine"] == engine).unwrap()
    };
    for (language, engine) in [("de", "espeak"), ("en", "espeak"), ("en-AU", "command")] {
        let speed = of(language, engine)["speech_s_per_s"].as_f64().unwrap();
        assert!(speed > 0.1, "{language}, {engine}: {speed}");
    }
    assert_eq!(of("de", "espeak")["licence"], "GPL-3.0-or-later");
    assert!(of("zh", "command")["error"].as_str().is_some(), "it says nothing");
    let spoken: Vec<(&str, &str, Option<&str>)> = told["languages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap();
            (text("for"), text("language"), it["engines"][0].as_str())
        })
        .collect();
    let expected = [
        ("speech.language", "en", Some("espeak")),
        ("bob@example.org", "de", Some("espeak")),
        ("mei@example.org", "zh", Some("command")),
        ("worf@example.org", "tlh", None),
        ("gran@example.org", "de", Some("espeak")),
    ];
    assert_eq!(spoken, expected);

    let told = offhook(folder.path(), &["voices"]);
    let told = String::from_utf8(told.stdout).unwrap();
    let row = told.lines().find(|line| line.contains("worf@example.org")).unwrap();
    assert!(row.split_whitespace().eq(["worf@example.org", "tlh", "nothing"]), "{row}");
    assert!(told.lines().any(|line| line.contains("de") && line.contains("GPL-3.0")), "{told}");
}

/// A configuration with a voice that is a program: it plays a file of a tenth of a second.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound.wav");
    let (channels, sample_rate, bits_per_sample) = (1, 8_000, 16);
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = hound::WavWriter::create(&sound, spec).unwrap();
    (0..800).for_each(|n| writer.write_sample(if n % 2 == 0 { 9_000 } else { -9_000 }).unwrap());
    writer.finalize().unwrap();
    let people = [("bob", "de"), ("mei", "zh"), ("worf", "tlh")].map(|(name, language)| {
        format!("[[subscriber]]\njid = \"{name}@example.org\"\nlanguage = \"{language}\"\n")
    });
    let voices = format!(
        "[[speech.voice]]\nlanguage = \"en-AU\"\nengine = \"command\"\ncommand = [\"cat\", {sound:?}]\n\
         [[speech.voice]]\nlanguage = \"zh\"\nengine = \"command\"\ncommand = [\"true\"]\n"
    );
    let gran = "[[subscriber]]\njid = \"gran@example.org\"\nlanguage = \"de\"\nslow = true\n";
    let file = format!(
        "[component]\njid = \"phone.example.org\"\nsecret = \"s\"\n\
         [[trunk]]\nproxy = \"sip:127.0.0.1\"\nfrom = \"sip:offhook@127.0.0.1\"\n\
         [dial]\nallow = [\"+81\"]\n{voices}{}{gran}",
        people.concat()
    );
    fs::write(folder.path().join("component.toml"), file).unwrap();
    folder
}
