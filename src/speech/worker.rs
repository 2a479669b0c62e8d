//! The process that speaks: it reads orders, answers with samples, and can do nothing else.

use std::io::{self, Stdout};
use std::path::PathBuf;

use crate::media::resample::{TELEPHONE_HZ, WIDE_HZ, resampled};
use crate::speech::engine::{self, Engine, Phonetics};
use crate::speech::sandbox::{self, Locked};
use crate::speech::wire::{Answer, Order};
use crate::speech::{data, level};

/// The first argument that makes the binary a speech worker instead of Offhook.
///
/// The second is what it is for, `speak` or `phonemes`; the third, if given, the folder that holds `espeak-ng-data`.
pub const ARGUMENT: &str = "speech-worker";

pub(crate) const SPEAK: &str = "speak";
pub(crate) const PHONEMES: &str = "phonemes";

/// Speaks what it is told on standard input, until that ends. `main` calls this before anything else.
///
/// Contract: no thread exists yet; the sandbox holds for this one and those it starts.
pub fn run() -> ! {
    // An error is a closed pipe: the program is gone, and so is the need for a worker.
    let (Ok(()) | Err(_)) = serve(&mut io::stdout());
    engine::leave()
}

fn serve(out: &mut Stdout) -> io::Result<()> {
    // Calls that speak come before speech that is still to be made, also where the media thread has no real-time
    // priority. Not last of all: someone waits for this speech.
    let _ = rustix::process::nice(NICE);
    let mut arguments = std::env::args_os().skip(2);
    let purpose = arguments.next();
    let given = arguments.next().map(PathBuf::from);
    let folders =
        given.map_or_else(|| data::folders(engine::compiled_folder()), |folder| vec![folder]);
    let Some(folder) = folders.into_iter().find(|folder| data::is_in(folder)) else {
        return Answer::NoData.write(out);
    };
    let folder = folder.canonicalize()?;
    std::env::set_current_dir(&folder)?;
    let Ok(locked) = sandbox::give_up_files(&folder.join(data::NAME)) else {
        return Answer::NoSandbox.write(out);
    };
    let landlock = locked == Locked::FilesToo;
    if purpose.is_some_and(|purpose| purpose == PHONEMES) {
        answer_with(out, landlock, Phonetics::start(), |phonetics, order| {
            phonetics.phonemes(&order.text, &order.voice).map_or(Answer::NoVoice, Answer::Phonemes)
        })
    } else {
        answer_with(out, landlock, Engine::start(&folder), speak)
    }
}

/// Locks the started engine in and lets it answer one order after the other.
fn answer_with<E>(
    out: &mut Stdout,
    landlock: bool,
    engine: Option<E>,
    answer: impl Fn(&mut E, &Order) -> Answer,
) -> io::Result<()> {
    let Some(mut engine) = engine else { return Answer::NoData.write(out) };
    if sandbox::give_up_calls().is_err() {
        return Answer::NoSandbox.write(out);
    }
    Answer::Ready { landlock }.write(out)?;
    let mut orders = io::stdin().lock();
    loop {
        let order = Order::read(&mut orders)?;
        answer(&mut engine, &order).write(out)?;
    }
}

fn speak(engine: &mut Engine, order: &Order) -> Answer {
    if !engine.set_voice(&order.voice, order.rate_wpm, order.word_gap) {
        return Answer::NoVoice;
    }
    let mut samples = Vec::new();
    for piece in order.text.lines() {
        let room = (AUDIO_S_MAX * engine::RATE_HZ - samples.len())
            .min(PIECE_AUDIO_S_MAX * engine::RATE_HZ);
        let sentence_ends = piece.ends_with(['.', '!', '?', ':']);
        match engine.speak(piece, sentence_ends, room) {
            Some(spoken) => samples.extend(spoken),
            None => return Answer::Refused,
        }
    }
    let hz = if order.wide { WIDE_HZ } else { TELEPHONE_HZ };
    resampled(&samples, engine::RATE_HZ, hz).map_or(Answer::Refused, |samples| {
        Answer::Samples(level::for_telephone(&samples, hz / 1000))
    })
}

/// A tenth of the processor of a program that is not so nice, when both want all of it.
const NICE: i32 = 10;
/// The longest an utterance may sound; the rest of it is left out.
const AUDIO_S_MAX: usize = 90;
/// The longest one piece of it may sound: ten times what ordinary text needs.
const PIECE_AUDIO_S_MAX: usize = 45;
