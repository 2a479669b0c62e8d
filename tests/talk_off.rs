//! Hours of speech, most of it from people, in which the detector of keypad tones must hear no key.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use offhook::media::codec::{Clip, Codec};
use offhook::media::dtmf_tones::DtmfTones;

#[test]
fn three_hours_of_speech_hold_no_key() {
    let mut files = vec![];
    for language in fs::read_dir(RECORDED).expect("recordings of people: run `sh .ci/install`") {
        collect(&language.unwrap().path(), &mut files);
    }
    assert!(files.len() > 2000, "{} recordings", files.len());
    files.sort();
    let recorded = Command::new("sox").args(&files).args(RAW).output().unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let (people, people_keys) = listen(&recorded.stdout);

    let (mut machines, mut machine_keys) = (Duration::ZERO, String::new());
    for voice in ["en+m3", "de+f2", "es+m1"] {
        let mut spoken = Command::new("espeak-ng")
            .args(["-v", voice, "-f", TEXT, "--stdout"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let wav = spoken.stdout.take().unwrap();
        // The header tells no length, as the file has no end when it is written.
        let raw = Command::new("sox")
            .args(["--ignore-length", "-t", "wav", "-"])
            .args(RAW)
            .stdin(wav)
            .output()
            .unwrap();
        spoken.wait().unwrap();
        let (time, keys) = listen(&raw.stdout);
        machines += time;
        machine_keys += &keys;
    }

    println!("people {people:?}: {people_keys:?}; machines {machines:?}: {machine_keys:?}");
    assert!(people >= Duration::from_secs(5400), "only {people:?} of people");
    assert!(people + machines >= Duration::from_secs(3 * 3600), "only {people:?} and {machines:?}");
    assert_eq!(people_keys + &machine_keys, "");
}

/// How long it is, and the keys in it, as a phone would send it.
fn listen(raw: &[u8]) -> (Duration, String) {
    let samples: Vec<i16> =
        raw.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let time = Duration::from_secs(samples.len() as u64 / 8000);
    let clip = Clip::encode(Codec::Pcma, &samples);
    let mut tones = DtmfTones::default();
    let frames = samples.chunks(160).enumerate();
    let keys = frames.filter_map(|(at, _)| {
        let frame = clip.frame(at)?;
        tones.hear(frame.iter().map(|octet| Codec::Pcma.decode(*octet)))
    });
    (time, keys.collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "gsm") {
            files.push(path);
        }
    }
}

const RECORDED: &str = "/usr/share/asterisk/sounds";
const TEXT: &str = "/usr/share/common-licenses/GPL-3";
const RAW: [&str; 9] = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-"];
