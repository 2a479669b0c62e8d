//! The process that speaks: it reads orders, answers with samples, and can do nothing else.

use std::io::{self, Stdout};
use std::path::{Path, PathBuf};

use crate::media::resample::{TELEPHONE_HZ, WIDE_HZ, resampled};
use crate::speech::espeak::{self, Espeak, Phonetics};
use crate::speech::hibari::{self, Hibari};
use crate::speech::sandbox::{self, Locked};
use crate::speech::wire::{SynthesisRequest, WorkerResponse};
use crate::speech::{command_sandbox, data, level};

/// The first argument that makes the binary a speech worker instead of Offhook.
///
/// The second is what it is for, `speak`, `phonemes` or `command`; the third, if not empty, the folder that holds
/// `espeak-ng-data`, the fourth, if given, that of hibari. For `command` the third is what a program may read, and the
/// program follows.
pub const ARGUMENT: &str = "speech-worker";

pub(crate) const SPEAK: &str = "speak";
pub(crate) const PHONEMES: &str = "phonemes";
pub(crate) const COMMAND: &str = "command";

/// Speaks what it is told on standard input, until that ends. `main` calls this before anything else.
///
/// Contract: no thread exists yet; the sandbox holds for this one and those it starts.
pub fn run() -> ! {
    // An error is a closed pipe: the program is gone, and so is the need for a worker; or a voice that cannot be started.
    let (Ok(()) | Err(_)) = serve(&mut io::stdout());
    espeak::leave()
}

fn serve(out: &mut Stdout) -> io::Result<()> {
    // Calls that speak come before speech that is still to be made, also where the media thread has no real-time
    // priority. It is not the lowest priority: a call waits for this speech.
    let _ = rustix::process::nice(NICE);
    let mut arguments = std::env::args_os().skip(2);
    let purpose = arguments.next();
    if purpose.as_ref().is_some_and(|purpose| purpose == COMMAND) {
        let path = arguments.next().unwrap_or_default();
        let words: Vec<_> = arguments.collect();
        return Err(command_sandbox::become_program(&path, &words));
    }
    let given = arguments.next().filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let hibari_folder = arguments.next().map(PathBuf::from);
    let folders =
        given.map_or_else(|| data::folders(espeak::compiled_folder()), |folder| vec![folder]);
    let Some(folder) = folders.into_iter().find(|folder| data::is_in(folder)) else {
        return WorkerResponse::NoData.write(out);
    };
    let folder = folder.canonicalize()?;
    std::env::set_current_dir(&folder)?;
    let hibari = hibari_folder
        .filter(|folder| hibari::is_in(folder))
        .or_else(|| data::voice(hibari::NAME, hibari::is_in));
    let espeak_data = folder.join(data::NAME);
    let readable: Vec<&Path> =
        [espeak_data.as_path()].into_iter().chain(hibari.as_deref()).collect();
    let Ok(locked) = sandbox::give_up_files(&readable) else {
        return WorkerResponse::NoSandbox.write(out);
    };
    let landlock = locked == Locked::FilesToo;
    if purpose.is_some_and(|purpose| purpose == PHONEMES) {
        let ready = WorkerResponse::Ready { landlock, hibari: false };
        answer_with(out, &ready, Phonetics::start(), |phonetics, order| {
            phonetics
                .phonemes(&order.text, &order.voice)
                .map_or(WorkerResponse::NoVoice, WorkerResponse::Phonemes)
        })
    } else {
        let voices = Espeak::start(&folder)
            .map(|espeak| Voices { espeak, hibari: hibari.as_deref().and_then(Hibari::load) });
        let has_hibari = voices.as_ref().is_some_and(|voices| voices.hibari.is_some());
        answer_with(out, &WorkerResponse::Ready { landlock, hibari: has_hibari }, voices, speak)
    }
}

/// Locks the started engine in and lets it answer one order after the other.
fn answer_with<E>(
    out: &mut Stdout,
    ready: &WorkerResponse,
    engine: Option<E>,
    answer: impl Fn(&mut E, &SynthesisRequest) -> WorkerResponse,
) -> io::Result<()> {
    let Some(mut engine) = engine else { return WorkerResponse::NoData.write(out) };
    if sandbox::give_up_calls().is_err() {
        return WorkerResponse::NoSandbox.write(out);
    }
    ready.write(out)?;
    let mut orders = io::stdin().lock();
    loop {
        let order = SynthesisRequest::read(&mut orders)?;
        answer(&mut engine, &order).write(out)?;
    }
}

/// The synthesisers of one worker.
struct Voices {
    espeak: Espeak,
    /// English of its own, where its data is installed.
    hibari: Option<Hibari>,
}

fn speak(voices: &mut Voices, order: &SynthesisRequest) -> WorkerResponse {
    let with_hibari = order.voice == hibari::NAME;
    let espeak_voice = if with_hibari { hibari::ESPEAK_VOICE } else { &order.voice };
    if !voices.espeak.set_voice(espeak_voice, order.rate_wpm, order.word_gap) {
        return WorkerResponse::NoVoice;
    }
    let own = voices.hibari.as_ref().filter(|_| with_hibari);
    let (spoken, rate_hz) = match own {
        Some(voice) => (speak_with_hibari(voice, &mut voices.espeak, order), hibari::RATE_HZ),
        None if with_hibari => return WorkerResponse::NoVoice,
        None => (speak_with_espeak(&mut voices.espeak, &order.text), espeak::RATE_HZ),
    };
    let Some(samples) = spoken else { return WorkerResponse::Refused };
    let hz = if order.wide { WIDE_HZ } else { TELEPHONE_HZ };
    resampled(&samples, rate_hz, hz).map_or(WorkerResponse::Refused, |samples| {
        WorkerResponse::Samples(level::for_telephone(&samples, hz / 1000))
    })
}

/// Units: full scale is 32,768.
fn speak_with_espeak(espeak: &mut Espeak, text: &str) -> Option<Vec<i16>> {
    let mut samples = Vec::new();
    for piece in text.lines() {
        let room = (AUDIO_S_MAX * espeak::RATE_HZ - samples.len())
            .min(PIECE_AUDIO_S_MAX * espeak::RATE_HZ);
        let sentence_ends = piece.ends_with(['.', '!', '?', ':']);
        samples.extend(espeak.speak(piece, sentence_ends, room)?);
    }
    Some(samples)
}

/// Units: full scale is 32,768.
fn speak_with_hibari(
    voice: &Hibari,
    espeak: &mut Espeak,
    order: &SynthesisRequest,
) -> Option<Vec<i16>> {
    let mut samples = Vec::new();
    for piece in order.text.lines() {
        let room = (AUDIO_S_MAX * hibari::RATE_HZ - samples.len())
            .min(PIECE_AUDIO_S_MAX * hibari::RATE_HZ);
        let spoken = voice.speak(piece, order.rate_wpm, espeak, room)?;
        samples.extend(spoken.iter().map(|sample| (sample * 32_767.0) as i16));
    }
    Some(samples)
}

/// Lower than other programs: about a tenth of the processor when both want all of it.
const NICE: i32 = 10;
/// The longest an utterance may sound; the rest of it is left out.
const AUDIO_S_MAX: usize = 90;
/// The longest one piece of it may sound: ten times what ordinary text needs.
const PIECE_AUDIO_S_MAX: usize = 45;
