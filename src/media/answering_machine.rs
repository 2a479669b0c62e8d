//! Who picked up: a person, who says a word and waits, or a machine, which makes a speech.

use super::beep::Beep;
use super::codec::Codec;

/// What seems to have picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickedUp {
    /// A short greeting, then silence; or a key was pressed.
    Human,
    /// A long greeting, many words, or none for long.
    Machine,
    /// Neither became clear.
    Unknown,
}

/// What is heard after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is clear who it is, or clear that it will not become so. Once.
    PickedUp(PickedUp),
    /// After [`PickedUp::Machine`]: its beep is over, or it has fallen silent. Once.
    Ready,
}

/// Listens to the first seconds after the answer.
///
/// Counts speech and silence as Asterisk's `app_amd` does: a long silence, a long greeting or
/// many words mean a machine; silence after a short greeting means a person. It is wrong now and then, so
/// nothing that matters may depend on it.
///
/// Units:    samples at 8,000 a second.
/// Contract: feed every sample of one source in order.
/// Source:   Asterisk, `app_amd` (the method and most of its figures).
#[derive(Clone, Debug)]
pub struct Listener {
    phase: Phase,
    sum: u32,
    samples: u32,
    beep: Beep,
    /// Where the sound goes on, on the clock of the source.
    next: Option<u32>,
}

#[derive(Clone, Debug)]
enum Phase {
    Deciding(Greeting),
    /// A machine speaks; so long it has been silent, in ms.
    Waiting {
        silent_ms: u32,
    },
    Done,
}

/// What has been heard so far, in ms.
#[derive(Clone, Debug, Default)]
struct Greeting {
    total_ms: u32,
    silent_ms: u32,
    word_ms: u32,
    spoken_ms: u32,
    words: u32,
    in_word: bool,
}

impl Default for Listener {
    fn default() -> Self {
        let phase = Phase::Deciding(Greeting::default());
        Self { phase, sum: 0, samples: 0, beep: Beep::default(), next: None }
    }
}

impl Listener {
    /// Takes a packet of sound of 8,000 octets a second. What did not come before it was silence.
    pub fn packet(&mut self, codec: Codec, payload: &[u8], timestamp: u32) -> Option<Heard> {
        let ahead = self.next.map_or(0, |next| timestamp.wrapping_sub(next).cast_signed());
        if ahead < 0 {
            return None;
        }
        self.next = Some(timestamp.wrapping_add(payload.len() as u32));
        let told = self.lost(ahead as u32 / SAMPLES_PER_MS);
        let heard = self.hear(payload.iter().map(|octet| codec.decode(*octet)));
        told.or(heard)
    }

    /// Takes what is heard next.
    pub fn hear(&mut self, samples: impl IntoIterator<Item = i16>) -> Option<Heard> {
        let mut told = None;
        for sample in samples {
            if self.is_done() {
                break;
            }
            let beep = self.beep.hear(sample);
            self.sum += u32::from(sample.unsigned_abs());
            self.samples += 1;
            if self.samples == FRAME_SAMPLES {
                let loud = self.sum / FRAME_SAMPLES >= LOUD;
                (self.sum, self.samples) = (0, 0);
                told = told.or_else(|| self.count(loud));
            }
            if beep {
                told = Some(self.beeped());
            }
        }
        told
    }

    /// Takes a gap of so many ms.
    fn lost(&mut self, ms: u32) -> Option<Heard> {
        let frames = ms.min(LOST_MS_MAX) / FRAME_MS;
        (0..frames).find_map(|_| self.count(false))
    }

    /// Tells whether there is nothing more to find out.
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// No person beeps.
    fn beeped(&mut self) -> Heard {
        let decided = matches!(self.phase, Phase::Waiting { .. });
        self.phase = if decided { Phase::Done } else { Phase::Waiting { silent_ms: 0 } };
        if decided { Heard::Ready } else { Heard::PickedUp(PickedUp::Machine) }
    }

    fn count(&mut self, loud: bool) -> Option<Heard> {
        match &mut self.phase {
            Phase::Deciding(greeting) => {
                let who = greeting.count(loud)?;
                self.phase = match who {
                    PickedUp::Machine => Phase::Waiting { silent_ms: 0 },
                    PickedUp::Human | PickedUp::Unknown => Phase::Done,
                };
                Some(Heard::PickedUp(who))
            }
            Phase::Waiting { silent_ms } => {
                *silent_ms = if loud { 0 } else { *silent_ms + FRAME_MS };
                if *silent_ms < MACHINE_SILENT_MS {
                    return None;
                }
                self.phase = Phase::Done;
                Some(Heard::Ready)
            }
            Phase::Done => None,
        }
    }
}

impl Greeting {
    fn count(&mut self, loud: bool) -> Option<PickedUp> {
        self.total_ms += FRAME_MS;
        if loud {
            self.word_ms += FRAME_MS;
            self.spoken_ms += FRAME_MS;
            if self.word_ms >= WORD_MS_MIN {
                self.silent_ms = 0;
                if !std::mem::replace(&mut self.in_word, true) {
                    self.words += 1;
                }
            }
        } else {
            self.silent_ms += FRAME_MS;
            if self.silent_ms >= BETWEEN_WORDS_MS {
                (self.in_word, self.word_ms) = (false, 0);
            }
        }
        let greeted = self.words > 0;
        if greeted && self.silent_ms >= AFTER_GREETING_MS {
            return Some(PickedUp::Human);
        }
        let machine = self.words > WORDS_MAX
            || greeted && self.spoken_ms >= GREETING_MS_MAX
            || !greeted && self.total_ms >= INITIAL_SILENCE_MS;
        match machine {
            true => Some(PickedUp::Machine),
            false if self.total_ms >= TOTAL_MS_MAX => Some(PickedUp::Unknown),
            false => None,
        }
    }
}

const FRAME_MS: u32 = 20;
const FRAME_SAMPLES: u32 = 160;
const SAMPLES_PER_MS: u32 = 8;
/// Mean amplitude above which a frame is speech.
const LOUD: u32 = 256;
const INITIAL_SILENCE_MS: u32 = 2500;
/// `app_amd` has 1500, and two words below: it takes "Good morning, Miller speaking" for a machine.
const GREETING_MS_MAX: u32 = 1800;
const WORDS_MAX: u32 = 4;
const AFTER_GREETING_MS: u32 = 800;
const TOTAL_MS_MAX: u32 = 5000;
const WORD_MS_MIN: u32 = 100;
const BETWEEN_WORDS_MS: u32 = 60;
/// A machine that has no beep, or one that is none of ours, records by now.
const MACHINE_SILENT_MS: u32 = 2000;
const LOST_MS_MAX: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_picked_up_is_told_by_words_and_silence() {
        // `s` speech, `.` silence, `b` a beep, each with tenths of a second.
        let cases = [
            ("a hello", ".3 s4 .9", "Human@15"),
            ("a hello and a name", ".3 s4 .2 s6 .9", "Human@23"),
            ("nobody speaks", ".30", "Machine@25"),
            ("a long greeting", ".3 s30", "Machine@21"),
            ("many words", "s3 .2 s3 .2 s3 .2 s3 .2 s3", "Machine@21"),
            ("a click", "s0 .9 s4 .9", "Human@21"),
            ("a beep at once", ".2 b4 .1", "Machine@6"),
            ("a greeting and a beep", ".3 s30 .5 b4 .1", "Machine@21 Ready@42"),
            ("a greeting without a beep", ".3 s30 .25", "Machine@21 Ready@53"),
            ("a silent machine that beeps", ".26 b4 .1", "Machine@25 Ready@30"),
            ("words with long pauses between", "s2 .7 s2 .7 s2 .7 s2 .7 s2 .7 s2", "Machine@37"),
        ];
        for (name, timeline, expected) in cases {
            let (mut listener, mut told, mut samples, mut phase) =
                (Listener::default(), vec![], 0_u32, 0.0_f32);
            for word in timeline.split(' ') {
                let (kind, tenths) = word.split_at(1);
                for _ in 0..tenths.parse::<u32>().unwrap() * 800 {
                    samples += 1;
                    phase += 1000.0 / 8000.0 * std::f32::consts::TAU;
                    let sample = match kind {
                        // What is no tone: it has the energy of speech all over the band.
                        "s" => (samples.wrapping_mul(2_654_435_761) >> 18) as i16 - 8192,
                        "b" => (phase.sin() * 8000.0) as i16,
                        _ => 0,
                    };
                    if let Some(heard) = listener.hear([sample]) {
                        let word = match heard {
                            Heard::PickedUp(who) => format!("{who:?}"),
                            Heard::Ready => "Ready".to_owned(),
                        };
                        told.push(format!("{word}@{}", samples / 800));
                    }
                }
            }
            assert_eq!(told.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn what_does_not_come_is_silence() {
        let mut listener = Listener::default();
        let quiet = [Codec::Pcma.silence(); 160];
        let mut at = |ms: u32| {
            listener.packet(Codec::Pcma, &quiet, 5_u32.wrapping_sub(800).wrapping_add(ms * 8))
        };
        assert_eq!(at(0), None);
        assert_eq!(at(2000), None);
        assert_eq!(at(1000), None, "late");
        assert_eq!(at(200_000), Some(Heard::PickedUp(PickedUp::Machine)));
        assert_eq!(at(203_000), Some(Heard::Ready));
        assert!(listener.is_done());
    }
}
