//! What a phone heard, told from its recorded sound alone.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::Value;

/// Tells which of these sentences the sound holds, from its beginning to its end.
///
/// Units:    samples of a telephone, 8,000 a second.
/// Contract: every wrong sentence that the program could plausibly say is among them: a recogniser must choose one, and
///           only the distance to espeak-ng's own reading says that it is none. Both must agree, unless one sentence
///           is clearly nearer than all others: the recogniser mistakes one time of day in thirty.
/// Errors:   what the judges said, if no sentence can be believed.
pub(crate) fn sentence<'s>(sound: &[i16], sentences: &[&'s str]) -> Result<&'s str, Verdict> {
    let verdict = verdict(sound, sentences);
    let (agreed, clear) = (verdict.named == Some(verdict.nearest), verdict.margin > MARGIN_MIN);
    let distance_max = if agreed && clear { DISTANCE_MAX_AGREED } else { DISTANCE_MAX };
    if (agreed || clear) && verdict.distance < distance_max {
        Ok(sentences[verdict.nearest])
    } else {
        Err(verdict)
    }
}

/// What the two judges say.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    named: Option<usize>,
    nearest: usize,
    distance: f64,
    /// The distance of the second nearest, as a multiple of the nearest one's.
    margin: f64,
}

fn verdict(sound: &[i16], sentences: &[&str]) -> Verdict {
    let file = temporary_file();
    write(&file, sound);
    let python = [env!("CARGO_MANIFEST_DIR"), "target/venv/bin/python"].iter().collect::<PathBuf>();
    let program: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/hearing/heard.py"].iter().collect();
    let mut command = Command::new(&python);
    command.arg(program).arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("{}: {error}; run `sh .ci/install` as root", python.display())
    });
    child.stdin.take().unwrap().write_all(sentences.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "heard.py failed");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let costs: Vec<f64> = serde_json::from_value(said["costs"].clone()).unwrap();
    let named = said["named"].as_u64().and_then(|named| usize::try_from(named).ok());
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    let (nearest, second) = (order[0], order[1]);
    fs::remove_file(&file).unwrap();
    Verdict { named, nearest, distance: costs[nearest], margin: costs[second] / costs[nearest] }
}

fn temporary_file() -> PathBuf {
    let name = format!("heard-{}.wav", offhook::seed::Seed::fresh().token());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn write(file: &Path, sound: &[i16]) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(file, spec).unwrap();
    sound.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}

/// The right sentence stays below 0.9 on a bad line too, another one is beyond 1.8; one wrong word lies between.
const DISTANCE_MAX: f64 = 1.2;
/// Two codecs one after the other, on a busy machine, take a right sentence a little further.
const DISTANCE_MAX_AGREED: f64 = 1.5;
/// On a clear line the right time of day is nearer than all others by a twentieth at least.
const MARGIN_MIN: f64 = 1.1;
