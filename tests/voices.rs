//! Voices that are programs, good ones and hostile ones.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use offhook::clock;
use offhook::config::{Engine, VoiceChoice};
use offhook::media::codec::Codec;
use offhook::speech::{Pace, Speaker, SpeechError, SpeechSettings, Utterance};
use rustix::io::{FdFlags, fcntl_setfd};

#[tokio::test]
async fn a_program_speaks_its_language_and_the_others_are_left_to_what_is_built_in() {
    let stage = Stage::new("en", "cat > \"$1/heard\" 2>/dev/null; cat \"$1/good.wav\"").await;
    let spoken = stage.by_any("en-GB", "Hello.").await.unwrap();
    assert_eq!(spoken.engine, Engine::Command);
    let ms = spoken.clip.duration().as_millis();
    assert!((900..1300).contains(&ms), "a second of sound and a short end: {ms}");
    assert_eq!(stage.by_any("de", "Guten Tag.").await.unwrap().engine, Engine::Espeak);
    let wide = stage.speaker.say(&stage.utterance("en", "Hello."), Codec::G722).await.unwrap();
    assert!((900..1300).contains(&wide.duration().as_millis()));
}

#[tokio::test]
async fn a_program_may_speak_what_nothing_else_does_and_hears_the_text_in_one_line() {
    let stage =
        Stage::new("zh", "read line; [ \"$line\" = \"你好 Bob\" ] && cat \"$1/good.wav\"").await;
    assert_eq!(stage.by_any("zh-TW", "你好\n\u{7}Bob").await.unwrap().engine, Engine::Command);
    let other = stage.by_any("zh", "再见").await;
    assert!(matches!(other, Err(SpeechError::GivenUp)), "the script is told another text");
}

#[tokio::test]
async fn a_person_who_wants_it_slow_is_spoken_to_slowly() {
    let stage = Stage::new("en", "[ \"$2\" = 0.75 ] && cat \"$1/good.wav\"").await;
    let usual = stage.utterance("en", "Hello.");
    let slow = Utterance { pace: Pace::Slow, ..usual.clone() };
    assert!(stage.speaker.say_by(&usual, Some(Engine::Command)).await.is_err());
    assert!(stage.speaker.say_by(&slow, Some(Engine::Command)).await.is_ok());
    let built_in = |utterance: Utterance| {
        let speaker = stage.speaker.clone();
        async move { speaker.say_by(&utterance, Some(Engine::Espeak)).await.unwrap().clip.duration() }
    };
    let (usual, slow) = (built_in(usual).await, built_in(slow).await);
    assert!(slow > usual.mul_f32(1.15), "{usual:?}, {slow:?}");
}

#[tokio::test]
async fn what_a_hostile_program_does_costs_its_own_speech_only() {
    let cases = [
        ("hangs", "sleep 1000"),
        ("hangs and holds the pipe by a child", "(sleep 1000; echo) & exit 0"),
        ("says nothing", "exit 0"),
        ("ends with an error after a good file", "cat \"$1/good.wav\"; exit 3"),
        ("is killed", "kill -9 $$ || exec false"),
        ("writes garbage", "head -c 100000 /dev/urandom"),
        ("writes without end", "exec cat /dev/zero"),
        (
            "begins like a file and writes without end",
            "head -c 44 \"$1/good.wav\"; exec cat /dev/zero",
        ),
        ("writes a file without a sound", "head -c 44 \"$1/good.wav\""),
        ("is none", "exec /nonexistent"),
        ("eats memory", "exec perl -e '$x = \"x\" x 8e9; sleep 1000'"),
    ];
    for (what, script) in cases {
        let stage = Stage::new("en", script).await;
        let hello = stage.utterance("en", "Hello.");
        let refused = stage.speaker.say_by(&hello, Some(Engine::Command)).await;
        assert!(matches!(refused, Err(SpeechError::GivenUp)), "{what}");
        let spoken = stage.by_any("en", "Hello.").await.unwrap();
        assert_eq!(spoken.engine, Engine::Espeak, "{what}");
        assert_eq!(stage.left_over(), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn a_program_that_hung_is_not_waited_for_a_second_time() {
    let stage = Stage::new("en", "sleep 1000").await;
    assert!(stage.by_any("en", "Hello.").await.is_ok());
    let begun = clock::now();
    for _ in 0..20 {
        assert_eq!(stage.by_any("en", "Hello.").await.unwrap().engine, Engine::Espeak);
    }
    let took = clock::now().duration_since(begun);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_program_sees_and_reaches_nothing_that_it_does_not_need() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "secret").unwrap();
    // As a program that started this one may have left it.
    let left_open = File::open(secret.path()).unwrap();
    fcntl_setfd(left_open.as_fd(), FdFlags::empty()).unwrap();
    let (secret, own) = (secret.path().display(), std::process::id());
    let cases = [
        ("reads a file of ours", format!("cat {secret}")),
        ("lists our folder", "ls /tmp".to_owned()),
        ("writes a file", "echo x > \"$1/written\"".to_owned()),
        ("opens a connection", format!("bash -c 'echo > /dev/tcp/127.0.0.1/{port}'")),
        ("signals us", format!("kill -0 {own}")),
        ("reads our environment", format!("cat /proc/{own}/environ")),
        (
            "has our environment",
            "env | grep -v -e ^PATH= -e ^LANG= -e ^PWD= -e ^_= -e ^SHLVL=".to_owned(),
        ),
        (
            "has what we have open",
            "bash -c 'for n in {3..80}; do { true <&$n; } && exit 0; done; exit 1'".to_owned(),
        ),
        ("leaves its group", "setsid true".to_owned()),
        ("has the highest priority", "[ $(nice) -lt 10 ]".to_owned()),
    ];
    for (what, attempt) in cases {
        let script = format!("if {attempt} >/dev/null 2>&1; then exit 1; fi; cat \"$1/good.wav\"");
        let stage = Stage::new("en", &script).await;
        assert_eq!(stage.by_any("en", "Hello.").await.unwrap().engine, Engine::Command, "{what}");
    }
}

/// A speaker with a script as one of its voices.
struct Stage {
    speaker: Speaker,
    folder: tempfile::TempDir,
}

impl Stage {
    /// The script has its folder, in which `good.wav` lies, and the speed as arguments.
    async fn new(language: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("voice.sh");
        fs::write(&file, script).unwrap();
        write_good_wav(&folder.path().join("good.wav"));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let choice = VoiceChoice {
            language: language.into(),
            engine: Engine::Command,
            path: None,
            command: vec!["/bin/sh".into(), text(&file), text(folder.path()), "{speed}".into()],
        };
        let settings = SpeechSettings {
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_offhook"))),
            command_patience: Duration::from_secs(1),
            ..SpeechSettings::with_voices(&[choice])
        };
        Self { speaker: Speaker::start(settings).await.unwrap(), folder }
    }

    fn utterance(&self, language: &str, text: &str) -> Utterance {
        Utterance { language: language.into(), text: text.into(), keep: false, pace: Pace::Usual }
    }

    async fn by_any(
        &self,
        language: &str,
        text: &str,
    ) -> Result<offhook::speech::Spoken, SpeechError> {
        self.speaker.say_by(&self.utterance(language, text), None).await
    }

    /// What of the script still runs.
    fn left_over(&self) -> Vec<String> {
        let folder = self.folder.path().to_str().unwrap();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(folder)).collect()
    }
}

/// A second of a tone.
fn write_good_wav(path: &Path) {
    let (channels, sample_rate, bits_per_sample) = (1, 16_000, 16);
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..16_000 {
        writer.write_sample(((n as f32 * 0.2).sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}
