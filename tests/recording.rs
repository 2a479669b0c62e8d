//! Voice answers as files, judged by programs that are not ours.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

#[path = "hearing/heard.rs"]
mod heard;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use offhook::clock;
use offhook::media::codec::{Clip, Codec};
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::seed::Seed;
use offhook::voice_reply::file::{Encoded, Format, Sound, encode, finish};

const FORMATS: [(Format, &str); 4] = [
    (Format::Mp3, "mp3"),
    (Format::Opus, "opus"),
    (Format::Wav, "pcm_s16le"),
    (Format::M4a, "aac"),
];

#[test]
fn every_format_has_the_right_length_and_the_right_sound() {
    let speech = speech();
    for seconds in [2.5, 14.0, 120.0] {
        let length = (seconds * 8000.0) as usize;
        let sound = Sound { samples: speech.iter().copied().cycle().take(length).collect() };
        for (format, codec) in FORMATS {
            let Encoded { bytes, length } = encode(&sound, format).unwrap();
            let file = write(&bytes, format.extension());
            let probed = run(
                "ffprobe",
                &[
                    "-v",
                    "error",
                    "-show_entries",
                    "stream=codec_name,channels:format=duration",
                    "-of",
                    "csv=p=0",
                    &file,
                ],
            );
            let fields: Vec<&str> = probed.split(['\n', ',']).collect();
            assert_eq!(fields[..2], [codec, "1"], "{probed}");
            let probed: f64 = fields[2].parse().unwrap();
            // MP3 is made of frames of 36 ms and has two of them as lead-in.
            let tolerance = if format == Format::Mp3 { 0.15 } else { 0.07 };
            assert!(
                (probed - seconds).abs() < tolerance,
                "{codec}: {probed} s instead of {seconds}"
            );
            assert!((length.as_secs_f64() - seconds).abs() < 0.001);
            let decoded = decoded(&file);
            let likeness = likeness(&sound.samples, &decoded);
            assert!(likeness > 0.9, "{codec} of {seconds} s: {likeness}");
            fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn what_was_said_on_a_bad_line_is_understood_and_as_loud_as_it_should_be() {
    for (lost_percent, jitter_ms) in [(0, 0), (3, 30)] {
        let take = recorded(&speech(), lost_percent, jitter_ms);
        let account = take.account();
        assert_eq!(
            account.expected,
            account.received + account.concealed,
            "every frame is accounted for"
        );
        assert_eq!(account.concealed > 0, lost_percent > 0, "{account:?}");
        assert_eq!(account.late, 0, "30 ms are within what is waited for");
        let sound = finish(&take);
        for (format, codec) in FORMATS {
            let file = write(&encode(&sound, format).unwrap().bytes, format.extension());
            let said =
                run("ffmpeg", &["-nostats", "-i", &file, "-af", "ebur128", "-f", "null", "-"]);
            let loudness = said.rsplit("I:").next().unwrap().split_whitespace().next().unwrap();
            let loudness: f64 = loudness.parse().unwrap();
            assert!((loudness + 19.0).abs() < 1.0, "{codec}: {loudness} LUFS");
            if format == Format::Mp3 {
                let heard =
                    heard::sentence(&decoded(&file), &[TEXT, OTHERS[0], OTHERS[1], OTHERS[2]]);
                assert_eq!(heard, Ok(TEXT), "{lost_percent} % lost");
            }
            fs::remove_file(file).unwrap();
        }
    }
}

/// A take of this speech, with some packets lost and the others up to so late.
fn recorded(speech: &[i16], lost_percent: u64, jitter_ms: u64) -> RecordingBuffer {
    let begun = clock::now();
    let clip = Clip::encode(Codec::Pcma, speech);
    let mut random = Seed::fixed(3);
    let mut packets: Vec<(u64, u32)> = vec![];
    for frame in 0..u32::try_from(speech.len() / 160).unwrap() {
        if random.below(100) >= lost_percent {
            packets.push((u64::from(frame) * 20 + random.below(jitter_ms), frame));
        }
    }
    packets.sort_unstable();
    let mut take = RecordingBuffer::new(Codec::Pcma, Duration::from_secs(120), begun);
    for (ms, frame) in packets {
        let now = begun + Duration::from_millis(ms);
        take.packet(frame as u16, frame * 160, clip.frame(frame as usize).unwrap(), now);
        assert_eq!(take.tick(now), None);
    }
    take.end(begun + Duration::from_millis(speech.len() as u64 / 160 * 20));
    take
}

/// How much of one sound is in the other, which may begin a little later: 1 for the same.
fn likeness(one: &[i16], other: &[i16]) -> f64 {
    let energy = |sound: &[i16]| sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let one = &one[..one.len().min(2 * 8000)];
    let alike = |lag| {
        let other = other.get(lag..lag + one.len()).unwrap_or_default();
        let both = one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b));
        both.sum::<f64>() / (energy(one) * energy(other)).sqrt().max(1.0)
    };
    (0..800).map(alike).fold(0.0, f64::max)
}

fn speech() -> Vec<i16> {
    let line = "espeak-ng -v en-us -s 150 --stdout \"$0\" | sox -t wav - -t raw -r 8000 -c 1 -e signed -b 16 -L -";
    let output = Command::new("sh").args(["-c", line, TEXT]).output().unwrap();
    output.stdout.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

const TEXT: &str = "I am on my way and will be with you in ten minutes. Please open the windows.";
const OTHERS: [&str; 3] = [
    "I am on my way and will be with you in two minutes. Please open the windows.",
    "I am on my way and will be with you in ten minutes. Please close the windows.",
    "I am not on my way and will call you in ten minutes. Please open the windows.",
];

fn write(bytes: &[u8], extension: &str) -> String {
    let name = format!("recording-{}.{extension}", Seed::fresh().token());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, bytes).unwrap();
    file.to_string_lossy().into_owned()
}

fn decoded(file: &str) -> Vec<i16> {
    let arguments =
        ["-v", "error", "-xerror", "-i", file, "-f", "s16le", "-ar", "8000", "-ac", "1", "-"];
    let output = Command::new("ffmpeg").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}
