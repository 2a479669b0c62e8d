//! `offhook demo`: the main job on real parts, on one machine, without an account anywhere.

pub mod chat_client;
pub mod child_process;
mod interactive;
pub mod phone;
pub mod prosody;
pub mod recording;
pub mod stage;
pub mod terminal;
mod voice;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::child_process::DemoError;
use self::recording::Recording;
use self::stage::{BOB_BY_PHONE, Stage};
use self::terminal::Terminal;
use crate::xmpp::ns;

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What Bob presses after the message: `0-9`, `*` or `#`.
    pub key: char,
    /// Leave everything running for people to play with, until Ctrl-C.
    pub interactive: bool,
}

/// Runs the demo.
///
/// Contract: whatever ends it, nothing it started goes on, and of its files only `offhook-demo.wav` stays.
/// Errors:   exit code 1 unless Alice got Bob's answer, after saying why; 2 for a key that no phone has.
pub async fn run(options: Options) -> ExitCode {
    let shown = Terminal::begin();
    if !options.key.is_ascii_digit() && !['*', '#'].contains(&options.key) {
        shown.end();
        shown.line("offhook", "--key takes one key of a phone: 0-9, * or #");
        return ExitCode::from(2);
    }
    let play = async {
        if options.interactive {
            interactive::run(&shown).await
        } else {
            // A reader must not wait for ever, whatever happens.
            let whole = timeout(WHOLE, act(&shown, options.key)).await;
            let late = DemoError::Late { what: "the end of the demo".into(), waited: WHOLE };
            whole.unwrap_or(Err(late))
        }
    };
    let result = tokio::select! {
        result = play => result.map_err(|error| error.to_string()),
        // That is how people end it.
        _ = stopped(), if options.interactive => Ok(()),
        name = stopped(), if !options.interactive => Err(format!("ended by {name}")),
    };
    shown.end();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            shown.write(&format!("The demo failed: {reason}"));
            ExitCode::FAILURE
        }
    }
}

async fn act(shown: &Terminal, key: char) -> Result<(), DemoError> {
    let mut stage = Stage::set(shown, false).await?;
    let played = timeout(PLAY, play(&mut stage, shown, key)).await;
    let late = DemoError::Late { what: "the end of the conversation".into(), waited: PLAY };
    let played = played.unwrap_or(Err(late));
    if played.is_err() {
        stage.show_logs(shown);
    }
    shown.waiting("stopping everything");
    let kept = stage.phone.recording().map(|heard| heard.file().to_path_buf());
    tokio::join!(stage.offhook.stop(), stage.phone.part.stop());
    // Only now the phone has written the file's lengths.
    let kept = kept.map(|file| keep(&file)).transpose()?;
    let Played { reply, link } = played?;
    let voice = match &link {
        Some(link) => Some(voice::keep(link).await?),
        None => None,
    };
    stage.clear().await;
    let length = kept.ok_or(DemoError::Late { what: "a recording".into(), waited: PLAY })?;
    let seconds = length.as_secs_f64();
    shown.write(&format!("\nWhat the phone heard: {WAV} ({seconds:.1} s)"));
    shown.write(&format!("What Alice read: {reply}"));
    if let Some(voice) = voice {
        shown.write(&format!("What Alice can play: {voice}"));
    }
    Ok(())
}

/// What Alice has got in the end.
struct Played {
    reply: String,
    /// Where Alice's client finds Bob's voice, if Bob has spoken.
    link: Option<String>,
}

async fn play(stage: &mut Stage, shown: &Terminal, key: char) -> Result<Played, DemoError> {
    let words = stage.folder().join("bob.wav");
    let voice = match key {
        '7' => {
            voice::bobs_words(&words).await?;
            Some(words.as_path())
        }
        _ => None,
    };
    let Stage { alice, phone, .. } = stage;
    shown.line("Alice", MESSAGE);
    alice.send(BOB_BY_PHONE, MESSAGE_ID, MESSAGE).await?;
    let (mut link, mut reply) = (None, None);
    let speaks = voice.is_some();
    let reading = async {
        alice
            .message(PLAY, "Bob's answer", |message| {
                shown.read_by_alice(&message);
                let is_answer =
                    message.reply_to.as_deref() == Some(MESSAGE_ID) && !message.is_offhooks_own();
                // A line about it comes first, then the file.
                if message.xml.contains(ns::FILE_SHARING) {
                    link = message.body;
                } else if is_answer {
                    reply = message.text;
                }
                if speaks && link.is_none() { None } else { reply.take() }
            })
            .await
    };
    let (reply, ()) = tokio::try_join!(reading, pick_up(phone, shown, key, voice))?;
    Ok(Played { reply, link })
}

async fn pick_up(
    phone: &mut phone::Phone,
    shown: &Terminal,
    key: char,
    voice: Option<&Path>,
) -> Result<(), DemoError> {
    shown.waiting("Bob is offline; the phone will ring");
    phone.event("CALL_INCOMING", RINGS).await?;
    shown.line("phone", "rings");
    sleep(RING).await;
    phone.answer().await?;
    phone.event("CALL_ESTABLISHED", ANSWERED).await?;
    shown.line("phone", "is picked up");
    shown.waiting("Bob hears who has written");
    let heard = heard(phone).await?;
    heard.pause(Duration::ZERO, VOICE).await;
    let from = heard.length();
    shown.line("phone", "5 is pressed");
    phone.press("5").await?;
    shown.waiting("Bob hears the message and what can be answered");
    heard.pause(from, VOICE).await;
    shown.line("phone", &format!("{key} is pressed"));
    let from = heard.length();
    phone.press(&key.to_string()).await?;
    if let Some(words) = voice {
        shown.waiting("Bob hears where the answer goes, and the tone");
        heard.pause(from, VOICE).await;
        shown.line("phone", "Bob speaks");
        let late = || DemoError::Late { what: "Bob's own voice".into(), waited: ANSWERED };
        let own = phone.own_voice().ok_or_else(late)?;
        let from = own.length();
        phone.says(words).await?;
        own.pause(from, VOICE).await;
        let from = heard.length();
        shown.line("phone", "8 is pressed");
        phone.press("8").await?;
        shown.waiting("Bob is asked whether to send it");
        heard.pause(from, VOICE).await;
        shown.line("phone", "1 is pressed");
        phone.press("1").await?;
    }
    shown.waiting("Bob hears the goodbye");
    phone.event("CALL_CLOSED", CLOSED).await?;
    shown.line("phone", "the call is over");
    shown.waiting("Alice waits for the answer");
    Ok(())
}

async fn heard(phone: &phone::Phone) -> Result<Recording, DemoError> {
    let end = Instant::now() + ANSWERED;
    let found = timeout_at(end, async {
        loop {
            match phone.recording() {
                Some(recording) => return recording,
                None => sleep(STEP).await,
            }
        }
    });
    let late = |_| DemoError::Late { what: "the phone to hear something".into(), waited: ANSWERED };
    found.await.map_err(late)
}

fn keep(file: &Path) -> Result<Duration, DemoError> {
    std::fs::copy(file, WAV)?;
    let reader = hound::WavReader::open(WAV);
    let reader = reader.map_err(|error| DemoError::System(std::io::Error::other(error)))?;
    let seconds = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate.max(1));
    Ok(Duration::from_secs_f64(seconds))
}

/// Waits for someone to end the demo, and says how.
async fn stopped() -> &'static str {
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        // Without the signal the demo only ends by itself.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => "Ctrl-C",
        () = wait(SignalKind::terminate()) => "SIGTERM",
        () = wait(SignalKind::hangup()) => "the end of the terminal",
    }
}

const MESSAGE: &str = "Server room is 38 degrees, can you come?";
const MESSAGE_ID: &str = "alice-1";
const WAV: &str = "offhook-demo.wav";
const WHOLE: Duration = Duration::from_secs(118);
const PLAY: Duration = Duration::from_secs(100);
const RINGS: Duration = Duration::from_secs(60);
const RING: Duration = Duration::from_secs(2);
const ANSWERED: Duration = Duration::from_secs(60);
const VOICE: Duration = Duration::from_secs(40);
const CLOSED: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(100);
