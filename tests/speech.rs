//! Speech by real worker processes, as strangers and the kernel see them.

// What stands around a test stops it as the test itself would.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use offhook::media::codec::{Clip, Codec};
use offhook::speech::voices::Voice;
use offhook::speech::{Pace, Speaker, SpeechError, SpeechSettings, Utterance};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{Mutex, MutexGuard};

#[tokio::test]
async fn a_sentence_is_spoken_in_each_of_four_languages() {
    let stage = Stage::new(SpeechSettings::default()).await;
    let sentences = [
        ("en", "A message from Alice arrived."),
        ("de", "Eine Nachricht von Alice ist gekommen."),
        ("fr", "Un message d'Alice est arrivé."),
        ("es", "Ha llegado un mensaje de Alice."),
    ];
    for (language, text) in sentences {
        let clip = stage.say(language, text).await.unwrap();
        assert!(
            (1000..4000).contains(&clip.duration().as_millis()),
            "{language}: {:?}",
            clip.duration()
        );
    }
}

#[tokio::test]
async fn every_voice_of_the_list_speaks_with_the_data_of_this_build_and_with_the_distributions() {
    let packaged = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let packaged = packaged.filter(|folder| folder.join("espeak-ng-data/phontab").exists());
    for data in packaged.map(Some).chain([None]) {
        let stage =
            Stage::new(SpeechSettings { data: data.clone(), ..SpeechSettings::default() }).await;
        for voice in Voice::all() {
            let clip = stage.say(voice.language, "1 2 3.").await;
            let spoken = clip.is_ok_and(|clip| clip.duration() > Duration::from_millis(300));
            assert!(spoken, "{}, {data:?}", voice.language);
        }
    }
}

#[tokio::test]
async fn fewer_words_a_minute_take_longer() {
    let text = "The quick brown fox jumps over the lazy dog.";
    let mut durations = vec![];
    for rate_wpm in [120, 150, 200] {
        let stage = Stage::new(SpeechSettings { rate_wpm, ..SpeechSettings::default() }).await;
        durations.push(stage.say("en", text).await.unwrap().duration());
    }
    assert!(durations.is_sorted_by(|slow, fast| slow > fast), "{durations:?}");
}

#[tokio::test]
async fn what_cannot_be_spoken_is_told_and_not_mumbled() {
    let stage = Stage::new(SpeechSettings::default()).await;
    for (language, text) in
        [("ja", "会議は10時です"), ("en", "Привет, Боб"), ("en", "🎉"), ("en", "")]
    {
        assert!(matches!(stage.say(language, text).await, Err(SpeechError::Unspeakable)), "{text}");
    }
    assert!(
        matches!(stage.say("tlh", "nuqneH").await, Err(SpeechError::UnknownLanguage(tag)) if tag == "tlh")
    );
    assert!(stage.say("ja", "ありがとう").await.is_ok());
}

#[tokio::test]
async fn an_operator_sees_how_a_name_will_be_said() {
    let stage = Stage::new(SpeechSettings::default()).await;
    assert_eq!(stage.speaker.phonemes("Alice", "en").await.unwrap(), "ˈælɪs");
    assert_ne!(stage.speaker.phonemes("Alice", "fr").await.unwrap(), "ˈælɪs");
    assert!(matches!(
        stage.speaker.phonemes("Alice", "tlh").await,
        Err(SpeechError::UnknownLanguage(_))
    ));
}

#[tokio::test]
async fn a_missing_part_is_named_in_one_sentence() {
    let _alone = ALONE.lock().await;
    let nowhere = SpeechSettings {
        data: Some("/nonexistent".into()),
        program: program(),
        ..SpeechSettings::default()
    };
    let error = Speaker::start(nowhere).await.unwrap_err();
    assert!(
        matches!(error, SpeechError::NoData)
            && error.to_string().contains("install espeak-ng-data"),
        "{error}"
    );
    let nobody =
        SpeechSettings { program: Some("/nonexistent".into()), ..SpeechSettings::default() };
    assert!(matches!(Speaker::start(nobody).await, Err(SpeechError::NotStarted(_))));
}

#[tokio::test]
async fn a_worker_has_given_up_all_it_does_not_need() {
    let stage = Stage::new(SpeechSettings::default()).await;
    stage.say("en", "Hello.").await.unwrap();
    for pid in stage.workers() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t1"] {
            assert!(status.lines().any(|found| found == line), "{line} is not in\n{status}");
        }
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let limits: Vec<String> = limits
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for limit in [
            "Max address space 402653184 402653184 bytes",
            "Max cpu time 600 600 seconds",
            "Max file size 0 0 bytes",
            "Max core file size 0 0 bytes",
            "Max processes 0 0 processes",
            "Max open files 16 16 files",
        ] {
            assert!(limits.iter().any(|found| found == limit), "{limit} is not in\n{limits:#?}");
        }
        assert_eq!(
            fs::read(format!("/proc/{pid}/environ")).unwrap(),
            b"RTEN_NUM_THREADS=1\0",
            "no secret reaches it by its environment"
        );
        let (ours, its) = (niceness("self"), niceness(&pid.to_string()));
        assert_eq!(its, (ours + 10).min(19), "calls that speak come first");
    }
}

#[tokio::test]
async fn commands_and_markup_are_only_words() {
    let stage = Stage::new(SpeechSettings::default()).await;
    let cases = [
        ("\u{1}s450 Hello Bob, how are you?", "s450 Hello Bob, how are you?"),
        ("Hello <break time=\"50s\"/> Bob", "Hello Bob"),
        ("<speak><audio src=\"/etc/passwd\"/>Hello Bob</speak>", "Hello Bob"),
        ("[[h@l@U]] Bob", "h@l@U, Bob"),
    ];
    for (hostile, words) in cases {
        let heard = stage.say("en", hostile).await.unwrap().duration();
        let expected = stage.say("en", words).await.unwrap().duration();
        assert!(
            heard.abs_diff(expected) <= Duration::from_millis(60),
            "{hostile}: {heard:?}, {expected:?}"
        );
    }
}

#[tokio::test]
async fn no_hostile_text_kills_a_worker() {
    // Speech of a minute and a half takes a busy machine its time.
    let patience = Duration::from_secs(60);
    let stage =
        Stage::new(SpeechSettings { workers: 1, patience, ..SpeechSettings::default() }).await;
    let before = stage.workers();
    let mut rng = StdRng::seed_from_u64(SEED);
    let languages = ["en", "de", "fr", "es", "ja", "ru", "ar", "ko"];
    let known =
        ["s'", ".s.s", "a.b.c.", "e.g.", "'s'", "S's'", "[[h@l"].map(|unit| unit.repeat(220));
    let random = (0..120).map(|_| hostile(&mut rng)).collect::<Vec<_>>();
    for text in known.into_iter().chain(random) {
        let language = languages.choose(&mut rng).unwrap();
        let said = stage.say(language, &text).await;
        assert!(!matches!(said, Err(SpeechError::GivenUp)), "{language}: {text:?}");
    }
    assert_eq!(stage.workers(), before);
}

#[tokio::test]
async fn an_utterance_survives_the_worker_that_was_killed_over_it() {
    let stage = Stage::new(SpeechSettings { workers: 1, ..SpeechSettings::default() }).await;
    let [busy, spare] = stage.workers()[..] else { panic!("one worker and one spare") };
    signal(busy, Signal::STOP);
    let speaker = stage.speaker.clone();
    let said =
        tokio::spawn(async move { speaker.say(&message("en", "Hello Bob."), Codec::Pcmu).await });
    // The order is on its way and the worker cannot answer it.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!said.is_finished());
    signal(busy, Signal::KILL);
    assert!(said.await.unwrap().is_ok());
    assert!(stage.say("en", "And again.").await.is_ok());
    assert!(stage.workers().contains(&spare));
}

#[tokio::test]
async fn a_worker_that_hangs_is_given_up_and_replaced() {
    let patience = Duration::from_millis(400);
    let stage =
        Stage::new(SpeechSettings { workers: 1, patience, ..SpeechSettings::default() }).await;
    let hanging = stage.workers();
    for pid in &hanging {
        signal(*pid, Signal::STOP);
    }
    for _ in &hanging {
        assert!(matches!(stage.say("en", "Hello.").await, Err(SpeechError::GivenUp)));
    }
    assert!(stage.say("en", "Hello.").await.is_ok());
    let fresh = stage.workers();
    assert!(hanging.iter().all(|pid| !fresh.contains(pid)), "{hanging:?} {fresh:?}");
}

#[tokio::test]
async fn workers_killed_while_they_wait_are_not_missed() {
    let stage = Stage::new(SpeechSettings::default()).await;
    for round in 0..5 {
        let killed = stage.workers();
        for pid in &killed {
            signal(*pid, Signal::KILL);
        }
        while killed.iter().any(|pid| is_alive(*pid)) {
            tokio::task::yield_now().await;
        }
        assert!(stage.say("en", "Hello.").await.is_ok(), "round {round}");
    }
}

#[tokio::test]
async fn the_workers_end_with_the_last_speaker() {
    let stage = Stage::new(SpeechSettings::default()).await;
    let Stage { speaker, before, _alone } = stage;
    let workers = Stage { speaker: speaker.clone(), before, _alone }.workers();
    assert_eq!(workers.len(), 3);
    drop(speaker);
    while workers.iter().any(|pid| is_alive(*pid)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_prompt_is_rendered_once_and_a_message_each_time() {
    let stage = Stage::new(SpeechSettings::default()).await;
    let prompt = Utterance {
        language: "en".into(),
        text: "Press 5 to hear it.".into(),
        keep: true,
        pace: Pace::Usual,
    };
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (speaker, prompt) = (stage.speaker.clone(), prompt.clone());
        callers.spawn(async move { speaker.say(&prompt, Codec::Pcmu).await.unwrap() });
    }
    callers.join_all().await;
    let first = stage.speaker.say(&prompt, Codec::Pcmu).await.unwrap();
    assert!(Arc::ptr_eq(&first, &stage.speaker.say(&prompt, Codec::Pcmu).await.unwrap()));
    assert_eq!(stage.speaker.say(&prompt, Codec::Pcma).await.unwrap().codec(), Codec::Pcma);
    let text = message("en", "Bob, call me.");
    let first = stage.speaker.say(&text, Codec::Pcmu).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &stage.speaker.say(&text, Codec::Pcmu).await.unwrap()));
}

#[tokio::test]
async fn prompts_beyond_the_limit_are_forgotten() {
    let stage =
        Stage::new(SpeechSettings { cache_bytes_max: 60_000, ..SpeechSettings::default() }).await;
    let prompt = |number: u32| Utterance {
        language: "en".into(),
        text: format!("Number {number}."),
        keep: true,
        pace: Pace::Usual,
    };
    let first = stage.speaker.say(&prompt(1), Codec::Pcmu).await.unwrap();
    assert!(Arc::ptr_eq(&first, &stage.speaker.say(&prompt(1), Codec::Pcmu).await.unwrap()));
    for number in 2..10 {
        stage.speaker.say(&prompt(number), Codec::Pcmu).await.unwrap();
    }
    assert!(!Arc::ptr_eq(&first, &stage.speaker.say(&prompt(1), Codec::Pcmu).await.unwrap()));
}

/// A speaker whose workers can be told from those of other tests, since these wait.
struct Stage {
    speaker: Speaker,
    before: BTreeSet<i32>,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    /// Starts a speaker and waits until its workers and the spare are there.
    async fn new(settings: SpeechSettings) -> Self {
        let alone = ALONE.lock().await;
        let (before, expected) = (children(), settings.workers.max(1) + 1);
        let speaker =
            Speaker::start(SpeechSettings { program: program(), ..settings }).await.unwrap();
        let stage = Self { speaker, before, _alone: alone };
        while stage.workers().len() < expected || !stage.all_locked_in() {
            // One order per worker makes all of them start.
            tokio::join!(
                stage.say("en", "One."),
                stage.say("en", "Two."),
                stage.say("en", "Three.")
            )
            .0
            .unwrap();
            tokio::task::yield_now().await;
        }
        stage
    }

    async fn say(&self, language: &str, text: &str) -> Result<Arc<Clip>, SpeechError> {
        self.speaker.say(&message(language, text), Codec::Pcmu).await
    }

    /// Process ids, oldest first.
    fn workers(&self) -> Vec<i32> {
        children().difference(&self.before).copied().filter(|pid| is_alive(*pid)).collect()
    }

    fn all_locked_in(&self) -> bool {
        self.workers().iter().all(|pid| {
            fs::read_to_string(format!("/proc/{pid}/status"))
                .is_ok_and(|status| status.contains("Seccomp:\t2"))
        })
    }
}

fn program() -> Option<PathBuf> {
    Some(env!("CARGO_BIN_EXE_offhook").into())
}

/// Source: proc_pid_stat(5), the 19th field.
fn niceness(process: &str) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, behind_the_name) = stat.rsplit_once(')').unwrap();
    behind_the_name.split_whitespace().nth(16).unwrap().parse().unwrap()
}

fn message(language: &str, text: &str) -> Utterance {
    Utterance { language: language.into(), text: text.into(), keep: false, pace: Pace::Usual }
}

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn is_alive(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ") && !status.contains("State:\tX")
}

/// Processes started by this one.
fn children() -> BTreeSet<i32> {
    let parent = format!("PPid:\t{}\n", std::process::id());
    let pids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/status"))
            .is_ok_and(|status| status.contains(&parent))
    })
    .collect()
}

/// A text as nobody writes it who means well.
fn hostile(rng: &mut StdRng) -> String {
    let units = [
        "s'",
        ".s",
        "a.b.",
        "e.g.",
        "'",
        "[[",
        "]]",
        "<speak>",
        "<break time='9s'/>",
        "\u{1}",
        "\u{202e}",
        "ﷺ",
        "漢",
        "ж",
        "か",
        "한",
        "ع",
        "é\u{301}",
        "🎉",
        "http://",
        "1",
        "0,",
        "...",
        "?!",
        " ",
        "aaaaaaaa",
        "xqz",
        "\n",
        "\t",
    ];
    let mut text = String::new();
    let chars_min = *[60, 200, 600].choose(rng).unwrap();
    while text.chars().count() < chars_min {
        let unit = if rng.random_bool(0.8) {
            (*units.choose(rng).unwrap()).to_owned()
        } else {
            char::from_u32(rng.random_range(1..0x2_ffff)).map(String::from).unwrap_or_default()
        };
        let times = if rng.random_bool(0.2) { rng.random_range(2..250) } else { 1 };
        text.push_str(&unit.repeat(times));
    }
    text
}

static ALONE: Mutex<()> = Mutex::const_new(());
const SEED: u64 = 20_261_123;
