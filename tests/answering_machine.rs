//! Who picked up, judged by recorded people: what machines say, and the words with which persons answer.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use offhook::clock;
use offhook::media::answering_machine::{Heard, Listener, PickedUp};
use offhook::media::codec::{Clip, Codec};
use offhook::media::stream::{MediaTimeouts, Stream};
use offhook::media::{MediaEvent, Negotiated};
use offhook::script::machine_detection::{Input, MachineDetection, Output};
use offhook::script::prompt::Prompts;
use rtp_rs::{RtpPacketBuilder, Seq};

#[test]
fn machines_and_persons_are_told_apart_mostly() {
    let mut studio = Studio::default();
    let (mut machines, mut persons, mut ready) =
        (Tally::default(), Tally::default(), Tally::default());
    for language in [
        "en_US_f_Allison",
        "es_MX_f_Allison",
        "fr_CA_f_June",
        "it_IT_m_Carlo",
        "ru_RU_f_IvrvoiceRU",
    ] {
        for (noise, before_ms) in [(0, 300), (40, 700), (120, 1200)] {
            for greeting in GREETINGS {
                let Some(mut sound) = studio.say(language, greeting) else { continue };
                sound.extend(std::iter::repeat_n(0, 4000));
                let beep_ends = before_ms + ms(&sound) + 350;
                sound.extend(beep(350));
                sound.extend(std::iter::repeat_n(0, 8 * 4000));
                let (who, ready_ms) = listen(&sound, before_ms, noise);
                machines.count(who);
                // It is spoken to after its beep, and not long after.
                let late = ready_ms.map_or(i64::MAX, |at| at as i64 - beep_ends as i64);
                let spoken_to = (-20..=2100).contains(&late);
                ready.count(if spoken_to { PickedUp::Machine } else { PickedUp::Unknown });
            }
            for answer in ANSWERS {
                let Some(mut sound) = studio.say(language, answer) else { continue };
                sound.extend(std::iter::repeat_n(0, 8 * 6000));
                persons.count(listen(&sound, before_ms, noise).0);
            }
        }
    }
    println!("                                    human machine unknown");
    println!("{:3} recorded greetings of machines  {machines}", machines.all());
    println!("{:3} words of persons who answer     {persons}", persons.all());
    println!(
        "{:3} machines spoken to after the beep or its silence: {}",
        ready.all(),
        ready.machine
    );
    assert!(
        machines.all() >= 60 && persons.all() >= 100,
        "where are the recordings? `sh .ci/install`"
    );
    assert!(machines.machine * 100 >= machines.all() * 90, "{machines} of machines");
    assert!(persons.human * 100 >= persons.all() * 85, "{persons} of persons");
    assert!(ready.machine * 100 >= ready.all() * 80, "{} of {}", ready.machine, ready.all());
}

#[test]
fn no_box_that_plays_or_sends_back_tones_passes_for_a_person() {
    let mut studio = Studio::default();
    let (mut boxes, mut let_in, mut keys) = (0, 0, 0);
    for language in ["en_US_f_Allison", "es_MX_f_Allison", "ru_RU_f_IvrvoiceRU"] {
        for greeting in GREETINGS {
            let Some(mut sound) = studio.say(language, greeting) else { continue };
            // A key's tones right after the answer, between the words, and a last one instead of a beep.
            let mut greeted = tones(11, 120);
            let middle = sound.len() / 2;
            let rest = sound.split_off(middle);
            for part in [sound, tones(5, 120), rest, tones(0, 300)] {
                greeted.extend(part);
                greeted.extend(std::iter::repeat_n(0, 8 * 80));
            }
            let picked_up = screened(&greeted, studio.say(language, NOTICE).unwrap());
            boxes += 1;
            let_in += usize::from(picked_up.0 != PickedUp::Machine);
            keys += picked_up.1;
        }
    }
    println!("{boxes} boxes with {keys} keys heard in their greetings: {let_in} taken for persons");
    assert!(keys >= boxes * 2, "only {keys} keys were heard, which is no test");
    assert_eq!(let_in, 0, "of {boxes}");
}

/// Who a call takes it for, and how many keys it heard: what the box sends, and then the notice of the call itself, come
/// in as packets on a line whose keys are tones.
fn screened(greeting: &[i16], notice: Vec<i16>) -> (PickedUp, usize) {
    let far: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let agreed = Negotiated {
        remote: far,
        codec: Codec::Pcma,
        payload_type: 8,
        events_payload_type: None,
        formats: vec![],
        tones: true,
        packet_ms: 20,
        sending: true,
        keys: None,
    };
    let start = clock::now();
    let mut stream = Stream::new(
        agreed,
        far.ip(),
        7,
        MediaTimeouts::with_silence(Duration::from_secs(30)),
        start,
    );
    let mut detection = MachineDetection::new(Prompts::new("en").notice_for_machines(), start);
    stream.detect_machine();
    let (mut sound, mut speaking_until, mut keys) = (greeting.to_vec(), None, 0);
    for packet in 0..50 * 60_u32 {
        let now = start + Duration::from_millis(20) * packet;
        let at = packet as usize * 160;
        sound.resize(sound.len().max(at + 160), 0);
        let frame = Clip::encode(Codec::Pcma, &sound[at..at + 160]);
        let rtp =
            RtpPacketBuilder::new().payload_type(8).ssrc(9).sequence(Seq::from(packet as u16));
        let rtp = rtp.timestamp(packet * 160).payload(frame.frame(0).unwrap()).build().unwrap();
        match stream.receive(far, &mut rtp.clone(), now) {
            Some(MediaEvent::Heard(heard)) => detection.handle(Input::Heard(heard), now),
            Some(MediaEvent::Key(_)) => {
                keys += 1;
                detection.handle(Input::Key, now);
            }
            _ => {}
        }
        detection.handle(Input::Tick, now);
        if speaking_until.is_some_and(|until| packet >= until) {
            detection.handle(Input::Spoken, now);
        }
        while let Some(output) = detection.poll() {
            match output {
                Output::Speak(_) => {
                    // It hears us from now on, and sends it back.
                    sound.truncate(at + 160);
                    sound.extend(notice.iter().map(|sample| sample / 3));
                    speaking_until = Some(packet + notice.len() as u32 / 160);
                }
                Output::LetIn => return (detection.who(), keys),
                Output::HangUp => return (detection.who(), keys),
                Output::StopPlayback => {}
            }
        }
    }
    panic!("a minute was not enough")
}

/// The tones of a key, by its number on the keypad.
fn tones(key: usize, ms: usize) -> Vec<i16> {
    let pair = [[697.0, 770.0, 852.0, 941.0][key / 4], [1209.0, 1336.0, 1477.0, 1633.0][key % 4]];
    let tone = |n: usize, hz: f64| (n as f64 * hz / 8000.0 * std::f64::consts::TAU).sin() * 5000.0;
    (0..ms * 8).map(|n| (tone(n, pair[0]) + tone(n, pair[1])) as i16).collect()
}

/// In place of our own notice, as a person would speak it.
const NOTICE: &[&str] = &["vm-intro"];
/// Which recordings a machine's greeting is made of.
const GREETINGS: &[&[&str]] = &[
    &["vm-theperson", "digits/4", "digits/2", "digits/7", "vm-isunavail", "vm-intro"],
    &["vm-theperson", "digits/1", "digits/0", "vm-isonphone", "vm-intro"],
    &["vm-nobodyavail", "vm-intro"],
    &["vm-intro"],
    &["vm-leavemsg", "vm-intro"],
    &["vm-extension", "digits/9", "digits/3", "vm-isunavail"],
];
/// What a person says who answers: a hello, a name, a hello and a name, a number.
const ANSWERS: &[&[&str]] = &[
    &["hello"],
    &["phonetic/a_p"],
    &["phonetic/o_p"],
    &["phonetic/v_p"],
    &["hello", "phonetic/m_p"],
    &["hello", "phonetic/r_p"],
    &["phonetic/j_p", "phonetic/k_p"],
    &["digits/4", "digits/2"],
    &["digits/7"],
    &["vm-no"],
];

/// Recordings, decoded once.
#[derive(Default)]
struct Studio(HashMap<String, Option<Vec<i16>>>);

impl Studio {
    /// These one after the other, or none if this language has not all of them.
    fn say(&mut self, language: &str, words: &[&str]) -> Option<Vec<i16>> {
        let mut all = vec![];
        for word in words {
            let file = format!("/usr/share/asterisk/sounds/{language}/{word}.gsm");
            let sound = self.0.entry(file.clone()).or_insert_with(|| decode(&file));
            all.extend(sound.as_ref()?);
        }
        Some(all)
    }
}

fn decode(file: &str) -> Option<Vec<i16>> {
    if !Path::new(file).exists() {
        return None;
    }
    let raw = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-"];
    let told = Command::new("sox").arg(file).args(raw).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    Some(told.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

fn beep(ms: usize) -> Vec<i16> {
    let at = |n: usize| (n as f64 * 1000.0 / 8000.0 * std::f64::consts::TAU).sin() * 6000.0;
    (0..ms * 8).map(|n| at(n) as i16).collect()
}

fn ms(sound: &[i16]) -> usize {
    sound.len() / 8
}

/// Who it seems to be, and when, in ms, a machine is spoken to; `noise` is the mean amplitude of a hiss.
fn listen(sound: &[i16], before_ms: usize, noise: u32) -> (PickedUp, Option<usize>) {
    let (mut listener, mut who, mut ready) = (Listener::default(), PickedUp::Unknown, None);
    let mut hiss = 1_u32;
    let silence = std::iter::repeat_n(&0, before_ms * 8);
    for (at, sample) in silence.chain(sound).enumerate() {
        hiss = hiss.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = (hiss >> 16) as i32 * (noise * 4) as i32 / 65_536 - (noise * 2) as i32;
        match listener.hear([sample.saturating_add(hiss as i16)]) {
            Some(Heard::PickedUp(told)) => who = told,
            Some(Heard::Ready) => ready = Some(at / 8),
            None => {}
        }
    }
    (who, ready)
}

#[derive(Default)]
struct Tally {
    human: usize,
    machine: usize,
    unknown: usize,
}

impl Tally {
    fn count(&mut self, who: PickedUp) {
        match who {
            PickedUp::Human => self.human += 1,
            PickedUp::Machine => self.machine += 1,
            PickedUp::Unknown => self.unknown += 1,
        }
    }

    fn all(&self) -> usize {
        self.human + self.machine + self.unknown
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:5} {:7} {:7}", self.human, self.machine, self.unknown)
    }
}
