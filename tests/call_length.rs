//! How long a call takes to hear, with the lengths that a real voice gives what is said.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use offhook::clock;
use offhook::media::codec::Codec;
use offhook::notification::MessageId;
use offhook::script::prompt::{PAUSE, Prompt, PromptKind, Prompts};
use offhook::script::{CallFlow, Input, Opening, Output, Request, ScriptSettings, SpokenMessage};
use offhook::speech::{Pace, Speaker, SpeechSettings, Utterance};

#[tokio::test]
async fn who_calls_and_who_wrote_are_said_at_once_and_ten_messages_take_no_longer_than_200_s() {
    let mut call = Listener::new(10).await;
    call.listens().await;
    let (who_calls, who_wrote) = (call.comes("message service").await, call.comes("Alice").await);
    assert!(who_calls <= Duration::from_secs(2), "{who_calls:?}");
    // This is the slower of the two English voices; with the neural one the name comes after 4.5 s.
    assert!(who_wrote <= Duration::from_millis(6500), "{who_wrote:?}");
    assert_eq!((call.heard, call.answered), (10, 10), "{:#?}", call.said);
    assert!(call.now - call.start <= Duration::from_secs(200), "{:#?}", call.said);
    let whole = (call.now - call.start).as_secs_f64();
    println!(
        "who calls {who_calls:?}, who wrote {who_wrote:?}, ten messages of ten people {whole:.1} s"
    );
}

/// Somebody who presses each key half a second after they were asked for it.
struct Listener {
    call: CallFlow,
    speaker: Speaker,
    start: Instant,
    now: Instant,
    lengths: HashMap<String, Duration>,
    /// Each sentence with the time at which it began and how long it took.
    said: Vec<(Duration, Duration, String)>,
    heard: usize,
    answered: usize,
}

impl Listener {
    async fn new(messages: usize) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_offhook"));
        let settings = SpeechSettings { program: Some(program), ..SpeechSettings::default() };
        let speaker = Speaker::start(settings).await.unwrap();
        let items = SENDERS.iter().take(messages).zip(1..).map(|(sender, id)| SpokenMessage {
            id: MessageId(id),
            from: format!("{sender}@example.org").parse().unwrap(),
            sender: (*sender).into(),
            came: "at 10:30 am".into(),
            body: Prompt::body(MessageId(id), "en", BODY),
        });
        let (prompts, settings) = (Prompts::new("en"), ScriptSettings::default());
        let call =
            CallFlow::messages(settings, prompts, "Bob".into(), items.collect(), Opening::New)
                .introduced("example.org");
        let start = clock::now();
        let (lengths, said) = (HashMap::new(), vec![]);
        Self { call, speaker, start, now: start, lengths, said, heard: 0, answered: 0 }
    }

    async fn listens(&mut self) {
        self.call.handle(Input::Answered, self.now);
        self.now += ScriptSettings::default().preroll;
        self.start = self.now;
        self.call.handle(Input::Tick, self.now);
        while let Some(output) = self.call.poll() {
            match output {
                Output::Speak(prompts) => self.hears(prompts).await,
                Output::Request(Request::Heard(_)) => self.heard += 1,
                Output::Request(Request::Commit(_)) => {
                    self.answered += 1;
                    self.call.handle(Input::Committed, self.now);
                }
                Output::Request(Request::CheckForMore) => {
                    self.call.handle(Input::More(vec![]), self.now);
                }
                Output::HangUp => return,
                Output::StopPlayback | Output::Request(_) => {}
            }
        }
    }

    async fn hears(&mut self, prompts: Vec<Prompt>) {
        let last = prompts.last().unwrap().text.clone();
        for prompt in prompts {
            let length = self.length(&prompt).await;
            self.said.push((self.now - self.start, length, prompt.text));
            self.now += length;
        }
        self.call.handle(Input::Began, self.now);
        self.call.handle(Input::Spoken, self.now);
        let key = match &*last {
            "To hear it, press 5." => '5',
            asked if asked.starts_with("To answer") || asked == "Your answer, please." => '1',
            _ => return,
        };
        self.now += Duration::from_millis(500);
        self.call.handle(Input::Key(key), self.now);
    }

    async fn length(&mut self, prompt: &Prompt) -> Duration {
        match prompt.kind {
            PromptKind::Pause => PAUSE,
            PromptKind::Mark => Codec::Pcmu.mark().duration(),
            _ => {
                let (language, text) = (prompt.language.clone(), prompt.text.clone());
                let utterance = Utterance { language, text, pace: Pace::Usual, keep: true };
                let clip = self.speaker.say(&utterance, Codec::Pcmu).await.unwrap();
                *self.lengths.entry(prompt.text.clone()).or_insert(clip.duration())
            }
        }
    }

    /// When these words begin to be said.
    async fn comes(&mut self, words: &str) -> Duration {
        let found = self.said.iter().find(|(_, _, text)| text.contains(words)).unwrap();
        let (began, before) = (found.0, found.2.split(words).next().unwrap().to_owned());
        began + self.length(&Prompt::body(MessageId(0), "en", before)).await
    }
}

const SENDERS: [&str; 10] =
    ["Alice", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi", "Ivan", "Judy", "Mallory"];
const BODY: &str = "The server room has 38 degrees, can you come?";
