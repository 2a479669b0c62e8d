//! The one place that calls espeak-ng, a C library with state of its own: one engine per process.

// Calling C is unsafe; each block says why it may.
#![allow(unsafe_code)]
// What is changed is the library's own state; `&mut` keeps two calls from meeting there.
#![allow(clippy::needless_pass_by_ref_mut)]

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_short, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::{ptr, slice};

use espeak_rs_sys as c;

/// The synthesiser, started. The worker process owns the only one.
#[derive(Debug)]
pub(crate) struct Espeak(());

impl Espeak {
    /// Starts the engine on the folder that holds `espeak-ng-data`, or tells that the data there is of no use.
    ///
    /// Contract: once per process, which is for nothing else.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let folder = CString::new(folder.as_os_str().as_bytes()).ok()?;
        // SAFETY: the path ends in NUL and outlives the call, which copies it. No other thread runs.
        let rate_hz = unsafe {
            c::espeak_Initialize(
                c::espeak_AUDIO_OUTPUT_AUDIO_OUTPUT_SYNCHRONOUS,
                CHUNK_MS,
                folder.as_ptr(),
                c::espeakINITIALIZE_DONT_EXIT as c_int,
            )
        };
        // 0, not a negative number, is what it returns without its data.
        if rate_hz != RATE_HZ as c_int {
            return None;
        }
        // SAFETY: `collect` has the type the library asks for and lives as long as the program.
        unsafe { c::espeak_SetSynthCallback(Some(collect)) };
        let mut engine = Self(());
        // A voice with a region in its name makes the library look through all its files once; not in a call.
        engine.set_voice("en-US", 150, 0).then_some(engine)
    }

    /// Chooses voice, rate and the extra pause between words for what follows; tells whether the voice exists.
    ///
    /// Units: `rate_wpm` in words a minute; `word_gap` in steps of 10 ms.
    pub(crate) fn set_voice(&mut self, voice: &str, rate_wpm: u16, word_gap: u8) -> bool {
        let Ok(voice) = CString::new(voice) else { return false };
        // SAFETY: the name ends in NUL and outlives the call; the parameters are plain numbers.
        // `&mut self` keeps calls apart.
        unsafe {
            c::espeak_SetVoiceByName(voice.as_ptr()) == c::espeak_ERROR_EE_OK
                && c::espeak_SetParameter(c::espeak_PARAMETER_espeakRATE, rate_wpm.into(), 0)
                    == c::espeak_ERROR_EE_OK
                && c::espeak_SetParameter(c::espeak_PARAMETER_espeakWORDGAP, word_gap.into(), 0)
                    == c::espeak_ERROR_EE_OK
        }
    }

    /// Speaks one piece of text: mono, [`RATE_HZ`], cut at `samples_max`. `None` if the engine refuses.
    ///
    /// Contract: `text` comes from `sanitise`. SSML and phoneme input stay off, so markup is read as text.
    pub(crate) fn speak(
        &mut self,
        text: &str,
        pause_after: bool,
        samples_max: usize,
    ) -> Option<Vec<i16>> {
        let text = CString::new(text).ok()?;
        COLLECTED.with_borrow_mut(|collected| {
            *collected = Collected { samples: Vec::new(), samples_max }
        });
        let flags = c::espeakCHARS_UTF8 | if pause_after { c::espeakENDPAUSE } else { 0 };
        let bytes = text.as_bytes_with_nul();
        // SAFETY: the text ends in NUL, its length is given with it, and it outlives the call: in synchronous mode
        // all callbacks come before the return. `&mut self` keeps calls apart.
        let status = unsafe {
            c::espeak_Synth(
                bytes.as_ptr().cast(),
                bytes.len(),
                0,
                c::espeak_POSITION_TYPE_POS_CHARACTER,
                0,
                flags,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let samples = COLLECTED.with_borrow_mut(|collected| std::mem::take(&mut collected.samples));
        (status == c::espeak_ERROR_EE_OK).then_some(samples)
    }
}

impl Espeak {
    /// Tells how a text will be said by the voice that is set, in IPA with `^` between the letters of one phoneme.
    pub(crate) fn phonemes(&mut self, text: &str) -> Option<String> {
        let text = CString::new(text).ok()?;
        let mut rest: *const c_void = text.as_ptr().cast();
        let mut said = String::new();
        while !rest.is_null() {
            // SAFETY: `rest` points into `text`, which outlives the loop and ends in NUL; the library moves it on and
            // sets it to null at the end. What it returns ends in NUL and is copied before the next call.
            let clause = unsafe {
                let clause =
                    c::espeak_TextToPhonemes(&raw mut rest, c::espeakCHARS_UTF8 as c_int, IPA_TIED);
                if clause.is_null() {
                    break;
                }
                CStr::from_ptr(clause)
            };
            said.push_str(&clause.to_string_lossy());
            said.push('\n');
        }
        Some(said)
    }
}

/// The same library set up by espeak-rs, which turns text into phonemes and knows no sound.
#[derive(Debug)]
pub(crate) struct Phonetics(());

impl Phonetics {
    /// Starts it on the `espeak-ng-data` in the working directory.
    ///
    /// Contract: once per process, instead of an [`Espeak`]: it changes the mode the other needs, and starts a thread.
    pub(crate) fn start() -> Option<Self> {
        espeak_rs::text_to_phonemes("", "en", None).ok().map(|_| Self(()))
    }

    /// Tells how a text will be said, in IPA, one line per sentence; `None` if there is no such voice.
    pub(crate) fn phonemes(&mut self, text: &str, voice: &str) -> Option<String> {
        espeak_rs::text_to_phonemes(text, voice, None).ok().map(|sentences| sentences.join("\n"))
    }
}

/// The folder above `espeak-ng-data` that was compiled into the library: where this build left its data.
pub(crate) fn compiled_folder() -> Option<PathBuf> {
    let mut data: *const c_char = ptr::null();
    // SAFETY: a null path asks for the default; `espeak_Info` then points `data` at a buffer of the library that
    // ends in NUL and is not written to while we copy it.
    let data = unsafe {
        c::espeak_ng_InitializePath(ptr::null());
        c::espeak_Info(&raw mut data);
        if data.is_null() {
            return None;
        }
        OsStr::from_bytes(CStr::from_ptr(data).to_bytes()).to_owned()
    };
    PathBuf::from(std::ffi::OsString::from_vec(data.into_vec())).parent().map(Path::to_owned)
}

/// Ends the process at once: an ordinary end runs code that the sandbox forbids.
pub(crate) fn leave() -> ! {
    // SAFETY: `_exit` touches no memory of ours and does not return.
    unsafe { libc::_exit(0) }
}

struct Collected {
    samples: Vec<i16>,
    samples_max: usize,
}

thread_local! {
    static COLLECTED: RefCell<Collected> = const { RefCell::new(Collected { samples: Vec::new(), samples_max: 0 }) };
}

/// Takes a chunk of speech from the library; returns 1 to make it stop.
unsafe extern "C" fn collect(
    samples: *mut c_short,
    count: c_int,
    _: *mut c::espeak_EVENT,
) -> c_int {
    let Ok(count) = usize::try_from(count) else { return 1 };
    if samples.is_null() || count == 0 {
        return 0;
    }
    // SAFETY: the library lends `count` samples at `samples` for the length of this call.
    let chunk = unsafe { slice::from_raw_parts(samples, count) };
    COLLECTED.with_borrow_mut(|collected| {
        let room = collected.samples_max.saturating_sub(collected.samples.len());
        collected.samples.extend_from_slice(&chunk[..count.min(room)]);
        c_int::from(count >= room)
    })
}

/// What the engine speaks at; it is refused if it says otherwise.
pub(crate) const RATE_HZ: usize = 22_050;

const CHUNK_MS: c_int = 60;
/// IPA (bit 1), tied (bit 7) by the character in bits 8 to 23.
const IPA_TIED: c_int = 0x02 | 0x80 | ('^' as c_int) << 8;
