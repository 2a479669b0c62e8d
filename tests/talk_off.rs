//! Hours of speech, most of it from people, in which the detector of keypad tones must hear no key.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use offhook::clock;
use offhook::media::codec::{Clip, Codec};
use offhook::media::stream::{MediaTimeouts, Stream};
use offhook::media::{MediaEvent, Negotiated};
use rtp_rs::{RtpPacketBuilder, Seq};

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
    let (one_half, other_half) = recorded.stdout.split_at(recorded.stdout.len() / 4 * 2);
    let (time, mut people_keys) = listen(one_half, Codec::Pcma);
    let (other_time, other_keys) = listen(other_half, Codec::Pcmu);
    let people = time + other_time;
    people_keys += &other_keys;

    let (mut machines, mut machine_keys) = (Duration::ZERO, String::new());
    for (voice, codec) in [("en+m3", Codec::Pcma), ("de+f2", Codec::Pcmu), ("es+m1", Codec::Pcma)] {
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
        let (time, keys) = listen(&raw.stdout, codec);
        machines += time;
        machine_keys += &keys;
    }

    let minutes = |time: Duration| time.as_secs() / 60;
    println!("{} minutes of people: {} keys, {people_keys:?}", minutes(people), people_keys.len());
    println!("{} of machines: {} keys, {machine_keys:?}", minutes(machines), machine_keys.len());
    assert!(people >= Duration::from_secs(5400), "only {people:?} of people");
    assert!(people + machines >= Duration::from_secs(3 * 3600), "only {people:?} and {machines:?}");
    assert_eq!(people_keys + &machine_keys, "");
}

/// How long it is, and the keys that a call hears in it.
fn listen(raw: &[u8], codec: Codec) -> (Duration, String) {
    let samples: Vec<i16> =
        raw.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let time = Duration::from_secs(samples.len() as u64 / 8000);
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let agreed = Negotiated {
        remote: far,
        codec,
        payload_type: 0,
        events_payload_type: None,
        formats: vec![],
        tones: true,
        packet_ms: 20,
        sending: true,
        keys: None,
    };
    let start = clock::now();
    let mut stream = Stream::new(agreed, far.ip(), 7, MediaTimeouts::with_silence(time), start);
    let clip = Clip::encode(codec, &samples);
    let frames = (0..).map_while(|at| Some((at, clip.frame(at as usize)?)));
    let keys = frames.filter_map(|(at, frame)| {
        let sound = RtpPacketBuilder::new().payload_type(0).ssrc(9).payload(frame);
        let mut packet = sound.sequence(Seq::from(at as u16)).timestamp(at * 160).build().unwrap();
        match stream.receive(far, &mut packet, start + Duration::from_millis(20) * at) {
            Some(MediaEvent::Key(key)) => Some(key),
            _ => None,
        }
    });
    let keys = keys.collect();
    let heard = stream.quality().received as usize;
    assert_eq!(heard, samples.len().div_ceil(160), "all of it was heard");
    (time, keys)
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
